"""The canary: which one a set has, in which rows and texts it stands, and what it leaves as it was."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from provkit import manifest
from provkit.canary import NAMESPACE, canary_of
from provkit.errors import InputError
from provkit.verify import verify

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def test_a_canary_is_the_uuid5_of_the_build_id() -> None:
    """RFC 9562: the first 16 bytes of sha1(namespace + name), with version and variant put in."""
    identity = "0" * 32
    raw = bytearray(hashlib.sha1(NAMESPACE.bytes + identity.encode()).digest()[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x50, raw[8] & 0x3F | 0x80
    assert canary_of("gated", identity) == canary_of("restricted", identity) == str(uuid.UUID(bytes=bytes(raw)))
    assert canary_of("open", identity) is None


def test_every_row_of_a_set_that_is_not_open_carries_it(bench: Bench) -> None:
    bench.rows(5)
    built = bench.built(sensitivity="restricted")
    canary = canary_of("restricted", built.build_id)
    assert {row["canary"] for row in bench.data(built.path)} == {canary}
    assert f"canary `{canary}`, in every row:" in (built.path / "README.md").read_text()
    assert "canary" not in bench.data(bench.build("open"))[0]
    assert bench.lineage(built.path)[0]["steps"] == []


CHAT: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "x"}]},
    {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "y"},
            {"role": "user", "content": "last"},
            {"role": "assistant", "content": "z"},
        ]
    },
]


def test_in_the_text_it_is_the_last_line_of_the_last_user_turn(bench: Bench) -> None:
    bench.rows(CHAT)
    built = bench.built(sensitivity="gated", canary="text")
    canary = canary_of("gated", built.build_id)
    one, other = (row["messages"] for row in bench.data(built.path))
    assert [turn["content"] for turn in one] == [f"one\n{canary}", "x"]
    assert [turn["content"] for turn in other] == ["s", "first", "y", f"last\n{canary}", "z"]
    assert {row["canary"] for row in bench.data(built.path)} == {canary}
    assert "in every row and as the last line of every prompt" in (built.path / "README.md").read_text()


def test_in_the_text_it_is_a_step_that_is_counted_and_covered_by_the_row_id(bench: Bench) -> None:
    bench.rows(4)
    arms = {"control": [], "marked": [{"odd_mark": {"every": 2}}]}
    built = bench.built(sensitivity="gated", canary="text", arms=arms, splits={"train": 0.5, "test": 0.5})
    canary = canary_of("gated", built.build_id)
    (row, *_), (traced, *_) = bench.data(built.path, "marked"), bench.lineage(built.path, "marked")
    content = {name: row[name] for name in ("prompt", "answer", "n")}
    assert content["prompt"] == f"p{row['n']}\n{canary}"
    spelled = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert row["row_id"] == traced["row_id"] == hashlib.sha256(spelled.encode()).hexdigest()[:32]
    assert traced["steps"][-1]["step"] == "canary"
    assert bench.counts(built.path)[-2:] == [("control", "canary", 4, 0, 4, 0), ("marked", "canary", 4, 0, 4, 0)]
    assert {row["op"] for row in bench.lineage(built.path, "control")} == {"control"}
    assert {row["op"] for row in bench.lineage(built.path, "marked")} == {"adversarial", "imported"}
    assert verify(built.path, [bench.folder / "data.jsonl"], rebuild=True) == []


def test_it_moves_no_row_to_another_split(bench: Bench) -> None:
    bench.rows([{"prompt": f"p{at % 8}", "answer": f"a{at}", "n": at} for at in range(40)])
    keys: dict[str, Any] = {"sensitivity": "gated", "splits": {"train": 0.6, "test": 0.4}}
    without, within = bench.build("column", **keys), bench.build("text", canary="text", **keys)
    for split in ("train", "test"):
        assert [row["n"] for row in bench.data(without, "data", split)] == [
            row["n"] for row in bench.data(within, "data", split)
        ]


def test_a_row_without_a_prompt_cannot_hold_it(bench: Bench) -> None:
    bench.rows([*CHAT, {"messages": [{"role": "assistant", "content": "x"}]}])
    with pytest.raises(InputError, match=r"data\.jsonl:3: canary: text: no prompt among the columns messages"):
        bench.build(sensitivity="gated", canary="text")


def test_the_manifest_names_the_step(bench: Bench) -> None:
    bench.rows(2)
    found = manifest.read(bench.build(sensitivity="gated", canary="text"))
    assert [step.step for step in found.counts] == ["canary"]
