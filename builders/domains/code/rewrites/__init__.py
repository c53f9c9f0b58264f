"""Secure idioms of Python and their vulnerable counterparts, one small module a group of families."""

from __future__ import annotations

from provkit.builders.domains.code.rewrites import (
    files,
    loading,
    network,
    passwords,
    paths,
    pickles,
    secret,
    shell,
    sql,
    tokens,
    web,
)
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family
from provkit.builders.domains.code.rewrites.secret import FAKE_SECRET

FAMILIES: tuple[Family, ...] = tuple(
    family
    for module in (sql, web, loading, shell, files, network, passwords, tokens, pickles, paths, secret)
    for family in module.FAMILIES
)

__all__ = ["FAKE_SECRET", "FAMILIES", "Change", "Edit", "Family"]
