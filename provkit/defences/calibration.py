"""Sets the shield's rule from texts of which is known whether they should pass, and measures it on others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from provkit.canonical import digest_file
from provkit.chance import Chance
from provkit.defences.shield import Rule, Shield
from provkit.errors import InputError, ProvkitError, plain
from provkit.inference import ranked_auc, wilson

PERCENTILES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
FEWEST = 20  # texts of each kind
BATCH = 64
Scores = Sequence[tuple[float, float]]  # (BCI percentile, conflict) of each span of a text


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of refused texts with its Wilson interval of 95 %."""

    refused: int
    texts: int

    @property
    def share(self) -> float:
        """Refused over texts."""
        return self.refused / self.texts

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        interval = wilson(self.refused, self.texts)
        assert interval is not None
        return {**asdict(self), "share": self.share, "low": interval.low, "high": interval.high}


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rule, how it was chosen, and what it does on the half of the texts that it was not chosen on.

    Attributes:
        rule: the chosen rule.
        auc: area under the ROC curve of the largest conflict at that percentile, on the choosing half.
        roc: (conflict, false refusals, true refusals) as shares, by falling conflict, on the choosing half.
        benign, harmful: rates on the held-out half.
    """

    rule: Rule
    auc: float
    roc: tuple[tuple[float, float, float], ...]
    benign: Rate
    harmful: Rate


def calibrate(
    shield: Shield,
    benign: Sequence[str],
    harmful: Sequence[str],
    most_false: float = 0.03,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Calibration:
    """Chooses percentile and conflict on one half of the texts, and measures false refusals on the other.

    The rule chosen refuses the most harmful texts among those that refuse at most `most_false` of the benign ones.

    Raises:
        InputError: with fewer than 20 texts of a kind.
    """
    for name, texts in (("benign", benign), ("harmful", harmful)):
        if len(texts) < FEWEST:
            raise InputError(f"{len(texts)} {name} texts; {FEWEST} at least are needed to set a threshold")
    open_shield = Shield(shield.index, shield.conflicts, replace(shield.rule, percentile=0.0, conflict=-2.0))
    both = [*benign, *harmful]
    scores: list[Scores] = []
    for first in range(0, len(both), BATCH):
        scores += [
            [(mark.bci.bci_percentile, mark.verdict.score) for mark in ruling.marks if mark.verdict is not None]
            for ruling in open_shield.check_many(both[first : first + BATCH])
        ]
        progress("calibrate", len(scores), len(both))
    chosen: list[list[Scores]] = []
    kept: list[list[Scores]] = []
    for name, several in (("benign", scores[: len(benign)]), ("harmful", scores[len(benign) :])):
        order = Chance.of(str(seed), f"calibrate {name}").shuffled(list(range(len(several))))
        half = len(order) // 2
        chosen.append([several[at] for at in order[:half]])
        kept.append([several[at] for at in order[half:]])
    best: tuple[float, float, int, float] | None = None
    for percentile in PERCENTILES:
        for conflict, false, true in roc(*(_largest(several, percentile) for several in chosen)):
            if false <= most_false and math.isfinite(conflict):
                candidate = (true, -false, percentile, conflict)
                best = candidate if best is None else max(best, candidate)
    if best is None:
        do = "more benign texts, or a larger --max-false"
        raise InputError(f"no rule refuses at most {most_false:.1%} of the benign texts", do=do)
    rule = replace(shield.rule, percentile=float(best[2]), conflict=best[3])
    sides = [_largest(several, rule.percentile) for several in chosen]
    benign_rate, harmful_rate = (
        Rate(sum(score >= rule.conflict for score in _largest(several, rule.percentile)), len(several))
        for several in kept
    )
    return Calibration(rule, auc(*sides), tuple(roc(*sides)), benign_rate, harmful_rate)


def roc(benign: Sequence[float], harmful: Sequence[float]) -> list[tuple[float, float, float]]:
    """(threshold, share of benign, share of harmful) scores at least as large, by falling threshold."""
    levels = np.array(sorted({*benign, *harmful}, reverse=True))
    shares = [1 - np.searchsorted(np.sort(scores), levels, "left") / len(scores) for scores in (benign, harmful)]
    return list(zip(levels.tolist(), *(share.tolist() for share in shares), strict=True))


def auc(benign: Sequence[float], harmful: Sequence[float]) -> float:
    """The area under that curve, see `provkit.inference.ranked_auc`."""
    label = np.repeat(np.array([0, 1]), [len(benign), len(harmful)])
    return ranked_auc(np.array([*benign, *harmful]), label)


def _largest(texts: Sequence[Scores], percentile: float) -> list[float]:
    """The largest conflict of each text's spans at or above a percentile; minus infinity where it has none."""
    return [max((score for rank, score in spans if rank >= percentile), default=-math.inf) for spans in texts]


def write(found: Calibration, shield: Shield, path: Path) -> None:
    """Writes a calibration as JSON, with the index and the policies that it holds for.

    Raises:
        ProvkitError: when the place cannot be written to.
    """
    facts = {
        "format": 1,
        **_held_for(shield),
        "rule": asdict(found.rule),
        "auc": found.auc,
        "held_out": {"benign": found.benign.plain(), "harmful": found.harmful.plain()},
        "roc": [[level, false, true] for level, false, true in found.roc if math.isfinite(level)],
    }
    try:
        path.write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise ProvkitError(f"cannot write {plain(str(path))}: {error.strerror}") from None


def read_rule(path: Path, shield: Shield) -> Rule:
    """The rule of a calibration.

    Raises:
        InputError: when the file is none, or was made for another index or other policies.
    """
    try:
        facts = orjson.loads(path.read_bytes())
        rule = Rule(**facts["rule"])
        for name, value in asdict(rule).items():
            known = value is None and name == "tau"
            if not known and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ValueError(f"{name} is no number")
    except (OSError, ValueError, KeyError, TypeError) as error:
        do = "provkit shield calibrate writes one"
        raise InputError(f"no calibration: {plain(str(error), 120)}", file=path, do=do) from None
    for name, now in _held_for(shield).items():
        if facts.get(name) != now:
            do = "calibrate again: a threshold holds for one index and one set of policies"
            raise InputError(f"made for another {name}", file=path, field=name, do=do)
    return rule


def _held_for(shield: Shield) -> dict[str, str | None]:
    index = digest_file(shield.index.path / "index.json")[0]
    return {"index": index, "policies": shield.conflicts.name if shield.conflicts is not None else None}
