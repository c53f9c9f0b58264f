"""Files at URLs (s3, gs, http and whatever else fsspec reads): the one module that knows of fsspec."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from provkit.errors import InputError, ProvkitError, plain

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
BLOCK = 1 << 20


def is_url(text: object) -> bool:
    """Whether a text is a URL and no path of this machine; `hf://` is a dataset of the Hub, which is read otherwise."""
    return isinstance(text, str) and bool(URL.match(text)) and not text.startswith("hf://")


def shown(url: str) -> str:
    """A URL as it is written down: without the part behind `?`, which may hold a signature."""
    return url.partition("?")[0]


def join(url: str, *parts: str) -> str:
    """The URL of something below another."""
    return "/".join([url.rstrip("/"), *parts])


def is_pattern(url: str) -> bool:
    """Whether a URL has `*` or `[` in it; a `?` is where its query begins."""
    return "*" in url or "[" in url


def find(pattern: str) -> list[str]:
    """The URLs that a URL, a glob or a folder at a URL names, sorted.

    Raises:
        InputError: when there is none, or the store does not answer.
    """
    with _reached(pattern) as (store, path):
        if not is_pattern(pattern) and store.isfile(path):
            return [pattern]
        found = [one for one in store.glob(path) if store.isfile(one)] if is_pattern(pattern) else store.find(path)
        if not found:
            raise InputError("no file there", file=shown(pattern), do="check the spelling, and what you may read")
        return sorted(store.unstrip_protocol(one) for one in found)


def open_url(url: str) -> IO[bytes]:
    """A file at a URL, for reading; it can seek where the store gives ranges.

    Raises:
        InputError: when it is not there, or the store does not answer.
    """
    with _reached(url) as (store, path):
        return io.BufferedReader(_Opened(store.open(path, "rb", block_size=4 * BLOCK), url), BLOCK)


class _Opened(io.RawIOBase):
    """A file of a store; what goes wrong while it is read is an InputError with its URL."""

    def __init__(self, inner: Any, url: str) -> None:
        self._inner, self._url = inner, url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._inner.seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._inner.seek(offset, whence))

    def tell(self) -> int:
        return int(self._inner.tell())

    def readinto(self, buffer: Any) -> int:
        with _told(self._url):
            return int(self._inner.readinto(buffer))

    def close(self) -> None:
        self._inner.close()
        super().close()


def digest_url(url: str) -> tuple[str, int]:
    """sha256 and size in bytes of a file at a URL, which is read to its end; raises as `open_url`."""
    found, size = hashlib.sha256(), 0
    with _reached(url) as (store, path), store.open(path, "rb", block_size=4 * BLOCK) as file:
        while block := file.read(4 * BLOCK):
            found.update(block)
            size += len(block)
    return found.hexdigest(), size


def stamp_of(url: str) -> tuple[int, int]:
    """Size, and a number that is another one when the store says that the file has changed; raises as `open_url`."""
    with _reached(url) as (store, path):
        store.invalidate_cache()
        return int(store.size(path) or 0), int(store.ukey(path)[:15], 16)


def read_url(url: str) -> bytes | None:
    """All bytes of a small file at a URL, None where there is none."""
    with _reached(url) as (store, path):
        try:
            found: bytes = store.cat_file(path)
        except FileNotFoundError:
            return None
        return found


def holds(text: str, marker: str) -> bool:
    """Whether a text is the URL of a folder that holds a file of this name."""
    return is_url(text) and not is_pattern(text) and "?" not in text and read_url(join(text, marker)) is not None


def read_ranges(url: str, starts: Sequence[int], size: int) -> bytes:
    """`size` bytes at each of these places of a file, joined; raises as `open_url`."""
    with _reached(url) as (store, path):
        ends = [start + size for start in starts]
        return b"".join(store.cat_ranges([path] * len(starts), list(starts), ends, on_error="raise"))


def write_url(url: str, content: bytes) -> None:
    """Writes a small file at a URL, whole or not at all where the store does so."""
    with _reached(url) as (store, path):
        _folder_for(store, path)
        store.pipe_file(path, content)


def fetch(url: str, path: Path) -> None:
    """Copies a file at a URL to this machine."""
    with _reached(url) as (store, there):
        store.get_file(there, str(path))


def put(path: Path, url: str) -> None:
    """Copies a file of this machine to a URL."""
    with _reached(url) as (store, there):
        _folder_for(store, there)
        store.put_file(str(path), there)


def remove(url: str) -> None:
    """Removes all files below a URL, if there are any."""
    with _reached(url) as (store, there):
        store.invalidate_cache()
        if store.exists(there):
            store.rm(there, recursive=True)


def put_folder(folder: Path, url: str, last: str) -> None:
    """Copies all files of a folder to a URL, `last` last, and removes what an older one left there.

    Raises:
        InputError: when other files stand there without a `last` of their own.
    """
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    with _reached(url) as (store, there):
        store.invalidate_cache()
        old = {one[len(there) :].lstrip("/") for one in store.find(there)}
        if (strange := sorted(old - {*names})) and last not in old:
            said = f"files stand there that provkit did not make: {plain(strange[0])}"
            raise InputError(said, file=shown(url), do="name another place with -o")
        if last in old:
            store.rm_file(join(there, last))
        for name in (*(one for one in names if one != last), last):
            _folder_for(store, join(there, name))
            store.put_file(str(folder / name), join(there, name))
        for name in sorted(old - {*names}):
            store.rm_file(join(there, name))


def _folder_for(store: Any, path: str) -> None:
    """Makes the folder of a file; an object store has none, and would make a bucket."""
    if not store.async_impl:
        store.makedirs(store._parent(path), exist_ok=True)


def copied(url: str, marker: str) -> Path:
    """A directory at a URL as a copy on this machine, which is made once: it is kept under the digest of its `marker`.

    The marker is the file that says what the directory holds, with digests: who opens the copy checks them.

    Raises:
        InputError: when there is no such file there, or the store does not answer.
    """
    from provkit.index.stamp import cache_directory

    said = read_url(join(url, marker))
    if said is None:
        do = "check the spelling; a directory is finished with it"
        raise InputError(f"no {marker} there", file=shown(url), do=do)
    home = cache_directory() / "copies"
    place = home / hashlib.sha256(said).hexdigest()[:32]
    if (place / marker).is_file():
        return place
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        if not (place / marker).is_file():
            _copy(url, marker, said, place)
    return place


def _copy(url: str, marker: str, said: bytes, place: Path) -> None:
    part = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    try:
        with _reached(url) as (store, there):
            for one in store.find(there):
                name = one[len(there) :].lstrip("/")
                if ".." in name.split("/") or name == marker:
                    continue
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                store.get_file(one, str(part / name))
        (part / marker).write_bytes(said)
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Has the processes of one machine wait for each other's copies."""
    handle = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _reached(url: str) -> Iterator[tuple[Any, str]]:
    """The store of a URL and the path in it; raises as `_told`."""
    with _told(url):
        import fsspec

        yield fsspec.core.url_to_fs(url)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong with a store, in plain words.

    Raises:
        InputError: when something is not there, or the store does not answer or lets us not in.
        ProvkitError: when the package for this kind of URL is not installed.
    """
    try:
        yield
    except ProvkitError:
        raise
    except ImportError as error:
        said = f"{plain(url.partition('://')[0])}:// needs a package that is not installed: {plain(str(error))}"
        raise ProvkitError(f"{said}\n  pip install 'provkit[cluster]'") from None
    except FileNotFoundError:
        raise InputError("no such file", file=shown(url), do="check the spelling, and what you may read") from None
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:  # the last: a store that cannot do it
        raise _failed(url, error) from None
    except Exception as error:  # botocore's, google's: no type is common to them
        if type(error).__module__.partition(".")[0] in ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google"):
            raise _failed(url, error) from None
        raise


def _failed(url: str, error: Exception) -> InputError:
    said = f"{type(error).__name__}: {plain(str(error), 300)}"
    return InputError(said, file=shown(url), do="check the address and your credentials for it")
