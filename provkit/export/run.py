"""Writes a build's rows in a form: which arms and split go in, whole or not at all, errors by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow.parquet as pq

from provkit import manifest, parquet
from provkit.errors import InputError
from provkit.export.forms import FORMS, JUDGMENT, LABEL, Form, Record, Sample, pair, signal
from provkit.export.turns import Unfit
from provkit.export.write import writing_records
from provkit.manifest import Manifest, Output
from provkit.recipe import Recipe
from provkit.registry import near

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the file, the form, the arms by their part in it, the split, and how many records.

    `alike` counts the pairs that were left out because both answers are the same: rows of both arms for `kto`.
    """

    path: Path
    form: str
    arms: dict[str, str]
    split: str
    records: int
    alike: int = 0


@dataclass(frozen=True, slots=True)
class _Choice:
    """The files that go in, by the part that their arm has: "" where there is one, chosen and rejected, or the arms."""

    form: Form
    files: dict[str, Output]
    split: str
    paired: bool


def export(
    folder: Path, form: str, out: Path, arm: str | None = None, split: str | None = None, plain: bool = False
) -> Exported:
    """Writes one file out of a build.

    A file holds one split. It holds one arm, but for `judgment` (all arms where none is named), and for `preference`
    and `kto` where the rows do not carry both answers or a label themselves: there the control arm (the one without
    steps, else the first) gives the chosen answers and `arm` the rejected ones, joined by pair_id for `preference`.
    The order is that of the build.

    Args:
        folder: the build directory.
        form: a name of FORMS.
        out: the file, ending in .jsonl or in .json (one array).
        arm: which arm; may be left out where there is no choice.
        split: which split; may be left out where there is one.
        plain: prompts and completions as text, not turns, for models without a chat template.

    Raises:
        InputError: when the build cannot give that form, saying why, and where it is one row, which.
        ProvkitError: when the file cannot be written; what stood there stays.
    """
    found = manifest.read(folder)
    chosen = _choice(folder, found, _form(form, plain), arm, split)
    count = alike = 0
    with writing_records(out) as write:
        for record in _records(folder, found.build_id, chosen, plain):
            if record is None:
                alike += 1
            else:
                write(record)
                count += 1
        if not count:
            raise InputError("nothing to write: no pair has two different answers", file=folder)
    arms = {part or "rows": one.arm or "" for part, one in chosen.files.items()}
    return Exported(out, form, arms, chosen.split, count, alike)


def _form(name: str, plain: bool) -> Form:
    form = FORMS.get(name)
    if form is None:
        raise InputError(f"no form {name!r}{near(name, list(FORMS))}", field="--as")
    if plain and not form.plain:
        able = ", ".join(one.name for one in FORMS.values() if one.plain)
        raise InputError(f"the form {name} has no text variant; {able} have", field="--plain")
    return form


def _choice(folder: Path, found: Manifest, form: Form, arm: str | None, split: str | None) -> _Choice:
    held: dict[str, dict[str, Output]] = {}
    for one in found.data():
        held.setdefault(one.arm or "", {})[one.split or ""] = one
    if arm is not None and arm not in held:
        raise InputError(f"no arm {arm!r}{near(arm, list(held))}", field="--arm")
    splits = list(dict.fromkeys(name for several in held.values() for name in several))
    if split is None and len(splits) > 1:
        raise InputError(f"the build has the splits {', '.join(splits)}", field="--split", do="name one of them")
    if split is not None and split not in splits:
        raise InputError(f"no split {split!r}{near(split, splits)}", field="--split")
    part = split or splits[0]
    columns = _columns(folder, next(iter(held.values())))
    parts = _parts(found.recipe, form, list(held), arm, columns)
    files = {}
    for name, one_arm in parts.items():
        if part not in held[one_arm]:
            raise InputError(f"the arm {one_arm!r} has no rows in the split {part!r}", file=folder)
        files[name] = held[one_arm][part]
    paired = form.name == "preference" and "rejected" in parts
    if paired and not found.recipe.pair:
        do = "build with `pair: true`, or with rows that have the columns chosen and rejected (step `preference`)"
        raise InputError("its arms are not paired, so no answer belongs to another", file=folder, do=do)
    return _Choice(form, files, part, paired)


def _parts(recipe: Recipe, form: Form, arms: list[str], arm: str | None, columns: list[str]) -> dict[str, str]:
    """The arms that go in, by their part."""
    whole = {"preference": {"chosen", "rejected"} <= set(columns), "kto": LABEL in columns}.get(form.name, True)
    if whole:
        if form.takes == "arms" and arm is None:
            return {name: name for name in arms}
        if arm is None and len(arms) > 1:
            raise InputError(f"the build has the arms {', '.join(arms)}", field="--arm", do="name one of them")
        return {"": arm or arms[0]}
    if len(arms) < 2:
        need = "columns chosen and rejected" if form.name == "preference" else f"a column {LABEL}"
        raise InputError(f"the form {form.name} needs {need}, or a second arm", field="--as")
    untouched = [name for name in arms if not recipe.arms[name].steps]
    control = untouched[0] if len(untouched) == 1 else arms[0]
    others = [name for name in arms if name != control]
    if arm == control:
        do = f"name the arm whose answers are rejected: {', '.join(others)}"
        raise InputError(f"{arm} is the control arm, which gives the chosen answers", field="--arm", do=do)
    if arm is None and len(others) > 1:
        said = f"beside the control arm {control} there are {', '.join(others)}"
        raise InputError(said, field="--arm", do="name the one whose answers are rejected")
    return {"chosen": control, "rejected": arm or others[0]}


def _columns(folder: Path, files: dict[str, Output]) -> list[str]:
    return list(pq.read_schema(folder / next(iter(files.values())).file).names)


def _records(folder: Path, build_id: str, chosen: _Choice, plain: bool) -> Iterator[Record | None]:
    """The records in order; None for a pair whose answers are the same."""
    streams = {part: _samples(folder, one, build_id, plain) for part, one in chosen.files.items()}
    if chosen.paired:
        for good, bad in _twins(folder, streams["chosen"], streams["rejected"]):
            yield _made(folder, good, partial(pair, good, bad))
        return
    if chosen.form.name == "kto" and len(streams) > 1:
        yield from _signals(folder, streams, _in_both(folder, chosen.files))
        return
    for samples in streams.values():
        for sample in samples:
            yield _made(folder, sample, partial(chosen.form.record, sample))


def _signals(folder: Path, streams: dict[str, Iterator[Sample]], both: set[str]) -> Iterator[Record | None]:
    """Signals out of two arms, true for the chosen one; None for a row of both, which would be true and false."""
    for part, samples in streams.items():
        good = part == "chosen"
        for sample in samples:
            if sample.content["row_id"] not in both:
                yield _made(folder, sample, partial(signal, sample, label=good))
            elif good:
                yield None


def _in_both(folder: Path, files: dict[str, Output]) -> set[str]:
    """The rows, by the id of their content, that stand in both files."""
    columns = (pq.read_table(folder / one.file, columns=["row_id"]).column(0) for one in files.values())
    one, other = (set(column.to_pylist()) for column in columns)
    return one & other


def _twins(folder: Path, chosen: Iterator[Sample], rejected: Iterator[Sample]) -> Iterator[tuple[Sample, Sample]]:
    """The rows of each pair, in the order of the chosen ones; others are held until their twin comes."""
    waiting: dict[str, Sample] = {}
    for sample in chosen:
        name = sample.content["pair_id"]
        while name not in waiting:
            twin = next(rejected, None)
            if twin is None:
                raise InputError(f"{sample.key} has no twin", file=folder, do="provkit verify shows what is wrong")
            waiting[twin.content["pair_id"]] = twin
        yield sample, waiting.pop(name)


def _samples(folder: Path, one: Output, build_id: str, plain: bool) -> Iterator[Sample]:
    at = 0
    for batch in parquet.opened(folder / one.file).iter_batches(batch_size=4096):
        for content in batch.to_pylist():
            yield Sample(content, f"{one.arm}/{one.split}/{at}", build_id, plain)
            at += 1


def _made(folder: Path, sample: Sample, make: Callable[[], T]) -> T:
    """What `make` gives; an error that names the row where it does not fit."""
    try:
        return make()
    except Unfit as error:
        do = "export it with --as judgment" if JUDGMENT in sample.content and error.do is None else error.do
        raise InputError(f"{sample.key}: {error}", file=folder, do=do) from None
