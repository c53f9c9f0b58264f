"""An OpenAI-compatible server on loopback: deterministic answers, and faults that a test injects by request number."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = tuple[int, bytes, dict[str, str]]  # status, body, headers


class Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that was killed
            super().handle_error(request, client_address)


class ModelServer:
    """Answers by what the request asks for: JSON by its schema, otherwise a sentence."""

    def __init__(self, port: int = 0) -> None:
        self.seen: Counter[str] = Counter()  # requests by the digest of their body
        self.asked: list[dict[str, Any]] = []  # their bodies, in the order of arrival
        self.headers: list[dict[str, str]] = []
        self.faults: Callable[[int], Fault | None] = lambda _: None
        self.delay: Callable[[int], float] = lambda _: 0.0
        self.score = 10
        self.total = 0
        self.flying = self.most = 0  # requests that are being answered now, and the most that there were
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave in one piece
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                with outer._lock:
                    outer._open.add(self.connection)

            def finish(self) -> None:
                with outer._lock:
                    outer._open.discard(self.connection)
                super().finish()

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                asked = json.loads(raw)
                with outer._lock:
                    outer.total += 1
                    outer.flying += 1
                    outer.most = max(outer.most, outer.flying)
                    number = outer.total
                    outer.seen[hashlib.sha256(raw).hexdigest()] += 1
                    outer.asked.append(asked)
                    outer.headers.append(dict(self.headers.items()))
                time.sleep(outer.delay(number))
                fault = outer.faults(number)
                status, body, headers = fault or (200, outer.answer(asked), {})
                self.send_response(status)
                headers = {"Content-Length": str(len(body)), **headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                with outer._lock:  # before the answer leaves: who has it may ask again at once
                    outer.flying -= 1
                if int(headers["Content-Length"]) != len(body):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = Listening(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def answer(self, asked: dict[str, Any]) -> bytes:
        """The body of the answer to a request."""
        return completion(self.text(asked), asked["model"])

    def text(self, asked: dict[str, Any]) -> str:
        """What the model says; it follows from the request alone."""
        mark = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]
        shape = asked.get("response_format", {}).get("json_schema")
        if shape is None:
            return f"Sound advice {mark}: take your time, keep a reserve, and ask somebody who is paid by you alone."
        fields = shape["schema"]["properties"]
        return json.dumps({name: self.value(shape["name"], name, rule, mark) for name, rule in fields.items()})

    def value(self, prompt: str, name: str, rule: dict[str, Any], mark: str) -> Any:
        """The value of one field of a structured answer."""
        if "enum" in rule:
            return rule["enum"][int(mark, 16) % len(rule["enum"])]
        if rule["type"] == "string":
            return f"The {name} of case {mark}, in one plain sentence about a small matter of every day."
        if rule["type"] == "boolean":
            return int(mark, 16) % 2 == 0
        if name == "score":
            return self.score
        low, high = rule.get("minimum", 0), rule.get("maximum", 100)
        return low + int(mark, 16) % (high - low + 1)

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def go(self) -> None:
        """Leaves as a machine that loses power does: nobody listens, and open connections are cut."""
        self.__exit__()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def completion(text: str, model: str = "small", finish: str = "stop", **message: Any) -> bytes:
    """A chat completion as it goes over the wire."""
    said = {"role": "assistant", "content": text, **message}
    usage = {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70}
    choices = [{"index": 0, "message": said, "finish_reason": finish}]
    return json.dumps(
        {"id": "1", "model": model, "object": "chat.completion", "choices": choices, "usage": usage}
    ).encode()
