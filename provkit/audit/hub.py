"""A dataset of the Hub to audit: its data files, card and licence, at one commit, in the client's cache."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from provkit.errors import InputError, plain
from provkit.sources.files import format_of

ADDRESS = "hf://datasets/"
BESIDE = ("README.md", "LICEN[SC]E*", "*/LICEN[SC]E*")
NO_ROWS = ("lineage/*", "dataset_infos.json", "croissant.json", "audit.json", ".*", "*/.*")
AT_ONCE = 8  # files on their way at a time

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A dataset repository at one commit.

    Attributes:
        folder: where its files are now, under their own names.
        names: every file of the commit, brought here or not.
        brought: those that are here.
    """

    folder: Path
    commit: str
    names: tuple[str, ...]
    brought: tuple[str, ...]


def fetch(name: str, progress: Progress = lambda *_: None) -> Fetched:
    """Brings the files of `OWNER/NAME` or `OWNER/NAME@REVISION` that an audit reads.

    The revision is settled once; where the Hub fails in the middle no older copy takes its place.

    Raises:
        InputError: when the Hub does not give them.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    repository, _, revision = name.partition("@")
    disable_progress_bars()
    api = HfApi(library_name="provkit")
    try:
        commit = str(api.dataset_info(repository, revision=revision or None).sha)
        names = tuple(sorted(api.list_repo_files(repository, repo_type="dataset", revision=commit)))
        wanted = tuple(one for one in names if _wanted(one))
        folder = _brought(api, repository, commit, wanted, progress)
    except Exception as error:  # the Hub's own, HTTP's, the network's: no type is common to them
        said = f"the Hub does not give this dataset: {plain(str(error).strip().partition(chr(10))[0])}"
        do = "check name and revision (or the path, if a file here was meant)"
        do += "; a private or gated set needs its terms accepted, and HF_TOKEN or `hf auth login`"
        raise InputError(said, file=f"{ADDRESS}{name}", do=do) from None
    return Fetched(folder, commit, names, wanted)


def _brought(api: Any, repository: str, commit: str, wanted: tuple[str, ...], progress: Progress) -> Path:
    """The folder in which the files lie; of a repository without any, one that does not exist."""
    from concurrent.futures import ThreadPoolExecutor

    def one(file: str) -> str:
        return str(api.hf_hub_download(repository, file, repo_type="dataset", revision=commit))

    folder = Path("none")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for at, (file, path) in enumerate(zip(wanted, pool.map(one, wanted), strict=True)):
            folder = Path(path).parents[len(PurePosixPath(file).parts) - 1]
            progress(f"fetch {ADDRESS}{plain(repository)}", at, len(wanted))
    return folder


def _wanted(name: str) -> bool:
    """Whether a file is data that a build reads, or says what the data is."""
    if ".." in PurePosixPath(name).parts or any(fnmatch.fnmatchcase(name, one) for one in NO_ROWS):
        return False
    if any(fnmatch.fnmatchcase(name, one) for one in BESIDE):
        return True
    try:
        return bool(format_of(Path(name)))
    except InputError:
        return False
