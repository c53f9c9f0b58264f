"""The measures themselves, on numbered tokens: lengths, distinct-n, entropy, response freedom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from provkit.describe.model import Lengths, TextMeasures
from provkit.describe.tokens import Texts, dense, grams

FREEDOM_GRAM = 4  # tokens that must agree in a row before they count as fixed


def measure(texts: Sequence[str], tokens: Texts) -> TextMeasures:
    """All measures of texts, of which there must be one at least; `tokens` are the same texts."""
    one, two, three = (distinct_n(tokens, n) for n in (1, 2, 3))
    counts = np.bincount(tokens.ids)
    return TextMeasures(
        texts=len(texts),
        distinct=len(set(texts)),
        characters=sum(map(len, texts)),
        tokens=len(tokens.ids),
        types=int((counts > 0).sum()),
        lengths=lengths(tokens.sizes),
        distinct_n=(one, two, three),
        token_entropy=entropy(counts),
        text_entropy=entropy(np.array(list(Counter(texts).values()))),
    )


def lengths(sizes: NDArray[np.int64]) -> Lengths:
    """Percentiles are interpolated linearly, as numpy does."""
    low, middle, high = (float(value) for value in np.percentile(sizes, [5, 50, 95]))
    sd = float(sizes.std(ddof=1)) if len(sizes) > 1 else 0.0
    return Lengths(float(sizes.mean()), sd, int(sizes.min()), low, middle, high, int(sizes.max()))


def distinct_n(tokens: Texts, n: int) -> float:
    """Distinct n-grams over all n-grams (Li et al. 2016, arXiv 1510.03055); 0 where there are none."""
    found = grams(tokens, n).number
    return len(np.unique(found)) / len(found) if len(found) else 0.0


def entropy(counts: NDArray[np.int64]) -> float:
    """Shannon entropy in bits of the distribution that these counts make: - sum p log2 p, the plug-in estimate."""
    held = counts[counts > 0]
    if len(held) < 2:
        return 0.0
    share = held / held.sum()
    return float(-(share * np.log2(share)).sum())


def freedom(prompts: Texts, answers: Texts) -> float:
    """Response freedom, from 0 (all fixed) to 1: ours, for "room for coherent completions" of arXiv 2605.12798.

    A token of an answer is fixed when it lies in a run of four tokens that stands in the answer's own prompt too, or in
    another answer of the set; an answer of fewer tokens counts as one run. The freedom is the share of tokens that are
    not fixed, averaged over the answers that have tokens. It falls as a set grows: compare sets of one size, as
    `describe` does by taking 500 rows.
    """
    total = len(answers)
    found = grams(answers.joined(prompts), FREEDOM_GRAM, short=True)
    number = dense(found.number)
    ours = found.text < total
    fixed = _shared(number[ours], found.text[ours])
    asked = _keys(number[~ours], found.text[~ours] - total)
    fixed |= np.isin(_keys(number[ours], found.text[ours]), asked)
    fixed |= _short_inside(prompts, answers)[found.text[ours]]
    covered = np.zeros(len(answers.ids) + 1, np.int64)
    np.add.at(covered, found.place[ours][fixed], 1)
    np.add.at(covered, (found.place[ours] + found.sizes[ours])[fixed], -1)
    free = np.cumsum(covered)[:-1] == 0
    sizes = answers.sizes
    kept = np.add.reduceat(np.append(free, False), answers.bounds[:-1])[sizes > 0] if total else np.empty(0)
    return float((kept / sizes[sizes > 0]).mean()) if (sizes > 0).any() else 0.0


def _shared(number: NDArray[np.int64], text: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which grams stand in two texts or more."""
    if not len(number):
        return np.zeros(0, bool)
    first = np.unique(_keys(number, text), return_index=True)[1]  # each gram once a text
    several = np.bincount(number[first], minlength=int(number.max()) + 1) > 1
    return np.asarray(several[number])


def _keys(number: NDArray[np.int64], text: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for a gram and a text; both stay below 2**31."""
    return number << 32 | text


def _short_inside(prompts: Texts, answers: Texts) -> NDArray[np.bool_]:
    """Which answers are shorter than a run, and stand in their own prompt as they are."""
    inside = np.zeros(len(answers), bool)
    for at in np.flatnonzero((answers.sizes > 0) & (answers.sizes < FREEDOM_GRAM)):
        answer = answers.ids[answers.bounds[at] : answers.bounds[at + 1]]
        prompt = prompts.ids[prompts.bounds[at] : prompts.bounds[at + 1]]
        if len(prompt) >= len(answer):
            windows = np.lib.stride_tricks.sliding_window_view(prompt, len(answer))
            inside[at] = bool((windows == answer).all(axis=1).any())
    return inside
