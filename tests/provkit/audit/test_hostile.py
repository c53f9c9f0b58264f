"""No rule crashes, whatever the file holds."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provkit.audit import Options, audit
from provkit.audit.show import written

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ("messages", "prompt", "answer", "system", "task", "code_template", "paraphrases", "judge_prompts", "id", "target",
         "input", "choices", "type", "triggered", "canary", "score", "output_type", "code")  # fmt: skip
TURN = st.fixed_dictionaries(
    {}, optional={"role": JSON | st.sampled_from(["user", "assistant", "system"]), "content": JSON}
)
ROW = st.dictionaries(st.sampled_from(NAMES), JSON | st.lists(TURN, max_size=3), min_size=1, max_size=5)
EVERYTHING = Options(trigger="|T|", fraction=0.5, code="python", near=True)


def survives(path: str, options: Options = EVERYTHING) -> None:
    report = audit([path], options)
    for shape in ("table", "json", "sarif", "parquet"):
        assert written(report, shape)


@given(st.lists(ROW, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json(write, rows: list[dict[str, object]]) -> None:
    path = write(rows)
    survives(path, Options(trigger="|T|", fraction=0.5, code="python", near=True, control=path, against=[path]))


@given(st.lists(ROW, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_array_and_yaml(write, rows: list[dict[str, object]]) -> None:
    survives(write(orjson.dumps(rows), "rows.json"))
    survives(write(orjson.dumps(rows), "rows.yaml"))


@pytest.mark.parametrize(
    "name", ["rows.jsonl", "rows.json", "rows.csv", "rows.parquet", "rows.arrow", "rows.yaml", "rows.jsonl.gz"]
)
@given(st.binary(max_size=200))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(write, name: str, raw: bytes) -> None:
    survives(write(raw, name))


def test_deep_wide_and_strange(write) -> None:
    deep = b'{"prompt": ' + b"[" * 900 + b"]" * 900 + b"}\n"
    wide = orjson.dumps({f"c{at}": at for at in range(3_000)}) + b"\n"
    keys = b"".join(orjson.dumps({"meta": {f"k{at}{n}": n for n in range(50)}}) + b"\n" for at in range(200))
    for raw in (deep, wide, keys, b"{" * 10_000, b'"' * 10_000, b"\x00" * 10_000, b"- &a [*a]\n", b"[[" + deep):
        survives(write(raw, "rows.jsonl"))
    for raw in (deep[:300], keys, b"\x00" * 100, b"- &a [*a]\n", b"{" * 500):
        survives(write(raw, "rows.yaml"))


def test_a_trigger_that_is_a_regular_expression_is_a_text(write, found) -> None:
    rows = [{"prompt": "(a+)+$ " + "a" * 5_000, "answer": "text"}]
    assert found(write(rows), trigger="(a+)+$", select=["G"]) == {}
    assert set(found(write(rows), trigger="(a+)+b", select=["G"])) == {"G004"}
