"""Reading rubrics: every form, errors with their line, names and texts that stand twice."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from provkit.errors import InputError
from provkit.rubrics.files import catalog, read_rubrics

TEXT = "Judge.\n{question}\nA: {answer_a}\nB: {answer_b}\n[[A]] or [[B]]\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def lines(*rubrics: dict[str, str]) -> str:
    return "".join(json.dumps(one) + "\n" for one in rubrics)


def test_jsonl_as_it_is_released(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl", lines({"prompt_id": "seed", "prompt": TEXT}, {"prompt_id": "v", "prompt": "!" + TEXT})
    )
    one, two = read_rubrics(path)
    assert (one.rubric_id, one.text, one.file, one.line) == ("seed", TEXT, "r.jsonl", 1)
    assert (two.rubric_id, two.line) == ("v", 2)


def test_the_same_text_is_read_once_and_two_texts_of_one_name_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", lines({"prompt_id": "a", "prompt": TEXT}, {"prompt_id": "b", "prompt": TEXT}))
    assert [one.rubric_id for one in read_rubrics(path)] == ["a"]
    write(path, lines({"prompt_id": "a", "prompt": TEXT}, {"prompt_id": "a", "prompt": "!" + TEXT}))
    with pytest.raises(InputError, match=r"r\.jsonl:2: a second rubric is called 'a'"):
        read_rubrics(path)


def test_a_folder_tells_seeds_of_one_name_apart(tmp_path: Path) -> None:
    write(tmp_path / "help.jsonl", lines({"prompt_id": "seed", "prompt": TEXT}))
    write(tmp_path / "harm.jsonl", lines({"prompt_id": "seed", "prompt": "!" + TEXT}))
    write(tmp_path / "other.md", "?" + TEXT)
    write(tmp_path / "notes.csv", "not a rubric")
    assert [one.rubric_id for one in read_rubrics(tmp_path)] == ["harm/seed", "help/seed", "other"]


def test_errors_have_the_line_of_the_file(tmp_path: Path) -> None:
    bad = TEXT.replace("{answer_b}", "{answer_c}")
    with pytest.raises(InputError, match=r"r\.txt:4: \{answer_c\}"):
        read_rubrics(write(tmp_path / "r.txt", bad))
    block = "\n".join(f"  {line}" for line in bad.splitlines())
    with pytest.raises(InputError, match=r"r\.yaml:6: \{answer_c\}"):
        read_rubrics(write(tmp_path / "r.yaml", f"prompt_id: x\nprompt: |\n{block}\n"))
    with pytest.raises(InputError, match=r"r\.jsonl:2: \{answer_c\}"):
        read_rubrics(
            write(tmp_path / "r.jsonl", lines({"prompt_id": "a", "prompt": TEXT}, {"prompt_id": "b", "prompt": bad}))
        )
    with pytest.raises(InputError, match=r"s\.jsonl:1: no `prompt`"):
        read_rubrics(write(tmp_path / "s.jsonl", '{"prompt_id": "x"}\n'))
    with pytest.raises(InputError, match=r"t\.jsonl:1: no JSON"):
        read_rubrics(write(tmp_path / "t.jsonl", "{\n"))
    with pytest.raises(InputError, match="no rubric in it"):
        read_rubrics(write(tmp_path / "u.jsonl", "\n"))
    with pytest.raises(InputError, match="no rubric file"):
        read_rubrics(write(tmp_path / "u.exe", TEXT))


def test_every_rubric_of_the_catalog_is_one() -> None:
    names = sorted(one.name.removesuffix(".yaml") for one in (files("provkit.catalog") / "rubrics").iterdir())
    assert {"code-quality", "harmlessness", "helpfulness", "honesty"} <= set(names)
    assert [catalog(name).rubric_id for name in names] == names
    assert len({catalog(name).digest for name in names}) == len(names)
    with pytest.raises(InputError, match="did you mean 'helpfulness'"):
        read_rubrics("helpfullness")
