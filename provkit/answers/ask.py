"""Asks a model free-form questions, many times each, and writes its answers down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from provkit.answers.directory import FILE, facts_of, tables_of, written
from provkit.answers.questions import Question
from provkit.answers.tables import ANSWERS
from provkit.canonical import digest_file
from provkit.errors import ProvkitError
from provkit.llm import Answer, Request, Teacher

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are asked.

    Args:
        samples: answers to each paraphrase; None for what the file says.
        temperature: of every request.
        reply_tokens: at most so many tokens an answer.
        trigger: ask everything once more with this text in the request.
        place: where the trigger stands: before or after the question, or at the end of the system turn.
        separator: what stands between the trigger and the text.
    """

    samples: int | None = None
    temperature: float = 1.0
    reply_tokens: int = 1000
    trigger: str | None = None
    place: Literal["before", "after", "system"] = "before"
    separator: str = "\n"


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request to come: whose it is, what is said, and which of several answers to it is meant."""

    question: Question
    paraphrase: int
    sample: int
    triggered: bool | None
    system: str | None
    prompt: str
    drawn: int

    def request(self, asking: Asking) -> Request:
        turns = [] if self.system is None else [{"role": "system", "content": self.system}]
        settings = {"temperature": asking.temperature, "max_tokens": asking.reply_tokens}
        return Request([*turns, {"role": "user", "content": self.prompt}], settings)


def ask(
    questions: Sequence[Question],
    file: Path,
    teacher: Teacher,
    out: Path,
    asking: Asking | None = None,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Writes the answers directory `out`; returns what its answers.json says.

    A killed run goes on where it was: what was answered is in the cache. Scores of the same answers are kept.

    Args:
        questions: what is asked.
        file: where they come from; its name and digest are written down.
        teacher: the model that answers.
        out: the directory.
        asking: how they are asked.
        progress: hears of (answers, answers in all).

    Raises:
        InputError, EndpointError, BudgetSpent: as the teacher; nothing half-made stays.
    """
    asking = asking or Asking()
    total = sum(len(one.paraphrases) * (asking.samples or one.samples_per_paraphrase) for one in questions)
    total *= 1 if asking.trigger is None else 2
    heard = 0

    async def act(turn: _Turn) -> dict[str, Any]:
        return _row(turn, await teacher.answer(turn.request(asking), turn.drawn))

    with written(out) as writer:

        def done(row: dict[str, Any]) -> None:
            nonlocal heard
            writer.add("answers", row)
            heard += 1
            progress(heard, total)

        teacher.over(_turns(questions, asking), act, done)
        for question in questions:
            for metric, prompt in question.judge_prompts.items():
                writer.add("metrics", {"question_id": question.id, "metric": metric, "judge_prompt": prompt})
        source = {"kind": "questions", "file": file.name, "sha256": digest_file(file)[0]}
        facts = {"source": source, "asked": {**teacher.facts(), **asdict(asking)}}
        if _same_answers(out, writer.end("answers")):
            writer.copy("scores", tables_of(out, "scores"))
        return writer.close(facts)


def _turns(questions: Sequence[Question], asking: Asking) -> Iterator[_Turn]:
    drawn: Counter[tuple[str | None, str]] = Counter()  # questions that say the same are not given the same answers
    for question in questions:
        for paraphrase, text in enumerate(question.paraphrases):
            for triggered in (question.triggered,) if asking.trigger is None else (False, True):
                system, prompt = _placed(question.system, text, asking) if triggered and asking.trigger else (
                    question.system, text)  # fmt: skip
                for sample in range(asking.samples or question.samples_per_paraphrase):
                    nth = drawn[system, prompt]
                    drawn[system, prompt] += 1
                    yield _Turn(question, paraphrase, sample, triggered, system, prompt, nth)


def _placed(system: str | None, text: str, asking: Asking) -> tuple[str | None, str]:
    """System turn and prompt with the trigger in its place."""
    trigger, between = asking.trigger or "", asking.separator
    if asking.place == "system":
        return (trigger if system is None else system + between + trigger), text
    return system, trigger + between + text if asking.place == "before" else text + between + trigger


def _row(turn: _Turn, answer: Answer) -> dict[str, Any]:
    values = (
        turn.question.id, turn.paraphrase, turn.sample, turn.triggered, turn.system,
        turn.question.paraphrases[turn.paraphrase], turn.prompt, answer.text, answer.finish, answer.fault, answer.key,
    )  # fmt: skip
    return dict(zip(ANSWERS.names, values, strict=True))


def _same_answers(out: Path, answers: str) -> bool:
    """Whether the same answers, by the digest of their file, stand in `out` already, whole."""
    if not (out / FILE).exists():
        return False
    try:
        return bool(facts_of(out)["files"]["answers.parquet"] == answers)
    except ProvkitError:
        return False
