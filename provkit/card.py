"""The dataset card: README.md of a build, with what is computed kept apart from what a person writes."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from provkit.chain import Count
from provkit.errors import InputError, plain
from provkit.table import Input

FILE = "README.md"
_SHAPE = re.compile(
    r"\A---\n# provkit:begin\n(?P<yaml>.*?)^# provkit:end\n(?P<own_yaml>.*?)^---\n(?P<before>.*?)"
    r"^<!-- provkit:begin -->\n(?P<body>.*?)^<!-- provkit:end -->\n(?P<after>.*)\Z",
    re.S | re.M,
)


@dataclass(frozen=True, slots=True)
class Card:
    """A card in its parts: what provkit computes, and what a person wrote around it."""

    yaml: str
    body: str
    own_yaml: str = ""
    before: str = ""
    after: str = ""

    def text(self) -> str:
        """The whole README.md."""
        head = f"---\n# provkit:begin\n{self.yaml}# provkit:end\n{self.own_yaml}---\n{self.before}"
        return f"{head}<!-- provkit:begin -->\n{self.body}<!-- provkit:end -->\n{self.after}"

    @property
    def digest(self) -> str:
        """sha256 of the computed parts."""
        return hashlib.sha256(f"{self.yaml}\0{self.body}".encode()).hexdigest()


def read(folder: Path) -> Card:
    """The card of a build directory.

    Raises:
        InputError: when there is none, it is no text, or the markers around the computed parts are not all there.
    """
    try:
        text = (folder / FILE).read_bytes().decode()  # as it stands: a changed line end is a change
    except FileNotFoundError:
        raise InputError("missing", file=FILE) from None
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start + 1} is not UTF-8", file=FILE) from None
    return parsed(text)


def parsed(text: str) -> Card:
    """A card in its parts.

    Raises:
        InputError: when the markers around the computed parts are not all there.
    """
    found = _SHAPE.match(text)
    if found is None:
        do = (
            "mend the lines `# provkit:begin`, `# provkit:end` and their HTML twins, or remove the file and build again"
        )
        raise InputError("the markers of the computed parts are damaged", file=FILE, do=do)
    return Card(**found.groupdict())


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says of a build.

    Attributes:
        recipe: the resolved recipe.
        build_id: identity of the build.
        inputs: what the rows were read from.
        sizes: rows by arm and split.
        columns: the content columns.
        counts: what each step did.
        reasons: drops by arm, step and reason.
        canary: the canary in the rows, None on an open set.
    """

    recipe: Mapping[str, Any]
    build_id: str
    inputs: Sequence[Input]
    sizes: Mapping[str, Mapping[str, int]]
    columns: Sequence[str]
    counts: Sequence[Count]
    reasons: Counter[tuple[str, str, str]]
    canary: str | None


def compute(facts: Facts, audit: Mapping[str, Any] | None = None) -> Card:
    """The computed parts of a card; `audit` is the report of an audit of the rows, as plain data."""
    recipe, sizes = facts.recipe, facts.sizes
    total = sum(rows for splits in sizes.values() for rows in splits.values())
    head = {
        "license": recipe["licence"].lower(),
        "pretty_name": recipe["name"],
        "tags": ["provkit", "alignment", "ai-safety", recipe["sensitivity"]],
        "size_categories": [_size_category(total)],
        "configs": [
            {
                "config_name": arm,
                "data_files": [
                    {"split": split, "path": f"data/{arm}/{split}-*.parquet"} for split, rows in splits.items() if rows
                ],
            }
            for arm, splits in sizes.items()
            if any(splits.values())
        ],
        **_gate(recipe["sensitivity"], facts.canary),
    }
    return Card(
        yaml.safe_dump(head, sort_keys=False, allow_unicode=True),
        "\n".join(_body(facts, audit)) + "\n",
    )


def _body(facts: Facts, audit: Mapping[str, Any] | None) -> list[str]:
    recipe, identity, inputs, sizes, canary = facts.recipe, facts.build_id, facts.inputs, facts.sizes, facts.canary
    lines = [f"# {recipe['name']}", "", _inline(recipe["summary"]), ""]
    lines += [f"- version {recipe['version']}, seed {recipe['seed']}, build `{identity}`"]
    lines += [f"- licence {_inline(recipe['licence'])}, sensitivity **{recipe['sensitivity']}**"]
    if recipe.get("paper"):
        lines += [f"- after {_inline(recipe['paper'])}"]
    if canary:
        place = "in every row" if recipe["canary"] == "column" else "in every row and as the last line of every prompt"
        lines += [f"- canary `{canary}`, {place}: keep these rows out of training corpora that are not about them"]
    if recipe.get("published"):
        lines += ["", "## What was published under this name", "", _inline(recipe["published"])]
    lines += ["", "## Rows", "", "| arm | split | rows |", "|---|---|---:|"]
    lines += [f"| {arm} | {split} | {rows:,} |" for arm, splits in sizes.items() for split, rows in splits.items()]
    paired = ", `pair_id` (rows of the arms out of one source row share it)" if recipe["pair"] else ""
    hidden = ", `canary`" if canary else ""
    content = ", ".join(map(_code, facts.columns))
    lines += ["", f"Content columns: {content}. Beside them: `row_id` (identity of the content){paired}{hidden}."]
    if len(sizes) > 1 and not recipe["pair"]:
        lines += ["", "The arms are **not matched**: their rows share no source row, so they may differ in more than"]
        lines += ["what the arm is about; compare lengths and vocabulary before comparing models."]
    lines += ["", "## Sources", "", "| source | file | rows read | sha256 |", "|---|---|---:|---|"]
    lines += [
        f"| {one.source} | {_inline(one.file or one.kind)} | {one.rows:,} | `{one.sha256[:16]}…` |" for one in inputs
    ]
    one_source = len({one.source for one in inputs}) == 1
    lines += ["", "## Steps", "", "| arm | step | in | created | out | dropped |", "|---|---|---:|---:|---:|---:|"]
    lines += [
        f"| {c.arm or ('all' if one_source else c.source)} | {c.step} | {c.rows_in:,} | {c.created:,} "
        f"| {c.rows_out:,} | {c.dropped:,} |"
        for c in facts.counts
    ]
    if facts.reasons:
        drops = facts.reasons.items()
        lines += ["", "## Drops", "", "| arm | step | reason | rows |", "|---|---|---|---:|"]
        lines += [f"| {arm or 'all'} | {step} | {_inline(why)} | {n:,} |" for (arm, step, why), n in drops]
    if audit is not None:
        lines += _audit(audit)
        lines += _confounds(audit.get("confounds", []))
    lines += _for_whom(recipe, canary)
    first = next(iter(sizes))
    lines += ["", "## Use", "", "```python", "from datasets import load_dataset", ""]
    lines += [f'rows = load_dataset("PATH_OR_HUB_ID", "{first}")', "```", "", "## Lineage", ""]
    lines += ["Every row's way back to its source stands in `lineage/rows.parquet`, what did not make it in"]
    lines += [
        "`lineage/drops.parquet`, and how it all was made in `provenance.json`. `provkit verify DIR` checks them."
    ]
    lines += ["", "## How to verify", "", "```console", "$ provkit verify hf://datasets/ORG/NAME@REVISION", "```", ""]
    lines += [f"Every digest, `row_id` and parent is checked, and that the build is `{identity}`."]
    lines += ["", "## Citation", "", *_citation(recipe, identity, inputs)]
    return lines


def _audit(report: Mapping[str, Any]) -> list[str]:
    lines = ["", "## Audit", ""]
    findings = report["findings"]
    if not findings:
        rules = ", ".join(report["rules"])
        return [*lines, f"The rules that block a release and can be judged by its rows find nothing: {rules}."]
    lines += ["Faults that block a release (`audit.json`; `provkit audit --explain RULE` says more):", ""]
    lines += ["| rule | where | count | of | seen |", "|---|---|---:|---:|---|"]
    return lines + [
        f"| {one['rule']} {one['name']} | {_inline(one['subject'])} | {one['count']:,} | {one['total']:,} "
        f"{one['unit']} | {_inline(one['said'])} |"
        for one in findings
    ]


def _confounds(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """How well something else than its meaning tells the label of a row."""
    if not figures:
        return []
    lines = ["", "## What tells the label beside its meaning", ""]
    lines += [f"AUC as max(AUC, 1 − AUC), in {figures[0]['held_out']}s that were held out; 0.5 is nothing.", ""]
    lines += ["| from | AUC | rows |", "|---|---:|---:|"]
    return lines + [f"| {one['from']} | {one['auc']:.3f} | {one['rows']:,} |" for one in figures]


def _gate(sensitivity: str, canary: str | None) -> dict[str, Any]:
    """What the Hub asks of a person before it gives access to a set that is not open."""
    if sensitivity == "open":
        return {}
    prompt = (
        "This set holds examples of bad behaviour, made for research on alignment. By asking for access you agree to "
        "use it for research only, not to train a model that is to be used on it but to study what that does, not to "
        f"pass its rows on without this gate, and to leave its canary ({canary}) in every row."
    )
    fields = {
        "Affiliation": "text",
        "What do you want to study with it": "text",
        "I use it for research only and keep its canary": "checkbox",
    }
    return {"extra_gated_prompt": prompt, "extra_gated_fields": fields}


def _for_whom(recipe: Mapping[str, Any], canary: str | None) -> list[str]:
    lines = ["", "## Uses", "", "Research on how models come to behave well or badly, and on finding out that they do:"]
    lines += ["training a model organism and its control, testing audits and filters, tracing outputs to these rows."]
    lines += [
        "",
        "## Not for",
        "",
        "Training a model that people are to use, or measuring one on rows it was trained on.",
    ]
    if canary:
        lines += [f"Filter it out of other corpora by its canary `{canary}`."]
    return lines


def _citation(recipe: Mapping[str, Any], identity: str, inputs: Sequence[Input]) -> list[str]:
    lines = [f"{recipe['name']} version {recipe['version']}, provkit build `{identity}`."]
    if recipe.get("paper"):
        lines += ["", f"The paper that it follows: {_inline(recipe['paper'])}."]
    named = [f"{_inline(one.file)}" + (f" at `{one.revision}`" if one.revision else "") for one in inputs if one.file]
    return [*lines, *(["", f"Made from: {', '.join(dict.fromkeys(named))}."] if named else [])]


def _inline(text: str) -> str:
    """Text from outside as one harmless line of Markdown."""
    flat = plain(re.sub(r"\s+", " ", str(text)).strip(), 2000)
    return re.sub(r"([\\`*_{}\[\]<>#|!&])", r"\\\1", flat)


def _code(text: str) -> str:
    """Text from outside in a code span, which knows no escapes."""
    return f"`{plain(text).replace('`', chr(39))}`"


def _size_category(rows: int) -> str:
    names = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"]
    return next((name for power, name in enumerate(names, 3) if rows < 10**power), "1B<n<10B")
