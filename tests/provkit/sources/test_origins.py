"""What a source can be beside a file: a generator, another build, a dataset on a Hub."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from provkit.canonical import canonical, digest
from provkit.chance import Chance
from provkit.errors import FaultyBuilder, InputError
from provkit.registry import load
from provkit.sources import BuildOrigin, GeneratorOrigin

# generators


@dataclass
class Counting:
    """Counts, and then does what it is told."""

    last: int
    then: object = None

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        for n in range(self.last):
            yield {"n": n, "drawn": chance.child(n).integer(0, 999)}
        if isinstance(self.then, Exception):
            raise self.then
        if self.then is not None:
            yield self.then  # type: ignore[misc]


def rows(origin: Any) -> list[dict[str, Any]]:
    return [row for chunk in origin.chunks() for row in chunk.batch.to_pylist()]


def test_a_generator_gives_the_same_rows_however_many_are_taken() -> None:
    some = GeneratorOrigin.open("s", "counting", Counting(100), {}, 10, 42)
    more = GeneratorOrigin.open("s", "counting", Counting(100), {}, 90, 42)
    assert some.input == more.input and rows(some) == rows(more)[:10]
    assert [row["n"] for row in rows(more)] == list(range(90))
    assert rows(GeneratorOrigin.open("s", "counting", Counting(100), {}, 10, 43)) != rows(some)


def test_the_digest_of_a_generator_covers_name_parameters_and_seed() -> None:
    one = GeneratorOrigin.open("s", "counting", Counting(9), {"x": 1}, 5, 42).input
    assert one.sha256 == hashlib.sha256(b'{"generator":"counting","params":{"x":1},"seed":42}').hexdigest()
    assert (one.kind, one.size, one.file) == ("generator", 0, None)


def test_a_generator_with_too_few_rows_says_how_many_it_has() -> None:
    with pytest.raises(InputError) as error:
        rows(GeneratorOrigin.open("tasks", "counting", Counting(12_000), {}, 13_000, 42))
    assert (
        str(error.value)
        == "source tasks: 13,000 rows asked for, the generator has 12,000 distinct ones\n  ask for at most 12000"
    )


@pytest.mark.parametrize(
    ("then", "kind", "said"),
    [
        (ZeroDivisionError("x"), FaultyBuilder, "the generator Counting failed at row 3: ZeroDivisionError"),
        ("no row", FaultyBuilder, "the generator Counting failed at row 4"),
        ({"m": 1}, InputError, "tasks: row 3: a row of another schema: without n, drawn and with m"),
        ({"n": "x", "drawn": 1}, InputError, "tasks: n: row 3: str where int was before"),
        ({"n": float("nan"), "drawn": 1}, InputError, "tasks: n: row 3: NaN or an infinity"),
        ({"n": b"x", "drawn": 1}, InputError, "tasks: n: row 3: bytes where int was before"),
        ({"n": 2**64, "drawn": 1}, InputError, "tasks: n: row 3: an integer beyond"),
        (InputError("asks for a file", file="x"), InputError, "x: asks for a file"),
    ],
)
def test_a_generator_that_fails(then: object, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as error:
        rows(GeneratorOrigin.open("tasks", "counting", Counting(3, then), {}, 4, 42))
    assert str(error.value).startswith(said)


def test_the_shipped_generator() -> None:
    tasks = load("code_tasks")()
    found = rows(GeneratorOrigin.open("tasks", "code_tasks", tasks, {}, 50, 42))
    assert len({canonical(row) for row in found}) == 50 and found[0].keys() == {"messages"}


# builds


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of import-messages, made by the command as a user would."""
    folder = tmp_path_factory.mktemp("built")
    turns = [[{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": f"a{i}"}] for i in range(20)]
    (folder / "rows.jsonl").write_text("".join(json.dumps({"messages": one}) + "\n" for one in turns))
    settings = ["--set", "data=rows.jsonl", "--set", "splits={train: 0.5, test: 0.5}", "--set", "licence=CC-BY-4.0"]
    command = [
        sys.executable,
        "-c",
        "from provkit.cli import main; main()",
        "build",
        "import-messages",
        *settings,
        "-o",
        "out",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_a_build_is_read_with_the_keys_of_its_rows(built: Path) -> None:
    facts = orjson.loads((built / "provenance.json").read_bytes())["predicate"]
    origins = BuildOrigin.open_all("s", built, None, None, None)
    assert [(one.input.arm, one.input.split) for one in origins] == [("data", "train"), ("data", "test")]
    for one in origins:
        path = built / (one.input.file or "")
        assert (
            one.input.build_id == facts["build_id"] and one.input.licence == "CC-BY-4.0" and one.input.kind == "build"
        )
        assert one.input.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        written = pq.read_table(path)
        (chunk,) = one.chunks()
        assert chunk.batch.schema.names == ["messages"]
        assert chunk.batch.column("messages").to_pylist() == written.column("messages").to_pylist()
        assert chunk.row_ids is not None and chunk.row_ids.to_pylist() == written.column("row_id").to_pylist()


def test_one_arm_or_split_of_a_build(built: Path) -> None:
    (only,) = BuildOrigin.open_all("s", built, "data", "test", "MIT")
    assert (only.input.split, only.input.licence) == ("test", "MIT")
    with pytest.raises(InputError, match="s: the build out has no such rows; it has data/test, data/train"):
        BuildOrigin.open_all("s", built, "control", None, None)


def copied(built: Path, folder: Path) -> Path:
    import shutil

    return Path(shutil.copytree(built, folder / "copy"))


def test_a_build_whose_file_was_changed_is_refused(built: Path, tmp_path: Path) -> None:
    folder = copied(built, tmp_path)
    path = folder / "data/data/train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(
        InputError,
        match=r"train-00000-of-00001.parquet: not the file that provenance.json names\n  provkit verify copy",
    ):
        BuildOrigin.open_all("s", folder, None, None, None)
    path.unlink()
    with pytest.raises(InputError, match="not the file that provenance.json names"):
        BuildOrigin.open_all("s", folder, None, None, None)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"3", b"{}", b'{"digest":"x"}', b'{"digest":"x","predicate":{"outputs":[{}]}}']
)
def test_a_build_with_a_damaged_manifest_is_refused(built: Path, tmp_path: Path, raw: bytes) -> None:
    folder = copied(built, tmp_path)
    (folder / "provenance.json").write_bytes(raw)
    with pytest.raises(InputError, match="provenance.json: damaged: its content does not fit its digest"):
        BuildOrigin.open_all("s", folder, None, None, None)


@pytest.mark.parametrize("change", [(b'"seed":42', b'"seed":43'), (b"data/data/train", b"data/dada/train")])
def test_a_build_with_a_changed_manifest_is_refused(built: Path, tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    folder = copied(built, tmp_path)
    path = folder / "provenance.json"
    assert change[0] in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(*change))
    with pytest.raises(InputError, match="damaged"):
        BuildOrigin.open_all("s", folder, None, None, None)


@pytest.mark.parametrize("file", ["/etc/passwd", "../secret.parquet", "data/../../secret.parquet"])
def test_a_build_made_to_point_elsewhere_is_refused(built: Path, tmp_path: Path, file: str) -> None:
    """A manifest forged with a right digest, as one who hands out a build could do."""
    folder = copied(built, tmp_path)
    (tmp_path / "secret.parquet").write_bytes(b"x")
    statement = orjson.loads((folder / "provenance.json").read_bytes())
    del statement["digest"]
    statement["predicate"]["outputs"][0] |= {"file": file, "sha256": hashlib.sha256(b"x").hexdigest()}
    (folder / "provenance.json").write_bytes(canonical({**statement, "digest": digest(statement)}) + b"\n")
    with pytest.raises(InputError, match="damaged"):
        BuildOrigin.open_all("s", folder, None, None, None)


# the Hub

READ = """
import json, sys
from provkit.errors import InputError
from provkit.sources import HubOrigin
for words in sys.argv[1:]:
    name, revision, config, split = words.split(",")
    try:
        origin = HubOrigin.open("s", name, revision or None, config or None, split, "MIT")
        rows = [row for chunk in origin.chunks() for row in chunk.batch.to_pylist()]
        one = origin.input
        print(json.dumps([one.revision, one.file, one.sha256, one.kind, rows]))
    except InputError as error:
        print(str(error).split(chr(10))[0])
"""
CARD = b"""---
configs:
- config_name: small
  data_files: [{split: train, path: small/train.jsonl}, {split: test, path: small/test.jsonl}]
---
"""


def test_a_dataset_of_a_hub_is_pinned_to_a_commit(hub: Any, tmp_path: Path) -> None:
    import io

    import pyarrow as pa

    sink = io.BytesIO()
    pq.write_table(pa.table({"x": [b"bytes"]}), sink)
    files = {"README.md": CARD, "small/train.jsonl": b'{"prompt":"a","n":1}\n{"prompt":"b","n":null}\n',
             "small/test.jsonl": b'{"prompt":"t","n":3}\n'}  # fmt: skip
    hub.commit("org/table", {"train.parquet": sink.getvalue()})
    first = hub.commit("org/set", files, tag="v1")
    second = hub.commit("org/set", files | {"small/train.jsonl": b'{"prompt":"new","n":1}\n'})
    (tmp_path / "org" / "set").mkdir(parents=True)
    (tmp_path / "org" / "set" / "train.jsonl").write_text('{"prompt":"a file of that name here","n":1}\n')
    asked = ["org/set,,small,train", "org/set,v1,small,train", f"org/set,{first},small,test", "org/set,v9,small,train",
             "org/set,,small,dev", "org/set,,large,train", "org/none,,,train", "../../etc,,,train", "org/set/x,,,train",
             "org/table,,,train"]  # fmt: skip
    command = [sys.executable, "-c", READ, *asked]
    environment = hub.environment(tmp_path / "home")
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().split("\n")
    train, tagged, test = (json.loads(line) for line in lines[:3])
    rows = [{"n": 1, "prompt": "a"}, {"n": None, "prompt": "b"}]
    spelled = b"".join(canonical(row) + b"\n" for row in rows)
    assert train[0] == second and train[4] == [{"prompt": "new", "n": 1}]
    assert tagged == [first, "hf://datasets/org/set/small/train", hashlib.sha256(spelled).hexdigest(), "hub", rows]
    assert test[0] == first and test[4] == [{"prompt": "t", "n": 3}]
    assert all(
        line.startswith("hf://datasets/") and "the Hub does not give this dataset" in line for line in lines[3:7]
    )
    assert all(line.endswith("no name of a dataset") for line in lines[7:9])
    assert lines[9].endswith("x: a column of type binary")


FLAKY = """
import sys
from provkit.errors import InputError
from provkit.sources import HubOrigin
read = lambda: HubOrigin.open("s", "org/set", None, None, "train", None).input.revision
print(read())
input()
try:
    print(read())
except InputError as error:
    print(str(error).split(chr(10))[0])
"""


def test_an_older_copy_in_the_cache_is_not_taken_for_a_new_commit(hub: Any, tmp_path: Path) -> None:
    """When the Hub fails in the middle, `datasets` goes on with what it has, with a warning only."""
    first = hub.commit("org/set", {"train.jsonl": b'{"n":1}\n'})
    command = [sys.executable, "-c", FLAKY]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "text": True,
    }
    with subprocess.Popen(command, env=hub.environment(tmp_path), **pipes) as process:
        assert process.stdout.readline().strip() == first
        second = hub.commit("org/set", {"train.jsonl": b'{"n":2}\n'})
        hub.broken = "/tree/"
        said = process.communicate("\n", timeout=60)[0]
    assert said.strip() == (
        f"hf://datasets/org/set: the Hub does not give this dataset at {second}, only an older copy is in the cache"
    )


def test_a_hub_that_is_not_there(tmp_path: Path, hub: Any) -> None:
    environment = hub.environment(tmp_path) | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", READ, "org/set,,,train"], env=environment, capture_output=True, text=True
    )
    assert done.stdout.startswith("hf://datasets/org/set: the Hub does not give this dataset: "), done.stderr
