"""The step `drift_pair`: a benign twin for each harmful prompt, given with it or taken from the benign rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from provkit.builders.drift.nearest import Pool
from provkit.drift_rate.terms import BENIGN, as_one, prompt_id
from provkit.errors import InputError
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows

RECORDING = ("defence", "model", "sample")
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """The benign twin of a prompt.

    Attributes:
        by: given (with the prompt, or by one `pair`), or nearest.
        prompt: its text.
        rows: positions of the rows that record it; none where it stands beside the harmful prompt alone.
        similarity: of the words, where it was taken as the nearest.
    """

    by: Literal["given", "nearest"]
    prompt: str
    rows: tuple[int, ...] = ()
    similarity: float | None = None

    def recorded(self, row: Content, contents: Sequence[Content]) -> int | None:
        """The row of the twin under the same defence, model and sample; else the one that states none of them."""
        wanted = tuple(row[name] for name in RECORDING)
        by_recording = {tuple(contents[at][name] for name in RECORDING): at for at in reversed(self.rows)}
        return by_recording.get(wanted, by_recording.get((None,) * len(RECORDING)))


@builder
class DriftPair:
    """Puts a benign twin beside each harmful prompt; a prompt that has none is dropped.

    A twin is, in this order: the text in the column `twin`; the benign row of the same `pair`; of the benign rows that
    are left, the one of most words in common whose length is within the tolerance, each given away once. All are the
    caller's: none is written here. A prompt has one twin, however many completions of it were recorded; beside each
    stands what was recorded of the twin under the same defence, model and sample, where there is such a row.

    Args:
        tolerance: by what share of the longer prompt the lengths (characters) of a nearest twin may differ.
    """

    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.25

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """A harmful row gets its twin; the benign rows are joined to it, or dropped.

        Raises:
            InputError: when there is neither a benign row nor a twin with any prompt.
        """
        contents = list(rows.contents())
        if contents and not any(one["label"] == BENIGN or _twin(one) for one in contents):
            do = "give benign rows too (category benign), or a column `twin` with a benign prompt for each"
            raise InputError("no benign prompt to pair with: no row has the category benign, or a twin", do=do)
        harmful, benign = (_by_prompt(contents, label) for label in ("harmful", BENIGN))
        twins, reasons = self._twins(contents, harmful, benign)
        beside: dict[int, int | None] = {}
        users: dict[int, int] = {}  # by position of a benign row: a harmful row that it is the twin of
        parents: dict[int, int | None] = {}
        for prompt, twin in twins.items():
            for at in harmful[prompt]:
                beside[at] = found = twin.recorded(contents[at], contents)
                parents[at] = found if found is not None else next(iter(twin.rows), None)
                for one in twin.rows:
                    users.setdefault(one, at)
        names = dict(zip(users, rows.locators(np.array(list(users.values()), np.int64)), strict=True)) if users else {}
        joined = {*parents.values()}

        def act(row: Row) -> Row | Drop:
            at, prompt = row.at, as_one(row["prompt"])
            if row["label"] == BENIGN:
                if at in users:
                    return Drop("joined" if at in joined else "no recording beside it", f"twin of {names[at]}")
                return Drop("not taken", "no harmful prompt of like length was left for it")
            if prompt in reasons:
                return Drop(*reasons[prompt])
            return _joined(row, twins[prompt], beside[at], parents[at], contents)

        return act

    def _twins(
        self, contents: Sequence[Content], harmful: dict[str, list[int]], benign: dict[str, list[int]]
    ) -> tuple[dict[str, Twin], dict[str, tuple[str, str]]]:
        """The twin of each harmful prompt, and why the others have none."""
        twins: dict[str, Twin] = {}
        reasons: dict[str, tuple[str, str]] = {}
        used: set[str] = set()
        by_pair = {contents[at]["pair"]: prompt for prompt, rows in reversed(benign.items()) for at in rows}
        for prompt, rows in harmful.items():
            text = next((twin for at in rows if (twin := _twin(contents[at]))), None)
            if text is None:
                keys = [contents[at]["pair"] for at in rows if contents[at]["pair"] is not None]
                own = next((by_pair[key] for key in keys if key in by_pair), None)
                text = None if own is None else contents[benign[own][0]]["prompt"]
            if text is None:
                continue
            if as_one(text) in harmful:
                reasons[prompt] = ("twin not benign", "its twin is a harmful prompt of the set")
            elif as_one(text) in used:
                reasons[prompt] = ("twin taken", "another prompt has the same twin")
            else:
                used.add(as_one(text))
                twins[prompt] = Twin("given", text, tuple(benign.get(as_one(text), ())))
        alone = [prompt for prompt in harmful if prompt not in twins and prompt not in reasons]
        left = [prompt for prompt in benign if prompt not in used]
        near = Pool(left, self.tolerance).give(alone)
        for at, prompt in enumerate(alone):
            if at in near:
                rows = benign[left[near[at].at]]
                twins[prompt] = Twin("nearest", contents[rows[0]]["prompt"], tuple(rows), near[at].similarity)
            else:
                said = f"no benign prompt is left within {self.tolerance:.0%} of {len(prompt):,} characters"
                reasons[prompt] = ("no twin", said)
        return twins, reasons


def _joined(row: Row, twin: Twin, beside: int | None, parent: int | None, contents: Sequence[Content]) -> Row:
    """A harmful row with its twin: what was recorded of it in the row `beside`, or what the row itself says of it."""
    at_hand = None if beside is None else contents[beside]
    own = _twin(dict(row)) is not None
    said = {
        "twin": twin.prompt,
        "twin_id": contents[parent]["prompt_id"] if parent is not None else prompt_id(twin.prompt),
        "twin_completion": at_hand["completion"] if at_hand is not None else row["twin_completion"] if own else None,
        "twin_verdict": at_hand["verdict"] if at_hand is not None else row["twin_verdict"] if own else None,
        "twin_by": twin.by,
    }
    note: dict[str, Any] = {"twin": twin.by, "characters": [len(row["prompt"]), len(twin.prompt)]}
    if twin.similarity is not None:
        note["similarity"] = round(twin.similarity, 4)
    return row.derive(said, note=note, also=() if parent is None else (parent,))


def _by_prompt(contents: Sequence[Content], label: str) -> dict[str, list[int]]:
    """Positions of the rows of each prompt of a label."""
    found: dict[str, list[int]] = {}
    for at, one in enumerate(contents):
        if one["label"] == label:
            found.setdefault(as_one(one["prompt"]), []).append(at)
    return found


def _twin(one: Content) -> str | None:
    """The twin that a row brings."""
    text = one.get("twin")
    return text if isinstance(text, str) and text.strip() else None
