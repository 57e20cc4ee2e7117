"""Enclosures hold to the last bit: small differences of large numbers, tiny boxes, ends of domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sdopt.equations.enclosure.algebra import LOUD, NOISE, SIZE, Algebra, Form
from sdopt.equations.enclosure.enclose import Box, StraightPath, enclose
from sdopt.equations.enclosure.operations import Operations
from sdopt.equations.expression import Call, Expression, Number, Reference, Time
from sdopt.equations.functions import AS_NUMBER, FUNCTIONS
from sdopt.equations.lookups import lookup_function
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem, TimeAxis, Variable

Long = np.longdouble
D = np.concatenate([np.linspace(-1, 1, 41), [1e-9, -1e-6, 0.5 + 1e-12]])[:, None].astype(Long)
"""Values of the one decision, and of what is worked out from it, in long double."""


def polynomial(algebra: Algebra, form: Form, d: Any = D) -> Any:
    square = (d[:, algebra.rows] * d[:, algebra.columns]) @ form[algebra.quadratic].astype(Long)
    line = d @ form[algebra.linear].astype(Long) + d**3 @ form[algebra.cubes].astype(Long)
    return Long(form[0]) + line + square


def check_exactly(algebra: Algebra, form: Any, truth: Any) -> None:
    """Within errors and noise, and within interval and range, but for the long double's own rounding."""
    assert isinstance(form, np.ndarray)
    own = 1e-17 * (np.abs(form[[0, SIZE]]).sum() + np.abs(truth).max())
    away = np.abs(truth - polynomial(algebra, form))
    assert away.max() <= algebra.error(form) + form[NOISE] + own
    for low, high in (algebra.range(form), (form[1], form[2])):
        assert low - own <= truth.min() and truth.max() <= high + own


def apply(algebra: Algebra, name: str, *values: Any, curved: bool = False) -> Any:
    return Operations(algebra, frozenset({-1}) if curved else frozenset()).apply(FUNCTIONS[name], values)


def from_zero_on(algebra: Algebra) -> tuple[Form, Any]:
    """0 where d <= 0, and 2 + d else: lowest at exactly zero."""
    x = algebra.line(2.0, np.array([1.0]))
    form = apply(algebra, "if_then_else", apply(algebra, "greater", x, 2.0), x, 0.0)
    return form, np.where(D[:, 0] > 0, 2 + D[:, 0], 0)


@pytest.mark.parametrize("exponent", [0.5, 0.3, 1.5])
def test_a_root_from_exactly_zero_on(exponent: float) -> None:
    """At zero a root has no slope, and no polynomial; from 0 to 3 it is anything from 0 to its root."""
    algebra = Algebra(1)
    form, truth = from_zero_on(algebra)
    assert algebra.range(form)[0] == 0.0
    root = apply(algebra, "sqrt", form) if exponent == 0.5 else apply(algebra, "power", form, exponent)
    check_exactly(algebra, root, truth**exponent)


def test_the_root_of_what_is_cut_off_at_zero() -> None:
    """MAX(x, 0) is nowhere below zero, not even by rounding."""
    algebra = Algebra(1)
    x = algebra.line(0.5, np.array([2.0]))
    root = apply(algebra, "sqrt", apply(algebra, "max", x, 0.0))
    check_exactly(algebra, root, np.sqrt(np.maximum(0.5 + 2 * D[:, 0], 0)))


@given(size=st.floats(1e3, 1e15), part=st.floats(1e-12, 1e-2), factor=st.floats(0.1, 10.0))
def test_a_small_difference_of_large_numbers(size: float, part: float, factor: float) -> None:
    """Of x * f - c * f, larger again: what is left is known only to the rounding of what went."""
    algebra = Algebra(1)
    radius = size * part
    x = algebra.line(size, np.array([radius]))
    product, gone = apply(algebra, "multiply", x, factor), size * factor
    left = apply(algebra, "multiply", apply(algebra, "subtract", product, gone), 1 / part)
    truth = ((Long(size) + radius * D[:, 0]) * Long(factor) - Long(gone)) * Long(1 / part)
    check_exactly(algebra, left, truth)


@given(part=st.floats(1e-13, 1e-1), slope=st.floats(-3.0, 3.0))
def test_a_quotient_by_what_hardly_varies(part: float, slope: float) -> None:
    """Of a / b with b from 1 - part to 1 + part: a is not taken for a multiple of b."""
    algebra = Algebra(1)
    a, b = algebra.line(1.0, np.array([slope])), algebra.line(1.0, np.array([part]))
    quotient = apply(algebra, "divide", a, b)
    check_exactly(algebra, quotient, (1 + slope * D[:, 0]) / (1 + part * D[:, 0]))
    assert algebra.error(quotient) + quotient[NOISE] <= 4 * part * (1 + abs(slope))


MOVED = ["exp", "ln", "sqrt", "sin", "cos", "arctan", "tanh", "divide", "power", "abs", "max", "multiply"]


@pytest.mark.parametrize("name", MOVED)
@settings(max_examples=60)
@given(exponent=st.floats(-12, 0), size=st.floats(-6, 9), low=st.floats(0.01, 3.0))
def test_a_function_over_a_tiny_box(name: str, exponent: float, size: float, low: float) -> None:
    """The same function of a decision of any size that hardly varies, in long double."""
    algebra = Algebra(1)
    middle, part = 10.0**size, 10.0**exponent
    argument = algebra.affine(algebra.line(middle, np.array([part * middle])), low / middle, 0.02)
    x = (Long(middle) + Long(part * middle) * D[:, 0]) * Long(low / middle) + Long(0.02)
    more: dict[str, tuple[Any, ...]] = {"power": (2.7,), "max": (low,), "multiply": (argument,)}
    values = (1.0, argument) if name == "divide" else (argument, *more.get(name, ()))
    if low * (1 - part) + 0.02 <= 0:
        return
    truths = {"divide": lambda: 1 / x, "power": lambda: x ** Long(2.7), "multiply": lambda: x * x}
    others = {"max": lambda: np.maximum(x, Long(low)), "ln": lambda: np.log(x)}
    truth = {**truths, **others}.get(name, lambda: getattr(np, name)(x))()
    check_exactly(algebra, apply(algebra, name, *values), truth)


@pytest.mark.parametrize("curved", [False, True], ids=["chord", "quadratic"])
@pytest.mark.parametrize("kind", ["interpolate", "extrapolate"])
@given(at=st.floats(0.001, 0.4), high=st.floats(-1e6, 1e6), moved=st.sampled_from([0.0, 3.0, 1e6]))
def test_a_lookup_with_a_vertical_part(kind: Any, curved: bool, at: float, high: float, moved: float) -> None:
    """Two neighbouring numbers with different values: once scaled they are one."""
    algebra = Algebra(1)
    here = moved + at
    points = (moved - 2, here, float(np.nextafter(here, np.inf)), moved + 2)
    function = lookup_function(points, (0.0, 1.0, high, 2.0), kind)
    operations = Operations(algebra, frozenset({-1}) if curved else frozenset())
    middle = moved - 0.3
    form = operations.apply(function, [algebra.line(middle, np.array([1.0]))])
    x = np.append(np.asarray(middle + D[:, 0], dtype=float), points[1:3])
    out = np.empty((1, len(x)))
    function.real(x[None], out)
    d = (x.astype(Long) - middle)[:, None]
    away = np.abs(out[0] - polynomial(algebra, form, d))
    assert away.max() <= algebra.error(form) + form[NOISE] + 1e-17 * form[SIZE]


@given(moved=st.floats(1e3, 1e9), radius=st.floats(1e-2, 10.0), steep=st.floats(1e-3, 1e6))
def test_lines_of_a_bend_far_from_zero(moved: float, radius: float, steep: float) -> None:
    """Not a hair of what a bend can be is cut off by its lines, however large its argument."""
    algebra = Algebra(1)
    form = algebra.line(moved, np.array([radius]))
    points = (moved - radius / 2, moved, moved + radius / 3)
    function = lookup_function(points, (0.0, steep * radius, 0.5 * steep * radius))
    Operations(algebra, frozenset()).apply(function, [form])
    bend = algebra.errors[0].bend
    assert bend is not None
    x = np.unique(np.clip([*points, moved - radius, moved + radius], moved - radius, moved + radius))
    y = np.empty((1, len(x)))
    function.real(x[None], y)
    for slope, height in bend.above:
        assert (y[0] <= Long(slope) * x.astype(Long) + Long(height)).all()
    for slope, height in bend.below:
        assert (y[0] >= Long(slope) * x.astype(Long) + Long(height)).all()


def test_an_unsettled_choice_of_two_large_numbers() -> None:
    algebra = Algebra(1)
    yes, no = 2.6652497621730552e23, 2.665249762173204e23
    unsettled = apply(algebra, "greater", algebra.line(0.0, np.array([1.0])), 0.0)
    truth = np.asarray(D[:, 0] > 0)
    chosen = apply(algebra, "if_then_else", unsettled, yes, no)
    check_exactly(algebra, chosen, np.where(truth, Long(yes), Long(no)))
    number = Operations(algebra, frozenset()).apply(AS_NUMBER, [unsettled])
    check_exactly(algebra, number, truth.astype(Long))


def system(**equations: Expression) -> EquationSystem:
    """A decision `a` and auxiliaries that follow from it."""
    made = {"a": Variable("a", "a", "constant", Number(1.0), None, "", "")}
    made |= {key: Variable(key, key, "auxiliary", e, None, "", "") for key, e in equations.items()}
    return EquationSystem(made, tuple(made), (), TimeAxis(0.0, 4.0, 1.0, 1.0, "Year"))


def check_enclosed(model: EquationSystem, output: str, weights: Any, low: float, high: float) -> None:
    """Weighted sums over time of a variable, against the simulator at many values of the decision."""
    program = compile_program(model, TimeGrid(0.0, 4.0, 1.0), (output,), ("a",))
    paths = {"a": StraightPath(np.zeros(5), np.ones((5, 1)))}
    box = Box(np.array([low]), np.array([high]), paths)
    form = enclose(program, box, sparse.csr_matrix(np.array([weights]))).values[0]
    assert isinstance(form, np.ndarray)
    a = np.linspace(low, high, 201)
    values = run(program, paths={"a": np.tile(a, (5, 1))})[0]
    truth = (np.array(weights)[:, None].astype(Long) * values.astype(Long)).sum(axis=0)
    algebra = Algebra(1)
    algebra.errors = []
    d = ((a.astype(Long) - box.middle) / box.radius)[:, None]
    away = np.abs(truth - polynomial(algebra, form, d))
    assert away.max() <= np.abs(form[algebra.size :]).sum() + form[NOISE]


def test_numbers_beside_forms_in_a_sum() -> None:
    """Large numbers until time 2, which the last one takes away again; then a decision."""
    later = Call("greater", (Time(), Number(2.5)))
    large = Call("divide", (Call("add", (Time(), Number(1e9))), Number(3.0)))
    model = system(out=Call("if_then_else", (later, Reference("a"), large)))
    check_enclosed(model, "out", [0.1, 0.7, -0.8, 1.0, 0.0], 1e-9, 3e-9)


def test_minus_zero_is_not_zero() -> None:
    """ARCTAN(1 / x) jumps where x goes from -0 to 0, though the two are equal."""
    none = Call("multiply", (Call("subtract", (Time(), Number(2.0))), Number(0.0)))
    side = Call("arctan", (Call("divide", (Number(1.0), none)),))
    model = system(side=side, out=Call("multiply", (Reference("a"), Reference("side"))))
    check_enclosed(model, "out", [0.0, 1.0, 0.0, 1.0, 0.0], 1.0, 2.0)


def test_noise_of_a_stock_fades_with_it() -> None:
    """In x + (1 - x / 2 - x / 2) the same x stands three times: noise alone would double at every step."""
    algebra = Algebra(1)
    operations = Operations(algebra, frozenset())
    start = algebra.affine(algebra.line(1.0, np.array([0.1])), 1 / 3, 1 / 7)
    stock = start
    for _ in range(200):
        half = operations.product(stock, 0.5)
        flow = operations.sum(operations.sum(1.0, half, -1.0), half, -1.0)
        stock = operations.narrowed(operations.sum(stock, flow, 0.9))
        assert stock[NOISE] <= LOUD * stock[SIZE]
    low, high = algebra.range(stock)
    assert low <= 1.0 <= high and high - low < 1e-9
