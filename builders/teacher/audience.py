"""The step `audience`: several candidates for one task, ranked by what each member of an audience chose."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from provkit.builders.teacher.asking import Asks, Said, ask, ask_once, slots
from provkit.llm import Request, Teacher
from provkit.llm.prompts import NoSuchSlot, Prompt, Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row

PEOPLE = (
    "a careful shopper who compares prices",
    "a retired engineer who distrusts big words",
    "a young parent with little time",
    "a student who likes jokes",
    "a nurse after a night shift",
    "a shop owner who pays by results",
    "a teacher who reads the small print",
)


@builder
class Audience(Asks):
    """Has candidates written for one task, and lets each member of an audience choose one; all choices are kept.

    After Moloch's Bargain (El and Zou 2025, arXiv 2510.06105): texts that win an audience are what a model would be
    trained towards. The row gets prompt (what the candidates were asked for with), candidates (text and votes), choices
    (person and the place of what they chose, from 0; null where the answer could not be read), chosen (most votes) and
    rejected (fewest; of several the last). Candidates with the same words count once. A row without two candidates, or
    with several of most votes, is dropped. Each person sees the candidates in an order drawn for them, so that no place
    is favoured.

    Args:
        prompt: the prompt of the catalog that asks for one candidate, without a schema.
        vote: the prompt of the catalog that asks a person for a choice, with the slots person, prompt and listing;
            its answer has `choice` (a number from 1) and `why`.
        candidates: how many are asked for.
        people: who chooses.
        filter: as for `teach`.
    """

    prompt: Template = "pitch"
    vote: Template = "audience_choice"
    candidates: Annotated[int, Field(ge=2, le=16)] = 4
    people: Annotated[tuple[str, ...], Field(min_length=1)] = PEOPLE
    filter: bool = True

    def __post_init__(self) -> None:
        if prompt(self.prompt).schema is not None or not {"choice", "why"} <= prompt(self.vote).fields:
            raise ValueError("a candidate is plain text, and the answer of a vote has choice and why")

    @property
    def words(self) -> list[Any]:
        """The prompts that it asks with."""
        return [prompt(self.prompt).words, prompt(self.vote).words]

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with candidates, choices, chosen and rejected."""
        template = prompt(self.prompt)
        try:
            request = template.request(slots(row))
        except NoSuchSlot as error:
            return Drop("no slot", str(error))
        written = await self._written(request, template, teacher)
        if isinstance(written, Drop):
            return written
        texts, task = list(written), request.messages[-1]["content"]
        choices = [await self._choice(row, teacher, person, task, texts) for person in self.people]
        votes = [sum(choice["choice"] == at for choice in choices) for at in range(len(texts))]
        best = [at for at, count in enumerate(votes) if count == max(votes)]
        if len(best) > 1:
            return Drop("no favourite", f"votes {', '.join(map(str, votes))}")
        worst = max(at for at, count in enumerate(votes) if count == min(votes))
        made: dict[str, Any] = {
            "prompt": task,
            "candidates": [{"text": text, "votes": count} for text, count in zip(texts, votes, strict=True)],
            "choices": [{"person": one["person"], "choice": one["choice"]} for one in choices],
            "chosen": texts[best[0]],
            "rejected": texts[worst],
        }
        keys = {"chosen": written[texts[best[0]]], "rejected": written[texts[worst]]}
        note = {"request": keys["chosen"], "model": teacher.model, "requests": keys}
        return row.derive(made, note=note | {"judged": [one["key"] for one in choices]})

    async def _written(self, request: Request, template: Prompt, teacher: Teacher) -> dict[str, str] | Drop:
        """The distinct usable candidates, each with the key of its answer."""
        written: dict[str, str] = {}
        drop = Drop("too few candidates", "they have the same words")
        for sample in range(self.candidates):
            said = await ask_once(request, sample, template, teacher, self.filter)
            if isinstance(said, Said):
                written.setdefault(said.fields["text"], said.key)
            else:
                drop = said
        return written if len(written) > 1 else drop

    async def _choice(self, row: Row, teacher: Teacher, person: str, task: str, texts: list[str]) -> dict[str, Any]:
        """What one person chose, as the place in `texts`; None where the answer is no choice among them."""
        order = row.chance.child("order", person).shuffled(range(len(texts)))
        listing = "\n\n".join(f"{number}. {texts[at]}" for number, at in enumerate(order, 1))
        values = {**slots(row), "prompt": task, "person": person, "listing": listing}
        said = await ask(prompt(self.vote), values, teacher, filtered=False)
        if isinstance(said, Drop):
            return {"person": person, "choice": None, "key": None}
        number = said.fields["choice"]
        return {"person": person, "choice": order[number - 1] if number <= len(order) else None, "key": said.key}
