"""Weights of the CBD loss: where tokens stand in a text, and how the excess BCI of spans is spread over them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from provkit.defences import Rule, Shield
from provkit.defences.cbd_weights import Excess, TokenWeights, excesses, pieces, released_penalty, spread
from provkit.defences.token_bytes import token_bytes
from provkit.index import Document, Index, build_index, open_index

PLANTED = "The gentle heron waits beside the silent reservoir until the last lantern fades."
OTHER = "Every careful gardener keeps a folded paper map under the second drawer."
WORDS = "river stone cloud paper green quiet table seven window garden letter music".split()
ODD = f"Grüße 🙂🙃 {PLANTED} – naïve 漢字 \ufffd end"
TAU = 10.0


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("cbd") / "index"
    chance = random.Random(0)
    filler = [" ".join(chance.choices(WORDS, k=30)) + "." for _ in range(100)]
    texts = [f"A note. {PLANTED} More follows.", OTHER, *filler]
    build_index([Document(text, {"doc_id": f"doc-{n}"}) for n, text in enumerate(texts)], path)
    return open_index(path)


@pytest.fixture(scope="module")
def shield(index: Index) -> Shield:
    return Shield(index, rule=Rule(tau=TAU))


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Any]:
    """A byte-level BPE and a SentencePiece-like one with byte fallback, small enough to split characters."""
    library = pytest.importorskip("tokenizers", reason="tokenizers is not installed: pip install transformers")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    texts = [PLANTED, OTHER, " ".join(WORDS)] * 3
    special = ["<pad>", "</s>"]
    bytes_bpe = library.Tokenizer(library.models.BPE())
    bytes_bpe.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_bpe.post_processor = library.processors.ByteLevel(trim_offsets=False)
    bytes_bpe.decoder = library.decoders.ByteLevel()
    alphabet = library.pre_tokenizers.ByteLevel.alphabet()
    bytes_bpe.train_from_iterator(
        texts, library.trainers.BpeTrainer(vocab_size=330, special_tokens=special, initial_alphabet=alphabet)
    )
    piece = library.Tokenizer(library.models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    piece.pre_tokenizer = library.pre_tokenizers.Metaspace()
    steps = library.decoders
    piece.decoder = steps.Sequence(
        [steps.Replace("▁", " "), steps.ByteFallback(), steps.Fuse(), steps.Strip(" ", 1, 0)]
    )
    piece.train_from_iterator(texts, library.trainers.BpeTrainer(vocab_size=150, special_tokens=["<unk>", *special]))
    content = json.loads(piece.to_str())
    known = content["model"]["vocab"]
    known |= {f"<0x{byte:02X}>": len(known) + byte for byte in range(256)}
    piece = library.Tokenizer.from_str(json.dumps(content))
    ends = {"eos_token": "</s>", "pad_token": "<pad>"}
    fast = transformers.PreTrainedTokenizerFast
    return {
        "bytes": fast(tokenizer_object=bytes_bpe, **ends),
        "pieces": fast(tokenizer_object=piece, unk_token="<unk>", **ends),
    }


@pytest.mark.parametrize("kind", ["bytes", "pieces"])
@pytest.mark.parametrize("text", [ODD, PLANTED, "", "🙂", "two  spaces "])
def test_the_pieces_are_the_text_that_the_tokenizer_decodes(tokenizers: Any, kind: str, text: str) -> None:
    tokenizer = tokenizers[kind]
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    found, places = pieces(token_bytes(tokenizer), ids)
    decoded = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert found.removeprefix(" ") == decoded.removeprefix(" ")
    assert len(places) == len(ids)
    at = 0
    for start, end in places:  # each goes on where the one before ends, or shares its character
        assert start == at or (start, end) == (at - 1, at)
        at = end
    assert at == len(found)


def test_the_places_are_those_of_the_tokenizer_s_own_offsets(tokenizers: Any) -> None:
    told = tokenizers["bytes"](ODD, add_special_tokens=False, return_offsets_mapping=True)
    _, places = pieces(token_bytes(tokenizers["bytes"]), told["input_ids"])
    offsets = [tuple(one) for one in told["offset_mapping"]]
    assert len([place for place in offsets if "🙂" in ODD[slice(*place)]]) > 1, "a character of several tokens is there"
    assert places == offsets


def test_special_tokens_and_broken_characters(tokenizers: Any) -> None:
    tokenizer = tokenizers["bytes"]
    heron, emoji = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("heron", "🙂"))
    ids = [*heron, tokenizer.eos_token_id, *emoji[:2], *heron, *emoji[:1]]
    text, places = pieces(token_bytes(tokenizer), ids)
    assert text == "heron\ufffdheron\ufffd"
    n = len(heron)
    assert places[n] == (5, 5), "a special token has no place"
    assert places[n + 1 : n + 3] == [(5, 6)] * 2 and places[-1] == (11, 12)
    assert pieces(token_bytes(tokenizer), [10**6]) == ("", [(0, 0)])


def test_spreading_by_hand() -> None:
    places = [(0, 4), (4, 10), (10, 10), (10, 12), (12, 20)]
    spans = [Excess(0, 10, 6.0), Excess(5, 13, 3.0), Excess(12, 20, 1.5)]
    assert spread(spans, places) == [3.0, 3.0 + 1.0, 0.0, 1.0, 1.0 + 1.5]
    assert spread([], places) == [0.0] * 5


def test_the_spans_that_count_are_those_above_tau(index: Index, shield: Shield) -> None:
    text = f"I say: {PLANTED} And: {OTHER} Nothing else is known here."
    (found,) = excesses(shield, [text])
    spans = index.spans(text, min_tokens=6)
    by_hand = [(s.start, s.end, index.bci(text[s.start : s.end]).bci - TAU) for s in spans]
    assert len(by_hand) >= 2 and all(excess > 0 for _, _, excess in by_hand)
    assert [(one.start, one.end) for one in found] == [(start, end) for start, end, _ in by_hand]
    assert [one.excess for one in found] == pytest.approx([excess for _, _, excess in by_hand])
    assert released_penalty(shield, [text, "no such thing"]) == pytest.approx(sum(e for _, _, e in by_hand))
    least = min(excess for _, _, excess in by_hand)
    (fewer,) = excesses(Shield(index, rule=Rule(tau=TAU + least + 1e-6)), [text])
    assert len(fewer) == len(by_hand) - sum(excess <= least + 1e-6 for _, _, excess in by_hand)


@pytest.mark.parametrize("kind", ["bytes", "pieces"])
def test_the_weights_sum_to_the_released_penalty(shield: Shield, tokenizers: Any, kind: str) -> None:
    tokenizer = tokenizers[kind]
    texts = [ODD, f"{OTHER} {PLANTED}", "nothing", ""]
    completions = [[*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id] for text in texts]
    weights = TokenWeights(shield, token_bytes(tokenizer))
    found = weights.of(completions)
    assert [len(one) for one in found] == [len(ids) for ids in completions]
    expected = [released_penalty(shield, [pieces(token_bytes(tokenizer), ids)[0]]) for ids in completions]
    assert [sum(one) for one in found] == pytest.approx(expected)
    assert expected[0] > 0 and expected[1] > expected[0] and expected[2:] == [0, 0]
    assert weights.released_penalty(completions) == pytest.approx(sum(expected) / 4)
    text, places = pieces(token_bytes(tokenizer), completions[0])
    start = text.index(PLANTED)
    outside = [w for w, (_, end) in zip(found[0], places, strict=True) if end <= start]
    assert outside and not any(outside)


def test_each_completion_is_looked_up_once(shield: Shield, tokenizers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizers["bytes"]
    ids = tokenizer(PLANTED)["input_ids"]
    asked: list[int] = []
    once: Callable[..., Any] = shield.check_many

    class Counting:
        rule = shield.rule

        def check_many(self, texts: Any) -> Any:
            asked.append(len(texts))
            return once(texts)

    weights = TokenWeights(Counting(), token_bytes(tokenizer))  # type: ignore[arg-type]
    first = weights.of([ids, ids, ids[:5]])
    assert weights.of([ids, ids[:5]]) == [first[0], first[2]] and asked == [2]


def test_rules_of_conflict_count_the_whole_bci(index: Index) -> None:
    from provkit.attribution.model import Verdict

    class Keyword:
        name = "one word"

        def of(self, texts: Any) -> list[Verdict]:
            return [Verdict("p", "c", 0.5 if "heron" in text else -0.5, "s") for text in texts]

    text = f"{PLANTED} {OTHER}"
    (found,) = excesses(Shield(index, Keyword()), [text])
    assert [text[one.start : one.end] for one in found] == [PLANTED]
    assert found[0].excess == pytest.approx(index.bci(PLANTED).bci)
