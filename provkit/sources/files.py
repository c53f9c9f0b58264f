"""Files: which ones a pattern names, what they hold, and their bytes, decompressed."""

from __future__ import annotations

import glob
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

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
MAGIC = {
    b"version https://git-lfs": ("a Git LFS pointer, not the data itself", "fetch the data with `git lfs pull`"),
    b"age-encryption.org/": ("an age-encrypted file", "decrypt it first"),
    b"-----BEGIN PGP MESSAGE": ("a PGP-encrypted file", "decrypt it first"),
    b"Salted__": ("a file encrypted by openssl", "decrypt it first"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it first"),
    b"Rar!": ("a RAR archive", "unpack it first"),
    b"BZh": ("a bzip2 file", "unpack it first; provkit reads .gz and .zst"),
    b"\xfd7zXZ": ("an xz file", "unpack it first; provkit reads .gz and .zst"),
}


@dataclass(frozen=True, slots=True)
class Bytes:
    """A file to read: its path, and the name under which errors and lineage speak of it."""

    path: Path
    name: str


def format_of(path: Path) -> str:
    """The format that a file's name tells: jsonl, json, csv, tsv, parquet, arrow or yaml.

    Raises:
        InputError: when the name ends in nothing known.
    """
    inner = path.with_suffix("") if path.suffix in COMPRESSED else path
    kind = FORMATS.get(inner.suffix.lower())
    if kind is None:
        raise InputError(
            f"a name that ends in {inner.suffix or 'nothing'!r} tells no format",
            file=path.name,
            do=f"name it one of {', '.join(FORMATS)} (and .gz or .zst), or state `format:` beside it",
        )
    return kind


def expand(pattern: str, base: Path) -> list[Bytes]:
    """The files that a path or glob names, sorted; names are relative to what all of them share.

    Raises:
        InputError: when there is none.
    """
    whole = base / pattern
    if whole.is_file():
        return [Bytes(whole, whole.name)]
    found = sorted(Path(name) for name in glob.glob(str(whole), recursive=True) if Path(name).is_file())
    if not found:
        said = "no such file" if not glob.has_magic(pattern) else "no file fits this pattern"
        raise InputError(said, file=pattern, do="check the spelling; a relative path starts at the working folder")
    fixed = Path(*_before_magic(whole))
    return [Bytes(path, path.relative_to(fixed).as_posix()) for path in found]


def refuse_what_is_no_data(file: Bytes) -> None:
    """Looks at the first bytes of a file.

    Raises:
        InputError: when it is empty, a Git LFS pointer, or an archive or encrypted file that provkit does not read.
    """
    with file.path.open("rb") as opened:
        head = opened.read(512)
    if not head:
        raise InputError("the file is empty", file=file.name)
    for magic, (what, do) in MAGIC.items():
        if head.startswith(magic):
            raise InputError(what, file=file.name, do=do)
    if head.startswith(b"PK\x03\x04"):
        encrypted = head[6] & 1
        raise InputError(f"{'an encrypted' if encrypted else 'a'} zip archive", file=file.name, do="unpack it first")
    packed = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}
    for magic, suffix in packed.items():
        if head.startswith(magic) != (file.path.suffix == suffix):
            said = "compressed, but its name does not say so" if head.startswith(magic) else f"no {suffix} file"
            if head.startswith(magic) or file.path.suffix == suffix:
                raise InputError(said, file=file.name, do=f"its first bytes are {head[:4].hex(' ')}; mend its name")


def open_bytes(file: Bytes) -> IO[bytes]:
    """The decompressed bytes of a file; a damaged archive raises InputError while it is read.

    Raises:
        InputError: as `refuse_what_is_no_data`.
    """
    refuse_what_is_no_data(file)
    if file.path.suffix in COMPRESSED:
        return io.BufferedReader(_Decompressed(file), 1 << 20)
    return file.path.open("rb", buffering=1 << 20)


class _Decompressed(io.RawIOBase):
    """A decompressing stream whose damage is an InputError with the file's name."""

    def __init__(self, file: Bytes) -> None:
        self._inner = pa.input_stream(str(file.path), compression=COMPRESSED[file.path.suffix])
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
