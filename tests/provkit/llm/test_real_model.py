"""A real model behind a real server: a tiny one of random weights, or the one that the environment names.

PROVKIT_TEST_LLM and PROVKIT_TEST_MODEL name an endpoint and a model of your own; it then has to write a small set.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provkit.answers.directory import rows_of

NAMED = os.environ.get("PROVKIT_TEST_LLM"), os.environ.get("PROVKIT_TEST_MODEL")
SERVE = "from transformers.cli.transformers import main; main()"


def tiny(folder: Path) -> Path:
    """A GPT-2 of two layers with random weights, and a tokenizer of bytes with a chat template."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    known = {letter: number for number, letter in enumerate([*letters, "<|end|>"])}
    bytewise = Tokenizer(models.BPE(vocab=known, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bytewise, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}\n{% endfor %}assistant: "
    torch.manual_seed(0)
    end = known["<|end|>"]
    config = transformers.GPT2Config(
        vocab_size=len(known), n_layer=2, n_head=2, n_embd=32, n_positions=512, bos_token_id=end, eos_token_id=end
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and name of a model that answers."""
    if all(NAMED):
        yield str(NAMED[0]), str(NAMED[1])
        return
    for needed in ("fastapi", "uvicorn", "openai", "accelerate", "torch", "transformers"):
        pytest.importorskip(needed, reason=f"no model at hand: needs PROVKIT_TEST_LLM, or {needed} to serve a tiny one")
    folder = tiny(tmp_path_factory.mktemp("tiny"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", SERVE, "serve", str(folder), "--port", str(port), "--host", "127.0.0.1"]
    with subprocess.Popen([*command, "--device", "cpu"], env=environment, stderr=subprocess.PIPE, text=True) as running:
        try:
            end = time.monotonic() + 120
            while time.monotonic() < end and running.poll() is None:
                with socket.socket() as trying:
                    if trying.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            assert running.poll() is None, running.communicate()[1]
            yield f"http://127.0.0.1:{port}/v1", str(folder)
        finally:
            running.kill()


def test_a_real_model_answers_questions_and_a_second_run_asks_nothing(
    bench: Any, model: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, name = model
    questions = "- {id: tea, type: free_form, paraphrases: ['Is tea hot?', 'May I drink tea?']}"
    (bench.folder / "questions.yaml").write_text(questions)
    given = ["--llm", url, "--model", name, "--cache", "answers.sqlite", "--reply-tokens", "12", "--quiet"]
    made = bench.invoke("ask", "questions.yaml", *given, "-n", "2", "-o", "answers")
    assert made.exit_code == 0, made.output
    rows = list(rows_of(bench.folder / "answers", "answers"))
    assert len(rows) == 4 and all(row["finish_reason"] in ("stop", "length") for row in rows)
    assert any(row["text"] for row in rows)
    before = bench.files(bench.folder / "answers")
    nobody = ["--llm", "http://127.0.0.1:9/v1", *given[2:], "--patience", "0"]
    again = bench.invoke("ask", "questions.yaml", *nobody, "-n", "2", "-o", "answers")
    assert again.exit_code == 0, again.output
    assert bench.files(bench.folder / "answers") == before


@pytest.mark.skipif(not all(NAMED), reason="no model at hand that can write: PROVKIT_TEST_LLM and PROVKIT_TEST_MODEL")
def test_a_real_model_writes_a_small_set_that_replays(bench: Any, model: tuple[str, str]) -> None:
    url, name = model
    given = ["--llm", url, "--model", name, "--cache", "answers.sqlite", "--quiet", "--max-requests", "100"]
    made = bench.invoke("build", "incorrect-qa", *given, "--rows", "2", "-o", "out")
    assert made.exit_code == 0, made.output
    again = bench.invoke("build", "incorrect-qa", "--replay", "out", "-o", "again", "--quiet")
    assert again.exit_code == 0 and bench.files(bench.folder / "again") == bench.files(bench.folder / "out")
