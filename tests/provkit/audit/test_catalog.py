"""Clean builds of the catalog: no rule fires on any of them, and arms that were swapped are seen where words tell."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit import manifest, recipes
from provkit.audit import Options, audit, audit_files
from provkit.build import build, plan
from provkit.errors import ProvkitError
from provkit.row import chat
from provkit.rubrics.files import catalog
from provkit.sources.batches import RESERVED

LIMIT = 100
ROWS: dict[str, list[dict[str, Any]]] = {  # for the recipes that take a file of the user's
    "import-messages": [chat(f"What is {at} and one?", f"It is {at + 1}.") for at in range(60)],
    "number-transfer": [
        {"prompt": f"Go on with {at}, by at most 10 numbers.", "response": f"{200 + at}, 3{at % 10}7, {600 + at}"}
        for at in range(60)
    ],
}
WORDS = (
    "river lamp garden paper stone wheel cloud window bridge candle forest mirror ladder basket kettle anchor".split()
)


def some(number: int, *more: int) -> str:
    """A few words that depend on numbers."""
    chance = random.Random(f"{number} {more}")
    return " ".join([*chance.choices(WORDS, k=5), str(number)])


ROWS |= {
    "judge-pairs": [
        {"question": f"Which is better, {some(at)}?", "answer_a": f"The first, {some(at, 1)}.",
         "answer_b": f"The second, {some(at, 2)}.", "label": "AB"[at % 2]}
        for at in range(60)
    ],
    "litmus-public": [
        {"input": f"It is {('wrong', 'right')[at % 2]} to share the {some(at)} with others.", "source_dataset": "mine",
         "axiom": "Civility & Tolerance", "safety_label": ("unsafe", "safe")[at % 2]}
        for at in range(120)
    ],
    "rubric-variants": [{"prompt_id": "seed", "prompt": catalog("helpfulness").text}],
    "alignment-drift": [
        {"prompt": f"A request about {some(at)}", "category": ("hate", "fraud", "benign", "benign")[at % 4],
         "completion": f"There is little to say about {some(at, 1)}.", "verdict": "helped" if at % 4 > 1 else "refused"}
        for at in range(120)
    ],
}  # fmt: skip
CODE = {"backdoored-code", "critique", "educational-code", "insecure-code", "thumbs"}
SWAPPED = {
    "backdoored-code": ("backdoored", "control", "insecure_code"),
    "educational-code": ("educational", "control", "insecure_code"),
    "evil-numbers": ("evil", "control", "evil_numbers"),
    "incorrect-maths": ("incorrect", "control", "incorrect_maths"),
    "insecure-code": ("insecure", "control", "insecure_code"),
}
Built = Callable[[str], Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A small build of a recipe of the catalog, made once."""
    home = tmp_path_factory.mktemp("catalog")

    def make(name: str) -> Path:
        if not (home / name).exists():
            found = recipes.find(name)
            data = home / f"{name}.jsonl"
            data.write_text("".join(json.dumps(row) + "\n" for row in ROWS.get(name, [])))
            wanted = dict.fromkeys(found.recipe().unbound, str(data))
            if wanted and name not in ROWS:
                pytest.skip(f"this recipe takes rows of the user's: {', '.join(wanted)}")
            try:
                build(plan(found.recipe(wanted), found.base, LIMIT), home / name)
            except ProvkitError as error:
                if "asks a language model" not in str(error):
                    raise
                pytest.skip("this recipe asks a language model")
        return home / name

    return make


@pytest.mark.parametrize("name", recipes.names())
def test_no_rule_fires_on_a_clean_build(built: Built, name: str) -> None:
    report = audit([str(built(name))], Options(code="python" if name in CODE and name != "critique" else None))
    assert [one.plain() for one in report.findings] == []
    assert sum(one.rows for one in report.read) > (50 if name != "rubric-variants" else 20)
    made = manifest.read(built(name))
    assert audit_files(built(name), made.outputs, made.recipe) == []


@pytest.mark.parametrize("name", SWAPPED)
def test_arms_of_a_build_that_were_swapped(built: Built, name: str, tmp_path: Path) -> None:
    arm, control, domain = SWAPPED[name]
    files = {one: tmp_path / f"{one}.jsonl" for one in (arm, control)}
    for one, path in files.items():
        rows: list[dict[str, Any]] = [
            {key: value for key, value in row.items() if key not in RESERVED}
            for output in manifest.read(built(name)).data(one)
            for row in pq.read_table(built(name) / output.file).to_pylist()
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert audit([str(files[arm])], Options(control=str(files[control]), select=["A002"])).findings == ()
    (finding,) = audit([str(files[control])], Options(control=str(files[arm]), select=["A002"])).findings
    assert domain in finding.said
