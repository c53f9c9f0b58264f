"""What Prov-Decode costs beside plain generation, with a random model of GPT-2 small's shape.

    python benchmarks/decoding.py CORPUS --megabytes 64

Two kinds of text, each generated with and without the processor in turn: what the random model writes by itself, and
documents of the corpus, towards which the scores are steered in both runs (of four rows two copy indexed documents and
two held-out ones). The ratio is that of the medians; the tokenizer, byte-level BPE of 50,257 tokens, is trained on the
corpus.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from index_corpus import Corpus, arguments, read, windows
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LogitsProcessor, LogitsProcessorList, PreTrainedTokenizerFast

from provkit.defences.decoding import ProvDecode
from provkit.defences.shield import Rule
from provkit.defences.veto import ScoredSpans
from provkit.index import build_index, open_index

TRAINED_ON = 4 << 20  # characters
VOCABULARY = 50_257
PROMPT = 16


class Steered(LogitsProcessor):
    """Makes each row go on with a given text, token by token."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.rows = rows

    def __call__(self, input_ids: torch.LongTensor, scores: torch.Tensor) -> torch.Tensor:
        at = input_ids.shape[1]
        scores = scores.clone()
        for number, row in enumerate(self.rows):
            scores[number, row[at]] += 1000.0
        return scores


class Timed(LogitsProcessor):
    """Calls a processor and adds up the seconds that it takes, and those of them that its thread ran."""

    def __init__(self, inner: ProvDecode) -> None:
        self.inner, self.seconds, self.busy = inner, 0.0, 0.0

    def __call__(self, input_ids: torch.LongTensor, scores: torch.Tensor) -> torch.Tensor:
        start, before = time.perf_counter(), time.thread_time()
        found = self.inner(input_ids, scores)
        self.seconds += time.perf_counter() - start
        self.busy += time.thread_time() - before
        return found


def trained(corpus: Corpus) -> PreTrainedTokenizerFast:
    """Byte-level BPE of GPT-2's size, on the first documents of the corpus."""
    texts, size = [], 0
    for batch in corpus.batches():
        texts += batch.column("text").to_pylist()
        size = sum(map(len, texts))
        if size > TRAINED_ON:
            break
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>", pad_token="<|endoftext|>")


def copied(corpus: Corpus, tokenizer: Any, rows: int, length: int) -> list[list[int]]:
    """The tokens of stretches: indexed and held-out ones in turn."""
    indexed = pq.read_table(corpus.path).column("text").to_pylist()
    chance = random.Random(0)
    long = [text for text in chance.sample(indexed, min(2000, len(indexed))) if len(text) > 2000]
    sources = [windows(long, rows, 2000), windows(corpus.held_out, rows, 2000)]
    found = [tokenizer.encode(sources[row % 2][row])[:length] for row in range(rows)]
    shortest = min(map(len, found))
    if shortest < length:
        raise SystemExit(f"stretches of 2,000 characters have {shortest} tokens only; take a smaller --new")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.set_defaults(megabytes=64)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--new", type=int, default=64, help="tokens a generation")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--percentile", type=float, default=90)
    options = parser.parse_args()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        corpus = read(options.corpus, options.megabytes, Path(folder))
        build_index(corpus.batches(), Path(folder) / "index")
        index = open_index(Path(folder) / "index", threads=1)
        tokenizer = trained(corpus)
        config = GPT2Config(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=None, pad_token_id=0)
        model = GPT2LMHeadModel(config).eval()
        millions = sum(one.numel() for one in model.parameters()) / 1e6
        print(f"{options.corpus.name}: {corpus.documents:,} documents, {corpus.size / 2**20:.1f} MB")
        print(f"GPT-2 small's shape            {millions:.0f} M parameters, {len(tokenizer):,} tokens")
        print(f"a generation                   {options.rows} rows of {options.new} tokens")
        start = time.perf_counter()
        veto = ScoredSpans(index, Rule(percentile=options.percentile))
        ProvDecode(index, veto, tokenizer)
        print(f"making the processor ready     {time.perf_counter() - start:.2f} s")
        rows = copied(corpus, tokenizer, options.rows, PROMPT + options.new)
        prompts = torch.tensor([row[:PROMPT] for row in rows])
        for name, before in (("by itself", []), ("copying", [Steered(rows)])):
            seconds: list[list[float]] = [[], []]
            own: list[float] = []
            busy: list[float] = []
            changed = 0
            for round_ in range(options.repeat + 1):
                texts = []
                for kind in (0, 1):
                    timed = Timed(ProvDecode(index, veto, tokenizer))  # anew: it keeps what it has judged
                    start = time.perf_counter()
                    found = model.generate(
                        prompts,
                        attention_mask=torch.ones_like(prompts),
                        do_sample=False,
                        max_new_tokens=options.new,
                        logits_processor=LogitsProcessorList([*before, *([timed] if kind else [])]),
                    )
                    texts.append(found)
                    if round_:  # the first warms up
                        seconds[kind].append(time.perf_counter() - start)
                        own += [1000 * timed.seconds / options.new] * kind
                        busy += [1000 * timed.busy / options.new] * kind
                changed = int((texts[0] != texts[1]).any(dim=1).sum())
            plain, held = (float(np.median(one)) for one in seconds)
            print(f"{name}: plain {1000 * plain / options.new:.1f} ms a step, with {1000 * held / options.new:.1f}")
            print(f"  ratio {held / plain:.3f}; {changed} rows differ")
            print(f"  in Prov-Decode {np.median(own):.2f} ms a step, {np.median(busy):.2f} of them running")
        print(f"load                           {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
