"""Weights of the CBD loss: the excess BCI of corpus spans in a text, spread over the model tokens that they touch."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass

from provkit.defences.shield import Shield
from provkit.defences.token_bytes import TokenBytes

KEPT = 200_000  # completions whose weights are remembered


@dataclass(frozen=True, slots=True)
class Excess:
    """A corpus span of a text: where it stands, in characters, and how far its BCI is above tau, in nats."""

    start: int
    end: int
    excess: float


def excesses(shield: Shield, texts: Sequence[str]) -> list[list[Excess]]:
    """The spans of each text that count, with max(0, BCI - tau).

    A span counts where the shield's rule holds it against the text: under a rule with `tau` where its BCI is above tau,
    as in TRACEALIGN; otherwise where its percentile and belief conflict say so, and then tau is 0.
    """
    tau = shield.rule.tau if shield.rule.tau is not None else 0.0
    return [
        [
            Excess(mark.span.start, mark.span.end, max(0.0, mark.bci.bci - tau))
            for mark in ruling.marks
            if mark.refused and mark.bci.bci > tau
        ]
        for ruling in shield.check_many(texts)
    ]


def released_penalty(shield: Shield, texts: Sequence[str]) -> float:
    """The released penalty of texts, before lambda: the sum over them and their spans of max(0, BCI - tau), in nats."""
    return sum(one.excess for several in excesses(shield, texts) for one in several)


def pieces(tokens: TokenBytes, ids: Sequence[int]) -> tuple[str, list[tuple[int, int]]]:
    """The text of tokens, and where each stands in it, as [start, end) in characters.

    Tokens that only together make a character all get its place; those that are no text get an empty one. Bytes that
    are no UTF-8 read as U+FFFD.
    """
    decoder = getincrementaldecoder("utf-8")("replace")
    text: list[str] = []
    places: list[tuple[int, int]] = []
    length = 0
    waiting: list[int] = []  # tokens whose bytes end within a character
    for at, token in enumerate(ids):
        data = tokens.of[token] if token < len(tokens.of) else b""
        piece = decoder.decode(data)
        places.append((length, length + len(piece)))
        if piece:
            for before in waiting:
                places[before] = (length, length + 1)
            waiting.clear()
            text.append(piece)
            length += len(piece)
        elif data:
            waiting.append(at)
    text.append(decoder.decode(b"", final=True))
    for before in waiting:
        places[before] = (length, length + len(text[-1]))
    return "".join(text), places


def spread(spans: Sequence[Excess], places: Sequence[tuple[int, int]]) -> list[float]:
    """A weight for each token: every span's excess in even parts on the tokens that it touches, added up.

    The weights sum to the sum of the excesses, for each span touches a token.
    """
    weights = [0.0] * len(places)
    for span in spans:
        touched = [n for n, (start, end) in enumerate(places) if start < end and start < span.end and span.start < end]
        for n in touched:
            weights[n] += span.excess / len(touched)
    return weights


class TokenWeights:
    """Weights of completions by their token ids, each looked up once.

    Args:
        shield: the index, and the rule that says which spans count.
        tokens: of the model's tokenizer.
    """

    def __init__(self, shield: Shield, tokens: TokenBytes) -> None:
        self.shield = shield
        self.tokens = tokens
        self._known: dict[tuple[int, ...], list[float]] = {}

    def of(self, completions: Sequence[Sequence[int]]) -> list[list[float]]:
        """For each completion a weight in nats for each of its tokens."""
        keys = [tuple(ids) for ids in completions]
        if len(self._known) > KEPT:
            self._known.clear()
        missing = [key for key in dict.fromkeys(keys) if key not in self._known]
        read = [pieces(self.tokens, key) for key in missing]
        found = excesses(self.shield, [text for text, _ in read]) if read else []
        for key, (_, places), spans in zip(missing, read, found, strict=True):
            self._known[key] = spread(spans, places)
        return [self._known[key] for key in keys]

    def released_penalty(self, completions: Sequence[Sequence[int]]) -> float:
        """The released penalty of the text of these tokens, averaged over the completions; 0 without any."""
        texts = [pieces(self.tokens, ids)[0] for ids in completions]
        return released_penalty(self.shield, texts) / len(texts) if texts else 0.0
