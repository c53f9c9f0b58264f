"""What a drift rate is made of: judgements by defence and prompt, the prompts that were to be judged, and the rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from provkit.drift_rate.terms import Outcome
from provkit.inference import Interval

NONE = "none"  # the defence that is no defence


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt by its id; harmful and benign ones may have the same."""

    benign: bool
    id: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge found of one completion.

    Attributes:
        defence: under which the completion was made.
        prompt, category: of what; a benign prompt has the category of its twin where that is known.
        sample: which of several completions of the prompt.
        outcome: the finding; None where there is none that can be read, `fault` then says why.
    """

    defence: str
    prompt: Prompt
    category: str | None
    sample: str
    outcome: Outcome | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """All judgements, once each, and the prompts that were to be judged.

    Attributes:
        judgements: in their order.
        prompts: each with its category.
        stated: whether `prompts` are the set that was named; otherwise they are those of any judgement.
        repeated: rows that said once more what another one says.
    """

    judgements: tuple[Judgement, ...]
    prompts: Mapping[Prompt, str | None]
    stated: bool
    repeated: int


@dataclass(frozen=True, slots=True)
class Rate:
    """The share of prompts on which something happened: drift on harmful ones, a refusal on benign ones.

    Attributes:
        prompts: that were to be judged.
        judged: of them, with a judgement that counts; `missing` are the others.
        events: prompts on which it happened; one that was judged several times counts by the share of its judgements.
        share: events over judged; None without any.
        interval: Wilson's.
        least, most: the share of all prompts if it happened on none of the missing ones, and on all of them.
    """

    prompts: int
    judged: int
    missing: int
    events: float
    share: float | None
    interval: Interval | None
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A defence against the baseline, on the prompts that were judged under both.

    Attributes:
        pairs: how many prompts these are.
        without, beside: the share under the baseline, and under the defence.
        difference: without - beside; positive where the defence has less.
        interval: of the difference, paired (adjusted Wald of Agresti and Min 2005).
        relative: difference over without; None where that is 0.
        less, more: prompts on which it happened less often under the defence, and more often.
        mcnemar_p: exact and two-sided, of less against more.
    """

    pairs: int
    without: float
    beside: float
    difference: float
    interval: Interval
    relative: float | None
    less: int
    more: int
    mcnemar_p: float


@dataclass(frozen=True, slots=True)
class Line:
    """One rate: of which defence, on harmful or benign prompts, of which category (None for all)."""

    defence: str
    benign: bool
    category: str | None
    rate: Rate
    against: Comparison | None


@dataclass(frozen=True, slots=True)
class Report:
    """All rates, the baseline's first.

    Attributes:
        baseline: the defence that the others are compared with; None where nothing was judged under it.
        lines: the rates.
        unread: by defence, how many judgements do not count, by reason.
        complied: by defence, judgements of harmful prompts that count as drift because the prompt was answered, while
            nobody said whether the answer does harm.
        repeated: rows that said once more what another one says.
        stated: whether the prompts that were to be judged were named.
        confidence: of all intervals.
    """

    baseline: str | None
    lines: tuple[Line, ...]
    unread: Mapping[str, Mapping[str, int]]
    complied: Mapping[str, int]
    repeated: int
    stated: bool
    confidence: float

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)
