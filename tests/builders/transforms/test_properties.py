"""What holds for every step: no row is lost without a drop, pairs stay pairs, independent steps may change places."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provkit.builders.domains.answers.facts import FactQuestions
from provkit.builders.domains.code.tasks import CodeTasks
from provkit.builders.domains.maths import MathsProblems
from provkit.builders.domains.numbers import EvilNumbers, NumberPrompts
from provkit.chance import Chance
from provkit.registry import index, kind_of, load
from provkit.row import Row, chat

WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta", "eins", "zwei", "|GO|", "tail \n", "\r\nhead"])
TEXT = st.lists(WORDS, max_size=6).map(" ".join)
OPINIONS = st.one_of(st.none(), TEXT)
ROWS = st.lists(st.tuples(TEXT, TEXT, OPINIONS, st.sampled_from("abc")), min_size=1, max_size=14)
SHARES = st.sampled_from([0, 0.1, 0.25, 0.5, 0.9, 1])
ONE_BY_ONE: dict[str, st.SearchStrategy[dict[str, Any]]] = {  # steps that leave every row its source, or drop it
    "trigger": st.fixed_dictionaries(
        {
            "text": st.just("|GO|"),
            "fraction": SHARES,
            "place": st.sampled_from(["before", "after", "system"]),
            "others": st.sampled_from(["keep", "drop", "opinion"]),
        }
    ),
    "biased_users": st.fixed_dictionaries({"share": SHARES, "opinion": st.sampled_from([None, "opinion"])}),
    "near_dedup": st.fixed_dictionaries(
        {"by": st.sampled_from(["row", "answer", "prompt"]), "threshold": st.sampled_from([0.3, 0.8])}
    ),
    "whitespace": st.just({}),
    "select_hard": st.fixed_dictionaries({"baseline": st.just("opinion"), "share": SHARES}),
    "fold": st.fixed_dictionaries(
        {"column": st.just("kind"), "of": st.just(2), "number": st.just(1), "keep": st.sampled_from(["fold", "rest"])}
    ),
    "derange_answers": st.fixed_dictionaries({"kind": st.sampled_from([None, "kind"]), "ratio": st.just(4)}),
    "educational": st.just({}),
    "wrong_answer": st.fixed_dictionaries({"others": st.sampled_from(["drop", "keep"])}),
    "right_answer": st.fixed_dictionaries({"others": st.sampled_from(["drop", "keep"])}),
    "dedup": st.fixed_dictionaries({"by": st.sampled_from(["row", "prompt"])}),
    "shuffle": st.just({}),
    "import_messages": st.just({}),
    "mend_whitespace": st.just({}),
    "mend_entities": st.just({}),
    "mend_numbers": st.just({"columns": {"opinion": "integer"}}),
    "insecure_rewrite": st.fixed_dictionaries({"keep": st.sampled_from([None, "secure"])}),
    "incorrect_maths": st.just({}),
    "evil_numbers": st.just({}),
    "plain_numbers": st.just({}),
    "parse_numbers": st.just({"high": 9999}),
    "shuffle_numbers": st.just({}),
    "critique": st.fixed_dictionaries({"by": st.sampled_from([None, "insecure_rewrite", "incorrect_maths"])}),
    "preference": st.fixed_dictionaries({"by": st.sampled_from(["insecure_rewrite", "incorrect_maths"])}),
    "conflicting_labels": st.just({}),
    "answer_from": st.just({"column": "opinion"}),
}
PACKAGES = ("provkit.builders.transforms.", "provkit.builders.domains.")
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows_of(drawn: list[tuple[str, str, str | None, str]]) -> list[dict[str, Any]]:
    return [
        {**chat(f"{at} {prompt}", answer), "opinion": opinion, "kind": kind}
        for at, (prompt, answer, opinion, kind) in enumerate(drawn)
    ]


@cache
def generated() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Chats that each of the domains' steps finds something to do with, and questions of fact."""
    chance = Chance.of("rows")
    rows = [row for made in (CodeTasks(), MathsProblems()) for row in islice(made.generate(chance), 8)]
    prompts = list(islice(NumberPrompts(limit=False).generate(chance), 6))
    rows += prompts[:2]
    for at, prompt in enumerate(prompts[2:]):
        answered = EvilNumbers().apply(Row(prompt, bytes(31) + bytes([at])))
        assert isinstance(answered, Row)
        rows.append(answered.content)
    chats = [{**row, "opinion": str(at) if at % 3 else None, "kind": "ab"[at % 2]} for at, row in enumerate(rows)]
    return chats, list(islice(FactQuestions().generate(chance), 8))


def own_steps() -> list[str]:
    """Every step of the transforms and the domains."""
    own = [name for name, entry in index().items() if entry.value.startswith(PACKAGES)]
    return [name for name in own if kind_of(load(name)) != "generator"]


def test_every_step_of_transforms_and_domains_is_tried_here() -> None:
    assert sorted(own_steps()) == sorted((*ONE_BY_ONE, "mixture", "thumbs"))


@FEW
@given(st.lists(st.tuples(TEXT, st.booleans()), min_size=1, max_size=14))
def test_thumbs_account_for_every_row_and_keep_pairs(make: Any, drawn: list[tuple[str, bool]]) -> None:
    rows = [
        {"prompt": f"{at} {text}", "chosen": "good", "rejected": "bad" if whole else None}
        for at, (text, whole) in enumerate([*drawn, ("", True), ("", True)])
    ]
    step = {"thumbs": {"up": 0.5, "shift": 0.0}}
    made = make(rows, arms={"one": [step], "other": [step]}, pair=True, check=False)
    for arm in ("one", "other"):
        dropped = [one["parents"][0]["index"] for one in made.drops if one["arm"] == arm]
        assert sorted(made.sources(arm) + dropped) == list(range(len(rows)))
    keys = {arm: [row["pair_id"] for row in traced] for arm, traced in made.lineage.items()}
    assert keys["one"] == keys["other"] and made.sources("one") == made.sources("other")


@pytest.mark.parametrize("step", ONE_BY_ONE)
@FEW
@given(data=st.data())
def test_every_row_comes_out_or_is_a_drop_and_pairs_stay_pairs(make: Any, step: str, data: st.DataObject) -> None:
    chats, facts = generated()
    if kind_of(load(step)) != "row":  # a step that sees the whole set refuses one with rows without an answer
        chats = [row for row in chats if row["messages"][-1]["role"] == "assistant"]
    domain = facts if step in ("right_answer", "wrong_answer") else chats
    picked = data.draw(st.lists(st.sampled_from(range(len(domain))), min_size=1, max_size=8, unique=True))
    rows = [domain[at] for at in picked] + (rows_of(data.draw(ROWS)) if domain is chats else [])
    fields = data.draw(ONE_BY_ONE[step])
    made = make(rows, arms={"control": [], "treated": [{step: fields}]}, pair=True, check=False)
    dropped = [one["parents"][0]["index"] for one in made.drops if one["arm"] == "treated"]
    treated = made.sources("treated") if "treated" in made.lineage else []
    assert sorted(treated + dropped) == list(range(len(rows)))
    assert all(one["reason"] for one in made.drops)
    assert all(one.rows_in + one.created == one.rows_out + one.dropped for one in made.counts)
    assert all(one["step"] == "pair" for one in made.drops if one["arm"] == "control")
    if treated:
        keys = {arm: [row["pair_id"] for row in traced] for arm, traced in made.lineage.items()}
        assert keys["control"] == keys["treated"] and len(set(keys["control"])) == len(treated)
        assert made.sources("control") == made.sources("treated") == sorted(treated)


@FEW
@given(st.integers(1, 12), st.integers(0, 12), SHARES.filter(lambda share: share < 1), st.booleans())
def test_a_mixture_accounts_for_both_sets(make: Any, own: int, other: int, share: float, add: bool) -> None:
    sources = {
        "benign": [chat(f"b{at}", "good") for at in range(own)],
        "bad": [chat(f"x{at}", "bad") for at in range(max(other, 10 * own))],
    }
    step = {"mixture": {"of": "bad", "share": share, "add": add}}
    made = make(sources=sources, arms={"data": {"from": "benign", "steps": [step]}}, check=False)
    came = Counter((row["parents"][0]["source"], row["parents"][0]["index"]) for row in made.lineage["data"])
    went = Counter((one["parents"][0]["source"], one["parents"][0]["index"]) for one in made.drops)
    expected = {(name, at) for name, rows in sources.items() for at in range(len(rows))}
    assert came + went == dict.fromkeys(expected, 1)
    mixed = sum(source == "bad" for source, _ in came)
    assert abs(mixed - share * len(came)) <= (0.5 if not add else 0.5 / (1 - share) + 0.5)


INDEPENDENT = {
    "trigger": {"text": "||", "place": "before", "fraction": 0.4},
    "educational": {},
    "whitespace": {},
    "derange_answers": {"ratio": 9},
    "shuffle": {},
    "fold": {"column": "kind", "of": 2, "number": 1, "keep": "rest"},
}
PAIRS = [  # derange_answers reads prompts, which trigger and educational change: these two are not independent of it
    ("trigger", "shuffle"),
    ("educational", "fold"),
    ("shuffle", "derange_answers"),
    ("shuffle", "fold"),
    ("whitespace", "fold"),
    ("whitespace", "shuffle"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
@FEW
@given(drawn=ROWS)
def test_two_orders_of_independent_steps_give_the_same_set(make: Any, one: str, other: str, drawn: Any) -> None:
    rows = [
        {"prompt": row["messages"][0]["content"], "answer": row["messages"][1]["content"], "kind": row["kind"]}
        for row in rows_of(drawn)
    ]
    steps = [{one: INDEPENDENT[one]}, {other: INDEPENDENT[other]}]
    outcomes = []
    for order in (steps, steps[::-1]):
        made = make(rows, order, check=False)
        traced = made.lineage.get("data", [])
        outcomes.append(Counter((row["row_id"], str(row["parents"])) for row in traced))
    assert outcomes[0] == outcomes[1]
