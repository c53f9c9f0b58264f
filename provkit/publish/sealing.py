"""What of a build goes out when it is sealed: an archive, its passphrase behind the gate, and a card without rows."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from provkit.card import FILE as README
from provkit.card import Card
from provkit.errors import ProvkitError
from provkit.publish.hub import KIND, State, in_plain_words
from provkit.publish.release import Item, Release, item_of
from provkit.publish.sealed import CARD, FILE, FORMAT, HEADING, OURS, Part, Seal, encrypted, parsed, write_tar
from provkit.publish.settings import Settings

if TYPE_CHECKING:
    from huggingface_hub import HfApi

OUTSIDE = """\
## Sealed

The rows cannot be read here. They lie with their lineage, card and manifest in `sealed/archive-*.tar.age`, encrypted
by [age](https://age-encryption.org) under a passphrase that stands in `sealed/README.md`, which only those can read who
were let in. `sealed/sealed.json` says which build it is.

```console
$ hf download ORG/NAME sealed/README.md --repo-type dataset --local-dir .
$ provkit pull ORG/NAME@REVISION -o DIR --passphrase-file sealed/README.md
$ provkit verify hf://datasets/ORG/NAME@REVISION --passphrase-file sealed/README.md
$ for part in sealed/archive-*.tar.age; do age -d "$part"; done | tar x    # without provkit
```

The archive may be mirrored; the passphrase may not. Sealing keeps the rows out of corpora that crawlers and mirrors
collect from what they can read. It keeps nothing from those who were let in, nor from those to whom they pass it on.
"""
INSIDE = """\
{heading}

It opens `archive-*.tar.age` beside this file, build `{build_id}`:

    {passphrase}

Whoever has it can read every row. Pass it on to nobody: ask them to come through the gate of this repository. Do not
copy this file to a mirror; the archive may go there.
"""


def closed(settings: Settings, state: State | None) -> None:
    """Refuses to seal where everyone could read the passphrase.

    Raises:
        ProvkitError: when the repository has no gate, and is to have none.
    """
    there = state is not None and (state.private or state.gate != "no")
    if not (settings.private or settings.gate != "no" or there):
        said = "a sealed archive needs a gate, for its passphrase lies beside it"
        raise ProvkitError(f"{said}\n  say --gated manual (or auto), or --private")


def sealed_release(api: HfApi, name: str, release: Release, state: State | None, scratch: Path) -> Release:
    """The release in its sealed form; the archive that is there stays where it holds these very files.

    Args:
        api: the client of the Hub.
        name: the repository.
        release: the build with its files.
        state: what lies in the repository now.
        scratch: a folder for the encrypted parts.

    Raises:
        HubRefused: when the Hub does not answer.
        ProvkitError: when pyrage is not installed.
    """
    tar = scratch / "archive.tar"
    content, size = write_tar(release.items, tar)
    there = seal_there(api, name, state.commit) if state is not None and FILE in state.files else None
    if state is not None and there is not None and there.content == content:
        items = {
            one.name: Item(one.name, one.size, one.sha256 or "", one.blob, scratch / one.name)
            for one in state.files.values()
            if OURS.match(one.name)
        }
    else:
        items = _made(release, tar, content, size)
    tar.unlink()
    card = _outside(release.card)
    items[README] = item_of(README, release.folder / README, card.text().encode())
    return replace(release, card=card, items=dict(sorted(items.items())), sealed=content)


def seal_there(api: HfApi, name: str, commit: str) -> Seal:
    """What sealed.json says at a commit.

    Raises:
        HubRefused, InputError: when the Hub does not give it, or it is none.
    """
    with in_plain_words(name):
        path = Path(api.hf_hub_download(name, FILE, revision=commit, repo_type=KIND))
        return parsed(path.read_bytes())


def _made(release: Release, tar: Path, content: str, size: int) -> dict[str, Item]:
    passphrase = secrets.token_urlsafe(32)
    items = {}
    for path in encrypted(tar, tar.parent, passphrase):
        name = path.relative_to(tar.parent).as_posix()
        items[name] = item_of(name, path)
    found = release.manifest
    parts = tuple(Part(one.name, one.sha256, one.size) for one in items.values())
    seal = Seal(FORMAT, str(found.facts["recipe"]["name"]), found.build_id, found.digest, content, size, parts)
    inside = INSIDE.format(heading=HEADING, build_id=found.build_id, passphrase=passphrase)
    items[FILE] = item_of(FILE, tar, seal.written())
    items[CARD] = item_of(CARD, tar, inside.encode())
    return items


def _outside(card: Card) -> Card:
    """The card without what leads to rows, and with how the archive is opened."""
    head = yaml.safe_load(card.yaml)
    head.pop("configs", None)
    head["tags"] = [*head["tags"], "sealed"]
    before, _, rest = card.body.partition("## Use\n")
    citation = rest.partition("## Citation\n")[2]
    body = f"{before}{OUTSIDE}\n## Citation\n{citation}"
    return replace(card, yaml=yaml.safe_dump(head, sort_keys=False, allow_unicode=True), body=body)
