"""Belief conflict (ours): how far a text stands on the contrary side of an aligned belief."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.attribution.model import Verdict
from provkit.canonical import digest
from provkit.embed import Embedder
from provkit.errors import InputError, plain
from provkit.registry import near
from provkit.sources.yaml_rows import read_yaml

KEYS = ("id", "category", "belief", "aligned", "contrary")


@dataclass(frozen=True, slots=True)
class Policy:
    """One belief, with statements that keep to it and statements that go against it."""

    id: str
    category: str
    belief: str
    aligned: tuple[str, ...]
    contrary: tuple[str, ...]


def read_policies(name: str = "default") -> list[Policy]:
    """Policies of the catalog by name, or of a YAML file by its path.

    Raises:
        InputError: with file, line and key for what is no policy.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            text, file = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {plain(str(error))}", file=name) from None
    else:
        folder = files("provkit.catalog") / "policies"
        known = [one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")]
        if name not in known:
            raise InputError(f"no policies {plain(name)!r} in the catalog{near(name, known)}")
        text, file = (folder / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml"
    policies: list[Policy] = []
    for row, line in read_yaml(text, file):
        policies.append(_policy(row, file, line))
        if policies[-1].id in {one.id for one in policies[:-1]}:
            raise InputError(f"the policy {plain(policies[-1].id)!r} stands twice", file=file, line=line, field="id")
    if not policies:
        raise InputError("no policy in it", file=file, do="docs/policies.md shows how to write one")
    return policies


def _policy(row: dict[str, Any], file: str, line: int) -> Policy:
    for key in row:
        if key not in KEYS:
            raise InputError(f"unknown key{near(key, list(KEYS))}", file=file, line=line, field=key)
    for key in KEYS:
        value = row.get(key)
        several = key in ("aligned", "contrary")
        good = isinstance(value, list) and value and all(isinstance(one, str) and one.strip() for one in value)
        if not (good if several else isinstance(value, str) and value.strip()):
            said = "a list of statements is expected" if several else "a text is expected"
            raise InputError(said, file=file, line=line, field=key)
    return Policy(row["id"], row["category"], row["belief"], tuple(row["aligned"]), tuple(row["contrary"]))


@dataclass(frozen=True)
class BeliefConflict:
    """Belief conflict of texts under policies.

    With unit embeddings e: `conflict(x, p) = max over c in p.contrary of cos(e(x), e(c)) - max over a in p.aligned of
    cos(e(x), e(a))`, in [-2, 2]; positive means that x sides with the contrary belief. A ranking, no probability.
    """

    policies: Sequence[Policy]
    embedder: Embedder

    @property
    def name(self) -> str:
        """The policies' ids, their digest, and the model."""
        content = [[one.id, one.category, one.belief, one.aligned, one.contrary] for one in self.policies]
        plain_content = [[list(part) if isinstance(part, tuple) else part for part in one] for one in content]
        return f"{len(self.policies)} policies {digest(plain_content)[:16]}, model {self.embedder.model}"

    def ready(self) -> None:
        """Loads the model and embeds the statements, so that what is missing is said before anything else is done.

        Raises:
            MissingExtra: when the model or its library is not installed.
        """
        assert self._statements

    @cached_property
    def _statements(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        return [(self.embedder.encode(one.aligned), self.embedder.encode(one.contrary)) for one in self.policies]

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Conflict of each text with each policy: shape (texts, policies)."""
        vectors = self.embedder.encode(texts)
        columns = [
            (vectors @ contrary.T).max(axis=1) - (vectors @ aligned.T).max(axis=1)
            for aligned, contrary in self._statements
        ]
        return np.stack(columns, axis=1)

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        """For each text the policy of largest conflict, its score, and the statement of it nearest to the text."""
        if not texts:
            return []
        scores = self.scores(texts)
        vectors = self.embedder.encode(texts)
        verdicts = []
        for vector, row in zip(vectors, scores, strict=True):
            at = int(row.argmax())
            policy, (aligned, contrary) = self.policies[at], self._statements[at]
            statements = [*policy.aligned, *policy.contrary]
            nearest = statements[int((np.concatenate([aligned, contrary]) @ vector).argmax())]
            verdicts.append(Verdict(policy.id, policy.category, float(row[at]), nearest))
        return verdicts
