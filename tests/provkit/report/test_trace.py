"""The page of a trace says what the trace's tables say, and the way back that SQL gives."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit import manifest
from provkit.canary import canary_of
from provkit.database import connect
from provkit.errors import InputError
from provkit.report import Asked, documents, read, render
from provkit.report.trace import LONGEST


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return list(pq.read_table(folder / f"{name}.parquet").to_pylist())


def test_outputs_and_spans_are_those_of_the_tables(chain: Any, parsed: Callable[[str], Any]) -> None:
    found = parsed(render(read(chain.trace)))
    shown = found.json("outputs")["outputs"]
    assert len(shown) == 2
    for one, output in zip(shown, rows(chain.trace, "outputs"), strict=True):
        spans = [span for span in rows(chain.trace, "spans") if span["output_id"] == output["output_id"]]
        assert "".join(text for text, _ in one["parts"]) == output["text"]
        assert (one["tokens"], one["covered"]) == (output["tokens"], output["covered_tokens"])
        assert [span["text"] for span in one["spans"]] == [span["text"] for span in spans]
        assert [span["count"] for span in one["spans"]] == [span["count"] for span in spans]
        assert [span["bci"] for span in one["spans"]] == pytest.approx([span["bci"] for span in spans])
        for text, n in one["parts"]:
            assert n < 0 or text == spans[n]["text"], "no two spans overlap here"


def test_documents_lead_back_as_sql_says(chain: Any, parsed: Callable[[str], Any]) -> None:
    page = read(chain.trace)
    blocks = parsed(render(page)).json("documents-0")
    connection = connect(chain.trace)
    for number, name in enumerate(("out-1", "out-2")):
        told = (
            connection.sql("FROM attribution($name) ORDER BY span, rank", params={"name": name})
            .to_arrow_table()
            .to_pylist()
        )
        shown = [(n, one) for n, span in enumerate(blocks[number]) for one in span]
        assert len(shown) == len(told) > 0
        for (n, one), other in zip(shown, told, strict=True):
            assert (n, one["rank"], one["id"]) == (other["span"], other["rank"], other["doc_id"])
            assert (one.get("left", ""), one["match"]) == (other["left_context"], other["match"])
            assert one["row"].startswith(f"{other['arm']}/{other['split']}/{other['index']} of helmets ")
            assert (one["row_id"], one["op"]) == (other["row_id"], other["op"])
            assert one.get("steps", [[None]])[-1][0] == other["step"]
            assert one["source"] == f"{other['source']}, row {other['source_index']}, line {other['source_line']}"
            assert one["command"] == f"provkit lineage {chain.built} {other['arm']}/{other['split']}/{other['index']}"
    assert {one["steps"][0][0] for span in blocks[0] for one in span} == {"whitespace"}
    build = manifest.read(chain.built)
    assert any(str(canary_of("gated", build.build_id)) in note for note in page.notes)


def test_the_view_is_the_macro_over_all_outputs(chain: Any) -> None:
    connection = connect(chain.trace)
    one = "SELECT rank, span, doc_id, row_id, source_file, source_line FROM attributions WHERE output_id = 'out-2'"
    other = "SELECT rank, span, doc_id, row_id, source, source_line FROM attribution('out-2')"
    assert sorted(connection.execute(one).fetchall()) == sorted(connection.execute(other).fetchall()) != []


def test_a_moved_index_is_named_or_missed(chain: Any, tmp_path: Path, made_up: Any) -> None:
    whole = read(chain.trace)
    moved = tmp_path / "moved"
    shutil.copytree(chain.index, moved)
    assert read(chain.trace, Asked(others=[moved, chain.built])).blocks == whole.blocks
    trace = made_up()
    way = {"source": "rows.jsonl", "row": 4, "line": 5, "build_id": "b" * 32, "arm": "data", "split": "train"}
    trace.add("some words", {"start": 0, "end": 4, "documents": [way]})
    folder = trace.write(tmp_path / "trace", index="/gone")
    page = read(folder)
    assert page.notes == ["the index of this trace is not at /gone, so rows have no steps here; "
                          "--with DIR names where it is now"]  # fmt: skip
    ((one,),) = (page.blocks["documents-0"][0],)
    assert (one[0]["row"], one[0]["source"]) == ("data/train/4 of build bbbbbbbbbbbb", "rows.jsonl, row 4, line 5")
    assert "steps" not in one[0] and "command" not in one[0]
    with pytest.raises(InputError, match="the index that this trace was made with is not there"):
        read(folder, Asked(others=[moved]))


def test_each_span_keeps_its_best_documents_when_there_are_too_many(made_up: Any, tmp_path: Path) -> None:
    trace = made_up()
    for number in (3, 1, 4, 2):
        trace.add("some words", {"start": 0, "end": 4, "documents": [{}] * number})
    read(trace.write(tmp_path / "trace"))
    table = pq.read_table(tmp_path / "trace/matches.parquet")
    for most, each, left in ((10, None, 10), (9, 3, 9), (8, 2, 7), (7, 2, 7), (6, 1, 4), (1, 1, 4)):
        kept, found = documents.within(table, most)
        assert (found, len(kept)) == (each, left)
        assert max(kept.column("rank").to_pylist()) <= (each or 4)


def test_policies_and_tints(made_up: Any, tmp_path: Path, parsed: Callable[[str], Any]) -> None:
    trace = made_up()
    against = {"policy": "safety", "category": "care", "conflict": 0.25, "nearest": "never mind"}
    span = {"start": 0, "end": 4, "bci_percentile": float("nan"), "documents": [{**against, "conflict": 0.1}, against]}
    trace.add("some words of one and words of two", span, {"start": 5, "end": 20, "documents": [{}]})
    found = parsed(render(read(trace.write(tmp_path / "trace"))))
    first, second = found.json("outputs")["outputs"][0]["spans"]
    assert (first["conflict"], first["policies"], first["percentile"]) == (0.25, ["safety"], None)
    assert "conflict" not in second
    options = [held["value"] for tag, held in found.tags if tag == "option"]
    assert options[:5] == ["percentile", "conflict", "count", "", "safety"]


def test_a_long_output_is_cut_and_says_so(made_up: Any, tmp_path: Path) -> None:
    trace = made_up()
    trace.add("w" * 1_000_000, {"start": 0, "end": 1_000_000, "documents": [{}]}, {"start": 30_000, "end": 30_010})
    page = read(trace.write(tmp_path / "trace"))
    (one,) = page.blocks["outputs"]["outputs"]
    assert (one["characters"], one["shown"], one["parts"]) == (1_000_000, LONGEST, [["w" * LONGEST, 0]])
    assert one["spans"][0]["text"] == "w" * 300 + "… (1,000,000 characters)"
    assert page.blocks["documents-0"][0][0][0]["match"] == "w" * 600 + "… (1,000,000 characters)"
    assert len(render(page)) < 80_000
