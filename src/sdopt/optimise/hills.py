"""Whether a place lies on the hill of an optimum that is known, so that it need not be climbed once more."""

from __future__ import annotations

import numpy as np

from sdopt.optimise.archive import Floats, View

NEAR = 0.01
"""The place returns at most this part of the improvement less than the top, or more."""
ROUNDING = 1e-5
"""Dips below the straight line, and rises above the top, of less than this part do not count."""
BROKEN = 1e-3
"""On the way constraints may be broken by this much (scaled slack): the way to the top is not the answer."""
LOOKED_AT = np.linspace(0.0, 1.0, 17)[:, None]
"""Where on the way one looks."""


def leads_to(view: View, place: Floats, top: Floats, size: float) -> bool:
    """Whether a place (decision,) is near the top in return, and the way there is that of one hill.

    That is: on the straight way the return is never below the line between its ends, nor above the top, and
    limits hold. A jump, a valley or a higher top on the way is seen, unless it lies between the places
    looked at. `size` is the improvement that parts are parts of.
    """
    values = view.problem.evaluator.values(place + LOOKED_AT * (top - place)).value
    returns = view.objective(values)
    line = returns[0] + LOOKED_AT[:, 0] * (returns[-1] - returns[0])
    near = abs(returns[-1] - returns[0]) <= NEAR * size
    above = (returns >= line - ROUNDING * size).all() and (returns <= returns[-1] + ROUNDING * size).all()
    return bool(near and above and (view.slacks(values) >= -BROKEN).all())
