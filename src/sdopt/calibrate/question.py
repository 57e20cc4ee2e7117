"""Config + equations + observations -> `Question`: names resolved, units and times checked, compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, inf
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sdopt.calibrate.load import LoadedCalibration
from sdopt.calibrate.observed import Point, read_observed
from sdopt.config.constants import Constant
from sdopt.config.document import Place
from sdopt.config.municipality import constants_of
from sdopt.config.names import same_name
from sdopt.config.units import amount_per_year, plain_unit
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import Complaints, ConfigError, did_you_mean
from sdopt.problem.build import constant_values, with_constants
from sdopt.problem.meaning import resolve

Floats = NDArray[np.float64]
NEAR = 1e-6
"""Fraction of a step that a time may be off the grid: rounding."""
MOST_STEPS = 50_000


@dataclass(frozen=True)
class FittedConstant:
    """One constant that may move: `value` is the one in use before the fit; model units."""

    key: str
    name: str
    unit: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Question:
    """Everything the fit needs.

    `points` are those that are held against the model (fit and test), `projections` the others; `weights`
    (point, output, saved) turn a run of `program` into the model's value of each point.
    """

    loaded: LoadedCalibration
    system: EquationSystem
    grid: TimeGrid
    constants: tuple[Constant, ...]
    changed: Mapping[str, float]
    fitted: tuple[FittedConstant, ...]
    points: tuple[Point, ...]
    projections: tuple[Point, ...]
    program: Program = field(repr=False)
    weights: Floats = field(repr=False)

    def outputs(self, point: Point) -> list[int]:
        """Which outputs of the program a point is the sum of."""
        return [self.program.outputs.index(key) for key in _keys(point, self.system)]

    @property
    def fit_rows(self) -> NDArray[np.bool_]:
        """Which points are fitted, (point,)."""
        return np.array([point.use == "fit" for point in self.points], dtype=bool)


def build_question(loaded: LoadedCalibration, system: EquationSystem) -> Question:
    """Resolve names, check units, times and bounds, and compile.

    Raises
    ------
    ConfigError
        All that does not fit the model, of the config and of the observed table, at once.
    """
    config = loaded.config
    constants = constants_of(config.model)
    check = _Check(loaded, system, Complaints(str(loaded.path), ConfigError))
    observed = check.chosen(read_observed(config.observed.file))
    changed = check.changed(constants)
    grid = check.grid()
    points, projections = check.points(observed, grid)
    values = constant_values(with_constants(system, changed))
    fitted = check.fitted(constants, values)
    check.complaints.raise_if_any()
    grid = cast(TimeGrid, grid)  # without one there was a complaint
    system = with_constants(system, changed)
    keys = tuple(dict.fromkeys(key for point in points for key in _keys(point, system)))
    program = compile_program(system, grid, keys, [one.key for one in fitted])
    weights = np.stack(
        [
            _weights(point, [keys.index(key) for key in _keys(point, system)], len(keys), grid)
            for point in points
        ]
    )
    return Question(loaded, system, grid, constants, changed, fitted, points, projections, program, weights)


def _keys(point: Point, system: EquationSystem) -> list[str]:
    """The keys of the variables of a point; those that do not exist are left out (there was a complaint)."""
    found = (resolve(name, system) for name in point.variables)
    return [variable.key for variable in found if variable is not None]


def _weights(point: Point, output: Sequence[int], outputs: int, grid: TimeGrid) -> Floats:
    """What to add up of a run, (output, saved), for the model's value of one point."""
    weights = np.zeros((outputs, grid.steps + 1))
    first = round((point.time - grid.start) / grid.step)
    if point.measure == "moment":
        weights[output, first] = 1.0
    else:  # a year's total of an amount per year is its average times one year
        in_year = round(1 / grid.step)
        weights[output, first : first + in_year] = 1 / in_year
    return weights


@dataclass(frozen=True)
class _Check:
    """What the checks look at, and where they leave their complaints."""

    loaded: LoadedCalibration
    system: EquationSystem
    complaints: Complaints

    def complain(self, place: Place, message: str) -> None:
        self.complaints.add(self.loaded.where(*place), message)

    def _in_table(self, point: Point, column: str, message: str) -> None:
        file, place = self.loaded.config.observed.file.name, point.at(column)
        self.complaints.add(f"{file} {place}" if place.startswith("row ") else place, message)

    def _constant(self, place: Place, name: str) -> Variable | None:
        """The constant of this name, or None after a complaint."""
        variable, model = resolve(name, self.system), self.loaded.config.model.file.name
        if variable is None:
            names = [v.name for v in self.system.of_kind("constant")]
            self.complain(place, f'{model} has no constant "{name}".{did_you_mean(name, names)}')
        elif variable.kind != "constant":
            self.complain(place, f'"{name}" is a {variable.kind} of {model}; only a constant fits here')
        elif variable.key in self.system.fixed:
            self.complain(place, f'"{name}" decides the time settings or the order of a delay')
        else:
            return variable
        return None

    def changed(self, constants: Sequence[Constant]) -> dict[str, float]:
        """Key -> value of every constant that `model.changes` (first) or the table gives."""
        found = {}
        for row in constants:
            variable = resolve(row.name, self.system)
            if variable is None:
                self.complain(("model", "constants"), f'the model has no constant "{row.name}"')
            else:
                found[variable.key] = row.value
        for name, value in self.loaded.config.model.changes.items():
            place = ("model", "changes", name)
            variable = self._constant(place, name)
            if variable is not None:
                self._check_range(place, variable, (value,))
                found[variable.key] = value
        return found

    def _check_range(self, place: Place, variable: Variable, values: Sequence[float]) -> None:
        """What the model file says is possible holds here too."""
        low = variable.low if variable.low is not None else -inf
        high = variable.high if variable.high is not None else inf
        for value in values:
            if not low <= value <= high:
                range_ = f"[{low:g}, {high:g}]"
                self.complain(
                    place, f"{value:g} is outside the range of {variable.name} in the model: {range_}"
                )

    def grid(self) -> TimeGrid | None:
        """The grid of the simulation, or None after a complaint."""
        span = self.loaded.config.horizon
        step = span.time_step if span.time_step is not None else self.system.time.step
        place = ("horizon",) if span.time_step is None else ("horizon", "time_step")
        if self.system.time.times:
            self.complain(("model", "file"), "the TIME STEP of the model changes over time; fix it")
            return None
        if not step > 0 or not _whole(1 / step) or not _whole((span.end - span.start) / step):
            self.complain(place, f"a step of {step:g} does not divide a year and the horizon; take another")
            return None
        if (span.end - span.start) / step > MOST_STEPS:
            self.complain(place, f"more than {MOST_STEPS:,} steps of {step:g}; choose a longer step")
            return None
        return TimeGrid(span.start, span.end, step)

    def chosen(self, points: Sequence[Point]) -> tuple[Point, ...]:
        """The points of the series the config asks for."""
        known = list(dict.fromkeys(point.series for point in points))
        wanted = self.loaded.config.observed.series or tuple(known)
        for number, name in enumerate(wanted):
            if name not in known:
                file = self.loaded.config.observed.file.name
                self.complain(
                    ("observed", "series", number),
                    f'{file} has no series "{name}".{did_you_mean(name, known)}',
                )
        return tuple(point for point in points if point.series in wanted)

    def points(
        self, observed: Sequence[Point], grid: TimeGrid | None
    ) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
        """The points to hold against the model, and the projections."""
        for point in observed:
            self._check_variables(point)
            if grid is not None and point.use != "projection":
                self._check_time(point, grid)
        self._check_uncertainty([point for point in observed if point.use == "fit"])
        held = tuple(point for point in observed if point.use != "projection")
        return held, tuple(point for point in observed if point.use == "projection")

    def _check_variables(self, point: Point) -> None:
        for name in point.variables:
            variable = resolve(name, self.system)
            if variable is None:
                names = [v.name for v in self.system.visible.values()]
                hint = did_you_mean(name, names)
                self._in_table(point, "variable", f'the model has no variable "{name}".{hint}')
            else:
                self._check_unit(point, variable)

    def _check_unit(self, point: Point, variable: Variable) -> None:
        unit = variable.unit
        if point.measure == "year_total":
            unit = amount_per_year(variable.unit) or ""
            if not unit:
                self._in_table(
                    point, "measure", f'"{variable.name}" ({variable.unit}) is not per year; no total'
                )
                return
        if plain_unit(point.unit) != plain_unit(unit):
            expected = f'"{unit}", as the model' + (" per year" if point.measure == "year_total" else "")
            self._in_table(point, "unit", f'found "{point.unit}"; needed is {expected}')

    def _check_time(self, point: Point, grid: TimeGrid) -> None:
        last = point.time + (0.0 if point.measure == "moment" else 1.0)
        if point.time < grid.start - NEAR or last > grid.end + NEAR:
            span = f"{grid.start:g} to {grid.end:g}"
            self._in_table(point, "time", f"{point.time:g} ({point.measure}) is not within {span}")
        elif not _whole((point.time - grid.start) / grid.step):
            self._in_table(point, "time", f"{point.time:g} is not a whole number of steps of {grid.step:g}")

    def _check_uncertainty(self, fitted: Sequence[Point]) -> None:
        """Uncertainty is stated for all fitted points or for none: else errors cannot be weighed."""
        bare = [point for point in fitted if point.uncertainty is None]
        if not fitted:
            self.complain(("observed",), "no point has the use fit; there is nothing to fit to")
        if bare and len(bare) < len(fitted):
            self._in_table(bare[0], "uncertainty", "stated for other fitted points; state all or none")

    def fitted(
        self, constants: Sequence[Constant], values: Mapping[str, float]
    ) -> tuple[FittedConstant, ...]:
        """The constants to fit, with their bounds."""
        rows = {same_name(row.name): row for row in constants}
        found: dict[str, FittedConstant] = {}
        for name, asked in self.loaded.config.fit.items():
            variable = self._constant(("fit", name), name)
            if variable is None:
                continue
            row = rows.get(same_name(name))
            bounds = asked.bounds or ((row.low, row.high) if row else None)
            if variable.key in found:
                self.complain(("fit", name), f'"{variable.name}" is fitted twice; keep one')
            elif bounds is None or bounds[0] is None or bounds[1] is None:
                self.complain(("fit", name), "has no low and high in the constants table; give bounds")
            elif not bounds[0] < bounds[1]:
                self.complain(("fit", name), f"[{bounds[0]:g}, {bounds[1]:g}] leaves no room; give bounds")
            else:
                low, high = bounds[0], bounds[1]
                self._check_range(("fit", name), variable, (low, high))
                found[variable.key] = FittedConstant(
                    variable.key, variable.name, variable.unit, values[variable.key], low, high
                )
        return tuple(found.values())


def _whole(number: float) -> bool:
    return abs(number - floor(number + 0.5)) <= NEAR
