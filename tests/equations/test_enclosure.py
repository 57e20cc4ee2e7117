"""Enclosures hold what they enclose: held against the functions and the simulator, at many points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.config.load import load_config
from sdopt.equations.enclosure.algebra import FIRST, Algebra, CannotEncloseError, Form
from sdopt.equations.enclosure.curves import CURVES
from sdopt.equations.enclosure.enclose import Box, Enclosures, StraightPath, enclose
from sdopt.equations.enclosure.operations import Operations
from sdopt.equations.functions import AS_NUMBER, AS_TRUTH, FUNCTIONS, Function
from sdopt.equations.lookups import lookup_function
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]
FIRST_VERSION = ROOT / "benchmarks" / "problems" / "first-version" / "configs" / "voorbeeld-100k.yaml"
COUNT = 3
ROUNDING = 1e-9

numbers = st.floats(-2.0, 2.0, allow_subnormal=False)


@st.composite
def forms(draw: st.DrawFn, algebra: Algebra, low: float = -2.0, high: float = 2.0) -> Form:
    """A polynomial in three decisions, moved and scaled so that it stays between low and high."""
    values = draw(st.lists(numbers, min_size=algebra.size, max_size=algebra.size))
    form = np.array(values) * 2.0 ** -draw(st.integers(0, 8))
    form[:FIRST] = 0.0, -np.inf, np.inf, 0.0, 0.0
    least, most = algebra.range(form)
    middle, radius = (least + most) / 2, max((most - least) / 2, 1e-12)
    width = draw(st.floats(0.01, 1.0)) * (high - low) / 2
    moved = algebra.affine(form, width / radius, (low + high) / 2 - middle * width / radius)
    return algebra.between(moved, -np.inf, np.inf)


def points(seed: int = 0, count: int = 100) -> Form:
    """Random decisions and all corners."""
    inside = np.random.default_rng(seed).uniform(-1, 1, (count, COUNT))
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * COUNT)).reshape(COUNT, -1).T
    return np.vstack([inside, corners])


def polynomial(algebra: Algebra, form: Form, d: Form) -> Form:
    """The part of a form without its errors, at decisions (point, decision)."""
    square = np.einsum("ki,ij,kj->k", d, algebra.symmetric(form), d)
    return np.asarray(form[0] + d @ form[algebra.linear] + square + d**3 @ form[algebra.cubes])


def check_holds(algebra: Algebra, form: Any, d: Form, truth: Form) -> None:
    if not isinstance(form, np.ndarray):
        assert np.allclose(truth, form, rtol=1e-12)
        return
    away = np.abs(truth - polynomial(algebra, form, d))
    assert away.max() <= algebra.error(form) + ROUNDING * (1 + np.abs(truth).max())
    low, high = algebra.range(form)
    assert low - ROUNDING <= truth.min() and truth.max() <= high + ROUNDING


def applied(function: Function, *values: Form) -> Form:
    """The function itself, in NumPy."""
    out = np.empty((1, len(values[0])), bool if function.gives_truth else float)
    function.real(*(np.reshape(value, (1, -1)) for value in values), out)
    return np.asarray(out[0])


# Where each function of two or one numbers is defined.
POSITIVE, ANY, UNIT = (0.1, 3.0), (-2.0, 2.0), (-0.9, 0.9)
DEFINED = {
    "add": (ANY, ANY),
    "subtract": (ANY, ANY),
    "multiply": (ANY, ANY),
    "divide": (ANY, POSITIVE),
    "negative": (ANY,),
    "power": (POSITIVE, ANY),
    "min": (ANY, ANY),
    "max": (ANY, ANY),
    "abs": (ANY,),
    "exp": (ANY,),
    "ln": (POSITIVE,),
    "sqrt": (POSITIVE,),
    "sin": (ANY,),
    "cos": (ANY,),
    "tan": ((-1.2, 1.2),),
    "arcsin": (UNIT,),
    "arccos": (UNIT,),
    "arctan": (ANY,),
    "sinh": (ANY,),
    "cosh": (ANY,),
    "tanh": (ANY,),
    "integer": (ANY,),
    "remainder": (ANY, POSITIVE),
}
OTHERS = {
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "equal",
    "not_equal",
    "and",
    "or",
    "not",
    "if_then_else",
}


def test_every_function_is_tried() -> None:
    assert DEFINED.keys() | OTHERS == FUNCTIONS.keys()


@pytest.mark.parametrize("curved", [False, True], ids=["chord", "quadratic"])
@pytest.mark.parametrize("name", DEFINED)
@settings(max_examples=30)
@given(data=st.data())
def test_a_function_of_forms(name: str, curved: bool, data: st.DataObject) -> None:
    algebra = Algebra(COUNT)
    operations = Operations(algebra, frozenset({-1}) if curved else frozenset())
    arguments = [data.draw(forms(algebra, *domain)) for domain in DEFINED[name]]
    d = points()
    truth = applied(FUNCTIONS[name], *(polynomial(algebra, form, d) for form in arguments))
    try:
        check_holds(algebra, operations.apply(FUNCTIONS[name], arguments), d, truth)
    except CannotEncloseError:
        # A form's range may be a little wider than its values; only domains with an edge may be refused.
        assert name in ("divide", "power", "ln", "sqrt", "tan", "arcsin", "arccos")


@pytest.mark.parametrize("other", [-1.5, 0.0, 2.0])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "min", "max"])
@given(data=st.data())
def test_a_form_and_a_number(name: str, other: float, data: st.DataObject) -> None:
    algebra = Algebra(COUNT)
    form = data.draw(forms(algebra, 0.5, 2.0))
    d = points()
    value = polynomial(algebra, form, d)
    operations = Operations(algebra, frozenset())
    for arguments in ([form, other], [other, form]):
        if name == "power" and other <= 0 and arguments[0] is other:
            continue
        if name == "divide" and other == 0 and arguments[1] is other:
            continue
        truths = [value if argument is form else np.full(len(d), other) for argument in arguments]
        check_holds(
            algebra, operations.apply(FUNCTIONS[name], arguments), d, applied(FUNCTIONS[name], *truths)
        )


@pytest.mark.parametrize("kind", ["interpolate", "extrapolate", "hold_backward", "look_forward"])
@pytest.mark.parametrize("curved", [False, True], ids=["chord", "quadratic"])
@given(data=st.data())
def test_a_lookup(kind: Any, curved: bool, data: st.DataObject) -> None:
    algebra = Algebra(COUNT)
    x = sorted(data.draw(st.sets(st.integers(-8, 8), min_size=2, max_size=6)))
    y = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    function = lookup_function(tuple(v / 4 for v in x), tuple(y), kind)
    form = data.draw(forms(algebra))
    operations = Operations(algebra, frozenset({-1}) if curved else frozenset())
    d = points()
    check_holds(
        algebra, operations.apply(function, [form]), d, applied(function, polynomial(algebra, form, d))
    )


@given(data=st.data())
def test_a_bend_keeps_to_its_lines(data: st.DataObject) -> None:
    """The lines of the convex hull hold for the value that goes with each argument."""
    algebra = Algebra(COUNT)
    x = sorted(data.draw(st.sets(st.integers(-8, 8), min_size=2, max_size=6)))
    y = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    function = lookup_function(tuple(v / 4 for v in x), tuple(y))
    form = data.draw(forms(algebra))
    Operations(algebra, frozenset()).apply(function, [form])
    argument = polynomial(algebra, form, points())
    value = applied(function, argument)
    for error in algebra.errors:
        assert error.bend is not None
        for slope, height in error.bend.above:
            assert (value <= slope * argument + height + ROUNDING).all()
        for slope, height in error.bend.below:
            assert (value >= slope * argument + height - ROUNDING).all()


@given(
    data=st.data(),
    name=st.sampled_from(["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]),
)
def test_a_comparison_is_settled_only_if_it_is(data: st.DataObject, name: str) -> None:
    algebra = Algebra(COUNT)
    a, b = data.draw(forms(algebra)), data.draw(st.one_of(forms(algebra), numbers))
    d = points()
    other = polynomial(algebra, b, d) if isinstance(b, np.ndarray) else np.full(len(d), b)
    truth = applied(FUNCTIONS[name], polynomial(algebra, a, d), other)
    settled = Operations(algebra, frozenset()).apply(FUNCTIONS[name], [a, b])
    assert settled is None or (truth == settled).all()


@given(data=st.data(), yes=numbers)
def test_a_choice_that_is_not_settled_holds_both(data: st.DataObject, yes: float) -> None:
    algebra = Algebra(COUNT)
    a, no = data.draw(forms(algebra)), data.draw(forms(algebra))
    operations = Operations(algebra, frozenset())
    d = points()
    condition = operations.apply(FUNCTIONS["greater"], [a, 0.0])
    truth = np.where(polynomial(algebra, a, d) > 0, yes, polynomial(algebra, no, d))
    check_holds(algebra, operations.apply(FUNCTIONS["if_then_else"], [condition, yes, no]), d, truth)
    number = operations.apply(AS_NUMBER, [condition])
    check_holds(algebra, number, d, np.where(polynomial(algebra, a, d) > 0, 1.0, 0.0))


def test_truths_of_three_values() -> None:
    apply = Operations(Algebra(1), frozenset()).apply
    assert apply(FUNCTIONS["and"], [None, False]) is False
    assert apply(FUNCTIONS["and"], [None, True]) is None
    assert apply(FUNCTIONS["or"], [None, True]) is True
    assert apply(FUNCTIONS["or"], [False, None]) is None
    assert apply(FUNCTIONS["not"], [None]) is None
    around = Algebra(1).line(0.0, np.array([1.0]))
    assert apply(AS_TRUTH, [around]) is None
    assert apply(AS_TRUTH, [Algebra(1).affine(around, 1.0, 2.0)]) is True


@pytest.mark.parametrize("name", CURVES)
def test_third_and_fourth_derivatives_are_bounded(name: str) -> None:
    """Against differences of the exact lower derivative, on many small intervals."""
    curve = CURVES[name]
    low, high = max(curve.domain[0], -3.0) + 0.05, min(curve.domain[1], 3.0) - 0.05
    x = np.linspace(low, high, 601)
    step = x[1] - x[0]
    values = np.array([curve.value(v) for v in x], dtype=float)
    for order, bound in ((3, curve.third), (4, curve.fourth)):
        differences = np.abs(np.diff(values, order)) / step**order  # a mean of the derivative in between
        for k in range(0, len(differences), 7):
            assert differences[k] <= bound(x[k], x[k + order]) * (1 + 1e-3) + 1e-4


def test_a_divisor_that_may_be_zero_is_refused() -> None:
    algebra = Algebra(1)
    with pytest.raises(CannotEncloseError, match="anything from -1 to 1"):
        Operations(algebra, frozenset()).apply(FUNCTIONS["divide"], [1.0, algebra.line(0.0, np.array([1.0]))])


@given(data=st.data())
def test_half_the_box_has_an_eighth_of_the_error(data: st.DataObject) -> None:
    """Order two: what a product of curves misses falls with the cube of the width."""
    slopes = np.array(data.draw(st.lists(st.floats(0.1, 0.5), min_size=COUNT, max_size=COUNT)))
    errors = []
    for width in (0.4, 0.2, 0.1):
        algebra = Algebra(COUNT)
        operations = Operations(algebra, frozenset())
        a = algebra.line(2.0, width * slopes)
        b = operations.apply(FUNCTIONS["exp"], [algebra.line(0.0, width * slopes[::-1])])
        errors.append(algebra.error(operations.apply(FUNCTIONS["divide"], [b, a])))
    assert errors[1] <= errors[0] / 6 and errors[2] <= errors[1] / 6


@pytest.fixture(scope="module")
def first() -> Problem:
    """The frozen first version of the model of the social domain."""
    loaded = load_config(FIRST_VERSION)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def paths_of(problem: Problem) -> dict[str, StraightPath]:
    size = problem.decisions.size
    base = problem.decisions.expand(np.zeros((1, size)))
    unit = problem.decisions.expand(np.eye(size))
    return {key: StraightPath(base[key][:, 0], unit[key] - base[key]) for key in base}


def enclosed(problem: Problem, middle: Form, part: float, **more: Any) -> tuple[Box, Enclosures]:
    """Enclosures over a box of a part of the bounds, around a point."""
    low, high = problem.decisions.lower(), problem.decisions.upper()
    box = Box(
        np.maximum(middle - part * (high - low), low),
        np.minimum(middle + part * (high - low), high),
        paths_of(problem),
    )
    return box, enclose(problem.evaluator.program, box, problem.evaluator.matrix, **more)


@pytest.mark.parametrize("part", [0.5, 0.1, 0.01])
def test_the_model_of_the_social_domain(first: Problem, part: float) -> None:
    """Objective, parts and constraints of 200 simulated allocations lie in what the box allows them."""
    box, found = enclosed(first, first.decisions.null_vector(), part)
    chosen = np.random.default_rng(7).uniform(box.lower, box.upper, (200, first.decisions.size))
    truth = first.evaluator.values(chosen).value
    d = (chosen - box.middle) / box.radius
    for row, form in enumerate(found.values):
        size = 1e-9 * max(1.0, float(np.abs(truth[:, row]).max()))
        if isinstance(form, float):
            assert np.abs(truth[:, row] - form).max() <= size
            continue
        away = np.abs(truth[:, row] - polynomial(found.algebra, form, d))
        assert away.max() <= found.algebra.error(form) + size


def test_the_middle_of_a_point_is_the_simulation(first: Problem) -> None:
    """A box without width is one run: the numbers are the simulator's."""
    point = first.decisions.null_vector()
    _, found = enclosed(first, point, 0.0)
    assert not found.algebra.errors
    truth = first.evaluator.values(point[None]).value[0]
    assert np.allclose(np.array(found.values, dtype=float), truth, rtol=1e-12)
