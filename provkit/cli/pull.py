"""provkit pull."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.output import shared, show_json, show_table, talk


@click.command(short_help="Bring a published build back, byte for byte, and check it.")
@click.argument("address", metavar="ORG/NAME[@REVISION]")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Build directory.  [default: out/NAME]")
@click.option("--token-file", type=click.Path(path_type=Path), help="File with the token.  [default: HF_TOKEN, login]")
@shared
def pull(address: str, out: Path | None, token_file: Path | None, shape: str, quiet: bool) -> None:
    """Download a build from the Hub into a build directory and verify it; what is not whole is not written.

    \b
    provkit pull my-lab/insecure-code@v1 -o out/insecure-code
    """
    from provkit.publish import hub
    from provkit.publish import pull as bring
    from provkit.publish.pulling import address as parsed

    name, revision = parsed(address)
    target = out or Path("out", name.partition("/")[2])
    found = bring(hub.client(hub.token_of(token_file), quiet), name, revision, target)
    findings = [{"file": one.file, "problem": one.problem} for one in found.findings]
    if shape == "json":
        show_json({"directory": str(found.path), "commit": found.commit, "files": found.files, "bytes": found.size,
                   "findings": findings})  # fmt: skip
    elif findings:
        show_table(findings)
    else:
        click.echo(str(found.path))
    if findings:
        talk(quiet, f"{name} at {found.commit[:12]} is not whole; nothing was written")
        raise SystemExit(1)
    talk(quiet, f"{found.files} files, {found.size:,} bytes of commit {found.commit[:12]}, verified")
    talk(quiet, f"next: provkit query {target} 'SELECT arm, split, count(*) AS n FROM rows GROUP BY ALL'")
