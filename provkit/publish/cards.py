"""Merges a build's card with the one on the Hub: what a person wrote there stays, what is computed is replaced."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import yaml

from provkit import card
from provkit.card import Card
from provkit.errors import InputError

HEADER = re.compile(r"\A---\r?\n(?P<yaml>.*?)^---\r?\n(?P<body>.*)\Z", re.S | re.M)


def merged(mine: Card, there: str) -> Card:
    """The build's card with the parts that a person wrote: those of the build where it has some, else those there.

    A card on the Hub that provkit did not make is kept below the computed part; of its header, the keys that are not
    computed.
    """
    if mine.own_yaml.strip() or mine.before.strip() or mine.after.strip():
        return mine
    try:
        other = card.parsed(there)
    except InputError:
        return _adopted(mine, there)
    return replace(mine, own_yaml=other.own_yaml, before=other.before, after=other.after)


def _adopted(mine: Card, there: str) -> Card:
    found = HEADER.match(there)
    header, body = (found["yaml"], found["body"]) if found else ("", there)
    try:
        theirs: Any = yaml.safe_load(header) or {}
    except yaml.YAMLError:
        theirs = {}
    computed = yaml.safe_load(mine.yaml)
    kept = {key: value for key, value in theirs.items() if key not in computed} if isinstance(theirs, dict) else {}
    own_yaml = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True) if kept else ""
    return replace(mine, own_yaml=own_yaml, after=f"\n{body.strip()}\n" if body.strip() else "")
