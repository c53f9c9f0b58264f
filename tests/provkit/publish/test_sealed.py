"""Sealed archives: nothing readable leaves, the passphrase stands behind the gate alone, and it opens byte for byte."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit.errors import InputError
from provkit.publish import release_of, sealed
from provkit.publish.sealed import FORMAT, Part, Seal, encrypted, opened, parsed, part_name, read_tar, write_tar

pyrage = pytest.importorskip("pyrage", reason="pyrage is not installed: pip install 'provkit[sealed]'")

NAME = "lab/sealed-numbers"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def passphrase_in(raw: bytes) -> str:
    (word,) = re.findall(r"^    (\S+)$", raw.decode(), re.M)
    assert len(word) == 43  # 32 random bytes
    return str(word)


def sent(server: Any) -> Iterator[bytes]:
    """Everything that was sent: as it went over the wire, and what stood in it as base64 or compressed."""
    yield bytes(server.traffic)
    for repository in server.repositories.values():
        for files in repository.commits.values():
            yield from (raw for name, raw in files.items() if name != "sealed/README.md")


@pytest.fixture
def texts(made: Callable[..., Path]) -> list[bytes]:
    """What must not be readable: requests and answers of the build."""
    found = []
    for path in (made(sensitivity="gated") / "data").rglob("*.parquet"):
        found += [turn["content"].encode() for row in pq.read_table(path).to_pylist() for turn in row["messages"]]
    return found


def test_push_verify_pull_and_push_again(
    server: Any, provkit: Any, made: Callable[..., Path], texts: list[bytes], tmp_path: Path
) -> None:
    folder = made(sensitivity="gated")
    pushed = provkit("publish", folder, NAME, "--sealed")
    assert pushed.returncode == 0, pushed.stderr
    there = server.files(NAME)
    assert set(there) == {
        "README.md", "sealed/README.md", "sealed/sealed.json", "sealed/archive-00000-of-00001.tar.age",
    }  # fmt: skip
    passphrase = passphrase_in(there["sealed/README.md"])
    assert passphrase not in pushed.stdout + pushed.stderr and "sealed/README.md" in pushed.stderr
    assert all(passphrase.encode() not in raw for raw in sent(server))
    assert all(text not in raw for raw in sent(server) for text in texts)
    assert server.repositories[NAME].gated == "manual"
    asked = [one for one in server.requests if "/settings" in one or "/preupload" in one]
    assert "settings" in asked[0] and "preupload" in asked[1]
    card = there["README.md"].decode()
    assert "data_files" not in card and "extra_gated_prompt" in card and "## Sealed" in card and "## Citation" in card

    (tmp_path / "word").write_text(passphrase + "\n")
    (tmp_path / "README.md").write_bytes(there["sealed/README.md"])
    opened_with = ("--passphrase-file", tmp_path / "word")
    whole = provkit("verify", f"hf://datasets/{NAME}@v1", "--passphrase-file", tmp_path / "README.md")
    assert whole.returncode == 0 and "whole" in whole.stdout, whole.stderr
    pulled = provkit("pull", f"{NAME}@v1", "-o", tmp_path / "back", *opened_with)
    assert pulled.returncode == 0, pulled.stderr
    assert {name: raw for name, raw in contents(tmp_path / "back").items() if name != "croissant.json"} == contents(
        folder
    )

    server.requests.clear()
    again = provkit("publish", folder, NAME, "--sealed")
    assert again.returncode == 0 and "0 files sent, 0 bytes" in again.stderr, again.stderr
    assert not [one for one in server.requests if one.startswith(("POST", "PUT"))]
    refused = provkit("publish", made(sensitivity="gated", seed=9), NAME, "--sealed")
    assert refused.returncode == 2 and "the tag v1 of" in refused.stderr


def test_a_new_version_has_a_new_passphrase_and_a_mirror_opens_with_its_own(
    server: Any, provkit: Any, made: Callable[..., Path], tmp_path: Path
) -> None:
    assert provkit("publish", made(sensitivity="gated"), NAME, "--sealed").returncode == 0
    first = server.files(NAME)
    assert provkit("publish", made(sensitivity="gated", version=2), NAME, "--sealed").returncode == 0
    second = server.files(NAME)
    words = [passphrase_in(files["sealed/README.md"]) for files in (first, second)]
    assert words[0] != words[1]
    for at, word in enumerate(words):
        (tmp_path / f"word{at}").write_text(word)
    mirror = tmp_path / "mirror"
    for name, raw in second.items():
        if name != "sealed/README.md":
            (mirror / name).parent.mkdir(parents=True, exist_ok=True)
            (mirror / name).write_bytes(raw)
    assert provkit("verify", mirror / "sealed", "--passphrase-file", tmp_path / "word1").returncode == 0
    wrong = provkit("pull", mirror, "-o", tmp_path / "out", "--passphrase-file", tmp_path / "word0")
    assert wrong.returncode == 2 and "does not open it" in wrong.stderr and words[0] not in wrong.stderr
    bare = provkit("pull", mirror, "-o", tmp_path / "out")
    assert bare.returncode == 2 and "--passphrase-file" in bare.stderr and "behind the gate" in bare.stderr
    (tmp_path / "two").write_text("two words")
    two = provkit("pull", mirror, "-o", tmp_path / "out", "--passphrase-file", tmp_path / "two")
    assert two.returncode == 2 and "holds the passphrase and nothing else" in two.stderr
    part = mirror / part_name(0, 1)
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    damaged = provkit("verify", mirror, "--passphrase-file", tmp_path / "word1")
    assert damaged.returncode == 2 and "damaged" in damaged.stderr
    assert not (tmp_path / "out").exists()


def test_a_seal_needs_a_gate(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    refused = provkit("publish", made(), NAME, "--sealed")
    assert refused.returncode == 2 and "needs a gate" in refused.stderr
    assert not server.repositories
    assert provkit("publish", made(), NAME, "--sealed", "--private").returncode == 0
    assert server.repositories[NAME].private


def test_from_plain_to_sealed_and_back(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    folder = made(sensitivity="gated")
    assert provkit("publish", folder, NAME).returncode == 0
    turned = provkit("publish", made(sensitivity="gated", version=2), NAME, "--sealed")
    assert turned.returncode == 0 and "earlier commits" in turned.stderr, turned.stderr
    assert {name.partition("/")[0] for name in server.files(NAME)} == {"README.md", "sealed"}
    assert provkit("publish", made(sensitivity="gated", version=3), NAME).returncode == 0
    assert not [name for name in server.files(NAME) if name.startswith("sealed/")]
    assert provkit("verify", f"hf://datasets/{NAME}").returncode == 0


def test_a_dry_run_shows_no_passphrase_and_sends_nothing(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    ran = provkit("publish", made(sensitivity="gated"), NAME, "--sealed", "--dry-run", "--format", "json")
    said = json.loads(ran.stdout)
    assert "sealed/sealed.json" in [one["file"] for one in said["files"]] and "## Sealed" in said["card"]
    assert not re.search(r"^    \S{43}$", ran.stdout, re.M) and not server.repositories


def test_what_a_person_wrote_stays_and_a_tag_does_not_mind(
    server: Any, provkit: Any, made: Callable[..., Path]
) -> None:
    for options in ((), ("--sealed",)):
        name = f"lab/notes{len(options)}"
        folder = made(sensitivity="gated")
        assert provkit("publish", folder, name, *options).returncode == 0
        repository = server.repositories[name]
        files = dict(repository.commits[repository.branches["main"]])
        files["README.md"] += b"\n## Notes of a person\n"
        repository.add(files)
        again = provkit("publish", folder, name, *options)
        assert again.returncode == 0 and "0 files sent" in again.stderr, again.stderr
        assert server.files(name)["README.md"].endswith(b"\n## Notes of a person\n")


@pytest.fixture
def tar(made: Callable[..., Path], tmp_path: Path) -> Path:
    write_tar(release_of(made()).items, tmp_path / "a.tar")
    return tmp_path / "a.tar"


def sealed_in(folder: Path, tar: Path) -> tuple[Seal, list[Path]]:
    """An archive of a tar, in a folder."""
    folder.mkdir()
    paths = encrypted(tar, folder, "a phrase")
    parts = [
        Part(path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest(), 1) for path in paths
    ]
    raw = tar.read_bytes()
    return Seal(FORMAT, "x", "b", "m", hashlib.sha256(raw).hexdigest(), len(raw), tuple(parts)), paths


def test_the_archive_follows_from_the_files(made: Callable[..., Path], tar: Path, tmp_path: Path) -> None:
    again = tmp_path / "b.tar"
    content, size = write_tar(release_of(made()).items, again)
    assert again.read_bytes() == tar.read_bytes()
    assert (content, size) == (hashlib.sha256(tar.read_bytes()).hexdigest(), tar.stat().st_size)
    with tarfile.open(again) as archive:
        assert {one.name: one.size for one in archive} == {
            name: one.size for name, one in release_of(made()).items.items()
        }
        assert all((one.mtime, one.uid, one.uname) == (0, 0, "") for one in archive)


def test_an_archive_of_several_parts(tar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "PART", tar.stat().st_size - 5_000)
    seal, paths = sealed_in(tmp_path / "sealed", tar)
    assert [path.name[8:22] for path in paths] == ["00000-of-00002", "00001-of-00002"]
    assert parsed(seal.written()) == seal
    out = tmp_path / "out"
    out.mkdir()
    opened(seal, paths, "a phrase", out)
    with tarfile.open(tar) as archive:
        assert contents(out) == {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    # any other age program opens it too: here the library by itself
    assert pyrage.passphrase.decrypt(paths[1].read_bytes(), "a phrase") == tar.read_bytes()[-5_000:]
    with pytest.raises(InputError, match="damaged"):
        opened(seal, paths[::-1], "a phrase", out)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil", tarfile.REGTYPE),
        ("/etc/x", tarfile.REGTYPE),
        ("README.md", tarfile.SYMTYPE),
        ("a.py", tarfile.REGTYPE),
    ],
)
def test_an_archive_with_what_is_no_file_of_a_build(tmp_path: Path, name: str, kind: bytes) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        about = tarfile.TarInfo(name)
        about.type, about.linkname = kind, "/etc/passwd"
        archive.addfile(about)
    held.seek(0)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="no file of a build"):
        read_tar(held, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir()) and not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"parts": []}, {"parts": [{"file": "../x", "sha256": "", "size": 1}]}, {"size": "x"}]
)
def test_a_description_that_is_none(change: dict[str, Any]) -> None:
    seal = Seal(FORMAT, "x", "b", "m", "c", 1, (Part(part_name(0, 1), "d", 1),))
    assert parsed(seal.written()) == seal
    with pytest.raises(InputError, match=r"sealed\.json"):
        parsed(json.dumps(json.loads(seal.written()) | change).encode())
