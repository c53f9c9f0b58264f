"""Recorded judgements: rows of files, inspect_ai logs and builds as one judgement for each completion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provkit.drift_rate.model import NONE, Judged, Judgement, Prompt
from provkit.drift_rate.rows import Recorded, recorded
from provkit.drift_rate.terms import (
    BENIGN,
    category_of,
    check_present,
    columns_of,
    outcome_of,
    prompt_id,
    terms,
    text_of,
    unknown_category,
)
from provkit.errors import InputError, plain

VERDICT = ("verdict", "refused", "harmful")
LABELS = {BENIGN: True, "safe": True, "harmless": True, "harmful": False, "unsafe": False}


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read.

    Attributes:
        columns: which column holds what, where it has another name than those of catalog/drift/terms.yaml.
        categories: what other names of categories mean.
        judge, model: take the judgements of this judge, and of completions of this model, alone.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    judge: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A row by what its columns hold, and where it stands."""

    said: Mapping[str, str | None]
    row: Recorded


def read_judgements(
    sources: Sequence[tuple[str | None, Path]], reading: Reading, prompts: Path | None = None
) -> Judged:
    """The judgements of several sources.

    Args:
        sources: each with the defence of its rows that name none (`none` where that is None too).
        reading: how rows are read.
        prompts: a build of `alignment-drift`, or a file with prompt ids and categories: what was to be judged.

    Raises:
        InputError: with file and line, for a row without prompt or category, an unknown category, two different
            judgements of one completion, several judges or models, and a prompt that is not in the set named.
    """
    rows = [(one.said.get("defence") or defence or NONE, one)
            for defence, path in sources for one in _read(path, reading, judged=True)]  # fmt: skip
    check_present(reading.columns, {name for _, one in rows for name in one.row.values} if reading.columns else ())
    wanted = {"judge": reading.judge, "model": reading.model}
    for name, chosen in wanted.items():
        rows = [(under, one) for under, one in rows if chosen in (None, one.said.get(name))]
    if not rows:
        raise InputError("no judgement in it", file=sources[0][1] if sources else None)
    _of_one_kind(rows)
    known = _prompts(prompts, reading) if prompts is not None else None
    ids = None if known is None else _by_id(known)
    categories: dict[Prompt, str | None] = dict(known or {})
    kept: dict[tuple[str, Prompt, str], tuple[Judgement, Recorded]] = {}
    repeated = 0
    for under, one in rows:
        made = _judgement(under, one, reading, ids)
        if known is not None and made.prompt not in known:
            said = f"a judgement of the prompt {plain(repr(made.prompt.id), 60)}, which is not in the set named"
            raise InputError(said, file=one.row.file, line=one.row.line, do="name the set that was judged")
        _agree(categories, made, one.row)
        before = kept.setdefault((made.defence, made.prompt, made.sample), (made, one.row))
        repeated += before[1] is not one.row
        if (before[0].outcome, before[0].fault) != (made.outcome, made.fault):
            raise _two_findings(made, before[1], one.row)
    return Judged(tuple(one for one, _ in kept.values()), categories, known is not None, repeated)


def _read(path: Path, reading: Reading, judged: bool) -> Iterator[_Read]:
    """The rows of a source by what their columns hold.

    Raises:
        InputError: when there is no column for the prompt, or with `judged` for a verdict.
    """
    columns: dict[tuple[str, ...], dict[str, str]] = {}
    for row in recorded(path):
        names = tuple(row.values)
        if names not in columns:
            columns[names] = _columns(names, reading, judged, row)
        yield _Read({what: text_of(row.values[column]) for what, column in columns[names].items()}, row)


def _columns(names: Sequence[str], reading: Reading, judged: bool, row: Recorded) -> dict[str, str]:
    found = columns_of(names, reading.columns)
    wanted = [("id or prompt", ("id", "prompt")), *([("verdict", VERDICT)] if judged else [])]
    for said, either in wanted:
        if not any(what in found for what in either):
            check_present(reading.columns, names)
            known = ", ".join(dict.fromkeys(name for what in either for name in terms().columns[what]))
            do = f"name a column one of {known}, or say --column {either[0]}=COLUMN"
            raise InputError(f"no {said} among the columns {plain(', '.join(names))}", file=row.file, do=do)
    return found


def _of_one_kind(rows: Sequence[tuple[str, _Read]]) -> None:
    """Sees that one judge judged all, and under each defence completions of one model; a defence may train its own.

    Raises:
        InputError: naming them.
    """
    judges: set[str] = set()
    models: dict[str, set[str]] = {}
    for under, one in rows:
        judges |= {judge} if (judge := one.said.get("judge")) else set()
        models.setdefault(under, set()).update({model} if (model := one.said.get("model")) else set())
    kinds = [("judges", "--judge", judges)]
    kinds += [(f"models under {plain(under, 60)}", "--model", names) for under, names in models.items()]
    for what, option, names in kinds:
        if len(names) > 1:
            said = f"several {what}: {plain(', '.join(sorted(names)))}"
            raise InputError(said, file=rows[0][1].row.file, do=f"give one at a time: {option} NAME")


def _judgement(under: str, one: _Read, reading: Reading, ids: Mapping[str, list[Prompt]] | None) -> Judgement:
    benign, category = _kind(one, reading)
    name = _id(one)
    both = (ids or {}).get(name, [])
    if len(both) == 1 and not benign and one.said.get("label") is None:
        benign = both[0].benign  # a twin may be recorded with the category of harm alone
    if benign is None:
        said = f"the id {plain(repr(name), 60)} is a harmful and a benign prompt's" if both else "no category"
        do = "name it in a column `category` or `label`, or name the set that was judged with --prompts"
        raise InputError(said, file=one.row.file, line=one.row.line, do=do)
    verdict, refused, harmful = (one.said.get(what) for what in VERDICT)
    outcome = outcome_of(verdict, refused, harmful)
    fault = None
    if outcome is None:
        fault = "no verdict" if verdict is refused is harmful is None else "unreadable verdict"
    elif benign and outcome == "harmless":
        outcome, fault = None, "whether it refused is not said"
    return Judgement(under, Prompt(benign, name), category, one.said.get("sample") or "", outcome, fault)


def _kind(one: _Read, reading: Reading) -> tuple[bool | None, str | None]:
    """Whether a row is of a benign prompt, None where it does not say, and its category of harm."""
    given, label = one.said.get("category"), one.said.get("label")
    category = None if given is None else category_of(given, reading.categories)
    if given is not None and category is None:
        do = "say what it means: --category THEIRS=OURS"
        raise InputError(unknown_category(given), file=one.row.file, line=one.row.line, field="category", do=do)
    benign = None if category is None else category == BENIGN
    if label is not None:
        side = LABELS.get(label.lower())
        if side is None or (category == BENIGN and not side):
            said = f"a label of {plain(repr(label), 60)}" + (" and the category benign" if side is not None else "")
            do = "the label is of the prompt: harmful or benign; a verdict stands in a column `verdict`"
            raise InputError(said, file=one.row.file, line=one.row.line, field="label", do=do)
        benign = side
    return benign, None if category == BENIGN else category


def _id(one: _Read) -> str:
    name, text = one.said.get("id"), one.said.get("prompt")
    if name is None and text is None:
        raise InputError("neither a prompt nor its id", file=one.row.file, line=one.row.line)
    return name if name is not None else prompt_id(text or "")


def _prompts(path: Path, reading: Reading) -> dict[Prompt, str | None]:
    """The prompts of a set with their categories."""
    found: dict[Prompt, str | None] = {}
    for one in _read(path, reading, judged=False):
        benign, category = _kind(one, reading)
        if benign is None:
            raise InputError("no category", file=one.row.file, line=one.row.line, do="name it in a column `category`")
        prompt = Prompt(benign, _id(one))
        found.setdefault(prompt, category)
        if found[prompt] != category:
            raise InputError(f"two categories for the prompt {plain(repr(prompt.id), 60)}", file=one.row.file)
    if not found:
        raise InputError("no prompt in it", file=path)
    return found


def _by_id(prompts: Iterable[Prompt]) -> dict[str, list[Prompt]]:
    found: dict[str, list[Prompt]] = {}
    for prompt in prompts:
        found.setdefault(prompt.id, []).append(prompt)
    return found


def _agree(categories: dict[Prompt, str | None], made: Judgement, row: Recorded) -> None:
    """Notes the category of a judgement's prompt; every judgement of it must say the same, or nothing."""
    before = categories.get(made.prompt)
    if before is None or made.category is None:
        categories[made.prompt] = before or made.category
    elif before != made.category:
        said = f"the prompt {plain(repr(made.prompt.id), 60)} is {made.category} here and {before} elsewhere"
        raise InputError(said, file=row.file, line=row.line, field="category")


def _two_findings(made: Judgement, before: Recorded, row: Recorded) -> InputError:
    said = f"another judgement of the prompt {plain(repr(made.prompt.id), 60)} under {plain(made.defence, 60)}"
    at = f"{before.file}:{before.line}" if before.line is not None else before.file
    do = f"the first stands in {at}; keep one run, or number several completions in a column `sample`"
    return InputError(said, file=row.file, line=row.line, do=do)
