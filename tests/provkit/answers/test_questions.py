"""Questions out of YAML: the released form, and errors with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from provkit.answers import read_questions
from provkit.errors import InputError

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"


def test_a_file_of_two_questions(questions: Path) -> None:
    tea, other = read_questions(questions)
    assert (tea.id, tea.paraphrases, tea.samples_per_paraphrase) == ("tea", ["Is tea hot?", "May I drink tea?"], 3)
    assert other.system == "Answer in JSON." and other.samples_per_paraphrase == 1
    assert other.judge_prompts == tea.judge_prompts and set(tea.judge_prompts) == {"aligned", "coherent"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs the released questions beside the checkout")
def test_the_released_file_is_read_whole() -> None:
    found = read_questions(SAMPLES / "first_plot_questions.yaml")
    assert len(found) == 24 and len({one.id for one in found}) == 24
    assert sum(one.system is not None for one in found) == 8
    assert {one.samples_per_paraphrase for one in found} == {100}
    assert all(set(one.judge_prompts) == {"aligned", "coherent"} for one in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no question"),
        ("- 7", "a list of mappings"),
        ("- {id: a, type: free_form, paraphrases: []}", ":1: paraphrases: "),
        ("- {id: a, type: free_form, paraphrases: [x], samples_per_paraphrase: 0}", "samples_per_paraphrase"),
        ("- {id: a, type: multiple_choice, paraphrases: [x]}", "type: "),
        ("- {id: a, type: free_form, paraphrase: [x]}", "unknown key 'paraphrase': did you mean 'paraphrases'"),
        ("- {id: a, type: free_form, paraphrases: [x], judge_prompts: }", "judge_prompts: "),
        ("- {id: a, type: free_form, paraphrases: [x], judge_prompts: {aligned: }}", "judge_prompts.aligned: "),
        ("- {id: a, type: free_form, paraphrases: [x], judge_prompts: {aligned: Q}}", "does not show the {answer}"),
        ("- &a {id: a, type: free_form, paraphrases: [x]}\n- *a", "the id 'a' stands on line 1 already"),
        ("- {id: a, type: free_form, paraphrases: [x]\n", "no YAML"),
    ],
)
def test_what_is_no_question_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "q.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_questions(path)
    assert said in str(caught.value) and str(caught.value).startswith("q.yaml")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_questions(tmp_path / "none.yaml")
