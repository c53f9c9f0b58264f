"""The cache: what is put is there, the first answer stays, several processes share it, a damaged file is said."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from provkit.errors import InputError, ProvkitError
from provkit.llm import Answer, Cache

ASKED = ("small", "", 0, "{}")
WRITE = """
import sys
from pathlib import Path
from provkit.llm import Answer, Cache
with Cache(Path(sys.argv[1])) as cache:
    for number in range(200):
        kept = cache.put(Answer(f"{number:064}", f"of {sys.argv[2]}", "stop"), ("small", "", 0, "{}"))
        assert cache.get(kept.key) == kept
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "answers.sqlite"


def test_an_answer_is_there_for_the_next_process(path: Path) -> None:
    answer = Answer("a" * 64, "Tëxt 🌍\0", "stop", "", 3, 4)
    with Cache(path) as cache:
        assert cache.get(answer.key) is None
        assert cache.put(answer, ASKED, 1.5) == answer
    with Cache(path) as cache:
        assert cache.get(answer.key) == answer and len(cache) == 1
        assert list(cache.records([answer.key])) == [("a" * 64, *ASKED, "Tëxt 🌍\0", "stop", "", 3, 4)]


def test_the_first_answer_stays(path: Path) -> None:
    with Cache(path) as cache:
        first = cache.put(Answer("k", "one", "stop"), ASKED)
        assert cache.put(Answer("k", "two", "stop"), ASKED) == first == cache.get("k")


def test_processes_that_begin_at_once_share_one_file(path: Path) -> None:
    started = [subprocess.Popen([sys.executable, "-c", WRITE, path, str(one)]) for one in range(4)]
    assert [one.wait(60) for one in started] == [0, 0, 0, 0]
    with Cache(path) as cache:
        assert len(cache) == 200
        assert all(text.startswith("of ") for (text,) in cache._db.execute("SELECT text FROM answers"))


def test_an_answer_that_is_gone_is_said(path: Path) -> None:
    with Cache(path) as cache, pytest.raises(InputError, match="is gone"):
        list(cache.records(["b" * 64]))


def test_text_that_is_no_unicode_is_not_kept(path: Path) -> None:
    with Cache(path) as cache:
        with pytest.raises(ProvkitError, match="no Unicode"):
            cache.put(Answer("k", "\ud800", "stop"), ASKED)
        assert len(cache) == 0


def test_a_file_that_is_no_cache_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"notes of mine, not a database at all" * 100)
    before = path.read_bytes()
    with pytest.raises(InputError, match="--cache FILE"):
        Cache(path)
    assert path.read_bytes() == before


def test_a_cache_of_another_format_is_not_read(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 9")
    other.close()
    with pytest.raises(InputError, match="format 9"):
        Cache(path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file")
    with pytest.raises(InputError, match="--cache FILE"):
        Cache(tmp_path / "deep" / "answers.sqlite")
