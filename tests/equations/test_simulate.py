"""Simulation against closed forms, and batches against single runs."""

from pathlib import Path

import numpy as np
import pytest

from sdopt.equations import block, simulate
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run, simulate_all
from sdopt.errors import SimulationError
from sdopt.source_model.read import read_model

MODELS = Path(__file__).parents[1] / "models"
LOGISTIC = read_model(MODELS / "logistic.mdl").system
EVERYTHING = read_model(MODELS / "every_function.mdl").system
GRID = TimeGrid(0, 20, 0.125)


def test_decay_is_the_closed_form_of_euler() -> None:
    content = simulate_all(LOGISTIC, GRID)["content"][:, 0]
    assert content == pytest.approx(8 * (1 - 0.125 / 4) ** np.arange(161), rel=1e-12)


def test_logistic_growth_converges_to_the_analytic_solution() -> None:
    errors = []
    for step in (0.02, 0.01):
        grid = TimeGrid(0, 30, step)
        exact = 100 / (1 + 19 * np.exp(-0.4 * grid.times))
        errors.append(np.abs(simulate_all(LOGISTIC, grid)["population"][:, 0] - exact).max())
    assert errors[1] < 0.1
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)  # Euler: first order


def _inputs(scenarios: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    random = np.random.default_rng(5)
    return {"slope": random.uniform(0.1, 1, scenarios)}, {"budget": random.uniform(0, 6, (161, scenarios))}


@pytest.mark.parametrize("ahead", [1, 40_000])
def test_a_batch_is_its_scenarios_one_by_one_to_the_byte(monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    monkeypatch.setattr(simulate, "BLOCK", 8)
    monkeypatch.setattr(block, "AHEAD", ahead)
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    constants, paths = _inputs(19)
    together = run(program, constants, paths)
    assert run(program, constants, paths, threads=2).tobytes() == together.tobytes()
    for s in range(19):
        alone = run(program, {"slope": constants["slope"][s]}, {"budget": paths["budget"][:, s]})
        assert together[:, :, s].tobytes() == alone[:, :, 0].tobytes()


def test_the_real_part_does_not_depend_on_the_derivative() -> None:
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    constants, paths = _inputs(3)
    values = run(program, constants, paths)
    moved = run(program, constants, {"budget": paths["budget"] + 1e-30j})
    assert moved.real == pytest.approx(values, rel=1e-13, abs=1e-13)


def test_what_is_not_needed_is_left_out() -> None:
    program = compile_program(LOGISTIC, GRID, ("content",))
    assert (len(program.stocks), len(program.loop)) == (1, 2)


def test_the_first_value_that_is_no_number_is_named() -> None:
    program = compile_program(LOGISTIC, GRID, ("population", "content"), ("lifetime",))
    path = np.ones((161, 3))
    path[8:, 2] = 0
    with pytest.raises(SimulationError, match=r'"content" is -?(nan|inf) at time 1.125 \(scenario 2\)'):
        run(program, {}, {"lifetime": path})
    assert not np.isfinite(run(program, {}, {"lifetime": path}, check=False)).all()


@pytest.mark.parametrize("end, step", [(1, 0.3), (0, 1), (1, 0), (1, -1)])
def test_a_grid_holds_whole_steps(end: float, step: float) -> None:
    with pytest.raises(SimulationError, match="not a whole number of steps"):
        TimeGrid(0, end, step)


def test_inputs_are_checked() -> None:
    program = compile_program(LOGISTIC, GRID, ("content",), ("lifetime",))
    for constants, paths in (({}, {}), ({"rate": 1.0}, {}), ({}, {"lifetime": np.ones(3)})):
        with pytest.raises(SimulationError, match="input"):
            run(program, constants, paths)
    with pytest.raises(SimulationError, match='"growth" is not a constant'):
        compile_program(LOGISTIC, GRID, ("content",), ("growth",))
    with pytest.raises(SimulationError, match='no variable "rats"'):
        compile_program(LOGISTIC, GRID, ("rats",))
