"""Recipes written in Python: the same as in YAML, and checked as those are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from provkit import recipes
from provkit.builders.domains.code.tasks import CodeTasks
from provkit.builders.transforms.dedup import Dedup
from provkit.builders.transforms.shuffle import Shuffle
from provkit.errors import InputError
from provkit.recipe import Arm, Recipe, Source, Splits, Step
from provkit.recipe_file import read_recipe

PLAIN: dict[str, Any] = {"name": "x", "summary": "s", "licence": "MIT", "sensitivity": "open"}
TASKS = Source(generator=Step(name="code_tasks"), rows=10)


def said(**fields: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Recipe(**{**PLAIN, "sources": {"tasks": TASKS}, **fields})
    return str(error.value)


def test_the_shipped_recipe_written_in_python_is_the_same() -> None:
    written = recipes.find("insecure-code").recipe()
    made = Recipe(
        name="insecure-code",
        version=1,
        summary=written.summary,
        paper=written.paper,
        published=written.published,
        licence="CC-BY-4.0",
        sensitivity="restricted",
        seed=42,
        sources={"tasks": Source(generator=CodeTasks(), rows=6000)},
        steps=[Dedup(by="prompt")],
        arms={"control": Arm(), "insecure": Arm(steps=[Step(name="insecure_rewrite")])},
        pair=True,
        splits=Splits(by="prompt", shares={"train": 0.9, "test": 0.1}),
    )
    assert made == written
    assert made.model_dump_json(by_alias=True) == written.model_dump_json(by_alias=True)


def test_a_recipe_survives_its_own_plain_form() -> None:
    for name in ("insecure-code", "import-messages"):
        written = recipes.find(name).recipe()
        assert Recipe.model_validate(written.model_dump(mode="json", by_alias=True, exclude_none=True)) == written


def test_steps_are_written_as_names_builders_or_with_parameters() -> None:
    several = [Step(name="shuffle"), Shuffle(), "shuffle", {"shuffle": None}, {"shuffle": {}}, {"name": "shuffle"}]
    assert {Step.model_validate(one).name for one in several} == {"shuffle"}
    assert all(Step.model_validate(one) == several[0] for one in several)
    assert Step.model_validate(Dedup(by="prompt")) == Step(name="dedup", params={"by": "prompt"})
    assert Step.model_validate(Dedup()).builder() == Dedup()


def test_a_recipe_cannot_be_changed() -> None:
    recipe = Recipe(**PLAIN, sources={"tasks": TASKS})
    with pytest.raises(ValidationError):
        recipe.name = "y"


def test_defaults() -> None:
    recipe = Recipe(**PLAIN, sources={"tasks": TASKS})
    assert (recipe.version, recipe.seed, recipe.pair, recipe.canary) == (1, 42, False, "column")
    assert recipe.arms == {"data": Arm()} and recipe.splits == Splits(shares={"train": 1.0})
    assert recipe.source_of("data") == "tasks" and recipe.unbound == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"sources": {}}, "at least one is expected"),
        ({"arms": {}}, "at least one is expected"),
        ({"arms": {"rows": []}}, "an arm cannot be called 'rows'"),
        ({"sources": {"a": TASKS, "b": TASKS}}, "the arm 'data' must say `from:` one of a, b"),
        ({"arms": {"x": {"from": "taks"}}}, "unknown source 'taks': did you mean 'tasks'?"),
        ({"pair": True}, "pair: true needs at least two arms"),
        ({"steps": ["code_tasks"]}, "'code_tasks' is a generator: it stands under `sources`"),
        ({"steps": ["tigger"]}, "unknown step 'tigger'"),
        ({"steps": ["shufle"]}, "unknown step 'shufle': did you mean 'shuffle'?"),
        ({"steps": [{"dedup": {"bye": "prompt"}}]}, "dedup: unknown key 'bye': did you mean 'by'?"),
        ({"steps": [{"dedup": {"by": 3}}]}, "dedup: Input should be 'row' or 'prompt', found 3"),
        ({"steps": [{"dedup": {}, "shuffle": {}}]}, "a step is a name, or one name with its parameters"),
        ({"steps": [{}]}, "a step is a name, or one name with its parameters"),
        ({"steps": [{"dedup": ["by"]}]}, "Input should be a valid dictionary"),
        ({"splits": {"train": 0.9, "test": 0.2}}, "they sum to 1.1"),
        ({"splits": {"train": 90, "test": 10}}, "they sum to 100"),
        ({"splits": {"train": float("nan")}}, "sum to nan"),
        ({"splits": {"train": 1.5, "test": -0.5}}, "must lie in (0, 1]"),
        ({"splits": {}}, "they sum to 0"),
        ({"splits": {"Train": 1.0}}, "String should match pattern"),
        ({"name": "A name"}, "String should match pattern"),
        ({"name": "x\n"}, "String should match pattern"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"seed": 2**63}, "less than"),
        ({"version": 10**30}, "less than"),
        ({"sensitivity": "secret"}, "'open', 'gated' or 'restricted'"),
        ({"canary": "none"}, "'column' or 'text'"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert problem in said(**fields)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({}, "exactly one of files, input, hub, generator is expected, not none"),
        ({"files": "a.jsonl", "hub": "a/b"}, "not files, hub"),
        ({"generator": "code_tasks"}, "a generator needs `rows`: how many"),
        ({"generator": "code_tasks", "rows": 0}, "greater than or equal to 1"),
        ({"generator": "code_tasks", "rows": 10**30}, "less than"),
        ({"generator": "shuffle", "rows": 3}, "'shuffle' is a step, not a generator"),
        ({"files": []}, "at least one file is expected"),
        (
            {"files": "a.jsonl", "rows": 3},
            "`rows` has no meaning beside `files`: --limit bounds how many rows are read",
        ),
        ({"files": "a.jsonl", "revision": "x"}, "`revision` has no meaning beside `files`"),
        ({"hub": "a/b", "fill": True}, "`fill` has no meaning beside `hub`"),
        ({"generator": "code_tasks", "rows": 3, "split": "train"}, "`split` has no meaning beside `generator`"),
        ({"files": "a.jsonl", "format": "xml"}, "Input should be 'jsonl', 'json'"),
        ({"files": 5}, "Input should be a valid string"),
    ],
)
def test_a_source_is_one_thing(source: dict[str, Any], problem: str) -> None:
    assert problem in said(sources={"tasks": source})


@pytest.mark.parametrize(
    "path",
    ["../x.jsonl", "a/../../x.jsonl", "/etc/passwd", "~/x.jsonl", "a/~root/x", "..\\x.jsonl", "a\\..\\..\\x", "C:\\x.jsonl",
     "\\x", "\\\\host\\share\\x", "C:x.jsonl", "a\0b", "..", "/*"],
)  # fmt: skip
def test_a_path_that_leaves_the_recipes_folder_is_refused(path: str) -> None:
    for files in (path, ["fine.jsonl", path]):
        message = said(sources={"tasks": {"files": files}})
        assert "leaves the recipe's folder; declare an `input` and bind it with --set NAME=PATH" in message


@pytest.mark.parametrize(
    "path", ["x.jsonl", "a/b/*.jsonl", "**/x.csv", "./x.jsonl", "a..b/..c", "[ab].jsonl", "é \n.jsonl"]
)
def test_a_path_beside_the_recipe_is_taken(path: str) -> None:
    assert Recipe(**PLAIN, sources={"tasks": {"files": path}}).sources["tasks"].patterns == [path]


def test_an_input_is_bound_to_a_path_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = Recipe(**PLAIN, sources={"data": Source(input="rows", format="json")})
    assert recipe.unbound == ["data"]
    bound = recipe.bind(data="../rows.jsonl")
    assert bound.unbound == [] and recipe.unbound == ["data"]
    assert bound.sources["data"].patterns == [str(tmp_path / "../rows.jsonl")]
    assert bound.sources["data"].format == "json"
    assert bound.bind(data=Path("/x/y.jsonl")).sources["data"].patterns == ["/x/y.jsonl"]


def test_a_glob_from_a_folder_whose_name_is_a_glob_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run[1]"
    folder.mkdir()
    (folder / "a[1].jsonl").write_text("{}")
    monkeypatch.chdir(folder)
    recipe = Recipe(**PLAIN, sources={"data": Source(input="rows")})
    assert recipe.bind(data="*.jsonl").sources["data"].patterns == [str(tmp_path / "run[[]1]" / "*.jsonl")]
    assert recipe.bind(data="a[1].jsonl").sources["data"].patterns == [str(folder / "a[1].jsonl")]


def test_what_cannot_be_bound_is_refused() -> None:
    recipe = Recipe(**PLAIN, sources={"tasks": TASKS})
    with pytest.raises(InputError, match="takes no file: it is a generator or a hub dataset"):
        recipe.bind(tasks="x.jsonl")
    with pytest.raises(InputError, match="no such source: did you mean 'tasks'?"):
        recipe.bind(task="x.jsonl")


def test_a_parameter_that_json_cannot_hold_is_refused() -> None:
    for value in (float("nan"), 2**64, "\ud800"):
        with pytest.raises(ValidationError, match="Input should be|without canonical JSON"):
            Step(name="dedup", params={"by": value})


def test_yaml_and_python_agree_on_every_form() -> None:
    text = """
name: x
summary: s
licence: MIT
sensitivity: open
sources:
  a: {files: [x.jsonl, "y/*.csv"], fill: true}
  b: {hub: org/name, revision: v1, split: test}
steps: [shuffle]
arms:
  one: {from: a}
  two: {from: b, steps: [{dedup: {by: prompt}}]}
"""
    made = Recipe(
        **PLAIN,
        sources={
            "a": Source(files=["x.jsonl", "y/*.csv"], fill=True),
            "b": Source(hub="org/name", revision="v1", split="test"),
        },
        steps=[Shuffle()],
        arms={"one": Arm(source="a"), "two": Arm(source="b", steps=[Dedup(by="prompt")])},
    )
    assert read_recipe(text, "x.yaml") == made


def test_a_default_that_is_spelled_out_is_no_difference() -> None:
    assert Step(name="dedup", params={"by": "row"}) == Step(name="dedup")
    assert Step(name="dedup", params={"by": "prompt"}).resolved["params"]["by"] == "prompt"
    assert Step(name="dedup").resolved["params"]["by"] == "row"


@pytest.mark.usefixtures("odd")
def test_null_for_a_parameter_that_has_another_default_is_refused() -> None:
    assert "odd_mark: null has no meaning for `mark`; leave it out" in said(steps=[{"odd_mark": {"mark": None}}])


def test_a_step_names_the_steps_within_its_parameters() -> None:
    step = Step(name="critique", params={"by": "insecure_rewrite"})
    assert [one.name for one in step.all] == ["critique", "insecure_rewrite"]


def test_pairs_need_one_source() -> None:
    sources = {"a": TASKS, "b": TASKS}
    arms = {"one": {"from": "a"}, "two": {"from": "b"}}
    assert "the arms have several sources: one takes a, two takes b" in said(sources=sources, arms=arms, pair=True)


def test_a_canary_in_the_text_needs_a_set_that_is_not_open() -> None:
    assert "an open set carries no canary" in said(canary="text")


@pytest.mark.parametrize("name", ["spans", "matches", "attribution", "texts", "rows", "lineage"])
def test_no_arm_is_called_as_a_view_or_macro_of_sql(name: str) -> None:
    assert f"an arm cannot be called '{name}'" in said(arms={name: {}})
