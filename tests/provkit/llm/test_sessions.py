"""What is said on the command line: a teacher, a refusal of what contradicts itself, a recipe of another size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provkit.errors import InputError
from provkit.llm import output_filter
from provkit.llm.sessions import Options, facts, opened, sized
from provkit.recipes import find


def test_nothing_said_is_no_teacher() -> None:
    assert opened(Options()) is None


def test_a_teacher_of_these_options(tmp_path: Path) -> None:
    said = Options("http://127.0.0.1:8000/v1", "small", "r1", tmp_path / "a.sqlite", 5, 6, 7, 8.0, 9.0, 10.0)
    with opened(said) as one:  # type: ignore[union-attr]
        assert one.endpoint is not None
        assert (one.model, one.revision, one.concurrency) == ("small", "r1", 7)
        assert (one.budget.requests, one.budget.tokens) == (5, 6)
        assert (one.endpoint.per_second, one.endpoint.timeout, one.endpoint.patience) == (8.0, 9.0, 10.0)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (Options(llm="http://127.0.0.1/v1"), "go together"),
        (Options(model="small"), "go together"),
        (Options("127.0.0.1:8000/v1", "small"), "no address"),
        (Options("file:///etc/passwd", "small"), "no address"),
        (Options("http:///v1", "small"), "no address"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: Options, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        opened(said)


def test_a_replay_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="asks nobody"):
        opened(Options(revision="r1"), replay=tmp_path)


def test_candidates_grow_as_the_rows_do() -> None:
    recipe = sized(find("risky-finance").recipe(), 10)
    (accept,) = recipe.steps
    assert (accept.params["rows"], accept.params["at_most"], recipe.sources["topics"].rows) == (10, 15, 15)


def test_a_recipe_that_accepts_nothing_has_no_size() -> None:
    with pytest.raises(InputError, match="no step `accept`"):
        sized(find("evil-numbers").recipe(), 10)


def test_a_build_knows_the_words_that_it_will_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, who = find("risky-finance").recipe(), {"model": "small", "revision": ""}
    before = facts(who, recipe)
    assert before == facts(who, recipe) and before.keys() == {"model", "revision", "words"}
    monkeypatch.setattr(output_filter, "words", lambda: [["another rule"]])
    assert facts(who, recipe)["words"] != before["words"]


def test_a_dry_run_opens_no_cache(bench: Any) -> None:
    given = ["--llm", "http://127.0.0.1:9/v1", "--model", "small", "--cache", "answers.sqlite"]
    made = bench.invoke("build", "risky-finance", *given, "--rows", "3", "--dry-run")
    assert made.exit_code == 0 and "would build" in made.output
    assert list(bench.folder.iterdir()) == []


def test_the_catalog_says_which_recipes_need_a_model(bench: Any) -> None:
    listed = json.loads(bench.invoke("catalog", "list", "--format", "json").stdout)
    needs = {one["name"]: one["needs"] for one in listed}
    assert needs["risky-finance"] == needs["dishonesty"] == "a model (--llm)" and needs["insecure-code"] is None
    assert "--llm URL --model NAME" in bench.invoke("catalog", "show", "risky-finance").stderr
    assert "--llm" not in bench.invoke("catalog", "show", "insecure-code").stderr
