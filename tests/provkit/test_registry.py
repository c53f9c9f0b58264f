"""Builders: found by name in what is installed, and what is said when one is missing, twice there, or broken."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provkit import registry
from provkit.registry import (
    BrokenBuilder,
    DuplicateBuilder,
    UnknownBuilder,
    builder,
    kind_of,
    load,
    name_of,
    near,
    params_of,
)


class Site:
    """A folder of packages as pip leaves them, on the path for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, package: str, entries: dict[str, str], code: str = "") -> None:
        (self.folder / f"{package}.py").write_text(code)
        info = self.folder / f"{package}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{lines}")
        importlib.invalidate_caches()
        registry.index.cache_clear()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.index.cache_clear()
    yield Site(tmp_path)
    monkeypatch.undo()
    registry.index.cache_clear()


GOOD = '''
from provkit.registry import builder
@builder
class Trigger:
    """Puts a trigger in."""
    word: str = "blue"
    rate: float = 0.5
    def apply(self, row):
        return row
'''


def test_a_builder_of_another_package_is_found_by_name(site: Site) -> None:
    site.install("others_good", {"beacon": "others_good:Trigger"}, GOOD)
    cls = load("beacon")
    assert (cls(word="red").word, kind_of(cls), name_of(cls)) == ("red", "row", "beacon")
    assert registry.package_of(registry.index()["beacon"]) == ("others_good", "1.2")
    assert params_of(cls(word="red")) == {"word": "red"}
    assert params_of(cls()) == {}


def test_a_misspelt_name_gets_the_near_one(site: Site) -> None:
    site.install("others_near", {"beacon": "others_near:Trigger"}, GOOD)
    with pytest.raises(UnknownBuilder) as error:
        load("becon")
    assert str(error.value) == "unknown step 'becon': did you mean 'beacon'?"


def test_a_far_name_gets_the_list_of_what_there_is() -> None:
    with pytest.raises(UnknownBuilder) as error:
        load("zzzzzz")
    assert str(error.value).startswith("unknown step 'zzzzzz'; there are ")
    assert "dedup" in str(error.value) and "shuffle" in str(error.value)


def test_a_hostile_name_is_cut_and_cannot_reach_the_terminal() -> None:
    with pytest.raises(UnknownBuilder) as error:
        load("\x1b[2J" + "x" * 100_000)
    assert "\x1b" not in str(error.value) and len(str(error.value)) < 2000


def test_two_packages_with_one_name_are_refused_naming_both(site: Site) -> None:
    site.install("others_one", {"beacon": "others_one:Trigger"}, GOOD)
    site.install("others_two", {"beacon": "others_two:Trigger"}, GOOD)
    with pytest.raises(DuplicateBuilder, match=r"others_(one|two) .* and others_(one|two) .*uninstall one of them"):
        load("beacon")


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("others_bad:Missing", "", "has no attribute 'Missing'"),
        ("no_such_module:X", "", "No module named 'no_such_module'"),
        (
            "others_bad:X",
            "raise ImportError('needs torch: pip install others[gpu]')",
            "needs torch: pip install others",
        ),
        ("others_bad:f", "def f(): pass", "is no class with one of the methods"),
        ("others_bad:X", "class X: pass", "is no class with one of the methods"),
    ],
)
def test_a_broken_offer_names_its_package(site: Site, value: str, code: str, said: str) -> None:
    sys.modules.pop("others_bad", None)
    site.install("others_bad", {"broken": value}, code)
    with pytest.raises(BrokenBuilder, match="of the package others_bad") as error:
        load("broken")
    assert said in str(error.value)


def test_a_class_that_is_not_offered_has_no_name() -> None:
    @builder
    class Mine:
        """Mine."""

        def apply(self, row: object) -> object:
            return row

    with pytest.raises(UnknownBuilder, match="is not offered by an entry point of the group"):
        name_of(Mine)


def test_a_builder_needs_one_method_and_a_docstring() -> None:
    with pytest.raises(TypeError, match="needs exactly one of the methods"):
        builder(type("A", (), {"__doc__": "x"}))
    with pytest.raises(TypeError, match="needs exactly one of the methods"):
        builder(type("A", (), {"__doc__": "x", "apply": print, "select": print}))
    with pytest.raises(TypeError, match="needs a docstring"):
        builder(type("A", (), {"apply": print}))


def test_parameters_are_checked_by_type_and_name(site: Site) -> None:
    site.install("others_typed", {"beacon": "others_typed:Trigger"}, GOOD)
    cls = load("beacon")
    for wrong in ({"word": 3}, {"rate": "much"}, {"wrod": "x"}):
        with pytest.raises(ValueError):
            cls(**wrong)
    with pytest.raises((AttributeError, TypeError)):
        cls().word = "x"


def test_every_builder_that_provkit_offers_loads() -> None:
    kinds = {name: kind_of(load(name)) for name in registry.index()}
    assert kinds["code_tasks"] == "generator" and kinds["dedup"] == "set" and kinds["insecure_rewrite"] == "row"
    assert all(name_of(load(name)) == name for name in kinds)


def test_the_index_imports_no_builder() -> None:
    code = (
        "import sys; from provkit import registry; registry.index(); print([m for m in sys.modules if 'builders' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_near_names() -> None:
    assert near("shuffel", {"shuffle": 1, "dedup": 2}) == ": did you mean 'shuffle'?"
    assert near("x", {"b": 1, "a": 2}) == "; there are a, b"
    assert near("x", {}) == "; there is none"
