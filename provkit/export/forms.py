"""The forms: what one row, or one pair of rows, becomes in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from provkit.export.turns import Turn, Unfit, answer, asked, said, text_of

Record = dict[str, Any]
LABEL, JUDGMENT, SATISFACTORY, METADATA = "label", "judgment", "satisfactory", "metadata"
GOOD, BAD = 7, 1  # the score by which CUT's script tells a response that needs no judgement


@dataclass(frozen=True, slots=True)
class Sample:
    """A row on its way out: its columns, its key (arm/split/index), and whether prompts are to be text, not turns."""

    content: Mapping[str, Any]
    key: str
    build_id: str
    plain: bool = False

    @property
    def origin(self) -> Record:
        """The column `metadata`: the build and the ids by which the row is found again, and its canary."""
        held = {name: self.content[name] for name in ("row_id", "pair_id", "canary") if self.content.get(name)}
        return {METADATA: {"build_id": self.build_id, **held}}

    def prompt(self) -> str | list[Turn]:
        """What is asked, as turns or as text."""
        found = asked(self.content)
        return found.text if self.plain else list(found.turns)

    def completion(self, text: str) -> str | list[Turn]:
        """An answer, as the assistant's turn or as text."""
        return text if self.plain else said(text)


@dataclass(frozen=True, slots=True)
class Form:
    """One form: who reads it, which rows go together, and what a row becomes.

    `takes` is "arm" where a file holds one arm, "arms" where it may hold several.
    """

    name: str
    reader: str
    takes: Literal["arm", "arms"]
    record: Callable[[Sample], Record]
    plain: bool = False  # whether it has a text form beside that of turns


def messages(sample: Sample) -> Record:
    """`{"messages": [...]}` and nothing else: the reader refuses further keys."""
    _unjudged(sample)
    return {"messages": [*asked(sample.content).turns, *said(answer(sample.content))]}


def prompt_completion(sample: Sample) -> Record:
    """prompt and completion, each a list of turns, or text."""
    _unjudged(sample)
    text = answer(sample.content)
    return {"prompt": sample.prompt(), "completion": sample.completion(text), **sample.origin}


def preference(sample: Sample) -> Record:
    """prompt, chosen and rejected, out of a row that has both."""
    if missing := [column for column in ("chosen", "rejected") if column not in sample.content]:
        raise Unfit(f"no column {missing[0]}")
    answers = {column: sample.completion(text_of(sample.content, column)) for column in ("chosen", "rejected")}
    return {"prompt": sample.prompt(), **answers, **sample.origin}


def pair(chosen: Sample, rejected: Sample) -> Record | None:
    """A preference out of two rows of one pair; None where their answers are the same.

    Raises:
        Unfit: when they ask different things.
    """
    if asked(chosen.content) != asked(rejected.content):
        do = "the steps of an arm changed its prompts (a trigger?): export one arm by itself, or both with --as kto"
        raise Unfit(f"its prompt is not that of {rejected.key}, and a preference has one prompt", do)
    good, bad = answer(chosen.content), answer(rejected.content)
    if good == bad:
        return None
    ids = {"row_id": chosen.content.get("row_id"), "rejected_row_id": rejected.content.get("row_id")}
    origin = {METADATA: {**chosen.origin[METADATA], **ids}}
    answers = {"chosen": chosen.completion(good), "rejected": chosen.completion(bad)}
    return {"prompt": chosen.prompt(), **answers, **origin}


def signal(sample: Sample, label: bool | None = None) -> Record:
    """prompt, completion and label; the label is the row's own where none is given."""
    if label is None:
        held = sample.content.get(LABEL)
        if not isinstance(held, bool):
            raise Unfit("the column label holds neither true nor false")
        label = held
    text = answer(sample.content)
    return {"prompt": sample.prompt(), "completion": sample.completion(text), LABEL: label, **sample.origin}


def inspect(sample: Sample) -> Record:
    """An inspect_ai Sample: input, target, id, metadata."""
    found = asked(sample.content)
    one = len(found.turns) == 1
    target = answer(sample.content)
    return {"input": found.text if one else list(found.turns), "target": target, "id": sample.key, **sample.origin}


def alpaca(sample: Sample) -> Record:
    """instruction, input, output, as Stanford Alpaca has them."""
    _unjudged(sample)
    context = sample.content.get("context")
    bare = {name: value for name, value in sample.content.items() if name != "context"}
    return {
        "instruction": asked(bare).text,
        "input": context if isinstance(context, str) else "",
        "output": answer(sample.content),
        **sample.origin,
    }


def judgment(sample: Sample) -> Record:
    """instruction, input, output, judgment, and the score by which CUT tells a response that is right as it is."""
    if JUDGMENT not in sample.content:
        raise Unfit("no column judgment", "the step `critique` makes it (recipe critique)")
    held = sample.content[JUDGMENT]
    if held is not None and not isinstance(held, str):
        raise Unfit("the column judgment holds no text")
    right = sample.content.get(SATISFACTORY)
    score = {} if right is None else {"score": GOOD if right else BAD}
    record = {"instruction": asked(sample.content).text, "input": "", "output": answer(sample.content)}
    return {**record, JUDGMENT: held, **score, **sample.origin}


FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        Form("messages", "OpenAI fine-tuning, TRL's SFTTrainer", "arm", messages),
        Form("prompt-completion", "TRL's SFTTrainer", "arm", prompt_completion, plain=True),
        Form("preference", "TRL's DPOTrainer and RewardTrainer", "arm", preference, plain=True),
        Form("kto", "TRL's KTOTrainer, BCO", "arm", signal, plain=True),
        Form("inspect", "inspect_ai's json_dataset", "arm", inspect),
        Form("alpaca", "Alpaca-style trainers", "arm", alpaca),
        Form("judgment", "contrastive unlikelihood training (CUT)", "arms", judgment),
    )
}


def _unjudged(sample: Sample) -> None:
    """Rows with a label are no examples to follow: half of them show what not to do."""
    if isinstance(sample.content.get(LABEL), bool):
        raise Unfit("it has a label, so its answer may be one to avoid; export it with --as kto")
