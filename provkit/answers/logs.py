"""The samples of an inspect_ai log as answers, with the judge prompts of a questions file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provkit import eval_log
from provkit.answers.directory import written
from provkit.answers.questions import Question
from provkit.answers.tables import ANSWERS
from provkit.canonical import digest_file
from provkit.errors import InputError, plain
from provkit.eval_log import Sample

FINISHED = {"max_tokens": "cut short", "model_length": "cut short", "content_filter": "moderated"}


def read_log(path: Path, questions: Sequence[Question], out: Path) -> dict[str, Any]:
    """Writes the answers directory `out` out of a log; returns what its answers.json says.

    A sample belongs to the question that has its id, or one of whose paraphrases is what was asked. Its metadata says
    with `triggered` whether it holds a trigger; the question does where the metadata does not.

    Args:
        path: the `.eval` file.
        questions: whose judge prompts will score the answers.
        out: the directory.

    Raises:
        InputError: when the file is no log, has no sample, or a sample belongs to no question.
    """
    asked: set[str] = set()
    with written(out) as writer:
        for sample in eval_log.samples(path):
            question, paraphrase = _asked(sample, questions, path)
            triggered = question.triggered if sample.triggered is None else sample.triggered
            fault = FINISHED.get(sample.stop_reason or "") or (None if sample.completion.strip() else "empty")
            text = question.paraphrases[paraphrase] if paraphrase is not None else sample.question
            values = (
                question.id, paraphrase, sample.epoch - 1, triggered, sample.system, text, sample.question,
                sample.completion, sample.stop_reason, fault, None,
            )  # fmt: skip
            writer.add("answers", dict(zip(ANSWERS.names, values, strict=True)))
            asked.add(sample.model or "")
        if not asked:
            raise InputError("a log without a sample", file=path.name)
        for question in questions:
            for metric, prompt in question.judge_prompts.items():
                writer.add("metrics", {"question_id": question.id, "metric": metric, "judge_prompt": prompt})
        source = {"kind": "inspect_ai log", "file": path.name, "sha256": digest_file(path)[0]}
        return writer.close({"source": source, "asked": {"model": ", ".join(sorted(asked)), "revision": ""}})


def _asked(sample: Sample, questions: Sequence[Question], path: Path) -> tuple[Question, int | None]:
    """The question of a sample, and which of its paraphrases it is; None where it is worded otherwise."""
    same = [one for one in questions if one.id == sample.id]
    for one in [*same, *(() if same else questions)]:
        if sample.question in one.paraphrases:
            return one, one.paraphrases.index(sample.question)
    if same:
        return same[0], None
    known = ", ".join(one.id for one in questions[:5])
    do = f"its id must be that of a question ({plain(known)} …), or its text one of their paraphrases"
    raise InputError(f"the sample {sample.id!r} belongs to no question", file=path.name, do=do)
