"""A Hugging Face Hub on loopback: what `datasets.load_dataset` asks for, over a real socket.

HF_ENDPOINT is read when huggingface_hub is imported, so a test that uses it runs in a process of its own:

    with Hub() as hub:
        commit = hub.commit("org/name", {"data.jsonl": b"..."})
        subprocess.run([...], env=hub.environment(tmp_path))
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

MAIN = "main"


@dataclass
class Repository:
    """A dataset repository: its commits from the first to the last, and names for some of them."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    gated: bool = False

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit names."""
        commit = self.refs.get(unquote(revision), unquote(revision))
        return commit if commit in self.commits else None


class Hub:
    """The server, its repositories, and the requests that it was sent."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []
        self.broken = ""  # requests whose path holds this are refused
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self, home: Path) -> dict[str, str]:
        """The environment of a process that is to use this Hub and no other, with its caches in `home`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return kept | {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }

    def commit(self, name: str, files: dict[str, bytes], tag: str | None = None) -> str:
        """A new commit of a dataset on its main branch, with these files and no others; its sha."""
        repository = self.repositories.setdefault(name, Repository())
        seed = [
            name,
            len(repository.commits),
            sorted((path, hashlib.sha1(raw).hexdigest()) for path, raw in files.items()),
        ]
        sha = hashlib.sha1(json.dumps(seed).encode()).hexdigest()
        repository.commits[sha] = files
        repository.refs |= {MAIN: sha} | ({tag: sha} if tag else {})
        return sha


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._route()

    def _route(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append(f"{self.command} {path}")
        if self.hub.broken and self.hub.broken in path:
            self._fail(403, "Broken")
        elif found := re.fullmatch(r"/api/datasets/(?P<name>[^/]+/[^/]+)(?P<rest>/.*)?", path):
            self._api(found["name"], found["rest"] or "")
        elif found := re.fullmatch(r"/datasets/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)", path):
            self._file(found["name"], found["revision"], unquote(found["file"]))
        else:
            self._fail(404, "EntryNotFound")

    def _api(self, name: str, rest: str) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        what, _, more = rest.removeprefix("/").partition("/")
        revision, _, folder = (more or MAIN).partition("/")
        sha = repository.resolve(revision if what else MAIN)
        if sha is None:
            self._fail(404, "RevisionNotFound")
            return
        files = repository.commits[sha]
        if what in ("", "revision"):
            siblings = [{"rfilename": path} for path in files]
            self._json({"id": name, "sha": sha, "private": False, "gated": False, "siblings": siblings, "tags": []})
        elif what == "tree":
            self._json(_tree(files, unquote(folder)))
        elif what == "paths-info":
            asked = json.loads(self._body).get("paths", [])
            self._json([_entry(path, files[path]) for path in asked if path in files])
        else:
            self._fail(404, "EntryNotFound")

    def _file(self, name: str, revision: str, file: str) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        sha = repository.resolve(revision)
        raw = repository.commits[sha].get(file) if sha else None
        if raw is None:
            self._fail(404, "EntryNotFound" if sha else "RevisionNotFound", sha)
            return
        headers = {"ETag": f'"{_oid(raw)}"', "X-Repo-Commit": sha or "", "Accept-Ranges": "bytes"}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2] or len(raw) - 1), len(raw) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(raw)}"
            self._send(206, raw[first : last + 1], headers)
        else:
            self._send(200, raw, headers)

    def _repository(self, name: str) -> Repository | None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._fail(404, "RepoNotFound")
        elif repository.gated and not self.headers.get("Authorization"):
            self._fail(401, "GatedRepo")
            return None
        return repository

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _fail(self, status: int, code: str, sha: str | None = None) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code} | ({"X-Repo-Commit": sha} if sha else {})
        self._send(status, json.dumps({"error": code}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _oid(raw: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw).hexdigest()


def _entry(path: str, raw: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "oid": _oid(raw), "size": len(raw)}


def _tree(files: dict[str, bytes], folder: str) -> list[dict[str, object]]:
    inside = {path: raw for path, raw in files.items() if not folder or path.startswith(f"{folder}/")}
    folders = {str(parent) for path in inside for parent in Path(path).parents if str(parent) not in (".", folder)}
    found: list[dict[str, object]] = [
        {"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in sorted(folders)
    ]
    return found + [_entry(path, raw) for path, raw in inside.items()]
