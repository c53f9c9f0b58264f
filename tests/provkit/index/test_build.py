"""Building, going on after a kill, adding and dropping, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from provkit.index import (
    Document,
    Input,
    Progress,
    add_documents,
    build_index,
    drop_shard,
    open_index,
    store,
    verify,
)
from provkit.index import build as building

WORDS = ("alpha", "beta", "gamma", "delta", "é", "漢字", "x", ".", "\r\n", "12", "Epsilon", "  ")


def some(number: int, size: int = 400, seed: int = 0) -> list[Document]:
    chance = np.random.default_rng(seed)
    return [
        Document(" ".join(chance.choice(WORDS, size // 6).tolist()), {"doc_id": f"d{at}", "n": at})
        for at in range(number)
    ]


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.mark.parametrize(
    ("documents", "fold"),
    [([], "none"), ([Document("x")], "none"), (some(500), "none"), (some(500), "case,space")],
    ids=["none", "byte", "150KB", "150KB-folded"],
)
def test_an_index_is_the_same_bytes_whatever_the_workers(tmp_path: Path, documents: list[Document], fold: str) -> None:
    build_index(documents, tmp_path / "one", shard_bytes=40_000, fold=fold)
    build_index(documents, tmp_path / "two", shard_bytes=40_000, fold=fold, workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    manifest = verify(tmp_path / "two")
    assert manifest.documents == len(documents)
    assert manifest.text_bytes == sum(len(document.text.encode()) for document in documents) or fold != "none"
    assert len(manifest.shards) == (4 if len(documents) > 9 else len(documents))


@pytest.mark.parametrize("text", ["", " ", "x", "é", "\u0301"])
def test_an_index_of_one_tiny_document(tmp_path: Path, text: str) -> None:
    build_index([Document(text)], tmp_path / "index")
    verify(tmp_path / "index")
    index = open_index(tmp_path / "index")
    assert index.text(0, 0) == text
    assert index.count(text) == len(index.spans(text)) == len(index.find(text)) == len(text.strip())


def test_record_batches_give_the_same_index_however_they_are_cut(tmp_path: Path) -> None:
    documents = some(200)
    table = pa.table(
        {
            "n": [document.metadata["n"] for document in documents],
            "text": [document.text for document in documents],
            "doc_id": [document.metadata["doc_id"] for document in documents],
        }
    )
    build_index(documents, tmp_path / "documents", shard_bytes=20_000)
    build_index(table.to_batches(max_chunksize=7), tmp_path / "small", shard_bytes=20_000)
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())):
        text = table["text"].cast(pa.binary() if kind == pa.binary() else pa.string())
        text = text.dictionary_encode() if pa.types.is_dictionary(kind) else text.cast(kind)
        batches = table.set_column(1, "text", text).combine_chunks().to_batches()
        path = tmp_path / str(kind)
        build_index(batches, path, shard_bytes=20_000)
        assert files(path / "shards") == files(tmp_path / "documents" / "shards"), kind
    index = open_index(tmp_path / "small")
    assert index.documents(1, [2, 0, 1])["n"].to_pylist() == [
        index.manifest.shards[1].first_document + at for at in (2, 0, 1)
    ]
    assert index.text(1, 2) == documents[index.manifest.shards[1].first_document + 2].text


def test_metadata_is_kept_and_documents_without_id_are_numbered(tmp_path: Path) -> None:
    rows = [
        Document("one two", {"role": "user", "key": {"arm": "control", "index": 1}}),
        Document("two", {"role": None}),
    ]
    build_index(rows, tmp_path / "index", shard_bytes=10)
    add_documents([Document("two three", {"role": "x", "key": None})], tmp_path / "index")
    index = open_index(tmp_path / "index")
    assert [(one.shard, one.doc_id) for one in index.find("two")] == [(0, "0"), (1, "1"), (2, "0")]
    assert index.documents(0, [0]).to_pylist() == [
        {"doc_id": "0", "role": "user", "key": {"arm": "control", "index": 1}}
    ]


class Killed(Exception):
    pass


def kill_after(shards: int) -> object:
    def report(progress: Progress) -> None:
        if progress.shards == shards:
            raise Killed

    return report


@pytest.mark.parametrize("fold", ["none", "case,space"])
def test_a_killed_build_goes_on_with_its_finished_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fold: str
) -> None:
    documents, inputs = some(200), [Input("a.jsonl", "0" * 64, 10)]
    options = {"inputs": inputs, "shard_bytes": 12_000, "fold": fold}
    whole = build_index(documents, tmp_path / "whole", **options)
    path = tmp_path / "killed"
    with pytest.raises(Killed):
        build_index(documents, path, **options, progress=kill_after(2))
    with pytest.raises(FileNotFoundError, match="not finished"):
        open_index(path)
    (path / "shards" / "00002.part").mkdir(exist_ok=True)
    (path / "shards" / "00002.part" / "text.bin").write_bytes(b"half")
    sorted_: list[str] = []
    finish = store.finish_shard

    def watched(part: Path, shard: object, *rest: object) -> object:
        sorted_.append(shard.name)
        return finish(part, shard, *rest)

    monkeypatch.setattr(store, "finish_shard", watched)
    build_index(documents, path, **options)
    assert sorted_ == [shard.name for shard in whole.shards[2:]] != []
    assert files(path) == files(tmp_path / "whole")


def test_an_unfinished_build_of_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    documents, path = some(100), tmp_path / "index"
    with pytest.raises(Killed):
        build_index(documents, path, shard_bytes=10_000, progress=kill_after(1))
    with pytest.raises(ValueError, match="other inputs or options"):
        build_index(documents, path, shard_bytes=20_000)
    with pytest.raises(ValueError, match="other inputs or options"):
        build_index(documents, path, shard_bytes=10_000, inputs=[Input("b", "1" * 64, 1)])
    with pytest.raises(ValueError, match="00000 holds other documents"):
        build_index(documents[1:], path, shard_bytes=10_000)


def test_adding_and_dropping_give_the_counts_of_what_is_left(tmp_path: Path, oracle: type) -> None:
    first, more, path = some(60), some(50, seed=1), tmp_path / "index"
    queries = ["alpha beta", "gamma", "Epsilon", "漢", "."]
    build_index(first, path, shard_bytes=10_000, inputs=[Input("first", "0" * 64, 1)])
    before = files(path)
    with pytest.raises(Killed):
        add_documents(more, path, inputs=[Input("more", "1" * 64, 1)], progress=kill_after(1))
    assert open_index(path).count_many(queries) == oracle_counts(oracle, first, queries)
    manifest = add_documents(more, path, inputs=[Input("more", "1" * 64, 1)])
    assert open_index(path).count_many(queries) == oracle_counts(oracle, first + more, queries)
    assert [one.path for one in manifest.inputs] == ["first", "more"]
    for shard in manifest.shards:
        if shard.addition == 1:
            last = drop_shard(path, int(shard.name))
    assert [one.path for one in last.inputs] == ["first"]
    after = files(path)
    assert {name for name in after if after[name] != before[name]} == {"index.json"}
    verify(path)
    drop_shard(path, 0)
    number = manifest.shards[0].documents
    assert open_index(path).count_many(queries) == oracle_counts(oracle, first[number:], queries)
    with pytest.raises(LookupError, match="has no shard 0"):
        drop_shard(path, 0)
    again = add_documents(first[:number], path)
    assert again.shards[-1].name == f"{manifest.next_shard:05}"
    assert open_index(path).count_many(queries) == oracle_counts(oracle, first, queries)


def oracle_counts(oracle: type, documents: list[Document], queries: list[str]) -> list[int]:
    truth = oracle([document.text for document in documents])
    return [truth.count(query) for query in queries]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (Document(b"ab\xff", {"doc_id": "bad"}), r"document 1 \(doc_id 'bad'\) is not UTF-8: .* at byte 2"),
        (Document(b"\xed\xa0\x80", {"doc_id": "s"}), r"document 1 \(doc_id 's'\) is not UTF-8"),
        (Document("a\ud800", {"doc_id": "s"}), r"document 1 \(doc_id 's'\) is not UTF-8"),
        (Document("a", {"doc_id": "x", "other": 1}), "'other' is not among those of the first"),
        (Document("a", {"doc_id": 7}), "metadata that does not fit its column"),
    ],
)
def test_documents_that_cannot_be_indexed_are_named(tmp_path: Path, document: Document, says: str) -> None:
    schema = pa.schema([("doc_id", pa.string())])
    with pytest.raises(ValueError, match=says):
        build_index([Document("fine", {"doc_id": "a"}), document], tmp_path / "index", schema=schema)


def test_other_things_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="document 1 has no text"):
        build_index([pa.record_batch({"text": ["a", None]})], tmp_path / "null")
    with pytest.raises(ValueError, match="no column 'text' among a"):
        build_index([pa.record_batch({"a": ["a"]})], tmp_path / "column")
    with pytest.raises(ValueError, match="metadata columns change"):
        build_index([pa.record_batch({"text": ["a"]}), pa.record_batch({"text": ["a"], "b": [1]})], tmp_path / "change")
    with pytest.raises(ValueError, match="shard_bytes"):
        build_index([], tmp_path / "size", shard_bytes=2**31)
    with pytest.raises(ValueError, match="unknown folding accents"):
        build_index([], tmp_path / "fold", fold="accents")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(FileExistsError, match=r"thesis\.tex"):
        build_index([], tmp_path / "mine")
    build_index([Document("a")], tmp_path / "index")
    with pytest.raises(FileExistsError, match="an index already"):
        build_index([Document("a")], tmp_path / "index")
    with building.lock(tmp_path / "index"), pytest.raises(BlockingIOError, match="another process"):
        add_documents([Document("a")], tmp_path / "index")


def test_a_document_larger_than_a_shard_has_one_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [Document("a b"), Document("word " * 100), Document("c d"), Document("e")]
    manifest = build_index(documents, tmp_path / "index", shard_bytes=20)
    assert [shard.documents for shard in manifest.shards] == [1, 1, 2]
    monkeypatch.setattr(building, "LARGEST", 400)
    with pytest.raises(ValueError, match=r"document 1 \(doc_id '1'\) has 500 bytes; one shard holds 400"):
        build_index(documents, tmp_path / "small", shard_bytes=20)


def test_progress_counts_bytes_and_shards(tmp_path: Path) -> None:
    seen: list[Progress] = []
    documents = some(100)
    build_index(documents, tmp_path / "index", shard_bytes=10_000, progress=seen.append)
    size = sum(len(document.text.encode()) for document in documents)
    assert seen[-1] == Progress(size, size, len(open_index(tmp_path / "index").shards))
    assert seen == sorted(seen, key=lambda one: (one.read, one.indexed))
