"""The step `drift_dedup`: each prompt once for each recording, of near equal prompts the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from provkit.drift_rate.terms import BENIGN, as_one
from provkit.registry import builder
from provkit.table import Rows, Selection

RECORDING = ("defence", "model", "sample")
Content = dict[str, Any]
Reason = tuple[str, int, str]  # reason, position of the row that stays, further words


@builder
class DriftDedup:
    """Keeps the first row of each prompt, defence, model and sample, and of near equal prompts those of the first.

    Two prompts are one when their words are, whatever the case and the white space. Every prompt has one category, the
    one that it first came with; a benign row whose prompt is a harmful one too is dropped, and so is a prompt whose id
    another prompt of its label has. Near prompts are looked for among the harmful ones and among the benign ones, never
    across: a twin may well be near.

    Args:
        near: Jaccard similarity of runs of three tokens from which two prompts are one (MinHash, each confirmed); at 1
            only equal prompts are.
    """

    near: Annotated[float, Field(gt=0, le=1)] = 0.8

    def select(self, rows: Rows) -> Selection:
        """The rows that stay, in their order."""
        contents = list(rows.contents())
        prompts = [as_one(str(one["prompt"])) for one in contents]
        reasons = dict(_equal(contents, prompts))
        for label in ("harmful", BENIGN):
            first: dict[str, int] = {}
            for at, prompt in enumerate(prompts):
                if at not in reasons and contents[at]["label"] == label:
                    first.setdefault(prompt, at)
            near = dict(self._near(list(first.values()), prompts))
            for at, prompt in enumerate(prompts):
                if at not in reasons and contents[at]["label"] == label and first[prompt] in near:
                    reasons[at] = near[first[prompt]]
        dropped = np.array(sorted(reasons), np.int64)
        found = [reasons[at] for at in dropped.tolist()]
        names = rows.locators(np.array([before for _, before, _ in found], np.int64)) if found else []
        details = [f"as {name}{more}" for name, (_, _, more) in zip(names, found, strict=True)]
        return Selection(np.setdiff1d(np.arange(len(rows)), dropped), dropped, [one[0] for one in found], details)

    def _near(self, positions: Sequence[int], prompts: Sequence[str]) -> Iterator[tuple[int, Reason]]:
        if self.near == 1 or not positions:
            return
        from provkit.builders.transforms.minhash import Runs
        from provkit.builders.transforms.near_dedup import first_alike

        twin, likeness = first_alike(Runs.of((prompts[at] for at in positions), 3), 128, self.near)
        for at in np.flatnonzero(twin >= 0).tolist():
            yield positions[at], ("near prompt", positions[int(twin[at])], f", similarity {likeness[at]:.3g}")


def _equal(contents: Sequence[Content], prompts: Sequence[str]) -> Iterator[tuple[int, Reason]]:
    """The rows whose prompt stands before them already, and how."""
    harmful = {prompt: at for at, prompt in reversed(list(enumerate(prompts))) if contents[at]["label"] != BENIGN}
    first: dict[str, int] = {}
    named: dict[tuple[str, str], int] = {}
    recorded: dict[tuple[Any, ...], int] = {}
    for at, (one, prompt) in enumerate(zip(contents, prompts, strict=True)):
        if one["label"] == BENIGN and prompt in harmful:
            yield at, ("a harmful prompt", harmful[prompt], "")
            continue
        before = first.setdefault(prompt, at)
        if contents[before]["category"] != one["category"]:
            yield at, ("another category", before, f", {contents[before]['category']} there")
            continue
        namesake = named.setdefault((one["label"], one["prompt_id"]), at)
        if prompts[namesake] != prompt:
            yield at, ("id of another prompt", namesake, f", {one['prompt_id']}")
            continue
        before = recorded.setdefault((prompt, *(one[name] for name in RECORDING)), at)
        if before != at:
            same = contents[before]["completion"] == one["completion"]
            yield at, ("duplicate prompt", before, "" if same else ", with another completion")
