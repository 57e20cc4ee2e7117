"""Derivatives: reverse against complex step, finite differences and what is known exactly."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.equations import backward
from sdopt.equations.differentiate import complex_step, reverse
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem, Kind, Method, TimeAxis, Variable
from sdopt.errors import SimulationError
from sdopt.source_model.read import read_model

MODELS = Path(__file__).parents[1] / "models"
SYSTEM = read_model(MODELS / "every_function.mdl").system
GRID = TimeGrid(1, 9, 0.25)
STEPS = GRID.steps + 1
PROGRAM = compile_program(SYSTEM, GRID, tuple(SYSTEM.variables), ("budget", "slope"))


def _point(seed: int) -> tuple[dict[str, np.ndarray], np.random.Generator]:
    random = np.random.default_rng(seed)
    return {"budget": random.uniform(1, 6, STEPS), "slope": random.uniform(0.1, 1, STEPS)}, random


def _many(scenarios: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    random = np.random.default_rng(3)
    paths = {key: random.uniform(0.5, 4, (STEPS, scenarios)) for key in ("budget", "slope")}
    return paths, random.normal(size=(2, len(PROGRAM.outputs), STEPS))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_reverse_is_complex_step(seed: int) -> None:
    paths, random = _point(seed)
    weights = random.normal(size=(3, len(PROGRAM.outputs), STEPS))
    values, found = reverse(PROGRAM, {}, paths, weights)
    expected = np.einsum("fot,ots->fs", weights, run(PROGRAM, {}, paths))
    assert values == pytest.approx(expected, rel=1e-12, abs=1e-9)
    for key in paths:
        _check(PROGRAM, {}, paths, weights, key, found[key][:, :, 0])


def _check(
    program: Program,
    constants: dict[str, float],
    paths: dict[str, np.ndarray],
    weights: np.ndarray,
    key: str,
    found: np.ndarray,
) -> None:
    """A gradient by one path, (functional, steps + 1), is that of complex step."""
    every = np.eye(program.grid.steps + 1)
    _, derivative = complex_step(program, constants, paths, {key: every})
    expected = np.einsum("fot,otd->fd", weights, derivative)
    scale = np.einsum("fot,otd->fd", np.abs(weights), np.abs(derivative)).max()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * scale)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_complex_step_is_the_finite_difference(seed: int) -> None:
    """At random points no kink is within the small step; comparisons of outputs would show one."""
    paths, random = _point(seed)
    direction = random.normal(size=STEPS)
    _, derivative = complex_step(PROGRAM, {}, paths, {"budget": direction[:, np.newaxis]})
    small = 1e-6
    ends = [run(PROGRAM, {}, {**paths, "budget": paths["budget"] + s * direction}) for s in (small, -small)]
    difference = (ends[0] - ends[1])[:, :, 0] / (2 * small)
    smooth = np.array([key not in ("whole", "compared") for key in PROGRAM.outputs])
    scale = np.abs(difference[smooth]).max()
    assert derivative[smooth, :, 0] == pytest.approx(difference[smooth], rel=1e-5, abs=1e-7 * scale)


@pytest.mark.parametrize(
    ("equation", "at", "slope"),
    [
        ("MIN(x, 2)", 2, 1.0),
        ("MIN(2, x)", 2, 0.0),
        ("MAX(x, 2)", 2, 1.0),
        ("MAX(2, x)", 2, 0.0),
        ("ABS(x)", 0, 1.0),
        ("INTEGER(x)", 1, 0.0),
        ("WITH LOOKUP(x, ([(0,0)-(2,5)],(0,0),(1,1),(2,5)))", 1, 4.0),
        ("WITH LOOKUP(x, ([(0,0)-(2,5)],(0,0),(1,1),(2,5)))", 0, 1.0),
        ("WITH LOOKUP(x, ([(0,0)-(2,5)],(0,0),(1,1),(2,5)))", 2, 0.0),
        ("IF THEN ELSE(x > 1, 5*x, 3*x)", 1, 3.0),
        ("ZIDZ(x, x)", 0, 0.0),
        ("IF THEN ELSE(x > 0, SQRT(x), 2*x)", 0, 2.0),
        ("3*x - x - x + x*x", 2, 5.0),
        ("SQRT(MIN(x, 0))", 1, 0.0),
    ],
)
def test_the_side_taken_at_a_kink(tmp_path: Path, equation: str, at: float, slope: float) -> None:
    path = tmp_path / "kink.mdl"
    times = "INITIAL TIME = 0 ~ ~ |\n" + "".join(
        f"{n} = 1 ~ ~ |\n" for n in ("FINAL TIME", "TIME STEP", "SAVEPER")
    )
    path.write_text(f"{{UTF-8}}\nx = 1 ~ ~ |\ny = {equation} ~ ~ |\n{times}", encoding="utf-8")
    program = compile_program(read_model(path).system, TimeGrid(0, 1, 1), ("y",), ("x",))
    paths = {"x": np.full(2, float(at))}
    _, forward = complex_step(program, {}, paths, {"x": np.ones((2, 1))})
    _, back = reverse(program, {}, paths, np.ones((1, 1, 2)))
    assert list(forward[0, :, 0]) == [slope, slope]
    assert list(back["x"][0, :, 0]) == [slope, slope]


def _variable(
    key: str, expression: Expression, initial: Expression | None = None, **more: object
) -> Variable:
    kind: Kind = "stock" if initial is not None else "auxiliary"
    if isinstance(expression, Number) and initial is None:
        kind = "constant"
    return Variable(key, key.title(), kind, expression, initial, "", "", **more)  # type: ignore[arg-type]


def _system(*variables: Variable, method: Method = "euler") -> EquationSystem:
    by_key = {v.key: v for v in variables}
    time = TimeAxis(0, 1, 1, 1, "Year", method)
    return EquationSystem(by_key, calculation_order(by_key), starting_order(by_key), time)


def _call(name: str, *arguments: Expression) -> Call:
    return Call(name, arguments)


X, U, C = Reference("x"), Reference("u"), Reference("c")
INPUTS = (_variable("u", Number(1.0)), _variable("c", Number(1.0)))
LAST = np.r_[np.zeros(8), 1.0].reshape(1, 1, 9)


def _end_of(system: EquationSystem, grid: TimeGrid, c: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, dict]:
    """The last value of x, (scenario,), and its gradients by u (steps + 1, scenario) and c (scenario,)."""
    program = compile_program(system, grid, ("x",), ("u", "c"))
    values, gradients = reverse(program, {"c": c}, {"u": u}, LAST)
    return values[0], {key: gradient[0] for key, gradient in gradients.items()}


def test_the_gradient_of_decay_with_inflow_is_known() -> None:
    """After x' = u - c x with x0 = 3 c: each inflow decays over the steps that are left."""
    flow = _call("subtract", U, _call("multiply", C, X))
    system = _system(_variable("x", flow, _call("multiply", Number(3.0), C)), *INPUTS)
    c, u, h = np.array([0.1, 0.5, 0.9]), np.arange(27.0).reshape(9, 3), 0.5
    value, gradient = _end_of(system, TimeGrid(0, 4, h), c, u)
    factor, left = 1 - h * c, np.arange(7, -1, -1)[:, np.newaxis]
    slopes = h * factor**left
    assert value == pytest.approx(3 * c * factor**8 + (slopes * u[:8]).sum(axis=0), rel=1e-13)
    assert gradient["u"][:8] == pytest.approx(slopes, rel=1e-13)
    assert not gradient["u"][8].any()
    inflow = (-(h**2) * left * factor ** np.maximum(left - 1, 0) * u[:8]).sum(axis=0)
    assert gradient["c"] == pytest.approx(3 * factor**8 - 24 * c * h * factor**7 + inflow, rel=1e-12)


def test_the_gradient_through_runge_kutta_is_known() -> None:
    """A step of x' = c x is the polynomial p(h c) = 1 + hc + ... + (hc)^4/24; p' is its cubic part."""
    system = _system(_variable("x", _call("multiply", C, X), U), *INPUTS, method="rk4")
    c, h = np.array([0.3, -0.7]), 0.5
    _, gradient = _end_of(system, TimeGrid(0, 4, h), c, np.full((9, 2), 2.0))
    z = h * c
    p, slope = 1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24, 1 + z + z**2 / 2 + z**3 / 6
    assert gradient["c"] == pytest.approx(2 * 8 * p**7 * h * slope, rel=1e-12)
    assert gradient["u"][0] == pytest.approx(p**8, rel=1e-12)
    assert not gradient["u"][1:].any()


def test_the_gradient_over_uneven_steps_is_known() -> None:
    moments = (0.0, 0.1, 0.4, 0.5, 1.0, 1.25, 1.5, 2.0, 3.0)
    widths = np.diff(moments)
    system = _system(_variable("x", _call("multiply", _call("negative", C), X), U), *INPUTS)
    c = np.array([0.2])
    _, gradient = _end_of(system, TimeGrid(0.0, 3.0, 0.1, moments), c, np.ones((9, 1)))
    whole = np.prod(1 - widths * c)
    assert gradient["u"][0] == pytest.approx(whole, rel=1e-13)
    assert gradient["c"] == pytest.approx(whole * (-widths / (1 - widths * c)).sum(), rel=1e-12)


def test_a_pipeline_hands_the_derivative_back_whole() -> None:
    system = _system(
        _variable("x", _call("multiply", C, U), Number(0.0), assigned=True, delay=Number(1.5)), *INPUTS
    )
    _, gradient = _end_of(system, TimeGrid(0, 4, 0.5), np.array([2.0]), np.arange(9.0)[:, np.newaxis])
    assert list(gradient["u"][:, 0]) == [0, 0, 0, 0, 0, 2, 0, 0, 0]
    assert list(gradient["c"]) == [5.0]


@st.composite
def _expressions(draw: st.DrawFn, keys: tuple[str, ...], depth: int = 3, initial: bool = True) -> Expression:
    """Bounded expressions with many ties: small whole numbers, and functions with a kink."""
    leaves = st.one_of(
        st.integers(-2, 2).map(lambda n: Number(float(n))),
        st.sampled_from([*map(Reference, keys), Time()]),
    )
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(leaves)
    kinds = [
        "add",
        "subtract",
        "multiply",
        "min",
        "max",
        "abs",
        "sin",
        "tanh",
        "root",
        "ratio",
        "if",
        "graph",
    ]
    kind = draw(st.sampled_from([*kinds, "initial"] if initial else kinds))
    a, b, c = (draw(_expressions(keys, depth - 1, initial)) for _ in range(3))
    built: dict[str, Expression] = {
        "abs": _call("abs", a),
        "sin": _call("sin", a),
        "tanh": _call("tanh", a),
        "root": _call("sqrt", _call("add", Number(0.5), _call("abs", a))),
        "ratio": _call("divide", a, _call("add", Number(1.5), _call("multiply", b, b))),
        "if": _call("if_then_else", _call("less", a, b), b, c),
        "graph": Lookup((-1.0, 0.0, 2.0), (1.0, -1.0, 3.0), a),
        "initial": _call("initial", a),
    }
    return built.get(kind) or _call(kind, a, b)


@st.composite
def _systems(draw: st.DrawFn) -> EquationSystem:
    """Three stocks of any kind and two auxiliaries that may follow from all of them."""
    stocks, inputs = ("p", "q", "r"), ("u", "c")
    variables = list(INPUTS)
    for place, key in enumerate(stocks):
        start = draw(_expressions((*inputs, *stocks[:place]), 2, initial=False))
        flow = draw(_expressions((*stocks, *inputs, "a")))
        kinds = [{}, {"non_negative": True}, {"assigned": True}, {"assigned": True, "delay": Number(1.0)}]
        kind = draw(st.sampled_from(kinds))
        bounded = _call("tanh", flow) if draw(st.booleans()) else flow
        variables.append(_variable(key, bounded, start, **kind))
    # An auxiliary is needed at the start when INITIAL( ) or a starting value asks for it.
    variables.append(_variable("a", _call("add", draw(_expressions((*stocks, *inputs))), X)))
    variables.append(_variable("b", draw(_expressions((*stocks, *inputs, "a")))))
    variables.append(_variable("x", _call("tanh", Reference("p")), U))
    return _system(*variables, method=draw(st.sampled_from(["euler", "rk4"])))


@settings(max_examples=60, deadline=None)
@given(_systems(), st.integers(0, 10_000), st.booleans())
def test_reverse_is_complex_step_in_any_system(system: EquationSystem, seed: int, uneven: bool) -> None:
    """For whole inputs, where many kinks are hit exactly, and others; as paths, and as constants."""
    random = np.random.default_rng(seed)
    moments = (0.0, 0.5, 0.75, 1.75, 2.0, 3.0)
    grid = TimeGrid(0.0, 3.0, 0.5, moments) if uneven else TimeGrid(0, 3, 0.5)
    saved = (1, 2, grid.steps - 1)
    program = compile_program(system, grid, ("b", "p", "x", "r"), ("u", "c"), saved)
    inputs = random.integers(-2, 3, (2, grid.steps + 1)) + random.choice([0.0, 0.3], (2, 1))
    inputs[1] = inputs[1, 0]
    weights = random.integers(-2, 3, (2, 4, 3)).astype(float)
    if not np.abs(run(program, {}, {"u": inputs[0], "c": inputs[1]}, check=False)).max() < 1e6:
        return
    paths = {"u": inputs[0], "c": inputs[1]}
    _, by_path = reverse(program, {}, paths, weights)
    for key in paths:
        _check(program, {}, paths, weights, key, by_path[key][:, :, 0])
    _, by_constant = reverse(program, {"c": inputs[1, 0]}, {"u": inputs[0]}, weights)
    scale = max(np.abs(by_path["c"]).max(), 1.0)
    assert by_constant["c"] == pytest.approx(by_path["c"].sum(axis=1), rel=1e-9, abs=1e-9 * scale)


@pytest.mark.parametrize("threads, kept, stretch", [(1, 1, 1), (2, 10**6, 10**5), (3, 3 * 10**6, 10**9)])
def test_the_answer_does_not_depend_on_blocks_or_threads(
    monkeypatch: pytest.MonkeyPatch, threads: int, kept: int, stretch: int
) -> None:
    paths, weights = _many(23)
    values, gradients = reverse(PROGRAM, {}, paths, weights, threads=1)
    monkeypatch.setattr(backward, "KEPT", kept)
    monkeypatch.setattr(backward, "STRETCH", stretch)
    in_blocks = reverse(PROGRAM, {}, paths, weights, threads=threads)
    assert in_blocks[0].tobytes() == values.tobytes()
    for key, gradient in gradients.items():
        assert in_blocks[1][key].tobytes() == gradient.tobytes()


def test_every_scenario_has_its_own_gradient() -> None:
    paths, weights = _many(3)
    values, gradients = reverse(PROGRAM, {}, paths, weights)
    for s in range(3):
        value, gradient = reverse(PROGRAM, {}, {key: path[:, s] for key, path in paths.items()}, weights)
        assert values[:, s] == pytest.approx(value[:, 0], rel=1e-12)
        for key in paths:
            assert gradients[key][:, :, s] == pytest.approx(gradient[key][:, :, 0], rel=1e-9, abs=1e-9)


def test_one_functional_of_many_is_as_if_it_were_alone() -> None:
    paths, weights = _many(2)
    _, both = reverse(PROGRAM, {}, paths, weights)
    _, alone = reverse(PROGRAM, {}, paths, weights[1:])
    assert both["budget"][1].tobytes() == alone["budget"][0].tobytes()


def test_a_derivative_that_is_no_number_is_named() -> None:
    root = _variable("x", _call("sqrt", U))
    program = compile_program(_system(root, INPUTS[0]), TimeGrid(0, 2, 1), ("x",), ("u",))
    path = np.array([[4.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    with pytest.raises(SimulationError, match=r'by "u" at time 2 is inf \(scenario 1\)'):
        reverse(program, {}, {"u": path}, np.ones((1, 1, 3)))
    weights = np.array([[[1.0, 1.0, 0.0]]])  # what is not asked for does no harm
    _, gradient = reverse(program, {}, {"u": path}, weights)
    assert gradient["u"][0].tolist() == [[0.25, 0.5], [0.5, 0.5], [0.0, 0.0]]
    with pytest.raises(SimulationError, match=r'"X" is nan at time 1 \(scenario 1\)'):
        reverse(program, {}, {"u": np.array([[1.0, 1], [1, -1], [1, 1]])}, weights)
    with pytest.raises(SimulationError, match="weights have shape"):
        reverse(program, {}, {"u": path}, np.ones((1, 2, 3)))
