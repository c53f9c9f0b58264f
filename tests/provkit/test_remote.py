"""Files at URLs: sources, builds and indexes from S3 and other stores are those of a local file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit import remote
from provkit.errors import InputError, ProvkitError
from provkit.index import DamagedIndex, Document, Input, background, build_index, open_index
from provkit.sources import FileOrigin, expand

if TYPE_CHECKING:
    from tests.conftest import Bench

fsspec = pytest.importorskip("fsspec")

ROWS = [{"prompt": f"p{at}", "answer": f"a{at}", "n": at} for at in range(20)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.fixture
def memory() -> str:
    """The URL of an empty folder in this process."""
    return f"memory://{uuid4().hex}"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PROVKIT_CACHE", str(path))
    return path


def some(number: int) -> list[Document]:
    return [
        Document(f"the {at * at % 97} is not {at % 13}, and {at} is one", {"doc_id": f"d{at}"}) for at in range(number)
    ]


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def stored(url: str) -> dict[str, bytes]:
    """Every file below a URL."""
    found, path = fsspec.core.url_to_fs(url)
    return {name[len(path) :].lstrip("/"): found.cat_file(name) for name in found.find(path)}


def arrow() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.table({"n": [1]}).schema) as writer:
        writer.write_table(pa.Table.from_pylist([{"n": row["n"]} for row in ROWS]))
    return sink.getvalue().to_pybytes()


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("text", ["s3://b/k", "gs://b/k", "memory://x", "file:///x", "S3://b/k", "https://h/x?a=1"])
def test_urls_and_what_is_none(text: str) -> None:
    assert remote.is_url(text)
    assert not any(map(remote.is_url, ["a/b.jsonl", "/a//b", "c:/x", "hf://datasets/o/n", "", "://x", Path("s3://b")]))


@pytest.mark.parametrize(
    ("name", "content"),
    [("d.jsonl", LINES), ("d.jsonl.gz", gzip.compress(LINES)), ("d.parquet", parquet()), ("d.arrow", arrow())],
)
def test_rows_are_those_of_the_same_file_here(tmp_path: Path, s3: str, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    remote.write_url(f"{s3}/rows/{name}", content)
    read = []
    for pattern in (name, f"{s3}/rows/{name}", f"{s3}/r*s/{name}"):
        (file,) = expand(pattern, tmp_path)
        origin = FileOrigin.open("x", file, None, False, None)
        read.append([row for chunk in origin.chunks() for row in chunk.batch.to_pylist()])
        assert (origin.input.sha256, origin.input.size) == remote.digest_url(f"{s3}/rows/{name}")
    assert len(read[0]) == 20
    assert read[0] == read[1] == read[2]


def test_a_folder_or_a_pattern_names_its_files(memory: str) -> None:
    for name in ("a/1.jsonl", "a/2.jsonl", "b/1.jsonl"):
        remote.write_url(f"{memory}/{name}", LINES)
    assert [file.name for file in expand(f"{memory}/*/1.jsonl", Path())] == ["a/1.jsonl", "b/1.jsonl"]
    assert [file.name for file in expand(memory, Path())] == ["a/1.jsonl", "a/2.jsonl", "b/1.jsonl"]
    assert [file.name for file in expand(f"{memory}/a/2.jsonl", Path())] == ["2.jsonl"]


def test_a_file_that_changes_while_it_is_read_is_refused(memory: str) -> None:
    remote.write_url(f"{memory}/d.jsonl", LINES)
    (file,) = expand(f"{memory}/d.jsonl", Path())
    origin = FileOrigin.open("x", file, None, False, None)
    remote.write_url(f"{memory}/d.jsonl", LINES + LINES)
    with pytest.raises(InputError, match="changed while it was read"):
        list(origin.chunks())


def test_a_build_from_s3_to_s3_has_the_bytes_of_a_local_one(bench: Bench, s3: str) -> None:
    bench.rows(ROWS)
    remote.put(bench.folder / "data.jsonl", f"{s3}/theirs/data.jsonl")
    bench.recipe(sources={"data": {"input": "rows"}}, steps=[{"dedup": {"by": "prompt"}}, "shuffle"])
    here = bench.invoke("build", "recipe.yaml", "--set", "data=data.jsonl", "-o", "here")
    assert here.exit_code == 0, here.output
    there = bench.invoke("build", "recipe.yaml", "--set", f"data={s3}/theirs/data.jsonl", "-o", f"{s3}/built")
    assert there.exit_code == 0, there.output
    assert stored(f"{s3}/built") == files(bench.folder / "here")
    indexed = [
        bench.invoke("index", "build", built, "-o", name) for built, name in ((f"{s3}/built", "a"), ("here", "b"))
    ]
    assert [one.exit_code for one in indexed] == [0, 0]
    text = [(bench.folder / name / "shards/00000/documents.parquet").read_bytes() for name in "ab"]
    assert text[0] == text[1]


def test_a_recipe_holds_no_url_of_its_own(bench: Bench) -> None:
    bench.recipe(sources={"data": {"files": "s3://bucket/data.jsonl"}})
    done = bench.invoke("build", "recipe.yaml", "-o", "out")
    assert (done.exit_code, "bind it with --set NAME=PATH" in done.stderr) == (2, True)


@pytest.mark.parametrize(("samples", "fold"), [(20_000, "none"), (300, "none"), (300, "case,space")])
def test_an_index_at_a_url_is_the_same_bytes(
    tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch, samples: int, fold: str
) -> None:
    """Also where the background samples the corpus and reads places of it alone."""
    monkeypatch.setattr(background, "SAMPLES", samples)
    options: dict[str, Any] = {"shard_bytes": 4_000, "fold": fold, "inputs": [Input("a", "0" * 64, 1)]}
    build_index(some(300), tmp_path / "here", **options)
    made = build_index(some(300), memory, **options)
    assert stored(memory) == files(tmp_path / "here")
    assert made.tokens == 3_000 and len(made.shards) == 3
    assert open_index(memory).count("is not") == 300
    with pytest.raises(FileExistsError, match="is an index already"):
        build_index(some(300), memory, **options)


def test_a_killed_build_at_a_url_goes_on_with_its_finished_shards(
    tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provkit.index import distant

    build_index(some(300), tmp_path / "here", shard_bytes=4_000)
    done: list[str] = []
    sort = distant.sort_shard

    def watched(part: Path, own: Path, shard: Any, *rest: Any) -> Any:
        if len(done) == 2:
            done.append("killed")
            raise KeyboardInterrupt
        done.append(shard.name)
        return sort(part, own, shard, *rest)

    monkeypatch.setattr(distant, "sort_shard", watched)
    with pytest.raises(KeyboardInterrupt):
        build_index(some(300), memory, shard_bytes=4_000)
    assert remote.read_url(f"{memory}/index.json") is None
    build_index(some(300), memory, shard_bytes=4_000)
    assert done == ["00000", "00001", "killed", "00002"]
    assert stored(memory) == files(tmp_path / "here")


def test_what_an_index_at_a_url_holds(bench: Bench, memory: str, cache: Path) -> None:
    made = build_index(some(300), memory, shard_bytes=4_000)
    told = bench.invoke("index", "info", memory, "--format", "json")
    held = [one["documents"] for one in json.loads(told.stdout)["shards"]]
    assert (len(held), sum(held), held) == (3, 300, [one.documents for one in made.shards])
    assert not (cache / "copies").exists()  # the shards were left where they are
    none = bench.invoke("index", "info", f"{memory}-none")
    assert (none.exit_code, "holds no index.json" in none.stderr) == (2, True)


def test_an_index_is_copied_once_and_checked(tmp_path: Path, memory: str, cache: Path) -> None:
    build_index(some(100), memory)
    assert open_index(memory).count("is one") == 100
    found, path = fsspec.core.url_to_fs(memory)
    for name in found.find(path):
        if not name.endswith("index.json"):
            found.rm_file(name)
    assert open_index(memory).count("is one") == 100  # the copy
    other = build_index(some(50), f"{memory}-other")
    remote.write_url(f"{memory}-other/shards/00000/text.bin", bytes(other.shards[0].files["text.bin"].size))
    with pytest.raises(DamagedIndex, match="its content is not what was written"):
        open_index(f"{memory}-other")
    assert len(list((cache / "copies").iterdir())) == 1  # a damaged copy does not stay


def test_a_folder_is_put_whole_and_what_is_not_ours_stays(tmp_path: Path, memory: str) -> None:
    folder = tmp_path / "made"
    (folder / "data").mkdir(parents=True)
    for name in ("data/a", "data/b", "last"):
        (folder / name).write_text(name)
    remote.put_folder(folder, memory, "last")
    (folder / "data/b").unlink()
    remote.put_folder(folder, memory, "last")
    assert stored(memory) == {"data/a": b"data/a", "last": b"last"}
    remote.write_url(f"{memory}-theirs/thesis", b"1")
    with pytest.raises(InputError, match="files stand there that provkit did not make: thesis"):
        remote.put_folder(folder, f"{memory}-theirs", "last")
    assert stored(f"{memory}-theirs") == {"thesis": b"1"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memory://nothing/here.jsonl", "memory://nothing/here.jsonl: no file there"),
        ("nosuch://x/y", "nosuch://x/y: ValueError: Protocol not known"),
        ("https://[/x?signature=1", "https://[/x: "),
    ],
)
def test_what_is_not_there_is_said(url: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        remote.find(url)
    assert str(told.value).startswith(said)
    assert "signature" not in str(told.value).partition("\n")[0].partition(": ")[0]


def test_a_bucket_that_is_not_there_is_said(s3: str) -> None:
    with pytest.raises(InputError, match=r"s3://nowhere/x.jsonl: "):
        remote.open_url("s3://nowhere/x.jsonl").read()
    with pytest.raises(InputError, match=r"s3://nowhere/shards/00000/text.bin: no such file"):
        build_index(some(10), "s3://nowhere")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Iterator[None]:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(ProvkitError, match=r"Install s3fs to access S3\n  pip install 'provkit\[cluster\]'"):
        remote.read_url("s3://b/k")


def test_a_url_is_written_down_without_its_signature() -> None:
    assert remote.shown("https://host/a.jsonl?X-Signature=1") == "https://host/a.jsonl"
