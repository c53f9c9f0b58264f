"""What `provkit aqi` reports, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """The index of one layer over the rows of one axiom, or over all rows (axiom None).

    Attributes:
        layer, axiom: where; `position` is the layer's place in the model, from 0.
        rows, safe, unsafe: how many rows there are.
        separation: CHI / (n - 2), with the interval of its bootstrap over frames or pairs.
        corrected: separation less 1 / (n - 2), its mean over independent rows when the label means nothing.
        null: its mean when the labels of each pair are exchanged at random; the null of these very rows.
        p: the permutation p-value.
        chi, xbi, davies_bouldin: the indices, with intervals.
        aqi_sum: AQI as weight / XBI + (1 - weight) CHI; `aqi_product` as (CHI / CHI_max)^weight exp(-XBI)^(1 - weight).
        dunn, silhouette: over at most 2,000 rows, without interval.
        length_auc, words_auc: how well the length, or a bag of words, tells the label across held-out frames, as
            max(AUC, 1 - AUC); None where there are too few rows to say.
    """

    layer: str
    position: int
    axiom: str | None
    rows: int
    safe: int
    unsafe: int
    separation: float
    separation_interval: Interval
    corrected: float
    null: float
    p: float
    chi: float
    chi_interval: Interval
    xbi: float
    xbi_interval: Interval
    aqi_sum: float
    aqi_sum_interval: Interval
    aqi_product: float
    davies_bouldin: float
    davies_bouldin_interval: Interval
    dunn: float
    silhouette: float
    length_auc: float | None
    words_auc: float | None


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear probe of the label that never saw one axiom or one source, tested on that.

    Attributes:
        layer, position: of what.
        by, held_out: `axiom` or `source`, and which one was held out.
        trained, rows: rows that it was fitted on, and tested on.
        auc: of the label on the held-out rows.
        control, control_most: mean and most of the same with permuted labels; an AUC within them is nothing.
    """

    layer: str
    position: int
    by: str
    held_out: str
    trained: int
    rows: int
    auc: float
    control: float
    control_most: float


@dataclass(frozen=True, slots=True)
class Placed:
    """One row beside others: how far it lies towards the unsafe mean, and where a picture would put it.

    `score` is the projection on the difference of the means at the layer that separates best, 0 at the safe mean and 1
    at the unsafe one; x and y are its first two principal components there, for illustration only.
    """

    row: int
    key: str
    row_id: str
    pair_id: str | None
    axiom: str
    safety_label: str
    source_dataset: str
    score: float
    x: float
    y: float
    excerpt: str


@dataclass(frozen=True, slots=True)
class Draws:
    """The separation of each bootstrap draw; draws of one set, seed and number are the same draws of clusters."""

    layer: str
    position: int
    axiom: str | None
    separation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How a measure of one layer and axiom went from one report to another, draw by draw.

    Attributes:
        before, after: separation.
        change: after / before - 1, with the interval of the draws' own changes.
        drift: it fell by the limit or more.
        sure: the interval lies below no change.
    """

    layer: str
    axiom: str | None
    rows: int
    before: float
    after: float
    change: float
    change_interval: Interval
    drift: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure.

    Attributes:
        draws, permutations: of bootstrap and test; 0 leaves it out.
        weight: lambda of both AQI definitions.
        most: CHI_max of `aqi_product`; where None, the largest CHI of the same axiom over the report's layers.
        controls: permuted-label controls of each probe; 0 leaves the probes out.
        seed: of all of them.
        excerpts: show the rows' texts instead of masking them.
    """

    draws: int = 1000
    permutations: int = 999
    weight: float = 0.5
    most: float | None = None
    controls: int = 20
    seed: int = 42
    excerpts: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report: what was measured, by what, the figures, and what to beware of."""

    subject: str
    representation: str
    layers: tuple[str, ...]
    figures: tuple[Figure, ...]
    probes: tuple[Probe, ...]
    placed: tuple[Placed, ...]
    draws: tuple[Draws, ...]
    best: str
    warnings: tuple[str, ...]
    facts: dict[str, Any]

    def whole(self) -> list[Figure]:
        """The figures over all rows, a layer each."""
        return [one for one in self.figures if one.axiom is None]

    def plain(self) -> dict[str, Any]:
        """The same as plain data, without the single rows."""
        found = asdict(self)
        del found["placed"], found["draws"]
        return found
