"""The server in front of an endpoint, over real sockets: answers whole and streamed, refused and marked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal

import httpx2
import pytest

from provkit.defences import Rule, Shield
from provkit.defences.answers import REFUSAL
from provkit.defences.serving import server
from provkit.index import Document, build_index, open_index

SECRET = "the quick brown fox jumps over the lazy dog near the river bank at dawn"
FINE = "Nothing in this sentence was ever seen. "


class Endpoint(BaseHTTPRequestHandler):
    """Answers with what the last turn says; streamed in pieces of seven characters."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self._send(200, b'{"data": [{"id": "small"}]}')

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append(self.headers.get("Authorization"))
        text = asked["messages"][-1]["content"]
        if text == "odd":
            self._send(200, b'["no object"]')
            return
        if text == "fail":
            self._send(429, b'{"error": {"message": "slow down"}}')
            return
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            self._send(200, json.dumps({"id": "1", "choices": [choice]}).encode())
            return
        pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
        events = [{"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}]
        events += [{"choices": [{"index": 0, "delta": {"content": p}, "finish_reason": None}]} for p in pieces]
        events += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
        body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
        self._send(200, body, "text/event-stream")

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running(one: ThreadingHTTPServer) -> Iterator[str]:
    threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{one.server_address[1]}/v1"
    finally:
        one.shutdown()
        one.server_close()


@pytest.fixture(scope="module")
def shield(tmp_path_factory: pytest.TempPathFactory) -> Shield:
    path = tmp_path_factory.mktemp("served") / "index"
    build_index([Document(SECRET, {"doc_id": "row-1"}), Document("other words altogether")], path)
    return Shield(open_index(path), rule=Rule(tau=20))


@contextmanager
def served(shield: Shield, mode: Literal["refuse", "annotate"] = "refuse") -> Iterator[str]:
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    with running(behind) as endpoint, running(server(shield, endpoint, "127.0.0.1", 0, mode)) as url:
        yield url


def ask(url: str, text: str, stream: bool = False) -> httpx2.Response:
    body = {"model": "small", "messages": [{"role": "user", "content": text}], "stream": stream}
    return httpx2.post(url + "/chat/completions", json=body, headers={"Authorization": "Bearer key"}, timeout=30)


def events(response: httpx2.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def text_of(found: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"].get("content") or "" for event in found for choice in event["choices"])


def test_answers_pass_or_are_replaced(shield: Shield) -> None:
    with served(shield) as url:
        (choice,) = ask(url, FINE).json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (FINE, "stop")
        assert choice["provkit"] == {"refused": False, "spans": []}
        (choice,) = ask(url, f"Well: {SECRET}").json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (REFUSAL, "content_filter")
        assert choice["provkit"]["spans"][0]["documents"] == ["row-1"]
        assert Endpoint.seen[-1] == "Bearer key"


def test_marked_answers_pass_with_what_was_found(shield: Shield) -> None:
    with served(shield, "annotate") as url:
        (choice,) = ask(url, SECRET).json()["choices"]
        assert choice["message"]["content"] == SECRET and choice["provkit"]["refused"]
        found = events(ask(url, FINE + SECRET, stream=True))
        assert text_of(found) == FINE + SECRET
        assert found[-1]["choices"][0]["provkit"]["refused"]


def test_a_stream_ends_before_the_sentence_that_is_refused(shield: Shield) -> None:
    with served(shield) as url:
        found = events(ask(url, FINE + FINE + "no end", stream=True))
        assert text_of(found) == FINE + FINE + "no end"
        assert found[-1]["choices"][0]["finish_reason"] == "stop"
        found = events(ask(url, f"{FINE}{SECRET}. {FINE}", stream=True))
        assert text_of(found) == FINE
        last = found[-1]["choices"][0]
        assert last["finish_reason"] == "content_filter" and last["provkit"]["refused"]


def test_no_part_of_a_refused_stretch_without_a_sentence_end_is_sent(shield: Shield) -> None:
    with served(shield) as url:
        assert text_of(events(ask(url, SECRET, stream=True))) == ""


def test_other_requests_and_errors_go_through(shield: Shield) -> None:
    with served(shield) as url:
        assert httpx2.get(url + "/models", timeout=30).json() == {"data": [{"id": "small"}]}
        assert ask(url, "fail").status_code == 429
    with running(server(shield, "http://127.0.0.1:9/v1", "127.0.0.1", 0)) as url:
        gone = ask(url, FINE)
        assert gone.status_code == 502 and "the endpoint behind" in gone.text


@pytest.mark.parametrize("path", ["/responses", "/v1/chat/completions/", "/chat/%63ompletions", "//completions"])
def test_no_other_way_leads_past_the_shield(shield: Shield, path: str) -> None:
    seen = len(Endpoint.seen)
    with served(shield) as url:
        body = {"messages": [{"role": "user", "content": SECRET}]}
        assert httpx2.post(url + path, json=body, timeout=30).status_code == 404
        assert httpx2.get(url + f"{path}/1?x=1", timeout=30).status_code == 404
        assert httpx2.get(url + "/chat/%63ompletions/1", timeout=30).status_code == 404
    assert len(Endpoint.seen) == seen


def test_a_plain_completion_is_checked_too(shield: Shield) -> None:
    with served(shield) as url:
        body = {"model": "small", "prompt": SECRET, "messages": [{"role": "user", "content": SECRET}]}
        (choice,) = httpx2.post(url + "/completions", json=body, timeout=30).json()["choices"]
        assert SECRET not in json.dumps(choice) and choice["finish_reason"] == "content_filter"


def test_an_answer_in_another_form_does_not_pass(shield: Shield) -> None:
    with served(shield) as url:
        odd = ask(url, "odd")
        assert (odd.status_code == 502 and "TypeError" in odd.text) or "AttributeError" in odd.text


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_of_openai_reads_what_comes_back(shield: Shield, stream: bool) -> None:
    openai = pytest.importorskip("openai", reason="needs openai (extra check)")
    with served(shield) as url, openai.OpenAI(base_url=url, api_key="key", max_retries=0) as client:
        for text, end, said in ((FINE, "stop", FINE), (FINE + SECRET, "content_filter", FINE if stream else REFUSAL)):
            asked = {"model": "small", "messages": [{"role": "user", "content": text}], "stream": stream}
            found = client.chat.completions.create(**asked)
            choices = [one.choices[0] for one in (found if stream else [found])]
            texts = [(one.delta if stream else one.message).content or "" for one in choices]
            assert ("".join(texts), choices[-1].finish_reason) == (said, end)
