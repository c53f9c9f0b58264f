"""Rows gathered into batches: one schema throughout, nothing changed or lost without a word."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa
import pytest

from provkit.errors import InputError
from provkit.sources.batches import MAX_COLUMNS, MAX_DEPTH, Batcher, arrow_chunk, plain_type
from provkit.table import BATCH


def jsonl(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_row_of_another_schema_is_named_by_line_and_fields(refused: Any) -> None:
    said = refused('{"a":1,"b":2}\n\n{"a":1,"c":3,"d":4}\n')
    assert said.startswith("rows.jsonl:3: a row of another schema: without b and with c, d\n")
    assert (
        "the first row has a, b; `fill: true` beside the file reads missing fields as null (--set SOURCE.fill=true)"
        in said
    )
    assert refused('{"a":1}\n{}\n').startswith("rows.jsonl:2: a row of another schema: without a\n")


@pytest.mark.parametrize("at", [1, BATCH, BATCH + 5])
def test_another_schema_is_found_wherever_it_stands(refused: Any, at: int) -> None:
    rows: list[dict[str, int]] = [{"a": i} for i in range(BATCH + 10)]
    rows[at] = {"b": 1}
    assert refused(jsonl(rows)).startswith(f"rows.jsonl:{at + 1}: a row of another schema")
    assert refused(json.dumps(rows), "rows.json").startswith(f"rows.json: row {at}: a row of another schema")


def test_the_order_of_keys_is_no_schema(read: Any) -> None:
    assert read('{"a":1,"b":2}\n{"b":3,"a":4}\n')[0] == [{"a": 1, "b": 2}, {"a": 4, "b": 3}]


@pytest.mark.parametrize("first", [1, BATCH + 7])
def test_fill_reads_missing_fields_as_null(read: Any, first: int) -> None:
    rows: list[dict[str, Any]] = [{"a": i} for i in range(first)] + [{"b": "x", "a": 1}, {}, {"c": True}]
    found = read(jsonl(rows), fill=True)[0]
    assert len(found) == len(rows)
    for row, expected in zip(found, rows, strict=True):
        assert {key: value for key, value in row.items() if value is not None} == expected
    assert set(found[-1]) == {"a", "b", "c"}


@pytest.mark.parametrize("at", [1, BATCH - 1, BATCH, BATCH + 1, BATCH + 400])
@pytest.mark.parametrize(
    ("before", "wrong", "said"),
    [
        (1, "x", "where int was before|string where int64 was before"),
        ("x", 1, "int where str was before|int64 where string was before"),
        (True, 1, "int where bool was before|int64 where bool was before"),
        (1, True, "bool where int was before|bool where int64 was before"),
        ([1], {"x": 1}, "where list was before|where list<item: int64> was before"),
        ({"x": 1}, {"x": "y"}, "str beside int64 in one field|struct<x: string> where struct<x: int64> was before"),
        ([{"x": 1}], [{"x": 1}, {"x": [1]}], "beside int64 in one field|cannot mix|where list<"),
        (["x"], "x", "str where list was before|string where list<item: string> was before"),
    ],
)
def test_a_column_that_changes_its_type_is_named_by_line(
    refused: Any, at: int, before: Any, wrong: Any, said: str
) -> None:
    rows = [{"k": i, "v": before} for i in range(BATCH + 500)]
    rows[at]["v"] = wrong
    message = refused(jsonl(rows))
    assert message.startswith(f"rows.jsonl:{at + 1}: v: ")
    assert any(one in message for one in said.split("|"))
    assert message.endswith("\n  a column holds one type throughout")


def test_a_type_that_changes_deep_inside_is_named_by_the_right_line(refused: Any) -> None:
    """Rows without the field come first in the second batch; the wrong one stands far behind."""
    rows: list[dict[str, Any]] = [{"m": {"a": 1, "b": i}} for i in range(BATCH)]
    rows += [{"m": {"a": 1}} for _ in range(600)] + [{"m": None}, {"m": {"a": 1, "b": "x"}}, {"m": {"b": 1}}]
    assert refused(jsonl(rows)).startswith(f"rows.jsonl:{BATCH + 602}: m: struct<a: int64, b: string> where struct<")


@pytest.mark.parametrize("at", [1, BATCH, BATCH + 3])
def test_integers_become_floats_beside_floats(read: Any, at: int) -> None:
    rows: list[dict[str, Any]] = [{"v": i} for i in range(BATCH + 5)]
    rows[at]["v"] = 0.5
    assert [row["v"] for row in read(jsonl(rows))[0]] == [row["v"] for row in rows]


def test_nested_objects_may_gain_keys(read: Any) -> None:
    rows: list[dict[str, Any]] = [{"m": [{"role": "user"}]} for _ in range(BATCH + 10)]
    rows[3] = {"m": [{"role": "user", "name": "x"}, {}]}
    rows[BATCH + 2] = {"m": [{"extra": {"deep": [1, {"y": None}][:1]}}]}
    found = read(jsonl(rows))[0]
    assert [strip(row) for row in found] == [strip(row) for row in rows]


def strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: strip(one) for key, one in value.items() if one is not None}
    return [strip(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30, -(10**30), 10**400])
@pytest.mark.parametrize("beside", [[], [1], [0.5], [None, 1e300]])
@pytest.mark.parametrize("wrap", ["{}", "[{}]", '{{"x":[{}]}}'])
def test_an_integer_beyond_64_bits_is_refused_not_rounded(
    refused: Any, number: int, beside: list[Any], wrap: str
) -> None:
    lines = [f'{{"v":{wrap.format(json.dumps(one))}}}' for one in [*beside, number, 1]]
    said = refused("\n".join(lines))
    if 10**400 in (number, -number):
        assert said.startswith(f"rows.jsonl:{len(beside) + 1}: no JSON: number is infinity")
        return
    assert said.startswith(f"rows.jsonl:{len(beside) + 1}: v: ")
    assert "integer" in said and "write it as text" in said


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1])
def test_an_integer_of_64_bits_is_kept_to_the_last_digit(read: Any, number: int) -> None:
    assert read(jsonl([{"v": [number]}, {"v": [1]}]))[0] == [{"v": [number]}, {"v": [1]}]


def test_an_integer_that_a_float_beside_it_would_round_is_refused(refused: Any) -> None:
    assert refused(jsonl([{"v": 2**53 + 1}, {"v": 1}, {"v": 0.5}])).startswith("rows.jsonl:3: v: ")


def test_floats_as_large_as_huge_integers_are_kept(read: Any) -> None:
    assert read('{"v":1e30}\n{"v":-1.5E300}\n{"v":18446744073709551616.0}\n')[0] == [
        {"v": 1e30},
        {"v": -1.5e300},
        {"v": 2.0**64},
    ]


@pytest.mark.parametrize("wrap", ["{}", "[{}]", '{{"x":[{}]}}'])
def test_true_among_floats_is_refused_not_made_a_number(refused: Any, wrap: str) -> None:
    lines = "\n".join(f'{{"v":{wrap.format(one)}}}' for one in ("0.5", "null", "1", "true", "0.5"))
    assert refused(lines).startswith("rows.jsonl:4: v: true or false among ")


def test_true_and_floats_in_different_fields_are_no_mixture(read: Any) -> None:
    rows = [{"v": [{"a": 0.5, "b": True}]}, {"v": [{"a": 1.5, "b": False}]}]
    assert read(jsonl(rows))[0] == rows


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("2020-01-01", "2020-01-01 05:00:00", "a time without a zone among date32[day]"),
        ("2020-01-01 05:00:00", "2020-01-01", "date where datetime was before"),
        ("2020-01-01 05:00:00", "2020-01-01 05:00:00Z", "a time with a zone among timestamp[us"),
        ("2020-01-01", "soon", "str where date was before"),
        ("1.5", ".nan", "NaN or an infinity, which JSON does not have"),
        ("1.5", "-.inf", "NaN or an infinity, which JSON does not have"),
        ("1", "99999999999999999999", "an integer beyond 63 bits and a sign"),
    ],
)
def test_what_yaml_may_mix_is_refused(refused: Any, first: str, second: str, said: str) -> None:
    assert refused(f"- v: {first}\n- v: {second}\n", "x.yaml").startswith(f"x.yaml:2: v: {said}")


def test_too_many_columns(refused: Any, read: Any) -> None:
    wide = json.dumps({f"c{i}": i for i in range(10_000)})
    assert refused(wide).startswith(
        "rows.jsonl:1: a row with 10,000 columns; at most 1,000 are read\n  put the measurements"
    )
    assert refused('{"a":1}\n' + wide, fill=True).startswith("rows.jsonl:2: a row with 10,001 columns")
    assert refused('{"a":1}\n' + wide).startswith(
        "rows.jsonl:2: a row of another schema: without a and with c0, c1, c2, c3, c4\n"
    )
    assert len(read(json.dumps({f"c{i}": i for i in range(MAX_COLUMNS)}))[0][0]) == MAX_COLUMNS


def test_objects_whose_keys_are_data_are_refused_before_they_fill_memory(refused: Any) -> None:
    """A batch of 8,192 such rows would be a struct of 81,920 fields, 671 million cells."""
    text = jsonl([{"v": {f"token{i}-{j}": j for j in range(10)}} for i in range(1000)])
    said = refused(text)
    assert said.startswith("rows.jsonl: v: objects with more than 1,000 different keys in all\n")
    assert "write a list of objects with a key and a value" in said


def test_keys_that_come_a_few_a_batch_are_counted_too(refused: Any) -> None:
    rows = [{"v": {f"k{i // BATCH}-{i % 400}": 1}} for i in range(3 * BATCH)]
    assert "more than 1,000 different keys" in refused(jsonl(rows))


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 300, 900])
def test_deep_nesting(read: Any, refused: Any, depth: int) -> None:
    text = '{"v":' + "[" * depth + "1" + "]" * depth + "}"
    if depth <= MAX_DEPTH:
        assert json.dumps(read(text)[0][0], separators=(",", ":")) == text
    else:
        assert refused(text) == f"rows.jsonl: v: nested more than {MAX_DEPTH} deep\n  write it as text"


def test_nesting_beyond_what_a_parser_follows(refused: Any) -> None:
    assert refused('{"v":' + "[" * 100_000).startswith("rows.jsonl:1: no JSON: ")
    assert refused('{"v":' + '{"a":' * 1010 + "1" + "}" * 1011).startswith("rows.jsonl: v: nested more than")
    assert refused('{"v":' + "[" * 1010 + "]" * 1010 + ',"v":1}').startswith("rows.jsonl:1: …: a key that")


@pytest.mark.parametrize("name", ["row_id", "pair_id", "canary", "_provkit_input"])
@pytest.mark.parametrize("kind", ["rows.jsonl", "rows.json", "rows.csv", "rows.yaml"])
def test_reserved_columns_are_refused(refused: Any, name: str, kind: str) -> None:
    text = {"rows.csv": f"{name}\n1\n"}.get(kind, f'[{{"{name}":1}}]' if kind == "rows.json" else f'{{"{name}":1}}\n')
    line = "" if kind == "rows.json" else ":1"
    said = refused(text.replace(":1}", ": 1}"), kind)
    assert said.startswith(
        f"{kind}{line}: {name}: a column name that provkit keeps for itself\n  rename it; a build is read"
    )


def test_a_reserved_column_that_comes_late(refused: Any) -> None:
    assert refused('{"a":1}\n{"a":1,"row_id":2}\n', fill=True).startswith("rows.jsonl:2: row_id: a column name")


def test_a_row_without_columns(refused: Any) -> None:
    assert refused("{}\n{}\n") == "rows.jsonl:1: a row without any column"


def test_batches_are_bounded_by_bytes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provkit.sources.batches.MAX_BYTES", 1000)
    batcher = Batcher("x", False)
    sizes = [len(chunk.batch) for i in range(100) if (chunk := batcher.add({"a": i}, i, 300))]
    assert sizes == [4] * 25


def test_escape_codes_in_data_do_not_reach_the_message(refused: Any) -> None:
    for text in (
        '{"\\u001b[2J":1}\n{"\\u001b[3J":1}',
        '{"a":1}\n{"a":"\\u001b[2J"}',
        '{"\\u001b[2J":1,"\\u001b[2J":2}',
    ):
        assert "\x1b" not in refused(text)


def test_any_mixture_is_kept_whole_or_refused(read: Any) -> None:
    """Random rows: what is read is what was written, but for nulls; what Arrow cannot hold is an InputError."""
    draw = random.Random(7)

    def value(depth: int) -> Any:
        kind = draw.randrange(9 if depth < 3 else 6)
        if kind < 6:
            return [None, draw.randrange(-5, 5), draw.random(), draw.choice([True, False]), "t", 2**60 + 1][kind]
        return (
            [value(depth + 1) for _ in range(draw.randrange(3))] if kind < 8 else {draw.choice("xyz"): value(depth + 1)}
        )

    kept = 0
    for _ in range(200):
        rows = [{"v": value(0)} for _ in range(draw.randrange(1, 4))]
        try:
            found = read(jsonl(rows))[0]
        except InputError:
            continue
        kept += 1
        assert typed(strip(found)) == typed(strip(rows))
    assert kept > 50


def typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    return (isinstance(value, bool), value)


# Arrow batches of other programs


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (pa.string(), pa.string()),
        (pa.large_string(), pa.string()),
        (pa.string_view(), pa.string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.string()),
        (pa.large_list(pa.large_string()), pa.list_(pa.string())),
        (pa.list_(pa.int16(), 3), pa.list_(pa.int16())),
        (pa.struct([("a", pa.dictionary(pa.int32(), pa.large_string()))]), pa.struct([("a", pa.string())])),
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC")),
        (pa.date32(), pa.date32()),
        (pa.uint64(), pa.uint64()),
        (pa.float32(), pa.float32()),
        (pa.timestamp("ns"), None),
        (pa.binary(), None),
        (pa.decimal128(10, 2), None),
        (pa.time64("us"), None),
        (pa.duration("s"), None),
        (pa.float16(), None),
        (pa.map_(pa.string(), pa.int64()), None),
        (pa.struct([("a", pa.int64()), ("a", pa.int64())]), None),
        (pa.list_(pa.binary()), None),
    ],
)
def test_the_type_in_which_a_column_is_kept(kind: pa.DataType, kept: pa.DataType | None) -> None:
    assert plain_type(kind) == kept
    batch = pa.record_batch([pa.nulls(2, kind)], names=["v"])
    if kept is None:
        with pytest.raises(InputError, match="x: v: a column of type .*\n  cast it to"):
            arrow_chunk(batch, "x")
    else:
        assert arrow_chunk(batch, "x").batch.schema.field("v").type == kept


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (pa.array([1.0, None, float("nan")]), "x: v: row 12: NaN or an infinity"),
        (pa.array([[1.0], [2.0, float("-inf")]]), "x: v: row 11: NaN or an infinity"),
        (pa.array([{"a": {"b": 1.0}}, None, {"a": {"b": float("inf")}}]), "x: v: row 12: NaN or an infinity"),
        (pa.array([0, 10**7], pa.int32()).cast(pa.date32()), "x: v: row 11: a date or time zone that no calendar has"),
        (pa.array([2**62], pa.int64()).cast(pa.timestamp("us")), "x: v: row 10: a date or time zone that no calendar has"),
        (pa.array([0]).cast(pa.timestamp("s", "Nowhere/Never")), "x: v: row 10: a date or time zone"),
        (pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]),
         "x: v: text that is not UTF-8"),
        (pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\xff\xff\0\0\1\0\0\0"), pa.py_buffer(b"a")]),
         "x: v: damaged or truncated"),
    ],
)  # fmt: skip
def test_values_that_json_does_not_have(array: pa.Array, said: str) -> None:
    with pytest.raises(InputError) as error:
        arrow_chunk(pa.record_batch([array], names=["v"]), "x", 10)
    assert str(error.value).startswith(said)


def test_two_columns_of_one_name_are_refused() -> None:
    batch = pa.record_batch([pa.array([1]), pa.array([2])], names=["v", "v"])
    with pytest.raises(InputError, match="x: v: a column name that stands twice"):
        arrow_chunk(batch, "x")
