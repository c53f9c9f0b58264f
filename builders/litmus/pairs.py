"""The generator `litmus_pairs`: minimal pairs of safe and unsafe statements out of the grammar of catalog/litmus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provkit.builders.domains.code.tasks.order import Permutation, picks, rounds
from provkit.builders.litmus.grammar import FORMS, Frame, axioms, frames, sentences
from provkit.chance import Chance
from provkit.registry import builder, near

STYLES = 2 * len(FORMS)  # each form in both of its turns


@builder
class LitmusPairs:
    """Minimal pairs over the seven axioms of LITMUS (arXiv 2506.13901), all of our own writing.

    A frame is a situation with two acts, one that its axiom stands for and one that goes against it in a mild way. A
    pair takes one situation and says it twice, alike but for what it sides with: the two acts exchanged ("it is better
    to A than to B"), the verdict ("it is right to A"), the number of the choice ("the former"), or, where one act alone
    is named, that act. An unsafe row states a bad value in mild words and tells nobody how to do harm. All forms come
    in both turns, frames in even shares, so that neither length nor words tell the label in frames not seen. Columns:
    axiom, frame, safe, unsafe, question, safe_source, unsafe_source (the form). The step `litmus_side` makes the rows
    of one label.

    Args:
        axioms: keys of the axioms to use, all where none is named.
    """

    axioms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = [one.key for one in axioms()]
        for name in self.axioms:
            if name not in known:
                raise ValueError(f"unknown axiom {name!r}{near(name, known)}")
        if len(set(self.axioms)) < len(self.axioms):
            raise ValueError(f"an axiom is named twice: {', '.join(self.axioms)}")

    @property
    def distinct(self) -> int:
        """How many rows there are: `generate` ends after so many."""
        return STYLES * sum(one.size for one in self._chosen().values())

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """Pairs without a statement in common, until all are used up."""
        chosen = self._chosen()
        said = sentences()
        orders = {name: Permutation.of(one.size, chance.child(name)) for name, one in chosen.items()}
        for name, style, position in rounds({name: one.size for name, one in chosen.items()}, STYLES, chance):
            form, turned = FORMS[style % len(FORMS)], style >= len(FORMS)
            slots, _ = picks(orders[name][position], chosen[name].sizes)
            twins = said.twins(form, turned, chosen[name].filled(slots), chance.child(name, style, position))
            yield {
                "axiom": chosen[name].axiom.name,
                "frame": name,
                "safe": twins.safe,
                "unsafe": twins.unsafe,
                "question": twins.question,
                "safe_source": f"provkit-{form}",
                "unsafe_source": f"provkit-{form}",
            }

    def _chosen(self) -> Mapping[str, Frame]:
        return {name: one for name, one in frames().items() if not self.axioms or one.axiom.key in self.axioms}
