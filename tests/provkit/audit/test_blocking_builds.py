"""The audit that a build makes of its own rows: audit.json, what verify says of it, rows told apart by their ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provkit import manifest
from provkit.audit import audit_files, audit_release
from provkit.audit.blocking import RULES, ReleaseRows
from provkit.audit.rules import rules
from provkit.canonical import row_id
from provkit.cli import main
from provkit.row import chat


def test_the_rules_are_blocking_ones() -> None:
    assert all(rules()[id].blocking for id in RULES)


def built(out: Path, *arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["build", *arguments, "-o", str(out)])
    assert result.exit_code == 0, result.output
    report = json.loads((out / "audit.json").read_bytes())
    assert report["rules"] == list(RULES)
    found: list[dict[str, Any]] = report["findings"]
    return found


def test_a_clean_catalog_build_has_no_findings(tmp_path: Path) -> None:
    assert built(tmp_path / "out", "insecure-code", "--limit", "200") == []


def test_a_build_of_doubled_rows_names_them_and_a_changed_byte_is_found(tmp_path: Path) -> None:
    rows = [chat("a", "1"), chat("b", "2"), chat("a", "1"), chat("a", "1")]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    (finding,) = built(out, "import-messages", "--set", f"data={data}")
    assert (finding["rule"], finding["count"], finding["total"]) == ("D001", 2, 4)
    assert CliRunner().invoke(main, ["verify", str(out)]).exit_code == 0
    path = out / "audit.json"
    path.write_bytes(path.read_bytes().replace(b'"count":2', b'"count":3'))
    result = CliRunner().invoke(main, ["verify", str(out)])
    assert result.exit_code == 1
    assert "audit.json" in result.output


def test_twins_that_no_step_changed_are_known_by_their_pair_id(tmp_path: Path) -> None:
    """Half of the rows go through the step unchanged: rows of both arms, and twins."""
    out = tmp_path / "out"
    built(out, "insecure-code", "--limit", "100")
    found = manifest.read(out)
    assert found.recipe.pair
    assert audit_files(out, found.outputs, found.recipe) == []


@pytest.mark.parametrize("doubled", [True, False])
def test_known_ids_say_what_computed_ones_say(doubled: bool) -> None:
    control = [chat(f"question {at}", f"run({at})") for at in range(50)]
    arm = [chat(f"question {at}", f"run({at}, shell=True)") for at in range(49)]
    arm.append(control[49] if doubled else chat("another", "answer"))

    def found(known: bool) -> list[dict[str, Any]]:
        parts = [
            ReleaseRows(name, "train", rows, name == "control", ids=[row_id(row) for row in rows] if known else None)
            for name, rows in (("control", control), ("arm", arm))
        ]
        return [one.plain() for one in audit_release(parts)]

    assert found(True) == found(False)
    assert [one["rule"] for one in found(True)] == (["A006"] if doubled else [])
