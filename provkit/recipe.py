"""Recipes: what a build is made of, read from YAML or written in Python, and checked before anything runs."""

from __future__ import annotations

import dataclasses
import glob
import os
import re
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from provkit import recipe_schema, registry, sql
from provkit.canonical import NotCanonical, canonical
from provkit.errors import InputError, plain
from provkit.recipe_errors import refused, said, worst
from provkit.remote import is_url

ORIGINS = {  # what a source can be, and the keys that mean something beside it
    "files": ("format", "fill", "arm", "split"),
    "input": ("format", "fill", "arm", "split"),
    "hub": ("revision", "config", "split"),
    "generator": ("rows",),
}
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Step(_Model):
    """A builder by name, with its parameters: `shuffle`, or `{dedup: {by: prompt}}`; in Python the builder itself."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and "name" not in value:
            if len(value) != 1:
                raise refused("a step is a name, or one name with its parameters, such as {dedup: {by: prompt}}")
            ((name, params),) = value.items()
            return {"name": name, "params": {} if params is None else params}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            try:
                return {"name": registry.name_of(type(value)), "params": registry.params_of(value)}
            except LookupError as error:
                raise refused(str(error)) from None
        return value

    @model_validator(mode="after")
    def _known(self) -> Step:
        builder = self.builder()
        defaults = registry.defaults_of(type(builder))
        for name, value in self.params.items():
            if value is None and defaults.get(name) is not None:
                raise refused(f"{self.name}: null has no meaning for `{name}`; leave it out for its default", name)
        try:
            canonical(self.params)
        except NotCanonical as error:
            raise refused(f"{self.name}: a parameter without canonical JSON: {plain(str(error), 80)}") from None
        object.__setattr__(self, "params", registry.params_of(builder))  # a default spelled out is no difference
        return self

    @property
    def resolved(self) -> dict[str, Any]:
        """The step with every parameter that it runs with, defaults too, as plain data."""
        return {"name": self.name, "params": registry.params_of(self.builder(), defaults=True)}

    @property
    def all(self) -> list[Step]:
        """This step, and those that its parameters hold."""
        builder = self.builder()
        held = [getattr(builder, name) for name in registry.defaults_of(type(builder))]
        inner = [one for value in held for one in (value if isinstance(value, list | tuple) else [value])]
        return [self, *(deep for one in inner if isinstance(one, Step) for deep in one.all)]

    def builder(self) -> Any:
        """The builder with these parameters.

        Raises:
            pydantic_core.PydanticCustomError: when there is no such builder, or it does not take them.
        """
        try:
            cls = registry.load(self.name)
        except LookupError as error:
            raise refused(str(error)) from None
        try:
            return cls(**self.params)
        except ValidationError as error:
            known = list(getattr(cls, "__dataclass_fields__", {}))
            where = (self.name, "params", *worst(error)["loc"])
            raise refused(f"{self.name}: {said(worst(error), known)}", *where) from None
        except (ValueError, TypeError) as error:
            raise refused(f"{self.name}: {error}") from None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return recipe_schema.step(handler(core))


class Source(_Model):
    """Where rows come from: exactly one of `files`, `hub`, `generator` and `input`."""

    files: str | list[str] | None = None
    hub: str | None = None
    generator: Step | None = None
    input: str | None = Field(default=None, description="what the caller is to bind with --set NAME=PATH")
    rows: int | None = Field(default=None, ge=1, lt=2**40, description="generator: how many rows")
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "yaml"] | None = None
    fill: bool = Field(default=False, description="read missing fields as null")
    revision: str | None = Field(default=None, description="hub: a commit, tag or branch; the commit is recorded")
    config: str | None = None
    split: str | None = None
    arm: str | None = Field(default=None, description="a build: read this arm alone")
    licence: str | None = Field(default=None, description="SPDX name of the rows' licence")

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> Source:
        given = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            raise refused(f"exactly one of {', '.join(ORIGINS)} is expected, not {', '.join(given) or 'none'}")
        for name in dict.fromkeys(name for names in ORIGINS.values() for name in names):
            if getattr(self, name) not in (None, False) and name not in ORIGINS[given[0]]:
                more = ": --limit bounds how many rows are read" if name == "rows" else ""
                raise refused(f"`{name}` has no meaning beside `{given[0]}`{more}", name)
        if self.generator is not None:
            if self.rows is None:
                raise refused("a generator needs `rows`: how many")
            if registry.kind_of(type(self.generator.builder())) != "generator":
                raise refused(f"{self.generator.name!r} is a step, not a generator", "generator")
        if not self.patterns and self.files is not None:
            raise refused("at least one file is expected", "files")
        for pattern in self.patterns:
            if pattern not in (info.context or {}).get("bound", ()):
                _refuse_elsewhere(pattern)
        return self

    @property
    def patterns(self) -> list[str]:
        """The paths and globs of `files`."""
        return [self.files] if isinstance(self.files, str) else list(self.files or ())


class Arm(_Model):
    """One arm: the source that it takes, and the steps of its own."""

    source: str | None = Field(default=None, validation_alias="from", serialization_alias="from")
    steps: list[Step] = Field(default_factory=list)
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"steps": value or []} if value is None or isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return recipe_schema.arm(handler(core))


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
            raise refused(f"the shares must lie in (0, 1] and sum to 1; they sum to {sum(shares.values()):g}")
        return shares

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return recipe_schema.splits(handler(core))


class Recipe(_Model):
    """What a build is made of. The order is fixed: sources, steps, arms, pair, split, canary."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    version: int = Field(default=1, ge=1, lt=2**31)
    summary: str
    paper: str | None = None
    published: str | None = Field(default=None, description="what was published under this name, and how this differs")
    licence: str = Field(description="SPDX name of the licence of the built data")
    sensitivity: Literal["open", "gated", "restricted"]
    seed: int = Field(default=42, ge=0, lt=2**63)
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
            raise refused("at least one is expected")
        return value

    @field_validator("arms")
    @classmethod
    def _free(cls, arms: dict[str, Arm]) -> dict[str, Arm]:
        if taken := sorted(sql.names() & set(arms)):
            raise refused(f"an arm cannot be called {taken[0]!r}: a view of `provkit query` has that name", taken[0])
        return arms

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        for name, arm in self.arms.items():
            if arm.source is None and len(self.sources) > 1:
                raise refused(f"the arm {name!r} must say `from:` one of {', '.join(self.sources)}", "arms", name)
            if arm.source is not None and arm.source not in self.sources:
                near = registry.near(arm.source, self.sources)
                raise refused(f"unknown source '{plain(arm.source, 60)}'{near}", "arms", name, "from")
        steps: list[tuple[tuple[str | int, ...], Step]] = [(("steps", at), step) for at, step in enumerate(self.steps)]
        for name, arm in self.arms.items():
            steps += [(("arms", name, "steps", at), step) for at, step in enumerate(arm.steps)]
        for where, step in steps:
            self._check_step(step, where)
        for name in self.indices:
            read = name in self.used_sources
            if read or not (self.sources[name].patterns or self.sources[name].input):
                what = "an arm or a mixture takes rows from it" if read else "it is no path"
                raise refused(f"a step searches {name!r} as an index, and {what}", "sources", name)
        if self.pair and len(self.arms) < 2:
            raise refused("pair: true needs at least two arms", "pair")
        taken = {name: self.source_of(name) for name in self.arms}
        if self.pair and len({*taken.values()}) > 1:
            each = ", ".join(f"{name} takes {source}" for name, source in taken.items())
            problem = "pair: true joins rows out of one source row, and the arms have several sources"
            raise refused(f"{problem}: {each}", "pair")
        if self.canary == "text" and self.sensitivity == "open":
            do = "leave `canary` out, or make the set gated or restricted"
            raise refused(f"an open set carries no canary: {do}", "canary")
        return self

    def _check_step(self, step: Step, where: tuple[str | int, ...]) -> None:
        builder = step.builder()
        if registry.kind_of(type(builder)) == "generator":
            raise refused(f"{step.name!r} is a generator: it stands under `sources`, not among the steps", *where)
        other = getattr(builder, "of", None) if hasattr(type(builder), "mix") else None
        if other is not None and other not in self.sources:
            near = registry.near(other, self.sources)
            raise refused(f"{step.name} takes from the unknown source {other!r}{near}", *where, step.name, "of")

        if hasattr(type(builder), "consult") and builder.index not in self.sources:
            near = registry.near(builder.index, self.sources)
            problem = f"{step.name} searches the unknown source {builder.index!r}{near}"
            raise refused(problem, *where, step.name, "index")

    def source_of(self, arm: str) -> str:
        """The name of the source that an arm takes."""
        return self.arms[arm].source or next(iter(self.sources))

    def is_control(self, arm: str) -> bool:
        """Whether an arm is the control of others: it has no steps of its own, and they have."""
        return not self.arms[arm].steps and any(other.steps for other in self.arms.values())

    @property
    def used_sources(self) -> list[str]:
        """The sources that an arm takes, or that a mixture of one takes from, in the order of the recipe."""
        mixed = {step.builder().of for step in self.all_steps if hasattr(type(step.builder()), "mix")}
        taken = {self.source_of(arm) for arm in self.arms}
        return [name for name in self.sources if name in taken | mixed]

    @property
    def indices(self) -> list[str]:
        """The sources that steps search as an index; no rows come from them."""
        searched = {step.builder().index for step in self.all_steps if hasattr(type(step.builder()), "consult")}
        return [name for name in self.sources if name in searched]

    @property
    def all_steps(self) -> list[Step]:
        """Every step, those of the arms behind the shared ones."""
        return [*self.steps, *(step for arm in self.arms.values() for step in arm.steps)]

    @property
    def unbound(self) -> list[str]:
        """Sources that the caller still has to bind."""
        return [name for name, source in self.sources.items() if source.input is not None]

    def bind(self, **paths: str | os.PathLike[str]) -> Recipe:
        """The recipe with inputs bound to files, globs or build directories, as --set does on the command line.

        Raises:
            InputError: for a source that it does not have, or that takes no file.
        """
        value = self.model_dump(by_alias=True, exclude_defaults=True)
        bound = {pattern for source in self.sources.values() for pattern in source.patterns}
        for name, path in paths.items():
            bound.add(bind_source(value["sources"], name, os.fspath(path)))
        return Recipe.model_validate(value, context={"bound": bound})


def bind_source(sources: dict[str, Any], name: str, given: str) -> str:
    """Puts a path of the caller's in the place of a source's `input` or `files`; returns it as it is bound.

    A relative one starts at the working folder: an absolute path or a URL in a recipe is one that its caller bound.

    Raises:
        InputError: when there is no such source, or it takes no file.
    """
    if name not in sources:
        raise InputError(f"no such source{registry.near(name, sources)}", field=name)
    source = sources[name]
    if not isinstance(source, dict) or not {"input", "files"} & source.keys():
        raise InputError("takes no file: it is a generator or a hub dataset", field=name)
    path = str(Path.cwd() / given)
    if is_url(given):
        path = given
    elif glob.has_magic(given) and not Path(given).is_absolute() and not Path(path).exists():
        path = str(Path(glob.escape(str(Path.cwd())), given))
    sources[name] = {key: value for key, value in source.items() if key != "input"} | {"files": path}
    return path


def _refuse_elsewhere(pattern: str) -> None:
    """Refuses a path of the recipe's own that does not stay beside it, on whatever system it is read."""
    absolute = PureWindowsPath(pattern).anchor or is_url(pattern)
    if absolute or ".." in re.split(r"[/\\]", pattern) or "~" in pattern or "\0" in pattern:
        do = "; declare an `input` and bind it with --set NAME=PATH"
        raise refused(f"the path '{plain(pattern)}' leaves the recipe's folder{do}", "files")
