"""From a config, a model and a table of constants to a `Problem` that can be evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.config.constants import Constant
from sdopt.config.fiscal_choice import FiscalChoice
from sdopt.config.load import LoadedConfig
from sdopt.config.municipality import constants_of
from sdopt.config.programme_rules import constants_of_programme
from sdopt.config.schema import Config
from sdopt.config.units import amount_per_year
from sdopt.config.valuation import MethodRow, chosen_methods
from sdopt.equations.constant_value import constant_value
from sdopt.equations.expression import Number
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.system import EquationSystem
from sdopt.problem.decisions import Decisions, lay_out
from sdopt.problem.evaluate import Evaluator, functional_matrix
from sdopt.problem.fiscal import with_fiscal_rules
from sdopt.problem.functionals import Functional, end_value, present_value
from sdopt.problem.ledger import Ledger, build_ledger
from sdopt.problem.limits import Listed, ModelConstraint, find_variable, limits_of, listed_constraints
from sdopt.problem.meaning import changed_constants, check_meaning
from sdopt.problem.programme_rules import programme_rules
from sdopt.problem.rules import Rule, build_rules
from sdopt.problem.valuation import check_methods, with_methods


@dataclass(frozen=True)
class Problem:
    """One question, ready to be answered.

    `objective_rows` are the evaluator's rows that add up to the objective, with their weights;
    `component_rows` those shown beside it. Money and units are the model's. `methods` are the chosen
    conventions of valuation; `ledger` says who pays and who gains; `fiscal` are the rules of public
    finance, of which `config` holds the imposed ones as constraints.
    """

    config: Config
    system: EquationSystem
    grid: TimeGrid
    constants: tuple[Constant, ...]
    changed_constants: Mapping[str, float]
    decisions: Decisions
    rules: tuple[Rule, ...]
    evaluator: Evaluator
    objective_rows: Mapping[int, float]
    component_rows: tuple[int, ...]
    constraints: tuple[ModelConstraint, ...]
    null_values: NDArray[np.float64]
    objective_unit: str
    methods: tuple[MethodRow, ...] = ()
    ledger: Ledger | None = None
    fiscal: FiscalChoice | None = None

    def objective(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Objective from evaluator values (..., functional, ...) along axis 1."""
        rows = list(self.objective_rows)
        return np.asarray(value[:, rows] @ np.array([self.objective_rows[row] for row in rows]))

    def slacks(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scaled slack of every model constraint, (point, constraint); negative is broken."""
        if not self.constraints:
            return np.zeros((len(value), 0))
        return np.stack([c.sign * (c.limit - value[:, c.row]) / c.scale for c in self.constraints], axis=1)

    @property
    def null_objective(self) -> float:
        """Objective of the null alternative."""
        return float(self.objective(self.null_values[None])[0])


def build_problem(loaded: LoadedConfig, system: EquationSystem) -> Problem:
    """Resolve names, check units and horizon, and compile.

    Raises
    ------
    ConfigError
        All that does not fit the model, at once.
    """
    config = loaded.config
    constants = constants_of(config.model)
    methods = chosen_methods(loaded)
    check_methods(loaded, system, methods)
    constants = with_methods(constants, methods)
    check_meaning(loaded, system, constants)
    config = with_fiscal_rules(config, loaded.fiscal)
    changed = changed_constants(config, system, constants)
    system = with_constants(system, changed)
    grid = TimeGrid(config.horizon.start, config.horizon.end, config.horizon.time_step or system.time.step)
    ledger = build_ledger(config, system, grid.times)
    decisions = _decisions(config, system, grid)
    problem = _assemble(config, system, grid, constants, changed, decisions)
    return replace(problem, methods=methods, ledger=ledger, fiscal=loaded.fiscal)


def at_time_step(problem: Problem, step: float) -> Problem:
    """The same question with another time step (years)."""
    config = problem.config
    grid = TimeGrid(config.horizon.start, config.horizon.end, step)
    decisions = replace(_decisions(config, problem.system, grid), pattern=problem.decisions.pattern)
    return _assemble(config, problem.system, grid, problem.constants, problem.changed_constants, decisions)


def at_constants(
    problem: Problem, values: Mapping[str, float], paths: Mapping[str, NDArray[np.float64]]
) -> Problem:
    """The same question with other values of some constants (key -> value), or paths (key -> (time,)).

    Null alternative, and limits relative to it, are those of the changed model.

    Raises
    ------
    SimulationError
        When the null alternative gives inf or nan there.
    """
    system, changed = with_constants(problem.system, values), {**problem.changed_constants, **values}
    question = (problem.config, system, problem.grid, problem.constants, changed, problem.decisions)
    made = _assemble(*question, paths)
    return replace(made, methods=problem.methods, ledger=problem.ledger, fiscal=problem.fiscal)


def with_constants(system: EquationSystem, values: Mapping[str, float]) -> EquationSystem:
    """The same system with other numbers for some constants (key -> value)."""
    variables = {
        key: replace(variable, expression=Number(values[key])) if key in values else variable
        for key, variable in system.variables.items()
    }
    return replace(system, variables=variables)


def constant_values(system: EquationSystem) -> dict[str, float]:
    """The number that every constant of a system has, by key."""
    expressions = {variable.key: variable.expression for variable in system.of_kind("constant")}
    return {key: constant_value(key, expressions) for key in expressions}


def _decisions(config: Config, system: EquationSystem, grid: TimeGrid) -> Decisions:
    values = constant_values(system)
    found = {name: find_variable(decision.variable, system) for name, decision in config.decisions.items()}
    chosen = {name: (variable, values[variable.key]) for name, variable in found.items()}
    programmes = {
        identity: {key: find_variable(name, system) for key, name in constants_of_programme(programme)}
        for identity, programme in config.programmes.items()
    }
    return lay_out(config, chosen, [float(t) for t in grid.times], programmes)


def _assemble(
    config: Config,
    system: EquationSystem,
    grid: TimeGrid,
    constants: tuple[Constant, ...],
    changed: Mapping[str, float],
    decisions: Decisions,
    beside: Mapping[str, NDArray[np.float64]] | None = None,
) -> Problem:
    functionals, objective_rows, component_rows, unit = _objective(config, system, grid)
    listed = listed_constraints(config, system, grid)
    rows = len(functionals)
    functionals += [one.functional for one in listed]
    evaluator = _evaluator(system, grid, decisions, tuple(functionals), beside)
    null_values = _null_values(evaluator)
    others = _other_null_values(listed, system, grid, decisions, beside)
    limits = tuple(
        limit
        for offset, one in enumerate(listed)
        for limit in limits_of(one, rows + offset, float(null_values[rows + offset]), others[offset])
    )
    return Problem(
        config=config,
        system=system,
        grid=grid,
        constants=constants,
        changed_constants=changed,
        decisions=decisions,
        rules=(*build_rules(config, decisions), *programme_rules(config, decisions)),
        evaluator=evaluator,
        objective_rows=objective_rows,
        component_rows=component_rows,
        constraints=limits,
        null_values=null_values,
        objective_unit=unit,
    )


def _objective(
    config: Config, system: EquationSystem, grid: TimeGrid
) -> tuple[list[Functional], dict[int, float], tuple[int, ...], str]:
    times = grid.times
    main = find_variable(config.objective.maximise, system)
    unit = amount_per_year(main.unit) or main.unit
    functionals = [present_value(main.name, main.key, config, times, unit)]
    weights = {0: 1.0}
    if config.objective.end_value is not None:
        left = find_variable(config.objective.end_value.variable, system)
        functionals.append(end_value(left.name, left.key, config, times, unit))
        weights[1] = config.objective.end_value.weight
    first = len(functionals)
    for name in config.objective.components:
        part = find_variable(name, system)
        part_unit = amount_per_year(part.unit) or f"{part.unit}*Year"
        functionals.append(present_value(part.name, part.key, config, times, part_unit))
    return functionals, weights, tuple(range(first, len(functionals))), unit


def _other_null_values(
    listed: list[Listed],
    system: EquationSystem,
    grid: TimeGrid,
    decisions: Decisions,
    beside: Mapping[str, NDArray[np.float64]] | None,
) -> list[dict[str, float]]:
    """Per item of `listed`: sense -> value of the other sum in the null alternative; not optimised over."""
    others = [functional for one in listed for functional in one.others.values()]
    if not others:
        return [{} for _ in listed]
    values = iter(_null_values(_evaluator(system, grid, decisions, tuple(others), beside)))
    return [{sense: float(next(values)) for sense in one.others} for one in listed]


def _evaluator(
    system: EquationSystem,
    grid: TimeGrid,
    decisions: Decisions,
    functionals: tuple[Functional, ...],
    beside: Mapping[str, NDArray[np.float64]] | None,
) -> Evaluator:
    paths = dict(beside or {})
    keys = tuple(dict.fromkeys(key for functional in functionals for key in functional.weights))
    program = compile_program(system, grid, keys, (*decisions.keys, *paths))
    matrix = functional_matrix(functionals, keys, grid.steps + 1)
    return Evaluator(program, decisions, functionals, matrix, paths)


def _null_values(evaluator: Evaluator) -> NDArray[np.float64]:
    paths = {key: path[:, None] for key, path in evaluator.decisions.null_paths().items()}
    return np.asarray(evaluator.measure_paths(paths)[0])
