"""What a source can be: files, a hub dataset, a generator, or another build."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit.canonical import digest, digest_file
from provkit.chance import Chance
from provkit.errors import FaultyBuilder, InputError, plain
from provkit.sources.batches import RESERVED, Batcher, Chunk, arrow_chunk
from provkit.sources.files import Bytes, format_of
from provkit.sources.read import read_file
from provkit.table import Input


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """One file."""

    file: Bytes
    input: Input
    kind: str
    fill: bool

    @classmethod
    def open(cls, source: str, file: Bytes, kind: str | None, fill: bool, licence: str | None) -> FileOrigin:
        """Digests the file and settles its format.

        Raises:
            InputError: when its name tells no format and none is stated, or it cannot be read.
        """
        try:
            sha256, size = digest_file(file.path)
        except OSError as error:
            raise InputError(error.strerror or str(error), file=file.name) from None
        return cls(
            file, Input(source, sha256, size, file=file.name, licence=licence), kind or format_of(file.path), fill
        )

    def chunks(self) -> Iterator[Chunk]:
        """The file's rows."""
        return read_file(self.file, self.kind, self.fill)


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
        manifest = orjson.loads((folder / "provenance.json").read_bytes())
        facts = manifest["predicate"]
        origins = []
        for output in facts["outputs"]:
            if arm not in (None, output["arm"]) or split not in (None, output["split"]):
                continue
            path = folder / output["file"]
            sha256, size = digest_file(path)
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
        opened = pq.ParquetFile(self.path)
        content = [name for name in opened.schema_arrow.names if name not in RESERVED]
        for batch in opened.iter_batches(columns=[*content, "row_id"]):
            chunk = arrow_chunk(batch.select(content), self.input.file or "")
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
        from huggingface_hub.errors import HfHubHTTPError

        try:
            commit = HfApi().dataset_info(name, revision=revision).sha
            dataset = load_dataset(name, config, split=split, revision=commit)
        except (HfHubHTTPError, OSError, ValueError) as error:
            said = f"the Hub does not give this dataset: {plain(str(error).splitlines()[0])}"
            do = "check name, revision, config and split; a gated one needs its terms accepted and HF_TOKEN set"
            raise InputError(said, file=f"hf://datasets/{name}", do=do) from None
        shown = f"hf://datasets/{name}/{config or 'default'}/{split}"
        found = hashlib.sha256()
        for batch in dataset.with_format("arrow").iter(8192):
            for row in batch.to_pylist():
                found.update(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n")
        size = dataset.data.nbytes
        own = Input(source, found.hexdigest(), size, shown, commit, licence, kind="hub")
        return cls(dataset, own)

    def chunks(self) -> Iterator[Chunk]:
        """The split's rows."""
        for table in self.dataset.with_format("arrow").iter(8192):
            for batch in table.combine_chunks().to_batches():
                yield arrow_chunk(
                    pa.RecordBatch.from_arrays(batch.columns, names=batch.schema.names), self.input.file or ""
                )
