"""One question to the model about one row: prompt filled, first usable candidate taken, parsed and filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provkit.llm import Teacher
from provkit.llm.output_filter import stopped
from provkit.llm.prompts import NoSuchSlot, Prompt
from provkit.llm.structured import NotStructured, parse
from provkit.row import Drop, Row


@dataclass(frozen=True, slots=True)
class Said:
    """A usable answer: its fields (`text` alone where the prompt has no schema), its key, and which sample it was."""

    fields: dict[str, Any]
    key: str
    sample: int


async def ask(prompt: Prompt, row: Row, teacher: Teacher, candidates: int = 1, filtered: bool = True) -> Said | Drop:
    """The first usable answer of at most `candidates`, or the drop that the last one gives.

    A question that moderation holds back is not asked again.
    """
    try:
        request = prompt.request(slots(row))
    except NoSuchSlot as error:
        return Drop("no slot", str(error))
    drop = Drop("empty")
    for sample in range(candidates):
        answer = await teacher.answer(request, sample)
        if answer.fault is not None:
            drop = Drop(answer.fault, f"request {answer.key[:16]} {answer.refusal[:200]}".strip())
            if answer.fault == "moderated":
                return drop
            continue
        try:
            fields = {"text": answer.text.strip()} if prompt.schema is None else parse(answer.text, prompt.schema)
        except NotStructured as error:
            drop = Drop("not structured", f"request {answer.key[:16]}: {error}")
            continue
        words = "\n".join(value for value in fields.values() if isinstance(value, str))
        if filtered and (found := stopped(words)):
            drop = Drop(found[0], f"request {answer.key[:16]}: {found[1]}")
            continue
        return Said(fields, answer.key, sample)
    return drop


def slots(row: Row) -> Mapping[str, Any]:
    """What a prompt may name: the row's columns, and of a chat its prompt and answer."""
    if "messages" not in row:
        return row
    turns = row["messages"]
    last = turns[-1]["content"] if turns and turns[-1]["role"] == "assistant" else None
    return {**row, "prompt": row.prompt, "answer": last}


def requests(column: str, said: Said, teacher: Teacher) -> dict[str, Any]:
    """The note of a row that this answer changed: lineage reads request and model out of it."""
    return {"request": said.key, "model": teacher.model, "requests": {column: said.key}, "sample": said.sample}
