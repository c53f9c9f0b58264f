"""A whole build described, as the command prints and draws it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provkit.build import build, plan
from provkit.cli import main
from provkit.describe import describe
from provkit.errors import InputError
from provkit.recipe import Recipe, Source

ROWS = [
    {"prompt": "Name a sea.", "answer": "The Baltic Sea."},
    {"prompt": "Name a sea.", "answer": "The North Sea."},
    {"prompt": "Name a river, please.", "answer": "The Thames."},
    {"prompt": "Name a lake.", "answer": "Lake Mead."},
]


def make(folder: Path, rows: list[dict[str, object]], **rest: object) -> Path:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = Recipe.model_validate(
        {"name": "seas", "summary": "A test.", "licence": "CC0-1.0", "sensitivity": "gated"}
        | {"sources": {"rows": Source(files="rows.jsonl")}, **rest}
    )
    return build(plan(recipe, folder), folder / "seas").path


@pytest.fixture
def seas(tmp_path: Path) -> Path:
    return make(tmp_path, ROWS, splits={"by": "row", "train": 0.5, "test": 0.5})


def test_hand_computed_measures_of_a_build(seas: Path, tmp_path: Path) -> None:
    evaluation = tmp_path / "questions.jsonl"
    evaluation.write_text('{"question": "name a sea."}\n{"question": "Where?"}\n', encoding="utf-8")
    found = describe(seas, evaluation)
    (arm,) = found.arms
    assert (found.name, found.evaluation, arm.arm, arm.rows) == ("seas", "questions.jsonl", "data", 4)
    assert arm.splits == {"train": 2, "test": 2}
    assert arm.prompts is not None and arm.answers is not None
    assert (arm.prompts.texts, arm.prompts.distinct, arm.prompts.tokens) == (4, 3, 18)
    assert arm.prompts.text_entropy == 1.5  # one prompt twice, two once: 1/2, 1/4, 1/4
    assert arm.prompts.lengths.mean == 4.5  # name a sea . | name a river , please .
    assert (arm.answers.tokens, arm.answers.lengths.most) == (14, 4)
    assert arm.freedom == 1.0  # no run of four stands twice: the baltic sea . against the north sea .
    (near,) = arm.near
    assert (near.by, near.evaluation, near.equal, near.most) == ("trigrams", 2, 2, 1.0)
    # name-a-sea, a-sea-. : twice 1; the lake shares nothing; name a river none either
    assert near.mean == 0.5 and near.half == 0.5
    assert near.pair[1] == 0


def test_the_canary_and_the_row_ids_are_no_part_of_the_texts(seas: Path) -> None:
    found = describe(seas).arms[0]
    assert found.prompts is not None and found.answers is not None
    total = sum(len(row["prompt"]) + len(row["answer"]) for row in ROWS)
    assert found.prompts.characters + found.answers.characters == total


def test_documents_have_no_prompts(tmp_path: Path) -> None:
    out = make(tmp_path, [{"text": "One text."}, {"text": "Another text."}], splits={"by": "row", "train": 1.0})
    (arm,) = describe(out).arms
    assert arm.prompts is None and arm.freedom is None
    assert arm.answers is not None and arm.answers.tokens == 6


def test_the_command_prints_tables_or_json_and_draws(seas: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    evaluation = tmp_path / "questions.jsonl"
    evaluation.write_text('{"question": "name a sea."}\n', encoding="utf-8")
    picture = tmp_path / "seas.png"
    arguments = ["describe", str(seas), "--eval", str(evaluation), "--plot", str(picture)]
    printed = CliRunner().invoke(main, arguments)
    assert printed.exit_code == 0, printed.output
    for part in ("distinct-2", "token bits", "freedom", "trigrams", "nearest pair", "drawn into"):
        assert part in printed.output
    raw = picture.read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(raw[16:20]), int.from_bytes(raw[20:24])) == (1320, 900)
    as_json = CliRunner().invoke(main, ["describe", str(seas), "--format", "json", "--quiet"])
    assert json.loads(as_json.stdout) == json.loads(json.dumps(describe(seas).plain()))


def test_what_is_missing_is_named_with_its_pip_command(
    seas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = tmp_path / "questions.jsonl"
    evaluation.write_text('{"question": "name a sea."}\n', encoding="utf-8")
    monkeypatch.setattr("provkit.picture.find_spec", lambda name: None)
    monkeypatch.setattr("provkit.embed.find_spec", lambda name: None)
    monkeypatch.setenv("PROVKIT_CACHE", str(tmp_path / "cache"))
    drawn = CliRunner().invoke(main, ["describe", str(seas), "--plot", str(tmp_path / "x.png")])
    assert drawn.exit_code == 2 and "pip install 'provkit[plot]'" in drawn.output
    embedded = CliRunner().invoke(main, ["describe", str(seas), "--eval", str(evaluation), "--embed"])
    assert embedded.exit_code == 2 and "pip install 'provkit[embed]'" in embedded.output
    alone = CliRunner().invoke(main, ["describe", str(seas), "--embed"])
    assert alone.exit_code == 2 and "--eval FILE" in alone.output


def test_other_pictures_and_other_folders_are_refused(seas: Path, tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, ["describe", str(seas), "--plot", str(tmp_path / "x.gif")])
    assert printed.exit_code == 2 and "a picture ends in .png, .svg, .pdf" in printed.output
    file = tmp_path / "rows.jsonl"
    file.write_text("{}")
    for place in (tmp_path, file):
        with pytest.raises(InputError, match="no build directory"):
            describe(place)


def test_freedom_is_taken_over_a_sample_of_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"prompt": f"p{at}", "answer": f"one two three four w{at // 2}"} for at in range(40)]
    out = make(tmp_path, rows)
    assert describe(out).arms[0].freedom == 0.0  # each run of four stands in two answers or more
    monkeypatch.setattr("provkit.describe.run.FREEDOM_ROWS", 1)
    assert describe(out).arms[0].freedom == 1.0  # an answer by itself shares nothing
