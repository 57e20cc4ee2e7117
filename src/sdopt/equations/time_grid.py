"""The moments at which a model is computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import SimulationError

CONTROLS = ("initial_time", "final_time", "time_step", "saveper")
"""Keys an expression may refer to without a variable: the simulation grid answers them."""


@dataclass(frozen=True)
class TimeGrid:
    """Start, end and step of a simulation, in the model's time unit.

    With `moments` (every grid time, from start to end) steps are as wide as those say; `step` is then
    no more than the model's own first step.
    """

    start: float
    end: float
    step: float
    moments: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raise SimulationError unless a positive whole number of steps leads from start to end."""
        if self.moments:
            self._check_moments()
            return
        steps = (self.end - self.start) / self.step if self.step > 0 else 0.0
        if self.steps < 1 or abs(steps - self.steps) > 1e-6:
            raise SimulationError(
                f"time: from {self.start:g} to {self.end:g} is not a whole number of steps of {self.step:g}. "
                "Choose a step that divides the horizon, such as 0.25 or 0.125."
            )

    def _check_moments(self) -> None:
        rising = len(self.moments) > 1 and bool((np.diff(self.moments) > 0).all())
        if not rising or self.moments[0] != self.start or self.moments[-1] != self.end:
            raise SimulationError(
                f"time: the moments of a simulation must rise from {self.start:g} to {self.end:g}; "
                f"they go from {self.moments[0]:g} to {self.moments[-1]:g}"
                f"{'' if rising else ' and do not rise everywhere'}."
            )

    @property
    def steps(self) -> int:
        """Number of steps."""
        if self.moments:
            return len(self.moments) - 1
        return round((self.end - self.start) / self.step) if self.step > 0 else 0

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Every grid time, shape (steps + 1,); summed step by step, as PySD does."""
        if self.moments:
            return np.array(self.moments)
        return np.add.accumulate(np.r_[self.start, np.full(self.steps, self.step)])

    @cached_property
    def widths(self) -> NDArray[np.float64]:
        """Width of every step, shape (steps,)."""
        return np.diff(self.moments) if self.moments else np.full(self.steps, self.step)
