"""The times a model asks for itself."""

import numpy as np
import pytest

from sdopt.batch.own_time import half_grid, kept_steps, own_grid
from sdopt.equations.program import TimeGrid
from sdopt.equations.system import TimeAxis
from sdopt.errors import ConfigError


def test_the_last_step_may_pass_the_end_as_in_vensim() -> None:
    assert list(own_grid(TimeAxis(0, 10, 3, 3, "Year")).times) == [0, 3, 6, 9, 12]
    assert own_grid(TimeAxis(0, 10, 0.1, 1, "Year")).steps == 100
    assert own_grid(TimeAxis(0, 10, 0.1, 1, "Year")).end == 10


def test_uneven_moments() -> None:
    axis = TimeAxis(0, 2, 0.5, 1, "Year", times=(0, 0.5, 1, 2), saved=(0, 1))
    grid = own_grid(axis)
    assert list(grid.widths) == [0.5, 0.5, 1]
    assert kept_steps(axis, grid) == (0, 2, 3)  # and the end
    assert list(half_grid(grid).times) == [0, 0.25, 0.5, 0.75, 1, 1.5, 2]


@pytest.mark.parametrize("steps", [7, 40, 1000])
def test_half_the_step_has_the_same_times_and_those_between(steps: int) -> None:
    grid = TimeGrid(2026, 2026 + steps * 0.1, 0.1)
    half = half_grid(grid)
    assert half.steps == 2 * grid.steps
    assert half.times[::2] == pytest.approx(grid.times, rel=1e-12)


def test_kept_times() -> None:
    axis = TimeAxis(2026, 2030, 0.125, 1, "Year")
    grid = own_grid(axis)
    assert list(grid.times[list(kept_steps(axis, grid))]) == [2026, 2027, 2028, 2029, 2030]
    assert list(grid.times[list(kept_steps(axis, grid, 2.5))]) == [2026, 2028.5, 2030]
    tenths = TimeAxis(0, 3, 0.1, 0.3, "Year")
    assert len(kept_steps(tenths, own_grid(tenths))) == 11


@pytest.mark.parametrize("every", [0.3, 0, -1, np.inf, np.nan])
def test_times_between_steps_are_refused(every: float) -> None:
    axis = TimeAxis(0, 4, 0.125, 1, "Year")
    with pytest.raises(ConfigError, match=r"--every .*: the times to keep must be a whole number of steps"):
        kept_steps(axis, own_grid(axis), every)
