"""Pages in headless Chromium: spans by mouse and keyboard, hostile data, dark and light, paper, a thousand outputs."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit.audit import Example, Finding
from provkit.audit.rules import rules
from provkit.markup import clipped, visible
from provkit.report import read, write

api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'provkit[check]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")

Open = Callable[..., Any]
HOSTILE = (
    "<script>window.hacked = 1; alert(1)</script>",
    "</script><img src=x onerror=alert(1)><!--<script>",
    "\u202eevil\u202c \u2066isolated \u200b\u0000\u001b[31m \u2028 &lt;b&gt; {{ 7 * 7 }} ${1}",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        sandbox = [] if os.getuid() else ["--no-sandbox"]  # chromium refuses to run as root within one
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a directory; whatever it says, asks for, or throws stands in `page.heard`."""
    contexts = []

    def look(folder: Path, **settings: Any) -> Any:
        out = tmp_path / f"{len(contexts)}.html"
        write(read(folder), out)
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.heard = []
        page.set_default_timeout(20_000)
        page.on("console", lambda said: page.heard.append(said.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("dialog", lambda dialog: (page.heard.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda one: one.url == out.as_uri() or page.heard.append(one.url))
        page.goto(out.as_uri())
        return page

    yield look
    for context in contexts:
        context.close()


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return list(pq.read_table(folder / f"{name}.parquet").to_pylist())


def texts(page: Any, selector: str) -> list[str]:
    return [str(one) for one in page.locator(selector).all_text_contents()]


def focused(page: Any) -> list[Any]:
    """Output and span that have the focus."""
    found = page.evaluate("[document.activeElement.dataset.output, document.activeElement.dataset.span]")
    return [None if one is None else int(one) for one in found]


def test_a_click_opens_the_documents_of_that_span(chain: Any, opened: Open) -> None:
    page = opened(chain.trace)
    matches, names = rows(chain.trace, "matches"), [one["output_id"] for one in rows(chain.trace, "outputs")]
    for number, name in enumerate(names):
        for span in (one for one in rows(chain.trace, "spans") if one["output_id"] == name):
            page.locator(f".span[data-output='{number}'][data-span='{span['span']}']").first.click()
            told = [one for one in matches if (one["output_id"], one["span"]) == (name, span["span"])]
            assert texts(page, "#documents-title") == [f"Span {span['span']} of {name}"]
            assert texts(page, "#documents > .context") == [span["text"]]
            assert texts(page, "#documents h3") == [one["doc_id"] for one in told] != []
            assert texts(page, ".document .context") == [one["left"] + one["match"] + one["right"] for one in told]
            assert texts(page, ".document .context mark") == [one["match"] for one in told]
            way = " ".join(texts(page, ".document .way"))
            for one in told:
                assert f"{one['arm']}/{one['split']}/{one['row']} of helmets" in way and one["row_id"] in way
                assert f"rows.jsonl, row {one['row']}, line {one['line'] or one['row'] + 1}" in way
            assert page.locator(".span[aria-expanded=true]").count() == 1
    page.get_by_role("button", name="Close").click()
    assert not page.locator("#documents").is_visible()
    assert page.heard == []


def test_the_same_by_keyboard(made_up: Any, opened: Open, tmp_path: Path) -> None:
    trace = made_up()
    for _ in range(2):
        trace.add(
            "one two three four five six",
            {"start": 0, "end": 7, "documents": [{"doc_id": "first"}]},
            {"start": 8, "end": 18, "documents": [{"doc_id": "second"}]},
            {"start": 24, "end": 27, "documents": [{"doc_id": "third"}]},
        )
    page = opened(trace.write(tmp_path / "trace"))
    page.locator("#next").focus()
    assert page.locator("#next").is_disabled(), "one page alone, so that the list follows the controls"
    page.locator("#sort").focus()
    page.keyboard.press("Tab")  # Reset
    page.keyboard.press("Tab")
    assert focused(page) == [0, 0]
    page.keyboard.press("Tab")
    assert focused(page) == [1, 0], "an output is one stop of the Tab key"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert texts(page, "#documents h3") == ["first"]
    assert page.evaluate("document.activeElement.id") == "documents-title"
    page.keyboard.press("Escape")
    assert not page.locator("#documents").is_visible() and focused(page) == [0, 0]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert texts(page, "#documents h3") == ["second"]
    page.keyboard.press("Escape")
    went = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "End", "Home"):
        page.keyboard.press(key)
        went.append(focused(page))
    assert went == [[0, 2], [1, 0], [0, 2], [1, 0], [0, 0], [1, 2], [0, 0]]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.locator("#list .span[tabindex='0']").count() == 2
    assert page.heard == []


def test_where_spans_overlap_the_documents_of_each_can_be_opened(made_up: Any, opened: Open, tmp_path: Path) -> None:
    trace = made_up()
    trace.add(
        "one two three four five",
        {"start": 0, "end": 13, "documents": [{"doc_id": "low"}], "bci_percentile": 60.0},
        {"start": 4, "end": 18, "documents": [{"doc_id": "high"}], "bci_percentile": 99.0},
    )
    page = opened(trace.write(tmp_path / "trace"))
    assert texts(page, "#list .span") == ["one ", "two three four"]
    page.locator("#list .span.t4").click()
    assert texts(page, "#documents h3") == ["high"]
    page.get_by_role("button", name="span 0, 7 tokens").click()
    assert texts(page, "#documents h3") == ["low"]


def test_outputs_are_sorted_and_filtered(made_up: Any, opened: Open, tmp_path: Path) -> None:
    trace = made_up()
    against = {"policy": "safety", "category": "care", "conflict": 0.25, "nearest": "never mind"}
    against |= {"output_policy": "honesty", "output_conflict": 0.125, "output_nearest": "tell them less"}
    trace.add("alpha beta", {"start": 0, "end": 5, "bci_percentile": 40.0, "count": 1, "documents": [against]})
    trace.add("Gamma delta", {"start": 0, "end": 5, "bci_percentile": 96.0, "count": 500, "documents": [{}]})
    trace.add("epsilon without a span")
    trace.add("zeta eta theta", {"start": 0, "end": 4, "bci_percentile": 81.0, "count": 20}, {"start": 5, "end": 8})
    page = opened(trace.write(tmp_path / "trace"))

    def ids() -> list[str]:
        return [one.split(" ")[0] for one in texts(page, ".output h2")]

    assert ids() == ["out-1", "out-2", "out-3", "out-4"]
    page.select_option("#sort", "score")
    assert ids() == ["out-2", "out-4", "out-1", "out-3"]
    page.select_option("#sort", "spans")
    assert ids() == ["out-4", "out-1", "out-2", "out-3"]
    page.fill("#least", "81")
    assert ids() == ["out-4", "out-2"] and texts(page, "#showing") == ["1 to 2 of 2 (of 4 outputs)"]
    page.fill("#text", "GAMMA")
    assert ids() == ["out-2"]
    page.get_by_role("button", name="Reset").click()
    assert texts(page, "#showing") == ["1 to 4 of 4 outputs"] and ids() == ["out-1", "out-2", "out-3", "out-4"]
    page.select_option("#policy", "safety")
    assert ids() == ["out-1"]
    page.select_option("#policy", "")
    page.check("#spans-only")
    assert ids() == ["out-1", "out-2", "out-4"]
    page.select_option("#score", "count")
    page.fill("#least", "20")
    assert ids() == ["out-1", "out-4"]
    tints = page.locator("#list .span").evaluate_all("all => all.map(one => one.className)")
    assert tints == ["span t4", "span t2", "span t4"]
    page.select_option("#score", "conflict")
    page.fill("#least", "0.2")
    assert ids() == ["out-1"] and page.locator("#list .span.t3").count() == 1
    page.locator("#list .span").click()
    assert "safety (care)" in texts(page, ".document")[0] and "never mind" in texts(page, ".document")[0]
    own = texts(page, "#documents > .way")[0]
    assert "against honesty, belief conflict 0.125" in own and "tell them less" in own
    assert page.heard == []


def test_a_hostile_document_changes_nothing(made_up: Any, opened: Open, tmp_path: Path) -> None:
    word = "w" * 1_000_000
    trace = made_up()
    for number, text in enumerate((*HOSTILE, word)):
        said = dict.fromkeys(("doc_id", "left", "right", "policy", "category", "nearest", "columns"), text)
        said |= {"source": text, "role": text, "conflict": 0.5, "row": 3}
        trace.add(text, {"start": 0, "end": len(text), "documents": [said]}, output_id=f"{number} {text[:5000]}")
    page = opened(trace.write(tmp_path / "trace"), viewport={"width": 700, "height": 500})
    shown = texts(page, "#list .text")
    assert shown[:3] == [visible(text) for text in HOSTILE]
    assert shown[3] == word[:20_000]
    assert "The first 20,000 of 1,000,000 characters are in this page; 1 span reach further." in page.content()
    for number, text in enumerate((*HOSTILE, word)):
        page.locator(f".span[data-output='{number}']").click()
        assert texts(page, "#documents h3") == [clipped(text, 300)]
        (context,) = texts(page, ".document .context")
        assert context == visible(text) * 3 if text != word else len(context) < 2_000
        page.keyboard.press("Escape")
    assert page.evaluate(
        "[typeof window.hacked, document.querySelectorAll('img, iframe, object, a, form').length]"
    ) == ["undefined", 1]  # fmt: skip  (the form of the controls)
    assert page.evaluate("[...document.scripts].map(one => one.type)") == ["application/json"] * 2 + [""]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "a long word is wrapped"
    assert page.heard == []


def luminance(colour: str) -> float:
    """Relative luminance of a computed colour (WCAG 2.2)."""
    parts = [int(one) / 255 for one in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def finding(rule: str) -> dict[str, Any]:
    """A finding of a rule, as an audit writes it."""
    places = (Example("train.jsonl", 1, text="a place"),)
    return Finding(rules()[rule], "train.jsonl", 1, 2, "rows", "one seen", places).plain()


def test_text_can_be_read_in_dark_and_light(made_up: Any, opened: Open, tmp_path: Path) -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") == pytest.approx(4.48, abs=0.005)
    trace = made_up()
    spans = [
        {"start": n * 4, "end": n * 4 + 3, "bci_percentile": p} for n, p in enumerate((10.0, 60.0, 85.0, 96.0, 99.5))
    ]
    trace.add("aaa bbb ccc ddd eee fff", *spans, {"start": 20, "end": 23, "bci_percentile": 1.0, "documents": [{}]})
    page = opened(trace.write(tmp_path / "trace"))
    colours = """
      selector => [...document.querySelectorAll(selector)].map(element => {
        const text = getComputedStyle(element).color;
        let under = element;
        while (under && getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
        return [element.className || element.tagName, text, getComputedStyle(under).backgroundColor];
      })"""
    backgrounds = set()
    found_json = [finding(rule) for rule in ("L001", "D001", "D004")]  # an error, a warning, a note
    (tmp_path / "audit.json").write_text(json.dumps({"findings": found_json}))
    audit = opened(tmp_path / "audit.json")
    for scheme in ("light", "dark"):
        audit.emulate_media(color_scheme=scheme)
        found = audit.evaluate(colours, "body, h3, .severity, .soft, code, td, th, .context")
        assert {"severity error", "severity warning", "severity note"} <= {one[0] for one in found}
        assert [one for one in found if contrast(one[1], one[2]) < 4.5] == []
        page.emulate_media(color_scheme=scheme)
        page.locator("#list .span").last.click()
        found = page.evaluate(colours, "body, #list .span, .soft, dt, dd, mark, button, select, input, h3, .notes li")
        assert {f"span t{level}" for level in range(5)} <= {one[0] for one in found}
        low = [one for one in found if contrast(one[1], one[2]) < 4.5]
        assert low == []
        backgrounds.add(next(one[2] for one in found if one[0] == "trace"))
    assert sorted(map(luminance, backgrounds))[0] < 0.05 and max(map(luminance, backgrounds)) > 0.8


def test_a_thousand_outputs_are_shown_fifty_at_a_time(made_up: Any, opened: Open, tmp_path: Path) -> None:
    trace = made_up()
    for number in range(1000):
        text = " ".join(f"word{number}x{n}" for n in range(300))
        spans = [
            {"start": at, "end": at + 90, "documents": [{"doc_id": f"{number}-{at}"}]} for at in range(0, 2000, 100)
        ]
        trace.add(text, *spans)
    page = opened(trace.write(tmp_path / "trace"))
    nodes = "document.getElementById('list').getElementsByTagName('*').length"
    most = page.evaluate(nodes)
    assert page.locator(".output").count() == 50 and most <= 50 * (5 + 20)
    page.locator("#next").click()
    assert texts(page, "#showing") == ["51 to 100 of 1,000 outputs"] and page.evaluate(nodes) <= most
    page.locator(".span[data-output='77'][data-span='3']").click()
    assert texts(page, "#documents h3") == ["77-300"]
    page.get_by_role("button", name="Show all").first.click()
    assert texts(page, "#list .text")[0] == trace.outputs[50]["text"]
    page.fill("#text", "word999x7 ")
    assert texts(page, "#showing") == ["1 to 1 of 1 (of 1,000 outputs)"]
    page.locator(".span[data-output='999'][data-span='19']").click()
    assert texts(page, "#documents h3") == ["999-1900"]
    assert page.heard == []


def test_paper_has_no_controls_and_keeps_the_tints(chain: Any, opened: Open) -> None:
    page = opened(chain.trace, color_scheme="dark")
    page.locator("#list .span").first.click()
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("#controls").is_visible() and not page.get_by_role("button", name="Close").is_visible()
    style = "element => { const s = getComputedStyle(element); return [s.color, s.backgroundColor, s.position]; }"
    assert page.locator("body").evaluate(style)[:2] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    text, tint, _ = page.locator("#list .span").first.evaluate(style)
    assert tint != "rgba(0, 0, 0, 0)" and contrast(text, tint) >= 4.5
    assert page.locator("#documents").evaluate(style)[2] == "static"


def test_a_page_without_a_script_runs_and_loads_nothing(bench: Any, opened: Open) -> None:
    bench.rows([{"prompt": text.replace("\u0000", ""), "answer": text} for text in HOSTILE[:2]])
    page = opened(bench.build(arms={"one": [], "other": ["whitespace"]}), viewport={"width": 500, "height": 700})
    assert page.locator(".sides article").count() == 4
    assert sorted(set(texts(page, ".sides .text"))) == sorted(HOSTILE[:2])
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.scripts.length") == 0
    assert page.locator("rect.bar").first.evaluate("bar => getComputedStyle(bar).fill") != "rgb(0, 0, 0)"
    assert page.heard == []
