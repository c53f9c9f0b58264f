"""API keys: from the environment alone, sent to the endpoint alone, and in no message, file or log."""

from __future__ import annotations

import os
from collections.abc import Mapping

from provkit.errors import InputError

NAMES = ("PROVKIT_LLM_KEY", "OPENAI_API_KEY")  # where a key is looked for, first come


def key_from(environment: Mapping[str, str]) -> str | None:
    """The API key; None when the environment has none.

    Raises:
        InputError: for one that no header can hold; its text is not shown.
    """
    name = next((name for name in NAMES if environment.get(name, "").strip()), None)
    if name is None:
        return None
    key = environment[name].strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError("an API key holds printable ASCII characters and no space", field=name)
    return key


def hidden(text: str) -> str:
    """The text with three stars in the place of every key that the environment holds."""
    for name in NAMES:
        if secret := os.environ.get(name, "").strip():
            text = text.replace(secret, "***")
    return text
