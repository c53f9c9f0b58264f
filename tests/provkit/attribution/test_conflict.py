"""Belief conflict by its formula, and policies that are read with care."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from provkit.attribution.conflict import BeliefConflict, Policy, read_policies
from provkit.errors import InputError

VECTORS = {
    "good": (1.0, 0.0, 0.0),
    "kind": (0.8, 0.6, 0.0),
    "bad": (0.0, 1.0, 0.0),
    "other": (0.0, 0.0, 1.0),
    "x": (0.6, 0.8, 0.0),
}


class ByHand:
    """Embeddings that are written down."""

    model = "by hand"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([VECTORS[text] for text in texts], np.float32)


def test_the_formula() -> None:
    policies = [Policy("p", "c", "b", ("good", "kind"), ("bad",)), Policy("q", "d", "b", ("good",), ("other",))]
    judged = BeliefConflict(policies, ByHand())  # type: ignore[arg-type]
    # x . bad = 0.8, x . good = 0.6, x . kind = 0.48 + 0.48 = 0.96; x . other = 0
    assert judged.scores(["x"])[0] == pytest.approx([0.8 - 0.96, 0.0 - 0.6], abs=1e-6)
    (verdict,) = judged.of(["x"])
    assert (verdict.policy, verdict.category, verdict.nearest) == ("p", "c", "kind")
    assert verdict.score == pytest.approx(-0.16, abs=1e-6)
    assert judged.of([]) == []


def test_the_catalog_holds_what_the_docs_say() -> None:
    policies = read_policies()
    assert len(policies) >= 12
    assert len({one.category for one in policies}) >= 6
    assert all(len(one.aligned) >= 3 and len(one.contrary) >= 3 for one in policies)
    statements = [text for one in policies for text in (*one.aligned, *one.contrary)]
    assert len(set(statements)) == len(statements)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {id: a, category: c, belief: b, aligned: [x]}", r"p.yaml:1: contrary: a list of statements is expected"),
        ("- id: a\n  categry: c", r"p.yaml:1: categry: unknown key: did you mean 'category'\?"),
        ("- {id: a, category: c, belief: b, aligned: [x], contrary: [1]}", r"p.yaml:1: contrary: a list of statements"),
        ("# nothing", r"p.yaml: no policy in it"),
        (
            "- {id: a, category: c, belief: b, aligned: [x], contrary: [y]}\n"
            "- {id: a, category: c, belief: b, aligned: [x], contrary: [y]}",
            r"p.yaml:2: id: the policy 'a' stands twice",
        ),
    ],
)
def test_what_is_no_policy_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_policies(str(tmp_path / "p.yaml"))


def test_an_unknown_name_names_the_near_one() -> None:
    with pytest.raises(InputError, match=r"did you mean 'default'"):
        read_policies("defualt")
