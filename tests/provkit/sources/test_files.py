"""Which files a path or pattern names, and under which names lineage speaks of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provkit.errors import InputError
from provkit.sources import Bytes, expand, format_of
from provkit.sources.files import outside, refuse_what_is_no_data


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.jsonl", "b.jsonl", "c.csv", "sub/a.jsonl", "sub/deep/z.jsonl", "sub/[x].jsonl", ".hidden.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.jsonl", ["a.jsonl"]),
        ("sub/a.jsonl", ["a.jsonl"]),
        ("sub/[x].jsonl", ["[x].jsonl"]),
        ("*.jsonl", ["a.jsonl", "b.jsonl"]),
        ("[ab].jsonl", ["a.jsonl", "b.jsonl"]),
        ("?.csv", ["c.csv"]),
        ("*/*.jsonl", ["sub/[x].jsonl", "sub/a.jsonl"]),
        ("**/*.jsonl", ["a.jsonl", "b.jsonl", "sub/[x].jsonl", "sub/a.jsonl", "sub/deep/z.jsonl"]),
        ("sub/**/z.jsonl", ["deep/z.jsonl"]),
        ("sub/[[]x].jsonl", ["[x].jsonl"]),
        ("*", ["a.jsonl", "b.jsonl", "c.csv"]),
    ],
)
def test_the_files_of_an_absolute_pattern_are_named_by_what_they_do_not_share(
    tree: Path, pattern: str, names: list[str]
) -> None:
    found = expand(str(tree / pattern), Path("/"))
    assert sorted(one.name for one in found) == sorted(names)
    assert [one.path for one in found] == sorted(one.path for one in found)
    assert all(one.path.is_file() and one.path.is_relative_to(tree) for one in found)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.jsonl", ["a.jsonl"]),
        ("./sub/a.jsonl", ["sub/a.jsonl"]),
        ("sub/[x].jsonl", ["sub/[x].jsonl"]),
        ("[ab].jsonl", ["a.jsonl", "b.jsonl"]),
        ("**/z.*", ["sub/deep/z.jsonl"]),
        ("sub/../a.jsonl", ["a.jsonl"]),
    ],
)
def test_the_files_of_a_relative_pattern_are_named_from_its_folder(tree: Path, pattern: str, names: list[str]) -> None:
    found = expand(pattern, tree)
    assert [one.name for one in found] == names
    assert all(one.path.is_file() for one in found)


def test_a_folder_whose_own_name_looks_like_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "run[1]*"
    folder.mkdir()
    (folder / "a.jsonl").write_text("{}")
    assert [one.path for one in expand("*.jsonl", folder)] == [folder / "a.jsonl"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("none.jsonl", "none.jsonl: no such file\n  it was looked for in "),
        ("*.txt", "*.txt: no file fits this pattern\n  it was looked for in "),
        ("empty/*", "empty/*: no file fits this pattern"),
        ("empty", "empty: a folder, not a file"),
        ("emp*", "emp*: no file fits this pattern"),
        ("\x1b]2J", "\\x1b]2J: no such file"),
        ("a\0b", "a\\x00b: no such file"),
        ("/none/at/all", "/none/at/all: no such file\n  check the spelling"),
    ],
)
def test_what_names_no_file(tree: Path, pattern: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        expand(pattern, tree)
    assert str(error.value).startswith(said)


def test_a_pipe_is_no_file(tree: Path) -> None:
    os.mkfifo(tree / "pipe.jsonl")
    with pytest.raises(InputError, match="no regular file: it is read twice, for its digest too"):
        expand("pipe.jsonl", tree)
    assert "pipe.jsonl" not in {one.name for one in expand("*.jsonl", tree)}
    with pytest.raises(InputError, match="no regular file"):
        expand("/dev/null", tree)


def test_a_broken_link_is_no_file(tree: Path) -> None:
    (tree / "gone.jsonl").symlink_to(tree / "nowhere")
    with pytest.raises(InputError, match="no such file"):
        expand("gone.jsonl", tree)


@pytest.mark.parametrize(
    "name",
    ["new\nline.jsonl", "\x1b[31mred.jsonl", "é 日本.jsonl", " .jsonl", "-o.jsonl", "\udcff.jsonl", "a\\b.jsonl"],
)
def test_unusual_names_are_read_and_shown_safely(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not json\n")
    (found,) = expand("*.jsonl", tmp_path)
    assert found.name == name and format_of(found.path) == "jsonl"
    from provkit.sources import read_file

    with pytest.raises(InputError) as error:
        list(read_file(found, "jsonl"))
    assert all(character.isprintable() for character in str(error.value))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.jsonl", "jsonl"), ("x.NDJSON", "jsonl"), ("x.json", "json"), ("x.json.gz", "json"), ("x.csv.ZST", "csv"),
        ("x.tsv", "tsv"), ("x.parquet", "parquet"), ("x.feather", "arrow"), ("x.yml", "yaml"), ("x.y.z.yaml", "yaml"),
    ],
)  # fmt: skip
def test_the_format_that_a_name_tells(name: str, kind: str) -> None:
    assert format_of(Path(name)) == kind


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x", "nothing"), ("x.txt", ".txt"), ("x.gz", "nothing"), ("x.json.bz2", ".bz2"), (".json", "nothing")],
)
def test_a_name_that_tells_no_format(name: str, shown: str) -> None:
    with pytest.raises(InputError) as error:
        format_of(Path("folder", name))
    assert str(error.value).startswith(
        f"{name}: a name that ends in '{shown}' tells no format\n  name it one of .jsonl, "
    )
    assert "or state `format:` beside it" in str(error.value)


def test_what_leads_out_of_a_folder(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = tmp_path_factory.mktemp("away")
    (away / "secret.jsonl").write_text("{}")
    assert outside("*.jsonl", tree) is None and outside("sub/**", tree) is None and outside("none", tree) is None
    (tree / "sub" / "link").symlink_to(away)
    assert outside("sub/**/*.jsonl", tree) == tree / "sub/link/secret.jsonl"
    assert outside("sub/link", tree) == tree / "sub/link"
    assert outside("sub/link/none.jsonl", tree) == tree / "sub/link/none.jsonl"
    (tree / "up").symlink_to("..")
    assert outside("up/*", tree) is not None
    (tree / "loop").symlink_to("loop")
    assert expand("*.jsonl", tree)


def test_compression_is_told_by_the_name() -> None:
    assert Bytes(Path("a.jsonl.GZ"), "").compression == "gzip"
    assert Bytes(Path("a.gz.jsonl"), "").compression is None


def test_a_zip_archive_cut_after_its_first_bytes_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"rows\.yaml: a zip archive"):
        refuse_what_is_no_data(Bytes(tmp_path / "rows.yaml", "rows.yaml"))
