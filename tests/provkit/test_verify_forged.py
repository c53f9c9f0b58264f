"""Forgeries: directories whose digests all fit, and whose content does not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit import manifest
from provkit.canonical import canonical, digest, digest_file, row_id
from provkit.errors import InputError
from provkit.verify import verify

if TYPE_CHECKING:
    from tests.conftest import Bench

DATA = "data/left/train-00000-of-00001.parquet"
ROWS, DROPS = "lineage/rows.parquet", "lineage/drops.parquet"


@pytest.fixture(scope="module")
def made(session_bench: Callable[[], Bench]) -> Path:
    bench = session_bench()
    bench.rows([{"prompt": f"p{at % 9}", "answer": f"a{at}"} for at in range(12)])
    return bench.build(
        steps=[{"dedup": {"by": "prompt"}}],
        arms={"left": [], "right": ["shuffle"]},
        pair=True,
        splits={"train": 0.7, "test": 0.3},
        sensitivity="gated",
        canary="text",
    )


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def forge(out: Path, change: Callable[[dict[str, Any], dict[str, Any]], object] = lambda *_: None) -> None:
    """Changes the manifest (statement, predicate), then restates the digests of all files and its own."""
    path = out / manifest.FILE
    statement = orjson.loads(path.read_bytes())
    del statement["digest"]
    for one in statement["subject"]:
        one["digest"]["sha256"], one["size"] = digest_file(out / one["name"])
    for one in statement["predicate"]["outputs"]:
        one["sha256"], one["size"] = digest_file(out / one["file"])
    change(statement, statement["predicate"])
    path.write_bytes(canonical({**statement, "digest": digest(statement)}) + b"\n")


def rewrite(out: Path, file: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Changes the rows of a Parquet file, and restates its digest."""
    table = pq.read_table(out / file)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), out / file)
    forge(out)


def problems(out: Path) -> dict[str, str]:
    return {one.file: one.problem for one in verify(out)}


def test_a_forger_who_changes_nothing_is_not_found_out(out: Path) -> None:
    forge(out)
    assert verify(out) == []


def swapped(statement: dict[str, Any], facts: dict[str, Any]) -> None:
    first, second = facts["outputs"][:2]
    first["rows"], second["rows"] = second["rows"], first["rows"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _, facts: facts["counts"][0].update(rows_out=10), "the counts of step dedup do not add up"),
        (lambda _, facts: facts["counts"][0].update(rows_in=13, dropped=4), "took in 13 rows, the one before gave 12"),
        (
            lambda _, facts: facts["counts"].pop(),
            "right has the steps pair, the recipe says pair, canary|right has the steps shuffle, pair, the",
        ),
        (lambda _, facts: facts["inputs"][0].update(rows=11), "took in 12 rows, the one before gave 11"),
        (lambda _, facts: facts.update(build_id="0" * 32), "the build_id does not follow"),
        (lambda _, facts: facts["recipe"].update(seed=1), "the build_id does not follow"),
        (lambda _, facts: facts["versions"].update(provkit="9"), "the build_id does not follow"),
        (swapped, "rows, the manifest says"),
    ],
)
def test_a_manifest_that_says_something_else(out: Path, change: Callable[..., object], said: str) -> None:
    forge(out, change)
    found = [one.problem for one in verify(out)]
    assert any(re.search(said, problem) for problem in found), found


@pytest.mark.parametrize(
    "change",
    [
        lambda _, facts: facts.pop("recipe"),
        lambda _, facts: facts.pop("card"),
        lambda _, facts: facts["counts"][0].update(rows_in="many"),
        lambda _, facts: facts["counts"][0].update(source="other"),
        lambda _, facts: facts["counts"][-1].update(arm="other"),
        lambda _, facts: facts["inputs"][0].update(source=None),
        lambda _, facts: facts.update(build_id="'; DROP TABLE x; --"),
        lambda _, facts: facts["outputs"][0].update(arm='left" AS SELECT 1; --'),
        lambda _, facts: facts["outputs"][0].update(file="../../etc/passwd"),
        lambda statement, _: statement["subject"][0].update(name="/etc/passwd"),
        lambda statement, _: statement["subject"][0]["digest"].update(sha256="0" * 64),
        lambda statement, _: statement["subject"].pop(0),
        lambda statement, _: statement.update(subject="none"),
        lambda statement, _: statement.update(predicate=[]),
    ],
)
def test_a_manifest_that_makes_no_sense_is_a_finding_and_never_a_crash(
    out: Path, change: Callable[..., object]
) -> None:
    forge(out, change)
    assert list(problems(out)) == ["provenance.json"]
    with pytest.raises(InputError, match=r"provenance\.json"):
        manifest.read(out)


def of_first(row: dict[str, Any], **changes: Any) -> None:
    row["parents"][0].update(changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: of_first(rows[2], index=12), "a parent beyond the end of its input"),
        (lambda rows: of_first(rows[2], index=-1), "a parent beyond the end of its input"),
        (lambda rows: of_first(rows[2], index=None), "a parent without an index"),
        (lambda rows: of_first(rows[2], sha256="0" * 64), "a parent in an input that the manifest does not name"),
        (lambda rows: of_first(rows[2], file="other.jsonl"), "a parent in an input that the manifest does not name"),
        (lambda rows: of_first(rows[2], build_id="0" * 32), "a parent in an input that the manifest does not name"),
        (lambda rows: rows[2].update(parents=[]), "a row without a parent"),
        (lambda rows: rows[2].update(parents=None), "a row without a parent"),
        (lambda rows: rows[2]["steps"][0].update(step="magic"), "a step magic that the manifest does not count"),
    ],
)
def test_parents_and_steps_that_lead_nowhere(out: Path, change: Callable[..., object], said: str) -> None:
    rewrite(out, ROWS, change)
    assert problems(out)[ROWS].startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.reverse(), "names other rows"),
        (lambda rows: rows.pop(), "lineage/rows.parquet"),
        (lambda rows: rows.append(rows[-1]), "more rows than the data has"),
        (lambda rows: rows[1].update(index=5), "another arm, split or index"),
        (lambda rows: rows[1].update(split="test"), "another arm, split or index"),
        (lambda rows: rows[1].update(pair_id="0" * 32), "a pair_id that is not the one"),
        (lambda rows: rows[1].update(row_id="0" * 32), "names other rows"),
    ],
)
def test_lineage_of_other_rows(out: Path, change: Callable[..., object], said: str) -> None:
    rewrite(out, ROWS, change)
    found = problems(out)
    assert any(said in problem for problem in found.values()), found


def test_data_that_was_changed(out: Path) -> None:
    rewrite(out, DATA, lambda rows: rows[0].update(answer="poison"))
    assert problems(out) == {DATA: "a row_id that does not fit its content"}


def test_the_input_tells_what_is_consistent_in_itself(out: Path, made: Path) -> None:
    row = pq.read_table(out / DATA).to_pylist()[0]
    content = {"prompt": row["prompt"], "answer": "poison"}
    rewrite(out, DATA, lambda rows: rows[0].update(**content, row_id=row_id(content)))
    rewrite(out, ROWS, lambda rows: rows[0].update(row_id=row_id(content)))
    assert verify(out) == []
    source = made.parent / "data.jsonl"
    found = {one.file: one.problem for one in verify(out, [source])}
    assert list(found) == ["data.jsonl"]
    assert found["data.jsonl"].endswith("is not what the build took from it")


def test_another_canary(out: Path) -> None:
    rewrite(out, DATA, lambda rows: [row.update(canary="00000000-0000-5000-8000-000000000000") for row in rows])
    assert problems(out) == {DATA: "the canary is missing or not this build's"}


def test_drops_that_were_taken_out_or_made_up(out: Path) -> None:
    rewrite(out, DROPS, lambda rows: rows.pop())
    assert DROPS in problems(out)
    rewrite(out, DROPS, lambda rows: rows.append({**rows[0], "step": "other"}))
    assert DROPS in problems(out)


def test_files_of_another_form(out: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), out / DROPS)
    forge(out)
    assert problems(out) == {DROPS: "its columns are not those of lineage"}
    (out / DROPS).write_bytes(b"PAR1 nothing PAR1")
    forge(out)
    assert problems(out) == {DROPS: "no Parquet file"}
    (out / DROPS).unlink()
    shutil.copy(out / ROWS, out / DROPS)
    forge(out)
    assert problems(out) == {DROPS: "its columns are not those of lineage"}


def test_a_damaged_page_behind_a_fitting_digest(out: Path) -> None:
    """A Parquet file whose footer is whole and whose pages are not."""
    raw = bytearray((out / ROWS).read_bytes())
    raw[4:200] = bytes(196)
    (out / ROWS).write_bytes(raw)
    forge(out)
    assert ROWS in problems(out)


def test_a_rebuild_tells_a_forged_byte_of_data(out: Path, made: Path) -> None:
    """The same rows, written with another compression: nothing but a rebuild can tell."""
    pq.write_table(pq.read_table(out / DATA), out / DATA, compression="none")
    forge(out)
    assert verify(out) == []
    found = verify(out, [made.parent / "data.jsonl"], rebuild=True)
    assert [one.file for one in found] == [DATA]
    assert found[0].problem == "a rebuild gives other bytes"
