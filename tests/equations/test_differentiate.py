"""Derivatives: reverse against complex step, and both against finite differences."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.equations.differentiate import complex_step, reverse
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.source_model.read import read_model

MODELS = Path(__file__).parents[1] / "models"
SYSTEM = read_model(MODELS / "every_function.mdl").system
GRID = TimeGrid(1, 9, 0.25)
STEPS = GRID.steps + 1
PROGRAM = compile_program(SYSTEM, GRID, tuple(SYSTEM.variables), ("budget", "slope"))


def _point(seed: int) -> tuple[dict[str, np.ndarray], np.random.Generator]:
    random = np.random.default_rng(seed)
    return {"budget": random.uniform(1, 6, STEPS), "slope": random.uniform(0.1, 1, STEPS)}, random


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_reverse_is_complex_step(seed: int) -> None:
    paths, random = _point(seed)
    weights = random.normal(size=(3, len(PROGRAM.outputs), STEPS))
    every = np.eye(STEPS)
    for key in paths:
        _, derivative = complex_step(PROGRAM, {}, paths, {key: every})
        expected = np.einsum("fot,otd->fd", weights, derivative)
        found = reverse(PROGRAM, {}, paths, weights)[key]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * np.abs(expected).max())


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
    backward = reverse(program, {}, paths, np.ones((1, 1, 2)))["x"]
    assert list(forward[0, :, 0]) == [slope, slope]
    assert list(backward[0]) == [slope, slope]
