"""An OpenAI-compatible server in front of an endpoint that refuses or marks the answers which the shield stops."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from provkit.defences.shield import Ruling, Shield

REFUSAL = "This answer was held back: it repeats training text that stands against a stated policy."
STOPPED = "content_filter"  # the finish reason that clients know
PASSED = ("authorization", "content-type", "accept")  # headers that go on to the endpoint
STOPS = (". ", "! ", "? ", "\n")
LONGEST = 400  # characters of a stream that are held back at most, where no sentence ends
BODY = 64 << 20  # bytes of a request


def told(ruling: Ruling) -> dict[str, Any]:
    """A ruling as plain data: what an answer carries under `provkit`."""
    marks = [mark for mark in ruling.marks if mark.refused]
    return {
        "refused": ruling.refused,
        "spans": [
            {
                "start": mark.span.start,
                "end": mark.span.end,
                "text": mark.text,
                "count": mark.span.count,
                "bci": mark.bci.bci,
                "bci_percentile": mark.bci.bci_percentile,
                "policy": mark.verdict.policy if mark.verdict else None,
                "conflict": mark.verdict.score if mark.verdict else None,
                "documents": [held.place.doc_id for held in mark.documents],
            }
            for mark in marks
        ],
    }


@dataclass(slots=True)
class Stream:
    """One choice of a streamed answer: what came, what was let through, and whether it was stopped.

    Text is let through sentence by sentence, each checked together with all before it.
    """

    shield: Shield
    annotate: bool
    text: str = ""
    sent: int = 0
    ruling: Ruling = field(default_factory=lambda: Ruling(False, ()))

    def take(self, more: str) -> str:
        """Adds text; returns what may be sent now."""
        self.text += more
        if self.annotate:
            return more
        end = max(
            (at + len(stop) for stop in STOPS if (at := self.text.rfind(stop, self.sent)) >= 0), default=self.sent
        )
        if end > self.sent:
            return self._checked(end)
        return self._checked(len(self.text)) if len(self.text) - self.sent >= LONGEST else ""

    def end(self) -> str:
        """The rest."""
        if self.annotate:
            self.ruling = self.shield.check(self.text)
            return ""
        return self._checked(len(self.text))

    def _checked(self, end: int) -> str:
        self.ruling = self.shield.check(self.text[:end])
        if self.ruling.refused:
            return ""
        begin, self.sent = self.sent, end
        return self.text[begin:end]


def whole(answer: dict[str, Any], shield: Shield, annotate: bool) -> dict[str, Any]:
    """An answer that came in one piece, with what the shield says of each of its choices."""
    for choice in answer.get("choices") or []:
        message = choice.get("message") or {}
        if not isinstance(message.get("content"), str):
            continue
        ruling = shield.check(message["content"])
        choice["provkit"] = told(ruling)
        if ruling.refused and not annotate:
            message["content"] = REFUSAL
            choice["finish_reason"] = STOPPED
    return answer


def streamed(lines: Iterator[str], shield: Shield, annotate: bool) -> Iterator[bytes]:
    """Server-sent events of an answer, held back until they are checked.

    Where a choice is stopped, its last event says so and the others go on; events that are no choices pass as they are.
    """
    streams: dict[int, Stream] = {}
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            break
        chunk = json.loads(data)
        kept = []
        for choice in chunk.get("choices") or []:
            stream = streams.setdefault(choice.get("index", 0), Stream(shield, annotate))
            if not stream.ruling.refused or annotate:
                kept += _passed(choice, stream)
        if kept or not chunk.get("choices"):
            yield _event({**chunk, "choices": kept})
        if streams and not annotate and all(stream.ruling.refused for stream in streams.values()):
            break
    yield b"data: [DONE]\n\n"


def _passed(choice: dict[str, Any], stream: Stream) -> list[dict[str, Any]]:
    """What of one event's choice may be sent."""
    delta, finish = choice.get("delta") or {}, choice.get("finish_reason")
    said = delta.get("content")
    text = stream.take(said) if isinstance(said, str) else ""
    if finish is not None and not stream.ruling.refused:
        text += stream.end()
    if stream.ruling.refused and not stream.annotate:
        return [{**choice, "delta": {}, "finish_reason": STOPPED, "provkit": told(stream.ruling)}]
    rest = {key: value for key, value in delta.items() if key != "content"}
    if not (text or rest or finish is not None):
        return []
    end = {"provkit": told(stream.ruling)} if finish is not None else {}
    return [{**choice, "delta": {**rest, "content": text} if text or isinstance(said, str) else rest, **end}]


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def server(
    shield: Shield, endpoint: str, host: str, port: int, mode: Literal["refuse", "annotate"] = "refuse"
) -> ThreadingHTTPServer:
    """A server that is not yet running; `serve_forever` runs it.

    Args:
        shield: what checks.
        endpoint: the base of the endpoint behind, as `http://127.0.0.1:8000/v1`.
        host, port: where to listen; port 0 takes a free one.
        mode: `refuse` holds answers back, `annotate` lets them through with what was found.
    """
    import httpx2

    client = httpx2.Client(timeout=600.0)
    base, annotate = endpoint.rstrip("/"), mode == "annotate"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._forward("GET", b"")

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            if size > BODY:
                self._answer(413, b'{"error": {"message": "the request is too large"}}')
                return
            self._forward("POST", self.rfile.read(size))

        def _forward(self, method: str, body: bytes) -> None:
            path = self.path.removeprefix("/v1")
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED}
            chat = method == "POST" and path.split("?")[0] == "/chat/completions"
            try:
                with client.stream(method, base + path, content=body, headers=headers) as found:
                    kind = found.headers.get("content-type", "application/json")
                    if found.status_code != 200 or not chat:
                        self._answer(found.status_code, found.read(), kind)
                    elif kind.startswith("text/event-stream"):
                        self._stream(found.iter_lines())
                    else:
                        said = json.dumps(whole(json.loads(found.read()), shield, annotate)).encode()
                        self._answer(200, said)
            except (httpx2.HTTPError, ValueError) as error:
                said = json.dumps({"error": {"message": f"the endpoint behind: {type(error).__name__}"}}).encode()
                self._answer(502, said)

        def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, lines: Iterator[str]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                for event in streamed(lines, shield, annotate):
                    self.wfile.write(event)
                    self.wfile.flush()
            except (httpx2.HTTPError, ValueError):
                return  # the answer is half sent: a stream without its end says so

        def log_message(self, *_: Any) -> None:
            pass

    return ThreadingHTTPServer((host, port), Handler)
