"""Verdicts that were recorded elsewhere: rows joined by row key and rubric, never by line number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from provkit.errors import InputError, plain
from provkit.rubrics.reading import read_columns
from provkit.rubrics.tables import PAIRS, RUBRICS, UNPARSED, VERDICTS, Verdicts, rubrics_table
from provkit.rubrics.template import Rubric

COLUMNS = {  # what a column may be called, the first that is there counts
    "row_key": ("row_key", "row_id", "uid", "pair_id", "id"),
    "rubric": ("rubric", "rubric_digest", "rubric_id", "prompt_id"),
    "dataset": ("dataset", "set", "domain"),
    "order": ("swapped", "order"),
    "output": ("output", "feedback", "response", "completion"),
    "verdict": ("verdict", "decision", "winner"),
    "label": ("label", "ground_truth", "gold"),
    "category": ("category", "subset"),
    "judge": ("judge", "model"),
}
LETTERS = ("A", "B", "C", "unparsed")
WORDS = {"A": 0, "B": 1, "C": 2, "tie": 2, "unparsed": 3}
LAST_MARK = r"(?s)^.*\[\[(?P<letter>[ABC])\]\]"
FORWARD = {
    "false": False,
    "0": False,
    "0,1": False,
    "straight": False,
    "true": True,
    "1": True,
    "1,0": True,
    "swapped": True,
}
TAIL = 200  # characters of an unparsed output that are kept

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as numbers into its distinct values: shape (rows,), -1 for null."""

    codes: Codes
    values: list[Any]


def read_recorded(
    paths: Sequence[Path], rubrics: Sequence[Rubric] = (), pairs: pa.Table | None = None, seed: str | None = None
) -> Verdicts:
    """The verdicts of recorded files.

    A row has a row key, a rubric (the digest of its text, or its name), and what the judge wrote (`output`, read
    strictly) or its verdict (A, B, C or tie; anything else is unparsed). Where both stand the output counts. `order`
    or `swapped` says that the second answer was shown first: the verdict is then about the other answer. `dataset` is
    the name of the file where no column says it; `label` and `category` go with the pair.

    Args:
        paths: the files.
        rubrics: the rubrics that were judged by; without them the names or digests of the rows stand for themselves.
        pairs: the pairs as the schema PAIRS that verdicts are joined to; without them the rows say label and category.
        seed: name or digest of the rubric that the others are compared with; `seed`, or the first, when None.

    Raises:
        InputError: for a missing column, a rubric or pair that is unknown, two verdicts on one thing that differ, or
            verdicts of several judges.
    """
    found = [_file(path) for path in paths]
    columns = {name: _joined([one[name] for one in found]) for name in COLUMNS}
    for name in ("row_key", "rubric"):
        if missing := int((columns[name].codes < 0).sum()):
            do = f"name a column one of {', '.join(COLUMNS[name])}"
            raise InputError(f"{missing:,} rows say no {name}", file=paths[0], do=do)
    if len(columns["judge"].values) > 1:
        listed = plain(", ".join(map(str, columns["judge"].values)))
        raise InputError(f"verdicts of several judges: {listed}", file=paths[0], do="give one judge's at a time")
    verdicts, outputs = _verdicts(columns["output"], columns["verdict"], paths[0])
    swapped = _orders(columns["order"], paths[0])
    said = np.where(swapped, np.array([1, 0, 2, 3])[verdicts], verdicts)
    known = _known(columns["rubric"], rubrics, paths[0])
    table = _wide(columns, known, said, swapped, paths[0])
    about = _pairs(columns, paths[0]) if pairs is None else _matched(table, pairs, paths[0])
    loose = _unparsed(columns, known, verdicts, swapped, outputs)
    judge: dict[str, Any] = {
        "kind": "recorded",
        "model": columns["judge"].values[0] if columns["judge"].values else None,
    }
    judge["files"] = [path.name for path in paths]
    listed = _rubrics(known, rubrics, seed)
    return Verdicts(str(paths[0]), table, about, listed, judge, loose)


def _file(path: Path) -> dict[str, pa.ChunkedArray]:
    """The columns of one file by what they are; null where it has none."""
    table = read_columns(path, {one for names in COLUMNS.values() for one in names})
    found: dict[str, pa.ChunkedArray] = {}
    given = {name: next((one for one in names if one in table.column_names), None) for name, names in COLUMNS.items()}
    for name, column in given.items():
        if column is None:
            found[name] = pa.chunked_array([pa.nulls(len(table), pa.string())])
        else:
            found[name] = table.column(column)
    found["dataset"] = pc.fill_null(found["dataset"], path.stem)
    if given["output"] is None and given["verdict"] is None:
        do = "name a column `output` (what the judge wrote) or `verdict` (A, B or C)"
        raise InputError("no verdict among the columns", file=path.name, do=do)
    return found


def _joined(columns: Sequence[pa.ChunkedArray]) -> Column:
    whole = pa.chunked_array([chunk for one in columns for chunk in one.chunks], pa.string())
    encoded = whole.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Column(codes, encoded.dictionary.to_pylist())


def _verdicts(output: Column, verdict: Column, path: Path) -> tuple[Codes, Column]:
    """For each row the number of its verdict in LETTERS, as it was said."""
    texts = pa.array(output.values, pa.string())
    letters = pc.struct_field(pc.extract_regex(texts, LAST_MARK), "letter") if len(texts) else texts
    by_output = np.array([WORDS.get(letter or "", 3) for letter in letters.to_pylist()] + [3])
    by_verdict = np.array([WORDS.get(value, 3) for value in verdict.values] + [3])
    chosen = np.where(output.codes >= 0, by_output[output.codes], by_verdict[verdict.codes])
    return chosen.astype(np.int64), output if output.values else verdict


def _orders(order: Column, path: Path) -> npt.NDArray[np.bool_]:
    """For each row whether the second answer was shown first."""
    known = [FORWARD.get(str(value).lower()) for value in order.values]
    if None in known:
        said = f"an order of {plain(repr(order.values[known.index(None)]), 60)}"
        raise InputError(said, file=path, field="order", do="0 (as in the pair) or 1 (swapped)")
    return np.array([*map(bool, known), False])[order.codes]


def _known(column: Column, rubrics: Sequence[Rubric], path: Path) -> list[Rubric | str]:
    """For each distinct value of the column the rubric that it names, by digest or by name."""
    by_name = {one.rubric_id: one for one in rubrics} | {one.digest: one for one in rubrics}
    if not rubrics:
        return list(column.values)
    for value in column.values:
        if value not in by_name:
            said = f"verdicts under a rubric that is not among those given: {plain(str(value), 80)}"
            raise InputError(said, file=path, do="name all rubrics with --rubric, by file or folder")
    return [by_name[value] for value in column.values]


def _digest(rubric: Rubric | str) -> str:
    return rubric if isinstance(rubric, str) else rubric.digest


def _rubrics(known: Sequence[Rubric | str], rubrics: Sequence[Rubric], seed: str | None) -> pa.Table:
    if rubrics:
        return rubrics_table(rubrics, seed_of(rubrics, seed))
    names = [str(one) for one in known]
    chosen = seed or ("seed" if "seed" in names else names[0])
    if chosen not in names:
        raise InputError(f"no rubric '{plain(chosen, 60)}' among the verdicts", field="--seed-rubric")
    rows = [{"rubric": one, "rubric_id": one, "is_seed": one == chosen, "adversarial": False} for one in names]
    return pa.Table.from_pylist(rows, schema=RUBRICS)


def seed_of(rubrics: Sequence[Rubric], seed: str | None) -> Rubric:
    """The rubric that the others are compared with: the one of this name or digest, else `seed`, else the first.

    Raises:
        InputError: when there is none of this name.
    """
    wanted = seed or "seed"
    found = [one for one in rubrics if one.rubric_id == wanted or (len(wanted) >= 8 and one.digest.startswith(wanted))]
    if not found and seed is not None:
        listed = plain(", ".join(one.rubric_id for one in rubrics[:8]))
        raise InputError(f"no rubric '{plain(seed, 60)}'; there are {listed}", field="--seed-rubric")
    return found[0] if found else rubrics[0]


def _wide(
    columns: dict[str, Column], known: Sequence[Rubric | str], said: Codes, swapped: npt.NDArray[np.bool_], path: Path
) -> pa.Table:
    """One row a rubric, set and row key, with the verdict in each order."""
    rubric, dataset, key = columns["rubric"], columns["dataset"], columns["row_key"]
    alike = np.array([[_digest(one) for one in known].index(_digest(one)) for one in known])  # a name and its digest
    place = (alike[rubric.codes] * len(dataset.values) + dataset.codes) * len(key.values) + key.codes
    distinct, at = np.unique(place, return_inverse=True)
    orders = []
    for way in (~swapped, swapped):
        verdicts = np.full(len(distinct), -1, np.int64)
        verdicts[at[way]] = said[way]
        if len(odd := np.flatnonzero(verdicts[at[way]] != said[way])):
            one = key.values[key.codes[np.flatnonzero(way)[odd[0]]]]
            said_ = (
                f"{len(odd):,} verdicts on pairs that have another verdict already, the first on {plain(str(one), 60)}"
            )
            raise InputError(said_, file=path, do="a second run was appended? keep one run, or name its order")
        orders.append(pa.array(verdicts, mask=verdicts < 0))
    keys, rest = distinct % len(key.values), distinct // len(key.values)
    letters = pa.array(LETTERS)
    names = pa.array([_digest(one) for one in known])
    return pa.table(
        [
            names.take(pa.array(rest // len(dataset.values))),
            pa.array(dataset.values).take(pa.array(rest % len(dataset.values))),
            pa.array(key.values).take(pa.array(keys)),
            *(letters.take(one) for one in orders),
            *(pa.nulls(len(distinct), pa.string()) for _ in orders),
        ],
        schema=VERDICTS,
    )


def _pairs(columns: dict[str, Column], path: Path) -> pa.Table:
    """The pairs that the rows speak of, with label and category where a row says them."""
    dataset, key = columns["dataset"], columns["row_key"]
    place = dataset.codes * len(key.values) + key.codes
    distinct, at = np.unique(place, return_inverse=True)
    told: dict[str, pa.Array] = {}
    for name in ("label", "category"):
        column = columns[name]
        codes = np.full(len(distinct), -1, np.int64)
        some = column.codes >= 0
        codes[at[some]] = column.codes[some]
        if (codes[at[some]] != column.codes[some]).any():
            odd = key.values[key.codes[np.flatnonzero(some)[np.flatnonzero(codes[at[some]] != column.codes[some])[0]]]]
            raise InputError(f"two values for the pair {plain(str(odd), 60)}", file=path, field=name)
        values = [labelled(value) for value in column.values] if name == "label" else column.values
        told[name] = pa.array(values, pa.string()).take(pa.array(codes, mask=codes < 0))
    datasets, keys = distinct // len(key.values), distinct % len(key.values)
    columns_ = [
        pa.array(dataset.values).take(pa.array(datasets)),
        pa.array(key.values).take(pa.array(keys)),
        told["label"],
        told["category"],
        *(pa.nulls(len(distinct), pa.string()) for _ in range(3)),
    ]
    return pa.table(columns_, schema=PAIRS)


def labelled(value: Any) -> str | None:
    """A or B where a label says one of them, in any of the ways that released sets do; None for a tie or no label."""
    words = {"A": "A", "B": "B", "MODEL_A": "A", "MODEL_B": "B", "RESPONSE_A": "A", "RESPONSE_B": "B"}
    return words.get(str(value).upper())


def _matched(table: pa.Table, pairs: pa.Table, path: Path) -> pa.Table:
    """The pairs, after it was made sure that each verdict is about one of them."""
    keys = ["dataset", "row_key"]
    lost = table.select(keys).join(pairs.select(keys), keys, join_type="left anti")
    if len(lost):
        one = lost.column("row_key")[0].as_py()
        said = f"{len(lost):,} verdicts are about pairs that were not given, the first about {plain(one, 60)}"
        raise InputError(said, file=path, do="row keys are those of the pairs' own column, with --key COLUMN")
    return pairs


def _unparsed(
    columns: dict[str, Column],
    known: Sequence[Rubric | str],
    verdicts: Codes,
    swapped: npt.NDArray[np.bool_],
    outputs: Column,
) -> pa.Table:
    """The verdicts that could not be read, with the end of what was written."""
    rows = np.flatnonzero(verdicts == 3)

    def of(column: Column) -> list[Any]:
        return [column.values[code] if code >= 0 else None for code in column.codes[rows].tolist()]

    texts = [str(text)[-TAIL:] if text is not None else None for text in of(outputs)]
    digests = [_digest(known[code]) for code in columns["rubric"].codes[rows].tolist()]
    shown = ["swapped" if one else "straight" for one in swapped[rows].tolist()]
    return pa.table([digests, of(columns["dataset"]), of(columns["row_key"]), shown, texts], schema=UNPARSED)
