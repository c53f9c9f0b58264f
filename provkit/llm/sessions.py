"""What a person says on the command line, as a teacher and as a recipe of the size asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provkit import manifest
from provkit.errors import InputError
from provkit.llm.cache import Cache
from provkit.llm.endpoint import Endpoint
from provkit.llm.teacher import Budget, Teacher, default_cache
from provkit.recipe import Recipe


def opened(
    url: str | None, model: str | None, replay: Path | None, cache: Path | None, budget: Budget, concurrency: int
) -> Teacher | None:
    """The teacher that these options name; None when they name none.

    Raises:
        InputError: when they contradict each other, or there is nothing to replay.
    """
    if replay is not None:
        if url is not None or model is not None:
            raise InputError("--replay asks nobody: leave out --llm and --model")
        told = manifest.read(replay).facts["recipe"].get("teacher")
        if told is None:
            raise InputError("no recorded answers", file=replay, do="--replay takes a build that was made with --llm")
        return Teacher.replay(replay, told["model"], told["revision"])
    if (url is None) != (model is None):
        raise InputError("--llm URL and --model NAME go together")
    if url is None or model is None:
        return None
    return Teacher(model, Cache(cache or default_cache()), Endpoint(url, model), budget=budget, concurrency=concurrency)


def sized(recipe: Recipe, rows: int) -> Recipe:
    """The recipe with `accept` set to so many rows; candidates grow in the same proportion.

    Raises:
        InputError: when it has no step `accept`.
    """
    value = recipe.model_dump(by_alias=True, exclude_defaults=True)
    chosen: list[dict[str, Any]] = [step for step in value.get("steps", []) if step["name"] == "accept"]
    if not chosen:
        raise InputError("the recipe has no step `accept`", field="--rows", do="--limit bounds the rows of a source")
    params = chosen[0]["params"]
    most = -(-rows * params["at_most"] // params["rows"])
    params["rows"], params["at_most"] = rows, most
    for source in value["sources"].values():
        if "generator" in source:
            source["rows"] = most
    bound = {pattern for source in recipe.sources.values() for pattern in source.patterns}
    return Recipe.model_validate(value, context={"bound": bound})


def recorded(folder: Path, rows: int | None, limit: int | None) -> tuple[int | None, int | None]:
    """The rows and the limit that a build was made with, where others are not given."""
    told = manifest.read(folder).facts["recipe"]
    accepts = [step["params"]["rows"] for step in told["steps"] if step["name"] == "accept"]
    return rows or (accepts[0] if accepts else None), limit or told.get("limit")
