"""What happens to all arms together: pairing by source row, and splits in which no prompt stands twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import orjson

from provkit.chain import Count, Dropped, drops_table
from provkit.errors import InputError
from provkit.row import Drop
from provkit.table import INDEX, INPUT, SIBLING, Order, Rows, groups

Keys = npt.NDArray[np.uint64]


def source_keys(rows: Rows) -> Keys:
    """Which source row each row came from, as 128 bits: shape (rows, 2)."""
    origin = rows.lineage(columns=[INPUT, INDEX, SIBLING])
    number = origin.column(INPUT).to_numpy().astype(np.uint64) << np.uint64(44)
    return np.stack([number | origin.column(INDEX).to_numpy().astype(np.uint64), origin.column(SIBLING).to_numpy()], 1)


def pair(arms: Mapping[str, Rows]) -> tuple[dict[str, Rows], list[Count], list[Dropped]]:
    """Keeps the rows whose source row came through in every arm, in the order of the first arm.

    Raises:
        InputError: when an arm holds two rows out of one source row, so that no pair is defined.
    """
    keys = {name: source_keys(rows) for name, rows in arms.items()}
    group, first = groups(np.concatenate(list(keys.values())))
    held: dict[str, Order] = {}  # for each source row, where it stands in the arm, or -1
    start = 0
    for name, rows in arms.items():
        mine = group[start : start + len(rows)]
        if len(np.unique(mine)) != len(mine):
            said = f"the arm {name!r} holds several rows out of one source row"
            raise InputError(said, field="pair", do="leave `pair` out, or drop the further rows in the arm's steps")
        held[name] = np.full(len(first), -1, np.int64)
        held[name][mine] = np.arange(len(mine))
        start += len(rows)
    everywhere = np.all([at >= 0 for at in held.values()], axis=0)
    leader = next(iter(held.values()))
    kept = np.flatnonzero(everywhere)
    kept = kept[np.argsort(leader[kept], kind="stable")]
    paired, counts, dropped = {}, [], []
    for name, rows in arms.items():
        alone = np.sort(held[name][(held[name] >= 0) & ~everywhere])
        paired[name] = rows.take(held[name][kept])
        counts.append(Count(None, name, "pair", len(rows), 0, len(kept), len(alone)))
        if len(alone):
            numbers = group_numbers(held[name], alone)
            missing = [", ".join(sorted(other for other, at in held.items() if at[g] < 0)) for g in numbers]
            drops = [Drop("no twin", f"none in the arm {other}") for other in missing]
            dropped.append(Dropped(name, "pair", drops_table(drops, rows.lineage(alone))))
    return paired, counts, dropped


def group_numbers(held: Order, positions: Order) -> Order:
    """The source rows that stand at these positions of an arm."""
    at = np.full(int(held.max()) + 1, -1, np.int64)
    at[held[held >= 0]] = np.flatnonzero(held >= 0)
    return at[positions]


def pair_ids(rows: Rows) -> list[str]:
    """32 hex digits a row, the same for all rows out of one source row."""
    origin = rows.lineage(columns=[INPUT, INDEX, SIBLING])
    columns = (origin.column(name).to_pylist() for name in (INPUT, INDEX, SIBLING))
    named = [[one.sha256, one.file, one.arm, one.split] for one in rows.inputs]
    return [
        hashlib.sha256(orjson.dumps([*named[number], index, sibling])).hexdigest()[:32]
        for number, index, sibling in zip(*columns, strict=True)
    ]


def split(arms: Mapping[str, Rows], shares: Mapping[str, float], by: str, paired: bool) -> dict[str, dict[str, Rows]]:
    """Each arm's rows by split.

    Rows with one prompt (by="prompt"), and the rows of one pair, go together, over all arms. Among the groups that
    have rows in the same arms, they are taken in the order of their draws, each into the split in which its middle row
    falls: every arm meets the shares, to within half a group for each such set of arms.
    """
    if len(shares) == 1:
        return {name: {next(iter(shares)): rows} for name, rows in arms.items()}
    every = list(arms.values())
    total = sum(map(len, every))
    label = np.arange(total)
    if by == "prompt":
        label = _joined(label, groups(np.concatenate([rows.digests("prompt") for rows in every]))[0])
    if paired:
        label = _joined(label, groups(np.concatenate([source_keys(rows) for rows in every]))[0])
    numbers = np.concatenate([rows.labelled("splits").numbers() for rows in every])
    leaders, sizes = np.unique(label, return_counts=True)  # a group is named by its first row
    kind = _arms_of(np.searchsorted(leaders, label), len(leaders), [len(rows) for rows in every])
    drawn = np.lexsort((leaders, numbers[leaders]))
    side = np.empty(total, np.int64)
    for one in np.unique(kind):
        order = drawn[kind[drawn] == one]
        ends = np.cumsum(sizes[order])
        bounds = np.round(np.cumsum(list(shares.values())) * ends[-1], 6)
        middles = ends - sizes[order] / 2
        side[leaders[order]] = np.minimum(np.searchsorted(bounds, middles, side="right"), len(shares) - 1)
    side = side[label]
    done: dict[str, dict[str, Rows]] = {}
    start = 0
    for name, rows in arms.items():
        mine = side[start : start + len(rows)]
        done[name] = {one: rows.take(np.flatnonzero(mine == at)) for at, one in enumerate(shares)}
        start += len(rows)
    return done


def _arms_of(group: Order, groups: int, sizes: Sequence[int]) -> Order:
    """For each group a number that tells in which arms it has rows; `group` lists the groups of all arms' rows."""
    kind, start = np.zeros(groups, np.int64), 0
    for size in sizes:
        inside = np.zeros(groups, np.int64)
        inside[group[start : start + size]] = 1
        kind = np.unique(2 * kind + inside, return_inverse=True)[1]
        start += size
    return kind


def _joined(label: Order, group: Order) -> Order:
    """Components of rows that share a label or a group, each named by its first row."""
    while True:
        least = np.full(int(group.max()) + 1 if len(group) else 0, len(label), np.int64)
        np.minimum.at(least, group, label)
        lower = least[group]  # the least label in my group
        root = np.arange(len(label))
        np.minimum.at(root, label, lower)  # and what my label's rows fell to
        lower = np.minimum(lower, root[label])
        if np.array_equal(lower, label):
            return label
        label = lower
