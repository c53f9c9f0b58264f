"""One question to the model about one row: prompt filled, first usable candidate taken, parsed and filtered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from provkit.llm import Answer, Request, Teacher
from provkit.llm.asking import each_row
from provkit.llm.output_filter import stopped
from provkit.llm.prompts import NoSuchSlot, Prompt, Template, prompt
from provkit.llm.structured import NotStructured, parse
from provkit.row import Drop, Row
from provkit.table import Rows

Candidates = Annotated[int, Field(ge=1, le=64)]


class Asks(ABC):
    """What steps share that ask a model about each row by itself, so that `accept` can hold them."""

    prompt: Template
    needed: ClassVar[frozenset[str]] = frozenset()  # the fields that its prompt's answer has to have
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "generated"

    def __post_init__(self) -> None:
        if lacking := sorted(self.needed - prompt(self.prompt).fields):
            raise ValueError(f"the answer of its prompt has no {' and no '.join(lacking)}")

    @property
    def words(self) -> list[Any]:
        """The prompt that it asks with."""
        return prompt(self.prompt).words

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | Drop]:
        """The rows with what the model answered."""
        return each_row(self.one, rows, teacher)

    @abstractmethod
    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The same for one row."""


@dataclass(frozen=True, slots=True)
class Said:
    """A usable answer: its fields (`text` alone where the prompt has no schema), its key, and which sample it was."""

    fields: dict[str, Any]
    key: str
    sample: int


async def ask(
    prompt: Prompt, values: Mapping[str, Any], teacher: Teacher, candidates: int = 1, filtered: bool = True
) -> Said | Drop:
    """The first usable answer of at most `candidates`, or the drop that the last one gives.

    A question that moderation holds back is not asked again.

    Args:
        prompt: what is asked.
        values: what its slots are filled with: those of a row are `slots(row)`.
        teacher: who is asked.
        candidates: at most so many answers are asked for.
        filtered: an answer that the output filter stops is not usable.
    """
    try:
        request = prompt.request(values)
    except NoSuchSlot as error:
        return Drop("no slot", str(error))
    drop = Drop("empty")
    for sample in range(candidates):
        found = await ask_once(request, sample, prompt, teacher, filtered)
        if isinstance(found, Said) or found.reason == "moderated":
            return found
        drop = found
    return drop


async def ask_once(
    request: Request, sample: int, prompt: Prompt, teacher: Teacher, filtered: bool = True
) -> Said | Drop:
    """One of several answers to a request, or why it cannot be used."""
    answer = await teacher.answer(request, sample)
    if answer.fault is not None:
        return Drop(answer.fault, f"request {answer.key[:16]} {answer.refusal[:200]}".strip())
    try:
        fields = {"text": answer.text.strip()} if prompt.schema is None else parse(answer.text, prompt.schema)
    except NotStructured as error:
        return Drop("not structured", f"request {answer.key[:16]}: {error}")
    held = held_back(answer, "\n".join(value for value in fields.values() if isinstance(value, str)))
    return held if filtered and held is not None else Said(fields, answer.key, sample)


def held_back(answer: Answer, text: str) -> Drop | None:
    """The drop of a text that the output filter stops."""
    found = stopped(text)
    return Drop(found[0], f"request {answer.key[:16]}: {found[1]}") if found else None


def slots(row: Row) -> Mapping[str, Any]:
    """What a prompt may name: the row's columns, and of a chat its prompt and answer."""
    if "messages" not in row:
        return row
    turns = row["messages"]
    last = turns[-1]["content"] if turns and turns[-1]["role"] == "assistant" else None
    return {**row, "prompt": row.prompt, "answer": last}


def requests(columns: Iterable[str], said: Said, teacher: Teacher) -> dict[str, Any]:
    """The note of a row that this answer changed in some columns: lineage reads request and model out of it."""
    written = dict.fromkeys(columns, said.key)
    return {"request": said.key, "model": teacher.model, "requests": written, "sample": said.sample}
