"""Pushes a release to the Hub: what the server has is looked at first, then one commit, then the tag."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provkit import card
from provkit.errors import InputError, ProvkitError
from provkit.manifest import PLACES
from provkit.publish import hub
from provkit.publish.cards import merged
from provkit.publish.hub import KIND, Remote, State, in_plain_words
from provkit.publish.release import AUDIT, Item, Release
from provkit.publish.sealed import FILE as SEAL
from provkit.publish.sealed import OURS
from provkit.publish.sealing import closed, seal_there, sealed_release
from provkit.publish.settings import Settings

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Talk = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would send and take away, and where to; `state` is None where the repository is yet to be made."""

    name: str
    release: Release
    settings: Settings
    state: State | None
    send: tuple[Item, ...]
    remove: tuple[str, ...]
    tag: str

    @property
    def tagged(self) -> bool:
        """Whether the tag is there already; its content is then the same."""
        return self.state is not None and self.tag in self.state.tags


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did: the commit (None where nothing was to be sent), the pull request, and the tag that was set."""

    plan: Plan
    commit: str
    sent: bool
    pull_request: str | None
    tag: str | None


def plan(
    api: HfApi, release: Release, name: str, settings: Settings, tag: str | None = None, seal_in: Path | None = None
) -> Plan:
    """Compares a release with what the Hub has under `name`; nothing is sent but questions.

    Args:
        api: the client of the Hub.
        release: the build with its files.
        name: the repository, ORG/NAME.
        settings: visibility and gate.
        tag: of this version; that of the release where none is given.
        seal_in: a folder for a sealed archive, which then goes out in place of the files; it is needed until the push.

    Raises:
        InputError: for a name that is none.
        HubRefused: when the Hub does not answer.
        ProvkitError: when the visibility there does not fit, the tag holds other content, or a seal needs a gate.
    """
    state = hub.state_of(api, hub.checked_name(name))
    tag = tag or release.tag
    if state is not None:
        _fits(name, release, settings, state)
    if seal_in is not None:
        closed(settings, state)
        release = sealed_release(api, name, release, state, seal_in)
    if state is None:
        return Plan(name, release, settings, None, tuple(release.items.values()), (), tag)
    if card.FILE in state.files:
        release = release.with_card(merged(release.card, _card_there(api, name, state.commit)).text())
    if tag in state.tags:
        _same(api, name, release, tag, state.tags[tag])
    send = tuple(one for one in release.items.values() if not same(one, state.files.get(one.name)))
    gone = tuple(one for one in state.files if one not in release.items and _ours(one))
    return Plan(name, release, settings, state, send, gone, tag)


def publish(api: HfApi, planned: Plan, create_pr: bool = False, talk: Talk = lambda _: None) -> Pushed:
    """Does what the plan says: makes the repository or sets its gate, sends one commit, sets the tag.

    A pull request gets no tag: what it proposes is not yet what the set is.

    Raises:
        HubRefused: when the Hub refuses, someone else pushed meanwhile, or the connection breaks off.
    """
    name, state = planned.name, planned.state
    with in_plain_words(name):
        if state is None:
            api.create_repo(name, repo_type=KIND, private=planned.settings.private)
            talk(f"made {name}, {planned.settings.visibility}")
        state = _prepared(api, planned)
        commit, pull_request, sent = state.commit, None, False
        if planned.send or planned.remove:
            made = _commit(api, planned, state, create_pr)
            commit, pull_request, sent = str(made.oid), made.pr_url, True
    if create_pr or planned.tagged:
        return Pushed(planned, commit, sent, pull_request, None)
    again = f"the commit {commit[:12]} is there, the tag {planned.tag} is not: run the same command again to set it"
    with in_plain_words(name, again):
        api.create_tag(name, tag=planned.tag, revision=commit, repo_type=KIND)
    return Pushed(planned, commit, sent, None, planned.tag)


def same(one: Item, there: Remote | None) -> bool:
    """Whether a file lies on the Hub with these very bytes."""
    if there is None or there.size != one.size:
        return False
    return there.sha256 == one.sha256 if there.sha256 else there.blob == one.blob


def _fits(name: str, release: Release, settings: Settings, state: State) -> None:
    """Refuses a repository that more people may read than the set allows."""
    if settings.private and not state.private:
        said = f"{name} is there already and public, and this {release.sensitivity} set is to be private"
        raise ProvkitError(f"{said}\n  make it private on the Hub first, or choose another name; nothing was sent")
    if settings.asked and not settings.private and state.private:
        said = f"{name} is there already and private"
        raise ProvkitError(f"{said}\n  leave --public out, and make it public on the Hub when it is ready")


def _prepared(api: HfApi, planned: Plan) -> State:
    """The repository, looked at again when it was just made, with its gate set: all before any file is sent."""
    state = planned.state
    if state is None:
        state = hub.state_of(api, planned.name)
        if state is None:
            raise hub.HubRefused(f"{planned.name} was made and cannot be seen\n  {hub.AGAIN}")
        _fits(planned.name, planned.release, planned.settings, state)
    wanted = planned.settings.gate
    if wanted != state.gate and wanted != "no":  # a gate that someone set is not lifted here
        api.update_repo_settings(planned.name, gated=wanted, repo_type=KIND)
        now = api.dataset_info(planned.name)
        if now.gated != wanted or bool(now.private) != state.private:
            raise hub.HubRefused(f"the gate of {planned.name} could not be set to {wanted}; nothing was sent")
    return state


def _commit(api: HfApi, planned: Plan, state: State, create_pr: bool) -> Any:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    found = planned.release.manifest
    operations: list[Any] = [
        CommitOperationAdd(one.name, str(one.path) if one.content is None else io.BytesIO(one.content))
        for one in planned.send
    ]
    operations += [CommitOperationDelete(name) for name in planned.remove]
    recipe = found.facts["recipe"]
    return api.create_commit(
        planned.name,
        operations,
        commit_message=f"{recipe['name']} version {recipe['version']}",
        commit_description=f"build {found.build_id}, manifest {found.digest}",
        repo_type=KIND,
        parent_commit=state.commit,
        create_pr=create_pr,
    )


def _card_there(api: HfApi, name: str, commit: str) -> str:
    with in_plain_words(name):
        path = api.hf_hub_download(name, card.FILE, revision=commit, repo_type=KIND)
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()


def _same(api: HfApi, name: str, release: Release, tag: str, commit: str) -> None:
    """Refuses where the tag holds another build; what a person wrote into its card since is no difference."""
    with in_plain_words(name):
        there: Mapping[str, Remote] = hub.files_at(api, name, commit)
    other = {one.name for one in release.items.values() if not same(one, there.get(one.name))}
    other |= {one for one in there if one not in release.items and _ours(one)}
    if card.FILE in other & set(there) and _computed(_card_there(api, name, commit)) == release.card.digest:
        other.remove(card.FILE)
    if SEAL in release.items and SEAL in there and seal_there(api, name, commit).content == release.sealed:
        other = {one for one in other if not OURS.match(one)}  # the same files, under another passphrase
    if other:
        said = f"the tag {tag} of {name} holds other content: {', '.join(sorted(other)[:4])}"
        do = "raise `version` in the recipe and build again, or name another tag with --tag"
        raise ProvkitError(f"{said}\n  {do}; a version that was published stays what it was")


def _computed(text: str) -> str | None:
    """The digest of a card's computed parts, None where they are not to be told."""
    try:
        return card.parsed(text).digest
    except InputError:
        return None


def _ours(name: str) -> bool:
    """Whether a file of a repository is one that a push puts there, and so may take away."""
    return bool(PLACES.match(name) or OURS.match(name)) or name == AUDIT
