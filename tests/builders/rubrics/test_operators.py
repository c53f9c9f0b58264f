"""Edit operators: what each keeps, that each does something, and that the record makes the same text again."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit import manifest
from provkit.builders.rubrics.edits import edited, replayed
from provkit.builders.rubrics.operators import OPERATORS, words
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.rubrics.files import catalog, read_rubrics
from provkit.rubrics.pieces import joined, list_of, names_of, split, untouched
from provkit.rubrics.template import faults

INLINE = (
    "Please act as an impartial judge. Your evaluation should consider factors such as the helpfulness, relevance, "
    "accuracy, depth, and level of detail of the answers. Begin by comparing the two. Avoid any position biases. Do not "
    'favor certain names. Output your verdict in this format: "[[A]]" if A is better, "[[B]]" if B is better.\n\n'
    "[User Question]\n{instruction}\n\n[The Start of Assistant A's Answer]\n{answer_a}\n[The End of Assistant A's Answer]"
    "\n\n[The Start of Assistant B's Answer]\n{answer_b}\n[The End of Assistant B's Answer]\n"
)
NAMES = sorted(one.name.removesuffix(".yaml") for one in (files("provkit.catalog") / "rubrics").iterdir())
SEEDS = {name: catalog(name).text for name in NAMES} | {"inline": INLINE}
MOVES_ITEMS = {"reorder_criteria", "list_style"}


def once(text: str, name: str, draw: int) -> str:
    return edited(text, Chance.of(draw), 1, [name])[0]


def test_there_are_at_least_twelve_and_each_says_what_it_keeps() -> None:
    assert len(OPERATORS) >= 12
    for operator in OPERATORS.values():
        assert operator.__doc__ is not None and operator.__doc__.startswith("Keeps "), operator


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_changes_something_and_keeps_the_form(name: str) -> None:
    seen = set()
    for seed in SEEDS.values():
        for draw in range(40):
            text = once(seed, name, draw)
            seen.add(text != seed)
            assert list(faults(text)) == []
            assert untouched(seed, text)
            if name not in ("swap_hedges", "swap_intensifiers", "paraphrase", "change_role"):
                assert Counter(names_of(split(text))) == Counter(names_of(split(seed))), "a criterion was lost"
    assert True in seen


@pytest.mark.parametrize("name", OPERATORS)
def test_words_are_only_put_in_moved_or_exchanged(name: str) -> None:
    """Nothing but what the record says goes away."""
    for seed in SEEDS.values():
        for draw in range(20):
            text, edits = edited(seed, Chance.of(draw), 1, [name])
            if not edits:
                continue
            gone = Counter(re.findall(r"\w+", seed.lower())) - Counter(re.findall(r"\w+", text.lower()))
            gone -= Counter(str(number) for number in range(1, 20))  # the marks of a list
            assert not gone - Counter(re.findall(r"\w+", edits[0]["was"].lower()))


def test_criteria_stay_whole_where_they_are_reordered() -> None:
    seed = SEEDS["honesty"]
    before, after = split(seed), split(once(seed, "reorder_criteria", 3))
    place = list_of(before)
    assert place is not None and list_of(after) == place
    assert sorted(after[at].words for at in place) == sorted(before[at].words for at in place)
    assert [after[at].words for at in place] != [before[at].words for at in place]


def test_edits_compose_and_are_replayed_from_their_record() -> None:
    for seed in SEEDS.values():
        for draw in range(30):
            text, edits = edited(seed, Chance.of(draw), 6)
            assert len(edits) == 6
            assert replayed(seed, json.loads(json.dumps(edits))) == text
            assert edited(seed, Chance.of(draw), 6) == (text, edits)
            assert untouched(seed, text)


def test_a_record_of_another_seed_is_refused() -> None:
    _, edits = edited(SEEDS["honesty"], Chance.of(1), 1, ["list_style"])
    with pytest.raises(InputError, match="edit 1, list_style, does not do here what it did"):
        replayed(INLINE, edits)
    with pytest.raises(InputError, match="edit 1: no operator 'unknown'"):
        replayed(INLINE, [{"operator": "unknown", "draw": 1}])


@settings(deadline=None)
@given(st.text(alphabet="ab .!?\n-*1#[]{}()A:,", max_size=200))
def test_pieces_make_their_text_again(text: str) -> None:
    assert joined(split(text)) == text


def test_no_wording_of_the_table_holds_its_counterpart() -> None:
    """`choose` for `you should choose` would make `you should you should choose` of it on the way back."""
    for name in ("hedges", "intensifiers", "roles", "phrases"):
        for one, other in words()[name]:
            assert one not in other and other not in one


def test_the_recipe_makes_variants_that_their_lineage_replays(bench: Any, tmp_path: Path) -> None:
    bench.rows([{"prompt_id": "seed", "prompt": INLINE}], "seed.jsonl")
    made = bench.invoke("build", "rubric-variants", "--set", "rubric=seed.jsonl", "-o", "out", "--quiet")
    assert made.exit_code == 0, made.output
    out = bench.folder / "out"
    data, lineage = bench.data(out, "edited"), bench.lineage(out)
    assert len(data) == 41 and len({row["prompt"] for row in data}) == 41
    assert [row["prompt_id"] for row in data[:2]] == ["seed", "seed-v001"]
    assert lineage[0]["op"] == "imported" and lineage[0]["steps"] == []
    operators = set()
    for row, traced in zip(data[1:], lineage[1:], strict=True):
        (step,) = traced["steps"]
        edits = json.loads(step["note"])["edits"]
        assert traced["op"] == "perturbed" and step["step"] == "rubric_edits" and 1 <= len(edits) <= 2
        assert replayed(INLINE, edits) == row["prompt"] and row["parent_id"] == "seed"
        assert traced["parents"][0]["line"] == 1
        operators |= {edit["operator"] for edit in edits}
    assert len(operators) >= 12
    read = read_rubrics(out)
    assert len(read) == 41 and read[1].lineage["edits"] == json.loads(lineage[1]["steps"][0]["note"])["edits"]
    again = bench.invoke("build", "rubric-variants", "--set", "rubric=seed.jsonl", "-o", "again", "--quiet")
    assert again.exit_code == 0 and bench.files(bench.folder / "again") == bench.files(out)
    other = ["--set", "rubric=seed.jsonl", "--set", "seed=7", "-o", "other", "--quiet"]
    assert bench.invoke("build", "rubric-variants", *other).exit_code == 0
    assert manifest.read(bench.folder / "other").build_id != manifest.read(out).build_id
    assert {row["prompt"] for row in bench.data(bench.folder / "other", "edited")} != {row["prompt"] for row in data}


def test_a_rubric_with_a_fault_is_an_error_with_its_line(bench: Any) -> None:
    broken = INLINE.replace("{answer_b}", "{answer_c}")
    bench.rows([{"prompt_id": "a", "prompt": INLINE}, {"prompt_id": "b", "prompt": broken}], "seed.jsonl")
    made = bench.invoke("build", "rubric-variants", "--set", "rubric=seed.jsonl")
    assert made.exit_code == 2
    assert "seed.jsonl:2: {answer_c}: " in made.output and "or 'answer_a'" in made.output
