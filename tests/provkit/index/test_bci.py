"""BCI, its density and its percentile are what counting in plain Python gives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from provkit.index import Document, build_index, open_index
from provkit.index.background import LENGTHS, SAMPLES, Background, sampled_ranks
from provkit.index.manifest import Manifest, Options, Shard

Tokens = Callable[[str], list[tuple[int, int]]]


def zipfian(documents: int, size: int) -> list[str]:
    chance = np.random.default_rng(1)
    return [" ".join(f"W{min(n, 500)}." for n in chance.zipf(1.3, size)) + " İ ΟΔΟΣ Σ" for _ in range(documents)]


def test_bci_is_the_sum_of_surprise_of_lower_cased_tokens(tmp_path: Path, reference_tokens: Tokens) -> None:
    texts = zipfian(12, 60)
    build_index([Document(text) for text in texts], tmp_path / "index", shard_bytes=1000)
    index = open_index(tmp_path / "index")
    counts = Counter(text[a:b].lower() for text in texts for a, b in reference_tokens(text))
    total = sum(counts.values())
    assert index.unigram.total == total == index.manifest.tokens
    assert index.unigram.counts_of(list(counts)).tolist() == list(counts.values())
    assert index.unigram.counts_of(["w1x", "", "W", "\n", "zz", "W1"]).tolist() == [0, 0, 0, 0, 0, counts["w1"]]
    outputs = ["w1. w2", "W500 unheard-of", "ΟΔΟΣ İ", "", " \n", texts[3], "nothing here is known"]
    for output, bci in zip(outputs, index.bci_many(outputs), strict=True):
        tokens = [output[a:b].lower() for a, b in reference_tokens(output)]
        p = [counts[token] / total if counts[token] else 1 / (total + 1) for token in tokens]
        assert bci.bci == pytest.approx(-sum(map(math.log, p)))
        assert (bci.tokens, bci.unknown) == (len(tokens), sum(token not in counts for token in tokens))
        if tokens:
            assert bci.bci_density == pytest.approx(bci.bci / len(tokens))
        else:
            assert math.isnan(bci.bci_density)
        assert index.bci(output) == bci or not tokens


def test_the_background_of_a_small_corpus_is_all_its_windows(tmp_path: Path, reference_tokens: Tokens) -> None:
    texts = zipfian(30, 90)
    build_index([Document(text) for text in texts], tmp_path / "index", shard_bytes=5000)
    index = open_index(tmp_path / "index")
    lowered = [[text[a:b].lower() for a, b in reference_tokens(text)] for text in texts]
    counts = Counter(token for tokens in lowered for token in tokens)
    surprise = [[math.log(index.unigram.total / counts[token]) for token in tokens] for tokens in lowered]
    for length, quantiles in zip(index.background.lengths, index.background.quantiles, strict=True):
        windows = [sum(one[at : at + length]) / length for one in surprise for at in range(len(one) - length + 1)]
        assert quantiles == pytest.approx(np.quantile(windows, np.linspace(0, 1, 101)))
        middle = float(np.quantile(windows, 0.731))
        assert abs(index.percentile(int(length), middle * length).value - 73) <= 1
    assert index.background.lengths.max() == 128  # windows of 192 tokens: none; the documents have 187
    long = index.percentile(500, 500 * 100.0)
    assert (long.value, long.beyond) == (100, True)
    assert (index.percentile(128, 0).value, index.percentile(128, 0).beyond) == (0, False)


def test_percentiles_interpolate_between_lengths_and_share_ties() -> None:
    steps = np.linspace(0, 10, 101)
    tied = np.concatenate([np.full(50, 2.0), np.linspace(2.1, 4, 51)])
    background = Background(np.array([1, 4]), np.array([steps, tied]))
    assert background.percentile(1, 3.0).value == 30
    assert background.percentile(4, 4 * 2.0).value == round((0 + 49) / 2)
    assert background.percentile(2, 2 * 3.0).value == round((30 + background._rank(1, 3.0)) / 2)
    assert background.percentile(1, 99.0).value == 100
    assert background.percentile(1, -1.0).value == 0
    assert background.percentile(5, 5 * 4.0).beyond
    assert math.isnan(background.percentile(0, 0.0).value)
    assert math.isnan(Background(np.zeros(0, np.int64), np.zeros((0, 101))).percentile(3, 1.0).value)


def test_lengths_ascend_from_1_to_1024_in_even_steps() -> None:
    assert (LENGTHS[0], LENGTHS[-1]) == (1, 1024)
    assert (LENGTHS[1:] / LENGTHS[:-1]).max() <= 2


def test_what_is_sampled_takes_no_memory_by_the_token() -> None:
    """A list of a hundred thousand million tokens would not fit; the ranks of each shard are its own."""
    shards = tuple(Shard(f"{at:05}", 0, 0, 1, 1, tokens, "", {}) for at, tokens in enumerate((10**11, 10, 3 * 10**11)))
    found = sampled_ranks(Manifest(Options(1, (), 64), "15.0.0", (), shards, 3, {}))
    assert sum(map(len, found)) == SAMPLES and len(found[0]) == pytest.approx(SAMPLES / 4, rel=0.1)
    for ranks, shard in zip(found, shards, strict=True):
        assert (np.diff(ranks) > 0).all() and ((ranks >= 0) & (ranks < shard.tokens)).all()
