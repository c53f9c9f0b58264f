"""Weights of principles out of who wins against whom: the Bradley-Terry model, with infinities where they belong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDS, CLOSE = 200, 1e-10


def weights(wins: Floats) -> Floats:
    """Log-strengths w with P(i before j) = 1 / (1 + exp(w_j - w_i)), by maximum likelihood: shape (n,).

    `wins[i, j]` is how often i won against j, so that every pair weighs as many comparisons as it has (Bradley and
    Terry 1952; arXiv 2502.10441). The finite ones sum to 0. A principle that wins every comparison has plus infinity,
    one that loses every one minus infinity, one without any comparison NaN: likelihood has no maximum there, and a
    large number would only say when an optimiser stopped. The same holds for a group that wins (loses) every comparison
    with the largest group whose members have won and lost against each other in a circle.
    """
    size = len(wins)
    found = np.full(size, np.nan)
    compared = np.flatnonzero((wins + wins.T).sum(axis=1) > 0)
    if not len(compared):
        return found
    reach = _reach(wins > 0)
    both = reach & reach.T
    main = max(compared, key=lambda at: _standing(both, wins, int(at)))
    core = np.flatnonzero(both[main])
    for at in compared:
        above, below = bool(reach[at, main]), bool(reach[main, at])
        if above != below:
            found[at] = np.inf if above else -np.inf
    found[core] = _fitted(wins[np.ix_(core, core)])
    if len(core) == 1 and (not wins[main].any() or not wins[:, main].any()):
        found[main] = np.inf if wins[main].any() else -np.inf
    return found


def _standing(both: npt.NDArray[np.bool_], wins: Floats, at: int) -> tuple[int, bool, float, int]:
    """What makes a group the core: its size; that it has won and lost; its comparisons; to stand first."""
    members = both[at]
    won, lost = wins[members].sum(), wins[:, members].sum()
    return int(members.sum()), bool(won > 0 and lost > 0), float(won + lost), -at


def _reach(beats: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Who is before whom by a chain of wins (each is before itself)."""
    reach = beats | np.eye(len(beats), dtype=bool)
    for middle in range(len(beats)):
        reach |= reach[:, middle : middle + 1] & reach[middle : middle + 1]
    return reach


def _fitted(wins: Floats) -> Floats:
    """The maximum of the likelihood by Newton's method, for a group in which it exists; it sums to 0."""
    size = len(wins)
    found = np.zeros(size)
    if size == 1:
        return found
    games = wins + wins.T
    for _ in range(ROUNDS):
        share = 1 / (1 + np.exp(found[None, :] - found[:, None]))
        slope = wins.sum(axis=1) - (games * share).sum(axis=1)
        weight = games * share * share.T
        curve = np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.solve(curve + 1 / size, slope)  # the constant keeps the sum at 0 and the matrix regular
        longest = float(np.abs(step).max())
        found += step * min(1.0, 2.0 / longest) if longest > 0 else 0.0
        if longest < CLOSE:
            break
    centred: Floats = found - found.mean()
    return centred
