"""`sdopt simulate CONFIG`: runs without optimising, as text on the screen or one CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.load import LoadedConfig
from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.export.new_file import write_new_file
from sdopt.optimise.run import ADVICE, NULL, simulate_allocation, verify
from sdopt.optimise.tables import paths_of, trajectory_table
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel

if TYPE_CHECKING:
    from sdopt.equations.system import EquationSystem

Floats = NDArray[np.float64]


def simulate_config(
    loaded: LoadedConfig,
    model: SourceModel,
    problem: Problem,
    engine: str,
    allocation: Path | None,
    output: Path | None,
) -> str:
    """Run the null alternative, and a given allocation beside it."""
    point = read_allocation(allocation, problem) if allocation else None
    name = loaded.sha256[:8]
    if output is None:
        result = simulate_allocation(problem, point, name)
        if engine == "pysd":
            result = verify(result, problem, model, NULL if point is None else ADVICE)
        return _summary(result, given=point is not None)
    paths = {NULL: problem.decisions.null_paths()}
    if point is not None:
        paths[ADVICE] = paths_of(problem, point)
    constants = {k: v for k, v in problem.changed_constants.items() if k not in paths[NULL]}
    runs = {
        key: _run(model, problem.system, constants if engine == "pysd" else {}, path, problem.grid, engine)
        for key, path in paths.items()
    }
    table = trajectory_table(problem, runs, name)
    write_new_file(output, table.to_csv(index=False, lineterminator="\n"))
    return f"{output} written: {len(table)} rows"


def _run(
    model: SourceModel,
    system: EquationSystem,
    constants: dict[str, float],
    paths: dict[str, Floats],
    grid: TimeGrid,
    engine: str,
) -> dict[str, Floats]:
    """Every variable (time,) by key, by our engine or by PySD."""
    if engine == "pysd":
        from sdopt.source_model.replay import replay

        frame = replay(model, constants, paths, grid)
        return {str(key): frame[key].to_numpy() for key in frame.columns}
    runs = simulate_all(system, grid, constants, {key: path[:, None] for key, path in paths.items()})
    return {key: values[:, 0] for key, values in runs.items()}


def _summary(result: Result, *, given: bool) -> str:
    """Return and broken limits in words."""
    figures = result.figures
    lines = [result.title, ""]
    shown = result.tables["return"][["component", "null", "advice"] if given else ["component", "null"]]
    shown = shown.rename(columns={"advice": "allocation"})  # it is the reader's own
    lines.append(shown.to_string(index=False, float_format=lambda value: f"{value:,.3f}"))
    lines.append("")
    if given:
        lines.append(
            f"return {figures['improvement']:+,.3f} {figures['objective_unit']} over the null alternative"
        )
    limits = result.tables["constraints"]
    broken = limits[(limits["slack"] < -1e-6)] if given else limits[limits["null_breaks"]]
    names = [f"{row.constraint} ({row.year})" for row in broken.itertuples()]
    names += _outside_bounds(result.tables["decisions"]) if given else []
    lines.append("breaks: " + (", ".join(dict.fromkeys(names)) if names else "no limit"))
    negative = figures["negative_stocks"][ADVICE if given else NULL]
    lines.append("negative stocks: " + (", ".join(negative) if negative else "none"))
    replayed = figures.get("replay_max_relative_difference")
    if replayed is not None:
        lines.append(f"PySD agrees: largest relative difference {replayed:.1e}")
        lines.append(figures["replay_check"])
    return "\n".join(lines)


def _outside_bounds(decisions: pd.DataFrame) -> list[str]:
    """Decisions that are outside their own bounds by more than rounding, with the year."""
    width = 1e-6 * (decisions["upper"] - decisions["lower"])
    inside = decisions["value"].between(decisions["lower"] - width, decisions["upper"] + width)
    return [f"{row.decision}: bounds ({row.period})" for row in decisions[~inside].itertuples()]
