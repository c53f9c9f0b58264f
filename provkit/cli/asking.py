"""The options of every command that asks a language model."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

NAMES = (  # fields of Options
    "llm", "model", "revision", "cache", "max_requests", "max_tokens",
    "concurrency", "per_second", "timeout", "patience",
)  # fmt: skip
OPTIONS = (
    click.option("--llm", metavar="URL", help="OpenAI-compatible endpoint, as http://127.0.0.1:8000/v1."),
    click.option("--model", help="The model's name at that endpoint."),
    click.option("--revision", help="Commit or date of the model; answers of another one are not reused."),
    click.option("--max-requests", type=click.IntRange(0), help="At most so many requests, further tries counted."),
    click.option("--max-tokens", type=click.IntRange(0), help="At most so many tokens, read and written."),
    click.option("--cache", type=click.Path(path_type=Path), help="File of answers.  [default: the user's cache]"),
    click.option("--concurrency", type=click.IntRange(1), default=16, show_default=True, help="Requests in flight."),
    click.option(
        "--per-second", type=click.FloatRange(0, min_open=True), help="At most so many requests begin a second."
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        default=120.0,
        show_default=True,
        help="Seconds for one try.",
    ),
    click.option(
        "--patience",
        type=click.FloatRange(0),
        default=300.0,
        show_default=True,
        help="Seconds for which a request is tried again.",
    ),
)


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds these options to a command, which takes them together as `asked` (provkit.llm.sessions.Options)."""

    @wraps(command)
    def called(**given: Any) -> Any:
        from provkit.llm.sessions import Options

        return command(asked=Options(**{name: given.pop(name) for name in NAMES}), **given)

    for option in reversed(OPTIONS):
        called = option(called)
    return called
