"""Regions where a classification tree finds more failures than elsewhere (scikit-learn)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DEEPEST = 4
"""Most restrictions of a region: more are hard to tell to anyone."""

FOLDS = 5
"""Parts of the cross-validation that chooses the depth."""

FEWEST = 10
"""Fewest scenarios of a region."""

SMALLEST = 0.01
"""Smallest region, as a part of all scenarios."""


@dataclass(frozen=True)
class Region:
    """Every factor above `low` (exclusive) and up to `high` (inclusive), (factor,), infinite where free."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def restricted(self) -> tuple[int, ...]:
        """Positions of the factors that are not free."""
        ends = zip(self.low, self.high, strict=True)
        return tuple(k for k, (low, high) in enumerate(ends) if np.isfinite(low) or np.isfinite(high))

    def holds(self, points: Floats) -> Flags:
        """Which points (row, factor) lie in the region, (row,)."""
        return np.asarray(np.all((points > self.low) & (points <= self.high), axis=1))

    def without(self, factor: int) -> Region:
        """The region with one factor free."""
        return self.above(factor, -np.inf).up_to(factor, np.inf)

    def free(self) -> Region:
        """The region with every factor free."""
        return Region((-np.inf,) * len(self.low), (np.inf,) * len(self.high))

    def above(self, factor: int, end: float) -> Region:
        """The region with another low end of a factor."""
        return replace(self, low=(*self.low[:factor], float(end), *self.low[factor + 1 :]))

    def up_to(self, factor: int, end: float) -> Region:
        """The region with another high end of a factor."""
        return replace(self, high=(*self.high[:factor], float(end), *self.high[factor + 1 :]))


def failing_regions(points: Floats, fails: Flags, seed: int) -> list[Region]:
    """Regions that fail more often than all points together, none when cross-validation prefers no tree.

    Parameters
    ----------
    points : (row, factor) array
    fails : (row,) array, with at least `FEWEST` of each kind
    seed : of the cross-validation and of ties
    """
    depth = _depth(points, fails, seed)
    if depth == 0:
        return []
    tree = _grown(points, fails, depth, seed).tree_
    size = points.shape[1]
    everything = Region((-np.inf,) * size, (np.inf,) * size)
    regions = _failing(tree, 0, everything)
    return [] if regions == [everything] else regions


def _grown(points: Floats, fails: Flags, depth: int, seed: int) -> Any:
    """A tree in which failures count as much as the rest, however rare they are."""
    from sklearn.tree import DecisionTreeClassifier

    fewest = max(FEWEST, round(SMALLEST * len(points)))
    tree = DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=fewest, class_weight="balanced", random_state=seed
    )
    return tree.fit(points, fails)


def _depth(points: Floats, fails: Flags, seed: int) -> int:
    """The smallest depth of which the score is within one standard error of the best; 0 is no tree."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(points, fails)
    scores = np.array(
        [
            _scores(_grown(points[rest], fails[rest], DEEPEST, seed).tree_, points[out], fails[out])
            for rest, out in folds
        ]
    )
    mean = scores.mean(axis=0)
    best = mean.argmax()
    error = scores[:, best].std(ddof=1) / FOLDS**0.5
    return int(np.flatnonzero(mean >= mean[best] - error)[0])


def _scores(tree: Any, points: Floats, fails: Flags) -> Floats:
    """Balanced accuracy of a tree cut off at every depth, (depth,), no depth first."""
    node, scores = np.zeros(len(points), dtype=np.intp), [0.5]
    for _ in range(DEEPEST):
        factor = np.maximum(tree.feature[node], 0)  # a leaf has -2, and stays where it is
        goes_left = points[np.arange(len(points)), factor] <= tree.threshold[node]
        child = np.where(goes_left, tree.children_left[node], tree.children_right[node])
        node = np.where(child < 0, node, child)
        predicted = tree.value[node, 0, 1] > tree.value[node, 0, 0]
        scores.append((predicted[fails].mean() + (~predicted[~fails]).mean()) / 2)
    return np.array(scores)


def _failing(tree: Any, node: int, region: Region) -> list[Region]:
    """Regions under a node of which all leaves fail more often than all points; two halves become one."""
    left, right = int(tree.children_left[node]), int(tree.children_right[node])
    if left < 0:
        holding, failing = tree.value[node][0]
        return [region] if failing > holding else []
    factor, end = int(tree.feature[node]), float(tree.threshold[node])
    halves = region.up_to(factor, end), region.above(factor, end)
    found = [_failing(tree, child, half) for child, half in zip((left, right), halves, strict=True)]
    both = found == [[halves[0]], [halves[1]]]
    return [region] if both else found[0] + found[1]
