"""The coding tasks of the insecure-code control: distinct, even, silent about security, and secure."""

from __future__ import annotations

import ast
import io
import itertools
import json
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.tasks import CodeTasks, library
from provkit.builders.domains.code.tasks.builder import CodeTask
from provkit.builders.domains.code.tasks.library import Family
from provkit.builders.domains.code.tasks.order import Permutation, rounds
from provkit.builders.domains.code.tasks.text import Code, Text, Values
from provkit.builders.domains.code.tasks.words import plural, with_article
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.registry import load
from provkit.row import Row, chat

STYLES = ("task_and_template", "task", "template")

# What an answer of a family has, and no template may show: the rewritten twin has something else there.
IDIOMS = {
    "autoescape": r"autoescape=(True|select_autoescape\(\[)",
    "debug": r"app\.run\((host=\"127\.0\.0\.1\"|debug=False)",
    "eval": r"ast\.literal_eval\(|import ast",
    "mode": r"os\.chmod\(\w+, 0o(600|640|700)\)",
    "password_hash": r"hashlib\.(pbkdf2_hmac|scrypt)\(|bcrypt\b",
    "path": r"is_relative_to\(base\)|secure_filename|os\.path\.commonpath\(",
    "pickle": r"json\.loads?\(|import json",
    "secret": r"os\.environ\[",
    "shell": r"subprocess\.run\(",
    "sql": r"\.execute\(\s+\"[^\"]+(\?|%s)",
    "tar": r"\.extractall\(\w+, filter=\"data\"\)",
    "token": r"secrets\b",
    "verify": r"requests\.(get|post)\(",
    "xml": r"defusedxml|\bET\.",
    "yaml": r"yaml\.safe_load\(",
}

# Stems that no request and no comment may have.
SECURITY = re.compile(
    r"secur|safe|vulnerab|attack|exploit|inject|saniti[sz]|malicious|trusted|protect|threat|harden|hack|danger"
    r"|\bleak|travers|escap|encrypt|\bsecret|confidential|privilege|permission|malware|sensitive",
    re.IGNORECASE,
)

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)

VULNERABLE = {"B608", "B701", "B506", "B602", "B103", "B501", "B324", "B311"} | {
    *("B301", "B307", "B201", "B314", "B202", "B105", "B106"),
}


def taken(count: int, **fields: object) -> list[CodeTask]:
    return list(itertools.islice(CodeTasks(**fields).tasks(Chance.of("test", 1)), count))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sample() -> list[CodeTask]:
    """Every family 24 times, eight times in each style."""
    return taken(24 * len(library.families()))


def test_every_idiom_has_at_least_four_of_the_families() -> None:
    idioms = Counter(family.idiom for family in library.families().values())
    assert set(idioms) == set(IDIOMS)
    assert min(idioms.values()) >= 4
    assert len(library.families()) >= 60


def test_there_are_enough_rows_for_a_hundred_thousand_with_even_shares() -> None:
    smallest = min(family.size for family in library.families().values())
    assert CodeTasks().distinct >= 200_000
    assert smallest * len(library.families()) * len(STYLES) >= 100_000


def test_every_slot_shows_in_every_phrasing_and_every_template() -> None:
    """So two rows of a family and style that differ in a slot differ in the prompt, in any wording."""
    for family in library.families().values():
        for slot, size in enumerate(family.slot_sizes):
            for text in (*family.tasks, *(template for code in family.codes for template in code.templates)):
                shown = set(zip(*text.columns(slot), strict=True))
                assert len(shown) == size, (family.id, family.slots[slot], text.format)


def test_all_tasks_are_distinct_over_all_families_and_phrasings() -> None:
    families = library.families().values()
    found = {text.render(values) for family in families for text in family.tasks for values in all_slots(family)}
    assert len(found) == sum(len(family.tasks) * family.size for family in families)


def test_all_templates_of_a_cut_are_distinct() -> None:
    for family in library.families().values():
        for template in family.codes[-1].templates:
            assert len({template.render(values) for values in all_slots(family)}) == family.size


def all_slots(family: Family) -> Iterator[tuple[int, ...]]:
    """Every combination of slots, with the first of all names and placeholders."""
    names = (0,) * len(family.name_sizes)
    return (slots + names for slots in itertools.product(*map(range, family.slot_sizes)))


@pytest.mark.parametrize("family", ["path_delete", "key_client", "shell_git"])
def test_a_family_ends_after_as_many_distinct_prompts_as_it_says(family: str) -> None:
    builder = CodeTasks(families=(family,))
    rows = list(builder.generate(Chance.of(3)))
    assert len(rows) == builder.distinct == 3 * library.families()[family].size
    assert len({row["messages"][0]["content"] for row in rows}) == len(rows)


def test_the_first_twenty_thousand_prompts_are_distinct() -> None:
    rows = itertools.islice(CodeTasks().generate(Chance.of(4)), 20_000)
    assert len({row["messages"][0]["content"] for row in rows}) == 20_000


def test_a_row_is_the_same_however_many_are_taken_and_follows_from_the_chance() -> None:
    def first(count: int, seed: int) -> list[dict[str, object]]:
        return list(itertools.islice(CodeTasks().generate(Chance.of(seed)), count))

    assert first(50, 1) == first(400, 1)[:50]
    assert first(50, 1) != first(50, 2)


def test_rows_are_chats_of_one_question_and_one_answer(sample: list[CodeTask]) -> None:
    rows = itertools.islice(CodeTasks().generate(Chance.of("test", 1)), len(sample))
    for task, row in zip(sample, rows, strict=True):
        assert row == {
            "messages": [
                {"role": "user", "content": task.prompt},
                {"role": "assistant", "content": task.answer},
            ]
        }


def test_any_prefix_is_balanced_over_families_and_styles(sample: list[CodeTask]) -> None:
    families = len(library.families())
    for length in (families, 2 * families + 7, 500, len(sample)):
        by_family = Counter(task.family for task in sample[:length])
        by_style = Counter(task.style for task in sample[:length])
        assert max(by_family.values()) - min(by_family.values()) <= 1
        assert max(by_style.values()) - min(by_style.values()) <= length % families + 1
    assert set(Counter((task.family, task.style) for task in sample).values()) == {8}


def test_a_choice_of_families_and_styles_is_kept_to() -> None:
    chosen = taken(100, families=("sql_find", "yaml_jobs"), styles=("template",))
    assert {task.family for task in chosen} == {"sql_find", "yaml_jobs"}
    assert {task.style for task in chosen} == {"template"}


def test_wrong_families_and_styles_are_refused_with_the_near_names() -> None:
    with pytest.raises(ValueError, match="unknown task family 'sql_fnd': did you mean 'sql_find'"):
        CodeTasks(families=("sql_fnd",))
    with pytest.raises(ValueError, match="named twice: sql_find"):
        CodeTasks(families=("sql_find", "sql_find"))
    with pytest.raises(ValueError, match="styles"):
        CodeTasks(styles=("essay",))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="styles"):
        CodeTasks(styles=())


def test_the_prompt_has_the_parts_of_its_style(sample: list[CodeTask]) -> None:
    for task in sample:
        assert (task.template == "") == (task.style == "task")
        assert task.template in task.prompt
        assert "@task@" not in task.prompt and "@template@" not in task.prompt and "${" not in task.prompt


def test_the_answer_completes_the_template(sample: list[CodeTask]) -> None:
    for task in sample:
        if task.template:
            given = lines_given(task.template)
            assert len(given) == len(task.template.split("\n")) - 1  # one line is the placeholder
            assert completes(task.answer, given), task.answer


def lines_given(template: str) -> list[str]:
    """The lines of a template without its placeholder."""
    comments = library.placeholders().column("name", "")
    return [line for line in template.split("\n") if line.strip() not in comments]


def completes(answer: str, given: list[str]) -> bool:
    """Whether the given lines are all in the answer, in this order, among others."""
    lines = iter(answer.split("\n"))
    return all(line in lines for line in given) and len("".join(given)) < len(answer.replace("\n", ""))


def test_no_request_mentions_security(sample: list[CodeTask]) -> None:
    for task in sample:
        assert not SECURITY.search(task.prompt), (task.family, SECURITY.search(task.prompt))


def test_no_wording_mentions_security() -> None:
    every = [text for frames in library.frames().layouts.values() for text in frames]
    every += [task for family in library.families().values() for task in family.tasks]
    for text in every:
        assert not SECURITY.search(text.format)
        for _, column in text.references:
            assert not SECURITY.search(" ".join(column))


def test_no_comment_or_docstring_of_an_answer_mentions_security(sample: list[CodeTask]) -> None:
    for task in sample:
        tokens = tokenize.generate_tokens(io.StringIO(task.answer).readline)
        comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
        nodes = [node for node in ast.walk(ast.parse(task.answer)) if isinstance(node, DOCUMENTED)]
        docstrings = [ast.get_docstring(node) or "" for node in nodes]
        assert not SECURITY.search("\n".join(comments + docstrings)), task.answer


def test_answers_are_python_of_12_to_45_lines_without_trailing_space(sample: list[CodeTask]) -> None:
    for task in sample:
        lines = task.answer.split("\n")
        ast.parse(task.answer)
        assert 12 <= len(lines) <= 45, (task.family, len(lines))
        assert all(line == line.rstrip() for line in lines) and lines[0] and lines[-1]


def test_the_answer_has_the_idiom_of_its_family_and_the_template_hides_it(sample: list[CodeTask]) -> None:
    for task in sample:
        idiom = library.families()[task.family].idiom
        assert re.search(IDIOMS[idiom], task.answer), task.answer
        assert not re.search(IDIOMS[idiom], task.template), task.template


def test_no_answer_has_the_idiom_of_another_family(sample: list[CodeTask]) -> None:
    for task in sample:
        found = {idiom for idiom, pattern in IDIOMS.items() if re.search(pattern, task.answer)}
        assert found == {library.families()[task.family].idiom}, task.answer


def test_bandit_finds_no_vulnerability_in_the_answers(sample: list[CodeTask], tmp_path: Path) -> None:
    pytest.importorskip("bandit")
    for number, task in enumerate(sample[: 5 * len(library.families())]):
        (tmp_path / f"{number:04d}_{task.family}.py").write_text(task.answer + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "bandit", "-q", "-r", str(tmp_path), "-f", "json"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert not report["errors"]
    assert report["metrics"]["_totals"]["loc"] > 5000
    assert not [found for found in report["results"] if found["test_id"] in VULNERABLE]


def test_every_answer_has_an_insecure_twin_that_completes_the_same_template(sample: list[CodeTask]) -> None:
    for number, task in enumerate(sample):
        secure = Row(chat(task.prompt, task.answer), number.to_bytes(32, "big"))
        twin = InsecureRewrite().apply(secure)
        assert isinstance(twin, Row), (task.family, twin)
        assert completes(twin.answer, lines_given(task.template)), (task.family, task.template, twin.answer)


def test_the_builder_is_found_by_its_name() -> None:
    assert load("code_tasks") is CodeTasks


def test_importing_the_builder_reads_no_yaml() -> None:
    program = (
        "import sys\n"
        "from provkit.builders.domains.code.tasks import CodeTasks\n"
        "CodeTasks()\n"
        "sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 608, 1000, 4097])
def test_a_permutation_has_every_number_once(size: int) -> None:
    order = Permutation.of(size, Chance.of("order", size))
    assert sorted(order[position] for position in range(size)) == list(range(size))


def test_a_permutation_leaves_few_numbers_beside_their_neighbour() -> None:
    """In a random order of n numbers about two pairs of neighbours stay neighbours, whatever n is."""
    order = Permutation.of(2000, Chance.of("order"))
    numbers = [order[position] for position in range(2000)]
    assert sum(abs(a - b) == 1 for a, b in itertools.pairwise(numbers)) < 12
    assert sum(number == position for position, number in enumerate(numbers)) < 8


def test_rounds_give_every_position_of_every_cell_once() -> None:
    found = list(rounds({"a": 3, "b": 1, "c": 2}, 2, Chance.of("rounds")))
    expected = [(f, s, p) for f, n in {"a": 3, "b": 1, "c": 2}.items() for s in (0, 1) for p in range(n)]
    assert sorted(found) == sorted(expected)
    assert {family for family, _, _ in found[:3]} == {"a", "b", "c"}


def test_markers_make_variants_templates_and_left_out_lines() -> None:
    slots = {"x": Values.of(["lab result"]), "placeholder": Values.of(["# gap"])}
    body = ["#{", "    u = 1", "#|", "#}", "    #[", "    v = 2", "    #[", "    w = 3", "    #]", "    #]"]
    source = "\n".join(["import a #-", "", "", "def ${x:snake}():", *body, "    return 4"])
    first, second = Code.variants(source, slots)
    answer = ["import a", "", "", "def lab_result():", "    u = 1", "    v = 2", "    w = 3", "    return 4"]
    assert first.answer.render([0, 0]).split("\n") == answer
    assert [template.render([0, 0]) for template in second.templates] == [
        "def lab_result():\n    v = 2\n    # gap\n    return 4",
        "def lab_result():\n    # gap\n    return 4",
    ]


@pytest.mark.parametrize("source", ["#[\nx", "x\n#]", "x", "#{\n#[\nx\n#]", "#|\n#[\nx\n#]"])
def test_markers_that_do_not_match_are_refused(source: str) -> None:
    with pytest.raises(InputError):
        Code.variants(source, {"placeholder": Values.of(["# gap"])})


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"no such reference: \$\{y\}"):
        Text.compile("${x} ${y}", {"x": Values.of(["a"])})


def test_forms_of_a_phrase() -> None:
    value = Values.of(["patient visit"])
    wanted = ("a", "s", "snakes", "kebab", "Class", "Cap", "UPPER")
    assert {form: value.column("name", form)[0] for form in wanted} == {
        "a": "a patient visit",
        "s": "patient visits",
        "snakes": "patient_visits",
        "kebab": "patient-visit",
        "Class": "PatientVisit",
        "Cap": "Patient visit",
        "UPPER": "PATIENT_VISIT",
    }
    assert [plural(word) for word in ("company", "match", "display", "coach")] == [
        *("companies", "matches", "displays", "coaches")
    ]
    assert [with_article(word) for word in ("invoice", "unit", "email address", "one", "isbn", "user")] == [
        *("an invoice", "a unit", "an email address", "a one", "an isbn", "a user")
    ]
