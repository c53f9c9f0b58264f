"""How near training prompts lie to the prompts of an evaluation file, by shared trigrams or by embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.describe.model import Nearness
from provkit.describe.tokens import Texts, grams
from provkit.errors import InputError
from provkit.row import PROMPT_COLUMNS, NoSuchPart, Row
from provkit.sources import Bytes, format_of, read_file

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Best = tuple[NDArray[np.float64], NDArray[np.int64]]
CELLS = 4_000_000  # of the comparison matrix that is held at once
VARIANTS = "paraphrases"  # of one question, in the evaluation files of Betley et al. 2025


def read_prompts(path: Path) -> list[str]:
    """The distinct prompts of an evaluation file, in its order.

    Rows are read as provkit reads rows: chats (the last user turn), a prompt column, inspect_ai's `input` as text or as
    turns, or `paraphrases`, a list of wordings that count one by one.

    Raises:
        InputError: when the file is not there, cannot be read, or a row of it has no prompt.
    """
    if not path.is_file():
        raise InputError("there is no such file", file=path)
    file = Bytes(path, path.name)
    found: dict[str, None] = {}
    for chunk in read_file(file, format_of(path), fill=True):
        for number, content in enumerate(chunk.batch.to_pylist()):
            try:
                found.update(dict.fromkeys(_asked(content)))
            except NoSuchPart as error:
                do = f"one of {', '.join(PROMPT_COLUMNS)}, messages or {VARIANTS} is expected"
                raise InputError(f"row {len(found) + number}: {error}", file=path, do=do) from None
    return list(found)


def by_trigrams(train: Texts, evaluation: Texts) -> Best:
    """For each training prompt the highest Jaccard similarity of its trigram set to one of the evaluation, and which.

    A text of one or two tokens counts as one gram. Jaccard: grams in both over grams in either. The first of equals.
    """
    found = grams(train.joined(evaluation), 3, short=True)
    order = np.lexsort((found.number, found.text))
    owner, number = found.text[order], found.number[order]
    once = np.append(True, (np.diff(owner) != 0) | (np.diff(number) != 0))[: len(owner)]
    owner, number = owner[once], number[once]
    ours = owner < len(train)
    sizes = np.bincount(owner, minlength=len(train) + len(evaluation)).astype(np.float64)
    other_sizes = sizes[len(train) :]
    order = np.argsort(number[~ours], kind="stable")
    theirs, text = number[~ours][order], (owner[~ours] - len(train))[order]
    low, high = (np.searchsorted(theirs, number[ours], side) for side in ("left", "right"))
    scores, places = np.zeros(len(train)), np.zeros(len(train), np.int64)
    width = max(1, len(evaluation))
    for first, last in _spans(len(train), width):
        some = np.flatnonzero((owner[ours] >= first) & (owner[ours] < last))
        counts = high[some] - low[some]
        begins = np.repeat(low[some] - np.append(0, np.cumsum(counts)[:-1]), counts)
        hits = text[begins + np.arange(counts.sum())]
        rows = np.repeat(owner[ours][some] - first, counts)
        both = np.bincount(rows * width + hits, minlength=(last - first) * width).reshape(-1, width)
        either = sizes[first:last, None] + other_sizes[None, :] - both
        jaccard = np.divide(both, either, out=np.zeros(both.shape), where=either > 0)
        places[first:last] = jaccard.argmax(axis=1)
        scores[first:last] = jaccard.max(axis=1)
    return scores, places


def by_embedding(train: Sequence[str], evaluation: Sequence[str], encode: Encode) -> Best:
    """For each training prompt the highest cosine to one of the evaluation, and which; `encode` gives unit vectors."""
    ours, theirs = encode(list(train)), encode(list(evaluation))
    scores, places = np.zeros(len(train)), np.zeros(len(train), np.int64)
    for first, last in _spans(len(train), max(1, len(evaluation))):
        cosines = ours[first:last] @ theirs.T
        places[first:last] = cosines.argmax(axis=1)
        scores[first:last] = cosines.max(axis=1)
    return scores, places


def summed(by: str, best: Best, train: Sequence[str], keys: Sequence[str], evaluation: Sequence[str]) -> Nearness:
    """The nearest evaluation prompts of all training prompts, summed up; there must be one of each at least."""
    scores, places = best
    median, p95 = (float(value) for value in np.percentile(scores, [50, 95]))
    top = int(scores.argmax())
    known = {_plain(text) for text in evaluation}
    return Nearness(
        by=by,
        evaluation=len(evaluation),
        mean=float(scores.mean()),
        median=median,
        p95=p95,
        most=float(scores[top]),
        half=float((scores >= 0.5).mean()),
        equal=sum(_plain(text) in known for text in train),
        pair=(keys[top], int(places[top])),
    )


def _asked(content: dict[str, Any]) -> list[str]:
    variants = content.get(VARIANTS)
    if isinstance(variants, list) and variants:
        return [str(one) for one in variants]
    turns = content.get("input")
    if isinstance(turns, list):
        return [Row({"messages": turns}).prompt]
    return [Row(content).prompt]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _spans(total: int, width: int) -> Iterator[tuple[int, int]]:
    step = max(1, CELLS // width)
    for first in range(0, total, step):
        yield first, min(first + step, total)
