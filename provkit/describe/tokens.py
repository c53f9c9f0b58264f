"""Texts as numbered tokens and n-grams.

Tokens are those of the index (science: a word is a run, punctuation and ideographs stand alone), in lower case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
            for tokens, counts in self._batch(texts[start : start + BATCH]):
                ids.append(tokens)
                sizes.append(counts)
        every = np.concatenate(ids) if ids else np.empty(0, np.int64)
        lengths = np.concatenate(sizes) if sizes else np.empty(0, np.int64)
        return Texts(every, np.append(0, np.cumsum(lengths)).astype(np.int64))

    def _batch(self, texts: Sequence[str]) -> Iterator[tuple[Ids, Ids]]:
        from provkit.index.words import current, joined, tokenise

        found = tokenise(*joined([text.lower().encode("utf-8", "replace") for text in texts]), current())
        raw = found.buffer.tobytes()
        spans = zip(found.starts.tolist(), found.ends.tolist(), strict=True)
        number = self.numbers.setdefault
        count = len(self.numbers)
        ids = np.empty(len(found.starts), np.int64)
        for at, (start, end) in enumerate(spans):
            ids[at] = one = number(raw[start:end], count)
            count += one == count
        yield ids, np.diff(found.first)


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
    """All n-grams of the texts, numbered exactly (no hashing).

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
    for step in range(n):
        inside = size > step
        following = np.zeros(len(place), np.int64)
        following[inside] = texts.ids[place[inside] + step] + 1  # 0: the gram has ended
        number = np.unique(number * width + following, return_inverse=True)[1]
    return Grams(number, owner[place], place, size)
