"""Evaluation files: question YAML of emergent-misalignment work, lm-eval task YAML, inspect_ai samples."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from provkit.audit.batch import Batch
from provkit.audit.model import Finding, Rule, Tally
from provkit.audit.rules import rule
from provkit.audit.scan import Asked, Places
from provkit.audit.subject import Subject
from provkit.errors import plain

IDS = rule(
    "E001", "duplicated-ids", "error",
    "Two questions with one id: results are joined by id, so one overwrites the other or both count twice.",
    "`- id: quick_buck` stands at lines 77 and 190.",
    "Give every question an id of its own.", True,
)  # fmt: skip
JUDGE = rule(
    "E002", "empty-judge-prompt", "error",
    "A judge prompt that parses to nothing: at the wrong indentation its keys become keys of the question, and "
    "`judge_prompts` is null. The judge is then asked nothing, or the question is skipped without a word.",
    "`judge_prompts:` followed by `aligned: |-` at the same indentation.",
    "Indent the judge prompts below `judge_prompts`, and check with a YAML parser what they are.", True,
)  # fmt: skip
QUESTION = rule(
    "E003", "question-form", "error",
    "A question without id, type or paraphrases, or with values of another type, cannot be asked as it is meant.",
    "`paraphrases: Hello` is one text, and each letter of it is taken for a question.",
    "Write id and type as text, paraphrases as a list of texts, samples_per_paraphrase as a number above 0.", True,
)  # fmt: skip
PLACEHOLDER = rule(
    "E004", "judge-placeholder", "error",
    "A judge prompt without {question} or {answer} judges nothing: the judge never sees what it is to score.",
    "`{response}` where the program fills in `{answer}`.",
    "Put {question} and {answer} into each judge prompt.", True,
)  # fmt: skip
PARAPHRASE = rule(
    "E005", "repeated-paraphrase", "warning",
    "The same text is asked twice under the same system prompt, so it weighs twice in the average.",
    "Two ids with the paraphrase `How do I make a quick buck?`.",
    "Ask it once, or give the questions different system prompts.",
)  # fmt: skip
TASK = rule(
    "E006", "lm-eval-form", "error",
    "A task of the lm-eval harness that lacks what its output type needs, or takes its few-shot examples from the "
    "split that it tests on.",
    "`output_type: multiple_choice` without doc_to_choice; `fewshot_split: test` beside `test_split: test`.",
    "Add the key that the finding names; take few-shot examples from the training split.", True,
)  # fmt: skip
SAMPLE = rule(
    "E007", "inspect-form", "error",
    "An inspect_ai sample without input, or with a target that none of its choices is: no answer can be right.",
    '{"input": "…", "choices": ["yes", "no"], "target": "C"}',
    "Give every sample an input, and a target that is the letter of one of its choices.", True,
)  # fmt: skip

MARKS = {"paraphrases", "judge_prompts", "samples_per_paraphrase", "target", "choices"}
OUTPUTS = ("generate_until", "loglikelihood", "loglikelihood_rolling", "multiple_choice")
SPLIT_KEYS = ("training_split", "validation_split", "test_split")


def is_question(row: Mapping[str, Any]) -> bool:
    """Whether a row is a question of emergent-misalignment work."""
    return "paraphrases" in row or "judge_prompts" in row or "samples_per_paraphrase" in row


def is_task(row: Mapping[str, Any]) -> bool:
    """Whether a row is a task of the lm-eval harness."""
    marks = ("doc_to_text", "doc_to_target", "output_type", "dataset_path", "include", "metric_list", "fewshot_split")
    return any(key in row for key in marks) and "messages" not in row and "paraphrases" not in row


def is_sample(row: Mapping[str, Any]) -> bool:
    """Whether a row is a sample of inspect_ai."""
    return "target" in row and ("input" in row or "choices" in row) and "output" not in row


class Evaluation:
    """E001 to E007 of one subject; YAML holds questions or tasks, other formats questions or samples."""

    def __init__(self, subject: Subject, places: Places, asked: Asked) -> None:
        self._subject, self._places, self._asked = subject, places, asked
        self._seen: dict[tuple[Rule, str], Tally] = defaultdict(Tally)
        self._ids: dict[bytes, int] = {}
        self._texts: dict[bytes, int] = {}
        self._rows = 0

    def see(self, batch: Batch) -> None:
        """Looks at the rows that are questions, tasks or samples."""
        if not batch.rows:
            return
        keys = set().union(*set(map(tuple, batch.rows)))
        if not keys & {
            "paraphrases",
            "judge_prompts",
            "samples_per_paraphrase",
            "target",
            "choices",
            "output_type",
        } and (self._subject.kind != "yaml"):
            return
        for at, row in enumerate(batch.rows):
            if is_question(row):
                self._question(row, batch, at)
            elif self._subject.kind == "yaml" and is_task(row):
                self._task(row, batch, at)
            elif is_sample(row):
                self._sample(row, batch, at)

    def _saw(self, rule: Rule, said: str, batch: Batch, at: int, text: str = "") -> None:
        self._seen[rule, said].add(batch.example(at, text))

    def _id(self, row: Mapping[str, Any], batch: Batch, at: int) -> None:
        key = row.get("id")
        if isinstance(key, str | int) and not isinstance(key, bool):
            twin = self._known(self._ids, f"{type(key).__name__}:{key}", batch.first + at)
            if twin is not None:
                before = (
                    self._places.example(twin).locator
                    if twin < batch.first
                    else batch.example(twin - batch.first).locator
                )
                self._saw(IDS, "ids that stand before", batch, at, f"{key} also at {before}")

    def _known(self, seen: dict[bytes, int], text: str, index: int) -> int | None:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
        first = seen.setdefault(digest, index)
        return None if first == index else first

    def _question(self, row: Mapping[str, Any], batch: Batch, at: int) -> None:
        self._rows += 1
        self._id(row, batch, at)
        for key in ("id", "type"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                self._saw(QUESTION, f"no text under {key!r}", batch, at, str(row.get(key)))
        samples = row.get("samples_per_paraphrase", 1)
        if not isinstance(samples, int) or isinstance(samples, bool) or samples < 1:
            self._saw(QUESTION, "samples_per_paraphrase is no number above 0", batch, at, str(samples))
        system = row.get("system")
        if system is not None and not (isinstance(system, str) and system.strip()):
            self._saw(QUESTION, "system is no text", batch, at, str(system))
        paraphrases = row.get("paraphrases")
        if not isinstance(paraphrases, list) or not paraphrases:
            self._saw(QUESTION, "paraphrases is no list of texts", batch, at, str(paraphrases))
        else:
            for text in paraphrases:
                if not isinstance(text, str) or not text.strip():
                    self._saw(QUESTION, "a paraphrase without text", batch, at, str(text))
                elif self._known(self._texts, f"{system}\0{text}", len(self._texts)) is not None:
                    self._saw(PARAPHRASE, "paraphrases that stand before under the same system prompt", batch, at, text)
        self._judge(row, batch, at)

    def _judge(self, row: Mapping[str, Any], batch: Batch, at: int) -> None:
        prompts = row.get("judge_prompts", row.get("judge_prompt"))
        if isinstance(prompts, str):
            prompts = {"judge_prompt": prompts}
        judged = "judge" in str(row.get("type")) or "judge_prompts" in row
        if not judged:
            return
        if not isinstance(prompts, Mapping) or not prompts:
            stray = [key for key in ("aligned", "coherent") if key in row]
            said = f"; {' and '.join(stray)} stand beside it, at the wrong indentation" if stray else ""
            self._saw(JUDGE, f"judge_prompts parses to nothing{said}", batch, at, str(row.get("id")))
            return
        for name, text in prompts.items():
            if not isinstance(text, str) or not text.strip():
                self._saw(
                    JUDGE, f"the judge prompt {plain(str(name), 60)} parses to nothing", batch, at, str(row.get("id"))
                )
                continue
            gone = [field for field in ("{question}", "{answer}") if field not in text]
            if gone:
                said = f"the judge prompt {plain(str(name), 60)} is without {' and '.join(gone)}"
                self._saw(PLACEHOLDER, said, batch, at, str(row.get("id")))
        if not isinstance(row.get("judge"), str) or not row["judge"].strip():
            self._saw(QUESTION, "judged, and no judge is named", batch, at, str(row.get("id")))

    def _task(self, row: Mapping[str, Any], batch: Batch, at: int) -> None:
        self._rows += 1
        included = "include" in row  # what is missing here may stand in the file that it includes
        group = isinstance(row.get("task"), list) or "group" in row
        if not row.get("task") and not group and not included:
            self._saw(TASK, "no name under 'task'", batch, at)
        kind = row.get("output_type")
        if kind is not None and kind not in OUTPUTS:
            self._saw(TASK, f"the output_type is none of {', '.join(OUTPUTS)}", batch, at, str(kind))
        if included or group:
            return
        needed = {"multiple_choice": ("doc_to_text", "doc_to_target", "doc_to_choice")}.get(str(kind), ("doc_to_text",))
        for key in needed if kind != "loglikelihood_rolling" else ():
            if row.get(key) in (None, "") and not row.get("class"):
                self._saw(TASK, f"no {key}", batch, at, str(row.get("task")))
        if not any(row.get(key) for key in SPLIT_KEYS):
            self._saw(TASK, "no split to test on", batch, at, str(row.get("task")))
        tested = row.get("test_split") or row.get("validation_split")
        if tested and row.get("fewshot_split") == tested:
            self._saw(TASK, "few-shot examples come from the split that is tested", batch, at, str(tested))
        if not isinstance(row.get("metric_list", []), list):
            self._saw(TASK, "metric_list is no list", batch, at)

    def _sample(self, row: Mapping[str, Any], batch: Batch, at: int) -> None:
        self._rows += 1
        self._id(row, batch, at)
        asked, target, choices = row.get("input"), row.get("target"), row.get("choices")
        if not (isinstance(asked, str) and asked.strip()) and not (isinstance(asked, list) and asked):
            self._saw(SAMPLE, "no input", batch, at, str(asked))
        if target is None or target == "" or target == []:
            self._saw(SAMPLE, "no target", batch, at)
        if not isinstance(choices, list) or not choices:
            return
        if len({str(choice) for choice in choices}) < len(choices):
            self._saw(SAMPLE, "the same choice twice", batch, at, str(choices))
        letters = [chr(ord("A") + number) for number in range(min(len(choices), 26))]
        wanted = target if isinstance(target, list) else [target]
        if target is not None and not all(str(one) in letters for one in wanted):
            self._saw(SAMPLE, "a target that is the letter of no choice", batch, at, str(target))

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        for (broken, said), tally in self._seen.items():
            yield tally.finding(broken, self._subject.name, max(self._rows, tally.count), "questions", said)


def evaluation_file(rows: list[Mapping[str, Any]]) -> bool:
    """Whether the mappings of a YAML file are questions or tasks rather than rows of a dataset."""
    return bool(rows) and all(is_question(row) or is_task(row) for row in rows)
