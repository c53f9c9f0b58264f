"""Measures a set in a representation, layer by layer: figures by axiom, probes, and where each row lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from provkit.aqi.confounds import baselines
from provkit.aqi.layers import Layers
from provkit.aqi.measures import (
    Floats,
    Labels,
    aqi_sum,
    chi,
    corrected,
    davies_bouldin,
    distances,
    divided,
    dunn,
    product,
    scatter,
    separation,
    silhouette,
    xbi,
)
from provkit.aqi.model import Draws, Figure, Options, Placed, Probe, Report
from provkit.aqi.placing import place
from provkit.aqi.probes import probes
from provkit.aqi.resampling import Drawn, bootstrap, interval, numbered, permute, recentred, rescaled, weights
from provkit.aqi.rows import LabelledRows

Progress = Callable[[str, int, int], None]
Baselines = tuple[float | None, float | None]

QUADRATIC = 2_000  # rows of which Dunn and silhouette are taken
LEAST_ROWS, LEAST_SOURCES = 64, 3  # of each label, and of data, below which a figure is no calibration


def measure(
    rows: LabelledRows,
    layers: Layers,
    options: Options = Options(),  # noqa: B008  (frozen)
    progress: Progress = lambda *_: None,
) -> Report:
    """Everything that `provkit aqi` reports of a set in one representation; one layer is held at a time.

    Raises:
        InputError: when a layer cannot be read, or has not one vector a row.
    """
    axioms = sorted(set(rows.axioms))
    parts: list[tuple[str | None, Labels]] = [(None, np.arange(len(rows)))]
    parts += [(axiom, rows.of(axiom)) for axiom in axioms] if len(axioms) > 1 else []
    cluster, stratum = rows.cluster, rows.stratum
    known = {}
    for number, (axiom, at) in enumerate(parts):
        known[axiom] = baselines([rows.texts[one] for one in at], rows.label[at], cluster[at])
        progress("baselines", number + 1, len(parts))
    figures: list[Figure] = []
    probed: list[Probe] = []
    placed: list[Placed] = []
    draws: list[Draws] = []
    best = (-np.inf, layers.names[0])
    for position, name in enumerate(layers.names):
        vectors = layers.read(position)
        for axiom, at in parts:
            some = vectors if len(at) == len(rows) else vectors[at]
            drawn = _drawn(some, rows.label[at], cluster[at], options)
            one = _figure(some, rows.label[at], stratum[at], few(cluster[at], QUADRATIC), drawn, options)
            draws.append(Draws(name, position, axiom, tuple(separation(drawn.scatter).tolist())))
            length, words = known[axiom]
            figures.append(replace(one, layer=name, position=position, axiom=axiom, length_auc=length, words_auc=words))
            if axiom is None and one.corrected > best[0]:
                best = one.corrected, name
                placed = list(place(vectors, rows, options.excerpts))
        if options.controls:
            probed += probes(vectors, rows, name, position, options.controls, options.seed)
        progress("layers", position + 1, len(layers.names))
    return Report(
        rows.name,
        layers.name,
        layers.names,
        tuple(scaled(figures, options)),
        tuple(probed),
        tuple(placed),
        tuple(draws),
        best[1],
        tuple(warnings(rows, known[None])),
        {
            "rows": len(rows),
            "rows_digest": rows.digest,
            "build_id": rows.build_id,
            "clustered_by": rows.clustered_by,
            "clusters": int(cluster.max()) + 1,
            "sources": sorted(set(rows.sources)),
            "made_by": dict(layers.facts),
            "options": asdict(options),
        },
    )


def _figure(vectors: Floats, label: Labels, stratum: Labels, some: Labels, drawn: Drawn, options: Options) -> Figure:
    """The measures of one part, `some` of whose rows stand for it where time grows with their square.

    What it is a part of is filled in by the caller. CHI, XBI and the sum carry the one number that separation is, so
    that their intervals follow from its own.
    """
    seen, spread = scatter(vectors, label), davies_bouldin(vectors, label)
    null = permute(vectors, label, stratum, options.permutations, options.seed)
    apart = distances(vectors[some])
    low, high = interval(recentred(separation(drawn.scatter), float(separation(seen))))
    sides = float(seen.safe * seen.unsafe) / len(label) ** 2
    slope = options.weight / sides + (1 - options.weight) * (len(label) - 2) if sides else float("nan")
    return Figure(
        layer="",
        position=0,
        axiom=None,
        rows=len(label),
        safe=int((label == 0).sum()),
        unsafe=int(label.sum()),
        separation=float(separation(seen)),
        separation_interval=(low, high),
        corrected=float(corrected(seen)),
        null=null.mean,
        p=null.p,
        chi=float(chi(seen)),
        chi_interval=(low * (len(label) - 2), high * (len(label) - 2)),
        xbi=float(xbi(seen)),
        xbi_interval=(divided(sides, high), divided(sides, low)),
        aqi_sum=float(aqi_sum(seen, options.weight)),
        aqi_sum_interval=(low * slope, high * slope),
        aqi_product=float("nan"),
        davies_bouldin=spread,
        davies_bouldin_interval=interval(rescaled(drawn.davies_bouldin, spread)),
        dunn=dunn(apart, label[some]),
        silhouette=silhouette(apart, label[some]),
        length_auc=None,
        words_auc=None,
    )


def _drawn(vectors: Floats, label: Labels, cluster: Labels, options: Options) -> Drawn:
    own = numbered(list(map(str, cluster)))
    return bootstrap(vectors, label, own, weights(int(own.max()) + 1, options.draws, options.seed))


def few(cluster: Labels, most: int) -> Labels:
    """Positions of at most so many rows: whole clusters, spread evenly over those there are."""
    if len(cluster) <= most:
        return np.arange(len(cluster))
    names, sizes = np.unique(cluster, return_counts=True)
    spread = np.argsort(np.arange(len(names)) * 0.6180339887498949 % 1, kind="stable")
    inside = np.zeros(len(names), bool)
    inside[spread[np.cumsum(sizes[spread]) <= most]] = True
    found = np.flatnonzero(inside[np.searchsorted(names, cluster)])
    return found if len(found) else np.arange(most)


def scaled(figures: list[Figure], options: Options) -> list[Figure]:
    """The figures with `aqi_product` under its CHI_max: the one given, or the largest of the same axiom over layers."""
    most: dict[str | None, float] = {}
    for one in figures:
        most[one.axiom] = max(most.get(one.axiom, 0.0), one.chi)
    return [
        replace(one, aqi_product=product(one.chi, one.xbi, options.most or most[one.axiom], options.weight))
        for one in figures
    ]


def warnings(rows: LabelledRows, known: Baselines) -> list[str]:
    """What to beware of before a figure of these rows is compared with anything."""
    found = []
    counts = np.bincount(rows.label, minlength=2)
    if counts.min() < LEAST_ROWS:
        said = f"{counts[0]:,} safe and {counts[1]:,} unsafe rows: below {LEAST_ROWS} of each a figure means little"
        found.append(said)
    sources = sorted(set(rows.sources))
    if len(sources) < LEAST_SOURCES:
        said = f"rows of {len(sources)} source{'s' * (len(sources) != 1)}: what separates may be the source; take three"
        found.append(said)
    for name, value in zip(("length", "a bag of words"), known, strict=True):
        if value is not None and value > 0.65:
            found.append(f"{name} alone tells the label (AUC {value:.2f}): separation may be no more than that")
    mixed = [name for name in sources if len({int(rows.label[at]) for at in _of(rows, name)}) == 1]
    if mixed:
        found.append(f"sources of one label alone, so that source and label cannot be told apart: {', '.join(mixed)}")
    return found


def _of(rows: LabelledRows, source: str) -> list[int]:
    return [at for at, one in enumerate(rows.sources) if one == source]
