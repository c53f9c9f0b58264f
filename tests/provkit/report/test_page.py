"""A page as bytes: what may run in it, what data can do to it, and where it may be written."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit.errors import ProvkitError
from provkit.report import Asked, Page, page, read, render, write

HOSTILE = "</script><script>alert(1)</script><!--<script> \u2028\u2029 ]]> &amp; 'quoted' \"twice\" \\"


def a_page(**further: Any) -> Page:
    """A page of an audit without findings."""
    from provkit.report.audit import Content, Findings
    from provkit.report.intervals import axis

    content = Content(Findings([], []), [], axis([]), [(f"{HOSTILE}\u202e", 12_345)])
    return Page(**{"kind": "audit", "title": HOSTILE, "facts": [(HOSTILE, HOSTILE)], "notes": [HOSTILE],
                   "content": content, "next": "provkit", **further})  # fmt: skip


def test_the_policy_names_the_digests_of_what_runs(made_up: Any, parsed: Any, tmp_path: Path) -> None:
    trace = made_up()
    trace.add("some text")
    html = render(read(trace.write(tmp_path / "trace")))
    found = parsed(html)
    (policy,) = (str(held["content"]) for tag, held in found.tags if held.get("http-equiv"))

    def named(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    said = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert said == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": named(found.blocks["style"]),
        "script-src": named(found.blocks["script"]),
    }
    assert not re.search(r"url\(|@import|https?:", found.blocks["style"])
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval|fetch|https?:", found.blocks["script"])
    assert found.tags[0] == ("html", {"lang": "en"})


def test_text_from_data_is_text(parsed: Callable[[str], Any]) -> None:
    found = parsed(render(a_page()))
    shown = HOSTILE.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    assert found.text.count(shown) == 6  # title, heading, a fact and its name, a note, a file
    assert found.row(f"{shown}\\u202e") == [f"{shown}\\u202e", "12,345"]
    assert "script" not in [tag for tag, _ in found.tags], "a page without a script has none, whatever its data say"


def test_a_block_of_data_ends_where_it_should(parsed: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_file", lambda name: "")
    html = render(a_page(blocks={"outputs": {"text": HOSTILE}}))
    assert parsed(html).json("outputs") == {"text": HOSTILE}
    raw = html.split('id="outputs">')[1].split("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(raw)


def test_the_same_page_is_the_same_bytes() -> None:
    assert render(a_page()) == render(a_page())


def test_an_earlier_report_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "new" / "page.html"
    write(a_page(), out)
    write(a_page(title="another"), out)
    assert "<title>another</title>" in out.read_text(encoding="utf-8")
    mine = tmp_path / "mine.html"
    mine.write_text("<!DOCTYPE html><p>mine")
    for other in (mine, tmp_path):
        with pytest.raises(ProvkitError, match="is no report that provkit made\n  name another with -o"):
            write(a_page(), other)
    assert mine.read_text() == "<!DOCTYPE html><p>mine"
    (tmp_path / "link.html").symlink_to(out)
    write(a_page(title="through a link"), tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink() and "through a link" in out.read_text(encoding="utf-8")
    with pytest.raises(ProvkitError, match="cannot write page.html: File exists"):
        write(a_page(), mine / "page.html")
    assert sorted(one.name for one in tmp_path.rglob("*.*")) == ["link.html", "mine.html", "page.html"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "page.html"
    write(a_page(title="before"), out)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProvkitError, match="cannot write page.html: No space left on device\n  nothing was changed"):
        write(a_page(title="after"), out)
    assert "before" in out.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_without_jinja_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    page._environment.cache_clear()
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    with pytest.raises(ProvkitError, match=re.escape("pip install 'provkit[report]'")):
        render(a_page())


def test_what_was_not_asked_of_a_kind_is_refused(made_up: Any, tmp_path: Path) -> None:
    folder = made_up().write(tmp_path / "trace")
    with pytest.raises(ProvkitError, match="--bench says nothing of this: a trace"):
        read(folder, Asked(bench="chat"))
    with pytest.raises(ProvkitError, match="--excerpts says nothing of this"):
        read(folder, Asked(excerpts=True))
