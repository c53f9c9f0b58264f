"""Recorded verdicts: how they are joined, which of them count, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.errors import InputError
from provkit.rubrics.recorded import read_recorded
from provkit.rubrics.template import Rubric

ONE = {"row_id": "p1", "rubric_id": "seed", "verdict": "A", "label": "A"}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(*rows: dict[str, Any], name: str = "run.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return made


def verdicts(*paths: Path, **options: Any) -> list[tuple[Any, ...]]:
    table = read_recorded(paths, **options).rows.select(["rubric", "dataset", "row_key", "straight", "swapped"])
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=str)


def test_an_output_is_read_strictly_and_counts_more_than_a_verdict_beside_it(write: Write) -> None:
    outputs = {"p1": "so [[B]]", "p2": "a tie of liabilities", "p3": "[[A]] no, [[C]]", "p4": None, "p5": "A\n[[A]]\n"}
    path = write(*({**ONE, "row_id": key, "output": text} for key, text in outputs.items()))
    assert [(row[2], row[3]) for row in verdicts(path)] == [
        ("p1", "B"), ("p2", "unparsed"), ("p3", "C"), ("p4", "A"), ("p5", "A"),
    ]  # fmt: skip
    loose = read_recorded([path]).unparsed.to_pylist()
    assert [(row["row_key"], row["shown"], row["output"]) for row in loose] == [
        ("p2", "straight", "a tie of liabilities")
    ]


def test_a_swapped_verdict_is_about_the_other_answer(write: Write) -> None:
    path = write(ONE | {"order": 0}, ONE | {"order": 1}, ONE | {"order": 1, "row_id": "p2", "verdict": "tie"})
    assert verdicts(path) == [("seed", "run", "p1", "A", "B"), ("seed", "run", "p2", None, "C")]
    odd = write(ONE | {"order": "sideways"})
    with pytest.raises(InputError, match="an order of 'sideways'"):
        read_recorded([odd])


def test_lines_in_another_order_are_the_same_verdicts(write: Write) -> None:
    rows = [{**ONE, "row_id": f"p{i}", "rubric_id": r, "verdict": "AB"[i % 2]} for i in range(6) for r in ("seed", "v")]
    assert verdicts(write(*rows)) == verdicts(
        write(*reversed(rows), name="back.jsonl").rename(Path(write(ONE).parent, "run.jsonl"))
    )


def test_a_rubric_goes_by_its_digest_or_its_name(write: Write) -> None:
    seed, variant = Rubric("seed", "one"), Rubric("v", "two")
    rows = [ONE, {**ONE, "row_id": "p2", "rubric_id": seed.digest}, {**ONE, "rubric_id": "v"}]
    found = read_recorded([write(*rows)], [variant, seed])
    assert {row["rubric"] for row in found.rows.to_pylist()} == {seed.digest, variant.digest}
    assert len(found.rows) == 3
    assert [(row["rubric_id"], row["is_seed"]) for row in found.rubrics.to_pylist()] == [("v", False), ("seed", True)]
    with pytest.raises(InputError, match="a rubric that is not among those given: w"):
        read_recorded([write({**ONE, "rubric_id": "w"})], [seed])


def test_a_second_run_that_says_otherwise_is_refused_and_one_that_says_the_same_is_not(write: Write) -> None:
    assert len(verdicts(write(ONE, ONE))) == 1
    with pytest.raises(InputError, match=r"1 verdicts on pairs that have another verdict already, the first on p1"):
        read_recorded([write(ONE, ONE | {"verdict": "B"})])
    with pytest.raises(InputError, match="label: two values for the pair p1"):
        read_recorded([write(ONE, ONE | {"rubric_id": "v", "label": "B"})])
    with pytest.raises(InputError, match="verdicts of several judges: small, large"):
        read_recorded([write(ONE | {"model": "small"}, ONE | {"model": "large", "row_id": "p2"})])


def test_what_is_missing_is_named(write: Write) -> None:
    with pytest.raises(InputError, match="no verdict among the columns"):
        read_recorded([write({"row_id": "p1", "rubric_id": "seed"})])
    with pytest.raises(InputError, match="1 rows say no row_key"):
        read_recorded([write({"rubric_id": "seed", "verdict": "A"})])
    with pytest.raises(InputError, match=r"run\.jsonl:2: no JSON"):
        path = write(ONE)
        path.write_text(path.read_text() + "{\n")
        read_recorded([path])
    pairs = pa.table({"dataset": ["run"], "row_key": ["other"]})
    with pytest.raises(InputError, match="1 verdicts are about pairs that were not given, the first about p1"):
        read_recorded([write(ONE)], pairs=pairs)


def test_parquet_csv_and_jsonl_say_the_same(write: Write, tmp_path: Path) -> None:
    rows = [{**ONE, "row_id": str(i), "verdict": "ABC"[i % 3], "order": i % 2} for i in range(9)]
    path = write(*rows)
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, tmp_path / "run.parquet")
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    (tmp_path / "run.csv").write_text("\n".join(lines) + "\n")
    assert verdicts(path) == verdicts(tmp_path / "run.parquet") == verdicts(tmp_path / "run.csv")
