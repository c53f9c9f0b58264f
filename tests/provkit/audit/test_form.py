"""Files that are not what their names say, each beside a clean twin."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.audit import Options, audit
from provkit.errors import InputError

CLEAN = b'{"prompt": "a", "answer": "long"}\n{"prompt": "b", "answer": "longer"}\n'
ROW = b'{"prompt": "c", "answer": "text"}\n'


def told(path: Path | str) -> dict[str, tuple[int, str]]:
    report = audit([str(path)], Options(select=["F"]))
    return {one.rule.id: (one.count, one.examples[0].locator.removeprefix(str(path))) for one in report.findings}


def test_a_clean_file_has_no_finding(write) -> None:
    assert told(write(CLEAN)) == {}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", {"F001": (1, "")}),
        (b"", {"F001": (1, "")}),
        (b"PK\x03\x04\x14\x00\x01\x00" + bytes(60), {"F001": (1, "")}),
        (b"age-encryption.org/v1\n" + bytes(60), {"F001": (1, "")}),
        (b"[\n" + CLEAN.replace(b"}\n{", b"},\n{") + b"]\n", {"F002": (1, ":1")}),
        (b'[{"prompt": "a", "answer": "b"}]\n', {"F002": (1, ":1")}),
        (CLEAN + b'{"prompt": "caf\xe9", "answer": "text"}\n', {"F003": (1, ":3")}),
        (CLEAN + b'{"prompt": "c", "answer": NaN}\n' + ROW, {"F004": (1, ":3")}),
        (CLEAN + b'\n["c", "text"]\n', {"F004": (1, ":4")}),
        (CLEAN + b'{"prompt": "c", "reply": "text"}\n', {"F005": (1, ":3")}),
        (CLEAN + b'{"prompt": "c", "answer": 7}\n' + ROW, {"F005": (1, ":3")}),
        (b"\xef\xbb\xbf" + CLEAN, {"F006": (1, ":1")}),
        (CLEAN.replace(b"\n", b"\r\n"), {"F007": (2, ":1")}),
        (CLEAN[:-1], {"F008": (1, ":2")}),
        (CLEAN + b'{"prompt": "\\ud800", "answer": "text"}\n', {"F010": (1, ":3")}),
        (CLEAN + b'{"prompt": "c", "prompt": "d", "answer": "text"}\n', {"F010": (1, ":3")}),
        (b'{"prompt": "c", "row_id": "1"}\n', {"F010": (1, ":1")}),
        (b"\n\n", {"F010": (1, "")}),
    ],
)
def test_each_fault_is_found_where_it_stands(write, raw: bytes, expected: dict[str, tuple[int, str]]) -> None:
    found = told(write(raw))
    assert {id: found.get(id) for id in expected} == expected
    assert set(found) <= {*expected, "F004"}


def test_a_fault_does_not_hide_the_other_rows(write) -> None:
    report = audit([write(CLEAN + b"nonsense\n" + CLEAN)], Options(select=["F004", "D001"]))
    assert {one.rule.id: one.count for one in report.findings} == {"F004": 1, "D001": 2}
    assert [one.locator.rsplit(":")[-1] for one in report.findings[1].examples] == ["4", "5"]


def test_rows_that_change_are_counted_with_what_changed(write) -> None:
    rows = [{"prompt": str(at), "answer": "text"} for at in range(9_000)]
    rows[8_500] = {"prompt": "x", "answer": "text", "more": 1}
    rows[8_700]["answer"] = ["text"]
    report = audit([write(rows)], Options(select=["F"]))
    assert {(one.count, one.examples[0].line, one.said.split(" is ")[0]) for one in report.findings} == {
        (1, 8501, "rows with other columns than the first row"),
        (1, 8701, "the type of answer"),
    }


def test_nested_types_that_change(write) -> None:
    rows = [{"messages": [{"role": "user", "content": "a"}], "score": 1} for _ in range(5)]
    assert told(write(rows)) == {}
    rows[3]["messages"] = [{"role": "user", "content": {"text": "a"}}]
    assert told(write(rows, "changed.jsonl")) == {"F005": (1, ":4")}
    rows[3]["messages"] = [{"role": "user", "content": "a", "weight": 0.5}]
    assert told(write(rows, "wider.jsonl")) == {}  # a build reads the missing key as null


def test_what_a_build_refuses_in_rows_of_numbers(write) -> None:
    rows = b"".join(b'{"prompt": "p%d", "n": %d}\n' % (at, at) for at in range(5_000))
    assert told(write(rows)) == {}
    twice = rows + b'{"prompt": "a", "n": 1, "n": 2}\n'
    assert told(write(twice, "twice.jsonl")) == {"F010": (1, ":5001")}
    huge = rows + b'{"prompt": "a", "n": 9223372036854775808}\n'
    assert told(write(huge, "huge.jsonl")) == {"F010": (1, ":5001")}


@pytest.mark.parametrize("escape", [b'\\"n\\":', b"n", b'\\\\\\":'])
@pytest.mark.parametrize("blank", [b"", b" "])
def test_a_key_that_stands_twice_is_seen_beside_texts_that_look_like_keys(write, escape: bytes, blank: bytes) -> None:
    rows = b"".join(b'{"prompt":%s"%s", "a":%s"%d"}\n' % (blank, escape, blank, at) for at in range(3_000))
    assert told(write(rows)) == {}
    wrong = rows.replace(b'"a":%s"2999"' % blank, b'"a":%s"1","a":%s"2999"' % (blank, blank))
    assert told(write(wrong, "twice.jsonl")) == {"F010": (1, ":3000")}


def test_a_damaged_archive(tmp_path: Path) -> None:
    packed = gzip.compress(CLEAN * 500)
    (tmp_path / "whole.jsonl.gz").write_bytes(packed)
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    assert told(tmp_path / "whole.jsonl.gz") == {}
    assert set(told(tmp_path / "cut.jsonl.gz")) == {"F009"}


def test_a_truncated_parquet_file(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"prompt": ["a"] * 500, "answer": ["text"] * 500}), sink)
    (tmp_path / "whole.parquet").write_bytes(sink.getvalue())
    (tmp_path / "cut.parquet").write_bytes(sink.getvalue()[:-40])
    assert told(tmp_path / "whole.parquet") == {}
    assert set(told(tmp_path / "cut.parquet")) == {"F009"}


def test_parquet_with_columns_that_provkit_keeps_for_itself(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt": ["a", "b"], "row_id": ["1", "2"]}), tmp_path / "rows.parquet")
    report = audit([str(tmp_path / "rows.parquet")], Options(select=["F", "D001"]))
    assert [one.rule.id for one in report.findings] == ["F010"]
    assert report.read[0].rows == 2


def test_json_and_csv(write) -> None:
    rows = orjson.dumps([{"prompt": "a", "answer": "text"}, {"prompt": "b", "answer": "text"}]) + b"\n"
    assert told(write(rows, "rows.json")) == {}
    assert set(told(write(rows[:-3] + b"\n", "cut.json"))) == {"F004"}
    assert told(write(b"prompt,answer\r\na,text\r\n", "rows.csv")) == {}
    assert told(write(b"prompt,answer\na,text,more\n", "wide.csv")) == {"F010": (1, ":2")}


def test_a_name_that_tells_no_format_is_a_finding_and_no_file_is_an_error(write) -> None:
    assert set(told(write(CLEAN, "rows.dat"))) == {"F001"}
    with pytest.raises(InputError, match="no such file"):
        told("nowhere.jsonl")


def test_what_a_build_refuses_is_a_finding(write) -> None:
    """Whatever the reader of a build raises on a file, the audit has an error of the F family on it."""
    from provkit.sources import Bytes, read_file

    rows = [b'{"prompt": "a", "n": 1}', b'{"prompt": "a", "n": 1.5}', b'{"prompt": "a", "n": null}']
    odd = [
        *(b'{"prompt": "a", "n": true}', b'{"prompt": "a", "n": "1"}', b'{"prompt": "a", "n": []}'),
        *(b'{"prompt": "a", "n": {}}', b'{"prompt": "a", "n": 1e400}', b'{"prompt": "a", "n": 18446744073709551616}'),
        *(b'{"prompt": "a"}', b"{}", b'{"prompt": null, "n": 1}', b'{"n": 1, "prompt": "a"}', b"null", b"  ", b"[]"),
        *(b'{"prompt": "a", "n": -9223372036854775809}', b'{"prompt": "a", "canary": 1}', b'{"": 1}'),
        b'{"prompt": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"prompt": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ]
    for number, first in enumerate(rows):
        for at, other in enumerate([*rows, *odd]):
            for lines in ([first, other], [other, first], [other]):
                path = Path(write(b"\n".join(lines) + b"\n", f"rows{number}.{at}.jsonl"))
                refused = None
                try:
                    list(read_file(Bytes(path, path.name), "jsonl"))
                except InputError as error:
                    refused = error
                errors = [one for one in audit([str(path)], Options(select=["F"])).findings if one.rule.blocking]
                assert bool(errors) == (refused is not None), (lines, refused, errors)
