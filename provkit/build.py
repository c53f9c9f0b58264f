"""Runs a recipe: reads its sources, runs its steps, and writes the build directory whole or not at all."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from provkit import card, manifest, processes, remote
from provkit.arrange import pair, split
from provkit.canary import canary_of, canary_steps
from provkit.canonical import canonical, digest_file
from provkit.chain import Chain, Count, Labelled, Stage, Workshop, alike, labelled
from provkit.data import output, write_drops, write_rows
from provkit.errors import InputError, ProvkitError, plain
from provkit.llm import Teacher, record
from provkit.manifest import Output
from provkit.recipe import Recipe, Source
from provkit.sources import (
    BuildOrigin,
    FileOrigin,
    GeneratorOrigin,
    HubOrigin,
    IndexOrigin,
    Origin,
    SourceRows,
    expand,
    spool,
)
from provkit.sources.files import outside
from provkit.table import Input, Rows
from provkit.target import clear, writing

AUDIT = "audit.json"

Progress = Callable[[str, int, int], None]
Auditor = Callable[[Path, Sequence[Output], Recipe], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe with its inputs opened: what a build would do, before it does it."""

    recipe: Recipe
    resolved: dict[str, Any]
    origins: dict[str, list[Origin]]
    versions: dict[str, str]
    build_id: str
    limit: int | None

    @property
    def inputs(self) -> list[Input]:
        """Everything that rows are read from."""
        return [origin.input for origins in self.origins.values() for origin in origins]

    @property
    def indices(self) -> dict[str, IndexOrigin]:
        """What steps may search, by the names of their sources."""
        found = {name: origins[0] for name, origins in self.origins.items() if origins}
        return {name: origin for name, origin in found.items() if isinstance(origin, IndexOrigin)}

    @property
    def canary(self) -> str | None:
        """The canary that the rows carry; None on an open set."""
        return canary_of(self.recipe.sensitivity, self.build_id)


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build: where it stands, its rows by arm and split, and what each step did."""

    path: Path
    build_id: str
    sizes: dict[str, dict[str, int]]
    counts: list[Count]
    fresh: bool

    def _repr_html_(self) -> str:
        return manifest.as_html(f"Build {self.build_id} in {self.path}", self.sizes, self.counts)


def plan(recipe: Recipe, base: Path, limit: int | None = None, teacher: Mapping[str, str] | None = None) -> Plan:
    """Opens and digests the inputs of a recipe; nothing is written.

    Args:
        recipe: what to build; no input may be unbound.
        base: the folder that its relative paths start from.
        limit: at most so many rows of each source.
        teacher: model and revision that will be asked; the address of its endpoint is no part of a build.

    Raises:
        InputError: when an input is unbound, missing or unreadable.
    """
    if recipe.unbound:
        name = recipe.unbound[0]
        said = f"the input {name!r} is not bound: {recipe.sources[name].input}"
        raise InputError(said, do=f"bind it with --set {name}=PATH")
    origins = {name: _origins(name, source, recipe, base) for name, source in recipe.sources.items()}
    inputs = [origin.input for several in origins.values() for origin in several]
    resolved, versions = manifest.resolved(recipe, inputs, limit), manifest.versions_of(recipe)
    if teacher is not None:
        resolved = {**resolved, "teacher": dict(teacher)}
    return Plan(recipe, resolved, origins, versions, manifest.build_id(resolved, inputs, versions), limit)


def build(
    planned: Plan,
    out: Path,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress = lambda *_: None,
    audit: Auditor | None = None,
    teacher: Teacher | None = None,
    executor: Executor | None = None,
) -> Built:
    """Builds into `out`; a build of the same identity that stands there undamaged is left as it is.

    Args:
        planned: the recipe and its inputs.
        out: the build directory, which is replaced when it holds an older build.
        workers: processes for per-row steps.
        fresh: build even where the same build stands already.
        progress: called with a step's name, rows done, and rows in all.
        audit: looks at the written rows; what it says becomes audit.json, and its findings stand in the card.
        teacher: who answers the steps that ask a model; the answers used become lineage/responses.parquet.
        executor: runs the per-row steps in place of a pool of `workers`; it must see `out`.

    Raises:
        InputError: for what is wrong in a source.
        FaultyBuilder: for a builder that fails.
        ProvkitError: when `out` cannot be written; nothing half-made stays.
    """
    if not fresh and (there := _standing(out, planned.build_id)):
        clear(out)
        return there
    with writing(out, manifest.stranger) as folder, _pool(workers, executor) as pool:
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=folder))  # no name that a killed build's worker may know
        try:
            return _build(planned, out, folder, Workshop(scratch, pool, progress, teacher, planned.indices), audit)
        except BrokenProcessPool:
            said = "a worker process died (out of memory?)"
            raise ProvkitError(f"{said}\n  try fewer --workers; nothing was changed") from None


def _build(planned: Plan, out: Path, folder: Path, workshop: Workshop, audit: Auditor | None) -> Built:
    recipe = planned.recipe
    old, before = _replaced(out)
    sources, inputs = _read(planned, workshop)
    chain = Chain(workshop)
    shared = labelled(recipe.steps, 0)
    for name in recipe.used_sources:
        sources[name] = chain.run(sources[name], shared, Stage(source=name), sources)
    chains: dict[str, list[Labelled]] = {}
    number = len(shared)
    for name, arm in recipe.arms.items():
        before_it = [chains[other] for other in chains if recipe.source_of(other) == recipe.source_of(name)]
        chains[name] = alike(labelled(arm.steps, number, shared), before_it)
        number += len(arm.steps)
    arms = chain.arms({name: sources[recipe.source_of(name)] for name in chains}, chains, sources)
    steps = {name: [*shared, *own] for name, own in chains.items()}
    counts, dropped = chain.counts, chain.dropped
    if workshop.teacher is not None:
        planned = answered(planned, inputs, workshop.teacher)
    if recipe.pair:
        arms, counted, left_out = pair(arms)
        counts += counted
        dropped += left_out
    for name in arms:  # before the split, which it cannot move: prompts that were one or two stay so
        last = canary_steps(recipe, planned.canary, number)
        arms[name] = chain.run(arms[name], last, Stage(arm=name), sources)
        steps[name] += last
    parted = split(arms, recipe.splits.shares, recipe.splits.by, recipe.pair)
    outputs = write_rows(folder, recipe, parted, steps, inputs, planned.canary, workshop.progress)
    drops, table = write_drops(folder, dropped, inputs)
    outputs.append(drops)
    if workshop.teacher is not None:
        record.write(folder / record.FILE, workshop.teacher.cache, workshop.teacher.used)
        outputs.append(output(folder, record.FILE))
    report = None
    if audit is not None:
        report = audit(folder, outputs, recipe)
        (folder / AUDIT).write_bytes(canonical(report) + b"\n")
        outputs.append(output(folder, AUDIT))
    sizes = {arm: {name: len(rows) for name, rows in splits.items()} for arm, splits in parted.items()}
    columns = list(dict.fromkeys(name for rows in arms.values() for name in rows.columns))
    keys = zip(*(table.column(name).to_pylist() for name in ("arm", "step", "reason")), strict=True)
    reasons = Counter((arm or "", step, why) for arm, step, why in keys)
    facts = card.Facts(planned.resolved, planned.build_id, inputs, sizes, columns, counts, reasons, planned.canary)
    made = card.compute(facts, report)
    if old is not None:
        made = replace(made, own_yaml=old.own_yaml, before=old.before, after=old.after)
    (folder / card.FILE).write_bytes(made.text().encode())
    manifest.write(
        folder, planned.resolved, inputs, planned.versions, planned.build_id, counts, outputs, made.digest, before
    )
    for part in workshop.folder.iterdir():
        part.unlink()
    workshop.folder.rmdir()
    return Built(out, planned.build_id, sizes, counts, True)


def answered(planned: Plan, inputs: Sequence[Input], teacher: Teacher) -> Plan:
    """The plan with the digest of the answers in its identity: two builds of different answers are different builds."""
    told = planned.resolved.get("teacher", teacher.facts())
    facts = {**told, "answers": record.digest(teacher.cache, teacher.used)}
    resolved = {**planned.resolved, "teacher": facts}
    return replace(planned, resolved=resolved, build_id=manifest.build_id(resolved, inputs, planned.versions))


def _read(planned: Plan, workshop: Workshop) -> tuple[dict[str, Rows], list[Input]]:
    """Every source on disk, and all inputs with the number of rows that were read."""
    read: dict[str, SourceRows] = {}
    inputs: list[Input] = []
    for name, origins in planned.origins.items():
        if name in planned.indices:
            inputs += [origin.input for origin in origins]
            continue
        workshop.progress(f"read {name}", 0, 0)
        found = spool(origins, len(inputs), planned.limit, workshop.folder, f"source-{name}")
        inputs += found.inputs
        read[name] = found
        workshop.progress(f"read {name}", len(found.table), len(found.table))
    seed = planned.recipe.seed
    return {name: Rows(one.table, None, inputs, (seed, ""), one.paths) for name, one in read.items()}, inputs


def _origins(name: str, source: Source, recipe: Recipe, base: Path) -> list[Origin]:
    if source.generator is not None:
        step = source.generator
        assert source.rows is not None
        return [GeneratorOrigin.open(name, step.name, step.builder(), step.params, source.rows, recipe.seed)]
    if source.hub is not None:
        one = (source.revision, source.config, source.split or "train", source.licence)
        return [HubOrigin.open(name, source.hub, *one)]
    origins: list[Origin] = []
    named: dict[Path, str] = {}
    for pattern in source.patterns:
        if remote.holds(pattern, manifest.FILE):
            pattern = str(remote.copied(pattern, manifest.FILE))
        if not remote.is_url(pattern) and not Path(pattern).is_absolute() and (path := outside(pattern, base)):
            said = f"the path '{plain(path.name)}' is a link that leaves the recipe's folder"
            do = "declare an `input` and bind it with --set NAME=PATH"
            raise InputError(said, file=pattern, field=f"sources.{name}.files", do=do)
        folder = base / pattern
        if name in recipe.indices:
            if len(source.patterns) > 1:
                raise InputError("several paths; a step searches one index", field=f"sources.{name}")
            return [IndexOrigin.open(name, folder, pattern, source.licence)]
        is_build = (folder / manifest.FILE).is_file()
        if folder.is_dir() and not is_build:
            do = "name its files, for example with --set " + f"{name}='{pattern}/*.jsonl'"
            raise InputError("a folder that is no build directory", file=pattern, do=do)
        files = [] if is_build else expand(pattern, base)
        for path in [folder] if is_build else [file.path for file in files]:
            if first := named.get(path):
                said = f"named twice, by '{plain(first)}' and by '{plain(pattern)}': its rows would stand twice"
                raise InputError(said, file=path.name, field=f"sources.{name}.files", do="name it once")
            named[path] = pattern
        if is_build:
            origins += BuildOrigin.open_all(name, folder, source.arm, source.split, source.licence)
        origins += [FileOrigin.open(name, file, source.format, source.fill, source.licence) for file in files]
    return origins


def _standing(out: Path, identity: str) -> Built | None:
    """The build that stands at `out`, when it is the one asked for and every file of it is whole."""
    try:
        found = manifest.read(out)
        told = found.facts["recipe"]
        if "teacher" in told:  # before it is asked, a build does not know what the answers will be
            told = {**told, "teacher": {key: one for key, one in told["teacher"].items() if key != "answers"}}
        same = manifest.build_id(told, found.inputs, found.facts["versions"]) == identity
        whole = same and card.read(out).digest == found.facts["card"]
    except InputError:
        return None
    for one in found.outputs:
        path = out / one.file
        whole = whole and path.is_file() and digest_file(path) == (one.sha256, one.size)
    if not whole:
        return None
    sizes: dict[str, dict[str, int]] = {}
    for one in found.data():
        sizes.setdefault(one.arm or "", {})[one.split or ""] = one.rows or 0
    return Built(out, found.build_id, sizes, found.counts, False)


def _replaced(out: Path) -> tuple[card.Card | None, str | None]:
    """The card of the build that is to be replaced, and the digest of its manifest; None for what is not there.

    Raises:
        InputError: when its card cannot be read, so that what a person wrote into it would be lost.
    """
    old = card.read(out) if (out / card.FILE).exists() else None
    try:
        return old, manifest.read(out).digest
    except InputError:
        return old, None


@contextmanager
def _pool(workers: int, executor: Executor | None) -> Iterator[Executor | None]:
    """Processes for the per-row steps (they start when the first work comes); none where one is asked for."""
    if executor is not None or workers <= 1:
        yield executor
        return
    with processes.pool(workers) as pool:
        yield pool
