"""Traces outputs: their maximal spans, the documents that hold them, how rare and how telling each is."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import provkit
from provkit import facts
from provkit.attribution.model import MOST_CANDIDATES, Candidate, Conflicts, Options, Rank, Traced, Verdict
from provkit.attribution.outputs import Output, read_outputs
from provkit.attribution.rank import Corpus, bm25, evidence
from provkit.attribution.tables import FILES, OUTPUTS, SPANS, matches, output_row, span_rows
from provkit.attribution.words import Words, words_of
from provkit.canonical import digest_file
from provkit.errors import InputError, ProvkitError
from provkit.index import Bci, Index, Occurrence, Span, open_index
from provkit.index.manifest import INDEX
from provkit.remote import shown
from provkit.target import writing

FILE = "trace.json"
STOPS = (". ", "! ", "? ", "\n")
BATCH = 200  # outputs at a time


def trace_outputs(
    index: Index,
    outputs: Sequence[Output],
    options: Options,
    conflicts: Conflicts | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    executor: Executor | None = None,
) -> list[Traced]:
    """Traces outputs against an open index; nothing is written.

    An `executor` gets a batch of outputs at a time, and opens the index itself: at its URL, or in its directory.
    """
    starts = range(0, len(outputs), BATCH)
    same = digest_file(index.path / INDEX)[0]
    batches = [Batch(index.place, same, str(at), tuple(outputs[at : at + BATCH]), options) for at in starts]
    done: list[Traced] = []
    if executor is None:
        corpus = Corpus.of(index)
        several: Iterable[list[Traced]] = (_batch(index, corpus, batch.outputs, options) for batch in batches)
    else:
        several = executor.map(trace_batch, batches)
    for traced in several:
        done += traced
        progress("trace", len(done), len(outputs))
    if conflicts is not None:
        _judge(index, done, options, conflicts, progress)
    for one in done:
        one.documents.sort(key=_order(options.rank))
    return done


def trace(
    index: Index,
    outputs: Path,
    out: Path,
    options: Options = Options(),  # noqa: B008  (frozen)
    conflicts: Conflicts | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    executor: Executor | None = None,
) -> dict[str, int]:
    """Traces a file of outputs into a trace directory: outputs, spans and matches as Parquet, and trace.json.

    Returns:
        How many outputs, spans, and matches there are.

    Raises:
        InputError: for outputs that cannot be read.
        ProvkitError: when `out` cannot be written; nothing half-made stays.
    """
    if options.rank == "conflict" and conflicts is None:
        raise ProvkitError("--rank conflict needs policies and embeddings\n  leave --no-embed out")
    sha256, _ = digest_file(outputs) if outputs.is_file() else ("", 0)
    read = read_outputs(outputs, options.field)
    with writing(out, stranger) as folder:
        traced = trace_outputs(index, read, options, conflicts, progress, executor)
        tables = {
            "outputs": pa.Table.from_pylist([output_row(n, one) for n, one in enumerate(traced, 1)], schema=OUTPUTS),
            "spans": pa.Table.from_pylist([row for one in traced for row in span_rows(one)], schema=SPANS),
            "matches": matches(index, traced, options),
        }
        files = {}
        for name, table in tables.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
            files[f"{name}.parquet"] = digest_file(folder / f"{name}.parquet")[0]
        said = {
            "format": 1,
            "provkit": provkit.__version__,
            "index": {"path": str(index.path.resolve()), "digest": digest_file(index.path / INDEX)[0]},
            "outputs": {"file": outputs.name, "sha256": sha256},
            "options": asdict(options),
            "conflict": conflicts.name if conflicts is not None else None,
            "files": files,
        }
        facts.write(folder / FILE, said)
    return {name: len(table) for name, table in tables.items()}


def stranger(folder: Path) -> str | None:
    """Something in a directory that no trace holds; None where there is nothing of the kind."""
    return facts.stranger(folder, {FILE, "report.html", *FILES})


@dataclass(frozen=True, slots=True)
class Batch:
    """Outputs to trace in one go, on whatever machine: place and digest of the index, and the number of the first."""

    place: str
    digest: str
    name: str
    outputs: tuple[Output, ...]
    options: Options


def trace_batch(batch: Batch) -> list[Traced]:
    """Traces a batch of outputs in a worker, which opens the index once.

    Raises:
        InputError: when another index stands there meanwhile.
    """
    index, corpus = _opened(batch.place, batch.digest)
    return _batch(index, corpus, batch.outputs, batch.options)


@lru_cache(maxsize=1)
def _opened(place: str, digest: str) -> tuple[Index, Corpus]:
    index = open_index(place, threads=1)
    if digest_file(index.path / INDEX)[0] != digest:
        raise InputError("a worker sees another index there", file=shown(place), do="name a folder that all share")
    return index, Corpus.of(index)


def _batch(index: Index, corpus: Corpus, outputs: Sequence[Output], options: Options) -> list[Traced]:
    texts = [one.text for one in outputs]
    spans = index.spans_many(texts, options.min_tokens)
    words = words_of(index, texts)
    flat = [texts[at][span.start : span.end] for at, several in enumerate(spans) for span in several]
    scored = iter(index.bci_many(flat))
    bcis = [[next(scored) for _ in several] for several in spans]
    chosen = [
        _selected(several, bci, len(one.starts), options) for several, bci, one in zip(spans, bcis, words, strict=True)
    ]
    wanted = [(at, n) for at, marks in enumerate(chosen) for n, mark in enumerate(marks) if mark]
    sought = [texts[at][spans[at][n].start : spans[at][n].end] for at, n in wanted]
    found = index.find_many(sought, options.documents * MOST_CANDIDATES, options.seed)
    held: list[dict[tuple[int, int], Candidate]] = [{} for _ in outputs]
    for (at, n), places in zip(wanted, found, strict=True):
        for place in places:
            key = (place.shard, place.document)
            one = held[at].setdefault(key, Candidate(place.shard, place.document, place.doc_id, {}))
            one.places.setdefault(n, place)
    traced = []
    for at, output in enumerate(outputs):
        _complete(index, held[at], spans[at], chosen[at], output.text, options)
        documents = _scored(index, corpus, words[at], spans[at], bcis[at], list(held[at].values()), options)
        traced.append(Traced(output, words[at], spans[at], bcis[at], chosen[at], documents, {}))
    return traced


def _selected(spans: Sequence[Span], bci: Sequence[Bci], tokens: int, options: Options) -> list[bool]:
    marks = [options.max_count is None or span.count <= options.max_count for span in spans]
    if options.select == "rarest":
        kept = math.ceil(0.05 * tokens)
        order = sorted((n for n, mark in enumerate(marks) if mark), key=lambda n: (-bci[n].bci, spans[n].start))
        rarest = set(order[:kept])
        marks = [n in rarest for n in range(len(spans))]
    return marks


def _complete(
    index: Index,
    held: dict[tuple[int, int], Candidate],
    spans: Sequence[Span],
    chosen: Sequence[bool],
    text: str,
    options: Options,
) -> None:
    """Finds, in documents that are known for one span, the other spans of which only a sample was looked up."""
    sampled = [n for n, span in enumerate(spans) if chosen[n] and span.count > options.documents * MOST_CANDIDATES]
    if not sampled or not held:
        return
    for key, one in held.items():
        missing = [n for n in sampled if n not in one.places]
        if not missing:
            continue
        whole = index.text(*key)
        for n in missing:
            sought = text[spans[n].start : spans[n].end]
            at = _standing(whole, sought, index)
            if at >= 0:
                before = len(whole[:at].encode())
                end = before + len(sought.encode())
                one.places[n] = Occurrence(one.shard, one.document, one.doc_id, at, at + len(sought), before, end)


def _standing(whole: str, sought: str, index: Index) -> int:
    """Where a text stands in a document between token boundaries; -1 where it does not."""
    from provkit.index.words import parted

    def split(at: int) -> bool:
        return at in (0, len(whole)) or parted(index.classes.of[ord(whole[at - 1])], index.classes.of[ord(whole[at])])

    at = whole.find(sought)
    while at >= 0 and not (split(at) and split(at + len(sought))):
        at = whole.find(sought, at + 1)
    return at


def _scored(
    index: Index,
    corpus: Corpus,
    words: Words,
    spans: Sequence[Span],
    bci: Sequence[Bci],
    documents: list[Candidate],
    options: Options,
) -> list[Candidate]:
    """Scores documents; BM25 only for those that may be kept, unless it comes first."""
    for one in documents:
        one.evidence = evidence(words, spans, list(one.places), corpus.documents)
        one.bci = max(bci[n].bci for n in one.places)
    documents.sort(key=lambda one: (-one.evidence, one.shard, one.document))
    most = len(documents) if options.rank == "bm25" else options.documents * MOST_CANDIDATES
    head = documents[:most]
    if head:
        tokens = words_of(index, [index.text(one.shard, one.document) for one in head])
        for one, score in zip(head, bm25(words, tokens, corpus).tolist(), strict=True):
            one.bm25 = score
    return sorted(documents, key=_order("evidence" if options.rank == "conflict" else options.rank))


def _order(rank: Rank) -> Callable[[Candidate], tuple[float, ...]]:
    def key(one: Candidate) -> tuple[float, ...]:
        conflict = max((verdict.score for verdict in one.verdicts.values()), default=-math.inf)
        scores = {"evidence": one.evidence, "bm25": one.bm25, "conflict": conflict, "bci": one.bci}
        rest = [name for name in ("evidence", "bm25", "conflict") if name != rank]
        return (-scores[rank], *(-scores[name] for name in rest), one.shard, one.document)

    return key


def _judge(
    index: Index,
    traced: Sequence[Traced],
    options: Options,
    conflicts: Conflicts,
    progress: Callable[[str, int, int], None],
) -> None:
    """Belief conflict of what will be reported: the sentences of documents and outputs around the matches."""
    wanted: dict[str, list[tuple[dict[int, Verdict], int]]] = defaultdict(list)
    for one in traced:
        for document in one.documents[: options.documents * MOST_CANDIDATES]:
            whole = index.text(document.shard, document.document)
            for n, place in document.places.items():
                wanted[sentences(whole, place.start, place.end)].append((document.verdicts, n))
        for n, span in enumerate(one.spans):
            wanted[sentences(one.output.text, span.start, span.end)].append((one.verdicts, n))
    texts = list(wanted)
    progress("belief conflict", 0, len(texts))
    for text, verdict in zip(texts, conflicts.of(texts), strict=True):
        for verdicts, n in wanted[text]:
            verdicts[n] = verdict
    progress("belief conflict", len(texts), len(texts))


def sentences(text: str, start: int, end: int, most: int = 1000) -> str:
    """The sentences that a stretch of a text touches, at most `most` characters around its middle."""
    left = max(text.rfind(mark, 0, start) + 1 for mark in STOPS)
    stops = [at for mark in STOPS if (at := text.find(mark, max(end - 1, 0))) >= 0]
    right = min(stops) + 1 if stops else len(text)
    if right - left > most:
        middle = (max(start, left) + min(end, right)) // 2
        left, right = max(left, middle - most // 2), min(right, middle + most // 2)
    return text[left:right].strip()
