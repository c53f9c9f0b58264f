"""Brings a published build back into a build directory, byte for byte, and checks it before it gets its name."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provkit import manifest
from provkit.errors import InputError, plain
from provkit.inspection import Finding
from provkit.manifest import PLACES
from provkit.publish import hub
from provkit.publish.hub import KIND, in_plain_words
from provkit.publish.release import AUDIT
from provkit.target import writing

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ADDRESS = "hf://datasets/"
AGAIN = "run the same command again: files that came over are kept in the cache"


@dataclass(frozen=True, slots=True)
class Pulled:
    """A build that was brought over: its commit, and what is wrong with it; nothing was written if anything is."""

    path: Path
    commit: str
    files: int
    size: int
    findings: Sequence[Finding]


class _Damaged(Exception):
    """Ends the writing of a build that does not hold together."""


def address(text: str) -> tuple[str, str | None]:
    """ORG/NAME and the revision behind `@`, with or without `hf://datasets/` before them.

    Raises:
        InputError: when it is none.
    """
    name, _, revision = text.removeprefix(ADDRESS).partition("@")
    if revision and not re.fullmatch(r"[\w./-]+", revision, re.ASCII):
        raise InputError("no revision", field=plain(revision), do="a tag, a branch or a commit stands behind the @")
    return hub.checked_name(name), revision or None


def pull(api: HfApi, name: str, revision: str | None, out: Path) -> Pulled:
    """Downloads the files of a build and verifies them; `out` is written whole, or not at all.

    Only files that a build can have are taken; what else lies in the repository stays there.

    Raises:
        HubRefused: when the Hub does not give them.
        InputError: when the repository holds no build.
        ProvkitError: when `out` holds something else, or cannot be written.
    """
    from provkit.verify import verify

    with in_plain_words(name, AGAIN):
        commit = str(api.dataset_info(name, revision=revision).sha)
        there = hub.files_at(api, name, commit)
        files = sorted(one for one in there if PLACES.match(one) or one == AUDIT)
        if manifest.FILE not in files:
            said = f"no build of provkit: it has no {manifest.FILE} at {plain(revision or 'main')}"
            raise InputError(said, file=f"{ADDRESS}{name}")
        cached = [api.hf_hub_download(name, one, revision=commit, repo_type=KIND) for one in files]
    findings: list[Finding] = []
    with suppress(_Damaged), writing(out, stranger) as folder:
        for one, path in zip(files, cached, strict=True):
            (folder / one).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / one)
        findings = verify(folder)
        if findings:
            raise _Damaged
    return Pulled(out, commit, len(files), sum(there[one].size for one in files), findings)


def whole_on_hub(api: HfApi, text: str, given: Sequence[Path] = (), rebuild: bool = False) -> list[Finding]:
    """What is wrong with a published build, `hf://datasets/ORG/NAME@REV`; it is checked in a temporary folder.

    Raises:
        HubRefused, InputError: as `pull` and `verify`.
    """
    from provkit.verify import verify

    name, revision = address(text)
    with tempfile.TemporaryDirectory(prefix="provkit-") as scratch:
        found = pull(api, name, revision, Path(scratch) / "pulled")
        if found.findings or not (given or rebuild):
            return list(found.findings)
        return verify(found.path, given, rebuild)


def stranger(folder: Path) -> str | None:
    """Something in a directory that no pull would have put there."""
    names = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if not one.is_dir()}
    if manifest.FILE not in names:
        return min(names, default=None)
    return min((one for one in names if not PLACES.match(one) and one != AUDIT), default=None)
