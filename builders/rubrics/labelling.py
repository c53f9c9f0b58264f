"""The step `label_by_rubric`: preferences out of what a judge says of pairs under a rubric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from provkit.builders.rubrics.sources import gathered, one_rubric
from provkit.llm import Teacher
from provkit.llm.teacher import known
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.rubrics.judges import EndpointJudge, Said
from provkit.rubrics.pairs import Pair, Taking, swaps
from provkit.rubrics.search import outcome
from provkit.rubrics.template import Rubric
from provkit.table import Rows


@builder
class LabelByRubric:
    """Has a model judge pairs under one rubric and makes preference rows: prompt, chosen, rejected.

    The set holds pairs and, put `alongside` them, the source `rubric` with one rubric. A verdict counts where both
    orders agree; a tie, two orders that differ and an unparsed verdict are drops. The note has the rubric's digest, the
    verdict, and the requests. An arm for each of two rubrics makes the sets of "Rubrics as an Attack Surface" (arXiv
    2602.13576), on which a policy takes over the drift of its judge.

    Args:
        rubric: the source of the rubric.
        orders: both orders of each pair, or one that the row key decides.
        layout: how the pairs are laid out.
        most_words: pairs of more words are dropped.
    """

    rubric: str
    orders: Literal["both", "seeded"] = "both"
    layout: str = "auto"
    most_words: Annotated[int, Field(ge=1)] | None = None
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "derived"

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], list[Row] | Drop]:
        """The preferences.

        Raises:
            InputError: when there is not one rubric.
        """
        seed = rows.draws[0]
        found = gathered(rows, Taking(self.layout, most_words=self.most_words, seed=seed), self.rubric)
        at, rubric = one_rubric(found.rubrics, self.rubric)
        judge = EndpointJudge(teacher)
        pairs = [(place, pair) for held in found.pairs.values() for place, several in held.items() for pair in several]
        wanted = [(pair, swapped) for _, pair in pairs for swapped in self._ways(pair, seed)]
        done = 0

        def heard(_: Said) -> None:
            nonlocal done
            done += 1
            if done % 64 == 0 or done == len(wanted):
                teacher.progress(done, len(wanted))

        if teacher.endpoint is not None:
            teacher.over(wanted, lambda one: judge.verdict(rubric, *one), heard)
        places: dict[int, list[Pair]] = {}
        for place, pair in pairs:
            places.setdefault(place, []).append(pair)

        def act(row: Row) -> list[Row] | Drop:
            if row.at == at:
                return Drop("rubric", f"{rubric.rubric_id} {rubric.digest}")
            if row.at in found.odd:
                return Drop("no pair", found.odd[row.at])
            made = [self._labelled(row, pair, rubric, judge, seed) for pair in places.get(row.at, [])]
            kept = [one for one in made if isinstance(one, Row)]
            return kept or next((one for one in made if isinstance(one, Drop)), Drop("no pair"))

        return act

    def _ways(self, pair: Pair, seed: int) -> list[bool]:
        return [False, True] if self.orders == "both" else [swaps(pair.row_key, seed, "order")]

    def _labelled(self, row: Row, pair: Pair, rubric: Rubric, judge: EndpointJudge, seed: int) -> Row | Drop:
        said = [known(judge.verdict(rubric, pair, swapped)) for swapped in self._ways(pair, seed)]
        verdict = said[0].verdict if len(said) == 1 else outcome(said[0].verdict, said[1].verdict)
        if verdict == "unparsed":
            return Drop("unparsed", "; ".join(one.output for one in said if one.output))
        if verdict == "C":
            differ = {one.verdict for one in said} != {"C"}
            return Drop("tie", "the two orders differ" if differ else "the judge says so")
        chosen, rejected = (pair.answer_a, pair.answer_b) if verdict == "A" else (pair.answer_b, pair.answer_a)
        made = {"prompt": pair.question, "chosen": chosen, "rejected": rejected}
        keys = [one.request for one in said]
        note: dict[str, Any] = {
            "rubric": rubric.digest,
            "rubric_id": rubric.rubric_id,
            "verdict": verdict,
            "row_key": pair.row_key,
        }
        note |= {"request": keys[-1], "requests": dict(zip(("straight", "swapped"), keys, strict=False))}
        note["model"] = judge.teacher.model
        return row.derive(made, note=note, without=[name for name in row if name not in made])
