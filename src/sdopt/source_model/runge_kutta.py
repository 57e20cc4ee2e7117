"""Runge-Kutta steps over PySD's right-hand sides, because PySD itself integrates by Euler only."""

from __future__ import annotations

from typing import Any

from sdopt.source_model.pysd_model import dynamic_elements

STAGES = (0.0, 0.5, 0.5, 1.0)
"""How far into the step each stage of the classical method looks."""


class RungeKutta:
    """Takes the place of PySD's Euler step in one loaded model.

    Delays of a fixed length and samples hold during a step, as do inputs: `moment` is the grid time.
    """

    def __init__(self, loaded: Any) -> None:
        from pysd.py_backend.statefuls import DelayFixed, DelayN, SampleIfTrue

        self.loaded = loaded
        self.held_at: float | None = None
        elements = list(dynamic_elements(loaded))
        self.holding = [e for e in elements if isinstance(e, DelayFixed | SampleIfTrue)]
        self.moving = [e for e in elements if e not in self.holding]
        self.remembering = [e for e in elements if isinstance(e, DelayN)]
        loaded._integrate_step = self.step

    def moment(self) -> float:
        """The grid time PySD is at, also in the stages between two grid times."""
        return float(self.loaded.time()) if self.held_at is None else self.held_at

    def step(self) -> None:
        """From one grid time to the next."""
        self.held_at = start = float(self.loaded.time())
        width = float(self.loaded.time.time_step())
        states = [element.state for element in self.moving]
        earlier = [element.times for element in self.remembering]
        slopes: list[list[Any]] = []
        later = earlier
        for part in STAGES:
            if slopes:
                self._put(states, slopes[-1], part * width, start + part * width)
            for element, times in zip(self.remembering, earlier, strict=True):
                element.times = times
            slopes.append([element.ddt() for element in self.moving])
            later = later if len(slopes) > 1 else [element.times for element in self.remembering]
        self._hold(states, start)
        mean = [(k1 + k4 + 2.0 * (k2 + k3)) / 6.0 for k1, k2, k3, k4 in zip(*slopes, strict=True)]
        self._put(states, mean, width, start + width)
        for element, times in zip(self.remembering, later, strict=True):
            element.times = times
        self.held_at = None

    def _put(self, states: list[Any], slopes: list[Any], width: float, time: float) -> None:
        """Everything that moves, `width` further along a slope; non-negative stocks stop at zero."""
        for element, state, slope in zip(self.moving, states, slopes, strict=True):
            element.update(state + slope * width)
        self.loaded.time.update(time)
        self.loaded.clean_caches()

    def _hold(self, states: list[Any], time: float) -> None:
        """Back to the start of the step, and from there let what holds take its next value."""
        for element, state in zip(self.moving, states, strict=True):
            element.state = state
        self.loaded.time.update(time)
        self.loaded.clean_caches()
        for name in self.loaded.capture_elements["step"]:  # fills the cache: what holds reads this moment
            getattr(self.loaded.components, name)()
        for element in self.holding:
            element.update(None)
