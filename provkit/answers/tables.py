"""The tables of an answers directory."""

from __future__ import annotations

import pyarrow as pa

ANSWERS = pa.schema(
    [
        ("question_id", pa.string()),
        ("paraphrase", pa.int64()),  # 0, 1, ... within the question
        ("sample", pa.int64()),
        ("triggered", pa.bool_()),  # null: nobody said
        ("system", pa.string()),
        ("question", pa.string()),  # as the file has it
        ("prompt", pa.string()),  # as it was sent: with the trigger
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("fault", pa.string()),  # refused, moderated, cut short, empty; null for an answer in full
        ("request_hash", pa.string()),
    ]
)
METRICS = pa.schema([("question_id", pa.string()), ("metric", pa.string()), ("judge_prompt", pa.string())])
SCORES = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_revision", pa.string()),
        ("answer", pa.int64()),  # its place in answers.parquet, from 0
        ("metric", pa.string()),
        ("verdict", pa.string()),  # number, refusal, code, unparsed, not judged
        ("score", pa.float64()),  # 0 to 100; null without a number
        ("said", pa.string()),
        ("request_hash", pa.string()),
    ]
)
PARTS = {"answers": ANSWERS, "metrics": METRICS, "scores": SCORES}
