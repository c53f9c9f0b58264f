"""A trace of outputs against small corpora whose answers are worked out by hand or by brute force."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from provkit.attribution.model import Options, Verdict
from provkit.attribution.outputs import Output
from provkit.attribution.rank import Corpus, bm25, evidence
from provkit.attribution.trace import sentences, trace, trace_outputs
from provkit.attribution.words import words_of
from provkit.errors import ProvkitError
from provkit.index import Document, Index, Span, build_index, open_index

TEXTS = (
    "The red fox runs over the hill at dawn.",
    "A red fox runs over the bridge at noon.",
    "The hill at dawn is quiet and cold.",
    "Nothing of the kind stands here.",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("trace") / "index"
    build_index([Document(text, {"source": "corpus", "row": n}) for n, text in enumerate(TEXTS)], path)
    return open_index(path)


def output(text: str) -> Output:
    return Output("out-1", "memory", None, text)


def test_spans_documents_and_evidence_by_hand(index: Index) -> None:
    (one,) = trace_outputs(index, [output("I saw: red fox runs over the hill at dawn, twice")], Options(min_tokens=3))
    assert [one.output.text[s.start : s.end] for s in one.spans] == ["red fox runs over the hill at dawn"]
    (span,) = one.spans
    assert (span.tokens, span.count) == (8, 1)
    assert [(d.document, d.evidence) for d in one.documents] == [(0, pytest.approx(8 * math.log(1 + len(TEXTS))))]


def test_evidence_takes_the_rarest_span_that_covers_a_token(index: Index) -> None:
    (words,) = words_of(index, ["a b c d"])
    spans = [Span(0, 5, 0, 5, 3, 2), Span(4, 7, 4, 7, 2, 5)]  # a b c (twice in the corpus), c d (five times)
    assert evidence(words, spans, [0], 10) == pytest.approx(3 * math.log(6))
    assert evidence(words, spans, [0, 1], 10) == pytest.approx(3 * math.log(6) + math.log(3))
    assert evidence(words, spans, [], 10) == 0.0


def test_a_long_copy_that_rows_share_outweighs_a_few_words_that_stand_once(index: Index) -> None:
    (words,) = words_of(index, [" ".join(f"w{n}" for n in range(40))])
    ends = [*words.starts[1:], words.starts[-1] + 3]
    shared, rare = Span(0, int(ends[29]), 0, int(ends[29]), 30, 50), Span(0, int(ends[4]), 0, int(ends[4]), 5, 1)
    assert evidence(words, [shared], [0], 100_000) > evidence(words, [rare], [0], 100_000)


def test_bm25_is_its_formula(index: Index) -> None:
    corpus = Corpus.of(index)
    query, *documents = words_of(index, ["red hill unknownword", *TEXTS])
    scores = bm25(query, documents, corpus)
    number, total = len(TEXTS), index.unigram.total

    def idf(token: str) -> float:
        count = int(index.unigram.counts_of([token])[0])
        held = number * (1 - math.exp(-count / number))
        return math.log(1 + (number - held + 0.5) / (held + 0.5))

    def expected(text: str, tokens: int) -> float:
        words = text.lower().replace(".", " .").split()
        norm = 1.2 * (1 - 0.75 + 0.75 * tokens / (total / number))
        return sum(idf(t) * words.count(t) * 2.2 / (words.count(t) + norm) for t in ("red", "hill"))

    assert scores == pytest.approx([expected(t, len(w.numbers)) for t, w in zip(TEXTS, documents, strict=True)])


def test_frequent_spans_are_left_out_only_when_asked(index: Index) -> None:
    text = "red fox runs over the"
    assert [s.count for s in trace_outputs(index, [output(text)], Options(min_tokens=3))[0].spans] == [2]
    (one,) = trace_outputs(index, [output(text)], Options(min_tokens=3, max_count=1))
    assert one.selected == [False]
    assert one.documents == []


def test_the_rarest_are_a_twentieth_of_the_tokens_by_unigram_probability(index: Index) -> None:
    text = "red fox runs over the hill. Also: and cold. Also: hill at dawn is quiet"
    (one,) = trace_outputs(index, [output(text)], Options(min_tokens=2, select="rarest"))
    tokens = len(one.words.starts)
    assert sum(one.selected) == math.ceil(0.05 * tokens) == 1
    assert one.selected.index(True) == int(np.argmax([bci.bci for bci in one.bci]))


def test_a_sampled_span_is_found_in_documents_known_for_another(tmp_path: Path) -> None:
    texts = [f"shared words stand in every row, number {n}" for n in range(300)]
    texts[250] += " and the one true secret phrase here"
    build_index([Document(text) for text in texts], tmp_path / "index")
    wanted = output("shared words stand in every row | the one true secret phrase here")
    (one,) = trace_outputs(open_index(tmp_path / "index"), [wanted], Options(min_tokens=4, documents=2))
    first = one.documents[0]
    assert first.document == 250
    assert set(first.places) == {0, 1}, "the frequent span was only sampled, but the document holds it too"
    assert first.evidence == pytest.approx(6 * math.log(1 + 300) + 6 * math.log(1 + 300 / 300))


def test_ranks_and_ties() -> None:
    assert sentences("One. Two is here. Three", 10, 12) == "Two is here."
    assert sentences("no stop at all", 3, 7) == "no stop at all"
    assert len(sentences("x" * 5000, 2400, 2500)) == 1000


class Fixed:
    """Policies whose verdict follows from a word of the text."""

    name = "fixed"

    def of(self, texts: list[str]) -> list[Verdict]:
        return [Verdict("p", "c", 1.0 if "bridge" in text else -1.0, "s") for text in texts]


def test_rank_by_conflict(index: Index) -> None:
    options = Options(min_tokens=3, rank="conflict")
    (one,) = trace_outputs(index, [output("red fox runs over the")], options, Fixed())  # type: ignore[arg-type]
    assert [d.document for d in one.documents] == [1, 0]


def test_the_directory_is_whole_and_replaced_whole(index: Index, tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_bytes(orjson.dumps({"output": "red fox runs over the hill"}) + b"\n")
    made = trace(index, tmp_path / "o.jsonl", tmp_path / "t", Options(min_tokens=3))
    assert made == {"outputs": 1, "spans": 1, "matches": 1}
    (match,) = pq.read_table(tmp_path / "t/matches.parquet").to_pylist()
    assert (match["left"], match["match"], match["right"]) == ("The ", "red fox runs over the hill", " at dawn.")
    assert (match["source"], match["row"], match["rank"]) == ("corpus", 0, 1)
    before = {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    trace(index, tmp_path / "o.jsonl", tmp_path / "t", Options(min_tokens=3))
    assert {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()} == before
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "mine.txt").write_text("keep")
    with pytest.raises(ProvkitError, match=r"mine\.txt"):
        trace(index, tmp_path / "o.jsonl", tmp_path / "strange")
    with pytest.raises(ProvkitError, match="needs policies"):
        trace(index, tmp_path / "o.jsonl", tmp_path / "t", Options(rank="conflict"))


def test_documents_without_the_columns_of_a_corpus_are_traced(tmp_path: Path) -> None:
    build_index([Document(text) for text in TEXTS], tmp_path / "bare")
    (tmp_path / "o.jsonl").write_bytes(orjson.dumps({"output": "red fox runs over the hill"}) + b"\n")
    trace(open_index(tmp_path / "bare"), tmp_path / "o.jsonl", tmp_path / "t", Options(min_tokens=3))
    (match,) = pq.read_table(tmp_path / "t/matches.parquet").to_pylist()
    assert (match["match"], match["source"], match["row"]) == ("red fox runs over the hill", None, None)
