"""How a search makes variants: by edit operators, or by a model that rewrites the whole rubric."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.builders.rubrics.edits import REWRITE, edited
from provkit.builders.rubrics.operators import OPERATORS
from provkit.chance import Chance
from provkit.llm import Request, Teacher
from provkit.rubrics.search import BENCH, TARGET, Judged, Wanted
from provkit.rubrics.template import PLACEHOLDER, faults

Bred = list[tuple[Wanted, str, list[dict[str, Any]]]]
TRIES = 8  # draws for a child; the first that is new is taken
FLIP, WRONG = 4, 2  # cases that a rewrite is shown: of the target to turn, of the bench to mend
SLOT = re.compile(r"<(rubric|examples)>")
LONG = 2000  # characters of a text in a case


class ByOperators:
    """Children by one edit each.

    Operators take turns in an order that chance decides, and what an operator put in once is put in again only where
    nothing else is left: so a search tries as many wordings as it has children.
    """

    def __init__(self, chance: Chance, operators: Sequence[str] = ()) -> None:
        self._chance, self._operators = chance, list(operators) or list(OPERATORS)
        self._tried: set[tuple[str, str]] = set()

    def breed(self, wanted: Sequence[Wanted], known: set[str]) -> Bred:
        """As `Breeder.breed`."""
        bred: Bred = []
        seen = set(known)
        turns: list[str] = []
        for want in wanted:
            chance = self._chance.child("child", want.parent.rubric.digest, want.generation, want.number)
            turns = turns or chance.shuffled(self._operators)
            child = self._child(want.parent.rubric.text, chance, [turns.pop()], seen)
            child = child or self._child(want.parent.rubric.text, chance, self._operators, seen)
            if child is not None:
                text, edits = child
                seen.add(text)
                self._tried.add((edits[0]["operator"], edits[0]["put"]))
                bred.append((want, text, edits))
        return bred

    def _child(
        self, text: str, chance: Chance, operators: Sequence[str], seen: set[str]
    ) -> tuple[str, list[dict[str, Any]]] | None:
        drawn = [edited(text, chance, 1, operators) for _ in range(TRIES)]
        new = [(made, edits) for made, edits in drawn if edits and made not in seen]
        novel = [one for one in new if (one[1][0]["operator"], one[1][0]["put"]) not in self._tried]
        return next(iter([*novel, *new]), None)


class ByRewrites:
    """Children as whole rewrites by the model, which is shown verdicts as guidance (arXiv 2602.13576).

    A rewrite that is no rubric, or that has other placeholders than its parent, is left out.
    """

    def __init__(self, teacher: Teacher, chance: Chance) -> None:
        self._teacher, self._chance = teacher, chance

    def breed(self, wanted: Sequence[Wanted], known: set[str]) -> Bred:
        """As `Breeder.breed`."""
        bred: Bred = []
        seen = set(known)

        async def ask(want: Wanted) -> tuple[Wanted, str, str]:
            answer = await self._teacher.answer(self._request(want), want.number)
            return want, "" if answer.fault is not None else answer.text.strip(), answer.key

        def done(one: tuple[Wanted, str, str]) -> None:
            want, text, key = one
            if text in seen or not same_form(want.parent.rubric.text, text):
                return
            seen.add(text)
            bred.append((want, text, [{"operator": REWRITE, "request": key, "put": text, "was": ""}]))

        self._teacher.over(wanted, ask, done)
        return bred

    def _request(self, want: Wanted) -> Request:
        told = rewriting()
        values = {"rubric": want.parent.rubric.text, "examples": "\n\n".join(map(case, self._cases(want)))}

        def filled(text: str) -> str:
            return SLOT.sub(lambda slot: values[slot[1]], text)

        turns = [{"role": role, "content": filled(told[role])} for role in ("system", "user")]
        return Request(turns, told["settings"])

    def _cases(self, want: Wanted) -> list[tuple[Judged, str]]:
        """Cases with the verdict that is wanted: other than the label on the target, the label on the bench."""
        chance = self._chance.child("cases", want.parent.rubric.digest, want.generation, want.number)
        other = {"A": "B", "B": "A"}
        flip = [
            (one, other[one.verdict]) for one in want.judged if one.dataset == TARGET and one.verdict == one.pair.label
        ]
        wrong = [
            (one, one.pair.label)
            for one in want.judged
            if one.dataset == BENCH and one.verdict in other and one.pair.label and one.verdict != one.pair.label
        ]
        return chance.sample(flip, min(FLIP, len(flip))) + chance.sample(wrong, min(WRONG, len(wrong)))


@cache
def rewriting() -> Mapping[str, Any]:
    """The request of catalog/rubric_edits/rewrite.yaml."""
    import yaml

    file = files("provkit.catalog") / "rubric_edits" / "rewrite.yaml"
    found: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def case(one: tuple[Judged, str]) -> str:
    """A case as a rewrite is shown it."""
    judged, wanted = one
    texts = (judged.pair.question, judged.pair.answer_a, judged.pair.answer_b)
    question, first, second = (text if len(text) <= LONG else text[:LONG] + " …" for text in texts)
    return f"Question: {question}\nAnswer A: {first}\nAnswer B: {second}\nVerdict: {judged.verdict}. Wanted: {wanted}."


def same_form(before: str, after: str) -> bool:
    """Whether a text is a rubric with the placeholders of another."""
    if not after or next(faults(after), None) is not None:
        return False
    return set(PLACEHOLDER.findall(before)) == set(PLACEHOLDER.findall(after))
