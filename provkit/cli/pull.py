"""provkit pull."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.output import shared, show_json, show_table, talk


@click.command(short_help="Bring a published build back, byte for byte, and check it.")
@click.argument("address", metavar="ORG/NAME[@REVISION]|DIR")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Build directory.  [default: out/NAME]")
@click.option("--passphrase-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Passphrase of a sealed archive, or its sealed/README.md.")  # fmt: skip
@click.option("--token-file", type=click.Path(path_type=Path), help="File with the token.  [default: HF_TOKEN, login]")
@shared
def pull(
    address: str, out: Path | None, passphrase_file: Path | None, token_file: Path | None, shape: str, quiet: bool
) -> None:
    """Download a build from the Hub into a build directory and verify it; what is not whole is not written.

    DIR is a folder with a sealed archive in it, as a mirror may have one.

    \b
    provkit pull my-lab/insecure-code@v1 -o out/insecure-code
    """
    from provkit.publish import hub, is_sealed, unseal
    from provkit.publish import pull as bring
    from provkit.publish.pulling import address as parsed
    from provkit.publish.sealed import passphrase_of

    passphrase = passphrase_of(passphrase_file)
    if is_sealed(Path(address)):
        target = out or Path("out", Path(address).resolve().name)
        found, where = unseal(Path(address), target, passphrase), address
    else:
        name, revision = parsed(address)
        target = out or Path("out", name.partition("/")[2])
        found = bring(hub.client(hub.token_of(token_file), quiet), name, revision, target, passphrase)
        where = f"{name} at {found.commit[:12]}"
    findings = [{"file": one.file, "problem": one.problem} for one in found.findings]
    if shape == "json":
        show_json({"directory": str(found.path), "commit": found.commit or None, "files": found.files,
                   "bytes": found.size, "findings": findings})  # fmt: skip
    elif findings:
        show_table(findings)
    else:
        click.echo(str(found.path))
    if findings:
        talk(quiet, f"{where} is not whole; nothing was written")
        raise SystemExit(1)
    talk(quiet, f"{found.files} files, {found.size:,} bytes of {where}, verified")
    talk(quiet, f"next: provkit query {target} 'SELECT arm, split, count(*) AS n FROM rows GROUP BY ALL'")
