"""Text from data as HTML: escaped, its control and bidirectional characters to be seen, cut with its length said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

KEPT = "\n\t"  # what lays a text out and hides nothing
MASKED = 4  # characters of a masked text
SHADES = ("#e4e4de", "#f3e3a8", "#f6c98a", "#f2a98f", "#ea8fa0")  # rising; black text on each has a contrast above 8:1
FRAME = "white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate"

Part = tuple[int, int, int | None]  # a stretch of a text, and the span that it belongs to


class _Seen(dict[int, str]):
    """For `str.translate`: a printable character as it is, another one as its escape (`\\u202e`)."""

    def __missing__(self, code: int) -> str:
        one = chr(code)
        shown = one if one.isprintable() or one in KEPT else one.encode("unicode_escape").decode()
        self[code] = shown
        return shown


_SEEN = _Seen()


def visible(text: str) -> str:
    """A text whose control and bidirectional characters stand as escapes; line ends and tabs stay."""
    return text if text.isprintable() else text.translate(_SEEN)


def clipped(text: str, most: int) -> str:
    """A visible text of at most `most` characters of the original; a longer one says how long it is."""
    return visible(text) if len(text) <= most else f"{visible(text[:most])}… ({len(text):,} characters)"


def masked(text: str) -> str:
    """The first letters of a text and how long it is: enough to find it, too little to read it."""
    return f"{text[:MASKED]}… ({len(text):,} characters)"


def cut(length: int, spans: Sequence[tuple[int, int]], scores: Sequence[float]) -> list[Part]:
    """Parts (start, end, span) that a text of `length` falls into; where spans overlap, the one of highest score.

    Of equal scores the span that comes first has the part; neighbours of one span are one part. A span is None
    between spans.
    """
    edges = sorted({0, length, *(min(max(edge, 0), length) for span in spans for edge in span)})
    order = sorted(range(len(spans)), key=lambda n: (spans[n][0], n))
    found: list[Part] = []
    live: list[int] = []
    upcoming = 0
    for start, end in zip(edges, edges[1:], strict=False):
        live = [n for n in live if spans[n][1] > start]
        while upcoming < len(order) and spans[order[upcoming]][0] <= start:
            if spans[order[upcoming]][1] > start:
                live.append(order[upcoming])
            upcoming += 1
        best = max(live, key=lambda n: (scores[n], -n)) if live else None
        if found and found[-1][2] == best:
            found[-1] = (found[-1][0], end, best)
        else:
            found.append((start, end, best))
    return found


def tinted(text: str, parts: Iterable[Part], levels: Sequence[int], titles: Sequence[str]) -> str:
    """A text as HTML for a notebook: its spans on a background that says their level, 0 to 4, each with a title."""
    pieces = []
    for start, end, span in parts:
        inner = escape(visible(text[start:end]))
        if span is not None:
            style = f"background:{SHADES[levels[span]]};color:#111;border-radius:2px"
            inner = f'<mark style="{style}" title="{escape(visible(titles[span]))}">{inner}</mark>'
        pieces.append(inner)
    return f'<div style="{FRAME}">{"".join(pieces)}</div>'


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An HTML table for a notebook; numbers stand right, text from data is escaped."""
    head = "".join(f'<th scope="col">{escape(visible(name))}</th>' for name in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
        return f'<td style="text-align:right">{shown}</td>'
    return f'<td style="text-align:left;{FRAME}">{escape(clipped("" if value is None else str(value), 400))}</td>'
