"""Scenario discovery: in which futures does the advice fail? Boxes of factor values, tested on futures apart.

One half of the scenarios finds boxes (a classification tree with a depth chosen by cross-validation), the
other half judges them, so that coverage, density and p-values are not flattered by the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.uncertainty.tree import FEWEST, Floats, Region, failing_regions

if TYPE_CHECKING:
    from pandas import DataFrame

Flags = NDArray[np.bool_]

SIGNIFICANT = 0.05
"""Largest p-value of a restriction that is kept while boxes are made simpler."""

CHANCE = 0.01
"""Probability of any box at all when nothing explains failure."""

MOST = 2000
"""Scenarios of each kind from which the tree grows; all of them simplify and judge its boxes."""


@dataclass(frozen=True)
class Restriction:
    """One factor between `low` (exclusive) and `high` (inclusive), None where it is free, in its own unit.

    `p_value` is the probability of at least so many failures in the box if this restriction did not matter.
    """

    factor: str
    low: float | None
    high: float | None
    p_value: float


@dataclass(frozen=True)
class Box:
    """Futures in which the advice fails more often; all restrictions hold together.

    `coverage` is the part of all failures that lies in the box, `density` the part of the box that fails,
    `support` the part of all scenarios that lies in it; `p_value` is the probability of so many failures in
    so many scenarios if the box did not matter. All from the judging half alone.
    """

    restrictions: tuple[Restriction, ...]
    coverage: float
    density: float
    support: float
    p_value: float


@dataclass(frozen=True)
class Discovery:
    """What `discover` found: boxes with the largest coverage first; none has a `reason`.

    `scenarios` and `failures` were counted over both halves; `left_out` scenarios are not known to fail or
    not. `coverage` and `density` are those of all boxes together.
    """

    boxes: tuple[Box, ...]
    scenarios: int
    failures: int
    left_out: int
    coverage: float
    density: float
    reason: str

    def table(self) -> DataFrame:
        """One row per restriction: box, factor, low, high, p_value; what holds of the whole box: box_*."""
        import pandas as pd

        rows = [
            (place, r.factor, r.low, r.high, r.p_value, box.coverage, box.density, box.support, box.p_value)
            for place, box in enumerate(self.boxes, 1)
            for r in box.restrictions
        ]
        columns = ["box", "factor", "low", "high", "p_value", "box_coverage", "box_density", "box_support"]
        return pd.DataFrame(rows, columns=[*columns, "box_p_value"])


@dataclass(frozen=True)
class _Half:
    """Some scenarios: ranks (row, factor) of their factor values, and whether they fail (row,)."""

    ranks: Floats
    fails: Flags

    def p_value(self, region: Region, without: Region) -> float:
        """Probability of at least so many failures in a region as it has, at the rate of a wider one."""
        from scipy.stats import binom

        inside, rate = self.fails[region.holds(self.ranks)], self.fails[without.holds(self.ranks)]
        return float(binom.sf(inside.sum() - 1, len(inside), rate.mean())) if len(inside) else 1.0


def discover(points: Floats, fails: Floats, factors: Sequence[str], seed: int) -> Discovery:
    """Boxes of factor values in which the advice fails clearly more often than elsewhere, or none.

    Parameters
    ----------
    points : (row, factor) array, finite, of a random, Latin hypercube or Sobol sample, in each factor's unit
    fails : (row,) array: 1 where the advice fails, 0 where it holds, nan where that is not known
    factors : names of the columns of `points`
    seed : divides the scenarios in halves; the same seed gives the same boxes

    Returns
    -------
    Discovery. Only the order of a factor's values matters, not their unit or scale.

    Source
    ------
    Bryant and Lempert 2010, doi 10.1016/j.techfore.2009.08.002 (coverage, density, p-values of restrictions);
    Lempert, Bryant and Bankes 2008, RAND WR-557 (trees next to PRIM).
    """
    known = np.isfinite(fails)
    failing, values = fails[known] > 0, points[known]
    scenarios, failures = len(failing), int(failing.sum())
    counts = (scenarios, failures, int((~known).sum()))
    if not len(factors):
        return _nothing(counts, "no factor is drawn")
    if min(failures, scenarios - failures) < 2 * FEWEST:
        return _nothing(
            counts,
            f"it fails in {failures} of {scenarios} scenarios; at least {2 * FEWEST} that fail and "
            f"{2 * FEWEST} that do not are needed",
        )
    ranks = np.column_stack([np.unique(column, return_inverse=True)[1] for column in values.T]).astype(float)
    finding, judging = _halves(ranks, failing, seed)
    some = _some_of_each(finding)
    found = failing_regions(some.ranks, some.fails, seed)
    simple = list(dict.fromkeys(_simplified(region, finding) for region in found))
    regions = [one for one in simple if _stands(one, judging, CHANCE / len(simple))]
    if not regions:
        return _nothing(counts, _why_none(simple))
    boxes = [_box(region, judging, values, factors) for region in regions]
    inside = np.any([region.holds(judging.ranks) for region in regions], axis=0)
    caught = judging.fails[inside]
    return Discovery(
        tuple(sorted(boxes, key=lambda box: -box.coverage)),
        *counts,
        coverage=float(caught.sum() / judging.fails.sum()),
        density=float(caught.mean()),
        reason="",
    )


def _nothing(counts: tuple[int, int, int], reason: str) -> Discovery:
    """No boxes, and why."""
    return Discovery((), *counts, coverage=0.0, density=float("nan"), reason=reason)


def _why_none(candidates: Sequence[Region]) -> str:
    """Why there are no boxes, given those that the finding half gave."""
    if candidates:
        return "what explained failure in one half of the scenarios did not in the other half"
    return "the search met no factor, nor a combination of some, that tells where it fails better than chance"


def _halves(ranks: Floats, fails: Flags, seed: int) -> tuple[_Half, _Half]:
    """Scenarios in two random halves, with equally many failures in both (but for one)."""
    order = np.random.default_rng(seed).permutation(len(fails))
    order = order[np.argsort(fails[order], kind="stable")]
    first, second = order[::2], order[1::2]
    return _Half(ranks[first], fails[first]), _Half(ranks[second], fails[second])


def _some_of_each(half: _Half) -> _Half:
    """At most `MOST` scenarios that fail and as many that do not: the tree weighs both kinds alike anyway."""
    kept = np.concatenate([np.flatnonzero(half.fails)[:MOST], np.flatnonzero(~half.fails)[:MOST]])
    return _Half(half.ranks[kept], half.fails[kept])


def _simplified(region: Region, half: _Half) -> Region:
    """The region without restrictions that do not matter, the least significant dropped first."""
    while region.restricted:
        worst, factor = max((half.p_value(region, region.without(k)), k) for k in region.restricted)
        if worst <= SIGNIFICANT:
            break
        region = region.without(factor)
    return region


def _stands(region: Region, half: _Half, chance: float) -> bool:
    """Whether a region with restrictions has clearly more failures than the scenarios at large."""
    return bool(region.restricted) and half.p_value(region, region.free()) <= chance


def _box(region: Region, half: _Half, values: Floats, factors: Sequence[str]) -> Box:
    """A region with what the judging half says of it; all values (row, factor) give its ends."""
    inside = half.fails[region.holds(half.ranks)]
    restrictions = [
        Restriction(
            factors[k],
            _value(region.low[k], values[:, k]),
            _value(region.high[k], values[:, k]),
            half.p_value(region, region.without(k)),
        )
        for k in region.restricted
    ]
    return Box(
        tuple(restrictions),
        coverage=float(inside.sum() / half.fails.sum()),
        density=float(inside.mean()),
        support=len(inside) / len(half.fails),
        p_value=half.p_value(region, region.free()),
    )


def _value(rank: float, values: Floats) -> float | None:
    """The factor's value at a rank between those of scenarios, or None where there is no end."""
    if not np.isfinite(rank):
        return None
    different = np.unique(values)
    return float(np.interp(rank, np.arange(len(different)), different))
