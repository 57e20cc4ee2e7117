"""The same question answered by PySD: loaded once, run with callables as decision paths."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from question import Floats, Question
from sdopt.problem.evaluate import functional_matrix
from sdopt.source_model.pysd_model import element_keys, parameters, python_names, split_key
from sdopt.source_model.read import SourceModel


class PysdEngine:
    """PySD's model with the constants of the question; asked for no more columns than it needs."""

    def __init__(self, question: Question, model: SourceModel) -> None:
        self.question = question
        problem, self.grid = question.problem, question.problem.grid
        self.model = _load(model.path)
        names = python_names(self.model)
        nulls = problem.decisions.null_paths()
        with _known_warnings():
            fixed = {key: value for key, value in problem.changed_constants.items() if key not in nulls}
            self.model.set_components(parameters(self.model, model, fixed, {}, self.grid, self.model.time))
            arrays = {split_key(key)[0] for key in nulls if model.system.variables[key].subscripts}
            self.arrays = {base: getattr(self.model.components, names[base])() for base in sorted(arrays)}
            self.steps = self._per_step(nulls)
            self.model.set_components({names[key]: self._step_function(key) for key in self.steps})
        self.rows = list(dict.fromkeys([*problem.objective_rows, *(c.row for c in problem.constraints)]))
        asked = tuple(problem.evaluator.functionals[row] for row in self.rows)
        keys = tuple(dict.fromkeys(key for functional in asked for key in functional.weights))
        self.columns = [names[key] for key in keys]
        self.matrix = functional_matrix(asked, keys, self.grid.steps + 1)

    def outcome(self, x: Floats) -> Floats:
        """Improvement and slacks, (1 + constraint,), at one scaled point (decision,)."""
        found = self.matrix @ self.run(self.question.decisions(x)).ravel()
        values = np.full((1, len(self.question.problem.evaluator.functionals)), np.nan)
        values[0, self.rows] = found
        return np.asarray(self.question.outcomes(values)[0])

    def run(self, point: Floats) -> Floats:
        """Trajectories (column, time) for one decision vector."""
        expanded = self.question.problem.decisions.expand(point[None])
        self.steps = self._per_step({key: path[:, 0] for key, path in expanded.items()})
        step, end = self.grid.step, self.grid.end
        with _known_warnings():
            frame = self.model.run(return_columns=self.columns, time_step=step, saveper=step, final_time=end)
        return np.asarray(frame[self.columns].to_numpy(dtype=float).T)

    def _per_step(self, paths: Mapping[str, Floats]) -> dict[str, list[Any]]:
        """What every changed variable is at each step: a number, or PySD's array of all its elements."""
        inside = {key for base, array in self.arrays.items() for key in element_keys(base, array)}
        found: dict[str, list[Any]] = {
            key: [float(value) for value in path] for key, path in paths.items() if key not in inside
        }
        for base, array in self.arrays.items():
            rows = np.stack([paths[key] for key in element_keys(base, array)], axis=1)
            found[base] = [array.copy(data=row.reshape(array.shape)) for row in rows]
        return found

    def _step_function(self, key: str) -> Callable[[], Any]:
        """The value of the step PySD is at; a pandas Series would become a ramp between steps."""
        start, step = self.grid.start, self.grid.step
        return lambda: self.steps[key][round((self.model.time() - start) / step)]


def _load(path: Path) -> Any:
    """Translate a copy, because PySD writes its translation beside the model file."""
    import pysd

    with TemporaryDirectory(prefix="sdopt-") as folder, _known_warnings():
        return pysd.read_vensim(shutil.copy(path, folder))


def _known_warnings() -> warnings.catch_warnings:
    """PySD warns of replaced constants, flat lookup ends and its own old pandas calls, every run."""
    return warnings.catch_warnings(action="ignore")
