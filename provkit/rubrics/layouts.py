"""The layouts in which preference pairs are published, by name: where question, answers and label stand in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provkit.errors import InputError, plain
from provkit.registry import near

Row = Mapping[str, Any]
LAST_TURN = "\n\nAssistant:"
FIRST_TURN = "\n\nHuman:"
QUESTIONS = ("question", "instruction", "prompt")
FIRST = ("answer_a", "response_a", "response1", "answer_1", "output_1")
SECOND = ("answer_b", "response_b", "response2", "answer_2", "output_2")
LABELS = ("label", "ground_truth", "winner", "preference")
CATEGORIES = ("category", "subset", "domain", "task")
TIES = ("C", "tie", "both_bad", "tie (bothbad)", "tie (both bad)")


class NoPair(ValueError):
    """A row of a layout holds no pair that can be judged: the reason, in a few words."""


@dataclass(frozen=True, slots=True)
class Found:
    """A pair as its layout has it: of `first` and `second` the label A means the first; None where nobody said.

    `placed` is true where the places are those in which people saw the answers, so that they stay as they are.
    """

    question: str
    first: str
    second: str
    label: str | None
    category: str | None = None
    key: str | None = None
    placed: bool = False


Layout = Callable[[Row], Iterator[Found]]


def pairs(row: Row) -> Iterator[Found]:
    """One pair a row: question (or instruction), answer_a and answer_b (or response_a ...), label or ground_truth."""
    question, first, second = (_text(row, names) for names in (QUESTIONS, FIRST, SECOND))
    label = next((row[name] for name in LABELS if row.get(name) is not None), None)
    yield Found(question, first, second, _label(label), _category(row), _key(row), True)


def ultrafeedback_binarized(row: Row) -> Iterator[Found]:
    """HuggingFaceH4/ultrafeedback_binarized, the `_prefs` splits: prompt, prompt_id, chosen and rejected as chats."""
    chosen, rejected = _single(row.get("chosen")), _single(row.get("rejected"))
    if chosen[0] != rejected[0]:
        raise NoPair("two questions")
    yield Found(chosen[0], chosen[1], rejected[1], "A", key=_name(row.get("prompt_id")))


def arena_preference(row: Row) -> Iterator[Found]:
    """lmarena-ai/arena-human-preference: conversation_a, conversation_b, winner; the places stay as people saw them."""
    one, other = _single(row.get("conversation_a")), _single(row.get("conversation_b"))
    if one[0] != other[0]:
        raise NoPair("two questions")
    winner = row.get("winner")
    if winner not in ("model_a", "model_b", *TIES):
        raise NoPair("no winner")
    key = _name(row.get("id") or row.get("question_id"))
    yield Found(one[0], one[1], other[1], _label(winner), _name(row.get("language")), key, True)


def pku_saferlhf(row: Row) -> Iterator[Found]:
    """PKU-Alignment/PKU-SafeRLHF by safety: prompt, response_0, response_1, safer_response_id."""
    yield _numbered(row, "safer_response_id")


def pku_saferlhf_helpful(row: Row) -> Iterator[Found]:
    """PKU-Alignment/PKU-SafeRLHF by helpfulness: prompt, response_0, response_1, better_response_id."""
    yield _numbered(row, "better_response_id")


def hh_rlhf(row: Row) -> Iterator[Found]:
    """Anthropic/hh-rlhf: chosen and rejected as transcripts of Human and Assistant that part in the last answer."""
    sides = []
    for name in ("chosen", "rejected"):
        talk, mark, answer = str(row.get(name) or "").rpartition(LAST_TURN)
        if not mark:
            raise NoPair("no transcript")
        sides.append((talk, answer.strip()))
    if sides[0][0] != sides[1][0]:
        raise NoPair("two questions")
    question = sides[0][0].strip()
    alone = question.startswith(FIRST_TURN.strip()) and question.count(FIRST_TURN.strip()) == 1
    yield Found(question.removeprefix(FIRST_TURN.strip()).strip() if alone else question, sides[0][1], sides[1][1], "A")


def rmb(row: Row) -> Iterator[Found]:
    """RMB, the pairwise set: pair_uid, conversation_input, chosen and reject with `answer`, category_path."""
    question = _conversation(row.get("conversation_input"))
    yield Found(question, _answer(row, "chosen"), _answer(row, "reject"), "A", _path(row), _name(row.get("pair_uid")))


def rmb_bon(row: Row) -> Iterator[Found]:
    """RMB, the best-of-N set: bon_uid, conversation_input, bon_best, loser_list; a pair for each loser."""
    question, best = _conversation(row.get("conversation_input")), _answer(row, "bon_best")
    for number, loser in enumerate(row.get("loser_list") or ()):
        key = f"{row.get('bon_uid')}/{number}" if row.get("bon_uid") else None
        yield Found(question, best, _text(loser, ("answer",)), "A", _path(row), key)


def rewardbench(row: Row) -> Iterator[Found]:
    """allenai/reward-bench: prompt, chosen, rejected, subset, id."""
    question, chosen, rejected = (_text(row, (name,)) for name in ("prompt", "chosen", "rejected"))
    yield Found(question, chosen, rejected, "A", _name(row.get("subset")), _name(row.get("id")))


def rewardbench_2(row: Row) -> Iterator[Found]:
    """allenai/reward-bench-2: prompt, lists of chosen and rejected, subset, id; a pair for each rejected one.

    Where several are correct (the subset Ties) they take turns.
    """
    question, chosen, rejected = _text(row, ("prompt",)), list(row.get("chosen") or ()), list(row.get("rejected") or ())
    if not chosen or not rejected or not all(isinstance(one, str) for one in (*chosen, *rejected)):
        raise NoPair("no two answers")
    for number, other in enumerate(rejected):
        key = f"{row['id']}/{number}" if row.get("id") is not None else None
        yield Found(question, chosen[number % len(chosen)], other, "A", _name(row.get("subset")), key)


LAYOUTS: dict[str, Layout] = {
    "pairs": pairs,
    "ultrafeedback-binarized": ultrafeedback_binarized,
    "arena-preference": arena_preference,
    "pku-saferlhf": pku_saferlhf,
    "pku-saferlhf-helpful": pku_saferlhf_helpful,
    "hh-rlhf": hh_rlhf,
    "rmb": rmb,
    "rmb-bon": rmb_bon,
    "rewardbench": rewardbench,
    "rewardbench-2": rewardbench_2,
}
SIGNS = (  # columns that tell a layout, the first that fits
    ("rmb-bon", ("conversation_input", "bon_best", "loser_list")),
    ("rmb", ("conversation_input", "chosen", "reject")),
    ("arena-preference", ("conversation_a", "conversation_b", "winner")),
    ("pku-saferlhf", ("response_0", "response_1", "safer_response_id")),
    ("pku-saferlhf-helpful", ("response_0", "response_1", "better_response_id")),
    ("rewardbench-2", ("prompt", "chosen", "rejected", "num_correct")),
    ("rewardbench", ("prompt", "chosen", "rejected", "subset")),
    ("ultrafeedback-binarized", ("prompt", "prompt_id", "chosen", "rejected")),
)


def layout_of(name: str, row: Row) -> Layout:
    """The layout of a name; with `auto` the one that the columns of a row tell.

    Raises:
        InputError: for an unknown name, or columns that tell none.
    """
    if name != "auto":
        if name not in LAYOUTS:
            raise InputError(f"no layout '{plain(name, 60)}'{near(name, LAYOUTS)}", field="layout")
        return LAYOUTS[name]
    told = next((one for one, columns in SIGNS if set(columns) <= row.keys()), None)
    if told is None and set(row) & set(FIRST) and set(row) & set(SECOND) and set(row) & set(QUESTIONS):
        told = "pairs"
    if told is None and isinstance(row.get("chosen"), str) and LAST_TURN in row["chosen"]:
        told = "hh-rlhf"
    if told is None and {"prompt", "chosen", "rejected"} <= row.keys():
        told = "rewardbench" if isinstance(row["chosen"], str) else "ultrafeedback-binarized"
    if told is None:
        do = f"name one with --layout ({', '.join(LAYOUTS)}), or map columns to question, answer_a, answer_b and label"
        raise InputError(f"no layout of pairs has the columns {plain(', '.join(map(str, row)), 200)}", do=do)
    return LAYOUTS[told]


def _numbered(row: Row, label: str) -> Found:
    question, *answers = (_text(row, (name,)) for name in ("prompt", "response_0", "response_1"))
    number = row.get(label)
    if number not in (0, 1):
        raise NoPair("no label")
    return Found(question, answers[0], answers[1], "AB"[int(number)])


def _single(turns: Any) -> tuple[str, str]:
    """Question and answer of a chat of one turn each."""
    if not isinstance(turns, list) or [turn.get("role") for turn in turns if isinstance(turn, dict)] != [
        "user",
        "assistant",
    ]:
        raise NoPair("not one turn each")
    return _content(turns[0].get("content")), _content(turns[1].get("content"))


def _content(content: Any) -> str:
    """The text of a turn: a string, or a list of parts with `text`."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    joined = "\n".join(text for text in texts if isinstance(text, str) and text.strip())
    if not joined.strip():
        raise NoPair("no text")
    return joined


def _conversation(turns: Any) -> str:
    """A conversation as one question: the last message where it is alone, else all of them with their roles."""
    if not isinstance(turns, list) or not turns:
        raise NoPair("no conversation")
    said = [(str(turn.get("role", "user")), _content(turn.get("content"))) for turn in turns]
    return said[0][1] if len(said) == 1 else "\n\n".join(f"{role}: {text}" for role, text in said)


def _answer(row: Row, name: str) -> str:
    held = row.get(name)
    return _text(held if isinstance(held, Mapping) else {"answer": held}, ("answer",))


def _text(row: Row, names: tuple[str, ...]) -> str:
    text = next((row[name] for name in names if name in row), None)
    if not isinstance(text, str) or not text.strip():
        raise NoPair(f"no {names[0]}")
    return text


def _label(value: Any) -> str | None:
    known = {"A": "A", "B": "B", "model_a": "A", "model_b": "B", "response_a": "A", "response_b": "B"}
    if value is None or value in TIES:
        return None
    if value not in known:
        raise NoPair("an unknown label")
    return known[value]


def _key(row: Row) -> str | None:
    return next((_name(row[name]) for name in ("row_key", "uid") if row.get(name) is not None), None)


def _category(row: Row) -> str | None:
    return next((_name(row[name]) for name in CATEGORIES if row.get(name) is not None), None)


def _path(row: Row) -> str | None:
    return _name(row.get("category_path"))


def _name(value: Any) -> str | None:
    return None if value is None else str(value)
