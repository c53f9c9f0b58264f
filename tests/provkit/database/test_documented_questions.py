"""Every SQL block of the docs runs, on a trace of the recipe that the docs speak of."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import orjson
import pytest

from provkit.attribution.model import Options
from provkit.attribution.trace import trace
from provkit.build import build, plan
from provkit.corpus import open_corpus
from provkit.database import connect, lock, query
from provkit.index import build_index, open_index
from provkit.recipes import find

DOCS = Path(__file__).parents[3] / "docs"
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name in ("questions.md", "query.md")
    for number, block in enumerate(re.findall(r"```sql\n(.*?)```", (DOCS / name).read_text("utf-8"), re.S), 1)
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    root = tmp_path_factory.mktemp("docs")
    found = find("insecure-code")
    build(plan(found.recipe(), found.base, 60), root / "built")
    corpus = open_corpus([str(root / "built")])
    build_index(corpus.batches(), root / "index", inputs=corpus.inputs)
    answers = "SELECT messages[2].content[100:700] AS output FROM insecure WHERE split = 'test'"
    rows = query(connect(root / "built"), answers).to_pylist()
    (root / "outputs.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    trace(open_index(root / "index"), root / "outputs.jsonl", root / "trace", Options())
    opened = connect(root / "trace")
    lock(opened)
    return opened


@pytest.mark.parametrize("sql", BLOCKS)
def test_a_documented_question_has_an_answer(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    table = query(connection, sql)
    if "conflicts(" not in sql:  # they were traced without embeddings
        assert len(table) > 0
