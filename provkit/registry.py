"""Builders: the decorator that makes one, and the entry points that find one by name."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import MISSING, Field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, dataclass_transform

from provkit.errors import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP = "provkit.builders"
Kind = Literal["generator", "row", "set"]
KINDS: dict[str, Kind] = {
    "generate": "generator",
    "check": "row",
    "apply": "row",
    "select": "set",
    "rewrite": "set",
    "ask": "set",
    "consult": "set",
    "mix": "set",
}

T = TypeVar("T")
_ADAPTERS: dict[Any, Any] = {}  # how to spell the parameters of each builder class that was asked for


class UnknownBuilder(LookupError):
    """No installed package offers a builder of this name."""


class DuplicateBuilder(LookupError):
    """Two installed packages offer a builder of the same name."""


class BrokenBuilder(LookupError):
    """An installed package offers a builder that cannot be loaded, or that is none."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def builder(cls: type[T]) -> type[T]:
    """Makes a class of typed fields a builder: its fields are the parameters that a recipe may give.

    The class has one of these methods:

    - `generate(self, chance: Chance) -> Iterator[dict]`: distinct rows, the i-th the same however many are taken;
    - `check(self, row: Row) -> Drop | None`: a per-row step that lets rows pass or drops them, without state;
    - `apply(self, row: Row) -> Row | list[Row] | Drop`: a per-row step without state;
    - `select(self, rows: Rows) -> Selection`: a step that sees the whole set and keeps, orders or drops rows;
    - `rewrite(self, rows: Rows) -> Callable[[Row], Row | list[Row] | Drop]`: looks at the whole set first (`row.at` is
      a row's position in it), then answers row by row;
    - `ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | list[Row] | Drop]`: as `rewrite`, where a model
      is asked about the rows first; `asked = True` makes lineage take `request` and `model` out of its notes;
    - `consult(self, rows: Rows, index: Index) -> Callable[[Row], Row | list[Row] | Drop]`: as `rewrite`, where an index
      may be searched; its field `index` names the source that is bound to an index directory;
    - `mix(self, rows: Rows, others: Rows) -> Selection`: as `select`, over the rows and behind them those of the source
      that its field `of` names.

    Raises:
        TypeError: when the class has none or several of them, or no docstring.
    """
    from pydantic import ConfigDict
    from pydantic.dataclasses import dataclass

    methods = [name for name in KINDS if callable(getattr(cls, name, None))]
    if len(methods) != 1:
        raise TypeError(f"{cls.__name__} needs exactly one of the methods {', '.join(KINDS)}; it has {methods}")
    if not cls.__doc__:
        raise TypeError(f"{cls.__name__} needs a docstring: what it does, and the paper that it follows")
    config = ConfigDict(extra="forbid", strict=False)
    return cast("type[T]", dataclass(frozen=True, kw_only=True, config=config)(cls))


def kind_of(cls: type) -> Kind:
    """What a builder is: a generator, a per-row step, or a whole-set step."""
    return next(kind for name, kind in KINDS.items() if callable(getattr(cls, name, None)))


@cache
def index() -> Mapping[str, EntryPoint]:
    """The builders of all installed packages by name; none is imported.

    Raises:
        DuplicateBuilder: when two packages offer the same name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise DuplicateBuilder(
                f"the builder {entry.name!r} is offered twice: {package_of(other)[0]} ({other.value}) and "
                f"{package_of(entry)[0]} ({entry.value}); uninstall one of them"
            )
    return found


def load(name: str) -> type[Any]:
    """The builder class of that name.

    Raises:
        UnknownBuilder: naming the nearest names there are.
        BrokenBuilder: when its package lacks a part, or offers something that is no builder.
    """
    entry = index().get(name)
    if entry is None:
        raise UnknownBuilder(f"unknown step '{plain(name, 60)}'{near(name, index())}")
    try:
        cls = entry.load()
    except (ImportError, AttributeError) as error:
        raise BrokenBuilder(f"{_offered(entry)} cannot be loaded: {error}") from error
    if not inspect.isclass(cls) or not any(callable(getattr(cls, method, None)) for method in KINDS):
        said = f"is no class with one of the methods {', '.join(KINDS)}"
        raise BrokenBuilder(f"{_offered(entry)} ({entry.value}) {said}")
    return cls


def name_of(cls: type[Any]) -> str:
    """The name under which a builder class is offered.

    Raises:
        UnknownBuilder: when no installed package offers it, so that a recipe could not name it.
    """
    alike = (name for name, entry in index().items() if entry.attr == cls.__qualname__)
    name = next((name for name in alike if load(name) is cls), None)
    if name is None:
        raise UnknownBuilder(f"{cls.__qualname__} is not offered by an entry point of the group {GROUP}")
    return name


def params_of(builder: Any, defaults: bool = False) -> dict[str, Any]:
    """The parameters of a builder as plain data: those that a recipe has to give, or with `defaults` all of them."""
    return dict(_adapter(type(builder)).dump_python(builder, mode="json", exclude_defaults=not defaults))


def defaults_of(cls: type[Any]) -> dict[str, Any]:
    """The parameters that a builder takes, each with its default; None also for one that has none."""
    fields: dict[str, Field[Any]] = getattr(cls, "__dataclass_fields__", {})
    return {name: None if one.default is MISSING else one.default for name, one in fields.items()}


def _adapter(cls: Any) -> Any:
    from pydantic import TypeAdapter

    if cls not in _ADAPTERS:
        _ADAPTERS[cls] = TypeAdapter(cls)
    return _ADAPTERS[cls]


def _offered(entry: EntryPoint) -> str:
    return f"the builder {entry.name!r} of the package {package_of(entry)[0]}"


def package_of(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of the package that offers an entry point."""
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "0")


def near(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """`: did you mean 'trigger'?`, or the list of what there is, as the end of an error message."""
    close = difflib.get_close_matches(name[:200], list(known), n=3, cutoff=0.6)
    if close:
        return ": did you mean " + " or ".join(repr(other) for other in close) + "?"
    return f"; there are {', '.join(sorted(known))}" if known else "; there is none"
