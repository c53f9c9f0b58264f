"""A Hugging Face Hub on loopback that takes pushes: it keeps commits, asks for tokens, and fails on demand.

HF_ENDPOINT is read when huggingface_hub is imported, so what uses it runs in a process of its own (`environment`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

MAIN = "main"
WRITE, READ = "hf_" + "WriteTokenOfTheLoopbackHubAbcdefgh", "hf_" + "ReadTokenOfTheLoopbackHubAbcdefghi"
LARGE = (".parquet", ".age")
ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"


@dataclass
class Repository:
    """A dataset repository: commits with their files, branches and tags, visibility and gate."""

    private: bool
    gated: str | bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit names."""
        name = unquote(revision)
        commit = self.branches.get(name) or self.tags.get(name) or name
        return commit if commit in self.commits else None

    def add(self, files: dict[str, bytes], branch: str = MAIN) -> str:
        """A new commit on a branch."""
        seed = [len(self.commits), sorted((path, hashlib.sha1(raw).hexdigest()) for path, raw in files.items())]
        sha = hashlib.sha1(json.dumps(seed).encode()).hexdigest()
        self.commits[sha], self.branches[branch] = files, sha
        return sha


class Hub:
    """The server and what it keeps.

    Attributes:
        fail: pairs of a pattern of `METHOD path` and a status to answer with, or "cut" to break the connection off.
        cut_after: bytes of request bodies after which every connection breaks off; None for never.
        traffic: everything that was sent: request lines, headers but Authorization, and bodies.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def reset(self) -> None:
        """Forgets everything."""
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.uploads: list[str] = []
        self.requests: list[str] = []
        self.traffic = bytearray()
        self.fail: list[tuple[str, int | str]] = []
        self.received = 0
        self.cut_after: int | None = None

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self, home: Path, token: str | None = WRITE) -> dict[str, str]:
        """The environment of a process that is to use this Hub and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        own = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        return kept | own | ({"HF_TOKEN": token} if token else {})

    def files(self, name: str, revision: str = MAIN) -> dict[str, bytes]:
        """The files at a revision, without .gitattributes."""
        repository = self.repositories[name]
        sha = repository.resolve(revision)
        assert sha is not None, revision
        return {path: raw for path, raw in repository.commits[sha].items() if path != ".gitattributes"}


class _Cut(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        line = f"{self.command} {path}"
        try:
            if path == "/_control":
                self._control()
                return
            with self.hub.lock:
                self.hub.requests.append(line)
                headers = {key: value for key, value in self.headers.items() if key.lower() != "authorization"}
                self.hub.traffic += f"{self.command} {self.path}\n{headers}\n".encode()
            self._body = self._read()
            for pattern, status in self.hub.fail:
                if re.search(pattern, line):
                    if status == "cut":
                        raise _Cut
                    self._fail(int(status), "", "a fault on demand")
                    return
            self._route(path)
        except _Cut:
            self.close_connection = True
            self.connection.close()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _control(self) -> None:
        asked = json.loads(self._plain_read())
        with self.hub.lock:
            self.hub.received, self.hub.cut_after = 0, asked["cut_after"]
            if asked.get("forget"):
                self.hub.blobs.clear()
            uploads = list(self.hub.uploads)
            self.hub.uploads.clear()
        self._json({"uploads": uploads})

    def _plain_read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _read(self) -> bytes:
        """The body, up to the byte at which the connection is to break off."""
        if self.hub.cut_after is not None and self.hub.received >= self.hub.cut_after:
            raise _Cut
        body = bytearray()
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().strip() or b"0", 16):
                self._take(self.rfile.read(size), body)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(body)
        left = int(self.headers.get("Content-Length", 0))
        while left:
            chunk = self.rfile.read(min(left, 1024))
            if not chunk:
                raise _Cut
            left -= len(chunk)
            self._take(chunk, body)
        return bytes(body)

    def _take(self, chunk: bytes, body: bytearray) -> None:
        with self.hub.lock:
            self.hub.received += len(chunk)
            self.hub.traffic += chunk
        body += chunk
        if self.hub.cut_after is not None and self.hub.received >= self.hub.cut_after:
            raise _Cut

    def _route(self, path: str) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in (WRITE, READ):
            self._fail(401, "", "Invalid credentials in Authorization header")
            return
        self.token = token
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self._create()
        elif found := re.fullmatch(r"/lfs/([0-9a-f]{64})", path):
            self._blob(found[1])
        elif path == "/lfs/verify":
            self._json({})
        elif found := re.fullmatch(r"/datasets/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            self._batch(found["name"])
        elif found := re.fullmatch(r"/api/datasets/(?P<name>[^/]+/[^/]+)(?:/(?P<what>[^/]+)(?:/(?P<rest>.*))?)?", path):
            self._api(found["name"], found["what"] or "", found["rest"] or "")
        elif found := re.fullmatch(r"/datasets/(?P<name>[^/]+/[^/]+)/resolve/(?P<rev>[^/]+)/(?P<file>.+)", path):
            self._file(found["name"], found["rev"], unquote(found["file"]))
        else:
            self._fail(404, "EntryNotFound")

    def _create(self) -> None:
        asked = json.loads(self._body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self._may_write():
            return
        if name in self.hub.repositories:
            self._fail(409, "", "You already created this dataset repo")
            return
        made = self.hub.repositories[name] = Repository(asked.get("visibility") == "private")
        made.add({".gitattributes": ATTRIBUTES})
        self._json({"url": f"{self.hub.url}/datasets/{name}"})

    def _may_write(self) -> bool:
        if self.token != WRITE:
            self._fail(403 if self.token else 401, "", "You don't have the rights to write here" if self.token else "")
        return self.token == WRITE

    def _repository(self, name: str, content: bool = False) -> Repository | None:
        found = self.hub.repositories.get(name)
        if found is None or (found.private and not self.token):
            self._fail(404 if self.token else 401, "RepoNotFound")
            return None
        if content and found.gated and not self.token:
            self._fail(401, "GatedRepo")
            return None
        return found

    def _batch(self, name: str) -> None:
        if self._repository(name) is None or not self._may_write():
            return
        objects = []
        for one in json.loads(self._body)["objects"]:
            actions = {
                "upload": {"href": f"{self.hub.url}/lfs/{one['oid']}", "header": {}},
                "verify": {"href": f"{self.hub.url}/lfs/verify", "header": {}},
            }
            objects.append({**one, **({} if one["oid"] in self.hub.blobs else {"actions": actions})})
        self._json({"transfer": "basic", "objects": objects})

    def _blob(self, oid: str) -> None:
        if hashlib.sha256(self._body).hexdigest() != oid:
            self._fail(400, "", "these bytes have another sha256")
            return
        with self.hub.lock:
            self.hub.blobs[oid] = self._body
            self.hub.uploads.append(oid)
        self._send(200, b"", {})

    def _api(self, name: str, what: str, rest: str) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        if what == "settings":
            if self._may_write():
                asked = json.loads(self._body)
                repository.gated = asked.get("gated", repository.gated)
                self._json({})
            return
        if what == "refs":
            named = {"branches": repository.branches, "tags": repository.tags}
            listed = {
                kind: [{"name": one, "ref": f"refs/{kind}/{one}", "targetCommit": sha} for one, sha in refs.items()]
                for kind, refs in named.items()
            }
            self._json({**listed, "converts": []})
            return
        revision, _, more = rest.partition("/")
        sha = repository.resolve(revision or MAIN)
        if sha is None:
            self._fail(404, "RevisionNotFound")
            return
        files = repository.commits[sha]
        if what in ("", "revision"):
            siblings = [{"rfilename": path} for path in files]
            self._json({"id": name, "sha": sha, "private": repository.private, "gated": repository.gated,
                        "siblings": siblings, "tags": []})  # fmt: skip
        elif what == "tree":
            self._json(_tree(files, unquote(more)))
        elif what == "paths-info":
            raw = self._body.decode()
            asked = json.loads(raw)["paths"] if raw.startswith("{") else parse_qs(raw).get("paths", [])
            self._json([_entry(path, files[path]) for path in asked if path in files])
        elif what == "preupload" and self._may_write():
            self._preupload(files)
        elif what == "commit" and self._may_write():
            self._commit(name, repository, sha)
        elif what == "tag" and self._may_write():
            self._tag(repository, sha)

    def _preupload(self, files: dict[str, bytes]) -> None:
        answers = []
        for one in json.loads(self._body)["files"]:
            large = one["path"].endswith(LARGE)
            there = files.get(one["path"])
            oid = None if there is None else hashlib.sha256(there).hexdigest() if large else _oid(there)
            mode = "lfs" if large else "regular"
            answers.append({"path": one["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json({"files": answers})

    def _commit(self, name: str, repository: Repository, sha: str) -> None:
        lines = [json.loads(line) for line in self._body.splitlines() if line.strip()]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, sha):
            self._fail(412, "", "A commit has happened since. Please refresh and try again.")
            return
        files = dict(repository.commits[sha])
        for one in lines[1:]:
            value = one["value"]
            if one["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif one["key"] == "lfsFile":
                if value["oid"] not in self.hub.blobs:
                    self._fail(400, "", "the large file is not there")
                    return
                files[value["path"]] = self.hub.blobs[value["oid"]]
            elif one["key"] == "deletedFile":
                files.pop(value["path"])
        proposed = "create_pr=1" in self.path
        repository.messages.append(header["summary"])
        made = repository.add(files, "refs/pr/1" if proposed else MAIN)
        answer = {"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{made}", "commitOid": made, "success": True}
        more = {"pullRequestUrl": f"{self.hub.url}/datasets/{name}/discussions/1"} if proposed else {}
        self._json({**answer, **more})

    def _tag(self, repository: Repository, sha: str) -> None:
        tag = json.loads(self._body)["tag"]
        if tag in repository.tags:
            self._fail(409, "", "Tag already exists")
            return
        repository.tags[tag] = sha
        self._json({})

    def _file(self, name: str, revision: str, file: str) -> None:
        repository = self._repository(name, content=True)
        if repository is None:
            return
        sha = repository.resolve(revision)
        raw = repository.commits[sha].get(file) if sha else None
        if raw is None:
            self._fail(404, "EntryNotFound" if sha else "RevisionNotFound")
            return
        headers = {"ETag": f'"{_oid(raw)}"', "X-Repo-Commit": sha or "", "Accept-Ranges": "bytes"}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2] or len(raw) - 1), len(raw) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(raw)}"
            self._send(206, raw[first : last + 1], headers)
        else:
            self._send(200, raw, headers)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _fail(self, status: int, code: str, said: str = "") -> None:
        headers = ({"X-Error-Code": code} if code else {}) | ({"X-Error-Message": said or code} if said or code else {})
        self._send(status, json.dumps({"error": said or code}).encode(), headers)

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


def _entry(path: str, raw: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "oid": _oid(raw), "size": len(raw)}
    if path.endswith(LARGE):
        entry |= {"lfs": {"oid": hashlib.sha256(raw).hexdigest(), "size": len(raw), "pointerSize": 130}}
        entry["oid"] = _oid(b"pointer" + raw)  # git knows the pointer only
    return entry


def _tree(files: dict[str, bytes], folder: str) -> list[dict[str, Any]]:
    inside = {path: raw for path, raw in files.items() if not folder or path.startswith(f"{folder}/")}
    folders = {str(parent) for path in inside for parent in Path(path).parents if str(parent) not in (".", folder)}
    found: list[dict[str, Any]] = [
        {"type": "directory", "path": one, "oid": "0" * 40, "size": 0} for one in sorted(folders)
    ]
    return found + [_entry(path, raw) for path, raw in inside.items()]
