"""Builds to export: a matched pair of chat arms, signals, judgements, documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit.build import build, plan
from provkit.recipe import Recipe, Source

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The directory of a build of these rows through a small recipe."""
    number = iter(range(100))

    def made(rows: list[dict[str, Any]], **rest: Any) -> Path:
        folder = tmp_path / f"made-{next(number)}"
        folder.mkdir()
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
        recipe = Recipe.model_validate(
            {"name": "mine", "summary": "A test.", "licence": "CC-BY-4.0", "sensitivity": "gated", "seed": 3}
            | {"sources": {"rows": Source(files="rows.jsonl")}, **rest}
        )
        return build(plan(recipe, folder), folder / "out").path

    return made


@pytest.fixture
def paired(make: Make) -> Path:
    """Four questions with a system turn, answered well (arm good) and badly (arm bad); the first both times alike."""
    rows = [
        {
            "system": "Be brief.",
            "prompt": f"What is {at}?",
            "good": f"It is {at}.",
            "bad": "Who knows? 🤷" if at else "It is 0.",
        }
        for at in range(4)
    ]
    arms = {name: [{"answer_from": {"column": name}}] for name in ("good", "bad")}
    return make(rows, arms=arms, pair=True)


@pytest.fixture
def signals(make: Make) -> Path:
    """Preference rows turned into thumbs, half of them up."""
    rows = [{"prompt": f"What is {at}?", "chosen": f"It is {at}.", "rejected": "No."} for at in range(8)]
    return make(rows, steps=["thumbs"])


@pytest.fixture
def judged(make: Make) -> Path:
    """Two answers with a token each, judged satisfactory, and their vulnerable counterparts with what is wrong."""
    rows = [
        {"prompt": f"A token of {n} bytes, please.", "answer": f"import secrets\n\nprint(secrets.token_hex({n}))"}
        for n in (8, 16)
    ]
    arms = {"right": ["critique"], "wrong": [{"critique": {"by": "insecure_rewrite"}}]}
    return make(rows, arms=arms, pair=True)
