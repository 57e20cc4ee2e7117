"""Runge-Kutta, pipelines, floors, uneven steps and starting values against what is known exactly."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Number, Reference, Time
from sdopt.equations.pipelines import pipelines
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem, Method, TimeAxis, Variable
from sdopt.errors import ModelError, SimulationError

TWO = Number(2.0)


def variable(key: str, expression: Expression, initial: Expression | None = None, **more: Any) -> Variable:
    kind = "stock" if initial is not None else "constant" if isinstance(expression, Number) else "auxiliary"
    return Variable(key, key.title(), kind, expression, initial, "", "", **more)


def system(*variables: Variable, method: Method = "euler") -> EquationSystem:
    by_key = {v.key: v for v in variables}
    time = TimeAxis(0, 1, 1, 1, "Year", method)
    return EquationSystem(by_key, calculation_order(by_key), starting_order(by_key), time)


def simulated(model: EquationSystem, grid: TimeGrid, key: str, **constants: float) -> np.ndarray:
    return run(compile_program(model, grid, (key,), tuple(constants)), constants)[0, :, 0]


def call(name: str, *arguments: Expression) -> Call:
    return Call(name, arguments)


DECAY = variable("x", call("negative", Reference("x")), Number(1.0))
RK4_FACTOR = 1 - 0.5 + 0.5**2 / 2 - 0.5**3 / 6 + 0.5**4 / 24
"""What one step of a half does to x' = -x: the first terms of exp(-1/2)."""


def test_decay_by_runge_kutta_is_the_taylor_polynomial() -> None:
    x = simulated(system(DECAY, method="rk4"), TimeGrid(0, 5, 0.5), "x")
    assert x == pytest.approx(RK4_FACTOR ** np.arange(11), rel=1e-14)


def test_runge_kutta_has_order_four_and_euler_order_one() -> None:
    rate = call(
        "divide", call("multiply", Reference("x"), call("cos", Time())), call("add", Number(1.0), Time())
    )
    for method, order in (("rk4", 4), ("euler", 1)):
        model = system(variable("x", rate, Number(1.0)), method=method)
        finest = simulated(
            system(variable("x", rate, Number(1.0)), method="rk4"), TimeGrid(0, 2, 1 / 512), "x"
        )
        errors = [
            abs(simulated(model, TimeGrid(0, 2, step), "x")[-1] - finest[-1]) for step in (1 / 16, 1 / 32)
        ]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


def test_runge_kutta_integrates_a_cubic_of_time_exactly() -> None:
    model = system(variable("x", call("power", Time(), Number(3.0)), Number(0.0)), method="rk4")
    grid = TimeGrid(0, 4, 0.5)
    assert simulated(model, grid, "x") == pytest.approx(grid.times**4 / 4, rel=1e-14)


def test_runge_kutta_on_uneven_steps() -> None:
    model = system(variable("x", call("power", Time(), Number(3.0)), Number(0.0)), method="rk4")
    grid = TimeGrid(0, 3, 0.5, (0, 0.5, 0.75, 2, 3))
    assert simulated(model, grid, "x") == pytest.approx(grid.times**4 / 4, rel=1e-14)


def test_assigned_stocks_hold_during_a_step_of_runge_kutta() -> None:
    """Here y is the time at the last grid time, so x grows by it at each step as with Euler."""
    held = variable("y", Time(), Number(0.0), assigned=True)
    model = system(variable("x", Reference("y"), Number(0.0)), held, method="rk4")
    assert list(simulated(model, TimeGrid(0, 5, 1), "x")) == [0, 0, 0, 1, 3, 6]


def test_euler_on_uneven_steps_and_the_time_step_a_model_sees() -> None:
    moments = (0, 0.5, 1.5, 1.75, 4)
    model = system(
        variable("x", TWO, Number(1.0)),
        variable("seen", Reference("time_step")),
        variable("fixed", Number(1)),
    )
    grid = TimeGrid(0, 4, 0.5, moments)
    assert simulated(model, grid, "x") == pytest.approx(1 + 2 * np.array(moments), rel=1e-15)
    assert list(simulated(model, grid, "seen")) == [0.5, 1, 0.25, 2.25, 2.25]


@pytest.mark.parametrize("moments", [(0, 1), (0, 2, 1, 4), (0,), (0, 1, 1, 4), (1, 4)])
def test_moments_rise_from_start_to_end(moments: tuple[float, ...]) -> None:
    with pytest.raises(SimulationError, match="must rise from 0 to 4"):
        TimeGrid(0, 4, 1, moments)


@pytest.mark.parametrize(
    ("delay", "places"), [(0.0, 1), (0.3, 1), (1.0, 2), (1.25, 3), (2.0, 4), (9.9, 20), (10.0, 20), (1e9, 21)]
)
def test_a_pipeline_gives_back_what_went_in_that_many_steps_ago(delay: float, places: int) -> None:
    """A half counts as one more step, as in PySD."""
    line = variable("line", Time(), Number(-7.0), assigned=True, delay=Reference("length"))
    model = system(line, variable("length", Number(delay)))
    grid = TimeGrid(0, 10, 0.5)
    expected = np.r_[np.full(min(places, 21), -7.0), grid.times[: max(21 - places, 0)]]
    assert list(simulated(model, grid, "line")) == list(expected)


def test_pipelines_that_share_an_entrance_follow_each_other_and_go_round() -> None:
    def line(key: str, source: str, delay: float) -> Variable:
        return variable(key, Reference(source), Number(0.0), assigned=True, delay=Number(delay))

    clock = variable("clock", Time())
    model = system(clock, line("a", "clock", 3), line("b", "clock", 3), line("c", "b", 2), line("d", "d", 4))
    grid = TimeGrid(0, 9, 1)
    program = compile_program(model, grid, ("a", "b", "c", "d"), (), (2, 5, 9))
    assert run(program)[:, :, 0].tolist() == [[0, 2, 6], [0, 2, 6], [0, 0, 4], [0, 0, 0]]
    assert run(program, check=False).tobytes() == run(program, check=False, threads=2).tobytes()


def test_a_pipeline_is_one_array_of_places() -> None:
    line = variable("line", Reference("x"), Number(0.0), assigned=True, delay=Number(5.0))
    program = compile_program(system(line, DECAY), TimeGrid(0, 9, 1), ("line", "x"))
    assert [len(chain) for chain in pipelines(program)] == [5]
    assert [
        len(chain) for chain in pipelines(replace(program, output_registers=(program.stocks[2].stock,)))
    ] == [2, 3]


def test_the_length_of_a_pipeline_must_be_known_before_the_run() -> None:
    line = variable(
        "line", Time(), Number(0.0), assigned=True, delay=call("multiply", TWO, Reference("length"))
    )
    model = system(line, variable("length", Number(3.0)))
    with pytest.raises(
        SimulationError, match='"Line": the length of its fixed delay depends on what is given'
    ):
        compile_program(model, TimeGrid(0, 10, 1), ("line",), ("length",))
    assert len(compile_program(model, TimeGrid(0, 10, 1), ("line",)).stocks) == 6
    endless = replace(model.variables["line"], delay=call("divide", TWO, Number(0.0)))
    with pytest.raises(SimulationError, match="is inf"):
        compile_program(system(endless), TimeGrid(0, 10, 1), ("line",))


def test_the_length_of_a_pipeline_may_follow_from_starting_values() -> None:
    line = variable("line", Time(), Number(0.0), assigned=True, delay=Reference("doubled"))
    doubled = variable("doubled", call("multiply", TWO, Reference("x")))
    program = compile_program(system(line, doubled, DECAY), TimeGrid(0, 10, 1), ("line",))
    assert len(program.stocks) == 2


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_a_floor_at_zero(method: Method) -> None:
    model = system(variable("x", Number(-3.0), Number(7.0), non_negative=True), method=method)
    assert list(simulated(model, TimeGrid(0, 4, 1), "x")) == [7, 4, 1, 0, 0]


def test_active_initial_starts_from_its_second_argument() -> None:
    """Here a needs x and x needs a at the start only: without ACTIVE INITIAL that is a circle."""
    a = variable("a", call("active_initial", Reference("x"), Number(5.0)))
    x = variable("x", Number(1.0), Reference("a"))
    first = variable("first", call("initial", Reference("a")))
    model = system(a, x, first)
    grid = TimeGrid(0, 2, 1)
    assert list(simulated(model, grid, "x")) == [5, 6, 7]
    assert list(simulated(model, grid, "a")) == [5, 6, 7]
    assert list(simulated(model, grid, "first")) == [5, 5, 5]
    with pytest.raises(ModelError, match="circular starting values"):
        system(replace(a, expression=Reference("x")), x)


def test_initial_of_an_expression_with_inputs() -> None:
    kept = variable("kept", call("initial", call("add", Reference("c"), Reference("x"))))
    model = system(kept, DECAY, variable("c", Number(3.0)))
    program = compile_program(model, TimeGrid(0, 2, 1), ("kept",), ("c",))
    assert list(run(program, paths={"c": np.array([10.0, 20.0, 30.0])})[0, :, 0]) == [11, 11, 11]


def test_saved_moments_are_those_of_every_moment() -> None:
    model, grid = system(DECAY, variable("clock", Time())), TimeGrid(0, 3, 0.25)
    every = run(compile_program(model, grid, ("x", "clock")))
    some = run(compile_program(model, grid, ("x", "clock"), (), (0, 5, 11)))
    assert some.tobytes() == every[:, [0, 5, 11]].tobytes()
    for wrong in ((), (3, 2), (1, 1), (-1, 3), (13,)):
        with pytest.raises(SimulationError, match="rising grid indices from 0 to 12"):
            compile_program(model, grid, ("x",), (), wrong)


def test_minus_zero_is_not_zero() -> None:
    model = system(
        variable("y", call("divide", TWO, Number(-0.0))), variable("z", call("divide", TWO, Number(0.0)))
    )
    results = run(compile_program(model, TimeGrid(0, 1, 1), ("y", "z")), check=False)
    assert list(results[:, 0, 0]) == [-np.inf, np.inf]
