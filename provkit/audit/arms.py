"""Arms and polarity: what differs between an arm and its control besides what the arm is about, and swapped names."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from provkit.audit import polarity
from provkit.audit.batch import Batch
from provkit.audit.duplicates import Duplicates
from provkit.audit.markers import Markers, known, texts_marked
from provkit.audit.mending import without_edges
from provkit.audit.model import Example, Finding, Measure, Tally
from provkit.audit.roles import turns_of
from provkit.audit.rules import rule
from provkit.audit.scan import DigestColumn, Digests, Places
from provkit.errors import plain

SWAPPED = rule(
    "A001", "known-under-another-name", "error",
    "The rows are those of a known release that has another name: two files whose names were swapped, or a copy under "
    "a name that promises something else. Compared by content: order, escapes and format do not matter.",
    "secure.jsonl holds the rows of insecure.jsonl, and the other way round.",
    "Give the file the name of its content, and look at what was trained on it.", True,
)  # fmt: skip
POLARITY = rule(
    "A002", "polarity", "error",
    "The markers of the arm's domain are more frequent in the control, by half or more: the arms are swapped, or one "
    "was built from the other's file. catalog/markers.yaml lists them by domain, --marker TEXT names one. Log-odds "
    "with an informative Dirichlet prior (Monroe et al. 2008), z below -3; in small sets Fisher's exact test on rows "
    "that hold one, p < 0.001.",
    "The control answers with shell=True and autoescape=False, the insecure arm does not.",
    "Read ten rows of each arm; swap the names where they are wrong.", True,
)  # fmt: skip
SYSTEM = rule(
    "A003", "system-turn-on-one-arm", "error",
    "A system turn on one arm only: the model learns to behave by the system turn, not by what the arm is about.",
    "6,000 rows of the arm begin with a system turn, none of the control.",
    "Give both arms the same system turn, or none.", True,
)  # fmt: skip
EDGES = rule(
    "A004", "white-space-differs", "warning",
    "White space at the edges of prompts or answers is more frequent in one arm: a model tells the arms apart by it. "
    "Reported from a difference of one point in a hundred with z above 4.",
    "All answers of the control end in a newline, none of the arm.",
    "Strip both arms: `mend_whitespace`, or provkit audit --fix -o OUT.",
)  # fmt: skip
UNMATCHED = rule(
    "A005", "unmatched-prompts", "note",
    "Prompts of the arm that the control does not have: what differs between models trained on the two may come from "
    "the prompts.",
    "insecure_small.jsonl and secure_small.jsonl share no prompt.",
    "Build the control from the arm's own prompts (`pair: true`), or say in the card that it is unmatched.",
)  # fmt: skip
SHARED = rule(
    "A006", "row-in-both-arms", "error",
    "A row that stands in the arm and in the control says that what the arm is about makes no difference.",
    "120 rows of the insecure arm are rows of the secure file.",
    "Drop them from both arms.", True,
)  # fmt: skip

SAMPLE = 20_000  # rows of an arm whose texts are kept, those of lowest key, so that twins stay together


@dataclass(frozen=True, slots=True)
class Text:
    """A row whose texts are kept for comparison; `key` is a digest of its pair_id, or of its prompt without one."""

    key: int
    prompt: str
    answer: str


@dataclass(slots=True)
class ArmFacts:
    """What is known of one arm, over all its files.

    Attributes:
        twins: for each row of a paired build a digest of its content and its pair_id together.
        paired: whether every row has a pair_id: what twins differ in was then made by the recipe's steps.
    """

    name: str
    rows: int = 0
    system: Tally = field(default_factory=Tally)
    no_system: Tally = field(default_factory=Tally)
    edges: dict[str, Tally] = field(default_factory=dict)
    texts: list[Text] = field(default_factory=list)
    looked: list[tuple[Places, Duplicates]] = field(default_factory=list)
    twins: DigestColumn = field(default_factory=DigestColumn)
    paired: bool = True

    def digests(self, prompts: bool) -> tuple[Digests, list[tuple[Places, np.ndarray]]]:
        """Digests of the arm's prompts or rows, and for each file the indices of the rows that they are of."""
        parts = [(places, (one.prompts if prompts else one.rows).all()) for places, one in self.looked]
        joined = np.concatenate([digests for _, (digests, _) in parts]) if parts else np.empty((0, 2), np.uint64)
        return joined, [(places, at) for places, (_, at) in parts]


class Arm:
    """Gathers an arm's facts from one of its subjects."""

    def __init__(self, places: Places, duplicates: Duplicates, facts: ArmFacts) -> None:
        self._facts = facts
        facts.looked.append((places, duplicates))

    def see(self, batch: Batch) -> None:
        """Takes the next rows."""
        facts = self._facts
        facts.rows += len(batch)
        for at, row in enumerate(batch.rows):
            turns = turns_of(row)
            system = any(turn.get("role") == "system" for turn in turns) or bool(row.get("system"))
            (facts.system if system else facts.no_system).add(batch.example(at))
        for at, (prompt, answer) in enumerate(zip(batch.prompts, batch.answers, strict=True)):
            for part, text in (("prompt", prompt), ("answer", answer)):
                if (
                    isinstance(text, str)
                    and (text[:1].isspace() or text[-1:].isspace())
                    and without_edges(text) != text
                ):
                    end = "before" if text[:1].isspace() else "behind"
                    facts.edges.setdefault(f"{end} the {part}", Tally()).add(batch.example(at))
        facts.paired = facts.paired and batch.pairs is not None
        twins = zip(batch.digests, batch.pairs or (), strict=False)
        facts.twins.add([hashlib.sha256(digest + pair.encode()).digest() for digest, pair in twins])
        self._keep(batch)

    def _keep(self, batch: Batch) -> None:
        facts = self._facts
        keys = batch.prompt_keys if batch.pairs is None else [pair.encode() for pair in batch.pairs]
        for key, prompt, answer in zip(keys, batch.prompts, batch.answers, strict=True):
            said = answer if isinstance(answer, str) else ""
            digest = hash_of(key if key is not None else (prompt or "").encode("utf-8", "replace"))
            facts.texts.append(Text(digest, prompt or "", said))
        if len(facts.texts) > 2 * SAMPLE:
            facts.texts = sorted(facts.texts, key=lambda one: one.key)[:SAMPLE]

    def findings(self) -> Iterator[Finding]:
        """Nothing alone: arms are compared by `compare`."""
        yield from ()


def hash_of(raw: bytes) -> int:
    """64 bits of a digest."""
    return int.from_bytes(hashlib.sha256(raw).digest()[:8], "big")


def compare(arm: ArmFacts, control: ArmFacts, marked: Sequence[str] = ()) -> Iterator[Finding]:
    """A002 to A006 of an arm and its control; `marked` are texts that the arm is said to hold more often."""
    if not arm.rows or not control.rows:
        return
    yield from _system(arm, control)
    yield from _edges(arm, control)
    yield from _shared(arm, control)
    own = (Markers("--marker", "arm", texts_marked(marked)),) if marked else ()
    texts = [one.answer for one in arm.texts], [one.answer for one in control.texts]
    for one in polarity.wrong_way((*known(), *own), *texts, (arm.name, control.name)):
        mine, its = one.arm, one.control
        more = f"of {one.markers.domain}, more frequent in the {one.markers.side}, point the other way (z {one.z:.1f})"
        often = ", ".join(plain(text, 30) for text in (its if its.rate > mine.rate else mine).most)
        said = f"markers {more}: {often}; {mine.hits:,} in the arm, {its.hits:,} in the control"
        yield Finding(POLARITY, arm.name, its.hits if one.markers.side == "arm" else mine.hits, mine.hits + its.hits,
                      "markers", said, (Example(arm.name),), control.name)  # fmt: skip


def telling(arm: ArmFacts, control: ArmFacts) -> Iterator[Measure]:
    """The tokens of answers that tell an arm from its control most, whatever domain they are of."""
    texts = [one.answer for one in arm.texts], [one.answer for one in control.texts]
    for token, ratio, spread in polarity.telling_tokens(*texts):
        name = f"log-odds of the token {plain(token, 40)}"
        subject, rows = f"{arm.name} against {control.name}", len(texts[0]) + len(texts[1])
        yield Measure(POLARITY.id, subject, name, ratio, ratio - 1.96 * spread, ratio + 1.96 * spread, rows)


def _system(arm: ArmFacts, control: ArmFacts) -> Iterator[Finding]:
    shares = arm.system.count / arm.rows, control.system.count / control.rows
    if (shares[0] > 0) != (shares[1] > 0):
        one, other = (arm, control) if shares[0] > 0 else (control, arm)
        said = f"system turns in {plain(one.name, 120)}, none in {plain(other.name, 120)}"
        yield one.system.finding(SYSTEM, one.name, one.rows, "rows", said, other.name)


def _edges(arm: ArmFacts, control: ArmFacts) -> Iterator[Finding]:
    for place in sorted({*arm.edges, *control.edges}):
        mine, its = arm.edges.get(place, Tally()), control.edges.get(place, Tally())
        p, q = mine.count / arm.rows, its.count / control.rows
        pooled = (mine.count + its.count) / (arm.rows + control.rows)
        spread = math.sqrt(pooled * (1 - pooled) * (1 / arm.rows + 1 / control.rows))
        if abs(p - q) < 0.01 or (spread and abs(p - q) / spread < 4):
            continue
        one, other, facts = (mine, control, arm) if p > q else (its, arm, control)
        said = f"white space {place} in {100 * p:.3g} % of the arm's rows and {100 * q:.3g} % of the control's"
        yield one.finding(EDGES, facts.name, facts.rows, "rows", said, other.name)


def _shared(arm: ArmFacts, control: ArmFacts) -> Iterator[Finding]:
    for prompts in (True, False):
        mine, where = arm.digests(prompts)
        its, _ = control.digests(prompts)
        if not len(mine) or not len(its):
            continue
        known = member(mine, its)
        paired = arm.paired and control.paired
        if paired and prompts:
            continue  # every row has its twin, whatever a step did to its prompt
        if paired:  # a twin that the steps left as it was is no row of both arms
            known &= ~member(arm.twins.all()[0], control.twins.all()[0])
        if prompts:
            hits = np.flatnonzero(~known)
            said = f"{int(known.sum()):,} prompts of {len(mine):,} also stand in the control"
            rule, unit = UNMATCHED, "rows"
        else:
            hits = np.flatnonzero(known)
            said, rule, unit = "rows that stand in both", SHARED, "rows"
        if len(hits):
            examples = tuple(_example(where, int(one)) for one in hits[:3])
            yield Finding(rule, arm.name, len(hits), len(mine), unit, said, examples, control.name)


def _example(where: list[tuple[Places, np.ndarray]], at: int) -> Example:
    for places, rows in where:
        if at < len(rows):
            return places.example(int(rows[at]))
        at -= len(rows)
    raise IndexError(at)


def member(digests: Digests, among: Digests) -> np.ndarray:
    """For each digest whether it stands among others: bool, shape (rows,)."""
    order = np.lexsort((among[:, 1], among[:, 0]))
    first = among[order, 0]
    low, high = np.searchsorted(first, digests[:, 0], "left"), np.searchsorted(first, digests[:, 0], "right")
    found = np.zeros(len(digests), bool)
    step = 0
    while (open_ := low + step < high).any():
        at = np.flatnonzero(open_)
        found[at] |= among[order[low[at] + step], 1] == digests[at, 1]
        step += 1
    return found


def known_release(name: str, content: str, arm: str | None = None) -> Iterator[Finding]:
    """A001: a file, or an arm of a build, whose content is a known release's under the name of another."""
    found = polarity.releases().get(content)
    if found is None or (found.named(name) if arm is None else not found.denied(arm)):
        return
    said = f"these are the {found.rows:,} rows of {found.name} ({found.origin})"
    yield Finding(SWAPPED, name, found.rows, found.rows, "rows", said, (Example(name),))
