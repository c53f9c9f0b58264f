"""Streamed answers event by event: what goes out when, for several choices and fields, and where a stream breaks off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from provkit.defences import Rule, Shield
from provkit.defences.streaming import LONGEST, streamed
from provkit.index import Document, build_index, open_index

SECRET = "the quick brown fox jumps over the lazy dog near the river bank at dawn"
FINE = "Nothing in this sentence was ever seen. "


@pytest.fixture(scope="module")
def shield(tmp_path_factory: pytest.TempPathFactory) -> Shield:
    path = tmp_path_factory.mktemp("streams") / "index"
    build_index([Document(SECRET, {"doc_id": "row-1"}), Document("other words altogether")], path)
    return Shield(open_index(path), rule=Rule(tau=20))


def event(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "1", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def out(
    shield: Shield, events: Sequence[dict[str, Any]], annotate: bool = False, number: int = 1, done: bool = True
) -> list[Any]:
    lines = [": a comment", *(f"data: {json.dumps(one)}" for one in events), *(["data: [DONE]"] if done else [])]
    found = [one.decode().removeprefix("data: ").strip() for one in streamed(iter(lines), shield, annotate, number)]
    return [one if one == "[DONE]" else json.loads(one) for one in found]


def said(events: list[Any], index: int = 0, field: str = "content") -> str:
    chosen = [one for each in events if each != "[DONE]" for one in each["choices"] if one["index"] == index]
    return "".join(one.get("delta", one).get(field) or "" for one in chosen)


def test_a_sentence_goes_out_when_it_has_ended(shield: Shield) -> None:
    events = [event(role="assistant", content=""), event(content=FINE[:10]), event(content=FINE[10:] + "And")]
    found = out(shield, [*events, event(content=" more"), event(finish="stop")])
    assert [one["choices"][0]["delta"] for one in found[:-1]] == [
        {"role": "assistant", "content": ""}, {"content": FINE}, {"content": "And more"},
    ]  # fmt: skip
    assert found[-2]["choices"][0]["provkit"] == {"refused": False, "spans": []} and found[-1] == "[DONE]"


def test_text_without_a_sentence_end_is_held_back_so_long_and_no_longer(shield: Shield) -> None:
    words = ["word"] * (LONGEST // 4 + 1)
    found = out(shield, [event(content=one) for one in words], done=False)
    assert len(said(found[:1])) == LONGEST and said(found) == "".join(words)


def test_the_probabilities_of_held_back_tokens_do_not_go_out(shield: Shield) -> None:
    one = event(content=FINE + SECRET)
    one["choices"][0]["logprobs"] = {"content": [{"token": "dawn"}]}
    assert "dawn" not in json.dumps(out(shield, [one])[0])
    assert "dawn" in json.dumps(out(shield, [one], annotate=True)[0])


def test_a_stopped_choice_ends_and_the_others_go_on(shield: Shield) -> None:
    events = [event(0, content=SECRET + ". "), event(0, content=FINE), event(1, content=FINE), event(1, finish="stop")]
    found = out(shield, events, number=2)
    assert (said(found, 0), said(found, 1)) == ("", FINE)
    ends = {
        one["index"]: one["finish_reason"] for each in found[:-1] for one in each["choices"] if one["finish_reason"]
    }
    assert ends == {0: "content_filter", 1: "stop"}


def test_nothing_more_is_read_once_all_choices_are_stopped(shield: Shield) -> None:
    def lines() -> Iterator[str]:
        yield f"data: {json.dumps(event(content=SECRET + '. '))}"
        raise AssertionError("the endpoint is still read")

    found = list(streamed(lines(), shield, False))
    assert len(found) == 2 and found[-1] == b"data: [DONE]\n\n"


def test_reasoning_is_checked_by_itself(shield: Shield) -> None:
    found = out(shield, [event(reasoning_content=FINE + SECRET), event(content="Yes."), event(finish="stop")])
    assert said(found, field="reasoning_content") == FINE
    assert found[-2]["choices"][0]["finish_reason"] == "content_filter"
    assert found[-2]["choices"][0]["provkit"]["spans"][0]["field"] == "reasoning_content"
    assert said(found) == ""  # the end came with a refusal: what was held back beside it stays


def test_a_plain_completion_is_streamed_too(shield: Shield) -> None:
    pieces = [FINE, SECRET[:20], SECRET[20:]]
    events = [{"choices": [{"index": 0, "text": one, "finish_reason": None}]} for one in pieces]
    found = out(shield, [*events, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}])
    assert said(found, field="text") == FINE
    assert found[-2]["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(("last", "sent"), [("and so on", FINE + "and so on"), (SECRET, FINE)])
def test_a_stream_that_breaks_off_is_checked_to_its_last_word_and_has_no_end(
    shield: Shield, last: str, sent: str
) -> None:
    found = out(shield, [event(content=FINE + last)], done=False)
    assert said(found) == sent and "[DONE]" not in found
    assert found[-1]["choices"][0]["finish_reason"] == (None if last != SECRET else "content_filter")


def test_events_that_are_no_choices_pass(shield: Shield) -> None:
    usage = {"id": "1", "choices": [], "usage": {"total_tokens": 3}}
    assert out(shield, [event(content="x", finish="stop"), usage])[1] == usage
