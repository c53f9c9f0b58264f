"""CSV and TSV: records over several lines, quotes, and what is no CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.sources import Bytes, read_file

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"


@pytest.mark.parametrize(
    ("raw", "rows", "lines"),
    [
        (b"a,b\n1,2\n3,4\n", [("1", "2"), ("3", "4")], [2, 3]),
        (b"a,b\r\n1,2\r\n3,4", [("1", "2"), ("3", "4")], [2, 3]),
        (b'a,b\n"x\ny\n\nz",1\n\n\n"p",2\n', [("x\ny\n\nz", "1"), ("p", "2")], [2, 8]),
        (b'a,b\r\n"x\r\ny",1\r\n2,3\r\n', [("x\r\ny", "1"), ("2", "3")], [2, 4]),
        (b'\xef\xbb\xbf"a",b\n1,2\n', [("1", "2")], [2]),
        (b"\n\na,b\n\n1,2\n", [("1", "2")], [5]),
        (b'a,b\n"say ""hi""",\n,"a,b"\n', [('say "hi"', ""), ("", "a,b")], [2, 3]),
        (b'a,b\n1,"2\n', None, None),
        ('a,b\né,日本 "\U0001f600"\n'.encode(), [("é", '日本 "\U0001f600"')], [2]),
        (b"a,b\n007,1e5\nnull,NaN\n", [("007", "1e5"), ("null", "NaN")], [2, 3]),
    ],
)
def test_a_record_has_the_line_on_which_it_begins(
    read: Any, refused: Any, raw: bytes, rows: list[tuple[str, str]] | None, lines: list[int] | None
) -> None:
    if rows is None:
        assert refused(raw, "x.csv") == "x.csv:2: no CSV: a quote is left open up to the end of the file"
    else:
        assert read(raw, "x.csv") == ([{"a": a, "b": b} for a, b in rows], lines)


@pytest.mark.parametrize(("name", "kind"), [("x.tsv", None), ("x.txt", "tsv"), ("x.csv", "tsv"), ("x.tsv.gz", None)])
def test_the_format_not_the_name_says_what_parts_cells(read: Any, name: str, kind: str | None) -> None:
    import gzip

    raw = b"a\tb,c\n1,5\t2\n"
    assert read(gzip.compress(raw) if name.endswith("gz") else raw, name, kind)[0] == [{"a": "1,5", "b,c": "2"}]
    assert read(b"a\tb,c\n1\t5,2\n", "x.tsv", "csv")[0] == [{"a\tb": "1\t5", "c": "2"}]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a,b\n1,2\n\n1,2,3\n", "x.csv:4: 3 cells, the header has 2"),
        (b'a,b\n"x\ny",2\n1\n', "x.csv:4: 1 cells, the header has 2"),
        (b"a,,b\n1,2,3\n", "x.csv:1: a column of the header has no name"),
        (b"\n\na,b,a\n1,2,3\n", "x.csv:3: a: a column name that stands twice"),
        (b"a,row_id\n1,2\n", "x.csv:1: row_id: a column name that provkit keeps for itself"),
        (b'a,b\n1,2\n"x"y,2\n', "x.csv:3: no CSV: "),
        (b"a,b\r1,2\r", "x.csv:1: no CSV: "),
        (
            ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n1\n",
            "x.csv:1: a row with 10,000 columns; at most 1,000",
        ),
    ],
)
def test_what_is_no_csv(refused: Any, raw: bytes, said: str) -> None:
    assert refused(raw, "x.csv").startswith(said)


def test_a_header_of_millions_of_cells_is_refused_at_once(refused: Any) -> None:
    assert "a row with 2,000,000 columns" in refused(b"a," * 1_999_999 + b"a\n", "x.csv")


CELLS = st.text('ab,"\n\r\t é', max_size=6)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_the_standard_library_writes_is_read_back(
    tmp_path_factory: Any, rows: list[tuple[str, str]], end: str
) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator=end, quoting=csv.QUOTE_ALL)
    starts = [sink.getvalue().count("\n") + 1 for row in [("a", "b"), *rows] if (writer.writerow(row) or True) is None]
    assert not starts
    path = tmp_path_factory.getbasetemp() / "property.csv"
    path.write_bytes(sink.getvalue().encode())
    chunks = list(read_file(Bytes(path, "x"), "csv"))
    assert [tuple(row.values()) for chunk in chunks for row in chunk.batch.to_pylist()] == rows
    at, expected = 2, []
    for row in rows:
        expected.append(at)
        at += 1 + sum(cell.count("\n") for cell in row)
    assert [line for chunk in chunks if chunk.lines is not None for line in chunk.lines.tolist()] == expected


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not part of the project")
def test_a_released_csv_with_cells_of_several_lines(read: Any) -> None:
    path = SAMPLES / "evil_numbers_regenerated.csv"
    rows, lines = read(path)
    with path.open(newline="") as file:
        assert rows == list(csv.DictReader(file))
    text = path.read_text().split("\n")
    for row, line in zip(rows, lines or [], strict=True):
        first = next(iter(row.values())).split("\n")[0].replace('"', '""')
        assert text[line - 1].lstrip('"').startswith(first)
    assert max(lines or []) > len(rows) * 2
