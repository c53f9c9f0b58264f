"""A corpus: what becomes a document, and what each document knows of its row."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.build import build, plan
from provkit.corpus import DOCUMENTS, open_corpus
from provkit.errors import InputError
from provkit.recipes import find


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def documents(*sources: Path | str, fields: tuple[str, ...] = ()) -> list[dict[str, object]]:
    batches = list(open_corpus([str(one) for one in sources], fields).batches())
    assert all(batch.schema == DOCUMENTS for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def test_each_message_of_a_chat_is_a_document_with_role_and_line(tmp_path: Path) -> None:
    chats = [
        {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}], "topic": "a"},
        {"messages": [], "topic": "b"},
        {"messages": [{"role": "system", "content": "three"}], "topic": "c"},
    ]
    found = documents(written(tmp_path / "chat.jsonl", chats))
    assert [(one["text"], one["role"], one["message"], one["row"], one["line"]) for one in found] == [
        ("one", "user", 0, 0, 1),
        ("two", "assistant", 1, 0, 1),
        ("three", "system", 0, 2, 3),
    ]
    assert [one["doc_id"] for one in found] == ["chat.jsonl:0#0", "chat.jsonl:0#1", "chat.jsonl:2#0"]
    assert found[2]["columns"] == '{"topic":"c"}'


def test_text_is_the_column_unless_fields_are_named(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", [{"text": "t", "title": "x", "n": 1}, {"text": None, "title": "y", "n": 2}])
    assert [one["text"] for one in documents(rows)] == ["t", ""]
    found = documents(rows, fields=("title", "n"))
    assert [(one["text"], one["field"]) for one in found] == [("x", "title"), ("y", "title"), ("1", "n"), ("2", "n")]
    with pytest.raises(InputError, match=r"nothing: no such column\n.*it has text, title, n"):
        documents(rows, fields=("nothing",))


def test_rows_without_messages_or_text_give_every_column_of_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt": ["p"], "answer": ["a"], "score": [1.5]}), tmp_path / "rows.parquet")
    found = documents(tmp_path / "rows.parquet")
    assert [(one["text"], one["field"], one["columns"]) for one in found] == [
        ("p", "prompt", '{"score":1.5}'),
        ("a", "answer", '{"score":1.5}'),
    ]


def test_labels_and_ids_beside_usual_columns_are_no_documents(tmp_path: Path) -> None:
    turns = pa.array([[{"role": "user", "content": "hello"}]])
    row = {"axiom": ["care"], "input": ["i"], "chosen": turns}
    pq.write_table(pa.table(row), tmp_path / "rows.parquet")
    assert [(one["text"], one["field"]) for one in documents(tmp_path / "rows.parquet")] == [
        ("hello", "chosen"), ("i", "input"),
    ]  # fmt: skip
    pq.write_table(pa.table({"id": ["ab"], "n": [1]}), tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="no column of text"):
        documents(tmp_path / "rows.parquet")


def test_files_folders_and_globs(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.md").write_text("hello\r\nworld")
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "zipped"}\n'))
    (tmp_path / "ignored.bin").write_bytes(b"\xff\xfe")
    found = documents(tmp_path / "sub", tmp_path / "c.jsonl.gz")
    assert [(one["doc_id"], one["text"]) for one in found] == [
        ("b.md", "hello\r\nworld"),
        ("c.jsonl.gz:0#text", "zipped"),
    ]
    assert [one["text"] for one in documents(f"{tmp_path}/**/*.md")] == ["hello\r\nworld"]


def test_rows_of_a_build_keep_their_key(tmp_path: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    data = written(tmp_path / "rows.jsonl", [chat])
    found = find("import-messages")
    built = build(plan(found.recipe({"data": str(data)}), found.base), tmp_path / "built")
    (row,) = pq.read_table(tmp_path / "built/lineage/rows.parquet").to_pylist()
    for at, one in enumerate(documents(tmp_path / "built")):
        assert (one["build_id"], one["arm"], one["split"], one["row"]) == (built.build_id, "data", "train", 0)
        assert (one["row_id"], one["message"]) == (row["row_id"], at)
    (entry,) = open_corpus([str(tmp_path / "built")]).inputs
    assert entry.path == str(tmp_path / "built")


def test_a_text_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"fine\nbroken \xff here")
    with pytest.raises(InputError, match=r"bad.txt:2: byte 12 is not UTF-8"):
        documents(tmp_path / "bad.txt")
