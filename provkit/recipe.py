"""Recipes: what a build is made of, read from YAML or written in Python, and checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from provkit import registry
from provkit.errors import InputError, plain
from provkit.sources.yaml_rows import compose, construct

MAX_RECIPE = 1 << 20  # bytes
RESERVED_ARMS = {"rows", "parents", "drops", "builds", "inputs", "steps", "lineage"}
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Step(_Model):
    """A builder by name, with its parameters: `shuffle`, or `{dedup: {by: prompt}}`."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and len(value) == 1 and "name" not in value:
            ((name, params),) = value.items()
            return {"name": name, "params": params or {}}
        return value

    @model_validator(mode="after")
    def _known(self) -> Step:
        self.builder()
        return self

    def builder(self) -> Any:
        """The builder with these parameters.

        Raises:
            pydantic_core.PydanticCustomError: when there is no such builder, or it does not take them.
        """
        try:
            cls = registry.load(self.name)
        except LookupError as error:
            raise PydanticCustomError("step", "{said}", {"said": str(error)}) from None
        try:
            return cls(**self.params)
        except ValidationError as error:
            known = list(getattr(cls, "__dataclass_fields__", {}))
            raise PydanticCustomError("step", "{said}", {"said": f"{self.name}: {_first(error, known)}"}) from None
        except (ValueError, TypeError) as error:
            raise PydanticCustomError("step", "{said}", {"said": f"{self.name}: {error}"}) from None


class Source(_Model):
    """Where rows come from: exactly one of `files`, `hub`, `generator` and `input`."""

    files: str | list[str] | None = None
    hub: str | None = None
    generator: Step | None = None
    input: str | None = Field(None, description="what the caller is to bind with --set NAME=PATH")
    rows: int | None = Field(None, ge=1, description="generator: how many rows")
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "yaml"] | None = None
    fill: bool = Field(False, description="read missing fields as null")
    revision: str | None = Field(None, description="hub: a commit, tag or branch; the commit is recorded")
    config: str | None = None
    split: str | None = None
    arm: str | None = Field(None, description="a build: read this arm alone")
    licence: str | None = Field(None, description="SPDX name of the rows' licence")

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> Source:
        given = [name for name in ("files", "hub", "generator", "input") if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"exactly one of files, hub, generator and input is expected, not {', '.join(given) or 'none'}"
            raise PydanticCustomError("source", "{said}", {"said": said})
        if self.generator is not None and self.rows is None:
            raise PydanticCustomError("source", "a generator needs `rows`: how many", {})
        if self.generator is not None and registry.kind_of(type(self.generator.builder())) != "generator":
            said = f"{self.generator.name!r} is a step, not a generator"
            raise PydanticCustomError("source", "{said}", {"said": said})
        bound = (info.context or {}).get("bound", ())
        for pattern in self.patterns:
            if pattern in bound:
                continue
            if Path(pattern).is_absolute() or ".." in re.split(r"[/\\]", pattern) or "~" in pattern:
                said = f"the path {plain(pattern)!r} leaves the recipe's folder"
                do = "; declare an `input` and bind it with --set NAME=PATH"
                raise PydanticCustomError("path", "{said}", {"said": said + do})
        return self

    @property
    def patterns(self) -> list[str]:
        """The paths and globs of `files`."""
        return [self.files] if isinstance(self.files, str) else list(self.files or ())


class Arm(_Model):
    """One arm: the source that it takes, and the steps of its own."""

    source: str | None = Field(None, alias="from")
    steps: list[Step] = Field(default_factory=list)
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"steps": value or []} if value is None or isinstance(value, list) else value


class Splits(_Model):
    """Shares of the rows, e.g. `{by: prompt, train: 0.9, test: 0.1}`; a prompt is never on two sides."""

    by: Literal["prompt", "row"] = "prompt"
    shares: dict[Name, float]

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        if isinstance(value, dict) and "shares" not in value:
            return {
                **({"by": value["by"]} if "by" in value else {}),
                "shares": {name: share for name, share in value.items() if name != "by"},
            }
        return value

    @field_validator("shares")
    @classmethod
    def _whole(cls, shares: dict[str, float]) -> dict[str, float]:
        if not shares or any(not 0 < share <= 1 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-9:
            said = f"the shares must lie in (0, 1] and sum to 1; they sum to {sum(shares.values()):g}"
            raise PydanticCustomError("shares", "{said}", {"said": said})
        return shares


class Recipe(_Model):
    """What a build is made of. The order is fixed: sources, steps, arms, pair, split, canary."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    version: int = Field(1, ge=1)
    summary: str
    paper: str | None = None
    published: str | None = Field(None, description="what was published under this name, and how this differs")
    licence: str = Field(description="SPDX name of the licence of the built data")
    sensitivity: Literal["open", "gated", "restricted"]
    seed: int = Field(42, ge=0, lt=2**63)
    sources: dict[Name, Source]
    steps: list[Step] = Field(default_factory=list)
    arms: dict[Name, Arm] = Field(default_factory=lambda: {"data": Arm()})
    pair: bool = False
    splits: Splits = Field(default_factory=lambda: Splits(shares={"train": 1.0}))
    canary: Literal["column", "text"] = "column"

    @field_validator("sources", "arms")
    @classmethod
    def _some(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not value:
            raise PydanticCustomError("empty", "at least one is expected", {})
        return value

    @field_validator("arms")
    @classmethod
    def _free(cls, arms: dict[str, Arm]) -> dict[str, Arm]:
        if taken := sorted(RESERVED_ARMS & set(arms)):
            said = f"an arm cannot be called {taken[0]!r}: a view of `provkit query` has that name"
            raise PydanticCustomError("arm", "{said}", {"said": said})
        return arms

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        for name, arm in self.arms.items():
            if arm.source is None and len(self.sources) > 1:
                said = f"the arm {name!r} must say `from:` one of {', '.join(self.sources)}"
                raise PydanticCustomError("arm", "{said}", {"said": said})
            if arm.source is not None and arm.source not in self.sources:
                said = f"the arm {name!r} takes the unknown source {arm.source!r}"
                raise PydanticCustomError("arm", "{said}", {"said": said + registry.near(arm.source, self.sources)})
        for step in self.all_steps:
            other = getattr(step.builder(), "of", None) if hasattr(type(step.builder()), "mix") else None
            if other is not None and other not in self.sources:
                said = f"{step.name} takes from the unknown source {other!r}{registry.near(other, self.sources)}"
                raise PydanticCustomError("step", "{said}", {"said": said})
            if registry.kind_of(type(step.builder())) == "generator":
                said = f"{step.name!r} is a generator: it stands under `sources`, not among the steps"
                raise PydanticCustomError("step", "{said}", {"said": said})
        if self.pair and len(self.arms) < 2:
            raise PydanticCustomError("pair", "pair: true needs at least two arms", {})
        return self

    def source_of(self, arm: str) -> str:
        """The name of the source that an arm takes."""
        return self.arms[arm].source or next(iter(self.sources))

    @property
    def used_sources(self) -> list[str]:
        """The sources that an arm takes, or that a mixture of one takes from, in the order of the recipe."""
        mixed = {step.builder().of for step in self.all_steps if hasattr(type(step.builder()), "mix")}
        taken = {self.source_of(arm) for arm in self.arms}
        return [name for name in self.sources if name in taken | mixed]

    @property
    def all_steps(self) -> list[Step]:
        """Every step, those of the arms behind the shared ones."""
        return [*self.steps, *(step for arm in self.arms.values() for step in arm.steps)]

    @property
    def unbound(self) -> list[str]:
        """Sources that the caller still has to bind."""
        return [name for name, source in self.sources.items() if source.input is not None]


def read_recipe(text: str, file: str, settings: Mapping[str, str] | None = None) -> Recipe:
    """A recipe out of YAML, with `--set` values put in.

    Raises:
        InputError: with file, line and key, what was expected, and the nearest name there is.
    """
    if len(text) > MAX_RECIPE:
        raise InputError(f"a recipe of more than {MAX_RECIPE >> 10} KB", file=file)
    root = compose(text, file)
    value = construct(root, file) if root is not None else None
    if not isinstance(value, dict):
        raise InputError("a recipe is a mapping with name, summary, sources …", file=file, line=1)
    bound = _put(value, settings or {}, file)
    try:
        return Recipe.model_validate(value, context={"bound": bound})
    except ValidationError as error:
        raise _located(error, root, file) from None


def _put(value: dict[str, Any], settings: Mapping[str, str], file: str) -> set[str]:
    """Binds inputs, and replaces single values of the recipe, by their dotted names; the paths that were bound."""
    bound: set[str] = set()
    sources = value.get("sources") if isinstance(value.get("sources"), dict) else {}
    assert isinstance(sources, dict)
    for key, given in settings.items():
        path = key.split(".")
        if path[0] in sources and path[0] not in Recipe.model_fields:
            path = ["sources", *path]
        at = value
        if len(path) == 2 and path[0] == "sources":
            source = at["sources"][path[1]] = dict(sources.get(path[1]) or {})
            if "input" not in source and "files" not in source:
                raise InputError("takes no file: it is a generator or a hub dataset", file=file, field=key)
            source.pop("input", None)
            source["files"] = given
            bound.add(given)
            continue
        for part in path[:-1]:
            inner = at.get(part)
            if not isinstance(inner, dict):
                known = [*Recipe.model_fields, *sources] if at is value else list(at)
                raise InputError(f"nothing to set here{registry.near(part, known)}", file=file, field=key)
            at = inner
        if at is value and path[-1] not in Recipe.model_fields:
            known = [*Recipe.model_fields, *sources]
            raise InputError(f"nothing to set here{registry.near(path[-1], known)}", file=file, field=key)
        at[path[-1]] = construct(compose(given, key), key) if given else given  # type: ignore[arg-type]
    return bound


def _located(error: ValidationError, root: Any, file: str) -> InputError:
    first = _worst(error)
    keys = [part for part in first["loc"] if not _inner(part)]
    line, seen = _line_of(root, keys)
    said = _first(error, _known_at(seen))
    more = f"{len(error.errors()) - 1} more errors follow" if len(error.errors()) > 1 else None
    return InputError(said, file=file, line=line, field=".".join(map(str, keys)) or None, do=more)


def _worst(error: ValidationError) -> Any:
    """The error to show: an unknown key before a missing one, since it is often the missing one misspelt."""
    return min(error.errors(), key=lambda one: one["type"] not in ("extra_forbidden", "unexpected_keyword_argument"))


def _inner(part: int | str) -> bool:
    """Whether a part of pydantic's locator is its own word for a union's branch, no key of the file."""
    return isinstance(part, str) and (part in ("str", "[key]") or part.startswith("list["))


def _first(error: ValidationError, known: list[str]) -> str:
    first = _worst(error)
    at = str(first["loc"][-1]) if first["loc"] else ""
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key {plain(at)!r}{registry.near(at, known)}"
    if first["type"] in ("missing", "missing_argument"):
        return f"the key {at!r} is missing"
    said = first["msg"]
    found = first.get("input")
    shown = f", found {plain(repr(found), 60)}" if isinstance(found, str | int | float | bool) else ""
    return said if first["type"] in ("step", "source", "path", "shares", "arm", "pair", "empty") else said + shown


def _known_at(keys: list[Any]) -> list[str]:
    level = keys[0] if len(keys) > 1 else None
    model: Any = {"sources": Source, "arms": Arm, None: Recipe}.get(level)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _line_of(node: Any, keys: list[Any]) -> tuple[int | None, list[Any]]:
    """The line of a key in the YAML, and how far the way down to it stands in the file."""
    line = node.start_mark.line + 1
    seen = []
    for key in keys:
        seen.append(key)
        if isinstance(key, int) and isinstance(getattr(node, "value", None), list) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node.value, list) else []
        found = next(((k, v) for k, v in (p for p in pairs if isinstance(p, tuple)) if k.value == str(key)), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line, seen
