"""A sealed archive: all files of a build in one tar, encrypted by age under a passphrase, in parts for any mirror."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from pydantic import TypeAdapter, ValidationError

from provkit.canonical import digest_file
from provkit.errors import InputError, ProvkitError
from provkit.manifest import PLACES
from provkit.publish.hub import word_in
from provkit.publish.release import AUDIT, Item

FOLDER = "sealed"
FILE = f"{FOLDER}/sealed.json"
CARD = f"{FOLDER}/README.md"
PART = 1 << 28  # bytes of the tar in one part: what is held in memory while it is encrypted
MORE = 1 << 20  # bytes by which a part may grow
OURS = re.compile(rf"{FOLDER}/(README\.md|sealed\.json|archive-\d{{5}}-of-\d{{5}}\.tar\.age)\Z")
FORMAT = 1
HEADING = "# The passphrase of this archive"  # of the card that holds it


@dataclass(frozen=True, slots=True)
class Part:
    """One encrypted part."""

    file: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Seal:
    """What sealed.json says: which build lies in the archive, and the parts that it is made of.

    Attributes:
        content: sha256 of the tar, which follows from the files of the build.
        size: its bytes.
    """

    format: int
    name: str
    build_id: str
    manifest: str
    content: str
    size: int
    parts: tuple[Part, ...]

    def written(self) -> bytes:
        """sealed.json as bytes."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2) + b"\n"


def parsed(raw: bytes) -> Seal:
    """A seal out of sealed.json, its parts in order and in no other place than their own.

    Raises:
        InputError: when it is none.
    """
    do = "fetch it again from where it was published"
    try:
        found = TypeAdapter(Seal).validate_json(raw)
    except ValidationError as error:
        raise InputError(f"no description of a sealed archive: {error.errors()[0]['msg']}", file=FILE, do=do) from None
    if found.format != FORMAT:
        raise InputError(f"format {found.format} of a sealed archive is not known here", file=FILE, do="update provkit")
    count = len(found.parts)
    if not count or any(one.file != part_name(at, count) for at, one in enumerate(found.parts)):
        raise InputError("its parts are not those of an archive", file=FILE, do=do)
    return found


def passphrase_of(file: Path | None) -> str | None:
    """The passphrase in a file that holds it alone, or in the card of an archive as it was published.

    Raises:
        InputError: when it is neither. What it holds is in no message.
    """
    if file is None:
        return None
    with suppress(OSError, UnicodeDecodeError):
        text = file.read_text(encoding="utf-8")
        if text.startswith(f"{HEADING}\n") and (found := re.search(r"^ {4}(\S+)$", text, re.M)):
            return found[1]
    return word_in(file, "passphrase")


def part_name(at: int, count: int) -> str:
    """Where a part lies."""
    return f"{FOLDER}/archive-{at:05d}-of-{count:05d}.tar.age"


def write_tar(items: Mapping[str, Item], target: Path) -> tuple[str, int]:
    """All files in one tar without times, owners or modes of this machine; its sha256 and size."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, one in sorted(items.items()):
            about = tarfile.TarInfo(name)
            about.size, about.mode = one.size, 0o644
            with one.opened() as file:
                archive.addfile(about, file)
    return digest_file(target)


def read_tar(archive: IO[bytes], folder: Path) -> None:
    """Unpacks an archive that `write_tar` made; files of a build, and no others.

    Raises:
        InputError: when it holds anything else.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r:") as found:
            for one in found:
                if not one.isreg() or not (PLACES.match(one.name) or one.name == AUDIT):
                    raise InputError("the archive holds what is no file of a build", file=one.name)
                target = folder / one.name
                target.parent.mkdir(parents=True, exist_ok=True)
                inner = found.extractfile(one)
                assert inner is not None
                with target.open("xb") as file:
                    shutil.copyfileobj(inner, file)
    except (tarfile.TarError, FileExistsError) as error:
        raise InputError(f"no archive of a build: {type(error).__name__}", file=FOLDER) from None


def pieces(file: Path, size: int) -> Iterator[bytes]:
    """The bytes of a file in stretches of `size`."""
    with file.open("rb") as opened:
        while chunk := opened.read(size):
            yield chunk


def age() -> Any:
    """The passphrase functions of pyrage.

    Raises:
        ProvkitError: when it is not installed.
    """
    try:
        import pyrage
    except ImportError:
        said = "sealed archives need pyrage, which is not installed"
        raise ProvkitError(f"{said}\n  pip install 'provkit[sealed]'") from None
    return pyrage


def encrypted(tar: Path, folder: Path, passphrase: str) -> list[Path]:
    """Writes the encrypted parts of a tar into a folder, under their own names; where they are."""
    encrypt = age().passphrase.encrypt
    count = -(-tar.stat().st_size // PART)
    paths = []
    for at, chunk in enumerate(pieces(tar, PART)):
        path = folder / part_name(at, count)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encrypt(chunk, passphrase))
        paths.append(path)
    return paths


def opened(seal: Seal, parts: Sequence[Path], passphrase: str, folder: Path) -> None:
    """Decrypts the parts of an archive and unpacks it into a folder.

    Raises:
        InputError: when a part is missing or damaged, or the passphrase is another one; it is in no message.
    """
    found = hashlib.sha256()
    with tempfile.TemporaryFile(dir=folder.parent) as bare:
        for part, path in zip(seal.parts, parts, strict=True):
            chunk = _decrypted(part, path, passphrase)
            found.update(chunk)
            bare.write(chunk)
        if (found.hexdigest(), bare.tell()) != (seal.content, seal.size):
            raise InputError("what is in the archive is not what sealed.json says", file=FILE)
        bare.seek(0)
        read_tar(bare, folder)


def _decrypted(part: Part, path: Path, passphrase: str) -> bytes:
    pyrage = age()
    try:
        raw = path.read_bytes() if path.stat().st_size <= PART + MORE else b""
    except OSError as error:
        raise InputError(error.strerror or str(error), file=part.file) from None
    if hashlib.sha256(raw).hexdigest() != part.sha256:
        raise InputError("damaged: its sha256 is not the one in sealed.json", file=part.file)
    try:
        return bytes(pyrage.passphrase.decrypt(raw, passphrase))
    except pyrage.DecryptError:
        do = f"it stands in {CARD}, behind the gate of the repository that was published"
        raise InputError("the passphrase does not open it", file=part.file, do=do) from None
