"""What a source can be: files, a hub dataset, a generator, or another build."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from provkit import parquet
from provkit.canonical import canonical, digest, digest_file
from provkit.chance import Chance
from provkit.errors import FaultyBuilder, InputError, plain
from provkit.sources.batches import RESERVED, Batcher, Chunk, arrow_chunk
from provkit.sources.files import Bytes, format_of
from provkit.sources.read import read_file
from provkit.table import BATCH, Input

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """One file."""

    file: Bytes
    input: Input
    kind: str
    fill: bool
    stamp: tuple[int, int] | None = None  # size and time of change when it was digested

    @classmethod
    def open(cls, source: str, file: Bytes, kind: str | None, fill: bool, licence: str | None) -> FileOrigin:
        """Digests the file and settles its format.

        Raises:
            InputError: when its name tells no format and none is stated, or it cannot be read.
        """
        try:
            stamp = file.stamp()
            sha256, size = file.digest()
        except OSError as error:
            raise InputError(error.strerror or str(error), file=file.name) from None
        one = Input(source, sha256, size, file=file.name, licence=licence)
        return cls(file, one, kind or format_of(file.path), fill, stamp)

    def chunks(self) -> Iterator[Chunk]:
        """The file's rows.

        Raises:
            InputError: for what is wrong in it, or when it was changed since it was digested.
        """
        yield from read_file(self.file, self.kind, self.fill)
        if self.stamp is not None and self.file.stamp() != self.stamp:
            raise InputError("changed while it was read", file=self.file.name, do="build again when it is at rest")


@dataclass(frozen=True, slots=True)
class GeneratorOrigin:
    """A generator with its parameters: the same rows for the same seed, however many are taken."""

    builder: Any
    rows: int
    seed: int
    input: Input

    @classmethod
    def open(
        cls, source: str, name: str, builder: Any, params: dict[str, Any], rows: int, seed: int
    ) -> GeneratorOrigin:
        """A generator of a recipe; its digest covers name, parameters and seed, not the number of rows."""
        sha256 = digest({"generator": name, "params": params, "seed": seed})
        return cls(builder, rows, seed, Input(source, sha256, 0, kind="generator"))

    def chunks(self) -> Iterator[Chunk]:
        """`rows` rows.

        Raises:
            InputError: when the generator has fewer distinct rows.
            FaultyBuilder: when it raises.
        """
        batcher, made = Batcher(self.input.source, fill=False), 0
        rows = self.builder.generate(Chance.of(self.seed, "generate", self.input.sha256))
        try:
            for row in islice(rows, self.rows):
                made += 1
                if chunk := batcher.add(row, None, 0):
                    yield chunk
        except (InputError, GeneratorExit):
            raise
        except Exception as error:
            said = f"the generator {type(self.builder).__name__} failed at row {made}: {error!r}"
            raise FaultyBuilder(said) from error
        if made < self.rows:
            said = f"{self.rows:,} rows asked for, the generator has {made:,} distinct ones"
            raise InputError(said, field=f"source {self.input.source}", do=f"ask for at most {made}")
        yield from batcher.rest()


@dataclass(frozen=True, slots=True)
class BuildOrigin:
    """One arm and split of a build directory, read with the keys of its rows."""

    path: Path
    input: Input

    @classmethod
    def open_all(
        cls, source: str, folder: Path, arm: str | None, split: str | None, licence: str | None
    ) -> list[BuildOrigin]:
        """The arms and splits of a build, restricted to one arm or one split where they are given.

        Raises:
            InputError: when it has no such arm or split, or a file of it is not the one that its manifest names.
        """
        facts = _facts(folder)
        origins = []
        for output in facts["outputs"]:
            if arm not in (None, output["arm"]) or split not in (None, output["split"]):
                continue
            path = folder / output["file"]
            sha256, size = digest_file(path) if path.is_file() else ("", 0)
            if sha256 != output["sha256"]:
                do = f"provkit verify {folder.name} says more"
                raise InputError("not the file that provenance.json names", file=output["file"], do=do)
            key = {"build_id": facts["build_id"], "arm": output["arm"], "split": output["split"]}
            own = licence or facts["recipe"]["licence"]
            origins.append(cls(path, Input(source, sha256, size, output["file"], licence=own, kind="build", **key)))
        if not origins:
            there = sorted({f"{output['arm']}/{output['split']}" for output in facts["outputs"]})
            raise InputError(f"the build {folder.name} has no such rows; it has {', '.join(there)}", field=source)
        return origins

    def chunks(self) -> Iterator[Chunk]:
        """The rows' content columns."""
        first = 0
        for batch in parquet.opened(self.path).iter_batches(batch_size=BATCH):
            content = [name for name in batch.schema.names if name not in RESERVED]
            chunk = arrow_chunk(batch.select(content), self.input.file or "", first)
            first += len(batch)
            yield replace(chunk, row_ids=batch.column("row_id"))


@dataclass(frozen=True, slots=True)
class HubOrigin:
    """A split of a dataset on the Hugging Face Hub at a pinned commit."""

    dataset: Any
    input: Input

    @classmethod
    def open(
        cls, source: str, name: str, revision: str | None, config: str | None, split: str, licence: str | None
    ) -> HubOrigin:
        """Fetches the dataset at a commit; a branch or tag is resolved to the commit that it names now.

        Raises:
            InputError: when the Hub does not have it, or does not let us read it.
        """
        from datasets import load_dataset
        from huggingface_hub import HfApi

        shown = f"hf://datasets/{plain(name)}"
        if not HUB_NAME.fullmatch(name):
            raise InputError("no name of a dataset", file=shown, do="it is ORGANISATION/NAME, as on the Hub")
        try:
            commit = HfApi().dataset_info(name, revision=revision).sha
            dataset = load_dataset(f"hf://datasets/{name}", config, split=split, revision=commit)
        except Exception as error:  # the Hub's own, the network's, the loader's: no type is common to them
            why = "; ".join(
                str(one).partition("\n")[0] or repr(one) for one in (error, error.__cause__) if one is not None
            )
            said = f"the Hub does not give this dataset: {plain(why, 300)}"
            do = "check name, revision, config and split; a gated one needs its terms accepted and HF_TOKEN set"
            raise InputError(said, file=shown, do=do) from error
        if any(str(commit) not in cached["filename"] for cached in dataset.cache_files):
            said = f"the Hub does not give this dataset at {commit}, only an older copy is in the cache"
            raise InputError(said, file=shown, do="try again later")  # the loader takes such a copy with a warning
        bare = Input(source, "", 0, f"{shown}/{config or 'default'}/{split}", commit, licence, kind="hub")
        found = hashlib.sha256()
        for chunk in cls(dataset, bare).chunks():
            for row in chunk.batch.to_pylist():
                found.update(canonical(row) + b"\n")
        return cls(dataset, replace(bare, sha256=found.hexdigest(), size=dataset.data.nbytes))

    def chunks(self) -> Iterator[Chunk]:
        """The split's rows."""
        first = 0
        for table in self.dataset.with_format("arrow").iter(BATCH):
            for batch in table.combine_chunks().to_batches():
                yield arrow_chunk(batch.replace_schema_metadata(), self.input.file or "", first)
                first += len(batch)


def _facts(folder: Path) -> dict[str, Any]:
    """What the manifest of a build says, its digest checked.

    Raises:
        InputError: when it is damaged, or names a file outside its folder.
    """
    path = folder / "provenance.json"
    try:
        statement = orjson.loads(path.read_bytes())
        whole = digest({key: value for key, value in statement.items() if key != "digest"}) == statement["digest"]
        facts: dict[str, Any] = statement["predicate"]
        files = [Path(output["file"]) for output in facts["outputs"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        whole, facts, files = False, {}, []
    if not whole or any(file.is_absolute() or ".." in file.parts for file in files):
        raise InputError("damaged: its content does not fit its digest", file=path, do="build that one again")
    return facts
