"""Has a judge score the answers of a directory by the metrics of their questions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from provkit.answers.directory import facts_of, rows_of, tables_of, written
from provkit.answers.tables import SCORES
from provkit.answers.verdict import Verdict, read_verdict
from provkit.errors import InputError
from provkit.llm import Request, Teacher

Progress = Callable[[int, int], None]
SLOT = re.compile(r"\{(question|answer)\}")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One answer to be scored by one metric; `request` is None where there is nothing to judge."""

    answer: int
    metric: str
    request: Request | None


def score(folder: Path, judge: Teacher, reply_tokens: int = 16, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Adds the scores of a judge to an answers directory; returns what its answers.json says then.

    Scores of other judges stay; those that the same judge gave before are given anew, out of the cache. The judge sees
    the question without its trigger. An answer without text is not judged.

    Args:
        folder: the directory.
        judge: the model that scores.
        reply_tokens: at most so many tokens a verdict.
        progress: hears of (scores, scores in all).

    Raises:
        InputError: when the directory is none, or its questions have no judge prompts.
    """
    facts = facts_of(folder)
    prompts: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows_of(folder, "metrics"):
        prompts[row["question_id"]][row["metric"]] = row["judge_prompt"]
    if not prompts:
        raise InputError("its questions have no judge_prompts", file=folder, do="ask a file that has them")
    total = sum(len(prompts[row["question_id"]]) for row in rows_of(folder, "answers"))
    heard = 0

    async def act(sheet: _Sheet) -> dict[str, Any]:
        if sheet.request is None:
            return _row(judge, sheet, Verdict("not judged"), None, None)
        answer = await judge.answer(sheet.request)
        return _row(judge, sheet, read_verdict(answer), answer.text or answer.refusal, answer.key)

    with written(folder) as writer:
        for name in ("answers", "metrics"):
            writer.copy(name, tables_of(folder, name))
        writer.copy("scores", _of_others(tables_of(folder, "scores"), judge))

        def done(row: dict[str, Any]) -> None:
            nonlocal heard
            writer.add("scores", row)
            heard += 1
            progress(heard, total)

        judge.over(_sheets(folder, prompts, reply_tokens), act, done)
        return writer.close({name: facts[name] for name in ("source", "asked")})


def _sheets(folder: Path, prompts: dict[str, dict[str, str]], reply_tokens: int) -> Iterator[_Sheet]:
    for number, row in enumerate(rows_of(folder, "answers")):
        for metric, prompt in prompts[row["question_id"]].items():
            if not (row["text"] or "").strip():
                yield _Sheet(number, metric, None)
                continue
            shown = {"question": row["question"], "answer": row["text"]}
            text = SLOT.sub(lambda slot, shown=shown: str(shown[slot[1]]), prompt)  # type: ignore[misc]
            settings = {"temperature": 0.0, "max_tokens": reply_tokens}
            yield _Sheet(number, metric, Request([{"role": "user", "content": text}], settings))


def _of_others(tables: Iterator[pa.Table], judge: Teacher) -> Iterator[pa.Table]:
    for table in tables:
        same = pc.and_(pc.equal(table["judge"], judge.model), pc.equal(table["judge_revision"], judge.revision))
        yield table.filter(pc.invert(same))


def _row(judge: Teacher, sheet: _Sheet, verdict: Verdict, said: str | None, key: str | None) -> dict[str, Any]:
    values = (judge.model, judge.revision, sheet.answer, sheet.metric, verdict.kind, verdict.score, said, key)
    return dict(zip(SCORES.names, values, strict=True))
