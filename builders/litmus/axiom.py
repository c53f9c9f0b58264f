"""The step `litmus_axiom`: which of the seven axioms a row is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from provkit.builders.litmus.grammar import axioms
from provkit.embed import DEFAULT
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows

WORD = re.compile(r"[a-z]+")


@builder
class LitmusAxiom:
    """Gives each row the name of its axiom; a row of unclear axiom is dropped.

    A name that the row brings is kept where it is one of the seven, however it is spelled. Otherwise the axiom follows
    from the keyword table of catalog/litmus/axioms.yaml (the one with most words of the row; a tie is unclear), or is
    the one whose description is nearest by sentence embedding (extra embed).

    Args:
        by: given (no more than what the rows bring), keywords, or nearest.
        least: of the keywords found, or of the cosine, below which the axiom is unclear.
        model: the embedding model.
    """

    by: Literal["given", "keywords", "nearest"] = "keywords"
    least: Annotated[float, Field(ge=0)] = 0.0
    model: str = DEFAULT

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """The rows with their axiom."""
        nearest = self._nearest(rows) if self.by == "nearest" else {}

        def act(row: Row) -> Row | Drop:
            given = row.get("axiom")
            if given is not None and (name := spelled().get(plain_name(str(given)))):
                return row if name == given else row.derive({"axiom": name}, note={"by": "given", "axiom": str(given)})
            if self.by == "given":
                return row.drop("no axiom", "" if given is None else f"{given!s:.80} is none of the seven")
            name, score = nearest[row.at] if self.by == "nearest" else by_keywords(text_of(row))
            if name is None or score < self.least:
                return row.drop("unclear axiom", f"{self.by} {score:.3g}")
            return row.derive({"axiom": name}, note={"by": self.by, "score": round(score, 4)})

        return act

    def _nearest(self, rows: Rows) -> dict[int, tuple[str | None, float]]:
        """For each row without a known axiom the nearest description and its cosine."""
        from provkit.embed import Embedder

        asked = {
            at: text_of(Row(content))
            for at, content in enumerate(rows.contents())
            if plain_name(str(content.get("axiom"))) not in spelled()
        }
        embedder = Embedder(self.model)
        known = embedder.encode([f"{one.name}: {one.description}" for one in axioms()])
        cosines = embedder.encode(list(asked.values())) @ known.T if asked else np.zeros((0, len(known)))
        names = [axioms()[at].name for at in cosines.argmax(axis=1)] if asked else []
        return dict(zip(asked, zip(names, map(float, cosines.max(axis=1)), strict=True), strict=True)) if asked else {}


def by_keywords(text: str) -> tuple[str | None, float]:
    """The axiom with most words of the text that begin with one of its keywords, and how many; None on a tie."""
    words = " " + " ".join(WORD.findall(text.lower())) + " "
    counts = [sum(words.count(f" {stem}") for stem in one.keywords) for one in axioms()]
    most = max(counts)
    if not most or counts.count(most) > 1:
        return None, float(most)
    return axioms()[counts.index(most)].name, float(most)


@cache
def spelled() -> dict[str, str]:
    """The names of the axioms by plain spelling, and by key."""
    return {plain_name(name): one.name for one in axioms() for name in (one.name, one.key)}


def plain_name(name: str) -> str:
    """`Well-being & Peace`, `wellbeing and peace` and `wellbeing_peace` are one."""
    return re.sub(r"[^a-z]|\band\b", "", re.sub(r"[_&]", " ", name.lower()))


def text_of(row: Any) -> str:
    """All that a row or a pair says."""
    parts = (row.get(name) for name in ("question", "input", "safe", "unsafe"))
    return "\n".join(part for part in parts if isinstance(part, str))
