"""One text as it grows token by token: from where on it stands in the corpus, and what would complete a stretch."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from provkit.errors import InputError
from provkit.index import Index
from provkit.index.matching import count_queries
from provkit.index.stepping import Continuations, meet, narrow, spelled
from provkit.index.words import OTHER, SPACE, parted

if TYPE_CHECKING:
    from provkit.defences.vocabulary import Vocabulary

_PADDING = b"\xff" * 9  # read over by eight-byte loads
ROOM = 256  # ends that are found at one go


@dataclass(frozen=True, slots=True)
class Growth:
    """A text so far, and each of its token starts from which on all of it stands in the corpus.

    Attributes:
        text: its whole characters, from the earliest such start on.
        tail: the bytes of a character that is not complete.
        last: the class of the last whole character.
        depths: int64, for each start the bytes of `text` since, ascending starts.
        words: int64, for each start the tokens begun since.
        lows, highs: int64, shape (shards, starts): the suffixes that begin with those bytes.
        broken: whether the text ends in a run of fallback tokens that is no UTF-8.
    """

    text: bytes
    tail: bytes
    last: int
    depths: NDArray[np.int64]
    words: NDArray[np.int64]
    lows: NDArray[np.int64]
    highs: NDArray[np.int64]
    broken: bool = False


class Follower:
    """Follows texts through an index.

    Raises:
        InputError: for an index that folds case or space: a text cannot be folded before it is complete.
    """

    def __init__(self, index: Index) -> None:
        if index.manifest.options.fold:
            do = "build an index of the same corpus without --fold"
            raise InputError("decoding needs an index that keeps case and space", file=index.path, do=do)
        self.index = index
        self._kinds = index.classes.of
        self._corpora = [(shard.text, shard.suffixes, shard.keys) for shard in index.shards]
        self._classes = (index.classes.of, index.classes.word_edges, index.classes.mark_edges)

    def begin(self) -> Growth:
        """The empty text."""
        none = np.zeros(0, np.int64)
        several = np.zeros((len(self._corpora), 0), np.int64)
        return Growth(b"", b"", SPACE, none, none, several, several)

    def grow(self, growth: Growth, more: bytes, fallback: bool = False) -> Growth:
        """A text with the bytes of one more token (or of many, none of them a fallback token).

        Bytes that are no UTF-8 become U+FFFD, as decoding writes them.

        Args:
            fallback: whether it is a fallback token, see `TokenBytes`.
        """
        if not more or (fallback and growth.broken):
            return growth
        raw = growth.tail + more
        text, used = codecs.utf_8_decode(raw, "replace", False)
        new = text.encode()
        if fallback and new != raw[:used]:
            return replace(self.begin(), last=OTHER, broken=True)
        starts, last = self._starts(text, growth.last)
        lows, highs, depths = self._narrowed(growth, new, np.array(starts, np.int64))
        alive = (lows < highs).any(axis=0)
        words = np.concatenate([growth.words + len(starts), np.arange(len(starts), 0, -1)])[alive]
        depths = depths[alive]
        kept = (growth.text + new)[-int(depths[0]) :] if len(depths) else b""
        return Growth(kept, raw[used:], last, depths, words, lows[:, alive], highs[:, alive])

    def ends(self, growth: Growth, vocabulary: Vocabulary) -> dict[bytes, str]:
        """What tokens begin with where that completes a stretch of the corpus, with the longest such stretch.

        Stretches that lie within one token are left out; `Vocabulary.alone` has those.
        """
        if not vocabulary.lists:
            return {}
        tail = np.frombuffer(growth.tail + _PADDING, np.uint8)
        depths, words, lows, highs = growth.depths, growth.words, growth.lows, growth.highs
        point = waiting = 0
        if growth.tail:
            point, waiting = _partial(growth.tail)
            shape = (len(self._corpora), 1)
            # What the incomplete character begins, where it begins a token.
            depths, words = np.append(depths, 0), np.append(words, 0)
            lows = np.concatenate([lows, np.zeros(shape, np.int64)], axis=1)
            highs = np.concatenate([highs, np.reshape([len(one) for _, one, _ in self._corpora], shape)], axis=1)
            for (text, suffixes, _), low, high in zip(self._corpora, lows, highs, strict=True):
                narrow(text, suffixes, low, high, depths, tail, len(growth.tail))
            depths = depths + len(growth.tail)
        longest: dict[bytes, int] = {}
        needs = np.maximum(1, vocabulary.least - words)
        for need in sorted(set(needs.tolist()) & vocabulary.lists.keys()):
            known = vocabulary.lists[need]
            chosen = needs == need
            sizes, begun = depths[chosen], words[chosen]
            for (text, suffixes, _), low, high in zip(self._corpora, lows, highs, strict=True):
                where = (text, suffixes, *self._classes, known.data, known.offsets, low[chosen], high[chosen])
                rows = _met(known, *where, sizes, begun, growth.last, point, waiting, vocabulary.least)
                for start, token, depth in rows:
                    prefix = known.texts[token][:depth]
                    longest[prefix] = max(int(sizes[start]), longest.get(prefix, 0))
        written = growth.text + growth.tail
        return {prefix: (written[len(written) - size :] + prefix).decode() for prefix, size in longest.items()}

    def _starts(self, text: str, last: int) -> tuple[list[int], int]:
        """Where tokens begin in new characters, in their bytes; and the class of the last."""
        starts, at = [], 0
        for character in text:
            kind = int(self._kinds[ord(character)])
            if kind != SPACE and parted(last, kind):
                starts.append(at)
            at += len(character.encode())
            last = kind
        return starts, last

    def _narrowed(
        self, growth: Growth, new: bytes, starts: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Intervals and depths of the starts so far and of new ones, behind new bytes."""
        more = np.frombuffer(new + _PADDING, np.uint8)
        before = len(growth.depths)
        shape = (len(self._corpora), before + len(starts))
        lows, highs = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        lows[:, :before], highs[:, :before] = growth.lows, growth.highs
        number = len(starts)
        ends, last = np.full(number, len(new)), np.zeros(number, np.uint8)
        counts, ranks = np.empty(number, np.int64), np.empty((number, 2), np.int64)
        for corpus, low, high in zip(self._corpora, lows, highs, strict=True):
            if before:
                narrow(*corpus[:2], low[:before], high[:before], growth.depths, more, len(new))
            if len(starts):
                count_queries(*corpus, *self._classes, more, starts, ends, last, counts, ranks)
                low[before:], high[before:] = ranks.T
        return lows, highs, np.concatenate([growth.depths + len(new), len(new) - starts])


def _met(known: Continuations, *where: Any) -> list[list[int]]:
    """What `meet` finds, with room for all of it."""
    walk = np.empty(8 * (known.longest + 1), np.int64)
    found = np.empty((ROOM, 3), np.int64)
    number = meet(*where, walk, found)
    if number > len(found):
        found = np.empty((number, 3), np.int64)
        meet(*where, walk, found)
    rows: list[list[int]] = found[:number].tolist()
    return rows


def _partial(tail: bytes) -> tuple[int, int]:
    """Of the first bytes of a character the bits so far, and how many bytes are missing."""
    point = waiting = 0
    for byte in tail:
        point, waiting = spelled(point, waiting, byte)
    return point, waiting
