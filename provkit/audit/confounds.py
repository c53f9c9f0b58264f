"""Confounds: how well the arm is told by length or by words alone, cross-validated, with an interval by prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from provkit.audit.arms import SAMPLE, ArmFacts, Text
from provkit.audit.model import Example, Finding, Measure, Rule
from provkit.audit.rules import rule

LENGTH = rule(
    "X001", "length-tells-the-arm", "warning",
    "Length alone predicts the arm: a model, a probe or a judge may use it instead of what the arm is about. AUC of a "
    "logistic regression on the logarithm of prompt and answer length and their squares, five folds by prompt and "
    "pair, as max(AUC, 1 − AUC); a fault when its 95 % interval, clustered likewise, lies above 0.6.",
    "Unsafe answers have 40 words, safe ones 180: AUC 0.97.",
    "Match the lengths, or report results within bands of length.",
)  # fmt: skip
WORDS = rule(
    "X002", "prompt-words-tell-the-arm", "warning",
    "The words of the prompt predict the arm: the arms ask about different things, so what a model learns may be the "
    "topic. AUC of a logistic regression on a bag of words of the prompt, five folds by prompt, pair and equal text; a "
    "fault when its interval lies above 0.6. The same figure for answers is reported as a measure: there, words may be "
    "what the arm is about.",
    "Harmful prompts against MMLU questions: AUC 0.99 without a single activation read.",
    "Use the same prompts in both arms (`pair: true`), or report results within topics.",
)  # fmt: skip

FOLDS = 5
LEAST = 40  # rows of an arm below which nothing is measured
LIMIT = 0.6
REPLICATES = 500
RARE = 20  # rows that hold one text, up to which they are kept in one fold
LETTERS = 4_000  # characters of a text that go into the bag


@dataclass(frozen=True, slots=True)
class Auc:
    """max(AUC, 1 - AUC) with the 2.5 and 97.5 percentiles of its bootstrap over groups of rows."""

    value: float
    low: float
    high: float


def confounds(arm: ArmFacts, control: ArmFacts, rules: frozenset[str]) -> Iterator[Measure | Finding]:
    """The measures of an arm and its control, and the findings that they make.

    In a paired build, what differs between twins was made by the recipe's steps: the figures are measures alone.
    """
    texts, label = _rows(arm, control)
    prompts, answers = [one.prompt for one in texts], [one.answer for one in texts]
    if min(int(label.sum()), int((1 - label).sum())) < LEAST:
        return
    group = grouped([one.key for one in texts], prompts)
    if int(group.max()) + 1 < 2 * FOLDS:
        return
    named: list[tuple[Rule, str, bool]] = [
        (LENGTH, "AUC from length alone", True),
        (WORDS, "AUC from the prompt's words", True),
        (WORDS, "AUC from the answer's words", False),
    ]
    for about, name, fault in named:
        if about.id not in rules:
            continue
        if about is LENGTH:
            found = auc(lengths(prompts, answers), label, group)
        else:
            seen = prompts if fault else answers
            found = auc(bag(seen), label, with_equal(group, seen))
        subject = f"{arm.name} against {control.name}"
        yield Measure(about.id, subject, name, found.value, found.low, found.high, len(label))
        if fault and found.low > LIMIT and not (arm.paired and control.paired):
            said = f"{name} is {found.value:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f}"
            yield Finding(about, arm.name, len(label), len(label), "rows", said, (Example(arm.name),), control.name)


def _rows(arm: ArmFacts, control: ArmFacts) -> tuple[list[Text], npt.NDArray[np.int64]]:
    sides = [sorted(one.texts, key=lambda text: text.key)[:SAMPLE] for one in (arm, control)]
    return [*sides[0], *sides[1]], np.repeat([1, 0], [len(sides[0]), len(sides[1])])


def grouped(*values: Sequence[object]) -> npt.NDArray[np.int64]:
    """The number of each row's group: rows are together that have one of the values in common, directly or by others.

    Twins whose prompts a step changed share their key, rows of one prompt their prompt.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows = len(values[0])
    numbers: dict[tuple[int, object], int] = {}
    nodes = [rows + numbers.setdefault((at, one), len(numbers)) for at, some in enumerate(values) for one in some]
    size = rows + len(numbers)
    ends = (np.tile(np.arange(rows), len(values)), np.array(nodes, np.int64))
    _, found = connected_components(coo_matrix((np.ones(len(nodes), bool), ends), (size, size)), directed=False)
    return np.unique(found[:rows], return_inverse=True)[1].astype(np.int64)


def with_equal(group: npt.NDArray[np.int64], texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Groups joined where rows hold one text that few rows hold; as they were where that makes one group of many.

    Equal texts tell nothing of the arm. Learnt under one label and met again under the other, in another fold, they
    would: a rare one is best kept in one fold, a frequent one (a label such as "yes") is learnt under both.
    """
    counted = Counter(texts)
    joined = grouped(group.tolist(), [text if counted[text] <= RARE else at for at, text in enumerate(texts)])
    return joined if FOLDS * int(np.bincount(joined).max()) <= len(texts) else group


def lengths(prompts: Sequence[str], answers: Sequence[str]) -> npt.NDArray[np.float64]:
    """Logarithms of the two lengths in characters, and their squares: shape (rows, 4)."""
    logs = np.log1p(np.array([[len(p), len(a)] for p, a in zip(prompts, answers, strict=True)], np.float64))
    return np.hstack([logs, logs**2])


def bag(texts: Sequence[str]) -> object:
    """Which words a text holds: sparse, a column for each of 2^18 hashes that occurs."""
    from sklearn.feature_extraction.text import HashingVectorizer

    maker = HashingVectorizer(n_features=2**18, alternate_sign=False, binary=True, norm="l2", token_pattern=r"\w+")
    found = maker.transform([text[:LETTERS] for text in texts])
    return found[:, np.unique(found.indices)]  # the solver's time grows with columns, used or not


def auc(features: object, label: npt.NDArray[np.int64], group: npt.NDArray[np.int64], seed: int = 0) -> Auc:
    """Cross-validated AUC with groups kept in one fold, averaged over folds, and its bootstrap over groups."""
    folds = _folds(features, label, group, seed)
    value = _mean_auc(folds, np.ones(len(label)))
    chance = np.random.default_rng(seed)
    clusters = int(group.max()) + 1
    drawn = []
    for _ in range(REPLICATES):
        weight = np.bincount(chance.integers(clusters, size=clusters), minlength=clusters)[group].astype(np.float64)
        drawn.append(_mean_auc(folds, weight))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    if low <= 0.5 <= high:
        return Auc(max(value, 1 - value), 0.5, float(max(high, 1 - low)))
    ends = (low, high) if value >= 0.5 else (1 - high, 1 - low)
    return Auc(max(value, 1 - value), float(ends[0]), float(ends[1]))


def auc_alone(features: object, label: npt.NDArray[np.int64], group: npt.NDArray[np.int64], seed: int = 0) -> float:
    """The same max(AUC, 1 - AUC) without an interval."""
    value = _mean_auc(_folds(features, label, group, seed), np.ones(len(label)))
    return max(value, 1 - value)


def _folds(features: object, label: npt.NDArray[np.int64], group: npt.NDArray[np.int64], seed: int) -> list[_Fold]:
    """The folds with the scores that a regression fitted on the others gives their rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    score, fold = np.zeros(len(label)), np.zeros(len(label), np.int64)
    parts = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    dense = isinstance(features, np.ndarray)
    for number, (train, test) in enumerate(parts.split(np.zeros(len(label)), label, group)):
        model = LogisticRegression(max_iter=200, solver="lbfgs" if dense else "liblinear")
        fitted = make_pipeline(StandardScaler(with_mean=dense), model) if dense else model
        fitted.fit(features[train], label[train])  # type: ignore[index]
        score[test] = np.round(fitted.decision_function(features[test]), 9)  # type: ignore[index]
        fold[test] = number
    return [_Fold.of(np.flatnonzero(fold == number), score, label) for number in range(FOLDS)]


@dataclass(frozen=True, slots=True)
class _Fold:
    """The rows of one fold: where they stand, their labels, and the rank of their scores, ties sharing one."""

    rows: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: npt.NDArray[np.int64], score: npt.NDArray[np.float64], label: npt.NDArray[np.int64]) -> _Fold:
        return cls(rows, label[rows], np.unique(score[rows], return_inverse=True)[1])


def _mean_auc(folds: Sequence[_Fold], weight: npt.NDArray[np.float64]) -> float:
    """Weighted AUC of each fold (ties count half), averaged over folds by their rows."""
    total = size = 0.0
    for fold in folds:
        mine = weight[fold.rows]
        ups, downs = np.bincount(fold.rank, mine * fold.label), np.bincount(fold.rank, mine * (1 - fold.label))
        positive, negative = float(ups.sum()), float(downs.sum())
        if not positive or not negative:
            continue
        below = np.cumsum(downs) - downs / 2
        total += float((ups * below).sum()) / (positive * negative) * float(mine.sum())
        size += float(mine.sum())
    return total / size if size else float("nan")
