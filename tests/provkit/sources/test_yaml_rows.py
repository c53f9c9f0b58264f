"""YAML as data: rows with lines, anchors, and none of its traps."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from provkit.errors import InputError
from provkit.sources import yaml_rows
from provkit.sources.yaml_rows import compose, construct, read_yaml

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"


def refused(text: str) -> str:
    with pytest.raises(InputError) as error:
        read_yaml(text, "x.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("- a: 1\n\n# note\n-\n  a: 2\n- {a: 3}\n", [({"a": 1}, 1), ({"a": 2}, 5), ({"a": 3}, 6)]),
        ("a: 1\nb: [x, y]\n", [({"a": 1, "b": ["x", "y"]}, 1)]),
        ("\ufeff- a: 1\r\n- a: 2\r\n", [({"a": 1}, 1), ({"a": 2}, 2)]),
        ("- a: |\n    x\n    y\n- a: z\n", [({"a": "x\ny\n"}, 1), ({"a": "z"}, 4)]),
        ("- &p {a: 1, b: 2}\n- &q {<<: *p, a: 3}\n- {<<: *q, c: 4}\n- {<<: [*p, *q]}\n",
         [({"a": 1, "b": 2}, 1), ({"b": 2, "a": 3}, 2), ({"b": 2, "a": 3, "c": 4}, 3), ({"a": 1, "b": 2}, 4)]),
        ("- {1: a, on: b, null: c, 2020-01-01: d, 1.0: {true: e}}",
         [({"1": "a", "on": "b", "null": "c", "2020-01-01": "d", "1.0": {"true": "e"}}, 1)]),
        ('- {a: "\\ud83d\\ude00 \\u00e9 \\e", b: =, c: 0x1f, d: .5, e: ~, f: yes}',
         [({"a": "\U0001f600 é \x1b", "b": "=", "c": 31, "d": 0.5, "e": None, "f": True}, 1)]),
        ("- {a: 2020-02-29}", [({"a": date(2020, 2, 29)}, 1)]),
        ("", []),
        ("# nothing\n", []),
    ],
)  # fmt: skip
def test_rows_and_their_lines(text: str, rows: list[tuple[dict[str, Any], int]]) -> None:
    assert read_yaml(text, "x.yaml") == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a: 1\n- 5\n", "x.yaml:2: a list of mappings is expected"),
        ("just text", "x.yaml:1: a list of mappings is expected"),
        ("- a: 1\n  a: 2\n", "x.yaml:2: the key 'a' stands twice"),
        ("- {1: x, '1': y}\n", "x.yaml:1: the key '1' stands twice"),
        ("- a: {b: {c: 1,\n      c: 2}}\n", "x.yaml:2: the key 'c' stands twice"),
        ("- {[a, b]: 1}\n", "x.yaml:1: a key that is no text"),
        ("- a: [1\n- b: 2\n", "x.yaml:2: no YAML: "),
        ("- a:\n\t- b", "x.yaml:2: no YAML: found character '\\t' that cannot start any token"),
        ("a: 1\n---\nb: 1\n", "x.yaml:2: no YAML: but found another document"),
        ("a: *none", "x.yaml:1: no YAML: found undefined alias 'none'"),
        ("a: 1\nb: \x07", "x.yaml:2: no YAML: the character U+0007 may not stand in it"),
        ('a: 1\nb: "\\ud800"', "x.yaml:2: a lone surrogate, which no text may hold"),
        ("- a: 1\n- b: !!python/object/apply:os.system [ls]", "x.yaml:2: could not determine a constructor"),
        ("a: !!set {x, y}", "x.yaml:1: could not determine a constructor"),
        ("a: !!binary aGk=", "x.yaml:1: could not determine a constructor"),
        ("a: !local x", "x.yaml:1: could not determine a constructor"),
        ("- a: 1\n- a: 2020-13-45", "x.yaml:2: month must be in 1..12"),
        ("a: &a [*a]", "x.yaml:1: an anchor that holds itself"),
        ("- {<<: 5}", "x.yaml:1: `<<` takes a mapping"),
        ("a: " + "[" * 120 + "]" * 120, "x.yaml:1: YAML nested more than 100 deep"),
        ("[" * 1_000, "x.yaml: YAML nested too deeply"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert refused(text).startswith(said)


def test_a_bomb_is_refused_in_no_time() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{n}: &{n} [{', '.join(['*' + o] * 9)}]" for o, n in zip("abcdefgh", "bcdefghi", strict=True)]
    started = time.process_time()
    assert refused("\n".join(lines)) == "x.yaml: YAML whose aliases expand to more than 1,000,000 nodes"
    assert time.process_time() - started < 2


def test_a_long_text_repeated_by_aliases_is_a_bomb_too() -> None:
    assert "expand to more than" in refused(f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]")


def test_the_number_of_nodes_is_bounded_while_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_rows, "MAX_NODES", 1000)
    assert refused("- {a: 1}\n" * 2000).startswith("x.yaml:334: no YAML: more than 1,000 nodes")


def test_a_file_beyond_its_bound_is_not_parsed(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(40 << 30)
    with pytest.raises(InputError, match="a YAML file of more than 16 MB\n  use JSONL"):
        read(path)


def test_values_are_those_of_safe_yaml() -> None:
    text = "{a: [1, 2.5, x, ~, true, {b: c}], d: 'q', e: |\n  t\n}"
    node = compose(text.replace("e: |\n  t\n", "e: t"), "x")
    assert node is not None
    assert construct(node, "x") == yaml.safe_load("{a: [1, 2.5, x, ~, true, {b: c}], d: 'q', e: t}")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not part of the project")
def test_a_released_file_with_anchors() -> None:
    text = (SAMPLES / "first_plot_questions.yaml").read_text()
    rows = read_yaml(text, "x")
    assert [row for row, _ in rows] == yaml.safe_load(text)
    lines = text.split("\n")
    assert all(lines[line - 1].startswith("- ") for _, line in rows)
