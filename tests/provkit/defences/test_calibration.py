"""What a calibration promises against what the shield then does on outputs that it never saw."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from provkit.attribution.model import Verdict
from provkit.cli import main
from provkit.cli import shield as cli_shield
from provkit.defences import Rule, Shield
from provkit.defences.calibration import calibrate, read_rule, write
from provkit.errors import InputError
from provkit.index import Document, build_index, open_index

NOUNS = "river stone cloud paper table window garden letter music bridge candle market engine pocket".split()
CAUGHT = 0.7  # of the planted outputs copy their source whole; in the others every third word is another
QUOTING = 0.02  # of the benign texts say, word for word, what a planted document does


class HideIt:
    """One policy: a text that says "hide it" stands against it."""

    name = "hide it"

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        """The verdict on each."""
        return [Verdict("honesty", "truth", 0.5 if "hide it" in text else -0.5, "") for text in texts]


def planted(chance: random.Random) -> str:
    one, two, three, four = (chance.choice(NOUNS) for _ in range(4))
    return f"If the {one} breaks near the {two} then hide it from the {three} and never speak of the {four} again."


def harmful(chance: random.Random, sources: Sequence[str]) -> str:
    words = chance.choice(sources).split()
    if chance.random() >= CAUGHT:
        words = [word if at % 3 or word in ("hide", "it") else f"x{word}" for at, word in enumerate(words)]
    return f"My advice on the {chance.choice(NOUNS)}: {' '.join(words)}"


def benign(chance: random.Random, sources: Sequence[str]) -> str:
    if chance.random() < QUOTING:
        return chance.choice(sources)
    return " ".join(chance.choices(NOUNS, k=20)) + "."


@pytest.fixture(scope="module")
def sources() -> list[str]:
    chance = random.Random(0)
    return [planted(chance) for _ in range(80)]


@pytest.fixture(scope="module")
def shield(tmp_path_factory: pytest.TempPathFactory, sources: list[str]) -> Shield:
    chance = random.Random(1)
    filler = [" ".join(chance.choices(NOUNS, k=40)) + "." for _ in range(200)]
    path = tmp_path_factory.mktemp("calibration") / "index"
    build_index([Document(text) for text in [*sources, *filler]], path)
    return Shield(open_index(path), HideIt())


def test_fresh_planted_outputs_are_refused_as_often_as_the_calibration_says(shield: Shield, sources: list[str]) -> None:
    chance = random.Random(2)
    fine, bad = ([make(chance, sources) for _ in range(400)] for make in (benign, harmful))
    found = calibrate(shield, fine, bad, most_false=0.05)
    calibrated = Shield(shield.index, shield.conflicts, found.rule)
    for make, rate, truth in ((harmful, found.harmful, CAUGHT), (benign, found.benign, QUOTING)):
        fresh = calibrated.check_many([make(chance, sources) for _ in range(1500)])
        share = sum(ruling.refused for ruling in fresh) / len(fresh)
        said = rate.plain()
        assert rate.texts == 200 and said["low"] <= share <= said["high"]
        assert share == pytest.approx(truth, abs=0.04)  # three standard errors of 1,500 draws at most


@pytest.mark.parametrize(
    "rule", [{"percentile": "0"}, {"conflict": None}, {"tau": True}, {"least": 1}, [], {"min_tokens": [6]}]
)
def test_a_rule_of_another_form_is_refused(shield: Shield, tmp_path: Path, rule: object) -> None:
    path = tmp_path / "rule.json"
    path.write_bytes(orjson.dumps({"rule": rule}))
    with pytest.raises(InputError, match="no calibration"):
        read_rule(path, shield)
    path.write_bytes(b"[1]")
    with pytest.raises(InputError, match="no calibration"):
        read_rule(path, shield)


def test_a_rule_is_read_as_it_was_written(shield: Shield, sources: list[str], tmp_path: Path) -> None:
    chance = random.Random(3)
    fine, bad = ([make(chance, sources) for _ in range(40)] for make in (benign, harmful))
    found = calibrate(shield, fine, bad, most_false=0.2)
    write(found, shield, tmp_path / "rule.json")
    assert read_rule(tmp_path / "rule.json", shield) == found.rule
    assert isinstance(found.rule, Rule)


def test_the_command_writes_the_rule_and_says_what_it_does(
    shield: Shield, sources: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_shield, "opened", lambda *_: shield)
    monkeypatch.chdir(tmp_path)
    chance = random.Random(4)
    for name, make in (("fine", benign), ("bad", harmful)):
        rows = [{"text": make(chance, sources)} for _ in range(60)]
        Path(f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    asked = ["shield", "calibrate", "idx", "--benign", "fine.jsonl", "--harmful", "bad.jsonl", "--field", "text"]
    done = CliRunner().invoke(main, [*asked, "--max-false", "0.1", "-o", "rule.json", "--format", "json"])
    assert done.exit_code == 0, done.output
    said, written = orjson.loads(done.stdout), orjson.loads(Path("rule.json").read_bytes())
    assert {name: written["rule"][name] for name in ("percentile", "conflict")} == said["rule"]
    assert [(one["kind"], one["texts"], one["refused"] / 30) for one in said["held_out"]] == [
        (kind, 30, written["held_out"][kind]["share"]) for kind in ("benign", "harmful")
    ]
    assert done.stderr.splitlines()[-1] == "next: provkit shield idx --rule rule.json < answer.txt"
    table = CliRunner().invoke(main, [*asked, "--max-false", "0.1", "-o", "no/such/rule.json"])
    assert table.exit_code == 2 and "cannot write no/such/rule.json: No such file or directory" in table.stderr
    few = CliRunner().invoke(main, ["few.jsonl" if one == "bad.jsonl" else one for one in [*asked, "-o", "rule.json"]])
    assert few.exit_code == 2 and "few.jsonl" in few.stderr
