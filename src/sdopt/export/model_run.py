"""`sdopt simulate MODEL`: one run of a bare model, what PySD says of it, and what half the step gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.batch.own_time import half_grid, kept_steps, own_grid
from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.equations.system import EquationSystem
from sdopt.errors import ReplayError
from sdopt.export.cells import without_formulas
from sdopt.export.new_file import write_new_file
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import CHECKED, EVERY_VALUE, REPLAY_TOLERANCE, Disagreement, compare, replay

Floats = NDArray[np.float64]
Run = Mapping[str, Floats]

METHODS = {"euler": "Euler", "rk4": "Runge-Kutta 4"}
SEVERAL = 5
"""Names listed in one line."""


def simulate_model(model: SourceModel, engine: str, output: Path | None) -> str:
    """Run a bare model with its own settings; one column per variable, named as Vensim names it.

    Parameters
    ----------
    engine : whose numbers to give, `batch` (ours) or `pysd`; both are run, and compared
    output : a CSV file to write; None gives the first and last values in the text

    Raises
    ------
    ReplayError
        If PySD gives other numbers, or if its numbers are wanted and it cannot run the model.
    ExportError
        If `output` exists or cannot be written.
    """
    system, grid = model.system, own_grid(model.system.time)
    ours = _run(system, grid)
    theirs = _replayed(model, grid, wanted=engine == "pysd")
    said = _referee_says(model, ours, theirs)
    shown = theirs if engine == "pysd" and not isinstance(theirs, str) else _frame(ours, grid)
    saved = _table(system, shown).iloc[list(kept_steps(system.time, grid))]
    report = "\n".join([*_what_was_done(system, grid, ours), said])
    if output is None:
        return f"{saved.iloc[[0, -1]].T.to_string(header=False)}\n\n{report}"
    write_new_file(output, without_formulas(saved).to_csv(index=False, lineterminator="\n"))
    return f"{output} written: {len(saved)} times, {len(saved.columns) - 1} variables\n{report}"


def integration(system: EquationSystem, grid: TimeGrid) -> str:
    """How the model is integrated, in words."""
    step = "a step that changes over time" if grid.moments else f"step {grid.step:g} {system.time.unit}"
    return f"{METHODS[system.time.method]}, {step.strip()}, from {grid.start:g} to {grid.end:g}"


def half_step_difference(system: EquationSystem, grid: TimeGrid, ours: Run) -> Disagreement:
    """How much every variable changes, at the times of `grid`, when each step is halved."""
    halved = _run(system, half_grid(grid))
    return compare(ours, _frame({key: values[::2] for key, values in halved.items()}, grid))


def _run(system: EquationSystem, grid: TimeGrid) -> dict[str, Floats]:
    """Every variable of the model file (time,), by key; inf and nan are left in."""
    runs = simulate_all(system, grid, check=False)
    return {key: runs[key][:, 0] for key in system.visible}


def _frame(run: Run, grid: TimeGrid) -> pd.DataFrame:
    return pd.DataFrame(dict(run), index=grid.times)


def _table(system: EquationSystem, frame: pd.DataFrame) -> pd.DataFrame:
    """Time and every variable by its name."""
    named = frame.set_axis([system.variables[str(key)].name for key in frame.columns], axis=1)
    return named.rename_axis("Time").reset_index()


def _replayed(model: SourceModel, grid: TimeGrid, *, wanted: bool) -> pd.DataFrame | str:
    """PySD's run, or why there is none."""
    try:
        return replay(model, {}, {}, grid)
    except ReplayError as error:
        if wanted:
            raise
        return str(error)


def _referee_says(model: SourceModel, ours: Run, theirs: pd.DataFrame | str) -> str:
    if isinstance(theirs, str):
        return f"PySD         NOT CHECKED: {theirs}"
    worst = compare(ours, theirs)
    if not worst.largest <= REPLAY_TOLERANCE:
        name = model.system.variables[worst.worst_variable].name
        raise ReplayError(
            f'{model.path}: PySD disagrees on "{name}" at time {worst.time:g}: relative '
            f"difference {worst.largest:.3g}, allowed {REPLAY_TOLERANCE:g}. Nothing was written; "
            "please report the model."
        )
    return (
        f"PySD         agrees: largest relative difference {worst.largest:.1e}"
        f"\n             {CHECKED[model.system.time.method]}; {EVERY_VALUE}"
    )


def _what_was_done(system: EquationSystem, grid: TimeGrid, ours: Run) -> list[str]:
    """How it was integrated, what half the step gives, and which values are not numbers."""
    half = half_step_difference(system, grid, ours)
    change = "changes nothing"
    if half.largest > 0:
        name = system.variables[half.worst_variable].name
        change = f'changes "{name}" most: by {half.largest:.2g} of its largest value, at {half.time:g}'
    lines = [f"integration  {integration(system, grid)}", f"half a step  {change}"]
    broken = [
        f'"{system.variables[key].name}" (from {grid.times[int(np.argmin(np.isfinite(values)))]:g})'
        for key, values in ours.items()
        if not np.isfinite(values).all()
    ]
    if broken:
        more = f" and {len(broken) - SEVERAL} more" if len(broken) > SEVERAL else ""
        lines.append(f"inf or nan   {', '.join(broken[:SEVERAL])}{more}")
    return lines
