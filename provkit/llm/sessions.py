"""What a person says on the command line, as a teacher and as a recipe of the size asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provkit import manifest
from provkit.canonical import digest
from provkit.errors import InputError
from provkit.llm import output_filter
from provkit.llm.cache import Cache
from provkit.llm.endpoint import Endpoint
from provkit.llm.teacher import Budget, Teacher, default_cache
from provkit.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Options:
    """Which model is asked, how, and for how much; None where nothing was said."""

    llm: str | None = None
    model: str | None = None
    revision: str | None = None
    cache: Path | None = None
    max_requests: int | None = None
    max_tokens: int | None = None
    concurrency: int = 16
    per_second: float | None = None
    timeout: float = 120.0
    patience: float = 300.0


def named(options: Options, replay: Path | None = None) -> dict[str, str] | None:
    """Model and revision that these options name; None when they name none. Nothing is opened.

    Raises:
        InputError: when they contradict each other, or there is nothing to replay.
    """
    url, model = options.llm, options.model
    if replay is not None:
        if url is not None or model is not None or options.revision is not None:
            raise InputError("--replay asks nobody: leave out --llm, --model and --revision")
        told = manifest.read(replay).facts["recipe"].get("teacher")
        if told is None:
            raise InputError("no recorded answers", file=replay, do="--replay takes a build that was made with --llm")
        return {"model": told["model"], "revision": told["revision"]}
    if (url is None) != (model is None):
        raise InputError("--llm URL and --model NAME go together")
    if url is None or model is None:
        return None
    where = urlsplit(url)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise InputError("no address of an endpoint", field="--llm", do="as http://127.0.0.1:8000/v1")
    return {"model": model, "revision": options.revision or ""}


def opened(
    options: Options, heard: Callable[[str], None] = lambda _: None, replay: Path | None = None
) -> Teacher | None:
    """The teacher that these options name; None when they name none.

    Args:
        options: what was said.
        heard: hears when the endpoint does not answer.
        replay: a build whose recorded answers take the endpoint's place.

    Raises:
        InputError: as `named`, and when the cache cannot be opened.
    """
    who = named(options, replay)
    if who is None:
        return None
    if replay is not None:
        return Teacher.replay(replay, **who)
    assert options.llm is not None
    endpoint = Endpoint(options.llm, who["model"], options.timeout, options.patience, options.per_second, heard)
    budget = Budget(options.max_requests, options.max_tokens)
    cache = Cache(options.cache or default_cache())
    return Teacher(who["model"], cache, endpoint, who["revision"], budget, options.concurrency)


def facts(who: Mapping[str, str], recipe: Recipe) -> dict[str, str]:
    """What a build's identity knows of its teacher before it is asked: who it is, and the words that it will be asked.

    The words are the digest of the prompts and rules that the recipe's builders name, so that a build made with other
    words is never taken for this one.
    """
    steps = [*recipe.all_steps, *(source.generator for source in recipe.sources.values() if source.generator)]
    builders = [deep.builder() for step in steps for deep in step.all]
    words = [builder.words for builder in builders if hasattr(builder, "words")]
    return {**who, "words": digest([words, output_filter.words()])}


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
