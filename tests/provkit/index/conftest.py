"""A brute-force oracle in plain Python, and texts that are hard to tokenise."""

from __future__ import annotations

import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from provkit.index import Document, Index, build_index, open_index

settings.register_profile(
    "index", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("index")

IDEOGRAPHS = ("CJK ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA ", "HANGUL SYLLABLE ", "IDEOGRAPHIC ")


def kind(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("Z") or character.isspace():
        return "space"
    if category.startswith("M") or character == "\u200d":
        return "mark"
    if category in ("Lo", "Lm", "Nl") and unicodedata.name(character, "").startswith(IDEOGRAPHS):
        return "ideograph"
    return "word" if category[0] in "LN" or character == "_" else "other"


def boundary(before: str, after: str) -> bool:
    if before in ("word", "mark") and after in ("word", "mark"):
        return False
    return not (after == "mark" and before != "space")


def tokens(text: str) -> list[tuple[int, int]]:
    """The tokens of a text as (start, end) in characters, by the definition."""
    kinds = [kind(character) for character in text]
    cuts = [0, *(at for at in range(1, len(text)) if boundary(kinds[at - 1], kinds[at])), len(text)]
    return [(a, b) for a, b in zip(cuts, cuts[1:], strict=False) if a < b and kinds[a] != "space"]


def fold(text: str, kinds: Sequence[str]) -> tuple[str, list[int]]:
    """A folded text, and for each boundary between its characters (and its ends) the original one."""
    if "case" in kinds:
        owners = [at for at, character in enumerate(text) for _ in character.lower()]
        lowered = text.lower()
        assert len(lowered) == len(owners)
    else:
        owners, lowered = list(range(len(text))), text
    folded, starts, ends = "", [], []
    for at, character in enumerate(lowered):
        if "space" in kinds and kind(character) == "space":
            if folded.endswith(" ") and at and kind(lowered[at - 1]) == "space":
                ends[-1] = owners[at] + 1
                continue
            character = " "
        folded += character
        starts.append(owners[at])
        ends.append(owners[at] + 1)
    return folded, [starts, ends]


class Oracle:
    """Counts, occurrences and maximal spans of documents by comparing substrings."""

    def __init__(self, documents: Sequence[str], kinds: Sequence[str] = ()) -> None:
        self.kinds = kinds
        self.folded = [fold(document, kinds) for document in documents]
        self.stretches: Counter[str] = Counter()
        for text, _ in self.folded:
            found = tokens(text)
            self.stretches.update(text[a:b] for at, (a, _) in enumerate(found) for _, b in found[at:])

    def query(self, text: str) -> str:
        text = fold(text, self.kinds)[0]
        found = tokens(text)
        return text[found[0][0] : found[-1][1]] if found else ""

    def count(self, text: str) -> int:
        query = self.query(text)
        return self.stretches[query] if query else 0

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(document, start, end) in original characters."""
        query = self.query(text)
        places = []
        for number, (folded, (starts, ends)) in enumerate(self.folded):
            found = tokens(folded)
            last = {b for _, b in found}
            for a, _ in found:
                if query and folded.startswith(query, a) and a + len(query) in last:
                    places.append((number, starts[a], ends[a + len(query) - 1]))
        return places

    def spans(self, output: str, least: int = 1) -> list[tuple[int, int, int, int]]:
        """(start, end, tokens, count) in original characters of the output."""
        folded, (starts, ends) = fold(output, self.kinds)
        found = tokens(folded)
        matching = {
            (i, j)
            for i, (a, _) in enumerate(found)
            for j, (_, b) in enumerate(found[i:], i)
            if folded[a:b] in self.stretches
        }
        # What contains a matching span and matches contains its neighbour by one token, which then matches too.
        maximal = [(i, j) for i, j in matching if (i - 1, j) not in matching and (i, j + 1) not in matching]
        return [
            (
                starts[found[i][0]],
                ends[found[j][1] - 1],
                j - i + 1,
                self.stretches[folded[found[i][0] : found[j][1]]],
            )
            for i, j in sorted(maximal)
            if j - i + 1 >= least
        ]


Opener = Callable[..., "contextmanager[Index]"]


@contextmanager
def opened(documents: Sequence[str], **options: object) -> Iterator[Index]:
    """An index of documents in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "index")
        build_index([Document(text) for text in documents], path, **options)
        yield open_index(path, threads=1)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PROVKIT_CACHE", str(path))
    return path


@pytest.fixture
def oracle() -> type[Oracle]:
    return Oracle


@pytest.fixture
def index_of() -> Opener:
    return opened


@pytest.fixture
def reference_tokens() -> Callable[[str], list[tuple[int, int]]]:
    return tokens
