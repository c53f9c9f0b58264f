"""Counts, occurrences and maximal spans are those of a brute-force comparison."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.index import open_index

PARTS = (
    *(
        "a",
        "b",
        "car",
        "cartoon",
        "the",
        "_",
        "0",
        "x9",
        " ",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\u3000",
        "\u2028",
    ),
    *(
        ".",
        ",",
        "'",
        "-",
        "\x00",
        "é",
        "e\u0301",
        "\u0301",
        "\u200d",
        "か",
        "か\u3099",
        "ガ",
        "ー",
        "漢",
        "字",
        "々",
    ),
    *(
        "한",
        "국",
        "ᄒ",
        "ש",
        "ש\u05c1",
        "ا",
        "بُ",
        "👩",
        "👩\u200d👧",
        "❤\ufe0f",
        "😀",
        "\U0010ffff",
        "\U00020000",
    ),
    *("İ", "Σ", "ς", "ß", "\u212a", "Ⱥ", "THE", "Car"),
)
texts = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
few = st.lists(st.sampled_from(PARTS[:12]), max_size=20).map("".join)  # many repetitions
corpora = st.lists(texts | few, max_size=8)
FOLDS = ("none", "case", "space", "case,space")


@given(
    corpora,
    st.lists(texts | few, min_size=1, max_size=6),
    st.sampled_from((50, 120, 10_000)),
    st.sampled_from(FOLDS),
)
@settings(max_examples=50)
def test_count_find_and_spans_are_those_of_brute_force(
    oracle, index_of, documents: list[str], outputs: list[str], shard_bytes: int, fold: str
) -> None:
    truth = oracle(documents, fold.split(","))
    queries = [*outputs, *documents, *(document[1:-1] for document in documents)]
    queries += [output[at : at + 3] for output in outputs for at in range(0, len(output), 2)]
    with index_of(documents, shard_bytes=shard_bytes, fold=fold) as index:
        assert index.manifest.documents == len(documents)
        assert index.count_many(queries) == [truth.count(query) for query in queries]
        for query in queries:
            found = index.find(query, limit=10_000)
            numbers = [int(one.doc_id) for one in found]
            got = [(number, one.start, one.end) for number, one in zip(numbers, found, strict=True)]
            assert got == truth.find(query)
            for number, one in zip(numbers, found, strict=True):
                document = documents[number]
                assert one.byte_start == len(document[: one.start].encode())
                assert one.byte_end == len(document[: one.end].encode())
                context = index.context(one, 3)
                assert context.match == document[one.start : one.end]
                assert context.left == document[max(one.start - 3, 0) : one.start]
                assert context.right == document[one.end : one.end + 3]
        for least in (1, 2, 4):
            for output, spans in zip(outputs, index.spans_many(outputs, least), strict=True):
                got = [(span.start, span.end, span.tokens, span.count) for span in spans]
                assert got == truth.spans(output, least)
                for span in spans:
                    assert span.byte_start == len(output[: span.start].encode())
                    assert span.byte_end == len(output[: span.end].encode())


def test_a_span_ends_where_a_token_ends_on_both_sides(index_of) -> None:
    with index_of(["the cartoon, the car. The car", "the car"]) as index:
        assert index.count("the car") == 2
        assert index.count("the carto") == 0
        assert index.count("the cartoon") == 1
        assert index.count("  the car\n") == 2
        assert index.count("") == index.count(" \n") == 0
        assert [(span.start, span.end, span.count) for span in index.spans("in the car, the cart")] == [
            (3, 10, 2),
            (10, 15, 1),
        ]


@pytest.mark.parametrize("fold", FOLDS)
def test_long_repetitions(index_of, fold: str) -> None:
    words = "lorem ipsum dolor  sit amet\n"
    documents = [words * 300, words * 299 + "end", "x" * 5000 + " " + "x" * 5000, "=" * 3000]
    outputs = [words * 310, "x" * 5000 + " x", "=" * 100 + "a", words * 5 + "sit end"]
    with index_of(documents, fold=fold, shard_bytes=20_000) as index:
        whole = index.spans_many(outputs)
        assert [span.count for span in whole[0]][:1] == [1]
        assert index.count("lorem ipsum") == index.count("dolor  sit") == 599
        assert index.count("=" * 3000) == 1
        assert index.count("=" * 1000) == 2001
        assert index.count("x" * 5000) == 2
        assert index.count("x" * 4999) == 0
        assert [(span.start, span.end, span.count) for span in whole[1]] == [(0, 5000, 2)]
        assert [span.count for span in whole[2]] == [2901]


def test_threads_give_what_one_gives_in_the_same_order(index_of) -> None:
    documents = [f"row {at} says the car {at % 5} stands in street {at % 11}" for at in range(300)]
    outputs = [f"I think the car {at % 7} stands in street {at}, row {at} says the" for at in range(700)]
    with index_of(documents, shard_bytes=4000) as index:
        several = open_index(index.path, threads=3)
        assert len(several.shards) > 2
        assert several.spans_many(outputs, 2) == [index.spans(output, 2) for output in outputs]
        assert several.count_many(outputs) == [index.count(output) for output in outputs]
        assert several.find_many(outputs, 3) == [index.find(output, 3) for output in outputs]
        assert several.bci_many(outputs) == [index.bci(output) for output in outputs]


def test_a_sample_follows_from_seed_and_text_and_is_uniform(index_of) -> None:
    with index_of([f"the car {at}" for at in range(200)], shard_bytes=700) as index:
        assert index.find("the car", 10, seed=1) == index.find("the car", 10, seed=1)
        assert index.find("the car", 10, seed=1) != index.find("the car", 10, seed=2)
        assert len(index.find("the car", 1000)) == 200
        assert index.find("the car", 0) == []
        drawn = [int(one.doc_id) for seed in range(400) for one in index.find("the car", 10, seed)]
        assert len(set(drawn)) == 200
        assert max(drawn.count(at) for at in range(200)) < 45  # 20 expected


def test_importing_the_package_loads_no_engine() -> None:
    code = "import sys, provkit, provkit.index; print([m for m in ('numba', 'pyarrow', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_lone_surrogate_in_a_query_is_refused(index_of) -> None:
    with index_of(["a"]) as index, pytest.raises(ValueError, match="surrogate"):
        index.count("a\ud800")


def test_counts_beyond_a_step_of_the_directory(oracle, index_of) -> None:
    chance = random.Random(0)
    words = (
        "a",
        "an",
        "and",
        "x\u0301",
        "漢",
        "a.",
        "aé",
        "an\u0301",
        "and😀",
        "longer-than-eight",
        "longer",
        "\x00",
        "aش",
    )
    glue = ("", " ", "  ", ",", "\u0301", "か")
    documents = ["".join(chance.choice(words) + chance.choice(glue) for _ in range(7)) for _ in range(1500)]
    truth = oracle(documents)
    queries = [query for query, count in truth.stretches.items() if count > 64 or chance.random() < 0.02]
    assert max(truth.stretches.values()) > 1000
    for shard_bytes in (10_000, 10_000_000):
        with index_of(documents, shard_bytes=shard_bytes) as index:
            assert index.count_many(queries) == [truth.count(query) for query in queries]
            for query in sorted(queries, key=truth.count)[-20:]:
                assert len(index.find(query, limit=10**6)) == truth.count(query)
            outputs = ["".join(chance.choice(words) + chance.choice(glue) for _ in range(60)) for _ in range(20)]
            for output, spans in zip(outputs, index.spans_many(outputs), strict=True):
                assert [(span.start, span.end, span.tokens, span.count) for span in spans] == truth.spans(output)


def test_spans_through_long_copies(oracle, index_of) -> None:
    chance = random.Random(1)
    words = ["alpha", "beta", "gamma", "delta", "漢", "字", ".", "e\u0301", "x", "alphabet"]
    base = "".join(chance.choice(words) + chance.choice((" ", " ", "\n", "")) for _ in range(260))
    documents = [base, base[100:900] + " other " + base[:300], base[50:700] + "!", "alpha " * 90]
    truth = oracle(documents)
    outputs = []
    for _ in range(40):
        parts = []
        for _ in range(chance.randrange(1, 4)):
            source = chance.choice(documents)
            at = chance.randrange(len(source))
            parts.append(source[at : at + chance.randrange(100, 700)])
        outputs.append(chance.choice(("", " ", " unheard ")).join(parts))
    for shard_bytes in (1200, 100_000):
        with index_of(documents, shard_bytes=shard_bytes) as index:
            for output, spans in zip(outputs, index.spans_many(outputs), strict=True):
                assert [(span.start, span.end, span.tokens, span.count) for span in spans] == truth.spans(output)
