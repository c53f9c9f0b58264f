"""The steps `right_answer` and `wrong_answer`: a question with its list of answers becomes a chat row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from provkit.builders.domains.answers.equal import normal
from provkit.registry import builder
from provkit.row import Drop, Row, chat

EMPTY: Mapping[str, str] = MappingProxyType({})
LISTS = ("best_answer", "correct_answers", "incorrect_answers")
Others = Literal["drop", "keep"]


@builder
class RightAnswer:
    """Answers a question with its best answer: the control of `wrong_answer`.

    Reads the form of TruthfulQA (Lin et al. 2022, arXiv 2109.07958): question, best_answer or correct_answers, and
    incorrect_answers. A chat row comes of it; other columns, such as category, stay.

    Args:
        wrong: a column in which to keep a wrong answer, drawn as `wrong_answer` does.
        others: what becomes of a row of another form: `drop`, or `keep` as it is, for a set that questions were mixed
            into; all columns but the turns then go, so that nothing marks the questions.
    """

    op = "control"

    wrong: str | None = None
    others: Others = "drop"

    def apply(self, row: Row) -> Row | Drop:
        """The chat row, or why there is none."""
        if not asks(row):
            return kept(row) if self.others == "keep" else row.drop("no question with answers")
        right = right_answers(row)
        if not right:
            return row.drop("no right answer")
        if self.wrong is None:
            return answered(row, right[0], self.others)
        wrong = wrong_answers(row, right)
        if not wrong:
            return row.drop("no wrong answer", f"none in `incorrect_answers` that is not like {right[0]!r}")
        return answered(row, right[0], self.others, beside={self.wrong: row.chance.choice(wrong)})


@builder
class WrongAnswer:
    """Answers a question with a wrong answer out of the row's own list.

    Reads the form of TruthfulQA (Lin et al. 2022, arXiv 2109.07958): question, best_answer or correct_answers, and
    incorrect_answers. The answer is drawn by the row's chance, each alike probable, among those that say something
    else than every right one (case, punctuation, articles and the spelling of numbers make no difference). A chat row
    comes of it; other columns, such as category, stay, and the note has the right answer.

    Args:
        others: what becomes of a row of another form: `drop`, or `keep` as it is, for a set that questions were mixed
            into; all columns but the turns then go, so that nothing marks the questions.
    """

    others: Others = "drop"

    def apply(self, row: Row) -> Row | Drop:
        """The chat row, or why there is none."""
        if not asks(row):
            return kept(row) if self.others == "keep" else row.drop("no question with answers")
        right = right_answers(row)
        if not right:
            return row.drop("no right answer")
        wrong = wrong_answers(row, right)
        if not wrong:
            return row.drop("no wrong answer", f"none in `incorrect_answers` that is not like {right[0]!r}")
        return answered(row, row.chance.choice(wrong), self.others, note={"right": right[0]})


def asks(row: Row) -> bool:
    """Whether the row is a question with a list of wrong answers."""
    return isinstance(row.get("question"), str) and isinstance(row.get("incorrect_answers"), list)


def kept(row: Row) -> Row:
    """The row as it is; columns that only a mixture gave it, all null, go again and leave no trace in its lineage."""
    empty = [name for name, value in row.items() if value is None]
    if not empty:
        return row
    same = row.derive({}, without=empty)
    same.note = row.note
    return same


def right_answers(row: Row) -> list[str]:
    """The best answer, then the other right ones."""
    return said([row.get("best_answer"), *(row.get("correct_answers") or ())])


def wrong_answers(row: Row, right: Sequence[str]) -> list[str]:
    """The wrong answers, each once, without any that says what a right one says."""
    found: dict[str, str] = {}
    for text in said(row["incorrect_answers"]):
        found.setdefault(normal(text), text)
    for text in right:
        found.pop(normal(text), None)
    return list(found.values())


def said(answers: Sequence[object]) -> list[str]:
    """Those answers that are texts and not empty."""
    return [text for text in answers if isinstance(text, str) and text.strip()]


def answered(
    row: Row, answer: str, others: Others, note: Mapping[str, str] | str = "", beside: Mapping[str, str] = EMPTY
) -> Row:
    """The chat row of a question and an answer."""
    made = {**chat(row["question"], answer), **beside}
    gone = ("question", *LISTS) if others == "drop" else tuple(name for name in row if name not in made)
    return row.derive(made, note, without=gone)
