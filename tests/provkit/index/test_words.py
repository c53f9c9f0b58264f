"""Token boundaries: the compiled pass is the definition, character by character."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provkit.index import words
from provkit.index.counting import COUNT, PLACE, count_tokens, lower_cased
from provkit.index.fold import lowered_sizes

Tokens = Callable[[str], list[tuple[int, int]]]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("the  car's x_9", ["the", "car", "'", "s", "x_9"]),
        ("e\u0301a \u0301b", ["e\u0301a", "\u0301b"]),
        ("か\u3099な漢字한국", ["か\u3099", "な", "漢", "字", "한", "국"]),
        ("❤\ufe0f!? 👩\u200d👧", ["❤\ufe0f", "!", "?", "👩\u200d", "👧"]),
        ("ש\u05c1לום،مرحبا", ["ש\u05c1לום", "،", "مرحبا"]),
        ("a\r\n\tb\u2028c\u3000d\u00a0e", ["a", "b", "c", "d", "e"]),
    ],
)
def test_tokens_of_scripts_that_differ(reference_tokens: Tokens, text: str, tokens: list[str]) -> None:
    assert compiled(text) == tokens == [text[a:b] for a, b in reference_tokens(text)]


def compiled(text: str) -> list[str]:
    found = words.tokenise(*words.joined([text.encode()]), words.current())
    return [found.buffer[a:b].tobytes().decode() for a, b in zip(found.starts, found.ends, strict=True)]


@given(st.lists(st.text() | st.text("ab \n.é漢か\u3099\u0301\u200d👩"), max_size=4))
@example(["\u212a \u0130\u0130"])  # lower-casing shrinks one by what the other grows
@settings(max_examples=200)
def test_the_compiled_passes_are_the_definition(reference_tokens: Tokens, texts: list[str]) -> None:
    buffer, starts = words.joined([text.encode() for text in texts])
    found = words.tokenise(buffer, starts, words.current())
    expected = [[text[a:b] for a, b in reference_tokens(text)] for text in texts]
    got = [buffer[a:b].tobytes().decode() for a, b in zip(found.starts, found.ends, strict=True)]
    assert got == [token for tokens in expected for token in tokens]
    assert np.diff(found.first).tolist() == [len(tokens) for tokens in expected]
    counted = count_tokens(buffer, words.current(), slots=2)
    assert counted.tokens == len(got)
    bits = np.unpackbits(counted.starts, bitorder="little")[: len(buffer)]
    assert np.array_equal(np.flatnonzero(bits), found.starts)
    table = lower_cased(buffer, counted.table)
    assert table["token"].to_pylist() == sorted({token.lower() for token in got})
    assert dict(zip(*table.to_pydict().values(), strict=True)) == Counter(token.lower() for token in got)
    used = counted.table[counted.table[:, COUNT] > 0]
    raw = {buffer[p >> 32 : (p >> 32) + (p & 0xFFFFFFFF)].tobytes().decode() for p in used[:, PLACE].tolist()}
    assert raw == set(got)


def test_the_table_is_the_definition_and_survives_its_file() -> None:
    classes = words.current()
    assert [words.class_of(chr(at)) for at in range(sys.maxunicode + 1)] == classes.of[:-1].tolist()
    data = classes.to_bytes()
    assert len(data) < 10_000
    again = words.Classes.from_bytes(data)
    assert np.array_equal(again.of, classes.of)
    assert np.array_equal(again.mark_edges, classes.mark_edges)
    marks = classes.of[:-1] == words.MARK
    assert np.array_equal(np.flatnonzero(np.diff(marks)) + 1, classes.mark_edges)
    for broken in (b"", data[:-1], data[4:], data[:4] * 2, data[:-4] + b"\xff\xff\xff\xff"):
        with pytest.raises(ValueError, match="no table"):
            words.Classes.from_bytes(broken)


def test_lower_case_sizes_cover_every_character() -> None:
    sizes = lowered_sizes()
    for point in range(sys.maxunicode + 1):
        if 0xD800 <= point < 0xE000:
            continue
        before, after = len(chr(point).encode()), len(chr(point).lower().encode())
        assert sizes[point] == (after if after != before else 0), unicodedata.name(chr(point))


def test_decoding_stops_at_damage() -> None:
    for bytes_ in (b"\xff", b"\xf8a", b"\xe6\xbc", b"\xc3", b""):
        assert words.decode(np.frombuffer(bytes_, np.uint8), 0) == (words.END, 1)
    assert words.decode(np.frombuffer("漢".encode(), np.uint8), 0) == (ord("漢"), 3)
