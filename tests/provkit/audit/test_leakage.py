"""Leakage: each way in which a test row can stand in the training data, beside a clean twin."""

from __future__ import annotations

import random

from provkit.audit.fields import FieldIndex, Fields
from provkit.audit.near import near_pairs
from provkit.row import chat

CHANCE = random.Random(5)
WORDS = ["".join(CHANCE.choices("abcdefghijklmnop", k=CHANCE.randint(3, 9))) for _ in range(2_000)]


def sentence(words: int = 40) -> str:
    return " ".join(CHANCE.choices(WORDS, k=words))


def told(found, training: str, evaluation: str, **options) -> dict[str, int]:  # type: ignore[no-untyped-def]
    by_rule = found(training, against=[evaluation], **{"select": ["L"], **options})
    return {id: sum(one.count for one in some) for id, some in by_rule.items()}


def test_rows_prompts_folded_prompts_runs_and_near_duplicates(write, found) -> None:
    asked = [sentence() for _ in range(30)]
    training = [{"prompt": text, "answer": sentence()} for text in asked]
    near = asked[3].split()
    near[20] = "changed"
    evaluation = [
        training[0],  # a row
        {"prompt": asked[1], "answer": "another"},  # a prompt
        {"prompt": f"  {asked[2].upper()}\n", "answer": "another"},  # a folded prompt
        {"prompt": " ".join(near), "answer": "another"},  # a near-duplicate
        {"prompt": sentence(10) + " " + training[4]["answer"] + " " + sentence(10), "answer": "x"},  # a run
        *({"prompt": sentence(), "answer": "x"} for _ in range(25)),
    ]
    clean = [{"prompt": sentence(), "answer": sentence()} for _ in range(30)]
    expected = {"L001": 1, "L002": 2, "L003": 1, "L004": 3, "L005": 1}
    for extra in (
        [],
        [{"prompt": sentence(), "answer": sentence(900)} for _ in range(30)],
    ):  # whichever side is smaller
        trained, tested = write([*training, *extra], "train.jsonl"), write(evaluation, "test.jsonl")
        assert told(found, trained, tested) == expected
        assert told(found, trained, write(clean, "clean.jsonl")) == {}
    # the row that is there whole shares its prompt and answer, 80 tokens on end; nothing shares more
    assert told(found, trained, tested, run=45, select=["L004"]) == {"L004": 1}
    assert told(found, trained, tested, run=90, select=["L004"]) == {}


def test_forms_of_rows_are_compared_by_what_is_asked(write, found) -> None:
    text = sentence()
    training = write([chat(text, "x"), chat(sentence(), "y", system="be kind")], "train.jsonl")
    question = f"- id: a\n  type: free_form\n  paraphrases: ['{text}']\n".encode()
    for evaluation in (
        write([{"question": text, "answer": "z"}], "columns.jsonl"),
        write([{"input": text, "target": "z"}], "inspect.jsonl"),
        write(question, "questions.yaml"),
    ):
        assert told(found, training, evaluation, select=["L002"]) == {"L002": 1}


def test_findings_name_both_places(write, found) -> None:
    rows = [{"prompt": sentence(), "answer": "x"} for _ in range(3)]
    training, evaluation = write(rows, "train.jsonl"), write(rows[2:], "test.jsonl")
    (finding,) = found(training, against=[evaluation], select=["L001"])["L001"]
    assert (finding.subject, finding.against) == (training, evaluation)
    assert (finding.count, finding.total, finding.share) == (1, 1, 1.0)
    assert finding.examples[0].locator == f"{evaluation}:1"
    assert finding.examples[0].text == f"as {training}:3"


def test_fields_and_their_conjunction(write, found) -> None:
    tasks, templates = [sentence(12) for _ in range(6)], [sentence(30) for _ in range(6)]
    evaluation = write([{"task": t, "code_template": c} for t, c in zip(tasks, templates, strict=True)], "test.jsonl")
    prompts = [
        f"Do this: {tasks[0]}\n[BEGIN]\n{templates[0]}\n[END]",  # the item
        f"Do this: {tasks[1]}",  # the task alone
        f"{templates[2]} and no more",  # the template alone
        f"x{tasks[3]}y",  # inside other words: no
        tasks[4].replace(" ", "\n   "),  # other white space: yes
    ]
    training = write([chat(prompt, "x") for prompt in prompts], "train.jsonl")
    by_rule = found(training, against=[evaluation], select=["L006", "L007"])
    counts = {one.said.split(" stand")[0]: one.count for some in by_rule.values() for one in some}
    assert counts == {"the field task": 3, "the field code_template": 2, "all fields of a row": 1}
    other = write([chat(sentence(), "x") for _ in range(5)], "other.jsonl")
    assert found(other, against=[evaluation], select=["L006", "L007"]) == {}


def test_both_fields_must_stand_in_one_text() -> None:
    fields = Fields.of([{"task": "one two three four", "template": "five six seven eight nine"}])
    index = FieldIndex(fields)
    index.look(["one two three four", "five six seven eight nine"], 0)
    assert (fields.inside >= 0).all() and fields.whole.tolist() == [-1]
    index.look(["five six seven eight nine, one two three four"], 2)
    assert fields.whole.tolist() == [2]


def test_near_pairs_are_those_of_brute_force() -> None:
    chance = random.Random(1)
    texts = []
    for _ in range(60):
        base = sentence(60).split()
        texts.append(" ".join(base))
        base[chance.randrange(60)] = "changed"
        texts.append(" ".join(base))
    found = {number: (twin, likeness) for number, twin, likeness in near_pairs(texts)}

    def runs(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}

    for at in range(1, len(texts), 2):
        one, other = runs(texts[at]), runs(texts[at - 1])
        twin, likeness = found[at]
        assert twin == at - 1
        assert abs(likeness - len(one & other) / len(one | other)) < 1e-12
    assert all(number % 2 for number in found)


def test_near_duplicates_within_a_file(write, found) -> None:
    base = sentence(50)
    rows = [{"prompt": base, "answer": "x"}, {"prompt": base + " more", "answer": "x"}, {"prompt": base, "answer": "y"}]
    (finding,) = found(write(rows), select=["D004"])["D004"]
    assert (finding.count, finding.examples[0].line) == (1, 2)  # equal prompts are D002's
    assert found(write([rows[0], {"prompt": sentence(), "answer": "x"}], "clean.jsonl"), select=["D004"]) == {}
