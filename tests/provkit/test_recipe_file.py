"""Recipes out of YAML: the line and key of every error, and what `--set` may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from provkit.errors import InputError
from provkit.recipe import Recipe
from provkit.recipe_file import MAX_RECIPE, read_recipe

BLOCK = """\
name: mine
summary: A recipe in block style.
licence: MIT
sensitivity: open
sources:
  tasks:
    generator:
      code_tasks:
    rows: 10
  data:
    input: rows of chat
steps:
  - dedup:
      by: prompt
  - shuffle
arms:
  control:
    from: tasks
  changed:
    from: data
    steps:
      - insecure_rewrite
splits:
  by: prompt
  train: 0.9
  test: 0.1
"""
FLOW = """\
{name: mine, summary: A recipe in flow style., licence: MIT, sensitivity: open,
 sources: {tasks: {generator: code_tasks, rows: 10},
           data: {input: rows of chat}},
 steps: [{dedup: {by: prompt}},
         shuffle],
 arms: {control: {from: tasks},
        changed: {from: data,
                  steps: [insecure_rewrite]}},
 splits: {by: prompt, train: 0.9,
          test: 0.1}}
"""


def refused(text: str, **settings: str) -> str:
    with pytest.raises(InputError) as error:
        read_recipe(text, "mine.yaml", {key.replace("__", "."): value for key, value in settings.items()})
    return str(error.value).split("\n")[0]


def test_block_and_flow_style_are_the_same_recipe() -> None:
    block, flow = read_recipe(BLOCK, "b"), read_recipe(FLOW.replace("flow", "block"), "f")
    assert block == flow
    assert block.unbound == ["data"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: mine", "nam: mine", "mine.yaml:1: nam: unknown key 'nam': did you mean 'name'?"),
        ("name: mine\n", "", "mine.yaml:1: name: the key 'name' is missing"),
        ("name: mine", "name: Mine", "mine.yaml:1: name: String should match pattern"),
        ("sensitivity: open", "sensitivity: public", "mine.yaml:4: sensitivity: Input should be 'open', 'gated'"),
        ("rows: 10", "rows: many", "mine.yaml:9: sources.tasks.rows: Input should be a valid integer"),
        ("rows: 10", "row: 10", "mine.yaml:9: sources.tasks.row: unknown key 'row': did you mean 'rows'?"),
        ("code_tasks", "code_task", "mine.yaml:7: sources.tasks.generator: unknown step 'code_task': did you mean"),
        ("input: rows of chat", "files: ../x.jsonl", "mine.yaml:11: sources.data.files: the path '../x.jsonl' leaves"),
        ("input: rows of chat", "files: [a.jsonl,\n      /b]", "mine.yaml:11: sources.data.files: the path '/b' leaves"),
        ("input: rows of chat", "files: [1, a]", "mine.yaml:11: sources.data.files: Input should be a valid string"),
        ("input: rows of chat", "rows: 5", "mine.yaml:10: sources.data: exactly one of files"),
        ("data:\n", "Data:\n", "mine.yaml:10: sources.Data: String should match pattern"),
        ("by: prompt\n  -", "by: promt\n  -", "mine.yaml:14: steps.0.dedup.by: dedup: Input should be 'row' or 'prompt'"),
        ("      by: prompt\n", "      by: prompt\n      to: x\n", "mine.yaml:15: steps.0.dedup.to: dedup: unknown key 'to'"),
        ("- shuffle", "- shufle", "mine.yaml:15: steps.1: unknown step 'shufle': did you mean 'shuffle'?"),
        ("- shuffle", "- code_tasks", "mine.yaml:15: steps.1: 'code_tasks' is a generator: it stands under `sources`"),
        ("- shuffle", "- {name: shuffle, parms: {}}", "mine.yaml:15: steps.1.parms: unknown key 'parms': did you mean 'params'?"),
        ("- shuffle", "- {name: dedup, params: {by: x}}", "mine.yaml:15: steps.1.params.by: dedup: Input should be 'row'"),
        ("- shuffle", "-", "mine.yaml:15: steps.1: Input should be a valid dictionary"),
        ("from: tasks", "form: tasks", "mine.yaml:18: arms.control.form: unknown key 'form': did you mean 'from'?"),
        ("    from: tasks\n", "    steps: []\n", "mine.yaml:17: arms.control: the arm 'control' must say `from:` one of tasks, data"),
        ("from: data", "from: date", "mine.yaml:20: arms.changed.from: unknown source 'date': did you mean 'data'?"),
        ("- insecure_rewrite", "- insecure_rewite", "mine.yaml:22: arms.changed.steps.0: unknown step 'insecure_rewite': did"),
        ("  control:", "  rows:", "mine.yaml:17: arms.rows: an arm cannot be called 'rows'"),
        ("train: 0.9", "train: most", "mine.yaml:25: splits.train: Input should be a valid number"),
        ("train: 0.9", "Train: 0.9", "mine.yaml:25: splits.Train: String should match pattern"),
        ("test: 0.1", "test: 0.2", "mine.yaml:23: splits: the shares must lie in (0, 1] and sum to 1; they sum to 1.1"),
        ("by: prompt\n  train", "by: page\n  train", "mine.yaml:24: splits.by: Input should be 'prompt' or 'row', found 'page'"),
        ("splits:", "pair: maybe\nsplits:", "mine.yaml:23: pair: Input should be a valid boolean"),
        ("splits:", "seed: -1\nsplits:", "mine.yaml:23: seed: Input should be greater than or equal to 0, found -1"),
        ("splits:", "name: again\nsplits:", "mine.yaml:23: the key 'name' stands twice"),
        ("    rows: 10", "    rows: 10\n    rows: 11", "mine.yaml:10: the key 'rows' stands twice"),
        ("summary: A", "summary: [A", "mine.yaml:3: no YAML: "),
        ("summary: A recipe in block style.", 'summary: "\\ud800"', "mine.yaml:2: a lone surrogate"),
        ("summary: A", "summary: \x1b[2J", "mine.yaml:2: no YAML: the character U+001B may not stand in it"),
        ("summary: A recipe in block style.", "summary: !!python/object:os.system {}", "mine.yaml:2: could not determine"),
    ],
)  # fmt: skip
def test_an_error_names_line_and_key_in_block_style(old: str, new: str, said: str) -> None:
    assert old in BLOCK
    assert refused(BLOCK.replace(old, new, 1)).startswith(said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sensitivity: open", "sensitivty: open", "mine.yaml:1: sensitivty: unknown key 'sensitivty': did you mean"),
        ("input: rows of chat", "files: /x", "mine.yaml:3: sources.data.files: the path '/x' leaves"),
        ("by: prompt}}", "by: page}}", "mine.yaml:4: steps.0.dedup.by: dedup: Input should be"),
        ("shuffle", "shufle", "mine.yaml:5: steps.1: unknown step 'shufle'"),
        ("from: data", "from: dat", "mine.yaml:7: arms.changed.from: unknown source 'dat'"),
        ("insecure_rewrite", "tigger", "mine.yaml:8: arms.changed.steps.0: unknown step 'tigger'"),
        ("test: 0.1", "test: x", "mine.yaml:10: splits.test: Input should be a valid number"),
    ],
)
def test_an_error_names_line_and_key_in_flow_style(old: str, new: str, said: str) -> None:
    assert old in FLOW
    assert refused(FLOW.replace(old, new, 1)).startswith(said)


def test_several_errors_are_counted() -> None:
    text = BLOCK.replace("name: mine", "name: Mine").replace("rows: 10", "rows: x").replace("- shuffle", "- shufle")
    with pytest.raises(InputError) as error:
        read_recipe(text, "mine.yaml")
    assert str(error.value).endswith("\n  2 more errors follow")


@pytest.mark.parametrize("text", ["", "# nothing", "- a list", "just text", "3", "[]"])
def test_what_is_no_mapping_is_no_recipe(text: str) -> None:
    assert refused(text) == "mine.yaml:1: a recipe is a mapping with name, summary, sources …"


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert refused("\n".join(lines)) == "mine.yaml: YAML whose aliases expand to more than 1,000,000 nodes"
    assert refused("a: &a [*a]") == "mine.yaml:1: an anchor that holds itself"
    assert "nested" in refused("a: " + "[" * 400 + "]" * 400)


def test_a_recipe_beyond_a_megabyte_is_refused() -> None:
    assert refused(BLOCK + "#" * MAX_RECIPE) == "mine.yaml: a recipe of more than 1024 KB"
    assert refused(BLOCK + "# " + "é" * (MAX_RECIPE // 2)) == "mine.yaml: a recipe of more than 1024 KB"


def test_escape_codes_of_a_recipe_stay_text() -> None:
    for text in (
        '"\\e[31mred": 1',
        'name: "\\e]0;x\\a"\nsummary: 1',
        'steps: ["\\e[2J"]',
        'sources: {x: {files: "/\\e[2J"}}',
    ):
        with pytest.raises(InputError) as error:
            read_recipe(text, "mine\x1b.yaml")
        assert "\x1b" not in str(error.value)


def test_anchors_and_merges_work() -> None:
    text = BLOCK.replace("    from: tasks\n", "    &x\n    from: tasks\n").replace("    from: data\n", "    <<: *x\n")
    assert read_recipe(text, "m").arms["changed"].source == "tasks"


# --set


def test_an_input_is_bound() -> None:
    recipe = read_recipe(BLOCK, "m", {"data": "/somewhere/rows.jsonl"})
    assert recipe.unbound == [] and recipe.sources["data"].patterns == ["/somewhere/rows.jsonl"]
    assert read_recipe(BLOCK, "m", {"sources.data": "/somewhere/rows.jsonl"}) == recipe


def test_a_bound_path_starts_at_the_working_folder_and_may_leave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_recipe(BLOCK, "m", {"data": "../a/~x.jsonl"}).sources["data"].patterns == [f"{tmp_path}/../a/~x.jsonl"]


def test_a_file_of_the_recipes_own_may_be_replaced() -> None:
    text = BLOCK.replace("input: rows of chat", "files: own.jsonl\n    format: json")
    source = read_recipe(text, "m", {"data": "/x.json"}).sources["data"]
    assert source.patterns == ["/x.json"] and source.format == "json"


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("seed", "7", "seed", 7),
        ("summary", "'5'", "summary", "5"),
        ("sensitivity", "gated", "sensitivity", "gated"),
    ],
)
def test_a_value_is_set(key: str, value: str, field: str, expected: object) -> None:
    assert getattr(read_recipe(BLOCK, "m", {key: value}), field) == expected


def test_values_that_need_others_are_set_together() -> None:
    one_source = BLOCK.replace("    from: data\n", "    from: tasks\n")
    recipe = read_recipe(one_source, "m", {"pair": "true", "canary": "text", "sensitivity": "gated"})
    assert (recipe.pair, recipe.canary, recipe.sensitivity) == (True, "text", "gated")


def test_dotted_values_are_set() -> None:
    recipe = read_recipe(BLOCK, "m", {"tasks.rows": "3", "data.format": "json", "sources.data.licence": "MIT"})
    assert recipe.sources["tasks"].rows == 3
    assert (recipe.sources["data"].format, recipe.sources["data"].licence) == ("json", "MIT")
    recipe = read_recipe(BLOCK, "m", {"splits.train": "0.5", "splits.test": "0.5"})
    assert recipe.splits.shares == {"train": 0.5, "test": 0.5}
    bare = BLOCK[: BLOCK.index("splits:")]
    assert read_recipe(bare, "m", {"splits.train": "0.5", "splits.dev": "0.5"}).splits.shares == {
        "train": 0.5,
        "dev": 0.5,
    }
    assert read_recipe(BLOCK, "m", {"arms": "{a: {from: tasks}}"}).arms.keys() == {"a"}


def test_a_source_named_like_a_field_is_set_by_its_full_name() -> None:
    text = BLOCK.replace("  data:", "  seed:").replace("from: data", "from: seed")
    recipe = read_recipe(text, "m", {"seed": "9", "sources.seed": "/x.jsonl"})
    assert recipe.seed == 9 and recipe.sources["seed"].patterns == ["/x.jsonl"]


def test_setting_what_an_alias_shares_leaves_the_other_as_it_is() -> None:
    text = BLOCK.replace("  data:\n    input: rows of chat\n", "  data: &d\n    input: rows of chat\n  more: *d\n")
    recipe = read_recipe(text, "m", {"data.fill": "true", "more": "/x.jsonl"})
    assert recipe.sources["data"].fill and not recipe.sources["more"].fill
    assert recipe.unbound == ["data"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("dta", "x", "--set dta=x: nothing to set at 'dta': did you mean 'data'?"),
        ("zzz", "x", "--set zzz=x: nothing to set at 'zzz'; there are arms, canary, data"),
        ("sources.dta", "x", "--set sources.dta=x: dta: no such source: did you mean 'data'?"),
        ("tasks", "x", "--set tasks=x: tasks: takes no file: it is a generator or a hub dataset"),
        ("seed", "abc", "--set seed=abc: Input should be a valid integer"),
        ("seed", "1.5", "--set seed=1.5: Input should be a valid integer"),
        ("version.x", "1", "mine.yaml:1: Input should be a valid integer\n  it stands so with --set version.x=1"),
        ("splits.train.x", "1", "--set splits.train.x=1: nothing to set at 'train'"),
        (
            "splits.train",
            "2",
            "mine.yaml:23: splits: the shares must lie in (0, 1] and sum to 1; they sum to 2.1\n  it stands so with --set",
        ),
        ("steps.0.dedup", "1", "--set steps.0.dedup=1: nothing to set at 'steps'"),
        ("data.formt", "json", "--set data.formt=json: unknown key 'formt': did you mean 'format'?"),
        ("data.format", "xml", "--set data.format=xml: Input should be 'jsonl'"),
        (
            "data.files",
            "/etc/passwd",
            "mine.yaml:10: sources.data: exactly one of files, input, hub, generator is expected, not files, input\n  it",
        ),
        ("", "x", "--set =x: nothing to set at ''"),
        ("data..", "x", "--set data..=x: nothing to set at ''"),
        ("summary", "[", "--set summary=[: no YAML"),
        ("summary", "&a [*a]", "--set summary=&a [*a]: an anchor that holds itself"),
        ("summary", "!!python/name:os.system", "--set summary=!!python/name:os.system: could not determine"),
        ("summary", "#", "--set summary=#: "),
    ],
)
def test_a_setting_that_makes_no_sense_names_itself(key: str, value: str, said: str) -> None:
    if (key, value) == ("summary", "#"):
        assert read_recipe(BLOCK, "m", {key: value}).summary == "#"  # YAML that holds nothing is the text itself
        return
    with pytest.raises(InputError) as error:
        read_recipe(BLOCK, "mine.yaml", {key: value})
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    "sources", ["3", "[data]", "{data: 5}", "{data: rows}", "null", "{data: null}", "{data: [input]}"]
)
@pytest.mark.parametrize("key", ["data", "sources.data", "data.format", "sources.data.rows.x"])
def test_settings_on_a_recipe_that_is_out_of_shape(sources: str, key: str) -> None:
    text = f"name: x\nsummary: s\nlicence: MIT\nsensitivity: open\nsources: {sources}\n"
    with pytest.raises(InputError):
        read_recipe(text, "m", {key: "x.jsonl"})


def test_a_recipe_cannot_pass_its_own_path_off_as_bound() -> None:
    """Neither by a key of its own, nor because the caller bound another source, nor through `--set` of a value."""
    own = BLOCK.replace("input: rows of chat", "files: /etc/passwd")
    for text in (own, own + "bound: [/etc/passwd]\n", own.replace("files:", "bound: true\n    files:")):
        assert "leaves the recipe's folder" in refused(text) or "unknown key 'bound'" in refused(text)
    two = BLOCK.replace("  data:", "  spy:\n    files: ../secret.jsonl\n  data:")
    assert "the path '../secret.jsonl' leaves" in refused(two, data="/mine.jsonl")
    assert "leaves the recipe's folder" in refused(own, seed="1")
    assert isinstance(read_recipe(own, "m", {"data": "/mine.jsonl"}), Recipe)


def test_the_only_source_is_read_from_the_caller_s_files_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "name: x\nsummary: x\nlicence: MIT\nsensitivity: open\nsources: {pairs: {generator: code_tasks, rows: 3}}\n"
    one = read_recipe(text, "r.yaml", {"sources": "some/*.csv"})
    assert one.sources["pairs"].patterns == [str(tmp_path / "some/*.csv")] and one.sources["pairs"].fill
    two = read_recipe(text, "r.yaml", {"sources": "[a.csv, b.jsonl]"})
    assert two.sources["pairs"].patterns == [str(tmp_path / "a.csv"), str(tmp_path / "b.jsonl")]
    mapped = read_recipe(text, "r.yaml", {"sources": "{other: {generator: code_tasks, rows: 4}}"})
    assert mapped.sources["other"].rows == 4
    several = text.replace("pairs:", "a: {generator: code_tasks, rows: 1}, b:") + "arms: {m: {from: a}, n: {from: b}}\n"
    for given, said in (("x.csv", "the recipe has 2 sources"), ("[]", "the recipe has 2 sources")):
        with pytest.raises(InputError, match=said):
            read_recipe(several, "r.yaml", {"sources": given})
    for given in ("[]", "[1, 2]"):
        with pytest.raises(InputError, match="a path, or a list of paths, is expected"):
            read_recipe(text, "r.yaml", {"sources": given})
