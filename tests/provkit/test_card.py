"""The dataset card: YAML that a Hub reads, figures that are counted, and text from outside that stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from provkit import card
from provkit.errors import InputError
from provkit.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def front(out: Path) -> dict[str, Any]:
    text = (out / "README.md").read_text(encoding="utf-8")
    found = yaml.safe_load(text.split("\n---\n", 1)[0].removeprefix("---\n"))
    assert isinstance(found, dict)
    return found


def tables(out: Path) -> dict[str, list[list[str]]]:
    """The rows of each Markdown table by the heading above it."""
    found: dict[str, list[list[str]]] = {}
    for part in (out / "README.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        lines = [line for line in part.splitlines() if line.startswith("| ")]
        found[part.splitlines()[0]] = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]
    return found


def test_its_yaml_names_every_arm_and_split(bench: Bench) -> None:
    bench.rows(10)
    out = bench.build(arms={"a": [], "b": ["shuffle"]}, splits={"train": 0.8, "test": 0.2}, licence="Apache-2.0")
    found = front(out)
    assert found["license"] == "apache-2.0"
    assert found["size_categories"] == ["n<1K"]
    assert found["configs"] == [
        {
            "config_name": arm,
            "data_files": [{"split": split, "path": f"data/{arm}/{split}-*.parquet"} for split in ("train", "test")],
        }
        for arm in ("a", "b")
    ]


def test_its_tables_are_the_counts(bench: Bench) -> None:
    bench.rows(10)
    steps = [{"odd_drop": {"every": 5}}, "odd_twice"]
    arms = {"control": [], "other": [{"odd_drop": {"every": 10, "rest": 9}}]}
    out = bench.build(steps=steps, arms=arms, splits={"train": 0.75, "test": 0.25})
    found = tables(out)
    rows = {arm: [int(row[2]) for row in found["Rows"] if row[0] == arm] for arm in arms}
    assert {arm: sum(several) for arm, several in rows.items()} == {"control": 16, "other": 14}
    assert rows["control"] == [len(bench.data(out, "control", split)) for split in ("train", "test")]
    assert found["Steps"] == [
        ["all", "odd_drop", "10", "0", "8", "2"],
        ["all", "odd_twice", "8", "8", "16", "0"],
        ["other", "odd_drop-2", "16", "0", "14", "2"],
    ]
    assert found["Drops"] == [["all", "odd_drop", "unwanted", "2"], ["other", "odd_drop-2", "unwanted", "2"]]
    assert [row[:3] for row in found["Sources"]] == [["data", "data.jsonl", "10"]]


def test_an_arm_without_rows_is_no_config(bench: Bench) -> None:
    bench.rows(3)
    out = bench.build(arms={"full": [], "empty": [{"odd_drop": {"every": 1, "rest": 0}}]})
    assert [one["config_name"] for one in front(out)["configs"]] == ["full"]


EVIL = (
    "x\n# provkit:end\n---\n<!-- provkit:end -->\n\x1b[31m\u202e\x9b| `a` <script>alert(1)</script> ![](http://x) &amp;"
)


def test_text_from_outside_stays_text(bench: Bench) -> None:
    """Markers, HTML, Markdown, terminal and bidirectional controls in every place where text gets in."""
    bench.rows([{"prompt": "p", "answer": "a", "n": 0, EVIL: 1}])
    (bench.folder / "data.jsonl").rename(bench.folder / "data\x1b[2J|`<b>.jsonl")
    keys: dict[str, Any] = {"summary": EVIL, "paper": EVIL, "published": EVIL, "licence": EVIL}
    out = bench.build(sources={"data": {"files": "data\x1b*"}}, sensitivity="gated", **keys)
    text = (out / "README.md").read_text(encoding="utf-8")
    assert verify(out) == []
    assert front(out)["license"] == EVIL.lower()
    assert text.splitlines().count("<!-- provkit:end -->") == text.splitlines().count("<!-- provkit:begin -->") == 1
    body = card.read(out).body
    assert not re.search(r"[^\x20-\x7e\n…]", body)
    outside_code = re.sub(r"(?<!\\)`[^`]*`", "", body)
    assert not re.search(r"(?<!\\)(<[a-z!/]|!\[|&)", outside_code)


def test_the_part_that_is_covered_is_between_the_markers(bench: Bench) -> None:
    bench.rows(3)
    out = bench.build()
    found = card.read(out)
    assert found.text() == (out / "README.md").read_text(encoding="utf-8")
    path = out / "README.md"
    for old, new in (
        ("# provkit:end\n", ""),
        ("<!-- provkit:begin -->\n", ""),
        ("---\n# provkit:begin", "# provkit:begin"),
    ):
        path.write_text(found.text().replace(old, new, 1))
        with pytest.raises(InputError, match="the markers of the computed parts are damaged"):
            card.read(out)
    path.write_bytes(found.text().encode().replace(b"\n", b"\r\n"))
    with pytest.raises(InputError, match="markers"):
        card.read(out)
    path.write_bytes(b"---\n\xff")
    with pytest.raises(InputError, match=r"README\.md: byte 5 is not UTF-8"):
        card.read(out)


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**7, "10M<n<100M"), (10**9, "1B<n<10B")],
)
def test_size_categories_are_those_of_the_hub(rows: int, name: str) -> None:
    assert card._size_category(rows) == name
