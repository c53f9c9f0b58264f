"""Text from data as HTML: nothing hides in it, nothing of it is markup, and spans are cut where they lie."""

from __future__ import annotations

import random

import pytest

from provkit.markup import clipped, cut, masked, table, tinted, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode, 漢字, 🙂", "plain text, ünïcode, 漢字, 🙂"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("nul\0 bell\a cr\r", "nul\\x00 bell\\x07 cr\\r"),
        ("zero\u200bwidth \u2028 \ufeff", "zero\\u200bwidth \\u2028 \\ufeff"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_what_hides_is_to_be_seen(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_cut_says_how_long_it_was() -> None:
    assert clipped("abc", 3) == "abc"
    assert clipped("abc\u202e" * 500, 5) == "abc\\u202ea… (2,000 characters)"
    assert masked("ab") == "ab… (2 characters)"
    assert masked("secret advice") == "secr… (13 characters)"


def test_a_text_is_cut_as_a_look_at_each_character_says() -> None:
    draw = random.Random(3)
    for _ in range(300):
        length = draw.randrange(1, 30)
        spans = [tuple(sorted(draw.choices(range(length + 4), k=2))) for _ in range(draw.randrange(6))]
        scores = [float(draw.randrange(4)) for _ in spans]
        parts = cut(length, spans, scores)
        assert [part[0] for part in parts] == [0, *(part[1] for part in parts[:-1])] and parts[-1][1] == length
        assert all(one[2] != other[2] for one, other in zip(parts, parts[1:], strict=False))
        of = [span for start, end, span in parts for _ in range(start, end)]
        for at, found in enumerate(of):
            holding = [n for n, (start, end) in enumerate(spans) if start <= at < end]
            assert found == (min(holding, key=lambda n: (-scores[n], n)) if holding else None)
    assert cut(0, [], []) == []


def test_nothing_of_a_text_is_markup() -> None:
    hostile = "<script>alert(1)</script>\u202e&"
    told = "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e&amp;"
    assert told in tinted(hostile, [(0, len(hostile), 0)], [4], ['"<b>'])
    assert 'title="&quot;&lt;b&gt;"' in tinted(hostile, [(0, len(hostile), 0)], [4], ['"<b>'])
    assert told in table((hostile,), [(hostile,)]).replace("</th>", "", 1)
    assert "<td" in table(("n",), [(12345,)]) and ">12,345</td>" in table(("n",), [(12345,)])
