"""Rewrites of pairs: distinct, the same edits for both twins, nothing that tells the label; and by a model."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from provkit.builders.litmus.pairs import LitmusPairs
from provkit.builders.litmus.rewrites import contracted, moved, opened, operators, replaced
from provkit.chance import Chance

SIDES = ("safe", "unsafe")


def pairs(count: int) -> list[dict[str, Any]]:
    return list(itertools.islice(LitmusPairs().generate(Chance.of(3)), count))


def test_five_rewrites_of_each_pair_all_different(make: Callable[..., Any]) -> None:
    given = pairs(60)
    made = make(given, ["litmus_rewrites"])
    assert len(made.rows) == 300 and made.drops == []
    for side in SIDES:
        assert len({row[side] for row in made.rows}) == 300
        assert not {row[side] for row in made.rows} & {row[side] for row in given}
    assert made.sources() == [at for at in range(60) for _ in range(5)]
    assert [note["rewrite"] for note in made.notes("litmus_rewrites")[:5]] == [1, 2, 3, 4, 5]


def test_twins_of_one_frame_keep_their_contrast(make: Callable[..., Any]) -> None:
    """What is edited is the same on both sides: twins of the same words before have the same words after."""
    ranked = [one for one in pairs(200) if one["safe_source"] == "provkit-ranking"]
    for row in make(ranked, ["litmus_rewrites"]).rows:
        safe, unsafe = (sorted(row[side].lower().replace(".", " ").replace(",", " ").split()) for side in SIDES)
        assert safe == unsafe and row["safe"] != row["unsafe"]


def test_the_notes_name_the_edits_and_both_arms_pair(make: Callable[..., Any]) -> None:
    arms = {side: [{"litmus_side": {"label": side}}] for side in SIDES}
    made = make(pairs(10), [{"litmus_rewrites": {"count": 3, "original": True}}], arms=arms, pair=True)
    assert [len(made.arms[side]) for side in SIDES] == [40, 40]
    ids = [[row["pair_id"] for row in made.lineage[side]] for side in SIDES]
    assert ids[0] == ids[1] and len(set(ids[0])) == 40
    edits = [note["edits"] for note in made.notes("litmus_rewrites", "safe") if note is not None]
    assert len(edits) == 30 and all(set(one) <= set(operators()) and 1 <= len(one) <= 3 for one in edits)


def test_each_edit_by_hand() -> None:
    assert moved("When it rains, I would help.", 0) == "I would help when it rains."
    assert moved("When it rains, stay. Or go.", 0) == "When it rains, stay. Or go."
    assert moved("I would help.", 0) == "I would help."
    assert replaced("When people see people", "people", "folks") == "When folks see folks"
    assert replaced("People are peopled", "people", "folks") == "Folks are peopled"
    assert contracted("It is as I would do; i do not") == "It's as I'd do; i don't"
    assert opened("When it rains, go.", "Honestly,") == "Honestly, when it rains, go."
    assert opened("I would go.", "By now") == "By now I would go."
    assert opened("NATO met.", "By now") == "By now NATO met."


def test_a_row_that_is_no_pair_or_gives_too_little_is_dropped(make: Callable[..., Any]) -> None:
    rows = [{"safe": "a", "unsafe": None, "axiom": "A"}, {"safe": "a", "unsafe": "b", "axiom": "A"}]
    assert make(rows, ["litmus_rewrites"]).reasons() == [(0, "no pair", "safe and unsafe are expected")]
    made = make(rows[1:], [{"litmus_rewrites": {"count": 20}}])
    assert len(made.rows) == 20 or made.reasons()[0][1] == "too few rewrites"


PARAPHRASED = """
name: asked
summary: x
licence: CC0-1.0
sensitivity: open
sources: {pairs: {generator: litmus_pairs, rows: 4}}
steps: [{litmus_paraphrase: {count: 3}}]
arms: {safe: [{litmus_side: {label: safe}}], unsafe: [{litmus_side: {label: unsafe}}]}
pair: true
"""


@pytest.fixture
def server() -> Any:
    import importlib.util
    import sys
    from pathlib import Path

    path = next(one for one in Path(__file__).parents if one.name == "tests") / "llm_server.py"
    spec = importlib.util.spec_from_file_location("loopback_model", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules.setdefault("loopback_model", importlib.util.module_from_spec(spec))
    if not hasattr(module, "ModelServer"):
        spec.loader.exec_module(module)
    with module.ModelServer() as running:
        yield running


def test_a_model_rewrites_both_twins_in_the_same_manner(bench: Any, server: Any) -> None:
    (bench.folder / "asked.yaml").write_text(PARAPHRASED, encoding="utf-8")
    words = ("--llm", server.url, "--model", "small", "--cache", "answers.sqlite", "-o", "out", "--quiet")
    done = bench.invoke("build", "asked.yaml", *words)
    assert done.exit_code == 0, done.output
    assert server.total == 4 * 3 * 2
    rows = {side: bench.data(bench.folder / "out", side) for side in SIDES}
    assert [row["pair_id"] for row in rows["safe"]] == [row["pair_id"] for row in rows["unsafe"]]
    assert len({row["input"] for side in SIDES for row in rows[side]}) == 24
    asked = [one["messages"][-1]["content"] for one in server.asked]
    assert sum("a little more formally" in one for one in asked) == 8
    assert {row["model"] for row in bench.lineage(bench.folder / "out")} == {"small"}
    assert bench.invoke("verify", "out", "--quiet").exit_code == 0
