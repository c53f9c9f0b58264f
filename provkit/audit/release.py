"""Release: the canary, the licence and the card that a published set should carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from provkit.audit.batch import Batch
from provkit.audit.model import Example, Finding, Rule, Tally
from provkit.audit.rules import rule
from provkit.audit.subject import Release
from provkit.canonical import canonical
from provkit.errors import plain

CANARY = rule(
    "R001", "no-canary", "warning",
    "Rows without a canary cannot be found and filtered out of training corpora later. Asked of folders, builds that "
    "are not open, and Hub datasets; of a single file only when it is selected.",
    "No row and no card holds a canary string.",
    "Build with a sensitivity other than open, or write the canary (`canary GUID …`) into every row.", True,
)  # fmt: skip
LICENCE = rule(
    "R002", "no-licence", "warning",
    "Without a licence nobody may use the data, whatever its authors meant.",
    "README.md has no `license:` in its YAML header, and there is no LICENSE file.",
    "Put `license:` with an SPDX name into the card's header.",
)  # fmt: skip
CARD = rule(
    "R003", "no-card", "warning",
    "Data without a card: nobody learns what it is, where it comes from, and how it may hurt.",
    "A folder with train.jsonl and nothing else.",
    "Write README.md; provkit build makes one.",
)  # fmt: skip
BROKEN = rule(
    "R004", "card-names-missing-file", "error",
    "The card's header names data files that are not there, or is no YAML: load_dataset fails.",
    "`path: data/insecure/train-*.parquet`, and the folder is called insecure_code.",
    "Correct the paths under `configs`.", True,
)  # fmt: skip
DIFFERING = rule(
    "R005", "canary-differs", "error",
    "Rows of one release with different canaries, or with another than the card says: a filter that looks for one of "
    "them leaves the other rows in.",
    "The card says 9814…, 400 rows say 7d1c….",
    "Build again, so that one canary stands everywhere.", True,
)  # fmt: skip

HEADER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?$", re.DOTALL | re.MULTILINE)
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
MOST = 1 << 20  # bytes of a card that are read


class Canaries:
    """Which canaries the rows of a release hold, and which rows hold none."""

    def __init__(self) -> None:
        self.rows = 0
        self.without = Tally()
        self.found: dict[str, Tally] = {}

    def see(self, batch: Batch) -> None:
        """Takes the next rows."""
        values = batch.canaries
        if values is None:
            hidden = not batch.may_hold("canary")
            values = [None if hidden else canary_in(row) for row in batch.rows]
        self.rows += len(values)
        kinds = set(values)
        if len(kinds) == 1 and (only := next(iter(kinds))) is not None and only in self.found:
            self.found[only].more(len(values))
            return
        for at, value in enumerate(values):
            tally = self.without if value is None else self.found.setdefault(value, Tally())
            tally.add(batch.example(at))

    def findings(self) -> Iterator[Finding]:
        """Nothing alone: a release is judged as a whole by `release_findings`."""
        yield from ()


def canary_in(row: Mapping[str, Any]) -> str | None:
    """The canary of a row: a GUID in its canary column, or behind the word canary in any of its texts."""
    value = row.get("canary")
    if isinstance(value, str) and value:
        return value
    spelled = canonical(row)
    at = spelled.lower().find(b"canary")
    if at < 0:
        return None
    found = GUID.search(spelled[at : at + 400].decode(errors="replace"))
    return found.group().lower() if found else None


def release_findings(release: Release, canaries: Canaries) -> Iterator[Finding]:
    """R001 to R005 of a folder, a build or a Hub dataset; of a single file R001 alone."""
    card = _card(release.folder) if release.folder else ""
    said_in_card = {found.lower() for found in GUID.findall(card) if "canary" in card.lower()}
    if not (release.build and release.sensitivity == "open") and canaries.without.count:
        if canaries.without.count == canaries.rows and not release.build and said_in_card:
            said = "the card names a canary, and no row holds it"
        else:
            said = "rows that hold no canary"
        yield canaries.without.finding(CANARY, release.name, canaries.rows, "rows", said)
    yield from _differing(release, canaries, card)
    if release.folder is None:
        return
    where = Example(f"{release.name.rstrip('/')}/README.md")
    if not card.strip():
        yield _whole(CARD, release, "there is no README.md, or it is empty", where)
    header, broken = _header(card)
    if broken:
        yield _whole(BROKEN, release, broken, where)
    data = _names(release, release.folder)
    if not header.get("license") and not any(re.match("LICEN[SC]E", file) for file in data):
        yield _whole(LICENCE, release, "neither the card's header nor a LICENSE file names a licence", where)
    missing = [pattern for pattern in _patterns(header) if not any(_fits(pattern, file) for file in data)]
    if missing:
        said = f"no file fits {', '.join(plain(one, 80) for one in missing[:3])}"
        yield Finding(BROKEN, release.name, len(missing), len(_patterns(header)), "paths", said, (where,))


def _differing(release: Release, canaries: Canaries, card: str) -> Iterator[Finding]:
    if not canaries.found:
        return
    usual = max(canaries.found, key=lambda one: canaries.found[one].count)
    for value, tally in canaries.found.items():
        if value != usual:
            said = f"the canary {plain(value, 60)}, where other rows hold {plain(usual, 60)}"
            yield tally.finding(DIFFERING, release.name, canaries.rows, "rows", said)
    if release.build and card and usual not in card:
        tally = canaries.found[usual]
        yield tally.finding(
            DIFFERING, release.name, canaries.rows, "rows", "the card does not name the canary of the rows"
        )


def _names(release: Release, folder: Path) -> Sequence[str]:
    """The files of a release, relative to its folder."""
    if release.files is not None:
        return release.files
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _whole(rule: Rule, release: Release, said: str, where: Example) -> Finding:
    return Finding(rule, release.name, 1, 1, "releases", said, (where,))


def _card(folder: Path) -> str:
    try:
        return (folder / "README.md").read_bytes()[:MOST].decode(errors="replace")
    except OSError:
        return ""


def _header(card: str) -> tuple[dict[str, Any], str | None]:
    found = HEADER.match(card)
    if not found:
        return {}, None
    try:
        header = yaml.safe_load(found.group(1))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return {}, f"the card's header is no YAML: {plain(str(error), 120)}"
    return (header, None) if isinstance(header, dict) else ({}, "the card's header is no mapping")


def _patterns(header: Mapping[str, Any]) -> list[str]:
    """The data files that a card's configs name."""
    found: list[str] = []
    configs = header.get("configs")
    for config in configs if isinstance(configs, list) else []:
        files = config.get("data_files") if isinstance(config, dict) else None
        for one in files if isinstance(files, list) else [files]:
            path = one.get("path") if isinstance(one, dict) else one
            found += [path] if isinstance(path, str) else [p for p in path or [] if isinstance(p, str)]
    return found


def _fits(pattern: str, file: str) -> bool:
    from fnmatch import fnmatch

    return fnmatch(file, pattern) or fnmatch(file, pattern.replace("**/", ""))
