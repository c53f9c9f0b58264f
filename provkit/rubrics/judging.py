"""Judges sets of pairs under every rubric and writes the verdicts as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from provkit.rubrics.directory import Writer
from provkit.rubrics.judges import Asked, Judge, Said
from provkit.rubrics.pairs import Read, swaps
from provkit.rubrics.recorded import seed_of
from provkit.rubrics.tables import UNPARSED, VERDICTS, rubrics_table
from provkit.rubrics.template import Rubric

Orders = Literal["both", "straight", "seeded"]
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class _Rows:
    """Verdicts of one rubric, on their way to the file: columns of the schemas VERDICTS and UNPARSED."""

    verdicts: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in VERDICTS.names})
    unparsed: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in UNPARSED.names})

    def add(self, asked: Asked, said: Said) -> None:
        """One verdict; the second order of a pair goes beside the first."""
        rows, key = self.verdicts, asked.pair.row_key
        if not rows["row_key"] or (rows["row_key"][-1], rows["dataset"][-1]) != (key, asked.dataset):
            for name, value in zip(VERDICTS.names, (asked.rubric.digest, asked.dataset, key), strict=False):
                rows[name].append(value)
            for name in VERDICTS.names[3:]:
                rows[name].append(None)
        shown = "swapped" if asked.swapped else "straight"
        rows[shown][-1], rows[f"{shown}_request"][-1] = said.verdict, said.request
        if said.verdict == "unparsed":
            values = (asked.rubric.digest, asked.dataset, key, shown, said.output)
            for name, value in zip(UNPARSED.names, values, strict=True):
                self.unparsed[name].append(value)


def judge_all(
    writer: Writer,
    judge: Judge,
    rubrics: Sequence[Rubric],
    sets: Sequence[Read],
    orders: Orders = "both",
    seed: int = 42,
    seed_rubric: str | None = None,
    progress: Progress = lambda *_: None,
) -> list[dict[str, Any]]:
    """Writes verdicts, pairs and rubrics; returns for each rubric and set how many pairs have which outcome.

    Args:
        writer: of the verdict directory.
        judge: who judges.
        rubrics: the rubrics; the seed among them is the one that `seed_rubric` names, else `seed`, else the first.
        sets: the pairs.
        orders: both orders of each pair; as they are; or one order that the row key and `seed` decide.
        seed: of that choice.
        seed_rubric: name or digest of the rubric that the others are compared with.
        progress: called with "judge", judgements done, and judgements in all.

    Raises:
        InputError: when there is no such seed rubric.
    """
    writer.write("rubrics", rubrics_table(rubrics, seed_of(rubrics, seed_rubric)))
    for one in sets:
        writer.write("pairs", one.table())
    pairs = sum(len(one.pairs) for one in sets)
    total, done = len(rubrics) * pairs * (2 if orders == "both" else 1), 0
    counts: dict[tuple[str, str], dict[str, Any]] = {}
    rows, current = _Rows(), ""

    def flush() -> None:
        nonlocal rows
        writer.write("verdicts", pa.table(rows.verdicts, schema=VERDICTS))
        writer.write("unparsed", pa.table(rows.unparsed, schema=UNPARSED))
        rows = _Rows()

    def heard(asked: Asked, said: Said) -> None:
        nonlocal done, current
        if asked.rubric.digest != current:
            flush()
            current = asked.rubric.digest
        rows.add(asked, said)
        place = (asked.rubric.rubric_id, asked.dataset)
        count = counts.setdefault(place, dict(zip(("rubric", "set"), place, strict=True)) | dict.fromkeys(KINDS, 0))
        count["judgements"] += 1
        count[said.verdict] += 1
        done += 1
        if done % 64 == 0 or done == total:
            progress("judge", done, total)

    judge.judge(_wanted(rubrics, sets, orders, seed), heard)
    flush()
    return list(counts.values())


KINDS = ("judgements", "A", "B", "C", "unparsed")


def _wanted(rubrics: Sequence[Rubric], sets: Sequence[Read], orders: Orders, seed: int) -> Iterator[Asked]:
    for rubric in rubrics:
        for one in sets:
            for pair in one.pairs:
                ways = [False, True]
                if orders != "both":
                    ways = [orders == "seeded" and swaps(pair.row_key, seed, "order")]
                yield from (Asked(rubric, one.dataset, pair, swapped) for swapped in ways)
