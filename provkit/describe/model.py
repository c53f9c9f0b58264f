"""What `provkit describe` reports, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many tokens the texts have: mean, sample standard deviation (0 for one text), extremes and percentiles."""

    mean: float
    sd: float
    least: int
    p05: float
    median: float
    p95: float
    most: int


@dataclass(frozen=True, slots=True)
class TextMeasures:
    """One side of the rows of an arm, the prompts or the answers.

    Attributes:
        texts, distinct: how many there are, and how many of them differ.
        characters, tokens, types: in all; types are distinct tokens, in lower case.
        lengths: of the texts, in tokens.
        distinct_n: for n = 1, 2, 3 the distinct n-grams over all n-grams (Li et al. 2016, arXiv 1510.03055). It falls
            as a set grows: compare sets of one size.
        token_entropy: of the tokens' frequencies, in bits a token.
        text_entropy: of the whole texts' frequencies, in bits; log2(texts) where all differ.
    """

    texts: int
    distinct: int
    characters: int
    tokens: int
    types: int
    lengths: Lengths
    distinct_n: tuple[float, float, float]
    token_entropy: float
    text_entropy: float


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the training prompts lie to those of an evaluation: for each, its nearest there, from 0 to 1.

    Attributes:
        by: "trigrams" (Jaccard similarity of their sets) or "embedding" (cosine).
        equal: training prompts that stand in the evaluation word for word, letter case and white space aside.
        half: the share of training prompts whose nearest is at 0.5 or more.
        pair: the training row (arm/split/index) and the evaluation prompt (from 0) that are nearest of all.
    """

    by: str
    evaluation: int
    mean: float
    median: float
    p95: float
    most: float
    half: float
    equal: int
    pair: tuple[str, int]


@dataclass(frozen=True, slots=True)
class ArmMeasures:
    """The measures of one arm, over all its splits; a part that the rows do not have is None.

    `freedom` is the response freedom: the mean share of an answer's tokens that neither its own prompt nor another
    answer fixes (provkit.describe.measures.freedom has the definition), over the 500 rows of lowest pair_id or row_id.
    """

    arm: str
    rows: int
    splits: dict[str, int]
    prompts: TextMeasures | None
    answers: TextMeasures | None
    freedom: float | None
    near: tuple[Nearness, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """A build's measures by arm."""

    name: str
    build_id: str
    evaluation: str | None
    arms: tuple[ArmMeasures, ...]

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)
