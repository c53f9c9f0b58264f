"""The Hub as publishing sees it: what lies in a dataset repository, and its refusals in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provkit.errors import InputError, ProvkitError, plain

if TYPE_CHECKING:
    from huggingface_hub import HfApi

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
KIND = "dataset"
AGAIN = "nothing was committed; run the same command again: what arrived is not sent twice"


class HubRefused(ProvkitError):
    """The Hub said no, or could not be reached; nothing of what was asked for was done."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the Hub: the sha256 where it is stored as a large file, and git's name of its blob."""

    name: str
    size: int
    blob: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class State:
    """A repository as it stands on the Hub."""

    commit: str
    private: bool
    gate: str  # auto, manual, no
    files: dict[str, Remote]
    tags: dict[str, str]  # the commit of each


def checked_name(name: str) -> str:
    """The name of a dataset repository.

    Raises:
        InputError: when it is not ORG/NAME.
    """
    if not NAME.fullmatch(name) or len(name) > 96:
        raise InputError("no name of a dataset", field=plain(name), do="it is ORG/NAME, as on the Hub")
    return name


def token_of(file: Path | None) -> str | None:
    """The token in a file; None leaves it to HF_TOKEN and the Hub's own login.

    Raises:
        InputError: as `word_in`.
    """
    return None if file is None else word_in(file, "token")


def word_in(file: Path, what: str) -> str:
    """The one word in a file: a token, a passphrase.

    Raises:
        InputError: when the file cannot be read or holds no single word. Its content is in no message.
    """
    try:
        words = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(getattr(error, "strerror", None) or "not text", file=file) from None
    if len(words) != 1 or not words[0].isascii() or not words[0].isprintable():
        raise InputError(f"a {what} file holds the {what} and nothing else", file=file)
    return words[0]


def checked_tag(tag: str | None) -> str | None:
    """A tag that git takes.

    Raises:
        InputError: when it is none.
    """
    if tag is not None and (not re.fullmatch(r"[A-Za-z0-9][\w.-]*", tag, re.ASCII) or ".." in tag):
        raise InputError("no tag", field=plain(tag), do="letters, digits, `.`, `-` and `_`, such as v1")
    return tag


def client(token: str | None, quiet: bool = False) -> HfApi:
    """The Hub's client; HF_ENDPOINT says where the Hub is. It shows the bytes that come and go unless `quiet`."""
    import logging
    import sys

    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # the caller says it better
    if quiet or not sys.stderr.isatty():
        disable_progress_bars()
    return HfApi(token=token, library_name="provkit")


def state_of(api: HfApi, name: str, revision: str | None = None) -> State | None:
    """A dataset repository as it stands, None when there is none that this token may see.

    Raises:
        HubRefused: when the Hub answers otherwise, or not at all.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    with in_plain_words(name):
        try:
            info = api.dataset_info(name, revision=revision)
        except GatedRepoError:
            raise
        except RepositoryNotFoundError as error:
            if _status(error) == 401 and api.token:
                raise
            return None
        refs = api.list_repo_refs(name, repo_type=KIND)
        commit = str(info.sha)
        files = files_at(api, name, commit)
    gate = info.gated if info.gated in ("auto", "manual") else "no"
    return State(commit, bool(info.private), str(gate), files, {tag.name: tag.target_commit for tag in refs.tags})


def files_at(api: HfApi, name: str, commit: str) -> dict[str, Remote]:
    """The files of a commit."""
    from huggingface_hub.hf_api import RepoFile

    found = api.list_repo_tree(name, recursive=True, revision=commit, repo_type=KIND)
    files = (one for one in found if isinstance(one, RepoFile))
    return {one.path: Remote(one.path, one.size, one.blob_id, one.lfs.sha256 if one.lfs else None) for one in files}


@contextmanager
def in_plain_words(name: str, again: str = AGAIN) -> Iterator[None]:
    """Turns what the Hub's client raises into one sentence with what to do; no header, no token, no address.

    Raises:
        HubRefused: in place of any error of the client, of HTTP, and of the network.
    """
    from huggingface_hub import errors

    http: type[Exception] = errors.HfHubHTTPError.__bases__[0]  # of httpx or httpx2, as the client's version has it
    try:
        yield
    except ProvkitError:
        raise
    except (http, OSError, RuntimeError, ValueError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, http):
            cause = cause.__cause__
        if isinstance(cause, errors.HfHubHTTPError):
            raise HubRefused(_words(name, _status(cause), _server_said(cause), again)) from None
        if cause is not None or isinstance(error, OSError):
            said = f"the connection to the Hub broke off or could not be made ({type(cause or error).__name__})"
            raise HubRefused(f"{said}\n  {again}") from None
        raise HubRefused(f"the Hub's answer makes no sense: {plain(str(error))}\n  {again}") from None


def _words(name: str, status: int, said: str, again: str) -> str:
    told = f" ({said})" if said else ""
    if status == 401:
        do = "log in with `hf auth login`, set HF_TOKEN, or give --token-file; a gated set needs its terms accepted"
        return f"the Hub does not let this token (or no token) at {name}{told}\n  {do}"
    if status == 403:
        do = "use a token with write access to it, and check that you may write in the organisation"
        return f"the token may not do this with {name}{told}\n  {do}"
    if status == 404:
        return (
            f"{name} is not on the Hub, or not at this revision, or this token may not see it{told}\n  check the name"
        )
    if status in (409, 412):
        do = f"nothing was committed and nothing is lost: look at what came in (provkit pull {name} -o DIR), then again"
        return f"someone else pushed to {name} meanwhile{told}\n  {do}"
    if status == 429:
        return f"the Hub asks us to slow down{told}\n  wait some minutes; {again}"
    if status >= 500:
        return f"the Hub has a fault of its own: it answered {status}{told}\n  {again}"
    return f"the Hub refused with {status}{told}"


def _status(error: Any) -> int:
    return int(error.response.status_code) if getattr(error, "response", None) is not None else 0


def _server_said(error: Any) -> str:
    said = str(getattr(error, "server_message", None) or "")
    return plain(re.sub(r"hf_\w+|Bearer\s+\S+", "…", said).replace("\n", " "))
