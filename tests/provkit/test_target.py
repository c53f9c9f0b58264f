"""A directory written whole or not at all: what is replaced, what is not, and what is left when it goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from provkit.errors import ProvkitError
from provkit.target import Busy, clear, writing


def anything(_: Path) -> None:
    return None


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_directory_appears_when_the_block_ends(tmp_path: Path) -> None:
    out = tmp_path / "deep/out"
    with writing(out, anything) as folder:
        (folder / "a").write_text("1")
        assert not out.exists()
    assert names(out) == ["a"]
    assert names(out.parent) == ["out"]


def test_an_error_leaves_what_stood_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    with pytest.raises(ValueError, match="no"), writing(out, anything) as folder:
        (folder / "new").write_text("new")
        raise ValueError("no")
    assert names(out) == ["old"]
    assert names(tmp_path) == ["out"]


def test_folders_made_for_a_target_go_again_when_nothing_was_written(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(ValueError, match="no"), writing(tmp_path / "kept/deep/er/out", anything):
        raise ValueError("no")
    assert names(tmp_path) == ["kept"] and names(tmp_path / "kept") == []


def test_a_rename_that_fails_puts_the_old_directory_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    with pytest.raises(ProvkitError, match="nothing was changed"), writing(out, anything) as folder:
        folder.rmdir()  # so that it cannot take the place of the old one
    assert names(out) == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_second_writer_is_refused_and_a_third_is_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with writing(out, anything):
        with pytest.raises(Busy), writing(out, anything):
            raise AssertionError
        clear(out)  # does not clear away what is being written
    with writing(out, anything) as folder:
        (folder / "a").touch()
    assert names(tmp_path) == ["out"]


def test_a_symbolic_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "elsewhere/link"
    real.mkdir()
    link.parent.mkdir()
    link.symlink_to(real)
    for name in ("a", "b"):
        with writing(link, anything) as folder:
            (folder / name).touch()
    assert link.is_symlink()
    assert names(real) == ["b"]
    assert names(link.parent) == ["link"]
    assert names(tmp_path) == ["elsewhere", "real"]


def test_what_is_not_ours_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("a file")
    with pytest.raises(ProvkitError, match="out is there and is no directory"), writing(out, anything):
        raise AssertionError
    out.unlink()
    out.mkdir()
    with writing(out, lambda _: "everything"):
        pass  # an empty directory is nobody's
    (out / "thesis\x1b[2J.tex").touch()
    with (
        pytest.raises(ProvkitError, match=r"what provkit did not make: thesis\\x1b\[2J\.tex"),
        writing(out, lambda folder: next(folder.iterdir()).name),
    ):
        raise AssertionError


def test_leftovers_of_a_killed_writer_go(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.old/kept").touch()
    (tmp_path / ".out.building/scratch").mkdir(parents=True)
    (tmp_path / ".out.lock").touch()
    with pytest.raises(ValueError, match="no"), writing(out, anything):
        assert names(out) == ["kept"]  # killed between the two renames: the old one comes back
        raise ValueError("no")
    assert names(tmp_path) == ["out"]
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.lock").touch()
    clear(out)
    assert names(tmp_path) == ["out"]
    assert names(out) == ["kept"]
