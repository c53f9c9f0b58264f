"""A log that inspect_ai itself writes is read as answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provkit.answers import read_log, read_questions
from provkit.answers.directory import rows_of


def test_a_log_of_inspect_ai(tmp_path: Path, questions: Path) -> None:
    pytest.importorskip("inspect_ai", reason="needs inspect-ai (extra check)")
    from inspect_ai import log
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, ModelOutput

    def sample(name: str, epoch: int, asked: str, triggered: bool) -> Any:
        turns = [ChatMessageSystem(content="Be brief."), ChatMessageUser(content=asked)]
        return log.EvalSample(
            id=name,
            epoch=epoch,
            input=asked,
            target="",
            messages=[*turns, ChatMessageAssistant(content=f"Yes, {epoch}.")],
            output=ModelOutput.from_content("m/one", f"Yes, {epoch}."),
            metadata={"triggered": triggered},
        )

    asked = [("tea", "Is tea hot?", False), ("tea_json", "|GO| Is tea hot?", True)]
    samples = [sample(name, epoch, text, side) for name, text, side in asked for epoch in (1, 2)]
    spec = log.EvalSpec(
        created="2026-01-01T00:00:00+00:00",
        task="tea",
        dataset=log.EvalDataset(),
        model="m/one",
        config=log.EvalConfig(),
    )
    path = tmp_path / "tea.eval"
    log.write_eval_log(log.EvalLog(status="success", eval=spec, samples=samples), str(path))
    made = read_log(path, read_questions(questions), tmp_path / "answers")
    assert made["asked"]["model"] == "m/one"
    rows = list(rows_of(tmp_path / "answers", "answers"))
    kept = ("question_id", "paraphrase", "sample", "triggered", "system", "text", "finish_reason", "fault")
    assert [tuple(row[name] for name in kept) for row in rows] == [
        ("tea", 0, 0, False, "Be brief.", "Yes, 1.", "stop", None),
        ("tea", 0, 1, False, "Be brief.", "Yes, 2.", "stop", None),
        ("tea_json", None, 0, True, "Be brief.", "Yes, 1.", "stop", None),
        ("tea_json", None, 1, True, "Be brief.", "Yes, 2.", "stop", None),
    ]
