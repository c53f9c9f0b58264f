"""index.json and shard.json: what an index is made of, with the size and sha256 of every file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from provkit.canonical import canonical, digest
from provkit.index.model import DamagedIndex

FORMAT = 1
INDEX, SHARD, SHARDS = "index.json", "shard.json", "shards"
CLASSES, BACKGROUND = "classes.bin", "background.parquet"


@dataclass(frozen=True, slots=True)
class File:
    """Size in bytes and sha256 of a file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Input:
    """A corpus input, as the caller names it; the engine only records and compares it."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Options:
    """What shards of one index have in common.

    Attributes:
        shard_bytes: a shard is closed before its text would grow beyond this.
        fold: the foldings applied, out of "case" and "space".
        step: one key of the prefix directory for so many suffixes.
    """

    shard_bytes: int
    fold: tuple[str, ...]
    step: int


@dataclass(frozen=True, slots=True)
class Shard:
    """A finished shard.

    Attributes:
        name: its directory in shards/, five digits.
        addition: which entry of the manifest's additions its documents came from.
        first_document, documents: which documents of that addition it holds.
        text_bytes: size of its documents as indexed, without separators.
        tokens: how many tokens, which is the number of suffixes.
        key: digest of the inputs, options and columns it was made with; a resumed build must have the same.
        files: by name within its directory.
    """

    name: str
    addition: int
    first_document: int
    documents: int
    text_bytes: int
    tokens: int
    key: str
    files: Mapping[str, File]


@dataclass(frozen=True, slots=True)
class Addition:
    """One call of `build_index` or `add_documents`: its inputs, and how many documents they gave."""

    inputs: tuple[Input, ...]
    documents: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of index.json.

    Attributes:
        unicode: version of the character classes.
        next_shard: number of the next shard; the number of a dropped one is not used again.
        files: those beside index.json.
    """

    options: Options
    unicode: str
    additions: tuple[Addition, ...]
    shards: tuple[Shard, ...]
    next_shard: int
    files: Mapping[str, File]

    @property
    def documents(self) -> int:
        """Documents in all shards."""
        return sum(shard.documents for shard in self.shards)

    @property
    def text_bytes(self) -> int:
        """Bytes of document text in all shards."""
        return sum(shard.text_bytes for shard in self.shards)

    @property
    def tokens(self) -> int:
        """Tokens in all shards."""
        return sum(shard.tokens for shard in self.shards)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Inputs of every addition that still has a shard, in order."""
        kept = {shard.addition for shard in self.shards}
        return tuple(one for at, addition in enumerate(self.additions) if at in kept for one in addition.inputs)

    def paths(self) -> dict[str, File]:
        """Every file of the index but index.json, by path within it."""
        paths = dict(self.files)
        for shard in self.shards:
            paths |= {f"{SHARDS}/{shard.name}/{name}": file for name, file in shard.files.items()}
        return paths

    def write(self, path: Path) -> None:
        """Writes index.json at once: a reader sees the old one or the new one."""
        body = {"provkit": "index", "format": FORMAT, **asdict(self)}
        write_whole(path / INDEX, canonical({**body, "digest": digest(body)}))

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Reads index.json.

        Raises:
            FileNotFoundError: when there is none.
            DamagedIndex: when it is cut or was changed.
        """
        try:
            raw = (path / INDEX).read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(f"{path} holds no {INDEX}: it is no index, or its build has not finished") from None
        return cls.parse(raw, path / INDEX)

    @classmethod
    def parse(cls, raw: bytes, name: object) -> Manifest:
        """What the bytes of an index.json say.

        Raises:
            DamagedIndex: when it is cut or was changed; it is called `name`.
        """
        try:
            body = orjson.loads(raw)
            if body.pop("digest") != digest(body) or body.pop("provkit") != "index":
                raise DamagedIndex(f"{name}: its content does not have the digest that it states")
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
            raise DamagedIndex(f"{name}: this is not the description of an index") from None
        if body.pop("format") != FORMAT:
            raise DamagedIndex(f"{name}: made by another version of provkit; build the index again")
        options = body["options"]
        return cls(
            options=Options(options["shard_bytes"], tuple(options["fold"]), options["step"]),
            unicode=body["unicode"],
            additions=tuple(
                Addition(tuple(Input(**one) for one in addition["inputs"]), addition["documents"])
                for addition in body["additions"]
            ),
            shards=tuple(map(read_shard, body["shards"])),
            next_shard=body["next_shard"],
            files=read_files(body["files"]),
        )


def read_files(body: Mapping[str, Any]) -> dict[str, File]:
    """Files by name, from their JSON."""
    return {name: File(**file) for name, file in body.items()}


def read_shard(body: Mapping[str, Any]) -> Shard:
    """A shard from its JSON."""
    return Shard(**{**body, "files": read_files(body["files"])})


def finished_shard(path: Path) -> Shard | None:
    """The shard in a directory, from its shard.json; None where there is none that can be read."""
    try:
        return parsed_shard((path / SHARD).read_bytes())
    except (OSError, orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        return None


def parsed_shard(body: bytes) -> Shard:
    """A shard from the bytes of its shard.json, with that file among its files."""
    return _with_itself(read_shard(orjson.loads(body)), body)


def write_shard(path: Path, shard: Shard) -> Shard:
    """Writes shard.json, and returns the shard with that file among its files."""
    body = canonical(asdict(shard))
    write_whole(path / SHARD, body)
    return _with_itself(shard, body)


def _with_itself(shard: Shard, body: bytes) -> Shard:
    return replace(shard, files={**shard.files, SHARD: File(len(body), hashlib.sha256(body).hexdigest())})


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name and renames it."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def file_of(path: Path) -> File:
    """Size and sha256 of a file on disk."""
    with path.open("rb") as file:
        return File(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


def check(path: Path, files: Iterable[tuple[str, File]]) -> None:
    """Compares files with their sizes and digests.

    Raises:
        DamagedIndex: naming the first that differs.
    """
    for name, file in files:
        try:
            found = file_of(path / name)
        except OSError as error:
            raise DamagedIndex(f"{path / name}: {error.strerror or error}") from None
        if found.size != file.size:
            raise DamagedIndex(
                f"{path / name}: {found.size:,} bytes, {file.size:,} were written; copy or build it again"
            )
        if found.sha256 != file.sha256:
            raise DamagedIndex(f"{path / name}: its content is not what was written; copy or build it again")
