"""Prov-Decode: what it vetoes at each step, and that no generation of a random model holds a vetoed stretch."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from provkit.defences.shield import Rule
from provkit.defences.token_bytes import TokenBytes, token_bytes
from provkit.defences.veto import ListedSpans, ScoredSpans
from provkit.errors import InputError, ProvkitError
from provkit.index import Document, Index, build_index, open_index

torch = pytest.importorskip("torch", reason="Prov-Decode needs torch")
transformers = pytest.importorskip("transformers", reason="Prov-Decode needs transformers")
from provkit.defences.decoding import ProvDecode  # noqa: E402

LEAST = 3
NEW = 10  # tokens a generation


def bad(stretch: str) -> bool:
    """A third of all stretches, by no rule that a text follows."""
    return zlib.crc32(stretch.encode()) % 3 == 0


class Third:
    """Vetoes `bad` stretches; asks for each end of a stretch by the oracle's own token pattern."""

    def __init__(self, planted: Any, least: int = LEAST) -> None:
        self.min_tokens = least
        self._planted = planted

    def any_of(self, stretches: Sequence[str]) -> list[bool]:
        return [bool(self._planted.repeats(one, self.min_tokens, bad)) for one in stretches]


def vetoed(processor: ProvDecode, ids: Sequence[int], width: int) -> set[int]:
    """The tokens that get minus infinity behind one row of tokens."""
    scores = processor(torch.tensor([list(ids)]), torch.zeros(1, width))
    return set(torch.nonzero(torch.isneginf(scores[0])).flatten().tolist())


@pytest.mark.parametrize("least", [1, 3])
def test_each_step_vetoes_what_trying_every_token_finds(
    planted: Any, tokenizer: Any, segmented: Any, least: int
) -> None:
    known = token_bytes(tokenizer)
    width, eos = len(known.of), tokenizer.token_to_id("<eos>")
    processor = ProvDecode(planted.index, Third(planted, least), tokenizer, eos_token_id=eos)
    chance = random.Random(least)
    steps = found = 0
    for document in planted.documents[:5]:
        words = document.split(" ")
        at = chance.randrange(6)
        ids = [eos]
        for token in segmented(known, " ".join(words[at : at + 5]), chance):
            text = tokenizer.decode(ids, skip_special_tokens=True)
            assert not planted.repeats(text, least, bad)
            tried = (tokenizer.decode([*ids, number], skip_special_tokens=True) for number in range(width))
            expected = {number for number, one in enumerate(tried) if planted.repeats(one, least, bad)}
            ours = vetoed(processor, ids, width)
            assert ours == expected
            steps += 1
            found += len(expected)
            if token in expected or chance.random() < 0.15:
                token = chance.choice([number for number in range(width) if number not in expected])
            ids.append(token)
    assert steps > 50 and found > 30


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Matrices so small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fast(byte_level: Any) -> Any:
    """The byte-level tokenizer as transformers has it."""
    return transformers.PreTrainedTokenizerFast(tokenizer_object=byte_level, eos_token="<eos>", pad_token="<eos>")


@pytest.fixture(scope="module")
def model(fast: Any) -> Any:
    """A random GPT-2 of two layers, in double precision: rows of a batch must not differ by rounding."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(fast) + 3, n_positions=40, n_embd=16, n_layer=2, n_head=2, initializer_range=0.4,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config).double().eval()


@pytest.fixture(scope="module")
def prompts(planted: Any, fast: Any) -> Any:
    """Four tokens of the corpus each: shape (1000, 4)."""
    chance = random.Random(3)
    rows = [fast.encode(document) for document in planted.documents]
    starts = [(row, chance.randrange(len(row) - 4)) for row in chance.choices(rows, k=1000)]
    return torch.tensor([row[at : at + 4] for row, at in starts])


@pytest.fixture(scope="module")
def towards_words(fast: Any) -> dict[tuple[int], float]:
    """A bias that makes a random model write whole words, or it would hardly ever repeat three of them."""
    whole = [number for number, text in enumerate(token_bytes(fast).of) if len(text) > 3]
    return {(number,): 4.0 for number in whole}


def generate(model: Any, prompts: Any, seed: int, processor: Any = None, **options: Any) -> Any:
    torch.manual_seed(seed)
    return model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=NEW,
        logits_processor=[processor] if processor else None,
        **options,
    )


SAMPLING = {"do_sample": True, "top_k": 0}
BEAMS = {"num_beams": 3, "do_sample": False}
WAYS = [
    pytest.param(slice(0, 200), {"do_sample": False}, False, id="greedy"),
    pytest.param(slice(200, 600), SAMPLING, False, id="sampling"),
    pytest.param(slice(600, 800), SAMPLING, True, id="sampling, prompt counted"),
    pytest.param(slice(800, 900), BEAMS, False, id="beams"),
    pytest.param(slice(900, 1000), {**BEAMS, "do_sample": True}, True, id="sampled beams, prompt counted"),
]


@pytest.mark.parametrize(("rows", "options", "counted"), WAYS)
def test_no_generation_holds_a_vetoed_stretch(
    planted: Any, fast: Any, model: Any, prompts: Any, towards_words: Any, rows: slice, options: Any, counted: bool
) -> None:
    here = prompts[rows]
    options = {**options, "sequence_bias": towards_words}

    def repeating(found: Any) -> int:
        """How many rows hold a stretch that is vetoed and ends in the generated text."""
        number = 0
        for row in found.tolist():
            whole = fast.decode(row if counted else row[4:], skip_special_tokens=True)
            behind = len(fast.decode(row[:4]).rstrip("\ufffd")) if counted else 0
            number += bool(planted.repeats(whole, LEAST, bad, behind))
        return number

    processor = ProvDecode(planted.index, Third(planted), fast, prompt=counted)
    held = generate(model, here, 7, processor, **options)
    free = generate(model, here, 7, **options)
    assert repeating(held) == 0
    assert repeating(free) > len(here) / 20  # so many would have, without


@pytest.mark.parametrize("options", [{"do_sample": False}, SAMPLING, BEAMS])
def test_an_empty_policy_changes_nothing(
    planted: Any, fast: Any, model: Any, prompts: Any, towards_words: Any, options: Any
) -> None:
    options = {**options, "sequence_bias": towards_words}
    processor = ProvDecode(planted.index, ListedSpans(planted.index, []), fast)
    free = generate(model, prompts[:12], 1, **options)
    assert torch.equal(generate(model, prompts[:12], 1, processor, **options), free)
    scores = torch.zeros(12, len(fast))
    assert processor(free, scores) is scores


@pytest.mark.parametrize("options", [{"do_sample": False}, BEAMS])
def test_a_batch_is_generated_as_one_by_one(
    planted: Any, fast: Any, model: Any, prompts: Any, towards_words: Any, options: Any
) -> None:
    options = {**options, "sequence_bias": towards_words}
    processor = ProvDecode(planted.index, Third(planted), fast)  # one for all calls: each begins anew
    together = generate(model, prompts[:8], 0, processor, **options)
    free = generate(model, prompts[:8], 0, **options)
    assert not torch.equal(together, free)
    for row, prompt in zip(together, prompts[:8], strict=True):
        alone = generate(model, prompt[None], 0, processor, **options)[0]
        assert torch.equal(row[: len(alone)], alone) and (row[len(alone) :] == 0).all()


def test_a_seed_gives_the_same_text_again(planted: Any, fast: Any, model: Any, prompts: Any) -> None:
    first, second = (
        generate(model, prompts[:20], 4, ProvDecode(planted.index, Third(planted), fast), **SAMPLING) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_rows_that_change_places_keep_their_texts(planted: Any, fast: Any) -> None:
    ids = [fast.encode(document)[:9] for document in planted.documents[:6]]
    carried = ProvDecode(planted.index, Third(planted), fast)
    chance = random.Random(0)
    scores = torch.zeros(6, len(fast))
    for width in range(1, 9):
        chance.shuffle(ids)
        ids[0] = [*ids[1][:width], *ids[0][width:]]  # a beam dies, another goes on twice
        together = carried(torch.tensor([row[:width] for row in ids]), scores)
        for row, found in zip(ids, together, strict=True):
            fresh = ProvDecode(planted.index, Third(planted), fast)
            for end in range(1, width + 1):
                alone = fresh(torch.tensor([row[:end]]), scores[:1])
            assert torch.equal(alone[0], found)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("small") / "index"
    build_index([Document("we saw the car today"), Document("!!!! ab")], path)
    return open_index(path, threads=1)


TOKENS = TokenBytes((b"", b"the", b" car", b"toon", b" cartoon", b" saw", b" the", b"!!!", b"b", b"\xc3", b"\xa9"))


def test_a_word_is_complete_as_it_stands(small: Index) -> None:
    processor = ProvDecode(small, ListedSpans(small, ["the car"]), TOKENS, eos_token_id=0)
    assert vetoed(processor, [0], 11) == set()
    assert vetoed(processor, [0, 1], 11) == {2}  # "the car"; "the cartoon" passes
    assert vetoed(processor, [0, 1, 4], 11) == set()


def test_the_prompt_counts_where_it_is_asked_to(small: Index) -> None:
    listed = ListedSpans(small, ["saw the car"])
    assert vetoed(ProvDecode(small, listed, TOKENS), [5, 6], 11) == set()
    assert vetoed(ProvDecode(small, listed, TOKENS, prompt=True), [5, 6], 11) == {2}


def test_a_token_that_is_a_stretch_itself_needs_a_boundary_before_it(small: Index) -> None:
    processor = ProvDecode(small, ListedSpans(small, ["! ! !".replace(" ", ""), "b"]), TOKENS)
    assert vetoed(processor, [0], 11) == {7}  # "!!!" stands in "!!!!"; the corpus has no word "b"
    both = ProvDecode(small, ListedSpans(small, ["car"]), TokenBytes((b"", b"car", b" car", b"s")))
    assert vetoed(both, [0], 4) == {1, 2}
    assert vetoed(both, [0, 3], 4) == {2}  # "scar" is another word


def test_the_end_of_the_text_is_the_way_out(small: Index) -> None:
    tokens = TokenBytes((b"", b"car", b" car"))
    listed = ListedSpans(small, ["car"])
    scores = torch.tensor([[-torch.inf, 1.0, 2.0]])
    found = ProvDecode(small, listed, tokens, eos_token_id=[0])(torch.tensor([[0]]), scores)
    assert found.tolist() == [[0.0, -torch.inf, -torch.inf]]
    for ends in (None, 1):  # none, and one that is text itself
        with pytest.raises(ProvkitError, match="give eos_token_id"):
            ProvDecode(small, listed, tokens, eos_token_id=ends)(torch.tensor([[0]]), scores)


def test_scored_spans_are_not_written(planted: Any, fast: Any, model: Any, prompts: Any, towards_words: Any) -> None:
    index, rule = planted.index, Rule(percentile=60, min_tokens=LEAST)
    options = {**SAMPLING, "sequence_bias": towards_words}

    def high(stretch: str) -> bool:
        return index.bci(stretch).bci_percentile >= 60

    processor = ProvDecode(index, ScoredSpans(index, rule), fast)
    texts = [
        [
            fast.decode(row[4:], skip_special_tokens=True)
            for row in generate(model, prompts[:60], 2, one, **options).tolist()
        ]
        for one in (processor, None)
    ]
    repeats = [sum(bool(planted.repeats(text, LEAST, high)) for text in several) for several in texts]
    assert repeats[0] == 0 and repeats[1] > 5


def test_an_index_that_folds_is_refused(tmp_path: Path) -> None:
    build_index([Document("The car")], tmp_path / "index", fold="case")
    index = open_index(tmp_path / "index", threads=1)
    with pytest.raises(InputError, match="keeps case and space"):
        ProvDecode(index, ListedSpans(index, ["the car"]), TOKENS)
