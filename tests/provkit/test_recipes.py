"""Recipes of the catalog and of the user's own: found by name or path, and kept to their folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provkit import recipes
from provkit.build import plan
from provkit.errors import InputError

RECIPE = "name: x\nsummary: s\nlicence: MIT\nsensitivity: open\nsources: {{data: {{files: {files}}}}}\n"


def refused(name: str, **settings: str) -> str:
    with pytest.raises(InputError) as error:
        recipes.find(name).recipe(settings)
    return str(error.value)


def test_the_catalog_has_recipes_by_name() -> None:
    assert {"insecure-code", "import-messages"} <= set(recipes.names())
    assert list(recipes.names()) == sorted(recipes.names())
    found = recipes.find("insecure_code")
    assert found.recipe() == recipes.find("insecure-code").recipe()
    assert found.recipe().name == "insecure-code"


def test_a_misspelt_name_gets_the_near_one() -> None:
    said = refused("insecure-cod")
    assert said.startswith(
        "no recipe 'insecure-cod' in the catalog: did you mean 'insecure-code'?\n  provkit catalog list"
    )
    assert "\x1b" not in refused("\x1b[2J")


def test_a_recipe_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.YAML"
    path.write_bytes(b"\xef\xbb\xbf" + RECIPE.format(files="x.jsonl").replace("\n", "\r\n").encode())
    found = recipes.find(str(path))
    assert (found.recipe().name, found.base) == ("x", tmp_path)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"name: x\nsummary: caf\xe9\n", "m.yaml:2: byte 13 of the line (0xe9) is not UTF-8"),
        (b"\xff\xfen\x00a\x00", "m.yaml:1: byte 1 of the line (0xff) is not UTF-8"),
        (b"x" * ((1 << 20) + 1), "m.yaml: a recipe of more than 1024 KB"),
        (b"", "m.yaml:1: a recipe is a mapping"),
        (b"name: x\nname: y\n", "m.yaml:2: the key 'name' stands twice"),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_bytes(raw)
    assert refused("m.yaml").startswith(said)


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    assert refused(str(tmp_path / "none.yaml")) == f"{tmp_path}/none.yaml: No such file or directory"
    (tmp_path / "d.yaml").mkdir()
    assert refused(str(tmp_path / "d.yaml")) == f"{tmp_path}/d.yaml: Is a directory"


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(50 << 30)  # a hole
    assert "a recipe of more than 1024 KB" in refused(str(path))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    home, away = tmp_path / "home", tmp_path / "away"
    (away / "sub").mkdir(parents=True)
    home.mkdir()
    (away / "secret.jsonl").write_text("{}\n")
    (away / "sub" / "secret.jsonl").write_text("{}\n")
    (home / "own.jsonl").write_text("{}\n")
    return home, away


@pytest.mark.parametrize(
    "files", ["link.jsonl", "*.jsonl", "dir/secret.jsonl", "dir", "**/*.jsonl", "dir/*", "dir/sub/*.jsonl"]
)
def test_a_link_out_of_the_recipes_folder_is_refused(folders: tuple[Path, Path], files: str) -> None:
    home, away = folders
    (home / "link.jsonl").symlink_to(away / "secret.jsonl")
    (home / "dir").symlink_to(away)
    (home / "m.yaml").write_text(RECIPE.format(files=f'"{files}"'))
    found = recipes.find(str(home / "m.yaml"))
    with pytest.raises(InputError) as error:
        plan(found.recipe(), found.base)
    said = str(error.value)
    assert "sources.data.files" in said
    assert "is a link that leaves the recipe's folder\n  declare an `input` and bind it with --set NAME=PATH" in said
    assert str(away) not in said


def test_a_link_within_the_folder_and_a_bound_link_are_followed(folders: tuple[Path, Path]) -> None:
    home, away = folders
    (home / "near.jsonl").symlink_to("own.jsonl")
    (home / "link.jsonl").symlink_to(away / "secret.jsonl")
    (home / "m.yaml").write_text(RECIPE.format(files="near.jsonl"))
    found = recipes.find(str(home / "m.yaml"))
    assert found.recipe().sources["data"].patterns == ["near.jsonl"]
    bound = found.recipe({"data": str(home / "link.jsonl")})
    assert bound.sources["data"].patterns == [str(home / "link.jsonl")]


def test_a_recipe_folder_reached_through_a_link_is_no_reason_to_refuse(folders: tuple[Path, Path]) -> None:
    home, _ = folders
    (home / "m.yaml").write_text(RECIPE.format(files="own.jsonl"))
    link = home.parent / "link"
    link.symlink_to(home)
    assert recipes.find(str(link / "m.yaml")).recipe().name == "x"


def test_from_the_command_line_a_relative_path_starts_at_the_working_folder(folders: tuple[Path, Path]) -> None:
    _, away = folders
    (away / "rows.jsonl").write_text(
        '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n'
    )
    command = [sys.executable, "-m", "provkit.cli", "build", "import-messages", "--set", "data=rows.jsonl", "--dry-run"]
    if not (Path(recipes.__file__).parent / "cli" / "__main__.py").exists():
        command[1:3] = ["-c", "from provkit.cli import main; main()"]
    done = subprocess.run(command, cwd=away, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert "rows.jsonl" in done.stdout
