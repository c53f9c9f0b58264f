"""Recipes out of YAML: values of the caller's put in, errors with file, line and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from provkit import registry
from provkit.errors import InputError
from provkit.recipe import Arm, Recipe, Source, Splits, Step, bind_source
from provkit.recipe_errors import MISSING, find, said, way_to, worst
from provkit.sources.yaml_rows import compose, construct

MAX_RECIPE = 1 << 20  # bytes


def read_recipe(text: str, file: str, settings: Mapping[str, str] | None = None) -> Recipe:
    """A recipe out of YAML, with `--set` values put in.

    Raises:
        InputError: with file, line and key, what was expected, and the nearest name there is.
    """
    if len(text.encode(errors="replace")) > MAX_RECIPE:
        raise InputError(f"a recipe of more than {MAX_RECIPE >> 10} KB", file=file)
    root = compose(text, file)
    if not isinstance(root, yaml.MappingNode):
        raise InputError("a recipe is a mapping with name, summary, sources …", file=file, line=1)
    value = construct(root, file)
    bound = {path for key, given in (settings or {}).items() for path in _put(value, key, given)}
    try:
        return Recipe.model_validate(value, context={"bound": bound})
    except ValidationError as error:
        raise _located(error, root, file, settings or {}) from None


def _put(value: dict[str, Any], key: str, given: str) -> set[str]:
    """Binds an input, or replaces a single value of the recipe, by its dotted name; the paths that were bound."""
    sources = value.get("sources")
    if not isinstance(sources, dict):
        sources = {}
    way = key.split(".")
    if way[0] in sources and way[0] not in Recipe.model_fields:
        way = ["sources", *way]
    try:
        if way[0] == "sources" and len(way) == 2:
            value["sources"] = sources = dict(sources)
            return {bind_source(sources, way[1], given)}
        read = construct(node, "the value") if (node := compose(given, "the value")) else given
        if way == ["sources"] and isinstance(read, str | list):
            return _instead(value, sources, read)
        _set(value, way, read, sources)
    except InputError as error:
        raise InputError(error.problem, file=f"--set {key}={given}", field=error.field, do=error.do) from None
    return set()


def _instead(value: dict[str, Any], sources: Mapping[str, Any], given: Any) -> set[str]:
    """Has the recipe's only source read from files of the caller's, whatever it is made of; the paths.

    Raises:
        InputError: when the recipe has several sources, or what was given is no path or list of paths.
    """
    paths = [given] if isinstance(given, str) else given
    if len(sources) != 1:
        raise InputError(f"the recipe has {len(sources)} sources", do="bind each by its name, or give a mapping")
    if not paths or not all(isinstance(one, str) for one in paths):
        raise InputError("a path, or a list of paths, is expected")
    found = [bind_source({"it": {"input": ""}}, "it", one) for one in paths]
    value["sources"] = {next(iter(sources)): {"files": found, "fill": True}}
    return set(found)


def _set(value: dict[str, Any], way: Sequence[str], given: Any, sources: Mapping[str, Any]) -> None:
    at = value
    for depth, part in enumerate(way):
        known = [*at] if depth else [*Recipe.model_fields, *sources]
        last = depth == len(way) - 1
        inner = at.get(part, {} if not depth and part in Recipe.model_fields else None)
        if (not depth and part not in Recipe.model_fields) or (not last and not isinstance(inner, dict)):
            raise InputError(f"nothing to set at '{part}'{registry.near(part, known)}")
        if last:
            at[part] = given
            return
        assert isinstance(inner, dict)
        at[part] = at = dict(inner)


def _located(error: ValidationError, root: yaml.Node, file: str, settings: Mapping[str, str]) -> InputError:
    fault = worst(error)
    way = way_to(fault)
    line, keys = find(root, way)
    if fault["type"] in MISSING:
        keys.append(way[-1])
    problem = said(fault, _keys_beside(way))
    others = len({one["loc"][:2] for one in error.errors()}) - 1
    more = f"{others} more {'errors follow' if others > 1 else 'error follows'}" if others else None
    at = f"{'.'.join(map(str, way))}.".removeprefix("sources.")
    for key, given in settings.items():
        put = f"{key}.".removeprefix("sources.")
        if at.startswith(put):
            return InputError(problem, file=f"--set {key}={given}", do=more)
        if way and (put.startswith(at) or (keys and put.startswith(f"{keys[0]}."))):
            more = f"it stands so with --set {key}={given}"
    return InputError(problem, file=file, line=line, field=".".join(map(str, keys)) or None, do=more)


def _keys_beside(way: Sequence[str | int]) -> list[str]:
    """The keys that may stand where the last one of a way stands."""
    models: dict[str | int, type[BaseModel]] = {"sources": Source, "arms": Arm, "splits": Splits}
    model: type[BaseModel] = Recipe
    if len(way) > 1:
        model = Step if isinstance(way[-2], int) or way[-2] == "generator" else models.get(way[0], Recipe)
    return [field.serialization_alias or name for name, field in model.model_fields.items()]
