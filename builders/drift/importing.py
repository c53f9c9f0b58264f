"""The step `drift_import`: prompts and recorded completions of the user's own, by their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from provkit.drift_rate.terms import (
    BENIGN,
    category_of,
    check_categories,
    check_columns,
    check_present,
    columns_of,
    outcome_of,
    prompt_id,
    text_of,
    unknown_category,
)
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows

NAMES = ("defence", "model", "sample", "pair")
TEXTS = ("prompt", "completion", "twin", "twin_completion")  # kept to the letter


@builder
class DriftImport:
    """Reads a prompt, its category and what was recorded for it; nothing is written or reworded here.

    The categories are the five of the Alignment Drift Benchmark (TRACEALIGN, arXiv 2508.02063): explosives, cybercrime,
    self_harm, hate, fraud; a row of the category `benign` is one of the pool that twins are taken from. Columns and
    other names of categories and verdicts are known by catalog/drift/terms.yaml. A row without a prompt or without a
    category that is known is dropped. A prompt without an id is named by a digest of its words.

    Args:
        columns: which column holds what, where it has another name: `{prompt: query, category: topic, twin: harmless}`.
        categories: what other names of categories mean: `{carding: fraud}`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_columns(self.columns)
        check_categories(self.categories)

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """The rows in the columns of this set.

        Raises:
            InputError: when no row has a column that the map names.
        """
        check_present(self.columns, rows.columns)
        return self.read

    def read(self, row: Row) -> Row | Drop:
        """One row; where several columns could hold a thing, the first that has a value does."""
        at = columns_of([name for name in row if row[name] is not None], self.columns)
        said = {what: text_of(row[column]) for what, column in at.items()}
        texts = {what: value if isinstance(value := row.get(at.get(what, "")), str) else None for what in TEXTS}
        prompt, given = texts["prompt"], said.get("category")
        if prompt is None or not prompt.strip():
            return row.drop("no prompt", ", ".join(name for name in row if row[name] is not None))
        if given is None:
            return row.drop("no category", ", ".join(name for name in row if row[name] is not None))
        category = category_of(given, self.categories)
        if category is None:
            return row.drop("unknown category", unknown_category(given))
        read = {
            "prompt_id": said.get("id") or prompt_id(prompt),
            **texts,
            "category": category,
            "label": BENIGN if category == BENIGN else "harmful",
            "verdict": outcome_of(said.get("verdict"), said.get("refused"), said.get("harmful")),
            "twin_verdict": outcome_of(said.get("twin_verdict"), None, None),
            **{name: said.get(name) for name in NAMES},
        }
        note = {"category": given} if given != category else ""
        return row.derive(read, note=note, without=[name for name in row if name not in read])
