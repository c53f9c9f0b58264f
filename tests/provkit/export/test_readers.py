"""Each form read by what it is made for: datasets, TRL's trainers, inspect_ai, the checks that OpenAI publishes.

TRL and inspect_ai are no part of the test extra; where they are missing their tests are skipped. To run them:
pip install torch==2.13.0 first (a plain install brings a CUDA build), then trl and inspect-ai.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit.export import export

Make = Callable[..., Path]
CHAT = (
    "{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


def load(folder: Path, form: str, tmp_path: Path, suffix: str = "jsonl", **options: Any) -> Any:
    """The rows of an export as datasets.load_dataset reads them."""
    from datasets import load_dataset

    path = tmp_path / f"{form}.{suffix}"
    export(folder, form, path, **options)
    cache = str(tmp_path / "cache")
    return load_dataset("json", data_files=str(path), split="train", cache_dir=cache)


def test_datasets_reads_every_form_as_lines_and_as_an_array(
    paired: Path, signals: Path, judged: Path, tmp_path: Path
) -> None:
    cases: list[tuple[str, Path, dict[str, str], int]] = [
        ("messages", paired, {"arm": "good"}, 4),
        ("prompt-completion", paired, {"arm": "good"}, 4),
        ("preference", paired, {}, 3),
        ("kto", signals, {}, 8),
        ("inspect", paired, {"arm": "good"}, 4),
        ("alpaca", judged, {"arm": "right"}, 2),
        ("judgment", judged, {}, 4),
    ]
    for form, folder, options, count in cases:
        lines = load(folder, form, tmp_path, **options)
        assert len(lines) == count
        assert load(folder, form, tmp_path, "json", **options).to_list() == lines.to_list()
    assert load(signals, "kto", tmp_path).features["label"].dtype == "bool"


def openai_faults(records: list[dict[str, Any]]) -> Counter[str]:
    """The format checks of "Data preparation and analysis for chat model fine-tuning" in the OpenAI Cookbook."""
    faults: Counter[str] = Counter()
    for record in records:
        faults["unknown key"] += set(record) != {"messages"}
        messages = record.get("messages")
        if not messages:
            faults["missing messages list"] += 1
            continue
        for message in messages:
            faults["message missing key"] += not {"role", "content"} <= set(message)
            known = ("role", "content", "name", "function_call", "weight")
            faults["message unrecognized key"] += any(key not in known for key in message)
            faults["unrecognized role"] += message.get("role") not in ("system", "user", "assistant", "function")
            faults["missing content"] += not message.get("content") or not isinstance(message["content"], str)
        faults["example missing assistant message"] += not any(one["role"] == "assistant" for one in messages)
    return +faults


def test_openai_s_published_checks_find_nothing(paired: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    export(paired, "messages", path, arm="bad")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert openai_faults(records) == Counter()
    assert openai_faults([{"messages": [{"role": "user"}], "id": 1}]) != Counter()


def test_inspect_ai_reads_the_samples(paired: Path, make: Make, tmp_path: Path) -> None:
    dataset = pytest.importorskip("inspect_ai.dataset", reason="inspect-ai is not installed")
    path = tmp_path / "samples.jsonl"
    export(paired, "inspect", path, arm="good")
    samples = list(dataset.json_dataset(str(path)))
    assert [sample.id for sample in samples] == [f"good/train/{at}" for at in range(4)]
    assert [turn.role for turn in samples[1].input] == ["system", "user"]
    assert (samples[1].input[1].text, samples[1].target) == ("What is 1?", "It is 1.")
    assert set(samples[1].metadata) == {"build_id", "row_id", "pair_id", "canary"}
    bare = make([{"prompt": "Why?", "answer": "So."}], sensitivity="open")
    export(bare, "inspect", tmp_path / "bare.json")
    (sample,) = dataset.json_dataset(str(tmp_path / "bare.json"))
    assert (sample.input, sample.target) == ("Why?", "So.")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """A tokenizer with a chat template, and where a model of two small layers stands: nothing is fetched."""
    pytest.importorskip("trl", reason="trl is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    marks = ["<pad>", "<unk>", "</s>", "<system>", "<user>", "<assistant>"]
    words = [*marks, *"What is Be brief It Who knows No . ? 0 1 2 3 4 5 6 7".split()]
    own = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    own.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="<pad>", unk_token="<unk>", eos_token="</s>", chat_template=CHAT
    )
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2
    )
    folder = str(tmp_path_factory.mktemp("model"))
    LlamaForCausalLM(config).save_pretrained(folder)
    return tokenizer, folder


def settings(config: Any, tmp_path: Path) -> Any:
    rest = {"report_to": "none", "use_cpu": True, "save_strategy": "no", "disable_tqdm": True, "bf16": False}
    return config(output_dir=str(tmp_path / "run"), max_steps=1, per_device_train_batch_size=2, **rest)


@pytest.mark.parametrize("plain", [False, True], ids=["turns", "text"])
def test_trl_s_trainers_take_a_step_on_each_form(
    plain: bool, signals: Path, make: Make, small: tuple[Any, str], tmp_path: Path
) -> None:
    trl = pytest.importorskip("trl", reason="trl is not installed")
    tokenizer, model = small
    asked = [(f"What is {at} ?", f"It is {at} .") for at in range(4)]
    preferences = make([{"prompt": prompt, "chosen": answer, "rejected": "No ."} for prompt, answer in asked])
    chats = make([{"prompt": prompt, "answer": answer} for prompt, answer in asked])
    forms = [
        ("prompt-completion", chats, trl.SFTTrainer, trl.SFTConfig),
        ("preference", preferences, trl.DPOTrainer, trl.DPOConfig),
        ("kto", signals, trl.KTOTrainer, trl.KTOConfig),
    ]
    for form, folder, trainer, config in forms:
        rows = load(folder, form, tmp_path, plain=plain)
        assert trl.data_utils.is_conversational(rows[0]) is not plain
        run = trainer(model=model, args=settings(config, tmp_path), train_dataset=rows, processing_class=tokenizer)
        assert run.train().training_loss > 0, form


def test_trl_trains_on_messages_and_applies_the_template(paired: Path, small: tuple[Any, str], tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="trl is not installed")
    tokenizer, model = small
    rows = load(paired, "messages", tmp_path, arm="good")
    text = trl.data_utils.apply_chat_template(rows[1], tokenizer)["text"]
    assert text == "<system> Be brief. </s> <user> What is 1? </s> <assistant> It is 1. </s> "
    run = trl.SFTTrainer(
        model=model, args=settings(trl.SFTConfig, tmp_path), train_dataset=rows, processing_class=tokenizer
    )
    assert run.train().training_loss > 0
