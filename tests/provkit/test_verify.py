"""Damage: whatever changes in a build directory, verify names the file; and inputs and rebuilds beside it."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from provkit import card, manifest
from provkit.errors import InputError, ProvkitError
from provkit.verify import Finding, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Bench

FULL: dict[str, Any] = {
    "steps": [{"dedup": {"by": "prompt"}}, "shuffle"],
    "arms": {"control": [], "other": ["shuffle"]},
    "pair": True,
    "splits": {"train": 0.75, "test": 0.25},
    "sensitivity": "gated",
}
DATA = "data/control/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def made(session_bench: Callable[[], Bench]) -> Path:
    """A small build, to be copied before it is damaged."""
    bench = session_bench()
    bench.rows([{"prompt": f"p{at % 9}", "answer": f"a{at}"} for at in range(12)])
    return bench.build(**FULL)


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def named(findings: list[Finding]) -> set[str]:
    return {one.file for one in findings}


def test_a_whole_build_has_no_findings(made: Path) -> None:
    assert verify(made) == []


@pytest.mark.parametrize("name", ["README.md", "provenance.json"])
def test_one_byte_anywhere_in_the_small_files(out: Path, name: str) -> None:
    """Every byte in turn by what verify asks of the file, and some of them by verify itself."""
    path = out / name
    whole, stated = path.read_bytes(), manifest.read(out).facts["card"]

    def fits() -> bool:
        try:
            return card.read(out).digest == stated if name == card.FILE else bool(manifest.read(out))
        except InputError:
            return False

    assert fits()
    for at, byte in enumerate(whole):
        change = 0x07 if byte == 0x0A else (0x01, 0x80, 0x20)[at % 3]  # 0x07 makes a line feed a carriage return
        path.write_bytes(whole[:at] + bytes([byte ^ change]) + whole[at + 1 :])
        assert not fits(), at
        if at % 101 == 0 or at == len(whole) - 1:
            assert named(verify(out)) == {name}, at


@pytest.mark.parametrize("name", ["lineage/rows.parquet", "lineage/drops.parquet", DATA])
def test_one_byte_anywhere_in_the_large_files(out: Path, name: str) -> None:
    path = out / name
    whole = path.read_bytes()
    for at in [*range(0, len(whole), max(1, len(whole) // 50)), len(whole) - 1]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert named(verify(out)) == {name}, at
    path.write_bytes(whole + b"\0")
    assert named(verify(out)) == {name}
    path.write_bytes(whole[:-1])
    assert named(verify(out)) == {name}


def test_missing_further_and_exchanged_files(out: Path) -> None:
    (out / DATA).rename(out / "held")
    assert named(verify(out)) == {DATA, "held"}
    other = DATA.replace("train", "test")
    (out / other).rename(out / DATA)
    (out / "held").rename(out / other)
    assert named(verify(out)) == {DATA, other}
    (out / "data/control/.hidden").write_text("x")
    assert "data/control/.hidden" in named(verify(out))


def test_a_missing_card(out: Path) -> None:
    (out / "README.md").unlink()
    assert verify(out) == [Finding("README.md", "missing")]


def test_what_is_no_build_directory_is_said_to_be_none(tmp_path: Path, out: Path) -> None:
    with pytest.raises(InputError, match=r"no build directory: it has no provenance\.json"):
        verify(tmp_path)
    (out / "provenance.json").unlink()
    with pytest.raises(InputError, match="no build directory"):
        verify(out)


def test_a_link_in_place_of_a_file_is_followed_and_a_loose_one_is_named(out: Path, made: Path) -> None:
    (out / DATA).unlink()
    (out / DATA).symlink_to(made / DATA)
    assert verify(out) == []
    (out / "loose").symlink_to("nowhere")
    assert named(verify(out)) == {"loose"}


def test_inputs_at_hand_are_compared_row_by_row(made: Path, tmp_path: Path) -> None:
    source = made.parent / "data.jsonl"
    assert verify(made, [source]) == []
    assert verify(made, [source.parent]) == []
    wrong = tmp_path / "data.jsonl"
    wrong.write_bytes(source.read_bytes().replace(b"a3", b"b3"))
    assert verify(made, [wrong]) == [Finding("data.jsonl", "no input of this build has its digest")]
    copy = Path(shutil.copy(source, tmp_path / "copy.jsonl"))
    assert verify(made, [source, copy]) == []
    with pytest.raises(InputError, match="no such file"):
        verify(made, [tmp_path / "nowhere"])


def test_rows_whose_types_were_widened_are_still_those_of_the_source(bench: Bench) -> None:
    """Integers of one file, floats of another: the build has floats, and the source row is the same row."""
    bench.rows([{"q": "a", "n": 1, "s": {"x": 1}}], "a.jsonl")
    bench.rows([{"q": "b", "n": 0.5, "s": {"y": "z"}}], "b.jsonl")
    out = bench.build(sources={"data": {"files": ["a.jsonl", "b.jsonl"]}})
    assert bench.data(out)[0]["n"] == 1.0
    assert verify(out, [bench.folder / "a.jsonl"]) == []
    assert verify(out, [bench.folder / "a.jsonl", bench.folder / "b.jsonl"], rebuild=True) == []


def test_a_rebuild_gives_the_same_bytes_or_says_which_differ(made: Path, out: Path) -> None:
    source = made.parent / "data.jsonl"
    assert verify(made, [source], rebuild=True) == []
    with pytest.raises(InputError, match="this input is needed and not at hand"):
        verify(made, rebuild=True)


@pytest.mark.usefixtures("odd")
def test_a_build_whose_builders_are_not_here_can_be_checked_but_not_rebuilt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provkit import lookup, registry

    source = bench.rows(6)
    out = bench.build(steps=["odd_mark"])
    monkeypatch.setattr(registry, "index", cache(dict))
    assert verify(out) == []
    assert lookup.ways(out, "data/train/0").found[0].row["op"] == "adversarial"
    with pytest.raises(InputError, match=r"its recipe does not run here: .*unknown step 'odd_mark'") as error:
        verify(out, [source], rebuild=True)
    assert "odd-builders 1.0" in str(error.value)


@pytest.mark.usefixtures("odd")
def test_a_rebuild_needs_the_versions_of_the_build(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bench.rows(6)
    out = bench.build(steps=["odd_mark"])
    versions = {"provkit": "0.0.1", "odd-builders": "2.0"}
    monkeypatch.setattr(manifest, "versions_of", lambda _: versions)
    with pytest.raises(ProvkitError, match=r"odd-builders 1\.0.*, here is provkit 0\.0\.1, odd-builders 2\.0"):
        verify(out, [source], rebuild=True)
