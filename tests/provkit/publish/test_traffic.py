"""What goes over the wire: no token, no folder of this machine, at any kind of push; and the search does find them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "lab/small-numbers"


def pushed(server: Any, ran: Any) -> bytes:
    assert ran.returncode == 0, ran.stderr
    sent = bytes(server.traffic)
    assert b"/commit/" in sent and b"/preupload/" in sent
    return sent


def test_every_kind_of_push(
    server: Any, provkit: Any, made: Callable[..., Path], searched: Callable[[], list[str]], tmp_path: Path
) -> None:
    """The first, a second, a pull request, one with a token file, one that broke off and went on."""
    sizes = [len(pushed(server, provkit("publish", made(), NAME)))]
    assert searched() == []
    sizes.append(len(pushed(server, provkit("publish", made(version=2), NAME))))
    assert searched() == []
    sizes.append(len(pushed(server, provkit("publish", made(version=3), NAME, "--create-pr"))))
    assert searched() == []
    (tmp_path / "token").write_text("hf_" + "WriteTokenOfTheLoopbackHubAbcdefgh\n")
    by_file = provkit("publish", made(version=4), NAME, "--token-file", tmp_path / "token", token=None)
    sizes.append(len(pushed(server, by_file)))
    assert searched() == []
    server.fail = [("POST .*/commit/", "cut")]
    assert provkit("publish", made(sensitivity="gated"), "lab/gated").returncode == 2
    server.fail = []
    sizes.append(len(pushed(server, provkit("publish", made(sensitivity="gated"), "lab/gated"))))
    assert searched() == []
    assert sizes == sorted(set(sizes))  # each push was seen


def test_the_search_finds_what_it_looks_for(server: Any, searched: Callable[[], list[str]]) -> None:
    """A search that finds nothing anywhere would pass everything."""
    server.traffic += b"GET /x?token=hf_" + b"ReadTokenOfTheLoopbackHubAbcdefghi"
    assert len(searched()) == 1
    server.reset()
    server.blobs["0" * 64] = str(Path.home()).encode()
    assert len(searched()) == 1
    server.reset()
