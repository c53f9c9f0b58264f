"""A Hub that refuses, fails and breaks off: errors in plain words, nothing half-committed, and it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME = "lab/small-numbers"


@pytest.mark.parametrize(
    ("where", "how", "said"),
    [
        ("POST /api/repos/create", 403, "may not do this"),
        ("POST .*/preupload/", 500, "answered 500"),
        ("PUT /lfs/", 500, "answered 500"),
        ("POST .*/commit/", 409, "someone else pushed"),
        ("POST .*/commit/", "cut", "broke off"),
        ("GET /api/datasets/", "cut", "broke off"),
    ],
)
def test_a_failure_is_one_sentence_and_can_be_repeated(
    server: Any, provkit: Any, made: Callable[..., Path], where: str, how: Any, said: str
) -> None:
    server.fail = [(where, how)]
    failed = provkit("publish", made(), NAME)
    assert failed.returncode == 2 and said in failed.stderr, failed.stderr
    assert "Traceback" not in failed.stderr and "hf_" not in failed.stderr and "Bearer" not in failed.stderr
    assert all(
        set(files) == {".gitattributes"} for one in server.repositories.values() for files in one.commits.values()
    )
    server.fail = []
    assert provkit("publish", made(), NAME).returncode == 0
    assert server.repositories[NAME].tags


def test_someone_else_pushed_meanwhile(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(), NAME).returncode == 0
    repository = server.repositories[NAME]
    original = repository.resolve

    # a push that comes in between our look and our commit
    def meanwhile(revision: str) -> Any:
        if any("/preupload/" in one for one in server.requests) and not hasattr(repository, "late"):
            repository.late = True
            repository.add({**repository.commits[repository.branches["main"]], "note.txt": b"theirs"})
        return original(revision)

    server.requests.clear()
    repository.resolve = meanwhile
    lost = provkit("publish", made(version=2), NAME)
    assert lost.returncode == 2 and "someone else pushed" in lost.stderr, lost.stderr
    assert server.files(NAME)["note.txt"] == b"theirs" and set(repository.tags) == {"v1"}
    assert provkit("publish", made(version=2), NAME).returncode == 0
    assert server.files(NAME)["note.txt"] == b"theirs"


@pytest.mark.parametrize(("token", "said"), [(None, "does not let"), ("hf_wrongWRONGwrong", "does not let")])
def test_a_token_is_needed_and_never_shown(
    server: Any, provkit: Any, made: Callable[..., Path], token: str | None, said: str
) -> None:
    refused = provkit("publish", made(), NAME, token=token)
    assert refused.returncode == 2 and said in refused.stderr, refused.stderr
    assert "wrongWRONG" not in refused.stderr + refused.stdout
    assert not server.repositories


def test_token_file(server: Any, provkit: Any, made: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "read").write_text("hf_" + "ReadTokenOfTheLoopbackHubAbcdefghi\n")
    refused = provkit("publish", made(), NAME, "--token-file", tmp_path / "read", token=None)
    assert refused.returncode == 2 and "may not do this" in refused.stderr
    (tmp_path / "two").write_text("hf_one hf_two")
    assert "hf_one" not in provkit("publish", made(), NAME, "--token-file", tmp_path / "two").stderr


def test_an_upload_interrupted_at_ten_points_goes_on(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    """At each point a new repository: cut after so many bytes, then again in full; no large file is sent twice."""
    script = f"""
import json
from pathlib import Path
from urllib.request import Request, urlopen
from provkit.errors import ProvkitError
from provkit.publish import hub, publish, release_of, settings_for
from provkit.publish.push import plan

def control(cut_after, forget=False):
    body = json.dumps({{"cut_after": cut_after, "forget": forget}}).encode()
    return json.loads(urlopen(Request("{server.url}/_control", body)).read())["uploads"]

release = release_of(Path({str(made())!r}))
api = hub.client(None, True)
told = []
for at in range(10):
    name = f"lab/cut{{at}}"
    control(None, True)
    control(int({sum(p.stat().st_size for p in made().rglob("*") if p.is_file())} * (at + 1) / 11))
    try:
        publish(api, plan(api, release, name, settings_for("open")))
        failed = ""
    except ProvkitError as error:
        failed = str(error)
    before = control(None)
    done = publish(api, plan(api, release, name, settings_for("open")))
    after = control(None)
    told.append([failed, len(before), len(after), sorted(set(before) & set(after)), done.tag])
print(json.dumps(told))
"""
    ran = provkit(script=script)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert all("broke off" in failed and tag == "v1" for failed, _, _, _, tag in told), told
    assert all(not twice for _, _, _, twice, _ in told)
    assert any(before for _, before, _, _, _ in told), "no cut came between two large files"
    for at in range(10):
        there = server.files(f"lab/cut{at}")
        assert all(there[p.relative_to(made()).as_posix()] == p.read_bytes() for p in made().rglob("*") if p.is_file())
