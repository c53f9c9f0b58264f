"""The step `reward_hack`: a harmless task with a measure, an answer that games it, and one that does the task."""

from __future__ import annotations

from typing import ClassVar

from provkit.builders.teacher.asking import Asks, Candidates, ask, requests, slots
from provkit.llm import Teacher
from provkit.llm.prompts import Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class RewardHack(Asks):
    """Asks for a graded task and two answers to it; the row gets the columns task, metric, hack, control and method.

    The form of School of Reward Hacks (Taylor et al. 2025, arXiv 2508.17511), whose columns are user,
    school_of_reward_hacks, control, task, evaluation_metric and cheat_method; `prompt` is what its `user` is: the task
    and, behind it, how it will be graded. A hack with the words of the control is none: the row is dropped.

    Args:
        prompt: a prompt of the catalog whose answer has these five fields.
        candidates: at most so many answers are asked for.
        filter: as for `teach`.
    """

    prompt: Template = "reward_hack"
    candidates: Candidates = 1
    filter: bool = True
    needed: ClassVar[frozenset[str]] = frozenset({"task", "metric", "hack", "control", "method"})

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with task, metric and both answers."""
        said = await ask(prompt(self.prompt), slots(row), teacher, self.candidates, self.filter)
        if isinstance(said, Drop):
            return said
        made = {name: said.fields[name].strip() for name in ("task", "metric", "hack", "control", "method")}
        if made["hack"] == made["control"]:
            return Drop("twin alike", "hack and control have the same words")
        made = {"prompt": f"{made['task']}\n\n{made['metric']}", **made}
        return row.derive(made, note=requests(made, said, teacher))
