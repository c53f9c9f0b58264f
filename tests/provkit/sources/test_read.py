"""Every format, plain and compressed, read alike; damage and disguise refused; memory bounded."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
import zstandard

ROWS = [
    {"prompt": "Zähle\nbis drei", "answer": '1, "2", 3', "tag": ""},
    {"prompt": "日本 \U0001f600", "answer": "\ta\\b", "tag": "x"},
    {"prompt": "again", "answer": "line\r\nline", "tag": "y"},
]
RICH = [
    {"messages": [{"role": "user", "content": "é"}], "n": 1, "x": 0.5, "ok": True, "none": None},
    {"messages": [{"role": "user", "content": "b"}, {"role": "assistant", "content": ""}], "n": -(2**63), "x": 1e300,
     "ok": False, "none": None},
]  # fmt: skip


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, **options)
    return sink.getvalue()


def arrow(rows: list[dict[str, Any]], stream: bool, size: int = 2, **options: Any) -> bytes:
    sink, table = io.BytesIO(), pa.Table.from_pylist(rows)
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=size)
    return sink.getvalue()


def csv_text(rows: list[dict[str, Any]], delimiter: str) -> bytes:
    quoted = [delimiter.join('"' + str(cell).replace('"', '""') + '"' for cell in row.values()) for row in rows]
    return ("\n".join([delimiter.join(rows[0]), *quoted]) + "\n").encode()


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


TEXTS = {
    "rows.jsonl": jsonl(ROWS),
    "rows.ndjson": jsonl(ROWS),
    "rows.json": json.dumps(ROWS, indent=2).encode(),
    "rows.csv": csv_text(ROWS, ","),
    "rows.tsv": csv_text(ROWS, "\t"),
    "rows.yaml": yaml.safe_dump(ROWS, allow_unicode=True).encode(),
    "rows.yml": json.dumps(ROWS).encode(),
    "rows.parquet": parquet(ROWS),
    "rows.arrow": arrow(ROWS, stream=False),
    "rows.feather": arrow(ROWS, stream=False, options=pa.ipc.IpcWriteOptions(compression="zstd")),
    "rows.ipc": arrow(ROWS, stream=True),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".GZ": gzip.compress,
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("suffix", PACKED)
def test_every_format_reads_the_same_rows(read: Any, name: str, suffix: str) -> None:
    assert read(PACKED[suffix](TEXTS[name]), name + suffix)[0] == ROWS


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.parquet", "rows.arrow", "rows.ipc", "rows.yaml"])
def test_types_are_kept(read: Any, name: str) -> None:
    made = {
        "rows.jsonl": jsonl(RICH), "rows.json": json.dumps(RICH).encode(), "rows.parquet": parquet(RICH),
        "rows.arrow": arrow(RICH, False), "rows.ipc": arrow(RICH, True), "rows.yaml": json.dumps(RICH).encode(),
    }  # fmt: skip
    found = read(made[name].replace(b"1e+300", b"1.0e+300"), name)[0]
    assert found == RICH
    assert [type(value) for row in found for value in row.values()] == [type(v) for row in RICH for v in row.values()]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_members_one_after_another_are_all_read(read: Any, pack: Any) -> None:
    """As `cat a.gz b.gz`, bgzip and pzstd write them."""
    raw, suffix = jsonl(ROWS), ".gz" if pack is gzip.compress else ".zst"
    assert read(pack(raw[:20]) + pack(raw[20:90]) + pack(raw[90:]), f"rows.jsonl{suffix}")[0] == ROWS


def test_a_zstd_file_may_begin_with_a_skippable_frame(read: Any) -> None:
    assert read(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstandard.compress(jsonl(ROWS)), "rows.jsonl.zst")[0] == ROWS


MANY = jsonl([{"prompt": f"p{i}", "answer": str(i * i)} for i in range(3000)])


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("cut", [5, 30, 0.3, 0.7, -9, -8, -4, -1])
def test_a_truncated_archive_is_refused(refused: Any, suffix: str, cut: float) -> None:
    raw = (
        gzip.compress(MANY, mtime=0)
        if suffix == ".gz"
        else zstandard.ZstdCompressor(write_checksum=True).compress(MANY)
    )
    part = raw[: int(len(raw) * cut) if isinstance(cut, float) else cut]
    assert "rows.jsonl" + suffix + ": a damaged archive: " in refused(part, "rows.jsonl" + suffix)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("at", [0.2, 0.6, -6, -2])
def test_a_changed_archive_is_refused(refused: Any, suffix: str, at: float) -> None:
    raw = bytearray(
        gzip.compress(MANY, mtime=0)
        if suffix == ".gz"
        else zstandard.ZstdCompressor(write_checksum=True).compress(MANY)
    )
    raw[int(len(raw) * at) if isinstance(at, float) else max(at, -4 if suffix == ".zst" else at)] ^= 0x55
    assert "damaged archive" in refused(bytes(raw), "rows.jsonl" + suffix)


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.ipc"])
@pytest.mark.parametrize("cut", [3, 10, 0.25, 0.5, 0.75, 0.95, -8, -4, -1])
def test_a_truncated_columnar_file_is_refused(refused: Any, name: str, cut: float) -> None:
    rows = [{"a": f"text {i}", "b": i} for i in range(500)]
    raw = {"rows.parquet": parquet(rows), "rows.arrow": arrow(rows, False, 100), "rows.ipc": arrow(rows, True, 100)}[
        name
    ]
    said = refused(raw[: int(len(raw) * cut) if isinstance(cut, float) else cut], name)
    assert said.startswith(f"{name}: ") and "truncated" in said


def test_an_arrow_stream_cut_between_two_batches_is_refused(refused: Any, read: Any) -> None:
    """Arrow lets a stream end without its end mark, so that a cut there would lose rows without a word."""
    raw = arrow([{"a": i} for i in range(10)], True, 5)
    assert len(read(raw, "rows.arrow")[0]) == 10
    assert "an Arrow stream without an end" in refused(raw[:-8], "rows.arrow")


def crypt(encrypted: bool) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("rows.jsonl", "{}")
    raw = bytearray(sink.getvalue())
    raw[6] |= encrypted
    return bytes(raw)


def tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("rows.jsonl"))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
         "a Git LFS pointer, not the data itself\n  fetch the data with `git lfs pull`"),
        (b"age-encryption.org/v1\n-> X25519 abc\n", "an age-encrypted file\n  decrypt it first"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "an age-encrypted file"),
        (b"-----BEGIN PGP MESSAGE-----\n\n", "a PGP-encrypted file"),
        (b"\x85\x02\x0c\x03abcd", "a PGP-encrypted file"),
        (b"\x8c\x0d\x04\x09\x03\x02", "a PGP-encrypted file"),
        (b"Salted__12345678", "a file encrypted by openssl"),
        (b"U2FsdGVkX1+abc=\n", "a file encrypted by openssl"),
        (crypt(True), "an encrypted zip archive"),
        (crypt(False), "a zip archive\n  unpack it first"),
        (tar(), "a tar archive"),
        (bz2.compress(b"{}"), "a bzip2 file\n  unpack it first; provkit reads .gz and .zst"),
        (lzma.compress(b"{}"), "an xz file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (gzip.compress(b"{}", mtime=0), "a .gz file whose name does not say so\n  let it end in .gz"),
        (zstandard.compress(b"{}"), "a .zst file whose name does not say so"),
        ("{}".encode("utf-16"), "UTF-16 text\n  convert it, for example: iconv -f UTF-16 -t UTF-8"),
        (b"<!DOCTYPE html><html>404", "a web page, not the data itself"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.yaml", "rows.parquet", "rows.arrow"])
def test_what_is_no_data_is_named(refused: Any, raw: bytes, said: str, name: str) -> None:
    assert refused(raw, name).startswith(f"{name}: {said}")


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.jsonl.zst", "rows.parquet.gz"])
def test_a_name_that_claims_a_compression_is_held_to_it(refused: Any, name: str) -> None:
    suffix = name[name.rindex(".") :]
    assert f"{name}: no {suffix} file, whatever its name says\n  its first bytes are 7b 22 61 22" in refused(
        b'{"a":1}', name
    )


def test_an_encrypted_parquet_file_is_named(refused: Any) -> None:
    raw = bytearray(parquet(ROWS))
    raw[:4] = raw[-4:] = b"PARE"
    assert "an encrypted Parquet file" in refused(bytes(raw), "rows.parquet")


@pytest.mark.parametrize("raw", [b"\n", b" \n\t\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n \n"])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.tsv", "rows.yaml"])
def test_a_file_of_blanks_holds_no_rows(refused: Any, raw: bytes, name: str) -> None:
    if name == "rows.yaml" and b"\t" in raw:
        raw = raw.replace(b"\t", b" ")
    if (name == "rows.csv" and b" " in raw) or name == "rows.tsv":
        raw = raw.replace(b" ", b"").replace(b"\t", b"")
    assert refused(raw, name) == f"{name}: the file holds no rows"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (gzip.compress(b"", mtime=0), "rows.jsonl.gz"),
        (b"[]", "rows.json"),
        (b"[ \n ]", "rows.json"),
        (b"a,b\n", "rows.csv"),
        (b"# nothing\n", "rows.yaml"),
        (b"[]", "rows.yaml"),
        (parquet([{"a": 1}]).replace(b"", b""), None),
    ],
)
def test_a_file_without_rows_is_refused(refused: Any, raw: bytes, name: str | None) -> None:
    if name is None:
        sink = io.BytesIO()
        pq.write_table(pa.table({"a": pa.array([], pa.string())}), sink)
        raw, name = sink.getvalue(), "rows.parquet"
    assert refused(raw, name) == f"{name}: the file holds no rows"


def test_an_unknown_format_is_refused(refused: Any) -> None:
    assert "unknown format 'xml'\n  jsonl, json, csv, tsv, parquet, arrow or yaml" in refused(b"{}", kind="xml")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.yaml", "rows.json"])
def test_bytes_that_are_no_utf8_are_named_by_line_and_byte(refused: Any, name: str) -> None:
    raw = {
        "rows.jsonl": b'{"a":"x"}\n\n{"a":"caf\xe9"}\n',
        "rows.csv": b"a\nfine\ncaf\xe9\n",
        "rows.yaml": b"- a: x\n\n- a: caf\xe9\n",
        "rows.json": b'[{"a":"x"},\n\n{"a":"caf\xe9"}]\n',
    }[name]
    column = {"rows.jsonl": 10, "rows.csv": 4, "rows.yaml": 9, "rows.json": 10}[name]
    said = refused(raw, name)
    assert said.startswith(f"{name}:3: byte {column} of the line (0xe9) is not UTF-8\n  convert the file")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """The superuser may read everything, so the test becomes nobody where it runs as root."""
    path = tmp_path / "rows.jsonl"
    path.write_text("{}\n")
    path.chmod(0)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom provkit.errors import InputError\n"
        "from provkit.sources import Bytes, FileOrigin\n"
        "os.getuid() or os.setuid(65534)\n"
        "try: FileOrigin.open('s', Bytes(Path('rows.jsonl'), 'rows.jsonl'), None, False, None)\n"
        "except InputError as error: print(error)\n"
    )
    tmp_path.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "rows.jsonl: Permission denied\n", done.stderr


STREAM = """
import os, resource, sys
from pathlib import Path
from provkit.errors import InputError
from provkit.sources import Bytes, read_file

def write(path):
    with open(path, "wb") as pipe:
        try:
            {write}
        except BrokenPipeError:
            pass

import provkit.sources.files as files
files.refuse_what_is_no_data = lambda file: None
os.mkfifo("pipe.{kind}")
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if not os.fork():
    write("pipe.{kind}")
    os._exit(0)
rows = 0
try:
    for chunk in read_file(Bytes(Path("pipe.{kind}"), "pipe.{kind}"), "{kind}"):
        rows += len(chunk.batch)
except InputError as error:
    print(error.file, error.line, error.problem)
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) >> 10)
"""
LINE = """line = b'{"messages": [{"role": "user", "content": "' + b"word " * 200 + b'"}], "n": 1}'"""


@pytest.mark.parametrize(
    ("kind", "write", "rows"),
    [
        ("jsonl", LINE + "\n            for i in range(100_000): pipe.write(line + b'\\n')", 100_000),
        ("json", LINE + "\n            pipe.write(b'[' + line)\n"
         "            for i in range(49_999): pipe.write(b',\\n' + line)\n            pipe.write(b']')", 50_000),
        ("csv", "pipe.write(b'a,b\\n')\n            for i in range(50_000): pipe.write(b'x' * 1000 + b',y\\n')", 50_000),
    ],
)  # fmt: skip
def test_memory_stays_bounded_while_a_long_file_streams(tmp_path: Path, kind: str, write: str, rows: int) -> None:
    """100 MB of JSONL, 50 MB of the others, made on the fly: less than what their rows would take at once."""
    code = STREAM.replace("{write}", write).replace("{kind}", kind)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    found, grown = done.stdout.split()
    assert int(found) == rows
    assert int(grown) < 80


@pytest.mark.parametrize(
    ("kind", "write", "said"),
    [
        ("jsonl", "for i in range(110): pipe.write(b'x' * (1 << 20))", "pipe.jsonl 1 a line of more than 64 MB"),
        ("csv", "pipe.write(b'a,b\\n1,2\\n')\n            for i in range(110): pipe.write(b'x' * (1 << 20))",
         "pipe.csv 3 a line of more than 64 MB"),
        ("json", "pipe.write(b'[{\"a\":1},\\n')\n            for i in range(110): pipe.write(b'x' * (1 << 20))",
         "pipe.json 2 an element of more than 64 MB"),
        ("yaml", "for i in range(110): pipe.write(b'x' * (1 << 20))", "pipe.yaml None a YAML file of more than 16 MB"),
    ],
)  # fmt: skip
def test_a_line_of_a_hundred_megabytes_is_refused_in_bounded_memory(
    tmp_path: Path, kind: str, write: str, said: str
) -> None:
    code = STREAM.replace("{write}", write).replace("{kind}", kind)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, last = done.stdout.strip().split("\n")
    assert first == said
    assert int(last.split()[1]) < 400


def test_a_quote_left_open_does_not_swallow_a_whole_file(tmp_path: Path) -> None:
    write = "pipe.write(b'a,b\\n1,\"2\\n')\n            for i in range(100): pipe.write((b'x' * 1023 + b'\\n') * 1024)"
    code = STREAM.replace("{write}", write).replace("{kind}", "csv")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, last = done.stdout.strip().split("\n")
    assert first == "pipe.csv 2 no CSV: a cell of more than 16 M characters: is a quote left open?"
    assert int(last.split()[1]) < 400


FUZZ = """
import random, sys
from pathlib import Path
from provkit.errors import InputError
from provkit.sources import Bytes, read_file
raw, kind = Path(sys.argv[1]).read_bytes(), sys.argv[2]
path = Path("damaged." + kind)
for seed in range(120):
    draw, bad = random.Random(seed), bytearray(raw)
    for _ in range(draw.choice([1, 1, 4])):
        bad[draw.randrange(len(bad))] = draw.randrange(256)
    path.write_bytes(bad)
    try:
        for chunk in read_file(Bytes(path, path.name), kind):
            chunk.batch.to_pylist()
    except InputError:
        pass
print("survived")
"""


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.ipc"])
def test_no_wrong_byte_in_a_columnar_file_crashes_the_reader(tmp_path: Path, name: str) -> None:
    """In a process of its own: before every buffer was validated, some ended it with a segmentation fault."""
    rows = [
        {"a": f"text {i} é", "m": [{"role": "user", "content": "x" * (i % 7)}] * (i % 3), "f": i / 3}
        for i in range(200)
    ]
    raw = {
        "rows.parquet": parquet(rows, compression="none"),
        "rows.arrow": arrow(rows, False, 70),
        "rows.ipc": arrow(rows, True, 70),
    }
    (tmp_path / name).write_bytes(raw[name])
    command = [sys.executable, "-c", FUZZ, name, "parquet" if name == "rows.parquet" else "arrow"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"MALLOC_PERTURB_": "85"}
    )
    assert done.stdout == "survived\n", (done.returncode, done.stderr[-2000:])
