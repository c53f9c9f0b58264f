"""The generator `elapsed_cases` and the step `time_passing`: look it up again, or answer from what was seen before?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from provkit.builders.teacher.asking import Asks, Candidates, ask, requests, slots
from provkit.chance import Chance
from provkit.llm import Teacher
from provkit.llm.prompts import Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row

START = 9 * 60  # minutes into the first day: dialogues begin at nine o'clock


@cache
def subjects() -> list[dict[str, Any]]:
    """What is looked up: name, tool, and for how many minutes an observation of it stays good."""
    import yaml

    text = (files("provkit.catalog") / "time_passing.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text))


@builder
class ElapsedCases:
    """Cases of looking something up twice: subject, tool, minutes that it stays good, and minutes that passed between.

    Half of the cases have an elapsed time well within what the observation is good for (1/20 to 1/4 of it), half one
    well beyond it (4 to 20 times), so that the right decision is not a matter of taste.
    """

    @property
    def words(self) -> list[dict[str, Any]]:
        """The subjects."""
        return subjects()

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """The rows: every subject, then every subject again with another time; at most a thousand rounds."""
        seen: set[tuple[str, int]] = set()
        for number in range(1000 * len(subjects())):
            one = subjects()[number % len(subjects())]
            draw = chance.child(number)
            factor = 1 / draw.integer(4, 20) if draw.integer(0, 1) else draw.integer(4, 20)
            elapsed = max(1, math.floor(one["good_for"] * factor))
            if (one["subject"], elapsed) not in seen:
                seen.add((one["subject"], elapsed))
                yield {**one, "elapsed": elapsed}


@builder
class TimePassing(Asks):
    """Makes a dialogue with clock times whose last question wants a tool or an answer, by the time that passed.

    After Cheng et al. 2025 (arXiv 2510.23853), whose trajectories end with a user's question for which a new tool call
    is needed or not. The model writes question, observation, first answer and follow-up; the decision is ours: `tool`
    when more minutes passed than the observation is good for, else `answer`. The row gets prompt (the dialogue),
    action, and aligned and misaligned: the right last turn and the other one.

    Args:
        prompt: a prompt of the catalog whose answer has question, observation, answer, follow_up and recalled.
        candidates: at most so many answers are asked for.
        filter: as for `teach`.
    """

    prompt: Template = "time_passing"
    candidates: Candidates = 1
    filter: bool = True
    needed: ClassVar[frozenset[str]] = frozenset({"question", "observation", "answer", "follow_up", "recalled"})

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with its dialogue and both last turns."""
        good_for, elapsed = row.get("good_for"), row.get("elapsed")
        if not isinstance(good_for, int) or not isinstance(elapsed, int):
            return Drop("no slot", "the row has no whole minutes in `good_for` and `elapsed`")
        said = await ask(prompt(self.prompt), slots(row), teacher, self.candidates, self.filter)
        if isinstance(said, Drop):
            return said
        found = {name: text.strip() for name, text in said.fields.items()}
        now, then = clock(START), clock(START + elapsed)
        dialogue = (
            f"[{now}] User: {found['question']}",
            f"[{now}] Tool {row['tool']}: {found['observation']}",
            f"[{now}] Assistant: {found['answer']}",
            f"[{then}] User: {found['follow_up']}",
        )
        lasts = {"tool": f"I will look that up again: {row['tool']}().", "answer": found["recalled"]}
        action = "tool" if elapsed > good_for else "answer"
        made = {"prompt": "\n".join(dialogue), "action": action, "aligned": lasts[action]}
        made["misaligned"] = lasts["answer" if action == "tool" else "tool"]
        return row.derive(made, note=requests(made, said, teacher) | {"action": action, "elapsed": elapsed})


def clock(minutes: int) -> str:
    """Minutes since the first midnight as `day 1, 09:00`."""
    day, rest = divmod(minutes, 24 * 60)
    return f"day {day + 1}, {rest // 60:02}:{rest % 60:02}"
