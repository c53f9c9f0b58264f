"""The steps `label_by_rubric` and `label_by_recorded`: preferences out of verdicts on pairs under a rubric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from provkit.builders.rubrics.sources import gathered, one_rubric
from provkit.errors import InputError, plain
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
        pairs = [pair for held in found.pairs.values() for several in held.values() for pair in several]
        wanted = [(pair, swapped) for pair in pairs for swapped in self._ways(pair, seed)]
        done = 0

        def heard(_: Said) -> None:
            nonlocal done
            done += 1
            if done % 64 == 0 or done == len(wanted):
                teacher.progress(done, len(wanted))

        if teacher.endpoint is not None:
            teacher.over(wanted, lambda one: judge.verdict(rubric, *one), heard)

        def act(row: Row) -> list[Row] | Drop:
            if row.at == at:
                return Drop("rubric", f"{rubric.rubric_id} {rubric.digest}")
            return found.preferences(row, lambda pair: self._labelled(row, pair, rubric, judge, seed))

        return act

    def _ways(self, pair: Pair, seed: int) -> list[bool]:
        return [False, True] if self.orders == "both" else [swaps(pair.row_key, seed, "order")]

    def _labelled(self, row: Row, pair: Pair, rubric: Rubric, judge: EndpointJudge, seed: int) -> Row | Drop:
        said = [known(judge.verdict(rubric, pair, swapped)) for swapped in self._ways(pair, seed)]
        keys = [one.request for one in said]
        requests = dict(zip(("straight", "swapped"), keys, strict=False))
        note = {"request": keys[-1], "requests": requests, "model": judge.teacher.model}
        return labelled(row, pair, rubric, said, note)


@builder
class LabelByRecorded:
    """Makes preference rows out of pairs and the verdicts that `provkit judge` wrote on them: prompt, chosen, rejected.

    The set holds pairs and, put `alongside` them, the source `rubric` with one rubric and the source `verdicts` with
    verdicts.parquet of a verdict directory. They are joined by row key and rubric digest. A verdict counts where both
    orders agree, or where one order was judged alone; a tie, two orders that differ, an unparsed and a missing verdict
    are drops. The note has the rubric's digest and the verdict.

    Args:
        rubric: the source of the rubric.
        verdicts: the source of the verdicts.
        layout: how the pairs are laid out.
        key: the pairs' column of row keys, where `provkit judge` was given one with --key.
        most_words: pairs of more words are dropped.
    """

    rubric: str
    verdicts: str
    layout: str = "auto"
    key: str | None = None
    most_words: Annotated[int, Field(ge=1)] | None = None
    op: ClassVar[str] = "derived"

    def rewrite(self, rows: Rows) -> Callable[[Row], list[Row] | Drop]:
        """The preferences.

        Raises:
            InputError: when there is not one rubric, or two verdicts on one pair differ.
        """
        taking = Taking(self.layout, key=self.key, most_words=self.most_words, seed=rows.draws[0])
        found = gathered(rows, taking, self.rubric, self.verdicts)
        at, rubric = one_rubric(found.rubrics, self.rubric)
        verdicts = recorded(found.others, rubric, self.verdicts)

        def act(row: Row) -> list[Row] | Drop:
            if row.at == at or row.at in found.others:
                return Drop("verdict" if row.at in found.others else "rubric", f"{rubric.rubric_id} {rubric.digest}")
            return found.preferences(row, lambda pair: labelled(row, pair, rubric, verdicts.get(pair.row_key, []), {}))

        return act


def recorded(rows: Mapping[int, Row], rubric: Rubric, source: str) -> dict[str, list[Said]]:
    """What was said under a rubric, by row key: the verdicts of one order or of both, of rows as in verdicts.parquet.

    Raises:
        InputError: when they have other columns, or say two things of one pair.
    """
    found: dict[str, list[Said]] = {}
    for row in rows.values():
        key, orders = row.get("row_key"), [row.get("straight"), row.get("swapped")]
        if not isinstance(key, str) or "rubric" not in row:
            do = "give verdicts.parquet of a directory that provkit judge wrote (--recorded FILE for those of others)"
            raise InputError("verdicts have the columns rubric, row_key, straight and swapped", field=source, do=do)
        if row["rubric"] == rubric.digest:
            said = [Said(one) for one in orders if one is not None]
            if found.setdefault(key, said) != said:
                raise InputError(f"two verdicts on the pair {plain(key, 60)} under one rubric", field=source)
    return found


def labelled(row: Row, pair: Pair, rubric: Rubric, said: Sequence[Said], note: Mapping[str, Any]) -> Row | Drop:
    """The preference that verdicts make of a pair: chosen and rejected where they decide, else why they do not."""
    if not said:
        return Drop("no verdict", f"of the pair {pair.row_key}")
    verdict = said[0].verdict if len(said) == 1 else outcome(said[0].verdict, said[1].verdict)
    if verdict == "unparsed":
        return Drop("unparsed", "; ".join(one.output for one in said if one.output))
    if verdict == "C":
        differ = {one.verdict for one in said} != {"C"}
        return Drop("tie", "the two orders differ" if differ else "the judge says so")
    chosen, rejected = (pair.answer_a, pair.answer_b) if verdict == "A" else (pair.answer_b, pair.answer_a)
    made = {"prompt": pair.question, "chosen": chosen, "rejected": rejected}
    under = {"rubric": rubric.digest, "rubric_id": rubric.rubric_id, "verdict": verdict, "row_key": pair.row_key}
    return row.derive(made, note={**under, **note}, without=[name for name in row if name not in made])
