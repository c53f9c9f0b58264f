"""Fields of one set's rows that stand whole inside the texts of another set, each field and all of a row together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from provkit.audit.runs import FACTOR, I64, U64, Tokenised, block_hashes

SEED = 8  # tokens of a field that are looked up; all of a shorter one
LEAST = 4  # tokens below which a field stands in every text


@dataclass(slots=True)
class Fields:
    """The distinct field texts of a set of rows, and where each was found.

    Attributes:
        rows: for each row the field texts it has, by name, as numbers of `texts`.
        inside: for each distinct text the first text of the other side that holds it, -1 where none does.
        whole: for each row a text of the other side that holds all of its fields, -1 where none does.
    """

    texts: list[str]
    rows: list[dict[str, int]]
    inside: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    whole: I64 = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def of(cls, rows: Sequence[dict[str, str]]) -> Fields:
        """The fields of rows, each distinct text once."""
        numbers: dict[str, int] = {}
        numbered = [{name: numbers.setdefault(text, len(numbers)) for name, text in row.items()} for row in rows]
        return cls(list(numbers), numbered)


class FieldIndex:
    """Looks for the texts of `Fields` in the other side's texts, token by token; white space does not count."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        fields.inside = np.full(len(fields.texts), -1, np.int64)
        fields.whole = np.full(len(fields.rows), -1, np.int64)
        self._tokens = Tokenised.of(fields.texts)
        first = self._tokens.first
        self._sizes = np.diff(first)
        self._by_size: dict[int, tuple[U64, I64]] = {}
        for size in range(LEAST, SEED + 1):
            which = np.flatnonzero((self._sizes == size) if size < SEED else (self._sizes >= size))
            if len(which):
                hashes = block_hashes(self._tokens.hashes, first[which], size)
                order = np.argsort(hashes, kind="stable")
                self._by_size[size] = hashes[order], which[order]
        self._rows_of: dict[int, list[int]] = {}
        for row, numbers in enumerate(fields.rows):
            if len(numbers) > 1 and all(self._sizes[one] >= LEAST for one in numbers.values()):
                rarest = max(numbers.values(), key=lambda one: int(self._sizes[one]))
                self._rows_of.setdefault(rarest, []).append(row)

    def look(self, texts: Sequence[str], first: int) -> None:
        """Looks in more texts of the other side, numbered from `first`."""
        other = Tokenised.of(texts)
        bounds = other.first
        found: list[set[int]] = [set() for _ in texts]
        for size, (hashes, which) in self._by_size.items():
            grams = stretches(other.hashes, size)
            low = np.searchsorted(hashes, grams, "left")
            hit = np.flatnonzero((low < len(hashes)) & (hashes[np.minimum(low, len(hashes) - 1)] == grams))
            text_of = np.searchsorted(bounds, hit, "right") - 1
            for at, text in zip(hit.tolist(), text_of.tolist(), strict=True):
                spot = int(low[at])
                while spot < len(hashes) and hashes[spot] == grams[at]:
                    if self._stands(int(which[spot]), other, at, int(bounds[text + 1])):
                        found[text].add(int(which[spot]))
                    spot += 1
        for text, here in enumerate(found):
            self._note(here, first + text)

    def _stands(self, one: int, other: Tokenised, at: int, end: int) -> bool:
        start, size = int(self._tokens.first[one]), int(self._sizes[one])
        if at + size > end or not np.array_equal(
            self._tokens.hashes[start : start + size], other.hashes[at : at + size]
        ):
            return False
        return bool(self._tokens.text(start, start + size).split() == other.text(at, at + size).split())

    def _note(self, here: set[int], text: int) -> None:
        for one in here:
            if self.fields.inside[one] < 0:
                self.fields.inside[one] = text
            for row in self._rows_of.get(one, ()):
                if self.fields.whole[row] < 0 and here.issuperset(self.fields.rows[row].values()):
                    self.fields.whole[row] = text


def stretches(hashes: U64, size: int) -> NDArray[np.uint64]:
    """The hash of every stretch of `size` tokens, as `block_hashes` has it."""
    count = len(hashes) - size + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    mixed = np.zeros(count, np.uint64)
    for step in range(size):
        mixed *= FACTOR
        mixed += hashes[step : step + count]
    return mixed
