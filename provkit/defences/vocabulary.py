"""A vocabulary made ready for a veto: its tokens in order of their bytes, and those that hold whole stretches."""

from __future__ import annotations

import codecs
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from provkit.defences.token_bytes import TokenBytes
from provkit.index.stepping import Continuations, closing
from provkit.index.words import IDEOGRAPH, OTHER, Classes, Tokens, joined, parted, tokenise


class Vocabulary:
    """The tokens of a model, for stretches of at least `least` words.

    Attributes:
        least: as given.
        lists: for n = 1, 2, ... the tokens with which n words can begin; a start that is `n` words short needs those.

    Args:
        tokens: the bytes of each token.
        classes: of the index.
        least: the fewest words of a stretch.
    """

    def __init__(self, tokens: TokenBytes, classes: Classes, least: int) -> None:
        self.least = least
        self._classes = classes
        numbered = [(text, number) for number, text in enumerate(tokens.of) if text]
        # A token may begin and end inside a character.
        bodies = [text.lstrip(bytes(range(0x80, 0xC0))) for text, _ in numbered]
        self._texts = [codecs.utf_8_decode(body, "replace", False)[0].encode() for body in bodies]
        self._whole = [len(body) == len(text) for body, (text, _) in zip(bodies, numbered, strict=True)]
        self._numbers = [number for _, number in numbered]
        self._found = tokenise(*joined(self._texts), classes)
        most = np.diff(self._found.first) + ~np.array(self._whole, bool)
        self.lists = {
            need: Continuations.of([numbered[at] for at in np.flatnonzero(most >= need).tolist()])
            for need in range(1, min(least, int(most.max(initial=0))) + 1)
        }
        self._rich = np.flatnonzero(most >= least).tolist()
        self._alone: dict[int, NDArray[np.int64]] = {}

    def settle(self, vetoed: Callable[[Sequence[str]], Iterable[str]]) -> None:
        """Finds the tokens that complete a vetoed stretch whatever stands before them, or where a word begins there.

        Args:
            vetoed: of some texts those that stand in the corpus and are vetoed.
        """
        anywhere: dict[str, set[int]] = {}
        at_start: dict[str, set[int]] = {}
        for at in self._rich:
            for first, text in self._stretches(self._found, at):
                kind = at_start if first and self._whole[at] else anywhere
                kind.setdefault(text, set()).add(at)
        bad = set(vetoed([*{**anywhere, **at_start}]))
        always = {at for text in bad for at in anywhere.get(text, ())}
        begun = {at for text in bad for at in at_start.get(text, ())}
        for before in range(OTHER, IDEOGRAPH + 1):
            here = always | {at for at in begun if parted(before, self._kind(at))}
            self._alone[before] = np.array(sorted(self._numbers[at] for at in here), np.int64)

    def alone(self, last: int) -> NDArray[np.int64]:
        """The tokens that hold a vetoed stretch themselves, behind a character of this class."""
        return self._alone[last]

    def closing(self, prefix: bytes, last: int) -> NDArray[np.int64]:
        """The tokens that begin with these bytes, a token of the text ending there: at once, or by what follows.

        Args:
            last: the class of the last character of `prefix`.
        """
        every = self.lists[1]
        first = bisect_left(every.texts, prefix)
        behind = bisect_right(every.texts, prefix, first, key=lambda text: text[: len(prefix)])
        ends = np.empty(behind - first, np.bool_)
        closing(every.data, every.offsets, self._classes.of, first, behind, len(prefix), last, ends)
        return every.ids[first:behind][ends]

    def _kind(self, at: int) -> int:
        return int(self._classes.of[ord(self._texts[at].decode()[0])])

    def _stretches(self, found: Tokens, at: int) -> Iterable[tuple[bool, str]]:
        """The stretches of enough words within one token, and whether each begins where the token does."""
        text = self._texts[at]
        here = slice(int(found.first[at]), int(found.first[at + 1]))
        starts = (found.starts[here] - found.begins[at]).tolist()
        ends = (found.ends[here] - found.begins[at]).tolist()
        for number, start in enumerate(starts):
            for end in ends[number + self.least - 1 :]:
                yield start == 0, text[start:end].decode()
