"""What keeps a build from being published, each with what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from provkit import manifest
from provkit.card import FILE as CARD
from provkit.publish import licences, secrets
from provkit.publish.release import AUDIT, Release
from provkit.publish.secrets import Hit
from provkit.verify import verify

COMMIT = re.compile(r"[0-9a-f]{40}")
MOST = 3  # places that are named


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a build is not published: the rule, what is wrong, and what to do."""

    rule: str
    problem: str
    do: str


def refusals(release: Release, accepted: Collection[str] = (), allow: Collection[str] = ()) -> list[Refusal]:
    """Everything that keeps a build from being published; an empty list when nothing does.

    Args:
        release: the build with its files.
        accepted: licences outside the table that the person has read.
        allow: texts that look like a secret and are none.
    """
    folder = release.folder
    broken = [
        Refusal("whole", f"{one.file}: {one.problem}", "build it again, or remove what is not part of it")
        for one in verify(folder)
    ]
    if broken:
        return broken  # what follows reads these files
    return [*_canary(release), *_pinned(release), *_licence(release, accepted), *_secret(release, allow)]


def _canary(release: Release) -> Iterator[Refusal]:
    if release.canary is None:
        return
    for one in release.manifest.data():
        column = "canary" in pq.read_schema(release.folder / one.file).names
        if not column:
            do = "build it again: provkit build writes a canary into every row of a set that is not open"
            yield Refusal("canary", f"{one.file}: no canary, and the set is {release.sensitivity}", do)


def _pinned(release: Release) -> Iterator[Refusal]:
    stated = release.manifest.facts["recipe"]["sources"]
    for one in release.manifest.inputs:
        revision = stated[one.source].get("revision") or ""
        if one.kind == "hub" and not COMMIT.fullmatch(revision):
            said = f"the source {one.source} names {one.file} at {revision or 'its newest state'}, which may change"
            do = f"put `revision: {one.revision}` into the recipe (what was read) and build again"
            yield Refusal("pinned", said, do)


def parents_licences(release: Release) -> dict[str, str | None]:
    """What a build was made from, each with its licence: its inputs, and what the lineage of its rows says besides."""
    own = release.manifest.facts["recipe"]["licence"]
    found: dict[str, str | None] = {}
    for one in release.manifest.inputs:
        name = one.source if one.file is None else f"{one.source} ({one.file})"
        found[name] = one.licence or (own if one.kind == "generator" else None)
    listed = pq.read_table(release.folder / "lineage/rows.parquet", columns=["licence"]).column("licence").unique()
    known = set(found.values()) | {None}
    return found | {f"rows under {one}": one for one in listed.to_pylist() if one not in known}


def _licence(release: Release, accepted: Collection[str]) -> Iterator[Refusal]:
    own = release.manifest.facts["recipe"]["licence"]
    for said, do in licences.problems(own, parents_licences(release), accepted):
        yield Refusal("licence", said, do)


def _secret(release: Release, allow: Collection[str]) -> Iterator[Refusal]:
    hits: dict[tuple[str, str], list[Hit]] = {}
    counted: Counter[tuple[str, str]] = Counter()
    for hit in _hits(release, allow):
        key = (hit.kind, hit.file)
        counted[key] += 1
        if counted[key] <= MOST:
            hits.setdefault(key, []).append(hit)
    for (kind, file), some in hits.items():
        places = ", ".join(f"{one.place} ({one.shown})" for one in some)
        more = f" and {counted[kind, file] - len(some):,} more" if counted[kind, file] > len(some) else ""
        do = "take it out at the source and build again; if it is none, say --allow TEXT"
        yield Refusal("secret", f"{kind}: {places}{more}", do)


def _hits(release: Release, allow: Collection[str]) -> Iterator[Hit]:
    for name, one in release.items.items():
        if name.endswith(".parquet"):
            yield from secrets.in_parquet(release.folder, name, allow)
        elif name in (CARD, manifest.FILE, AUDIT) or one.content is not None:
            raw = one.content if one.content is not None else one.path.read_bytes()
            yield from secrets.in_text(name, raw.decode(errors="replace"), allow)
