"""Rows of distilabel and datatrove: what they say of their origin goes into the note, the content stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit.build import build, plan
from provkit.foreign import ImportDatatrove, ImportDistilabel, NotForeign, read_datatrove, read_distilabel
from provkit.recipe import Recipe, Source
from provkit.row import Drop, Row
from provkit.verify import verify

GENERATED: dict[str, Any] = {  # what distilabel 1.5.3's TextGeneration gave for a model that always says the same
    "instruction": "What is 2 + 2?",
    "generation": "It is 4.",
    "distilabel_metadata": {
        "raw_output_text_generation_0": "It is 4.",
        "raw_input_text_generation_0": [{"role": "user", "content": "What is 2 + 2?"}],
        "statistics_text_generation_0": {"input_tokens": 5, "output_tokens": 3},
    },
    "model_name": "dummy-1",
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_distilabel_row_by_hand() -> None:
    found = read_distilabel(GENERATED)
    assert found.content == {"instruction": "What is 2 + 2?", "response": "It is 4."}
    assert found.note == {
        "tool": "distilabel",
        "tasks": ["text_generation_0"],
        "model": "dummy-1",
        "tokens": {"text_generation_0": {"input_tokens": 5, "output_tokens": 3}},
        "sha256": {
            "raw_input_text_generation_0": sha256('[{"content":"What is 2 + 2?","role":"user"}]'),
            "raw_output_text_generation_0": sha256('"It is 4."'),
        },
        "as_generated": True,
    }


def test_what_was_changed_after_the_generation_shows() -> None:
    changed = read_distilabel({**GENERATED, "generation": "It is four."})
    assert changed.note["as_generated"] is False
    bare = read_distilabel({"text": "x", "distilabel_metadata": {"raw_output_a": None}})
    assert (bare.content, bare.note) == ({"text": "x"}, {"tool": "distilabel", "tasks": []})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"distilabel_metadata": None}, "no distilabel_metadata"),
        ({"generation": None}, "the generation is empty: the model gave none"),
    ],
)
def test_failed_and_other_rows_are_no_distilabel_rows(change: dict[str, None], said: str) -> None:
    with pytest.raises(NotForeign, match=said):
        read_distilabel({**GENERATED, **change})
    assert ImportDistilabel().apply(Row({**GENERATED, **change})) == Drop("no distilabel row", said)


def test_a_datatrove_document_by_hand() -> None:
    document = {"text": "One.", "id": "warc/1", "media": [], "metadata": {"url": "u", "date": None, "n": 3}}
    found = read_datatrove(document)
    assert found.content == {"text": "One."}
    assert found.note == {"tool": "datatrove", "id": "warc/1", "metadata": {"url": "u", "n": 3}}
    flat = read_datatrove({"text": "One.", "id": "warc/1", "url": "u", "n": 3})
    assert (flat.content, flat.note) == (found.content, found.note)
    pictures = read_datatrove({**document, "media": [{"type": 0, "url": "p"}]})
    assert pictures.note["media"] == 1
    assert ImportDatatrove().apply(Row({"text": "", "id": "1"})) == Drop("no document", "no text")
    assert ImportDatatrove().apply(Row({"text": "x"})) == Drop("no document", "no id")


Make = Callable[[list[dict[str, Any]], str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A verified build of these rows through one import step."""

    def made(rows: list[dict[str, Any]], step: str) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        source = Source(files="rows.jsonl", fill=True, licence="other")
        recipe = Recipe.model_validate(
            {"name": "theirs", "summary": "A test.", "licence": "other", "sensitivity": "gated"}
            | {"sources": {"theirs": source}, "steps": [step]}
        )
        out = build(plan(recipe, tmp_path), tmp_path / "out").path
        assert verify(out, [path]) == []
        return out

    return made


def lineage(out: Path) -> list[tuple[int, dict[str, Any]]]:
    """Line and note of each row."""
    rows = pq.read_table(out / "lineage/rows.parquet").to_pylist()
    return [(row["parents"][0]["line"], json.loads(row["steps"][0]["note"])) for row in rows]


def test_file_line_and_their_ids_stand_in_one_lineage(make: Make) -> None:
    rows = [{"text": f"Text {at}.", "id": f"warc/{at}", "metadata": {"url": f"u{at}"}} for at in range(3)]
    out = make([rows[0], {"text": "No id here."}, *rows[1:]], "import_datatrove")
    assert [(line, note["id"]) for line, note in lineage(out)] == [(1, "warc/0"), (3, "warc/1"), (4, "warc/2")]
    data = pq.read_table(out / "data/data/train-00000-of-00001.parquet").to_pylist()
    assert [row["text"] for row in data] == ["Text 0.", "Text 1.", "Text 2."]
    assert set(data[0]) == {"text", "row_id", "canary"}
    (drop,) = pq.read_table(out / "lineage/drops.parquet").to_pylist()
    assert (drop["reason"], drop["detail"], drop["parents"][0]["line"]) == ("no document", "no id", 2)


def test_a_distilabel_file_becomes_rows_that_other_steps_read(make: Make) -> None:
    out = make([GENERATED, {**GENERATED, "generation": None}], "import_distilabel")
    ((line, note),) = lineage(out)
    assert (line, note["model"], note["as_generated"]) == (1, "dummy-1", True)
    (row,) = pq.read_table(out / "data/data/train-00000-of-00001.parquet").to_pylist()
    assert (Row(row).prompt, Row(row).answer) == ("What is 2 + 2?", "It is 4.")


@pytest.mark.parametrize("expand", [False, True])
def test_what_datatrove_s_own_writer_writes_is_read(expand: bool, make: Make, tmp_path: Path) -> None:
    pytest.importorskip("datatrove", reason="datatrove is not installed")
    from datatrove.data import Document
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    documents = [Document("One.", "warc/1", metadata={"url": "u", "n": 3}), Document("Two.", "warc/2")]
    with JsonlWriter(str(tmp_path / "theirs"), compression=None, expand_metadata=expand) as writer:
        for document in documents:
            writer.write(document)
    (file,) = (tmp_path / "theirs").iterdir()
    out = make([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()], "import_datatrove")
    assert [note for _, note in lineage(out)] == [
        {"tool": "datatrove", "id": "warc/1", "metadata": {"url": "u", "n": 3}},
        {"tool": "datatrove", "id": "warc/2"},
    ]
