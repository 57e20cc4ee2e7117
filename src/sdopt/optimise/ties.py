"""Of allocations that return the same, the one that changes least: stated, so that it can be relied on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from sdopt.optimise.archive import Floats, View
from sdopt.optimise.sample import columns_of

SAME = 1e-9
"""What putting a decision back may cost, as part of the improvement, to count as nothing."""


class Found(Protocol):
    """What a search found: an allowed point (decision,) and its improvement."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def point(self) -> Floats:
        """The decision vector, (decision,)."""

    @property
    def improvement(self) -> float:
        """What it gains over the null alternative."""


Answer = TypeVar("Answer", bound=Found)


def nearest_to_null(view: View, found: Answer) -> Answer:
    """What was found, with every decision that does not matter back at the null alternative.

    First each decision in all its years, then each single value, in the order of the config; each stays
    back if that is allowed and all of them together cost no more than `SAME`.
    """
    decisions = view.problem.decisions
    null = decisions.null_vector()
    whole = [columns_of(path, decisions.size) for path in decisions.paths]
    point, lowest = found.point, found.improvement - SAME * abs(found.improvement)
    for masks in (np.array(whole), np.eye(decisions.size)):
        back = np.where(masks > 0, null, point)
        idle = _same(view, back, lowest) & (back != point).any(axis=1)
        for mask in masks[idle]:
            tried = np.where(mask > 0, null, point)
            if _same(view, tried[None], lowest)[0]:
                point = tried
    improvement = float(view.objective(view.problem.evaluator.values(point[None]).value)[0])
    return replace(found, point=point, improvement=improvement)


def _same(view: View, points: Floats, lowest: float) -> Floats:
    """Which points (point, decision) are allowed and return at least as much, (point,)."""
    values = view.problem.evaluator.values(points).value
    allowed = view.meets_rules(points) & (view.slacks(values) >= 0).all(axis=1)
    return np.asarray(allowed & (view.objective(values) >= lowest))
