"""provenance.json: what a build was made from, by what, with which result; canonical, with a digest of itself."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

import provkit
from provkit import registry
from provkit.canonical import canonical, digest
from provkit.chain import Count
from provkit.errors import InputError, plain
from provkit.markup import table, visible
from provkit.recipe import Recipe
from provkit.table import Input

FILE = "provenance.json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://www.w3.org/ns/prov#Activity"
FORMAT = 1
PLACES = re.compile(
    r"(README\.md|provenance\.json|croissant\.json|audit\.json|lineage/(rows|drops|responses)\.parquet"
    r"|data/(?P<arm>[a-z][a-z0-9_]*)/(?P<split>[a-z][a-z0-9_]*)-\d{5}-of-\d{5}\.parquet)\Z"
)  # what a build directory is made of
LIBRARIES = ("datasets", "numpy", "orjson", "pyarrow")


@dataclass(frozen=True, slots=True)
class Output:
    """A data file of a build."""

    file: str
    sha256: str
    size: int
    arm: str | None = None
    split: str | None = None
    rows: int | None = None


INPUTS, COUNTS, OUTPUTS = TypeAdapter(list[Input]), TypeAdapter(list[Count]), TypeAdapter(list[Output])


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read, its digest checked."""

    build_id: str
    inputs: list[Input]
    counts: list[Count]
    outputs: list[Output]
    facts: dict[str, Any]
    digest: str

    @property
    def recipe(self) -> Recipe:
        """The recipe, ready to run again.

        Raises:
            InputError: when it does not run here, for example for want of a package of builders.
        """
        try:
            return recipe_of(self.facts["recipe"])
        except ValueError as error:
            said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            made = ", ".join(f"{name} {number}" for name, number in self.facts["versions"].items())
            raise InputError(
                f"its recipe does not run here: {plain(said)}", file=FILE, do=f"it was made with {made}; install those"
            ) from None

    @property
    def sources(self) -> list[str]:
        """The names of the sources, in their order."""
        return list(self.facts["recipe"]["order"]["sources"])

    @property
    def arms(self) -> dict[str, str]:
        """The arms in their order, each with the source that it takes."""
        arms = self.facts["recipe"]["arms"]
        return {name: arms[name].get("from") or self.sources[0] for name in self.facts["recipe"]["order"]["arms"]}

    def _repr_html_(self) -> str:
        sizes: dict[str, dict[str, int]] = {}
        for out in self.data():
            sizes.setdefault(out.arm or "", {})[out.split or ""] = out.rows or 0
        recipe = self.facts["recipe"]
        return as_html(f"{recipe['name']} version {recipe['version']}, build {self.build_id}", sizes, self.counts)

    def data(self, arm: str | None = None) -> list[Output]:
        """The data files, in the order of arms and splits."""
        return [out for out in self.outputs if out.arm is not None and arm in (None, out.arm)]


def as_html(title: str, sizes: Mapping[str, Mapping[str, int]], counts: Sequence[Count]) -> str:
    """A build as a notebook shows it: rows by arm and split, and what each step did to their number."""
    rows = [(arm, split, number) for arm, splits in sizes.items() for split, number in splits.items()]
    steps = [(one.arm or one.source, one.step, one.rows_in, one.created, one.rows_out, one.dropped) for one in counts]
    flow = table(("arm or source", "step", "in", "created", "out", "dropped"), steps)
    return f"<p>{escape(visible(title))}</p>{table(('arm', 'split', 'rows'), rows)}{flow}"


def versions_of(recipe: Recipe) -> dict[str, str]:
    """provkit and every package whose builders take part, with their versions."""
    steps = [*recipe.all_steps, *(source.generator for source in recipe.sources.values() if source.generator)]
    steps = [deep for step in steps for deep in step.all]
    packages = dict(registry.package_of(registry.index()[step.name]) for step in steps)
    return {"provkit": provkit.__version__} | packages


def resolved(recipe: Recipe, inputs: Sequence[Input], limit: int | None) -> dict[str, Any]:
    """The recipe as plain data with every parameter in it; a path that was bound is left as its files' names."""
    plain_recipe = recipe.model_dump(mode="json", by_alias=True, exclude_none=True)
    plain_recipe["steps"] = [step.resolved for step in recipe.steps]
    for name, arm in recipe.arms.items():
        plain_recipe["arms"][name]["steps"] = [step.resolved for step in arm.steps]
    for name, source in plain_recipe["sources"].items():
        if "files" in source:
            source["files"] = [one.file for one in inputs if one.source == name]
        if generator := recipe.sources[name].generator:
            source["generator"] = generator.resolved
    order = {name: list(plain_recipe[name]) for name in ("sources", "arms")}
    order["splits"] = list(plain_recipe["splits"]["shares"])  # canonical JSON sorts keys, and here their order counts
    return plain_recipe | {"order": order} | ({"limit": limit} if limit is not None else {})


def recipe_of(plain_recipe: Mapping[str, Any]) -> Recipe:
    """A recipe out of its resolved form."""
    value = {key: inner for key, inner in plain_recipe.items() if key not in ("limit", "order", "teacher")}
    order = plain_recipe["order"]
    for name in ("sources", "arms"):
        value[name] = {key: value[name][key] for key in order[name]}
    shares = value["splits"]["shares"]
    value["splits"] = {**value["splits"], "shares": {key: shares[key] for key in order["splits"]}}
    bound = {name for source in value["sources"].values() for name in source.get("files", [])}
    return Recipe.model_validate(value, context={"bound": bound})


def libraries() -> dict[str, str]:
    """The versions of the libraries that the bytes of data/ and lineage/ may depend on."""
    return {name: found for name in LIBRARIES if (found := _version(name))}


def build_id(recipe: Mapping[str, Any], inputs: Sequence[Input], versions: Mapping[str, str]) -> str:
    """Identity of a build: 32 hex digits over the resolved recipe, the input digests and the versions."""
    return digest([recipe, [[one.source, one.sha256] for one in inputs], versions])[:32]


def write(
    folder: Path,
    recipe: dict[str, Any],
    inputs: Sequence[Input],
    versions: Mapping[str, str],
    identity: str,
    counts: Sequence[Count],
    outputs: Sequence[Output],
    card: str,
    replaces: str | None,
) -> str:
    """Writes provenance.json; returns its digest.

    `card` is the digest of the computed part of README.md; `replaces` is the digest of the manifest that this one
    takes the place of.
    """
    derived = [{"prov:entity": one.file or one.source, "sha256": one.sha256} for one in inputs]
    predicate = {
        "format": FORMAT,
        "build_id": identity,
        "recipe": recipe,
        "recipe_digest": digest(recipe),
        "seed": recipe["seed"],
        "inputs": [asdict(one) for one in inputs],
        "counts": [asdict(one) for one in counts],
        "outputs": [asdict(one) for one in outputs if one.arm is not None],
        "versions": dict(versions),
        "environment": {"python": platform.python_version(), "libraries": libraries()},
        "card": card,
        "prov:wasDerivedFrom": derived,
        "prov:wasAssociatedWith": [{"prov:agent": name, "version": found} for name, found in versions.items()],
        "prov:wasRevisionOf": replaces,
    }
    subject = [{"name": one.file, "digest": {"sha256": one.sha256}, "size": one.size} for one in outputs]
    statement = {"_type": STATEMENT, "predicateType": PREDICATE, "subject": subject, "predicate": predicate}
    own = digest(statement)
    (folder / FILE).write_bytes(canonical({**statement, "digest": own}) + b"\n")
    return own


def read(folder: Path) -> Manifest:
    """The manifest of a build directory.

    Raises:
        InputError: when there is none, it is damaged, or a newer provkit wrote it.
    """
    path = folder / FILE
    try:
        raw = path.read_bytes()
        statement = orjson.loads(raw)
        own = statement.pop("digest")
        facts = statement["predicate"]
    except (FileNotFoundError, NotADirectoryError):
        said = "no build directory: it has no provenance.json"
        raise InputError(said, file=folder, do="make one with provkit build RECIPE -o DIR") from None
    except OSError as error:
        raise InputError(error.strerror or str(error), file=path) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"damaged: {plain(str(error))}", file=path) from None
    if digest(statement) != own or canonical({**statement, "digest": own}) + b"\n" != raw:
        raise InputError("damaged: its content does not fit its digest", file=path)
    try:
        if facts["format"] != FORMAT:
            said = f"format {facts['format']}, this provkit reads {FORMAT}"
            raise InputError(said, file=path, do="install a newer one")
        return _parsed(statement, facts, own)
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # a digest vouches for bytes, not for sense
        said = f"its content is not that of a manifest ({plain(str(error).splitlines()[0])})"
        raise InputError(said, file=path, do="build it again") from None


def stranger(folder: Path) -> str | None:
    """Something in a directory that is no part of a build: the folder is then not provkit's to replace."""
    path = folder / FILE
    if not path.is_file() or b'"build_id":' not in path.read_bytes():
        return min(one.name for one in folder.iterdir())
    names = (one.relative_to(folder).as_posix() for one in sorted(folder.rglob("*")) if not one.is_dir())
    return next((name for name in names if not PLACES.match(name)), None)


def _parsed(statement: dict[str, Any], facts: dict[str, Any], own: str) -> Manifest:
    """A manifest whose names are safe to put into paths and into SQL.

    Raises:
        KeyError, TypeError, ValueError: for a statement that `write` would not have written.
    """
    subject = [{"file": s["name"], "sha256": s["digest"]["sha256"], "size": s["size"]} for s in statement["subject"]]
    inputs = INPUTS.validate_python(facts["inputs"])
    counted = [{"source": None, "arm": None, **one} for one in facts["counts"]]  # canonical JSON leaves nulls out
    counts = COUNTS.validate_python(counted)
    data = OUTPUTS.validate_python(facts["outputs"])
    by_file = {one.file: one for one in data}
    outputs = [by_file.pop(one.file, one) for one in OUTPUTS.validate_python(subject)]
    if by_file or [[one.file, one.sha256, one.size] for one in outputs] != [[*one.values()] for one in subject]:
        raise ValueError("its outputs are not its subject")
    found = Manifest(facts["build_id"], inputs, counts, outputs, facts, own)
    for one in outputs:
        place = PLACES.match(one.file)
        if place is None or (one.arm, one.split) != (place["arm"], place["split"]):
            raise ValueError(f"an output {one.file}")
    if not re.fullmatch("[0-9a-f]{32}", found.build_id):
        raise ValueError("a build_id that is none")
    if odd := {*(one.source for one in inputs), *(one.source for one in counts)} - {*found.sources, None}:
        raise ValueError(f"a source {min(map(str, odd))} that the recipe has not")
    if odd := {*(one.arm for one in counts), *(one.arm for one in data)} - {*found.arms, None}:
        raise ValueError(f"an arm {min(map(str, odd))} that the recipe has not")
    if not all(isinstance(facts[key], kind) for key, kind in (("versions", dict), ("card", str))):
        raise ValueError("versions or card")
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
