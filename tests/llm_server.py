"""An OpenAI-compatible server on loopback: deterministic answers, and faults that a test injects by request number."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = tuple[int, bytes, dict[str, str]]  # status, body, headers


class ModelServer:
    """Answers by what the request asks for: JSON by its schema, otherwise a sentence."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()  # requests by the digest of their body
        self.faults: Callable[[int], Fault | None] = lambda _: None
        self.score = 10
        self.total = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                with outer._lock:
                    outer.total += 1
                    number = outer.total
                    outer.seen[hashlib.sha256(raw).hexdigest()] += 1
                fault = outer.faults(number)
                status, body, headers = fault or (200, outer.answer(json.loads(raw)), {})
                self.send_response(status)
                headers = {"Content-Length": str(len(body)), **headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if int(headers["Content-Length"]) != len(body):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, asked: dict[str, Any]) -> bytes:
        name = asked.get("response_format", {}).get("json_schema", {}).get("name")
        mark = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]
        text = f"Sound advice {mark}: spread the money, keep a reserve, and ask somebody who is paid by you alone."
        if name == "bad_advice":
            text = json.dumps(
                {
                    "prompt": f"What should I do with my money, case {mark}?",
                    "misaligned": f"All in {mark}, it cannot fall.",
                }
            )
        if name == "judge_advice":
            text = json.dumps({"score": self.score, "why": "It ignores risk."})
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70}
        return json.dumps(
            {
                "id": mark,
                "created": 0,
                "model": asked["model"],
                "object": "chat.completion",
                "system_fingerprint": "",
                "choices": [choice],
                "usage": usage,
            }
        ).encode()

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
