"""The master problem and the small linear programs, against SciPy and against weak duality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from sdopt.optimise.linear import InfeasibleError, Row, solve_linear
from sdopt.optimise.master import InfeasibleMasterError, Master
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]
SIZE = 4
LOWER, UPPER = np.zeros(SIZE), np.array([1.0, 2.0, 3.0, 4.0])
HIGHEST = 1e3


def rule(weights: Floats, limit: float, name: str = "rule") -> Rule:
    return Rule(name, 2027, "at_most", "euro", np.asarray(weights, dtype=float), limit)


def random_master(seed: int, cuts: int = 6) -> tuple[Master, Floats, Floats, Floats]:
    """A master with 2 rules, tangents of a concave quadratic and one constraint; and its rows as matrices.

    Columns of the matrix are the decisions and theta; rows stand in the order of the master.
    """
    random = np.random.default_rng(seed)
    rules = [rule(random.uniform(0, 1, SIZE), random.uniform(1, 4)) for _ in range(2)]
    master = Master(LOWER, UPPER, rules, HIGHEST)
    centre = random.uniform(0, 4, SIZE)
    rows = [(*r.weights, 0.0) for r in rules]
    limits = [r.limit for r in rules]
    for _ in range(cuts):
        point = random.uniform(LOWER, UPPER)
        value, gradient = -float((point - centre) @ (point - centre)), -2 * (point - centre)
        master.add_objective_cut(value, gradient, point)
        rows.append((*-gradient, 1.0))
        limits.append(value - float(gradient @ point))
    slope = random.uniform(-1, 0, SIZE)
    master.add_constraint_cut(7, 1.0, slope, np.zeros(SIZE))
    rows.append((*-slope, 0.0))
    limits.append(1.0)
    return master, np.array(rows), np.array(limits), centre


def by_scipy(rows: Floats, limits: Floats) -> tuple[float, Floats]:
    bounds = [*zip(LOWER, UPPER, strict=True), (None, HIGHEST)]
    answer = linprog([0.0] * SIZE + [-1.0], A_ub=rows, b_ub=limits, bounds=bounds)
    assert answer.status == 0
    return -float(answer.fun), -answer.ineqlin.marginals


@pytest.mark.parametrize("seed", range(20))
def test_optimum_and_multipliers_are_those_of_scipy(seed: int) -> None:
    master, rows, limits, _ = random_master(seed)
    value, marginals = by_scipy(rows, limits)
    answer = master.solve()
    assert answer.value == pytest.approx(value, abs=1e-7)
    assert answer.dual_bound == pytest.approx(value, abs=1e-7)
    assert answer.dual_bound >= value - 1e-9
    assert answer.rule_multipliers == pytest.approx(marginals[:2], abs=1e-6)
    assert answer.constraint_multipliers == {7: pytest.approx(marginals[-1], abs=1e-6)}
    assert (rows @ np.append(answer.point, value) <= limits + 1e-7).all()


@given(
    st.integers(0, 30),
    st.lists(st.floats(0, 10), min_size=9, max_size=9),
)
def test_any_multipliers_give_a_bound(seed: int, multipliers: list[float]) -> None:
    """Whatever HiGHS might return: what is recomputed from it is never below the optimum."""
    master, rows, limits, _ = random_master(seed)
    value, _ = by_scipy(rows, limits)
    assert master._dual_bound(np.array(multipliers)) >= value - 1e-9 * (1 + abs(value))


@given(st.integers(0, 30), st.lists(st.floats(0, 1), min_size=SIZE, max_size=SIZE))
def test_the_bound_is_above_the_function_itself(seed: int, parts: list[float]) -> None:
    """Not only above the cuts: no allowed point of the concave function beats it."""
    master, rows, limits, centre = random_master(seed)
    point = LOWER + np.array(parts) * (UPPER - LOWER)
    is_rule = rows[:, -1] == 0
    if (rows[is_rule, :SIZE] @ point <= limits[is_rule]).all():
        assert -float((point - centre) @ (point - centre)) <= master.solve().dual_bound + 1e-9


def test_bounds_fall_as_cuts_come() -> None:
    master, *_, centre = random_master(3, cuts=1)
    before = master.solve().dual_bound
    for _ in range(30):
        point = master.solve().point
        master.add_objective_cut(-float((point - centre) @ (point - centre)), -2 * (point - centre), point)
        now = master.solve().dual_bound
        assert now <= before + 1e-9
        before = now
    assert before == pytest.approx(-float((point - centre) @ (point - centre)), abs=1e-3)


def test_no_row_holds_a_decision() -> None:
    """A decision that nothing depends on is still given a value inside its bounds."""
    master = Master(LOWER, UPPER, [rule(np.array([1, 0, 0, 0]), 0.5)], HIGHEST)
    master.add_objective_cut(0.0, np.array([1.0, 0, 0, 0]), np.zeros(SIZE))
    answer = master.solve()
    assert answer.point[0] == pytest.approx(0.5)
    assert ((answer.point >= LOWER) & (answer.point <= UPPER)).all()


def test_a_master_without_an_allowed_point() -> None:
    impossible = [rule(np.ones(SIZE), 1.0), rule(-np.ones(SIZE), -2.0)]
    with pytest.raises(InfeasibleMasterError):
        Master(LOWER, UPPER, impossible, HIGHEST).solve()


@given(st.integers(0, 1000))
def test_linear_programs_reach_the_best_vertex(seed: int) -> None:
    """Over a box with one cap the optimum is greedy: fill by gain per unit of the cap."""
    random = np.random.default_rng(seed)
    gain, weights, room = random.uniform(0, 1, SIZE), random.uniform(0.1, 1, SIZE), random.uniform(0, 5)
    best, left = 0.0, room
    for k in np.argsort(-gain / weights):
        amount = min(UPPER[k], left / weights[k])
        best, left = best + gain[k] * amount, left - weights[k] * amount
    answer = solve_linear(gain, [rule(weights, room)], LOWER, UPPER)
    assert answer.value == pytest.approx(best)
    assert answer.value == pytest.approx(gain @ answer.point)


def test_a_linear_program_without_an_allowed_point() -> None:
    """All four at most 1 in total, the last at least 3."""
    rows = [rule(np.ones(SIZE), 1.0, "total"), Row("least", -np.eye(SIZE)[3], -3.0)]
    with pytest.raises(InfeasibleError):
        solve_linear(np.ones(SIZE), rows, LOWER, UPPER)
