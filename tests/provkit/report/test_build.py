"""The page of a build: its counts are those of the manifest, its samples the rows of the data, masked where they must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from provkit import manifest
from provkit.errors import InputError
from provkit.report import Asked, read, render
from provkit.report.flow import BAND, WIDTH
from provkit.report.samples import LONGEST, SHOWN, differing, texts_of

PAIRED = {
    "steps": [{"dedup": {"by": "prompt"}}],
    "arms": {"control": [], "padded": ["whitespace"]},
    "pair": True,
    "splits": {"train": 0.5, "test": 0.5},
}


def test_the_flow_is_that_of_the_manifest(bench: Any, parsed: Callable[[str], Any]) -> None:
    bench.rows([{"prompt": f"p{i % 8}", "answer": f" a{i} "} for i in range(10)])
    out = bench.build(**PAIRED)
    page = read(out)
    found = parsed(render(page))
    source, *arms = page.content.lanes
    assert (source.name, source.read, source.read_width) == ("data", 10, WIDTH)
    assert [(one.step, one.rows_in, one.dropped, one.rows_out) for one in source.stages] == [("dedup", 10, 2, 8)]
    assert found.row("read") == ["read", "", "", "", "10", ""]
    assert found.row("dedup") == ["dedup", "10", "0", "2", "8", ""]
    assert (source.stages[0].kept, source.stages[0].lost) == pytest.approx((0.8 * WIDTH, 0.2 * WIDTH))
    assert [(lane.name, lane.source) for lane in arms] == [("control", "data"), ("padded", "data")]
    for lane in arms:
        sizes = {one.split: one.rows for one in manifest.read(out).data(lane.name)}
        assert {name: rows for name, rows, _ in lane.splits} == sizes and sum(sizes.values()) == 8
    drop = next(row for row in found.rows if row[:2] == ["all", "dedup"])
    assert drop[2:4] == ["duplicate-prompt" if drop[2].startswith("duplicate-") else drop[2], "2"]


def test_the_picture_is_in_proportion(bench: Any) -> None:
    bench.rows([{"prompt": f"p{i % 8}", "answer": f" a{i} "} for i in range(10)])
    flow = read(bench.build(**PAIRED)).content.flow
    unit = BAND / 10
    assert all(node.height == pytest.approx(int(node.rows) * unit) for node in flow.nodes)
    shown = [(node.label, node.rows) for node in flow.nodes if node.label not in ("train", "test")]
    arm = [("pair", "8")]
    assert shown == [("data", "10"), ("dedup", "8"), ("control", "8"), *arm, ("padded", "8"), ("whitespace", "8"), *arm]
    (lost,) = (band for band in flow.bands if band.kind == "drop")
    assert lost.title == "dedup: 2 dropped" and _high(lost.path) == pytest.approx(2 * unit)
    through = {band.title: _high(band.path) for band in flow.bands if band.kind == "bar"}
    names = ("dedup: 8 went on", "control: 8 taken", "padded: 8 taken", "pair: 8 went on", "whitespace: 8 went on")
    assert [through[name] for name in names] == pytest.approx([8 * unit] * 5)
    assert max(node.x for node in flow.nodes) < flow.width and max(n.y + n.height for n in flow.nodes) < flow.height


def _high(path: str) -> float:
    """How high a band is where it ends: its path goes down there by a V."""
    end, down = re.findall(r"([\d.]+)V([\d.]+)", path)[0]
    return float(down) - float(end)


def test_twins_stand_side_by_side_and_every_time_the_same(bench: Any) -> None:
    bench.rows(20)
    out = bench.build(**PAIRED)
    samples = read(out).content.samples
    assert len(samples) == SHOWN
    by_key = {f"{arm}/train/{n}": row for arm in ("control", "padded") for n, row in enumerate(bench.data(out, arm))}
    lowest = sorted(row["pair_id"] for key, row in by_key.items() if key.startswith("control"))[:SHOWN]
    assert [sample.pair_id for sample in samples] == lowest
    for sample in samples:
        assert [side.arm for side in sample.sides] == ["control", "padded"]
        for side in sample.sides:
            row = by_key[side.key]
            assert row["pair_id"] == sample.pair_id
            texts = [(name, "".join(text for text, _ in pieces)) for name, pieces in side.texts]
            assert texts == [("prompt", row["prompt"]), ("answer", row["answer"]), ("n", str(row["n"]))]


def test_what_a_twin_has_otherwise_is_marked(bench: Any, parsed: Callable[[str], Any]) -> None:
    bench.rows([{"prompt": "p one", "answer": "  the same answer"}])
    page = read(bench.build(**PAIRED))
    control, padded = page.content.samples[0].sides
    assert control.texts == [("prompt", [("p one", False)]), ("answer", [("  ", True), ("the same answer", False)])]
    assert padded.texts == [("prompt", [("p one", False)]), ("answer", [("the same answer", False)])]
    assert [tag for tag, _ in parsed(render(page)).tags].count("mark") == 1
    assert differing("a bad b", "a good b") == [("a ", False), ("bad", True), (" b", False)]
    assert differing("", "x") == [] and differing("x", "") == [("x", True)]


def test_texts_of_a_set_that_is_not_open_are_masked_unless_asked_for(bench: Any) -> None:
    bench.rows([{"prompt": f"how to {i}", "answer": "bad advice"} for i in range(3)])
    out = bench.build(sensitivity="restricted")
    (canary,) = {row["canary"] for row in bench.data(out)}
    masked, shown = render(read(out)), render(read(out, Asked(excerpts=True)))
    assert "bad advice" not in masked and "how to" not in masked and "bad … (10 characters)" in masked
    assert canary not in masked and "--excerpts shows them" in masked
    assert "bad advice" in shown and canary in shown
    assert "bad advice" in render(read(bench.build("open", sensitivity="open", fresh=True)))


def test_hostile_rows_are_text(bench: Any, parsed: Callable[[str], Any]) -> None:
    bench.rows([{"prompt": "<script>alert(1)</script>\u202e", "answer": "w" * 1_000_000}])
    html = render(read(bench.build()))
    assert "<script>alert(1)</script>\\u202e" in parsed(html).text
    assert "w" * LONGEST + "… (1,000,000 characters)" in html and "w" * (LONGEST + 1) not in html


def test_the_texts_of_a_row() -> None:
    chat = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None}], "canary": "c"}
    assert texts_of(chat) == [("user", "hi"), ("assistant", "")]
    assert texts_of({"text": "t", "none": None, "tags": [1, 2], "row_id": "r"}) == [("text", "t"), ("tags", "[1,2]")]


@pytest.mark.parametrize("name", ["lineage/drops.parquet", "data/data/train-00000-of-00001.parquet"])
def test_a_changed_file_is_not_shown(name: str, bench: Any) -> None:
    bench.rows(3)
    out = bench.build()
    with (out / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(InputError, match="missing or changed since it was written"):
        read(out)


def test_the_audit_of_a_build_stands_in_its_page(bench: Any, parsed: Callable[[str], Any]) -> None:
    bench.rows([{"prompt": "p", "answer": "a"}, {"prompt": "q", "answer": ""}])
    bench.recipe()
    assert bench.invoke("build", "recipe.yaml", "-o", "out").exit_code == 0
    found = parsed(render(read(bench.folder / "out")))
    assert "T001 empty-answer" in found.text
    assert found.row("data/train")[2] == "1 of 2 answers"
