"""What is simplified has the value it had: known numbers against the same numbers given to the run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Number, Reference
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem, TimeAxis, Variable

NUMBERS = {"zero": 0.0, "minus_zero": -0.0, "one": 1.0, "two": 2.0, "quarter": -0.25, "seven": 7.0}
GRID = TimeGrid(0, 3, 1)
ARITY = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "negative": 1, "min": 2, "max": 2, "abs": 1}
LOGIC = {"and": 2, "or": 2, "not": 1, "less": 2, "if_then_else": 3, "equal": 2}
LEAVES = st.sampled_from([Reference(key) for key in ("x", "y", *NUMBERS)])


def _calls(smaller: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        *(st.builds(Call, st.just(f), st.tuples(*[smaller] * n)) for f, n in (ARITY | LOGIC).items())
    )


def _program(expression: Expression, inputs: tuple[str, ...] = ()) -> Program:
    variables = {
        "x": Variable("x", "x", "stock", Number(-1.25), Number(2.5), "", ""),
        "y": Variable("y", "y", "stock", Number(1.0), Number(-0.0), "", ""),
        "z": Variable("z", "z", "auxiliary", expression, None, "", ""),
    }
    variables |= {key: Variable(key, key, "constant", Number(v), None, "", "") for key, v in NUMBERS.items()}
    time = TimeAxis(0, 3, 1, 1, "Year")
    system = EquationSystem(variables, calculation_order(variables), starting_order(variables), time)
    return compile_program(system, GRID, ("z",), inputs)


@settings(max_examples=400, deadline=None)
@given(st.recursive(LEAVES, _calls, max_leaves=10))
def test_no_bit_of_a_value_changes(expression: Expression) -> None:
    known = run(_program(expression), check=False)
    given_to_the_run = run(_program(expression, tuple(NUMBERS)), NUMBERS, check=False)
    assert np.array_equal(known, given_to_the_run, equal_nan=True)
    assert np.array_equal(np.signbit(known)[~np.isnan(known)], np.signbit(given_to_the_run)[~np.isnan(known)])


def call(name: str, *arguments: Expression | float) -> Call:
    return Call(name, tuple(Number(a) if isinstance(a, float) else a for a in arguments))


X, Y = Reference("x"), Reference("y")


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        (call("multiply", X, 1.0), []),
        (call("divide", call("negative", call("negative", X)), 1.0), []),
        (call("add", X, call("negative", Y)), ["subtract"]),
        (call("divide", X, 8.0), ["multiply"]),
        (call("divide", X, 10.0), ["divide"]),
        (call("power", X, 2.0), ["multiply"]),
        (call("power", X, 0.5), ["sqrt"]),
        (call("power", X, -1.0), ["divide"]),
        (call("power", X, 1.5), ["power"]),
        (call("if_then_else", call("less", 1.0, 2.0), X, Y), []),
        (call("if_then_else", call("and", call("less", 2.0, 1.0), X), X, call("exp", Y)), ["exp"]),
        (call("if_then_else", call("or", call("less", X, Y), call("less", 1.0, 2.0)), X, Y), []),
        (call("not", call("not", call("less", X, Y))), ["less", "as_number"]),
        (call("add", call("multiply", X, Y), call("multiply", Y, X)), ["multiply", "add"]),
        (call("max", X, X), []),
        (call("subtract", X, 0.0), []),
        (call("add", X, 0.0), ["add"]),
    ],
)
def test_instructions_that_are_left(expression: Expression, left: list[str]) -> None:
    names = [instruction.function.name for instruction in _program(expression).loop]
    assert names == left


@pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0, 0.0, 1.0])
def test_powers_are_as_close_as_any_library(exponent: float) -> None:
    values = run(_program(call("power", X, exponent)), check=False)[0, :2, 0]
    assert values == pytest.approx([2.5**exponent, 1.25**exponent], rel=3e-16)


def test_a_sum_of_ten_thousand_terms() -> None:
    """Deeper than Python's recursion."""
    total: Expression = X
    for _ in range(10_000):
        total = call("add", total, Y)
    assert run(_program(total))[0, :, 0] == pytest.approx(2.5 + np.arange(4) * (10_000 - 1.25))
