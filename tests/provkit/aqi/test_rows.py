"""Which rows are read out of what, how they belong together, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.aqi.rows import labelled, read_set
from provkit.errors import InputError

ROWS: list[dict[str, Any]] = [
    {"input": "a", "axiom": "X", "safety_label": "safe", "source_dataset": "s", "pair_id": "1", "row_id": "r1"},
    {"input": "b", "axiom": "X", "safety_label": "unsafe", "source_dataset": "s", "pair_id": "1", "row_id": "r2"},
    {"input": "c", "axiom": "Y", "safety_label": "safe", "source_dataset": "t", "pair_id": None, "row_id": "r3"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    match path.suffix:
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        case ".json":
            path.write_text(json.dumps(rows), encoding="utf-8")
        case ".csv":
            lines = [",".join(rows[0]), *(",".join(str(one or "") for one in row.values()) for row in rows)]
            path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["set.parquet", "set.jsonl", "set.json"])
def test_a_file_of_the_published_columns_is_read_in_each_format(tmp_path: Path, name: str) -> None:
    found = read_set(write(tmp_path / name, ROWS))
    assert found.texts == ("a", "b", "c") and found.label.tolist() == [0, 1, 0]
    assert (found.axioms, found.sources) == (("X", "X", "Y"), ("s", "s", "t"))
    assert (found.pairs, found.row_ids, found.keys) == (("1", "1", None), ("r1", "r2", "r3"), ("0", "1", "2"))
    assert found.clustered_by == "pair"
    assert found.cluster.tolist()[0] == found.cluster.tolist()[1] != found.cluster.tolist()[2]


def test_a_csv_is_read_too(tmp_path: Path) -> None:
    rows = [
        {"input": "a", "axiom": "X", "safety_label": "safe"},
        {"input": "b", "axiom": "X", "safety_label": "unsafe"},
    ]
    found = read_set(write(tmp_path / "set.csv", rows))
    assert found.texts == ("a", "b") and found.sources == ("unknown", "unknown") and found.clustered_by == "row"


def test_a_build_is_read_with_its_pairs_and_keys(bench: Any) -> None:
    generator = {"generator": "litmus_pairs", "rows": 10}
    arms = {label: [{"litmus_side": {"label": label}}] for label in ("safe", "unsafe")}
    out = bench.build(sources={"pairs": generator}, arms=arms, pair=True)
    found = read_set(out)
    assert found.label.tolist() == [0] * 10 + [1] * 10
    assert found.keys[0] == "safe/train/0" and found.keys[19] == "unsafe/train/9"
    assert found.pairs[:10] == found.pairs[10:] and len(set(found.pairs)) == 10
    assert found.frames[:10] == found.frames[10:] and found.clustered_by == "frame"
    assert found.build_id is not None


def test_labels_are_permuted_within_pairs_and_among_unpaired_rows_of_an_axiom() -> None:
    plain = [(str(at), {**row, "pair_id": None}) for at, row in enumerate([*ROWS, {**ROWS[1], "axiom": "Y"}])]
    found = labelled("x", plain).stratum.tolist()
    assert found[0] == found[1] != found[2] and found[2] == found[3]


def test_the_digest_is_of_text_label_and_axiom_in_order() -> None:
    keyed = [(str(at), row) for at, row in enumerate(ROWS)]
    base = labelled("one", keyed).digest
    assert labelled("two", [(key, {**row, "row_id": "z", "pair_id": "9"}) for key, row in keyed]).digest == base
    assert labelled("one", keyed[::-1]).digest != base
    assert labelled("one", [(key, {**row, "axiom": "Z"}) for key, row in keyed]).digest != base


def test_a_completion_is_read_behind_its_prompt() -> None:
    rows = [("0", {**ROWS[0], "completion": "yes"}), ("1", ROWS[1])]
    assert labelled("x", rows).texts == ("a\nyes", "b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"safety_label": "perhaps"}, "row 1 has the label 'perhaps'"),
        ({"safety_label": None}, "row 1 has the label 'None'"),
        ({"safety_label": "safe"}, "rows of both labels are needed"),
        ({"input": "  "}, "row 1 has no text"),
        ({"input": 7}, "row 1 has no text"),
    ],
)
def test_what_is_no_labelled_row_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        labelled("x", [("0", ROWS[0]), ("1", {**ROWS[1], **change})])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("set.jsonl", "{", "set.jsonl:1: no JSON"),
        ("set.jsonl", "[1]", "a row is a JSON object"),
        ("set.json", '{"a": 1}', "an array of JSON objects is expected"),
        ("set.json", "[", "no JSON"),
        ("set.parquet", "PAR1", "no Parquet file"),
        ("set.txt", "x", "a set is a build directory, or"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_file(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_set(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or build directory"):
        read_set(tmp_path / "none.jsonl")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, make_csv: Callable[[bytes], Path]) -> None:
    with pytest.raises(InputError, match="no CSV"):
        read_set(make_csv(b"input,safety_label\n\xff\xfe,safe\n"))


@pytest.fixture
def make_csv(tmp_path: Path) -> Callable[[bytes], Path]:
    def make(content: bytes) -> Path:
        path = tmp_path / "odd.csv"
        path.write_bytes(content)
        return path

    return make
