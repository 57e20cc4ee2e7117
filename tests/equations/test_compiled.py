"""The compiled backend gives the numbers of the NumPy backend."""

import gc
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sdopt.equations import simulate
from sdopt.equations.block import run_block
from sdopt.equations.compiled import run as compiled
from sdopt.equations.compiled.code import LANES
from sdopt.equations.compiled.lookups import SCANNED
from sdopt.equations.compiled.run import run_compiled
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.functions import FUNCTIONS
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem, TimeAxis, Variable
from sdopt.errors import SdoptError, SimulationError
from sdopt.source_model.read import read_model

ROOT = Path(__file__).parents[2]
EVERYTHING = read_model(ROOT / "tests" / "models" / "every_function.mdl").system
SOCIAL = read_model(ROOT / "models" / "social_domain.mdl").system
GRID = TimeGrid(0, 20, 0.125)
ODD = np.array(
    [
        *(
            0.0,
            -0.0,
            1.0,
            -1.0,
            2.0,
            -2.0,
            0.5,
            -0.5,
            3.0,
            -3.0,
            2.5,
            -2.5,
            1e-300,
            5e-324,
            1e16,
            -1e16,
            1e300,
        ),
        *(np.inf, -np.inf, np.nan, 745.0, -745.2, 709.8, 9007199254740993.0, np.pi, 1e6, 1.1e6, 1e22),
    ]
)


def variable(key: str, kind: str, expression: Expression, initial: Expression | None = None) -> Variable:
    return Variable(key, key, kind, expression, initial, "", "")  # type: ignore[arg-type]


def a_system(*variables: Variable, method: str = "euler") -> EquationSystem:
    by_key = {v.key: v for v in variables}
    axis = TimeAxis(0, 2, 0.5, 0.5, "year", method)  # type: ignore[arg-type]
    return EquationSystem(by_key, calculation_order(by_key), starting_order(by_key), axis)


def inputs(keys: str) -> list[Variable]:
    return [variable(key, "constant", Number(0.0)) for key in keys]


def values_of(expression: Expression, **given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What NumPy and the compiled backend make of an expression of inputs (scenario,)."""
    system = a_system(*inputs("".join(given)), variable("y", "auxiliary", expression))
    program = compile_program(system, TimeGrid(0, 2, 0.5), ("y",), tuple(given), saved=(0,))
    results = (run(program, given, check=False, backend=b)[0, 0] for b in (run_block, run_compiled))
    first, second = results
    return first, second


def mixed(arity: int) -> np.ndarray:
    """Ordinary arguments, and all combinations of odd ones: (arity, scenario)."""
    random = np.random.default_rng(arity)
    ordinary = random.normal(0, 3, (arity, 5000)).round(random.integers(0, 12))
    odd = np.array(np.meshgrid(*[ODD] * min(arity, 2))).reshape(min(arity, 2), -1)
    return np.hstack([ordinary, odd[[0, *range(1, arity)][:arity]] if arity < 3 else odd[[0, 1, 0]]])


EXACT = {
    *(
        "add",
        "subtract",
        "multiply",
        "divide",
        "negative",
        "min",
        "max",
        "abs",
        "sqrt",
        "integer",
        "remainder",
    ),
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "and", "or", "not"),
    "if_then_else",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_that_of_numpy(name: str) -> None:
    arity = len(FUNCTIONS[name].truth_arguments)
    arguments = dict(zip("abc", mixed(arity), strict=False))
    expected, found = values_of(Call(name, tuple(Reference(key) for key in arguments)), **arguments)
    assert np.isfinite(expected).any()
    if name in EXACT:
        assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=2e-15, atol=1e-300)


def test_whole_powers_and_roots_are_exact() -> None:
    bases, exponents = np.meshgrid(np.arange(1.0, 100.0), np.arange(0.0, 8.0))
    power = Call("power", (Reference("a"), Reference("b")))
    a, b = bases.ravel(), exponents.ravel()
    assert_array_equal(
        values_of(power, a=a, b=b)[1], [float(int(x) ** int(y)) for x, y in zip(a, b, strict=True)]
    )
    assert_array_equal(values_of(power, a=a * a, b=np.full(len(a), 0.5))[1], a)


@pytest.mark.parametrize("points", [1, 4, SCANNED, SCANNED + 1, 100])
@pytest.mark.parametrize("kind", ["interpolate", "extrapolate", "hold_backward", "look_forward", "raw"])
def test_lookups_are_those_of_numpy_to_the_byte(kind: str, points: int) -> None:
    random = np.random.default_rng(points)
    x = np.cumsum(random.uniform(0.1, 1.0, points))
    y = random.normal(size=points)
    asked = np.r_[x, random.uniform(-1, x[-1] + 1, 500), ODD, np.nextafter(x, 0)]
    if points == 1:
        asked = asked[~np.isnan(asked)]  # NumPy's interp then does not look at its argument
    table = Lookup(tuple(x.tolist()), tuple(y.tolist()), Reference("a"), kind)  # type: ignore[arg-type]
    expected, found = values_of(table, a=asked)
    assert_array_equal(found, expected)


def random_inputs(program: Program, system: EquationSystem, scenarios: int) -> dict[str, np.ndarray]:
    """Every input some per cent around its value."""
    random = np.random.default_rng(3)
    base = run(compile_program(system, program.grid, tuple(program.inputs), saved=(0,)))[:, 0, 0]
    factors = random.uniform(0.97, 1.03, (len(base), scenarios))
    return dict(zip(program.inputs, base[:, None] * factors, strict=True))


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    assert (np.abs(found - expected) <= 1e-12 * size).all()


def test_the_shipped_model_with_every_constant_varied() -> None:
    keys = tuple(v.key for v in SOCIAL.variables.values() if v.kind == "constant")
    grid = TimeGrid(SOCIAL.time.start, SOCIAL.time.end, SOCIAL.time.step)
    program = compile_program(SOCIAL, grid, tuple(SOCIAL.variables), keys, saved=(0, 7, 100, 288))
    constants = random_inputs(program, SOCIAL, 50)
    assert_close(run(program, constants, backend=run_compiled), run(program, constants))


@pytest.mark.parametrize("shape", ["(steps + 1,)", "(steps + 1, scenario)"])
def test_inputs_of_every_shape(shape: str) -> None:
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    random = np.random.default_rng(5)
    path = random.uniform(0, 6, (161,) if shape == "(steps + 1,)" else (161, 21))
    for slope in (0.3, random.uniform(0.1, 1, 21)):
        given: tuple[Mapping, Mapping] = {"slope": slope}, {"budget": path}
        assert_close(run(program, *given, backend=run_compiled), run(program, *given))


@pytest.mark.parametrize("scenarios", [1, 2, LANES, 2 * LANES + 1, 50])
def test_the_answer_does_not_depend_on_blocks_or_threads(scenarios: int) -> None:
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    random = np.random.default_rng(6)
    slope, budget = random.uniform(0.1, 1, scenarios), random.uniform(0, 6, (161, scenarios))
    together = run(program, {"slope": slope}, {"budget": budget}, threads=1, backend=run_compiled)
    threaded = run(program, {"slope": slope}, {"budget": budget}, threads=2, backend=run_compiled)
    assert threaded.tobytes() == together.tobytes()
    for s in range(scenarios):
        alone = run(program, {"slope": slope[s]}, {"budget": budget[:, s]}, backend=run_compiled)
        assert alone[:, :, 0].tobytes() == together[:, :, s].tobytes()
    for part in (slice(0, 3), slice(1, None, 2)):
        given = {"slope": slope[None, part], "budget": budget[:, part]}
        apart = np.empty((*together.shape[:2], together[:, :, part].shape[2]))
        if apart.size:
            run_compiled(program, given, apart)
            assert apart.tobytes() == together[:, :, part].tobytes()


def test_a_result_may_lie_in_memory_in_any_way() -> None:
    program = compile_program(EVERYTHING, GRID, ("people", "budget", "slope"), ("slope",))
    slope = np.linspace(0.1, 1, 40)
    expected = run(program, {"slope": slope}, backend=run_compiled)
    result = np.zeros((40, 3, 161)).transpose(1, 2, 0)
    run_compiled(program, {"slope": slope[None]}, result)
    assert_array_equal(result, expected)


def test_a_single_run_does_not_use_code_for_inputs_of_another_kind() -> None:
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    path = np.linspace(0.5, 6, 161)
    for constants, paths in (
        ({"slope": 0.5, "budget": 2.0}, {}),
        ({"slope": 0.5}, {"budget": path}),
        ({"budget": 2.0}, {"slope": path}),
        ({"slope": 0.5, "budget": 2.0}, {}),
    ):
        found = run(program, constants, paths, backend=run_compiled)
        assert_close(found, run(program, constants, paths))


def test_uneven_steps_assigned_stocks_and_runge_kutta() -> None:
    moments = (0.0, 0.5, 0.6, 1.5, 2.0)
    rate = Call("multiply", (Reference("a"), Reference("s")))
    held = Variable("h", "h", "stock", Reference("s"), Reference("a"), "", "", assigned=True)
    late = Variable("d", "d", "stock", Reference("s"), Number(2.0), "", "", assigned=True, delay=Number(1.0))
    low = Variable("f", "f", "stock", Call("negative", (Time(),)), Number(1.0), "", "", non_negative=True)
    for method in ("euler", "rk4"):
        system = a_system(
            *inputs("a"), variable("s", "stock", rate, Number(1.0)), held, late, low, method=method
        )
        program = compile_program(system, TimeGrid(0, 2, 0.5, moments), tuple("shdf"), ("a",))
        given = {"a": np.linspace(-1, 1, 21)}
        assert_array_equal(run(program, given, backend=run_compiled), run(program, given))


def test_a_program_and_its_code_are_forgotten_together() -> None:
    program = compile_program(EVERYTHING, GRID, ("people",), ())
    run(program, backend=run_compiled)
    identity = id(program)
    assert identity in compiled._KERNELS
    del program
    gc.collect()
    assert identity not in compiled._KERNELS


def test_derivatives_are_refused() -> None:
    program = compile_program(EVERYTHING, GRID, ("people",), ("slope",))
    with pytest.raises(SimulationError, match="real numbers"):
        run(program, {"slope": 0.5 + 1e-30j}, backend=run_compiled)


def test_without_llvmlite_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    program = compile_program(EVERYTHING, GRID, ("people",), ())
    with pytest.raises(SdoptError, match=r"pip install sdopt\[fast\]"):
        run(program, backend=run_compiled)


def test_the_backend_is_imported_without_llvmlite() -> None:
    assert simulate.run_block is run_block
    assert "llvmlite" not in vars(compiled)


def test_large_angles_do_not_change_their_neighbours() -> None:
    angles = np.random.default_rng(8).uniform(-9, 9, 800)
    mixed_up = angles.copy()
    mixed_up[::LANES] = 1e9
    sine = Call("sin", (Reference("a"),))
    alone, together = values_of(sine, a=angles)[1], values_of(sine, a=mixed_up)[1]
    same = mixed_up == angles
    assert_array_equal(together[same], alone[same])
    assert_array_equal(together[~same], np.sin(1e9))
