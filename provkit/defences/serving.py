"""An OpenAI-compatible server in front of an endpoint that refuses or marks the answers which the shield stops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote

from provkit.defences.answers import whole
from provkit.defences.shield import Shield
from provkit.defences.streaming import streamed

PASSED = ("authorization", "content-type", "accept")  # headers that go on to the endpoint
CHECKED = ("/chat/completions", "/completions")
UNCHECKED = ("/embeddings", "/moderations")  # what else may be posted: no text of a model comes back
STORED = ("completions", "responses")  # what may not be fetched: answers that an endpoint keeps
BODY = 64 << 20  # bytes of a request
UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)  # what an answer in another form raises


def server(
    shield: Shield, endpoint: str, host: str, port: int, mode: Literal["refuse", "annotate"] = "refuse"
) -> ThreadingHTTPServer:
    """A server that is not yet running; `serve_forever` runs it.

    What could bring an answer past the shield is not served: other paths than those that it checks are answered with
    404, but for embeddings, moderations, and what is fetched without being an answer (models).

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
            path = unquote(self.path)
            if any(word in path for word in STORED):
                self._fault(404, f"the shield does not serve {self.path.split('?')[0]}")
            else:
                self._forward("GET", b"", False)

        def do_POST(self) -> None:
            given, path = self.headers.get("Content-Length") or "0", self._path()
            if not (given.isascii() and given.isdecimal()) or int(given) > BODY:
                self.close_connection = True  # the body stays unread
                self._fault(413 if given.isdecimal() else 400, "the request is too large, or of no known length")
                return
            body = self.rfile.read(int(given))
            if path in CHECKED or path in UNCHECKED:
                self._forward("POST", body, path in CHECKED)
            else:
                self._fault(404, f"the shield does not serve {path}")

        def _path(self) -> str:
            return self.path.removeprefix("/v1").split("?")[0]

        def _forward(self, method: str, body: bytes, checked: bool) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED}
            try:
                with client.stream(
                    method, base + self.path.removeprefix("/v1"), content=body, headers=headers
                ) as found:
                    kind = found.headers.get("content-type", "application/json")
                    if found.status_code != 200 or not checked:
                        self._answer(found.status_code, found.read(), kind)
                    elif kind.startswith("text/event-stream"):
                        self._stream(found.iter_lines(), _number(body))
                    else:
                        said = json.dumps(whole(json.loads(found.read()), shield, annotate)).encode()
                        self._answer(200, said)
            except ConnectionError:  # whoever asked is gone
                self.close_connection = True
            except (httpx2.HTTPError, *UNREADABLE) as error:
                self._fault(502, f"the endpoint behind: {type(error).__name__}")

        def _fault(self, status: int, problem: str) -> None:
            self._answer(status, json.dumps({"error": {"message": problem}}).encode())

        def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, lines: Iterator[str], number: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                for event in streamed(lines, shield, annotate, number):
                    self.wfile.write(event)
                    self.wfile.flush()
            except (httpx2.HTTPError, *UNREADABLE):
                return  # the answer is half sent: a stream without its end says so

        def log_message(self, *_: Any) -> None:
            pass

    return ThreadingHTTPServer((host, port), Handler)


def _number(body: bytes) -> int:
    """How many choices a request asks for."""
    asked = json.loads(body).get("n")
    return asked if isinstance(asked, int) else 1
