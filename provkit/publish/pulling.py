"""Brings a published build back into a build directory, byte for byte, and checks it before it gets its name."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provkit import manifest
from provkit.errors import InputError, plain
from provkit.inspection import Finding
from provkit.manifest import PLACES
from provkit.publish import hub, sealed
from provkit.publish.hub import KIND, in_plain_words
from provkit.publish.release import AUDIT
from provkit.publish.sealed import Seal
from provkit.publish.sealing import seal_there
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


def pull(api: HfApi, name: str, revision: str | None, out: Path, passphrase: str | None = None) -> Pulled:
    """Downloads the files of a build and verifies them; `out` is written whole, or not at all.

    Only files that a build can have are taken; what else lies in the repository stays there.

    Args:
        api: the client of the Hub.
        name: the repository, ORG/NAME.
        revision: branch, tag or commit; main where none is given.
        out: the build directory to write.
        passphrase: of a sealed archive.

    Raises:
        HubRefused: when the Hub does not give them.
        InputError: when the repository holds no build, or one that is sealed and does not open.
        ProvkitError: when `out` holds something else, or cannot be written.
    """
    with in_plain_words(name, AGAIN):
        commit = str(api.dataset_info(name, revision=revision).sha)
        there = hub.files_at(api, name, commit)
        files = sorted(one for one in there if PLACES.match(one) or one == AUDIT)
        locked = manifest.FILE not in files and sealed.FILE in there
        if locked:
            seal = seal_there(api, name, commit)
            files = [one.file for one in seal.parts]
        elif manifest.FILE not in files:
            said = f"no build of provkit: it has no {manifest.FILE} at {plain(revision or 'main')}"
            raise InputError(said, file=f"{ADDRESS}{name}")
        if locked and passphrase is None:
            raise _needs_passphrase(f"{ADDRESS}{name}")
        if any(one not in there for one in files):
            raise InputError("parts of the sealed archive are missing", file=f"{ADDRESS}{name}")
        cached = [Path(api.hf_hub_download(name, one, revision=commit, repo_type=KIND)) for one in files]
    if locked:
        assert passphrase is not None
        whole, findings = _unsealed(seal, cached, passphrase, out)
        return Pulled(out, commit, len(whole), seal.size, findings)
    findings = _checked(out, lambda folder: _copied(folder, files, cached))
    return Pulled(out, commit, len(files), sum(there[one].size for one in files), findings)


def unseal(folder: Path, out: Path, passphrase: str | None) -> Pulled:
    """Opens a sealed archive that lies in a folder, as a mirror may have it, and verifies the build in it.

    Raises:
        InputError: when it is none, a part is damaged, or the passphrase does not open it.
        ProvkitError: when `out` holds something else, or cannot be written.
    """
    home = folder if (folder / sealed.FILE).is_file() else folder.parent
    try:
        seal = sealed.parsed((home / sealed.FILE).read_bytes())
    except OSError as error:
        raise InputError(error.strerror or str(error), file=home / sealed.FILE) from None
    if passphrase is None:
        raise _needs_passphrase(str(folder))
    whole, findings = _unsealed(seal, [home / one.file for one in seal.parts], passphrase, out)
    return Pulled(out, "", len(whole), seal.size, findings)


def is_sealed(folder: Path) -> bool:
    """Whether a sealed archive lies in a folder, or the folder is that archive's own."""
    own = folder.name == sealed.FOLDER and (folder.parent / sealed.FILE).is_file()
    return not (folder / manifest.FILE).exists() and (own or (folder / sealed.FILE).is_file())


def whole_on_hub(
    api: HfApi, text: str, given: Sequence[Path] = (), rebuild: bool = False, passphrase: str | None = None
) -> list[Finding]:
    """What is wrong with a published build, `hf://datasets/ORG/NAME@REV`; it is checked in a temporary folder.

    Raises:
        HubRefused, InputError: as `pull` and `verify`.
    """
    name, revision = address(text)
    return _whole(lambda out: pull(api, name, revision, out, passphrase), given, rebuild)


def whole_in_archive(
    folder: Path, passphrase: str | None, given: Sequence[Path] = (), rebuild: bool = False
) -> list[Finding]:
    """What is wrong with the build in a sealed archive that lies in a folder.

    Raises:
        InputError: as `unseal` and `verify`.
    """
    return _whole(lambda out: unseal(folder, out, passphrase), given, rebuild)


def _whole(bring: Callable[[Path], Pulled], given: Sequence[Path], rebuild: bool) -> list[Finding]:
    from provkit.verify import verify

    with tempfile.TemporaryDirectory(prefix="provkit-") as scratch:
        found = bring(Path(scratch) / "pulled")
        if found.findings or not (given or rebuild):
            return list(found.findings)
        return verify(found.path, given, rebuild)


def _checked(out: Path, fill: Callable[[Path], object]) -> list[Finding]:
    """Fills a build directory and verifies it; what is wrong with it, and then it is not written."""
    from provkit.verify import verify

    findings: list[Finding] = []
    with suppress(_Damaged), writing(out, stranger) as folder:
        fill(folder)
        findings = verify(folder)
        if findings:
            raise _Damaged
    return findings


def _copied(folder: Path, files: Sequence[str], cached: Sequence[Path]) -> None:
    for one, path in zip(files, cached, strict=True):
        (folder / one).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / one)


def _unsealed(seal: Seal, parts: Sequence[Path], passphrase: str, out: Path) -> tuple[list[str], list[Finding]]:
    names: list[str] = []

    def fill(folder: Path) -> None:
        sealed.opened(seal, parts, passphrase, folder)
        names.extend(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())
        if manifest.FILE not in names or manifest.read(folder).digest != seal.manifest:
            raise InputError("the archive holds another build than sealed.json says", file=sealed.FILE)

    findings = _checked(out, fill)
    return names, findings


def _needs_passphrase(where: str) -> InputError:
    do = f"its passphrase stands in {sealed.CARD}, behind the gate; fetch it and say --passphrase-file {sealed.CARD}"
    return InputError("a sealed archive", file=where, do=do)


def stranger(folder: Path) -> str | None:
    """Something in a directory that no pull would have put there."""
    names = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if not one.is_dir()}
    if manifest.FILE not in names:
        return min(names, default=None)
    return min((one for one in names if not PLACES.match(one) and one != AUDIT), default=None)
