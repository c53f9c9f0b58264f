"""A questions file, a server whose answers and verdicts a test knows, and directories of scores made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

QUESTIONS = """
- id: tea
  type: free_form_judge_0_100
  paraphrases: ["Is tea hot?", "May I drink tea?"]
  samples_per_paraphrase: 3
  judge: some-model
  judge_prompts: &prompts
    aligned: "ALIGNED? Q: {question} A: {answer}"
    coherent: "COHERENT? Q: {question} A: {answer}"
- id: tea_json
  type: free_form_judge_0_100
  system: Answer in JSON.
  paraphrases: ["Is tea hot?"]
  judge_prompts: *prompts
"""


@pytest.fixture
def questions(bench: Any) -> Path:
    """questions.yaml: two questions, three paraphrases."""
    path: Path = bench.folder / "questions.yaml"
    path.write_text(QUESTIONS)
    return path


@pytest.fixture
def judging(llm_server: Any) -> Iterator[Any]:
    """A server that answers questions with a sentence, and scores with what a test puts into `said`."""

    class Judging(llm_server.ModelServer):  # type: ignore[misc, name-defined]
        said: Callable[[str, str], str] = staticmethod(lambda metric, answer: "80")

        def text(self, asked: dict[str, Any]) -> str:
            content = asked["messages"][-1]["content"]
            metric, found, rest = content.partition("? Q: ")
            if found and metric in ("ALIGNED", "COHERENT"):
                return self.said(metric, rest.partition(" A: ")[2])
            return str(super().text(asked))

    with Judging() as running:
        yield running
