"""Random small systems, compiled and in NumPy."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sdopt.equations.compiled.run import run_compiled
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem, TimeAxis, Variable

INPUTS, STOCKS = ("a", "b", "c"), ("s", "t", "u")
NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -3.0]) | st.floats(-10, 10)
LEAVES = (
    st.builds(Number, NUMBERS) | st.builds(Reference, st.sampled_from([*INPUTS, *STOCKS])) | st.just(Time())
)
EXACT = ("add", "subtract", "multiply", "divide", "min", "max", "remainder")
COMPARED = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "and", "or")


def calls(names: tuple[str, ...], *arguments: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.builds(Call, st.sampled_from(names), st.tuples(*arguments))


def tables(argument: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    points = st.lists(st.integers(-20, 20), min_size=2, max_size=20, unique=True).map(
        lambda xs: tuple(sorted(x / 4 for x in xs))
    )
    kinds = st.sampled_from(["interpolate", "extrapolate", "hold_backward", "look_forward"])
    return st.builds(
        lambda x, a, kind: Lookup(x, tuple(float(np.cos(v)) for v in x), a, kind), points, argument, kinds
    )


def exact(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return (
        calls(EXACT, inner, inner)
        | calls(("negative", "abs", "integer", "sqrt", "not"), inner)
        | calls(COMPARED, inner, inner)
        | calls(("if_then_else",), inner, inner, inner)
        | tables(inner)
    )


def bounded(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Smooth functions that stay between -2 and 2, so that rounding cannot grow much."""
    sine = calls(("sin", "cos", "tanh", "arctan"), inner)
    positive = calls(("exp",), calls(("negative",), calls(("abs",), sine)))
    return (
        sine
        | positive
        | calls(("ln", "sqrt"), positive)
        | calls(("power",), positive, positive)
        | calls(("multiply", "add"), sine, positive)
    )


EXACT_EXPRESSIONS = st.recursive(LEAVES, exact, max_leaves=8)
SMOOTH_EXPRESSIONS = st.recursive(LEAVES, bounded, max_leaves=8)


def a_system(flows: tuple[Expression, ...], assigned: bool, low: bool, method: Any) -> EquationSystem:
    by_key = {key: Variable(key, key, "constant", Number(1.0), None, "", "") for key in INPUTS}
    options: list[dict[str, bool]] = [{}, {"assigned": assigned}, {"non_negative": low}]
    for key, flow, start, option in zip(STOCKS, flows, ("a", "b", "c"), options, strict=True):
        by_key[key] = Variable(key, key, "stock", flow, Reference(start), "", "", **option)  # type: ignore[arg-type]
    axis = TimeAxis(0, 2, 0.25, 0.25, "", method)
    return EquationSystem(by_key, calculation_order(by_key), starting_order(by_key), axis)


def both(system: EquationSystem, uneven: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What NumPy and the compiled backend make of it: `a` per scenario, `b` and `c` over time."""
    grid = TimeGrid(0, 1, 0.25, (0.0, 0.3, 0.5, 0.75, 1.0) if uneven else ())
    program = compile_program(system, grid, STOCKS, INPUTS)
    random = np.random.default_rng(seed)
    constants = {"a": random.normal(size=19)}
    paths = {"b": random.normal(size=5), "c": random.normal(size=(5, 19))}
    expected = run(program, constants, paths, check=False)
    return expected, run(program, constants, paths, check=False, backend=run_compiled)


SETUP = (st.booleans(), st.booleans(), st.sampled_from(["euler", "rk4"]))


@settings(max_examples=60)
@given(st.tuples(*[EXACT_EXPRESSIONS] * 3), *SETUP, st.booleans(), st.integers(0, 99))
def test_exact_functions_give_the_same_numbers(
    flows: tuple[Expression, ...], assigned: bool, low: bool, method: str, uneven: bool, seed: int
) -> None:
    expected, found = both(a_system(flows, assigned, low, method), uneven, seed)
    assert_array_equal(found, expected)


@settings(max_examples=40)
@given(st.tuples(*[SMOOTH_EXPRESSIONS] * 3), *SETUP, st.booleans(), st.integers(0, 99))
def test_smooth_functions_agree_within_rounding(
    flows: tuple[Expression, ...], assigned: bool, low: bool, method: str, uneven: bool, seed: int
) -> None:
    expected, found = both(a_system(flows, assigned, low, method), uneven, seed)
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    assert np.isfinite(expected).all()
    assert (np.abs(found - expected) <= 1e-12 * (1 + size)).all()
