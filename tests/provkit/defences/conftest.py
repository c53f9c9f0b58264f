"""Tokenizers trained on a planted corpus, its index, and a brute-force oracle of what a text repeats of it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from provkit.index import Document, Index, build_index, open_index

IDEOGRAPHS = "\u3400-\u9fff"
MARKS = "\u0300-\u036f\ufe0f"
LETTER = rf"[^\W{IDEOGRAPHS}]"
TOKEN = re.compile(rf"\S(?:[{MARKS}]|(?<={LETTER}){LETTER}|(?<=[{MARKS}]){LETTER})*")
VOCABULARY = (
    "the",
    "car",
    "cart",
    "cartoon",
    "café",
    "cafe\u0301",
    "naïve",
    "red",
    "read",
    "京",
    "東京",
    "☺\ufe0f",
    "a",
    "--",
)


@dataclass(frozen=True)
class Planted:
    """A corpus of short documents over few words.

    Attributes:
        documents: the texts.
        index: of them, in two shards.
        stretches: every run of whole tokens that stands in a document.
    """

    documents: tuple[str, ...]
    index: Index
    stretches: frozenset[str]

    def repeats(self, text: str, least: int, bad: Callable[[str], bool], behind: int = 0) -> list[str]:
        """The bad stretches of at least `least` tokens that stand in the corpus and end beyond `behind` characters."""
        bounds = [found.span() for found in TOKEN.finditer(text)]
        found = [
            text[start:end]
            for at, (start, _) in enumerate(bounds)
            for _, end in bounds[at + least - 1 :]
            if end > behind
        ]
        return [one for one in found if one in self.stretches and bad(one)]

    @staticmethod
    def ends(text: str, least: int) -> list[str]:
        """The text without its first tokens, as long as `least` are left."""
        bounds = [found.start() for found in TOKEN.finditer(text)]
        return [text[start:] for start in bounds[: len(bounds) - least + 1]]


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    chance = random.Random(5)
    documents = []
    for _ in range(60):
        words = chance.choices(VOCABULARY, k=14)
        marks = chance.choices(("", "", "", ",", "."), k=14)
        documents.append(" ".join(word + mark for word, mark in zip(words, marks, strict=True)))
    path = tmp_path_factory.mktemp("planted") / "index"
    size = sum(len(one.encode()) + 1 for one in documents)
    build_index([Document(one) for one in documents], path, shard_bytes=size * 2 // 3)
    stretches = set()
    for one in documents:
        bounds = [found.span() for found in TOKEN.finditer(one)]
        stretches |= {one[start:end] for at, (start, _) in enumerate(bounds) for _, end in bounds[at:]}
    return Planted(tuple(documents), open_index(path, threads=1), frozenset(stretches))


@pytest.fixture(scope="session")
def byte_level(planted: Planted) -> Any:
    """A byte-level BPE tokenizer over the bytes of the corpus, with one special token and two added ones."""
    tokenizers = pytest.importorskip("tokenizers", reason="needs transformers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=110, special_tokens=["<eos>"], show_progress=False)
    made.train_from_iterator(planted.documents, trainer)
    made.add_tokens(["<car>", "red car"])
    return made


def _sentencepiece(planted: Planted, kind: str) -> Any:
    """BPE or Unigram as SentencePiece has it: spaces as ▁, and a token for each byte."""
    tokenizers = pytest.importorskip("tokenizers", reason="needs transformers")
    made = tokenizers.Tokenizer(getattr(tokenizers.models, kind)())
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<eos>"]
    trainer = {
        "BPE": lambda: tokenizers.trainers.BpeTrainer(vocab_size=70, special_tokens=special, show_progress=False),
        "Unigram": lambda: tokenizers.trainers.UnigramTrainer(
            vocab_size=60, special_tokens=special, unk_token="<unk>", show_progress=False
        ),
    }[kind]()
    made.train_from_iterator([one.replace("☺", "").replace("京", "") for one in planted.documents], trainer)
    said = json.loads(made.to_str())
    above = sorted({byte for byte in "".join(planted.documents).encode() if byte > 0x7F})
    model, bytes_of = said["model"], [f"<0x{byte:02X}>" for byte in above]
    if kind == "BPE":
        model["vocab"] |= {token: len(model["vocab"]) + at for at, token in enumerate(bytes_of)}
        model["unk_token"] = "<unk>"
    else:
        model["vocab"] += [[token, -20.0] for token in bytes_of]
    model["byte_fallback"] = True
    replace = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    said["decoder"] = {"type": "Sequence", "decoders": [replace, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]}
    return tokenizers.Tokenizer.from_str(json.dumps(said))


@pytest.fixture(scope="session")
def fallback_bpe(planted: Planted) -> Any:
    """SentencePiece's BPE with byte fallback."""
    return _sentencepiece(planted, "BPE")


@pytest.fixture(scope="session")
def fallback_unigram(planted: Planted) -> Any:
    """SentencePiece's Unigram with byte fallback."""
    return _sentencepiece(planted, "Unigram")


@pytest.fixture(scope="session", params=["byte_level", "fallback_bpe", "fallback_unigram"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """Each of the tokenizers."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def segmented() -> Callable[[Any, str, random.Random], list[int]]:
    """Writes a text with randomly chosen tokens of a `TokenBytes`: words and characters fall into pieces."""

    def segment(known: Any, text: str, chance: random.Random) -> list[int]:
        ids, left = [], text.encode()
        while left:
            fitting = [number for number, one in enumerate(known.of) if one and left.startswith(one)]
            ids.append(chance.choice(fitting))
            left = left[len(known.of[ids[-1]]) :]
        return ids

    return segment


@pytest.fixture(autouse=True, scope="session")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The user's cache stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
