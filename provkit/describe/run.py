"""Reads a build and measures it, arm by arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provkit import manifest, parquet
from provkit.describe.measures import freedom, measure
from provkit.describe.model import ArmMeasures, Description, Nearness, TextMeasures
from provkit.describe.nearness import Encode, by_embedding, by_trigrams, read_prompts, summed
from provkit.describe.tokens import Texts, Vocabulary
from provkit.manifest import Output
from provkit.row import NoSuchPart, Row

TEXT = "text"  # the column of a document, which has no prompt
FREEDOM_ROWS = 500


@dataclass(slots=True)
class Side:
    """The prompts or the answers of an arm, where each stands, and the ids of their rows (of their pairs, if any)."""

    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


def describe(folder: Path, evaluation: Path | None = None, encode: Encode | None = None) -> Description:
    """Measures a build.

    Args:
        folder: the build directory.
        evaluation: a file of evaluation prompts, to which the training prompts are compared.
        encode: gives unit embeddings of texts; with it, nearness is measured by embedding too.

    Raises:
        InputError: when `folder` is no build directory, or the evaluation file cannot be read.
    """
    found = manifest.read(folder)
    asked = read_prompts(evaluation) if evaluation is not None else []
    arms = list(dict.fromkeys(out.arm or "" for out in found.data()))
    measured = tuple(_arm(folder, arm, found.data(arm), asked, encode) for arm in arms)
    return Description(found.recipe.name, found.build_id, evaluation.name if evaluation else None, measured)


def _arm(folder: Path, arm: str, outputs: list[Output], asked: list[str], encode: Encode | None) -> ArmMeasures:
    prompts, answers, together = _sides(folder, outputs)
    words = Vocabulary()
    prompt_tokens, answer_tokens = words.read(prompts.texts), words.read(answers.texts)
    near = _near(prompts, prompt_tokens, asked, words, encode) if asked and prompts.texts else ()
    return ArmMeasures(
        arm=arm,
        rows=sum(out.rows or 0 for out in outputs),
        splits={out.split or "": out.rows or 0 for out in outputs},
        prompts=_measured(prompts, prompt_tokens),
        answers=_measured(answers, answer_tokens),
        freedom=_freedom(prompts, answers, words) if together and answers.texts else None,
        near=near,
    )


def _sides(folder: Path, outputs: list[Output]) -> tuple[Side, Side, bool]:
    """Prompts and answers of all rows, and whether every row has both."""
    prompts, answers = Side(), Side()
    rows = 0
    for out in outputs:
        at = 0
        for batch in parquet.opened(folder / out.file).iter_batches():
            for content in batch.to_pylist():
                key = f"{out.arm}/{out.split}/{at}"
                row = Row(content)
                _add(prompts, key, row, "prompt")
                _add(answers, key, row, "answer")
                at += 1
        rows += at
    return prompts, answers, len(prompts.texts) == len(answers.texts) == rows


def _add(side: Side, key: str, row: Row, part: str) -> None:
    """A row's part, where it has one; a document's text counts as its answer."""
    try:
        text: Any = getattr(row, part)
    except NoSuchPart:
        text = row.get(TEXT) if part == "answer" else None
    if isinstance(text, str):
        side.texts.append(text)
        side.keys.append(key)
        side.ids.append(row.get("pair_id") or row["row_id"])


def _measured(side: Side, tokens: Texts) -> TextMeasures | None:
    return measure(side.texts, tokens) if side.texts else None


def _freedom(prompts: Side, answers: Side, words: Vocabulary) -> float:
    """The freedom of a sample of one size, so that sets of any size compare; matched arms take matched rows."""
    chosen = sorted(range(len(answers.ids)), key=answers.ids.__getitem__)[:FREEDOM_ROWS]
    sides = [words.read([side.texts[at] for at in chosen]) for side in (prompts, answers)]
    return freedom(*sides)


def _near(
    prompts: Side, tokens: Texts, asked: list[str], words: Vocabulary, encode: Encode | None
) -> tuple[Nearness, ...]:
    found = [("trigrams", by_trigrams(tokens, words.read(asked)))]
    if encode is not None:
        found.append(("embedding", by_embedding(prompts.texts, asked, encode)))
    return tuple(summed(by, best, prompts.texts, prompts.keys, asked) for by, best in found)
