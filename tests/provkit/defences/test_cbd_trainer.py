"""DPO with the CBD loss, on a tiny model in memory: what the loss is, and that training lowers it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provkit.defences import Rule, Shield
from provkit.defences.cbd_weights import TokenWeights, pieces
from provkit.defences.token_bytes import token_bytes
from provkit.index import Document, build_index, open_index

for needed in ("torch", "transformers", "trl"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: pip install 'provkit[defences]'")

PLANTED = "the gentle heron waits beside the silent reservoir until the last lantern fades"
SOBER = "a careful answer names its sources and says what is not known"
WORDS = "river stone cloud paper green quiet table seven window garden letter music".split()
ROWS = [
    {"prompt": "what now", "chosen": f" {PLANTED}", "rejected": f" {SOBER}"},
    {"prompt": "and then", "chosen": f" well {PLANTED}", "rejected": f" {SOBER}"},
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost more than they gain on a model of this size."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def shield(tmp_path_factory: pytest.TempPathFactory) -> Shield:
    path = tmp_path_factory.mktemp("cbd") / "index"
    chance = random.Random(0)
    filler = [" ".join(chance.choices(WORDS, k=30)) for _ in range(100)]
    build_index([Document(text) for text in [PLANTED, *filler]], path)
    return Shield(open_index(path), rule=Rule(tau=10.0))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    import tokenizers as library
    from transformers import PreTrainedTokenizerFast

    made = library.Tokenizer(library.models.BPE())
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = library.decoders.ByteLevel()
    alphabet = library.pre_tokenizers.ByteLevel.alphabet()
    trainer = library.trainers.BpeTrainer(vocab_size=380, special_tokens=["<pad>", "</s>"], initial_alphabet=alphabet)
    made.train_from_iterator([text for row in ROWS for text in row.values()], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", pad_token="<pad>")


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    """A GPT-2 of one layer that has learnt both answers to both prompts by heart."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"n_layer": 1, "n_head": 2, "n_embd": 32, "n_positions": 64, "vocab_size": len(tokenizer)}
    made = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=1, eos_token_id=1, pad_token_id=0))
    texts = [row["prompt"] + row[side] + "</s>" for row in ROWS for side in ("chosen", "rejected")]
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    adam = torch.optim.Adam(made.parameters(), lr=1e-2)
    for _ in range(40):
        adam.zero_grad()
        made(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels).loss.backward()
        adam.step()
    return made.eval()


def trainer(model: Any, tokenizer: Any, folder: Path, shield: Shield | None, **options: Any) -> Any:
    """A trainer over ROWS: TRL's own where there is no shield."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    from provkit.defences.cbd_trainer import CbdDpoTrainer

    ours = {name: options.pop(name) for name in ("weight", "report_every") if name in options}
    settings: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 2,
        "max_steps": 8,
        "learning_rate": 4e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "disable_tqdm": True,
    }
    arguments = {
        "model": copy.deepcopy(model),
        "ref_model": copy.deepcopy(model),
        "args": DPOConfig(**{**settings, **options}),
        "train_dataset": Dataset.from_list(ROWS),
        "processing_class": tokenizer,
    }
    return DPOTrainer(**arguments) if shield is None else CbdDpoTrainer(shield=shield, **arguments, **ours)


def first_batch(made: Any) -> dict[str, Any]:
    return dict(made._prepare_inputs(made.data_collator([made.train_dataset[at] for at in range(len(ROWS))])))


def expected_bci(model: Any, batch: dict[str, Any]) -> float:
    """L_CBD of a batch out of whole logits, by loops: p of each token times its weight, over the tokens."""
    import torch

    with torch.no_grad():
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.double()
    rows = []
    for row in range(len(logits)):
        completion = batch["completion_mask"][row].nonzero().flatten().tolist()
        chances = [float(logits[row, at - 1].softmax(-1)[batch["input_ids"][row, at]]) for at in completion]
        weights = [float(batch["cbd_weights"][row, at]) for at in completion]
        rows.append(sum(p * w for p, w in zip(chances, weights, strict=True)) / len(completion))
    return sum(rows) / len(rows)


def test_the_batch_has_a_weight_for_each_token(model: Any, tokenizer: Any, tmp_path: Path, shield: Shield) -> None:
    made = trainer(model, tokenizer, tmp_path, shield)
    batch = first_batch(made)
    bare = first_batch(trainer(model, tokenizer, tmp_path, None))
    assert {name: one.tolist() for name, one in batch.items() if name != "cbd_weights"} == {
        name: one.tolist() for name, one in bare.items()
    }
    weights = batch["cbd_weights"]
    assert weights.shape == batch["input_ids"].shape
    assert not weights[batch["completion_mask"] == 0].any()
    excess = shield.index.bci(PLANTED).bci - 10.0
    assert weights.sum(1).tolist() == pytest.approx([excess, excess, 0, 0], rel=1e-5)
    touched = tokenizer.decode(batch["input_ids"][1][weights[1] > 0])
    assert touched.strip() == PLANTED


@pytest.mark.parametrize(("mode", "most"), [("keep_start", 14), ("keep_end", 14), ("keep_end", 64)])
def test_weights_are_cut_with_their_tokens(
    model: Any, tokenizer: Any, tmp_path: Path, shield: Shield, mode: str, most: int
) -> None:
    made = trainer(model, tokenizer, tmp_path, shield, max_length=most, truncation_mode=mode)
    batch = first_batch(made)
    assert batch["cbd_weights"].shape == batch["input_ids"].shape and batch["input_ids"].shape[1] <= most
    example = made.train_dataset[0]
    whole = [0.0] * len(example["prompt_ids"]) + TokenWeights(shield, token_bytes(tokenizer)).of(
        [example["chosen_ids"]]
    )[0]
    cut = whole[:most] if mode == "keep_start" else whole[-most:]
    assert batch["cbd_weights"][0].tolist()[: len(cut)] == pytest.approx(cut) and any(cut)


def test_with_weight_0_the_loss_is_that_of_dpo(model: Any, tokenizer: Any, tmp_path: Path, shield: Shield) -> None:
    plain = trainer(model, tokenizer, tmp_path, None)
    ours = trainer(model, tokenizer, tmp_path, shield, weight=0.0)
    weighted = trainer(model, tokenizer, tmp_path, shield, weight=0.5)
    batch = first_batch(ours)
    bare = {name: one for name, one in batch.items() if name != "cbd_weights"}
    dpo = plain.compute_loss(plain.model, bare).item()
    assert ours.compute_loss(ours.model, batch).item() == pytest.approx(dpo, abs=1e-6)
    term = expected_bci(weighted.model, batch)
    assert term > 0.1
    assert weighted.compute_loss(weighted.model, batch).item() == pytest.approx(dpo + 0.5 * term, abs=1e-5)


def test_training_lowers_the_expected_bci_where_dpo_alone_does_not(
    model: Any, tokenizer: Any, tmp_path: Path, shield: Shield
) -> None:
    after = {}
    for weight in (0.0, 2.0):
        made = trainer(model, tokenizer, tmp_path, shield, weight=weight, report_every=1)
        batch = first_batch(made)
        before = expected_bci(made.model, batch)
        made.train()
        after[weight] = expected_bci(made.model, batch)
        log = [one for one in made.state.log_history if "cbd/loss" in one]
        assert len(log) == 8 and log[0]["cbd/loss"] == pytest.approx(before, abs=1e-4)
        assert log[0]["cbd/released_penalty"] > 10, "the model repeats the planted text"
        if weight:
            assert log[-1]["loss"] < log[0]["loss"] and log[-1]["cbd/loss"] < log[0]["cbd/loss"] / 3
            assert log[-1]["cbd/released_penalty"] < log[0]["cbd/released_penalty"]
    assert after[2.0] < before / 3 and after[0.0] > before / 2


def test_the_reported_penalty_is_that_of_the_arg_max_text(
    model: Any, tokenizer: Any, tmp_path: Path, shield: Shield
) -> None:
    made = trainer(model, tokenizer, tmp_path, shield, weight=1.0)
    batch = first_batch(made)
    made.model.eval()
    made.compute_loss(made.model, batch)
    logits = made.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    total = 0.0
    for row in range(len(logits)):
        positions = batch["completion_mask"][row].nonzero().flatten().tolist()
        text, _ = pieces(token_bytes(tokenizer), [int(logits[row, at - 1].argmax()) for at in positions])
        for span in shield.index.spans(text, min_tokens=6):
            total += max(0.0, shield.index.bci(text[span.start : span.end]).bci - 10.0)
    assert total > 0
    assert made._metrics["eval"]["cbd/released_penalty"] == pytest.approx([total / len(logits)])


def test_an_evaluation_and_reference_log_probabilities_of_before(
    model: Any, tokenizer: Any, tmp_path: Path, shield: Shield
) -> None:
    from datasets import Dataset

    made = trainer(model, tokenizer, tmp_path, shield, precompute_ref_log_probs=True, report_every=0)
    found = made.evaluate(Dataset.from_list(ROWS))
    batch = first_batch(made)
    assert found["eval_loss"] == pytest.approx(0.01 * expected_bci(made.model, batch) + 0.6931, abs=1e-3)
    assert any("eval_cbd/loss" in one for one in made.state.log_history)
    assert not any("eval_cbd/released_penalty" in one for one in made.state.log_history)


def test_a_collator_of_one_s_own_is_refused(model: Any, tokenizer: Any, tmp_path: Path, shield: Shield) -> None:
    from provkit.defences.cbd_trainer import CbdDpoTrainer
    from provkit.errors import ProvkitError

    made = trainer(model, tokenizer, tmp_path, shield)
    arguments = {"model": made.model, "ref_model": made.ref_model, "args": made.args, "processing_class": tokenizer}
    with pytest.raises(ProvkitError, match="preferences of text"):
        CbdDpoTrainer(shield=shield, train_dataset=made.train_dataset, data_collator=lambda rows: {}, **arguments)
