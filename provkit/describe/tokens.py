"""Texts as numbered tokens and n-grams.

Tokens are those of the index (science: a word is a run, punctuation and ideographs stand alone), in lower case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
BATCH = 4096  # texts that are tokenised at once


@dataclass(slots=True)
class Vocabulary:
    """Numbers for tokens, shared by all texts that are compared."""

    numbers: dict[bytes, int] = field(default_factory=dict)

    def read(self, texts: Sequence[str]) -> Texts:
        """The texts as tokens, new ones numbered as they come."""
        ids: list[Ids] = []
        sizes: list[Ids] = []
        for start in range(0, len(texts), BATCH):
            tokens, counts = self._batch(texts[start : start + BATCH])
            ids.append(tokens)
            sizes.append(counts)
        every = np.concatenate(ids) if ids else np.empty(0, np.int64)
        lengths = np.concatenate(sizes) if sizes else np.empty(0, np.int64)
        return Texts(every, np.append(0, np.cumsum(lengths)).astype(np.int64))

    def _batch(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """The tokens of all texts, one after another, and how many each text has."""
        from provkit.index.words import current, joined, tokenise

        found = tokenise(*joined([text.lower().encode("utf-8", "replace") for text in texts]), current())
        raw = found.buffer.tobytes()
        tokens = [raw[start:end] for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True)]
        for token in dict.fromkeys(tokens):
            self.numbers.setdefault(token, len(self.numbers))
        ids = np.fromiter(map(self.numbers.__getitem__, tokens), np.int64, len(tokens))
        return ids, np.diff(found.first)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as token numbers: text i is `ids[bounds[i]:bounds[i + 1]]`."""

    ids: Ids
    bounds: Ids

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def sizes(self) -> Ids:
        """How many tokens each text has."""
        return np.diff(self.bounds)

    def joined(self, other: Texts) -> Texts:
        """These texts and behind them those of another, numbered by the same vocabulary."""
        return Texts(
            np.concatenate([self.ids, other.ids]), np.concatenate([self.bounds, self.bounds[-1] + other.bounds[1:]])
        )


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of texts, none across two: for each its number (equal ones share it), text and first token."""

    number: Ids
    text: Ids
    place: Ids
    sizes: Ids  # tokens of each gram: n, or all of a text that is shorter


def grams(texts: Texts, n: int, short: bool = False) -> Grams:
    """All n-grams of the texts, numbered exactly (no hashing), though with gaps.

    Args:
        texts: what to take them from.
        n: tokens a gram.
        short: take a text of 1 to n - 1 tokens as one gram of its own.
    """
    owner = np.repeat(np.arange(len(texts)), texts.sizes)
    left = texts.bounds[1:][owner] - np.arange(len(owner))  # tokens from here to the end of the text
    size = np.full(len(owner), n, np.int64)
    starts = left >= n
    if short:
        whole = (texts.sizes[owner] < n) & (np.arange(len(owner)) == texts.bounds[owner])
        size[whole] = left[whole]
        starts |= whole
    place = np.flatnonzero(starts)
    size = size[place]
    number = np.zeros(len(place), np.int64)
    width = int(texts.ids.max()) + 2 if len(texts.ids) else 2
    bound = 1  # above every number
    for step in range(n):
        inside = size > step
        following = np.zeros(len(place), np.int64)
        following[inside] = texts.ids[place[inside] + step] + 1  # 0: the gram has ended
        if bound * width >= 1 << 62:
            number = dense(number)
            bound = len(place)
        number = number * width + following
        bound *= width
    return Grams(number, owner[place], place, size)


def dense(number: Ids) -> Ids:
    """The same distinctions in numbers from 0 on, without gaps."""
    return np.asarray(np.unique(number, return_inverse=True)[1], np.int64)
