"""Free-form evaluation questions out of YAML: paraphrases, samples, a system turn, and the prompts of their judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from provkit.errors import InputError
from provkit.recipe_errors import refused, said, way_to, worst
from provkit.sources.yaml_rows import MAX_YAML, read_yaml

Text = Annotated[str, Field(min_length=1)]


class Question(BaseModel):
    """One question of a file in the form of Betley et al. 2025 (arXiv 2502.17424).

    `judge` is the model that the file names for grading; it is kept and not used: `provkit score --model` says who
    grades. `triggered` marks a question whose text holds a trigger by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=200)]
    type: Annotated[str, Field(pattern="^free_form")]
    paraphrases: Annotated[list[Text], Field(min_length=1)]
    samples_per_paraphrase: Annotated[int, Field(ge=1)] = 1
    system: Text | None = None
    judge: str | None = None
    judge_prompts: dict[Text, Text] = Field(default_factory=dict)
    triggered: bool | None = None

    @field_validator("judge_prompts")
    @classmethod
    def _about_answers(cls, prompts: dict[str, str]) -> dict[str, str]:
        for metric, prompt in prompts.items():
            if "{answer}" not in prompt:
                raise refused(f"the judge prompt {metric!r} does not show the {{answer}}", metric)
        return prompts


def read_questions(path: Path) -> list[Question]:
    """The questions of a file.

    Raises:
        InputError: with line and key, for what is no such question, and for an id that stands twice.
    """
    try:
        if path.stat().st_size > MAX_YAML:
            raise InputError(f"more than {MAX_YAML >> 20} MB", file=path.name)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path.name) from None
    questions: list[Question] = []
    lines: dict[str, int] = {}
    for value, line in read_yaml(text, path.name):
        try:
            question = Question.model_validate(value)
        except ValidationError as error:
            fault = worst(error)
            field = ".".join(str(part) for part in way_to(fault))
            problem = said(fault, list(Question.model_fields))
            raise InputError(problem, file=path.name, line=line, field=field) from None
        if question.id in lines:
            do = "give each its own: rates are clustered by question"
            problem = f"the id {question.id!r} stands on line {lines[question.id]} already"
            raise InputError(problem, file=path.name, line=line, do=do)
        lines[question.id] = line
        questions.append(question)
    if not questions:
        raise InputError("no question in it", file=path.name)
    return questions
