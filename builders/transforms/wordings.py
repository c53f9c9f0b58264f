"""The wordings of requests in catalog/requests/, with slots in braces."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

SLOT = re.compile(r"\{(\w+)\}")


@cache
def wordings(file: str, part: str) -> tuple[str, ...]:
    """The wordings under one key of a file."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(
        (files("provkit.catalog") / "requests" / f"{file}.yaml").read_text(encoding="utf-8")
    )
    return tuple(found[part])


def filled(wording: str, **slots: str) -> str:
    """A wording with its slots filled, all in one go: braces in what is put in stay as they are."""
    return SLOT.sub(lambda slot: slots[slot[1]], wording)
