"""Files: which ones a pattern names, what they hold, and their bytes, decompressed."""

from __future__ import annotations

import glob
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from provkit import remote
from provkit.canonical import digest_file
from provkit.errors import InputError, plain

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".yaml": "yaml",
    ".yml": "yaml",
}
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
DECRYPT, UNPACK, FETCH = "decrypt it first", "unpack it first", "fetch the data itself"
MAGIC = {
    b"version https://git-lfs": ("a Git LFS pointer, not the data itself", "fetch the data with `git lfs pull`"),
    b"age-encryption.org/": ("an age-encrypted file", DECRYPT),
    b"-----BEGIN AGE ENCRYPTED FILE": ("an age-encrypted file", DECRYPT),
    b"-----BEGIN PGP MESSAGE": ("a PGP-encrypted file", DECRYPT),
    b"\x85\x01\x0c\x03": ("a PGP-encrypted file", DECRYPT),  # to a 2048-bit key
    b"\x85\x02\x0c\x03": ("a PGP-encrypted file", DECRYPT),  # to a 4096-bit key
    b"\x8c\x0d\x04": ("a PGP-encrypted file", DECRYPT),  # by a passphrase
    b"Salted__": ("a file encrypted by openssl", DECRYPT),
    b"U2FsdGVkX1": ("a file encrypted by openssl", DECRYPT),
    b"PARE": ("an encrypted Parquet file", DECRYPT),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", UNPACK),
    b"Rar!": ("a RAR archive", UNPACK),
    b"BZh": ("a bzip2 file", "unpack it first; provkit reads .gz and .zst"),
    b"\xfd7zXZ": ("an xz file", "unpack it first; provkit reads .gz and .zst"),
    b"\xff\xfe": ("UTF-16 text", "convert it, for example: iconv -f UTF-16 -t UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "convert it, for example: iconv -f UTF-16 -t UTF-8"),
    b"<!DOCTYPE": ("a web page, not the data itself", FETCH),
    b"<!doctype": ("a web page, not the data itself", FETCH),
    b"<html": ("a web page, not the data itself", FETCH),
}
PACKED = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst", b"\x50\x2a\x4d\x18": ".zst"}  # the last: a skippable frame


@dataclass(frozen=True, slots=True)
class Bytes:
    """A file to read: its path, and the name under which errors and lineage speak of it.

    One at a URL has that beside a path of which only the last part means something.
    """

    path: Path
    name: str
    url: str | None = None

    @property
    def compression(self) -> str | None:
        """gzip, zstd or None, as the file's name tells."""
        return COMPRESSED.get(self.path.suffix.lower())

    def open(self) -> IO[bytes]:
        """Its bytes as they are; can seek."""
        return self.path.open("rb", buffering=1 << 20) if self.url is None else remote.open_url(self.url)

    def digest(self) -> tuple[str, int]:
        """Its sha256 and size."""
        return digest_file(self.path) if self.url is None else remote.digest_url(self.url)

    def stamp(self) -> tuple[int, int]:
        """Its size, and what changes when it is written again."""
        if self.url is not None:
            return remote.stamp_of(self.url)
        found = self.path.stat()
        return found.st_size, found.st_mtime_ns


def format_of(path: Path) -> str:
    """The format that a file's name tells: jsonl, json, csv, tsv, parquet, arrow or yaml.

    Raises:
        InputError: when the name ends in nothing known.
    """
    inner = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    kind = FORMATS.get(inner.suffix.lower())
    if kind is None:
        raise InputError(
            f"a name that ends in '{inner.suffix or 'nothing'}' tells no format",
            file=path.name,
            do=f"name it one of {', '.join(FORMATS)} (and .gz or .zst), or state `format:` beside it",
        )
    return kind


def expand(pattern: str, base: Path) -> list[Bytes]:
    """The files that a path or glob names, sorted.

    Their names are relative to `base` where the pattern is, so that two files of one name are told apart; of an
    absolute pattern only what its files do not share is kept, since lineage holds no place of the machine.

    Raises:
        InputError: when there is none.
    """
    if remote.is_url(pattern):
        return at_url(pattern)
    whole = base / pattern
    named = [pattern] if whole.is_file() else glob.glob(pattern, root_dir=base, recursive=True)
    paths = sorted({base / one for one in named})
    files = [path for path in paths if path.is_file()]
    if not files:
        said = "no file fits this pattern" if glob.has_magic(pattern) else "no such file"
        if whole.exists():
            said = "a folder, not a file" if whole.is_dir() else "no regular file: it is read twice, for its digest too"
        do = "check the spelling" if Path(pattern).is_absolute() else f"it was looked for in {base.absolute()}"
        raise InputError(said, file=pattern, do=do)
    beside = not Path(pattern).is_absolute() and ".." not in Path(pattern).parts
    fixed = base if beside else whole.parent if files == [whole] else Path(*_before_magic(whole))
    return [Bytes(path, path.relative_to(fixed).as_posix()) for path in files]


def at_url(pattern: str) -> list[Bytes]:
    """The files that a URL, a glob or a folder at a URL names, sorted; their names are relative as `expand` says.

    Raises:
        InputError: when there is none, or the store does not answer.
    """
    urls = remote.find(pattern)
    whole = Path(remote.shown(pattern))
    if urls == [pattern]:
        return [Bytes(whole, whole.name, pattern)]
    fixed = Path(*_before_magic(whole)) if remote.is_pattern(pattern) else whole
    return [Bytes(Path(url), Path(url).relative_to(fixed).as_posix(), url) for url in urls]


def outside(pattern: str, base: Path) -> Path | None:
    """The first path that a pattern names and that leads, through a symbolic link, out of the folder `base`."""
    home = base.resolve()
    named = [base / pattern, *(base / name for name in glob.glob(pattern, root_dir=base, recursive=True))]
    return next((path for path in named if not path.resolve().is_relative_to(home)), None)


def refuse_what_is_no_data(file: Bytes) -> None:
    """Looks at the first bytes of a file.

    Raises:
        InputError: when it is empty, a Git LFS pointer, or an archive or encrypted file that provkit does not read.
    """
    with file.open() as opened:
        head = opened.read(512)
    if not head:
        raise InputError("the file is empty", file=file.name)
    for magic, (what, do) in MAGIC.items():
        if head.startswith(magic):
            raise InputError(what, file=file.name, do=do)
    if head.startswith(b"PK\x03\x04"):
        encrypted = len(head) > 6 and head[6] & 1
        raise InputError(f"{'an encrypted' if encrypted else 'a'} zip archive", file=file.name, do=UNPACK)
    if head[257:262] == b"ustar":
        raise InputError("a tar archive", file=file.name, do=UNPACK)
    suffix = file.path.suffix.lower()
    packed = next((ending for magic, ending in PACKED.items() if head.startswith(magic)), None)
    if packed is not None and packed != suffix:
        raise InputError(f"a {packed} file whose name does not say so", file=file.name, do=f"let it end in {packed}")
    if packed is None and suffix in COMPRESSED:
        do = f"its first bytes are {head[:4].hex(' ')}; mend its name, or fetch the file again"
        raise InputError(f"no {suffix} file, whatever its name says", file=file.name, do=do)


def open_bytes(file: Bytes) -> IO[bytes]:
    """The decompressed bytes of a file; a damaged archive raises InputError while it is read.

    Raises:
        InputError: as `refuse_what_is_no_data`.
    """
    refuse_what_is_no_data(file)
    if file.compression:
        return io.BufferedReader(_Decompressed(file), 1 << 20)
    return file.open()


class _Decompressed(io.RawIOBase):
    """A decompressing stream whose damage is an InputError with the file's name."""

    def __init__(self, file: Bytes) -> None:
        self._inner = pa.input_stream(
            str(file.path) if file.url is None else pa.PythonFile(file.open(), "r"), compression=file.compression
        )
        self._name = file.name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._inner.readinto(buffer))
        except OSError as error:
            said = plain(str(error))
            raise InputError(f"a damaged archive: {said}", file=self._name, do="fetch the file again") from None

    def close(self) -> None:
        self._inner.close()
        super().close()


def _before_magic(path: Path) -> list[str]:
    parts = []
    for part in path.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return parts
