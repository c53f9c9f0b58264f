"""provkit report: what it writes where, says, and opens."""

from __future__ import annotations

import json
import webbrowser
from typing import Any

import pytest


def test_the_page_stands_beside_its_directory(bench: Any, made_up: Any) -> None:
    trace = made_up()
    trace.add("a text")
    trace.write(bench.folder / "out/trace.v1")
    done = bench.invoke("report", "out/trace.v1", "--format", "json")
    assert done.exit_code == 0
    page = bench.folder / "out/trace.v1.html"
    assert json.loads(done.stdout) == {"report": "out/trace.v1.html", "of": "trace", "bytes": page.stat().st_size}
    note, last = done.stderr.splitlines()
    assert note.startswith("note: the index of this trace is not at nowhere")
    assert last == "next: provkit query out/trace.v1 \"FROM attribution('out-1')\""
    assert bench.invoke("report", "out/trace.v1", "--quiet").stderr == ""
    (bench.folder / "found.json").write_text('{"findings": []}')
    assert bench.invoke("report", "found.json").exit_code == 0
    assert (bench.folder / "found.html").is_file()


def test_what_cannot_be_done_is_exit_2(bench: Any, made_up: Any) -> None:
    (bench.folder / "page.html").write_text("mine")
    made_up().write(bench.folder / "trace")
    done = bench.invoke("report", "trace", "-o", "page.html")
    assert done.exit_code == 2 and "page.html is there and is no report that provkit made" in done.stderr
    assert (bench.folder / "page.html").read_text() == "mine"
    assert bench.invoke("report", ".").exit_code == 2


def test_it_is_opened_when_asked(bench: Any, made_up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) is None)
    made_up().write(bench.folder / "trace")
    assert bench.invoke("report", "trace", "-o", "a b.html", "--open").exit_code == 0
    assert opened == [(bench.folder / "a b.html").resolve().as_uri()]
