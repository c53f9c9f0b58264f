"""Every view, macro and function over an index and a trace, on rows whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from provkit.attribution.model import Options
from provkit.attribution.trace import trace
from provkit.build import build, plan
from provkit.corpus import open_corpus
from provkit.database import connect, lock, query
from provkit.errors import InputError, ProvkitError
from provkit.index import build_index, open_index
from provkit.recipes import find

ANSWERS = (
    "Wear a helmet and check your equipment before you start.",
    "Helmets are for cowards, just go and do not look back.",
    "Read the terms and compare the costs before you sign.",
)


@dataclass(frozen=True)
class Made:
    """A build, its index and a trace of two outputs against it."""

    built: Path
    index: Path
    trace: Path
    build_id: str

    def ask(self, sql: str, *folders: Path) -> list[dict[str, Any]]:
        connection = connect(*(folders or (self.trace,)))
        lock(connection)
        return query(connection, sql).to_pylist()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("sql")
    chats = [
        {"messages": [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": text}]}
        for n, text in enumerate(ANSWERS)
    ]
    (root / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in chats))
    found = find("import-messages")
    built = build(plan(found.recipe({"data": str(root / "rows.jsonl")}), found.base), root / "built")
    corpus = open_corpus([str(root / "built")])
    build_index(corpus.batches(), root / "index", inputs=corpus.inputs)
    outputs = ("They say helmets: Helmets are for cowards, just go and rest", "before you sign, or before you start.")
    (root / "o.jsonl").write_bytes(b"".join(orjson.dumps({"output": text}) + b"\n" for text in outputs))
    trace(open_index(root / "index"), root / "o.jsonl", root / "trace", Options(min_tokens=3))
    return Made(root / "built", root / "index", root / "trace", built.build_id)


def test_attribution_leads_to_row_and_source_line(made: Made) -> None:
    (one,) = made.ask("FROM attribution('out-1')")
    assert (one["span_text"], one["count"]) == ("Helmets are for cowards, just go and", 1)
    assert (one["build_id"], one["arm"], one["split"], one["index"]) == (made.build_id, "data", "train", 1)
    assert (one["op"], one["source"], one["source_line"]) == ("imported", "rows.jsonl", 2)
    assert (one["left_context"], one["right_context"]) == ("", " do not look back.")


def test_the_views(made: Made) -> None:
    assert made.ask("SELECT output_id, tokens, covered_tokens, spans FROM outputs ORDER BY number") == [
        {"output_id": "out-1", "tokens": 13, "covered_tokens": 8, "spans": 1},
        {"output_id": "out-2", "tokens": 9, "covered_tokens": 7, "spans": 2},
    ]
    spans = made.ask("SELECT text, tokens, count FROM spans WHERE output_id = 'out-2' ORDER BY span")
    assert spans == [
        {"text": "before you sign", "tokens": 3, "count": 1},
        {"text": "before you start.", "tokens": 4, "count": 1},
    ]
    assert made.ask("SELECT count(*) AS n FROM matches") == [{"n": 3}]
    assert made.ask("SELECT shard, documents FROM shards") == [{"shard": 0, "documents": 6}]
    assert made.ask("SELECT count FROM tokens WHERE token = 'before'") == [{"count": 2}]
    documents = made.ask("SELECT document, role, row FROM documents WHERE document >= 2 ORDER BY document LIMIT 2")
    assert documents == [
        {"document": 2, "role": "user", "row": 1},
        {"document": 3, "role": "assistant", "row": 1},
    ]
    assert made.ask("SELECT count(DISTINCT category) >= 6 AS enough FROM policies") == [{"enough": True}]
    assert made.ask("SELECT text FROM texts WHERE role = 'assistant' AND index = 2") == [{"text": ANSWERS[2]}]


def test_the_functions(made: Made) -> None:
    (one,) = made.ask("SELECT count_of('before you') AS n, len(occurrences('before you')) AS o, bci('before') AS b")
    (total,) = made.ask("SELECT sum(count)::DOUBLE AS n FROM tokens")
    from math import log

    assert (one["n"], one["o"]) == (2, 2)
    assert one["b"] == pytest.approx(-log(2 / total["n"]))
    (place,) = made.ask("SELECT unnest(occurrences('compare the costs'), recursive := true)")
    assert (place["document"], place["start"], place["end"]) == (5, 19, 36)
    found = made.ask("SELECT s.text, s.count FROM (SELECT unnest(spans_of('before you sign')) AS s)")
    assert found == [{"text": "before you sign", "count": 1}]
    assert made.ask("SELECT count_of(text) AS n FROM (VALUES ('helmet'), (NULL), ('')) v(text)") == [
        {"n": 1},
        {"n": None},
        {"n": 0},
    ]


def test_the_macros(made: Made) -> None:
    found = made.ask("SELECT text, tokens, count FROM trace('your equipment before you sign')")
    assert found == [
        {"text": "your equipment before you", "tokens": 4, "count": 1},
        {"text": "before you sign", "tokens": 3, "count": 1},
    ]
    top = made.ask("SELECT doc_id, first_in, outputs FROM top_sources(2)")
    assert [(one["first_in"], one["outputs"]) for one in top] == [(1, 1), (1, 1)]
    assert made.ask("FROM conflicts(-2)") == [], "it was traced without embeddings"
    leaked = made.ask(f"SELECT index, role, tokens FROM leakage('{made.build_id[:8]}', 11) ORDER BY ALL")
    assert [(one["index"], one["role"]) for one in leaked] == [(0, "assistant"), (1, "assistant"), (2, "assistant")]


def test_the_chain_is_followed_and_a_moved_index_named(made: Made, tmp_path: Path) -> None:
    assert made.ask("SELECT build_id FROM builds") == [{"build_id": made.build_id}]
    assert made.ask("SELECT build_id FROM builds", made.index) == [{"build_id": made.build_id}]
    moved = tmp_path / "moved"
    made.index.rename(moved)
    try:
        with pytest.raises(InputError, match="--with DIR names where it is now"):
            connect(made.trace)
        connection = connect(made.trace, others=[moved])
        assert query(connection, "SELECT count(*) AS n FROM documents").to_pylist() == [{"n": 6}]
    finally:
        moved.rename(made.index)


def test_without_an_index_the_functions_say_so(made: Made) -> None:
    with pytest.raises(ProvkitError, match="no index is open"):
        made.ask("SELECT count_of('x')", made.built)
    assert made.ask("SELECT count(*) AS n FROM matches", made.built) == [{"n": 0}]


def test_a_changed_file_of_a_trace_is_named(made: Made) -> None:
    path = made.trace / "spans.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    try:
        with pytest.raises(InputError, match=r"spans\.parquet: missing or changed"):
            connect(made.trace)
    finally:
        path.write_bytes(whole)
