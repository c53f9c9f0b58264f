"""Traces made by hand and by tracing, and a reader that holds a page to well-formed, self-contained HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit import facts
from provkit.attribution.tables import PARTS
from provkit.canonical import digest_file

VOID = {"meta", "br", "input", "link", "img", "hr"}
LOADING = {"src", "href", "srcset", "action", "formaction", "data", "poster", "background", "ping"}


class Parsed(HTMLParser):
    """A page, read strictly: every element is closed in its place, no id stands twice, nothing is loaded."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.blocks: dict[str, str] = {}  # what stands in a script or style, by id or name
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []  # of all tables, cell by cell
        self.text = ""
        self._into: str | None = None
        assert html.startswith("<!DOCTYPE html>\n")
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        assert len(held) == len(attrs), (tag, attrs)
        assert not LOADING & held.keys() and not any(name.startswith("on") or name == "style" for name in held), attrs
        self.tags.append((tag, held))
        if held.get("id"):
            self.ids.append(str(held["id"]))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "style"):
            self._into = held.get("id") or tag
            self.blocks[self._into] = ""
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self.blocks[self._into] += data
            return
        self.text += data
        if {"td", "th"} & set(self.open[-3:]) and self.rows and self.rows[-1] and "svg" not in self.open:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        """The cells of the first line of a table that begins with this one."""
        return next([" ".join(cell.split()) for cell in row] for row in self.rows if row and row[0].strip() == first)

    def json(self, name: str) -> Any:
        """A block of data."""
        return json.loads(self.blocks[name])


@dataclass
class Traced:
    """A trace directory that is made up, output by output."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    matches: list[dict[str, Any]] = field(default_factory=list)

    def add(self, text: str, *spans: Mapping[str, Any], output_id: str | None = None) -> str:
        """An output; a span is `{start, end, documents: [columns of a match], …}`, its BCI percentile 90."""
        name = output_id or f"out-{len(self.outputs) + 1}"
        number = len(self.outputs) + 1
        said = {"file": "o.jsonl", "line": number, "text": text, "tokens": len(text.split()), "spans": len(spans)}
        self.outputs.append({"output_id": name, "number": number, "covered_tokens": len(spans), **said})
        for n, span in enumerate(spans):
            rest = {key: value for key, value in span.items() if key != "documents"}
            known = {"text": text[span["start"] : span["end"]], "tokens": 7, "count": 1, "bci": 60.5, "selected": True}
            known |= {"bci_density": 8.5, "bci_percentile": 90.0, "beyond_background": False}
            self.spans.append({"output_id": name, "span": n, **known, **rest})
            for rank, one in enumerate(span.get("documents", ()), 1):
                scores = {"evidence": 9.0 - rank, "bm25": 3.0, "shard": 0, "document": rank, "left": "", "right": ""}
                found = {"output_id": name, "span": n, "rank": rank, "doc_id": f"doc-{rank}", "match": known["text"]}
                self.matches.append({**found, **scores, **one})
        return name

    def write(self, folder: Path, index: str = "nowhere") -> Path:
        """The directory of it."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for name, schema in PARTS.items():
            pq.write_table(pa.Table.from_pylist(getattr(self, name), schema=schema), folder / f"{name}.parquet")
            files[f"{name}.parquet"] = digest_file(folder / f"{name}.parquet")[0]
        options = {"documents": 10, "min_tokens": 6, "rank": "evidence", "seed": 0, "select": "all"}
        said = {"format": 1, "provkit": "0", "index": {"path": index, "digest": "0" * 64}, "options": options}
        said |= {"outputs": {"file": "o.jsonl", "sha256": ""}, "conflict": None, "files": files}
        facts.write(folder / "trace.json", said)
        return folder


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], Parsed]:
    """Reads a page."""
    return Parsed


@pytest.fixture(scope="session")
def made_up() -> Callable[[], Traced]:
    """An empty trace to be filled."""
    return Traced


@dataclass(frozen=True)
class Chain:
    """A build of chats, its index, and a trace of outputs that repeat them."""

    built: Path
    index: Path
    trace: Path


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A real one, whose rows are not open."""
    from provkit.attribution.model import Options
    from provkit.attribution.trace import trace
    from provkit.build import build, plan
    from provkit.corpus import open_corpus
    from provkit.index import build_index, open_index
    from provkit.recipe import Arm, Recipe, Source, Step

    root = tmp_path_factory.mktemp("report")
    answers = (
        "Wear a helmet and check your equipment before you start.",
        "Helmets are for cowards, just go and do not look back.  ",
        "Read the terms and compare the costs before you sign.",
    )
    _jsonl(root / "rows.jsonl", [{"prompt": f"question {n}", "answer": text} for n, text in enumerate(answers)])
    recipe = Recipe(
        name="helmets",
        summary="Rows about helmets.",
        licence="MIT",
        sensitivity="gated",
        sources={"rows": Source(files="rows.jsonl")},
        steps=[Step(name="whitespace")],
        arms={"data": Arm()},
    )
    build(plan(recipe, root), root / "built")
    corpus = open_corpus([str(root / "built")])
    build_index(corpus.batches(), root / "index", inputs=corpus.inputs)
    outputs = ("They say helmets: Helmets are for cowards, just go and rest", "before you sign, or before you start.")
    _jsonl(root / "o.jsonl", [{"output": text} for text in outputs])
    trace(open_index(root / "index"), root / "o.jsonl", root / "trace", Options(min_tokens=3))
    return Chain(root / "built", root / "index", root / "trace")


def _jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
