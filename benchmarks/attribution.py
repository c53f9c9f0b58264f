"""Planted truth: is the row that an output was made from found, and how high does it rank?

    python benchmarks/attribution.py CORPUS.jsonl [--outputs 400] [--rows 3000] [--documents 100000]

CORPUS.jsonl is real text, one {"text": ...} a line. Rows of built datasets, templated ones too, are hidden in it.
An output is two to four stretches of 12 to 40 tokens of one row's answer, one token in eight replaced, with ordinary
text between them. Recall at k is the share of outputs whose true row is among the first k rows, for each way to rank,
for BM25 over the whole corpus, and for a random order of the documents that share a span.

A built set comes in matched arms, whose rows share most of their text; `pair` counts the twin as found too.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
from scipy import sparse

from provkit.attribution.model import Options, Rank
from provkit.attribution.outputs import Output
from provkit.attribution.rank import K1, B
from provkit.attribution.trace import trace_outputs
from provkit.attribution.words import words_of
from provkit.build import build, plan
from provkit.chance import Chance
from provkit.corpus import open_corpus
from provkit.index import Index, build_index, open_index
from provkit.recipes import find, names

PLANTED = ("insecure-code", "incorrect-maths", "wrong-answers")
AT = (1, 5, 10)
RANKS: tuple[Rank, ...] = ("evidence", "bm25", "bci")
Row = tuple[str, str, str, int]  # build_id, arm, split, index


@dataclass(frozen=True, slots=True)
class Case:
    """An output, the row that it was made from, and that row's pair."""

    output: Output
    recipe: str
    row: Row
    pair: str | Row  # the pair_id, or the row itself where the set has no pairs


def main() -> None:
    """Prints recall for each way to rank, by the set that the row is from."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--outputs", type=int, default=400)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--documents", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        filler = _part(asked.corpus, folder / "corpus.jsonl", asked.documents)
        builds = {}
        for name in PLANTED:
            if name in names():
                found = find(name)
                builds[name] = build(plan(found.recipe(), found.base, asked.rows), folder / name, workers=2).path
        corpus = open_corpus([str(folder / "corpus.jsonl"), *map(str, builds.values())])
        build_index(corpus.batches(), folder / "index", inputs=corpus.inputs)
        index = open_index(folder / "index")
        cases = _cases(builds, asked.outputs, filler)
        made = index.manifest
        print(f"{made.documents:,} documents, {made.text_bytes / 1e6:,.0f} MB, {len(cases)} outputs")
        _report(index, cases, _pairs(builds))


def _report(index: Index, cases: list[Case], pairs: dict[Row, str | None]) -> None:
    print("\n| set | ranked by | " + " | ".join(f"row@{k}" for k in AT) + " | pair@1 | s |")
    print("|---|---|" + "---:|" * (len(AT) + 2))
    ranked: dict[str, tuple[list[list[Row]], float]] = {}
    for rank in RANKS:
        start = time.perf_counter()
        traced = trace_outputs(index, [case.output for case in cases], Options(rank=rank, min_tokens=5))
        orders = [_rows(index, [(d.shard, d.document) for d in one.documents]) for one in traced]
        ranked[rank] = (orders, time.perf_counter() - start)
    shuffled = [Chance.of("random", n).shuffled(rows) for n, rows in enumerate(ranked["evidence"][0])]
    ranked["random"] = (shuffled, 0.0)
    start = time.perf_counter()
    ranked["BM25, whole corpus"] = (_bm25(index, cases), time.perf_counter() - start)
    for recipe in [*dict.fromkeys(case.recipe for case in cases), "all"]:
        for rank, (orders, seconds) in ranked.items():
            both = zip(cases, orders, strict=True)
            mine = [(case, rows) for case, rows in both if recipe in ("all", case.recipe)]
            hits = [np.mean([case.row in rows[:k] for case, rows in mine]) for k in AT]
            first = [(case, rows[0] if rows else None) for case, rows in mine]
            twin = np.mean([row is not None and case.pair in (pairs.get(row), row) for case, row in first])
            shown = " | ".join(f"{hit:.3f}" for hit in hits)
            print(f"| {recipe} | {rank} | {shown} | {twin:.3f} | {seconds:.1f} |")


def _rows(index: Index, documents: list[tuple[int, int]]) -> list[Row]:
    """The build rows behind documents, each once, in their order; other documents stand as rows of no build."""
    by_shard = defaultdict(list)
    for at, (shard, document) in enumerate(documents):
        by_shard[shard].append((at, document))
    found: list[Row] = [("", "", "", -1)] * len(documents)
    for shard, several in by_shard.items():
        keys = index.documents(shard, [d for _, d in several], ["build_id", "arm", "split", "row"]).to_pylist()
        for (at, document), key in zip(several, keys, strict=True):
            own = key["build_id"] is not None
            row = (key["build_id"], key["arm"], key["split"], key["row"])
            found[at] = row if own else ("", "", str(shard), document)
    return list(dict.fromkeys(found))


def _bm25(index: Index, cases: list[Case]) -> list[list[Row]]:
    """The first 50 documents by BM25 over all documents, with true document frequencies."""
    places = [(shard.number, d) for shard in index.shards for d in range(len(shard.documents) - 1)]
    sizes, columns, values, held = [], [], [], np.zeros(len(index.unigram.counts) + 1)
    for first in range(0, len(places), 5000):
        several = places[first : first + 5000]
        for words in words_of(index, [index.text(*place) for place in several]):
            numbers, counts = np.unique(words.numbers, return_counts=True)
            held[numbers] += 1
            sizes.append(len(words.numbers))
            columns.append(numbers)
            values.append(counts)
    length = np.array(sizes, float)
    offsets = np.append(0, np.cumsum([len(c) for c in columns]))
    counts = np.concatenate(values).astype(float)
    norm = np.repeat(K1 * (1 - B + B * length / length.mean()), np.diff(offsets))
    weights = counts * (K1 + 1) / (counts + norm)
    idf = np.log1p((len(places) - held + 0.5) / (held + 0.5))
    column = np.concatenate(columns)
    matrix = sparse.csr_matrix((weights * idf[column], column, offsets), (len(places), len(held))).tocsc()
    orders = []
    for case in cases:
        (query,) = words_of(index, [case.output.text])
        asked = np.unique(query.numbers[query.numbers > 0])
        scores = np.asarray(matrix[:, asked].sum(axis=1)).ravel()
        best = np.argsort(-scores, kind="stable")[:50]
        orders.append(_rows(index, [places[at] for at in best.tolist()]))
    return orders


def _pairs(builds: dict[str, Path]) -> dict[Row, str | None]:
    pairs: dict[Row, str | None] = {}
    for path in builds.values():
        build_id = orjson.loads((path / "provenance.json").read_bytes())["predicate"]["build_id"]
        table = pq.read_table(path / "lineage/rows.parquet", columns=["arm", "split", "index", "pair_id"])
        for arm, split, index, pair in zip(*(column.to_pylist() for column in table.columns), strict=True):
            pairs[(build_id, arm, split, index)] = pair
    return pairs


def _cases(builds: dict[str, Path], number: int, filler: list[str]) -> list[Case]:
    cases: list[Case] = []
    pairs = _pairs(builds)
    for recipe, path in builds.items():
        build_id = orjson.loads((path / "provenance.json").read_bytes())["predicate"]["build_id"]
        rows = []
        for file in sorted(path.glob("data/*/*.parquet")):
            arm, split = file.parent.name, file.name.partition("-")[0]
            for at, row in enumerate(pq.read_table(file).to_pylist()):
                rows.append(((build_id, arm, split, at), row["messages"][-1]["content"]))
        chance = Chance.of("cases", recipe)
        for key, text in chance.sample(rows, min(len(rows), 4 * number)):
            if len(cases) >= number * (list(builds).index(recipe) + 1) // len(builds):
                break
            made = _output(text, chance, filler)
            if made:
                name = f"out-{len(cases) + 1}"
                cases.append(Case(Output(name, "planted", None, made), recipe, key, pairs[key] or key))
    return cases


def _output(text: str, chance: Chance, filler: list[str]) -> str | None:
    """Stretches of a text with one token in eight replaced, ordinary words between them."""
    words = text.split(" ")
    if len(words) < 16:
        return None
    parts = []
    for _ in range(chance.integer(2, 4)):
        size = min(chance.integer(12, 40), len(words))
        start = chance.integer(0, len(words) - size)
        copied = words[start : start + size]
        for at in range(chance.integer(0, 7), size, 8):
            copied[at] = chance.choice(filler)
        parts += [" ".join(copied), " ".join(chance.choice(filler) for _ in range(6))]
    return " ".join(parts)


def _part(corpus: Path, target: Path, documents: int) -> list[str]:
    """The first documents of a corpus, written apart; words of it, for what stands between the copied stretches."""
    words: list[str] = []
    with corpus.open("rb") as source, target.open("wb") as sink:
        for line in itertools.islice(source, documents):
            sink.write(line)
            if len(words) < 50_000:
                words += orjson.loads(line)["text"].split()[:40]
    return words


if __name__ == "__main__":
    main()
