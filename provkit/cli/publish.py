"""provkit publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.output import shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.publish.croissant_check import Checked
    from provkit.publish.push import Plan, Pushed
    from provkit.publish.refusing import Refusal
    from provkit.publish.release import Release


@click.command(short_help="Put a build on the Hugging Face Hub in one commit.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("name", metavar="ORG/NAME")
@click.option("--private/--public", "private", default=None, help="Who may see it.  [default: by sensitivity]")
@click.option("--gated", type=click.Choice(["auto", "manual", "no"]), help="The gate.  [default: by sensitivity]")
@click.option("--tag", help="Tag of this version.  [default: v and the recipe's version]")
@click.option("--create-pr", is_flag=True, help="Open a pull request instead of committing; it gets no tag.")
@click.option("--sealed", is_flag=True, help="Send the files as one encrypted archive, its passphrase behind the gate.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent and to whom it would be visible; send nothing.")
@click.option("--token-file", type=click.Path(path_type=Path), help="File with the token.  [default: HF_TOKEN, login]")
@click.option(
    "--accept-licence", "accepted", multiple=True, metavar="NAME", help="A licence whose terms you have read."
)
@click.option("--allow", multiple=True, metavar="TEXT", help="Looks like a secret or an address, and may be published.")
@shared
def publish(
    directory: Path,
    name: str,
    private: bool | None,
    gated: Any,
    tag: str | None,
    create_pr: bool,
    sealed: bool,
    dry_run: bool,
    token_file: Path | None,
    accepted: tuple[str, ...],
    allow: tuple[str, ...],
    shape: str,
    quiet: bool,
) -> None:
    """Check the build in DIRECTORY and put it on the Hub as the dataset ORG/NAME.

    Exit 0 when it is there, 1 when something keeps it from being published, 2 when the Hub or an input refuses.

    \b
    provkit publish out/insecure-code my-lab/insecure-code --dry-run
    """
    import tempfile

    from provkit.publish import hub, release_of, settings_for
    from provkit.publish.push import plan
    from provkit.publish.push import publish as push

    hub.checked_name(name)
    hub.checked_tag(tag)
    release = release_of(directory)
    settings = settings_for(release.sensitivity, private, gated)
    checked, against = _refusals(release, accepted, allow)
    if against:
        _refuse(against, shape)
    talk(quiet, checked.said)
    api = hub.client(hub.token_of(token_file), quiet)
    with tempfile.TemporaryDirectory(prefix="provkit-") as scratch:
        planned = plan(api, release, name, settings, tag, Path(scratch) if sealed else None)
        if dry_run:
            _describe(planned, checked, shape)
            return
        done = push(api, planned, create_pr, lambda said: talk(quiet, said))
    _done(done, checked, shape, quiet)
    if sealed:
        talk(quiet, f"sealed: the passphrase stands in {name}/sealed/README.md, behind the gate, and nowhere else")
        if any(one.startswith("data/") for one in planned.remove):
            talk(quiet, f"note: earlier commits of {name} still hold the rows as they are")
    where = f"{name}@{planned.tag}" if done.tag or (planned.tagged and not create_pr) else f"{name}@{done.commit}"
    talk(quiet, f"next: provkit verify hf://datasets/{where}" + (" --passphrase-file FILE" if sealed else ""))


def _done(done: Pushed, checked: Checked, shape: str, quiet: bool) -> None:
    planned = done.plan
    name, size = planned.name, sum(one.size for one in planned.send)
    if shape == "json":
        show_json({"name": name, "commit": done.commit, "sent": [one.name for one in planned.send] if done.sent else [],
                   "removed": list(planned.remove), "bytes": size, "tag": done.tag,
                   "pull_request": done.pull_request, "croissant": checked.by})  # fmt: skip
    elif done.pull_request:
        click.echo(done.pull_request)
    else:
        click.echo(f"hf://datasets/{name}@{done.commit}")
    unchanged = len(planned.release.items) - len(planned.send)
    talk(quiet, f"{len(planned.send)} files sent, {size:,} bytes; {unchanged} unchanged, {len(planned.remove)} removed")


def _refusals(release: Release, accepted: tuple[str, ...], allow: tuple[str, ...]) -> tuple[Checked, list[Refusal]]:
    """What publishing itself refuses, and then the blocking rules of the audit, which is composed with it only here."""
    from provkit.audit import audit_files
    from provkit.publish.croissant_check import Checked, check
    from provkit.publish.refusing import Refusal, refusals

    found = refusals(release, accepted, allow)
    if found and found[0].rule == "whole":
        return Checked("structure", ()), found
    for one in audit_files(release.folder, release.manifest.outputs, release.manifest.recipe):
        do = f"mend it and build again; provkit audit --explain {one.rule.id} says more"
        found.append(Refusal(one.rule.id, f"{one.subject}: {one.said} ({one.count:,} of {one.total:,} {one.unit})", do))
    checked = check(release)
    do = "a fault of provkit: please report it, with the recipe"
    return checked, [*found, *(Refusal("croissant", one, do) for one in checked.problems)]


def _refuse(against: list[Refusal], shape: str) -> None:
    if shape == "json":
        show_json([{"rule": one.rule, "problem": one.problem, "do": one.do} for one in against])
    else:
        show_table([{"rule": one.rule, "problem": one.problem, "do": one.do} for one in against])
    click.echo("not published: nothing was sent", err=True)
    raise SystemExit(1)


def _describe(planned: Plan, checked: Checked, shape: str) -> None:
    import yaml

    release, send = planned.release, {one.name for one in planned.send}
    files = [{"file": one.name, "bytes": one.size, "would be": "sent" if one.name in send else "unchanged"}
             for one in release.items.values()]  # fmt: skip
    files += [{"file": name, "bytes": 0, "would be": "removed"} for name in planned.remove]
    header = yaml.safe_load(release.card.yaml)
    there = planned.state
    visibility = ("private" if there.private else "public") if there else planned.settings.visibility
    facts = {
        "repository": planned.name + ("" if there else " (would be made)"),
        "visibility": visibility,
        "gate": planned.settings.gate,
        "licence": release.manifest.facts["recipe"]["licence"],
        "tag": planned.tag + (" (there already, same content)" if planned.tagged else ""),
        "gate text": header.get("extra_gated_prompt") or "none",
        "croissant": checked.by,
    }
    text = release.items["README.md"].content or (release.folder / "README.md").read_bytes()
    if shape == "json":
        show_json({**facts, "files": files, "bytes": release.size, "card": text.decode()})
        return
    show_table(files)
    for key, value in facts.items():
        click.echo(f"{key}: {value}")
    click.echo(f"\n{text.decode()}")
