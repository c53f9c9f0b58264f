"""Bodies of an endpoint: an answer only where it is complete, moderation by its code, Retry-After as number and date."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

import pytest

from provkit.llm.bodies import NoAnswer, moderated, read_answer, retry_after
from provkit.llm.model import Answer


def body(**choice: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop", **choice}]}


def test_an_answer_has_text_finish_and_what_it_cost() -> None:
    found = body() | {"usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    assert read_answer(json.dumps(found).encode(), "k") == Answer("k", "Yes.", "stop", "", 7, 3)


@pytest.mark.parametrize("usage", [None, 5, {}, {"prompt_tokens": "7", "completion_tokens": -2}])
def test_usage_that_is_none_counts_nothing(usage: object) -> None:
    answer = read_answer(json.dumps(body() | {"usage": usage}).encode(), "k")
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b'{"choices": [',
        b"[]",
        b"null",
        b'{"error": {"message": "overloaded"}}',
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [null]}',
        b'{"choices": [{"finish_reason": "stop"}]}',
        json.dumps(body(finish_reason=None)).encode(),
        json.dumps(body(message={"content": None})).encode(),
        json.dumps(body(message={"content": ["parts"]})).encode(),
        b'{"choices": [{"message": {"content": "\\ud800"}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": "\xff"}, "finish_reason": "stop"}]}',
    ],
)
def test_what_is_no_complete_answer_is_none(raw: bytes) -> None:
    with pytest.raises(NoAnswer):
        read_answer(raw, "k")


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        ({}, None),
        ({"finish_reason": "length"}, "cut short"),
        ({"finish_reason": "content_filter", "message": {"content": None}}, "moderated"),
        ({"message": {"content": None, "refusal": "I will not."}}, "refused"),
        ({"message": {"content": " \n"}}, "empty"),
    ],
)
def test_why_an_answer_cannot_be_used(choice: dict[str, Any], fault: str | None) -> None:
    assert read_answer(json.dumps(body(**choice)).encode(), "k").fault == fault


@pytest.mark.parametrize(
    ("status", "error", "held_back"),
    [
        (400, {"code": "content_filter"}, True),
        (400, {"code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}, True),
        (400, {"type": "content_policy_violation"}, True),
        (403, {"code": 403, "metadata": {"reasons": ["violence"]}}, True),
        (403, {"code": 403, "message": "bad key"}, False),
        (400, {"message": "unknown field content_filter"}, False),
        (500, {"code": "content_filter"}, False),
        (400, "content_filter", False),
    ],
)
def test_moderation_is_told_by_its_code_and_never_by_a_word(status: int, error: object, held_back: bool) -> None:
    assert moderated(status, json.dumps({"error": error}).encode()) is held_back


def test_moderation_is_not_read_into_what_is_no_json() -> None:
    assert not moderated(400, b"content_filter")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.25", 0.25),
        ("-5", 0.0),
        ("99999", 3600.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_as_a_number(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_retry_after_as_a_date() -> None:
    assert retry_after(formatdate(time.time() + 20, usegmt=True)) == pytest.approx(20, abs=2)
    assert retry_after("Thu, 01 Jan 1970 00:00:10 GMT") == 0.0
