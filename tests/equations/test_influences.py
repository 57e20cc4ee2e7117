"""Links between all values of a run: added up along every chain they are the derivative of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdopt.equations.differentiate import reverse
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Number, Reference
from sdopt.equations.influences import Influences, influences
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import simulate_all
from sdopt.equations.system import EquationSystem, Kind, TimeAxis, Variable
from sdopt.errors import SimulationError
from sdopt.source_model.read import read_model

MODELS = Path(__file__).parents[1] / "models"
X, U = Reference("x"), Reference("u")


def _links(
    system: EquationSystem, grid: TimeGrid, paths: dict[str, np.ndarray], aims: Sequence[str]
) -> Influences:
    found = influences(system, grid, simulate_all(system, grid, {}, paths), paths, aims)
    assert found is not None
    return found


def _gradients(
    links: Influences, weights: dict[str, np.ndarray], inputs: Sequence[str]
) -> dict[str, np.ndarray]:
    """Derivatives by every value of inputs, (grid time, run), of a weighted sum of values (grid time,)."""
    aim = np.zeros(len(links.owner))
    for key, weight in weights.items():
        if key in links.places:
            aim[links.places[key][1:]] += weight[:, np.newaxis]
    worths = links.worths(aim)
    found = {key: worths[links.places[key][1:]].copy() for key in inputs}
    for key in inputs:
        found[key][0] += worths[links.places[key][0]]
    return found


def _same_as_reverse(system: EquationSystem, grid: TimeGrid, inputs: Sequence[str], seed: int) -> None:
    random = np.random.default_rng(seed)
    paths = {key: random.uniform(1, 6, (grid.steps + 1, 2)) for key in inputs}
    program = compile_program(system, grid, tuple(system.variables), tuple(inputs))
    weights = random.normal(size=(1, len(program.outputs), grid.steps + 1))
    _, expected = reverse(program, {}, paths, weights)
    links = _links(system, grid, paths, program.outputs)
    found = _gradients(links, dict(zip(program.outputs, weights[0], strict=True)), inputs)
    for key in inputs:
        size = np.abs(expected[key]).max()
        assert found[key] == pytest.approx(expected[key][0], rel=1e-9, abs=1e-11 * size)


@pytest.mark.parametrize("seed", range(4))
def test_every_function_and_both_kinds_of_start(seed: int) -> None:
    """Also INITIAL( ), and a decision that sets the starting value of a stock."""
    system = read_model(MODELS / "every_function.mdl").system
    _same_as_reverse(system, TimeGrid(1, 9, 0.25), ("budget", "slope"), seed)


@pytest.mark.parametrize("name", ["memories", "macros", "regions"])
def test_delays_smooths_macros_and_arrays(name: str) -> None:
    """All constants of a model that can be inputs, whatever memory lies between them and the end."""
    system = read_model(MODELS / f"{name}.mdl").system
    grid = TimeGrid(system.time.start, system.time.start + 20 * system.time.step, system.time.step)
    inputs = [v.key for v in system.of_kind("constant") if v.key not in system.fixed]
    tested = 0
    for key in inputs:
        try:
            compile_program(system, grid, tuple(system.variables), (key,))
        except SimulationError:  # the length of a fixed delay follows from it
            continue
        links = _links_or_none(system, grid, key)
        if links:
            _same_as_reverse(system, grid, (key,), 1)
            tested += 1
    assert tested


def _links_or_none(system: EquationSystem, grid: TimeGrid, key: str) -> Influences | None:
    paths = {key: np.full((grid.steps + 1, 1), 2.0)}
    return influences(system, grid, simulate_all(system, grid, {}, paths), paths, tuple(system.variables))


def _variable(
    key: str, expression: Expression, initial: Expression | None = None, **more: object
) -> Variable:
    kind: Kind = "stock" if initial is not None else "auxiliary"
    if isinstance(expression, Number) and initial is None:
        kind = "constant"
    return Variable(key, key.title(), kind, expression, initial, "", "", **more)  # type: ignore[arg-type]


def _system(*variables: Variable) -> EquationSystem:
    by_key = {v.key: v for v in variables}
    return EquationSystem(
        by_key, calculation_order(by_key), starting_order(by_key), TimeAxis(0, 8, 1, 1, "Year")
    )


def test_a_floor_at_zero_stops_what_is_handed_on() -> None:
    """Stock x loses 3 a year from 5: empty after two years; then only what comes in counts."""
    floor = _variable("x", Call("subtract", (U, Number(3.0))), Number(5.0), non_negative=True)
    system = _system(_variable("u", Number(0.0)), floor)
    grid, paths = TimeGrid(0, 4, 1), {"u": np.zeros((5, 1))}
    found = _gradients(_links(system, grid, paths, ["x"]), {"x": np.r_[0, 0, 0, 0, 1.0]}, ["u"])
    assert found["u"][:, 0].tolist() == [0, 0, 0, 0, 0]
    found = _gradients(_links(system, grid, paths, ["x"]), {"x": np.r_[0, 1.0, 0, 0, 0]}, ["u"])
    assert found["u"][:, 0].tolist() == [1, 0, 0, 0, 0]


def test_steps_of_unequal_width_and_a_fixed_delay() -> None:
    uneven = TimeGrid(0, 8, 1, moments=(0.0, 1.0, 1.5, 3.0, 4.0, 8.0))
    pipeline = _variable("x", U, Number(0.0), hidden=True, assigned=True, delay=Number(2.0))
    system = _system(
        _variable("u", Number(1.0)), pipeline, _variable("y", Call("multiply", (X, X)), Number(1.0))
    )
    for grid in (uneven, TimeGrid(0, 8, 1), TimeGrid(0, 8, 0.25)):
        _same_as_reverse(system, grid, ("u",), 5)


def test_the_order_of_the_equations_does_not_matter() -> None:
    system = read_model(MODELS / "every_function.mdl").system
    by_key = dict(reversed(system.variables.items()))
    turned = replace(
        system,
        variables=by_key,
        order=calculation_order(by_key),
        initial_order=starting_order(by_key),
    )
    grid, aims = TimeGrid(0, 5, 0.25), ("people", "arithmetic", "at_the_start")
    paths = {"budget": np.linspace(2, 5, 21)[:, np.newaxis]}
    weights = {key: np.linspace(1, 2, 21) for key in aims}
    found = [
        _gradients(_links(s, grid, paths, aims), weights, ["budget"])["budget"] for s in (system, turned)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_what_is_held_still_neither_follows_nor_leads() -> None:
    """With y = u + x and x = 2u: with x held still y follows u alone."""
    double = _variable("x", Call("multiply", (Number(2.0), U)))
    system = _system(_variable("u", Number(1.0)), double, _variable("y", Call("add", (U, X))))
    links = _links(system, TimeGrid(0, 1, 1), {"u": np.ones((2, 1))}, ["y"])
    change = np.zeros(len(links.owner))
    change[links.places["u"][1:]] = 1.0
    y = links.places["y"][1:, 0]
    assert links.responses(change)[y].tolist() == [3, 3]
    assert links.responses(change, [links.owners.index("X")])[y].tolist() == [1, 1]


def test_inputs_that_reach_nothing_have_no_links() -> None:
    system = _system(_variable("u", Number(1.0)), _variable("y", Call("exp", (Number(1.0),))))
    runs = simulate_all(system, TimeGrid(0, 1, 1))
    assert influences(system, TimeGrid(0, 1, 1), runs, ["u"], ["y"]) is None


def test_runge_kutta_is_refused() -> None:
    system = _system(_variable("u", Number(1.0)), _variable("x", U, Number(0.0)))
    system = replace(system, time=replace(system.time, method="rk4"))
    grid = TimeGrid(0, 1, 1)
    with pytest.raises(SimulationError, match="steps of Euler's method only"):
        influences(system, grid, simulate_all(system, grid), ["u"], ["x"])
