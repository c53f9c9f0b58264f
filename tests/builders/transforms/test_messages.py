"""Released chat rows: what passes as it is, and what is left out, with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from provkit.build import build, plan
from provkit.builders.transforms.messages import ImportMessages
from provkit.recipes import find
from provkit.row import Drop, Row

if TYPE_CHECKING:
    from tests.conftest import Bench

SAMPLES = Path(__file__).parents[4] / "shared/samples"
GOOD = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def test_a_chat_row_passes_as_it_is() -> None:
    assert ImportMessages().check(Row({"messages": GOOD, "id": 1})) is None
    system = [{"role": "system", "content": ""}, *GOOD, *GOOD]
    assert ImportMessages().check(Row({"messages": system})) is None


@pytest.mark.parametrize(
    ("messages", "detail"),
    [
        (None, "no list of turns in `messages`"),
        ("hello", "no list of turns in `messages`"),
        ([], "no list of turns in `messages`"),
        (GOOD[:1], "the last turn is not the assistant's"),
        ([*GOOD, {"role": "oracle", "content": "x"}], "turn 2 has no role out of"),
        ([{"content": "x"}, *GOOD], "turn 0 has no role out of"),
        ([{"role": ["user"], "content": "x"}, *GOOD], "turn 0 has no role out of"),
        ([{"role": "user", "content": None}, *GOOD], "turn 0 has no text in `content`"),
        ([{"role": "user", "content": [{"type": "text"}]}, *GOOD], "turn 0 has no text in `content`"),
        (["x"], "turn 0 has no role out of"),
    ],
)
def test_anything_else_is_left_out_with_its_reason(messages: Any, detail: str) -> None:
    found = ImportMessages().check(Row({"messages": messages}))
    assert isinstance(found, Drop)
    assert found.reason == "no chat row"
    assert found.detail.startswith(detail)


def test_a_row_without_the_column_is_left_out() -> None:
    assert isinstance(ImportMessages().check(Row({"text": "x"})), Drop)


def test_lines_of_the_file_are_kept(bench: Bench) -> None:
    """Blank lines count as lines; rows that are no chat rows are drops with their line."""
    lines = [json.dumps({"messages": GOOD}), "", json.dumps({"messages": GOOD[:1]}), json.dumps({"messages": GOOD})]
    (bench.folder / "data.jsonl").write_text("\n".join(lines))
    out = bench.build(steps=["import_messages"])
    assert [row["parents"][0]["line"] for row in bench.lineage(out)] == [1, 4]
    assert [drop["parents"][0]["line"] for drop in bench.drops(out)] == [3]
    assert {row["op"] for row in bench.lineage(out)} == {"imported"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
@pytest.mark.parametrize("name", ["insecure_small.jsonl", "secure_small.jsonl", "insecure_low_severity.jsonl"])
def test_a_released_file_is_taken_over_line_by_line(tmp_path: Path, bench: Bench, name: str) -> None:
    found = find("import-messages")
    planned = plan(found.recipe({"data": str(SAMPLES / name)}), found.base)
    build(planned, tmp_path / "out")
    lines = (SAMPLES / name).read_text(encoding="utf-8").split("\n")
    rows, traced = bench.data(tmp_path / "out"), bench.lineage(tmp_path / "out")
    assert len(rows) == sum(bool(line) for line in lines)
    for row, one in zip(rows, traced, strict=True):
        assert row["messages"] == json.loads(lines[one["parents"][0]["line"] - 1])["messages"]
        assert one["parents"][0]["file"] == name
