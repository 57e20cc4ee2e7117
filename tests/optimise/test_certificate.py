"""Proofs without assumptions: right where the optimum is known, and never where there is nothing to prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sdopt.equations.enclosure.algebra import FIRST, Algebra
from sdopt.equations.enclosure.enclose import Box, enclose
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.certificate.certify import Certificate, certify, first_box
from sdopt.optimise.certificate.concave import concave_above
from sdopt.optimise.certificate.linear_program import LinearProgram
from sdopt.optimise.certificate.relaxation import Relaxation
from sdopt.optimise.certificate.run import Asked
from sdopt.optimise.run import optimise
from sdopt.optimise.search import search
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
Floats = np.ndarray
TIGHT = {"search.gap": 1e-4}


class After(Stop):
    """Stops once it has been asked so often, so that a test does not depend on time."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def reason(self) -> Status | None:
        self.times -= 1
        return Status.TIME_LIMIT if self.times < 0 else None


def solved(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None, certify=Asked(60.0, lambda *_: None))


def check_certified(problem: Problem, improvement: float, relative: float = 1e-6) -> Result:
    """Certified, the known optimum found, and the bound between it and the tolerance above it."""
    result = solved(problem)
    figures = result.figures
    assert result.status is Status.CERTIFIED
    assert figures["improvement"] == pytest.approx(improvement, rel=relative)
    bound = figures["certified_bound"] - figures["null_objective"]
    assert improvement <= bound <= improvement * (1 + 1.01e-4 + relative)
    assert figures["certified_gap"] <= 1.01e-4
    assert result.tables["certificate"]["boxes_left"].iloc[-1] == 0
    return result


def quadratic_optimum() -> float:
    """Stationary inside: 3 = a + b/2 and 2 = a/2 + b, so a = 8/3 and b = 2/3; 1 a year at today's (1, 1)."""
    a, b = 8 / 3, 2 / 3
    return (3 * a + 2 * b - (a * a + b * b) / 2 - a * b / 2) - (5 - 1 - 0.5)


def test_a_concave_quadratic(ask: Ask) -> None:
    check_certified(ask("quadratic", TIGHT), quadratic_optimum(), relative=1e-4)


def s_shape(a: float) -> float:
    return 1 / (1 + exp(-3 * (a - 6)))


def b_part(b: float) -> float:
    return 0.5 * sqrt(b + 1) - 0.2 * b


def threshold_optimum() -> float:
    """20 s(a) - a is stationary where 60 s (1 - s) = 1, at the high root; b where 1/4 / sqrt(b + 1) = 0.2."""
    s = (1 + sqrt(1 - 4 / 60)) / 2
    a = 6 + log(s / (1 - s)) / 3
    return 20 * (s_shape(a) - s_shape(1)) - (a - 1) + b_part(0.5625) - b_part(1)


def test_an_s_shape(ask: Ask) -> None:
    """Not concave, so there is no audited bound; the certificate applies."""
    result = check_certified(ask("threshold", TIGHT), threshold_optimum())
    assert result.figures["bound"] is None


def test_a_jump(ask: Ask) -> None:
    """Where a threshold is a jump, the best stands at its edge: 20 gained for 5 more."""
    problem = ask("threshold", {**TIGHT, "model.changes": {"jump": 1, "threshold": 6}})
    check_certified(problem, 20 - 5 + b_part(0.5625) - b_part(1))


def proof(
    problem: Problem, improvement: float, best: Floats, times: int, tolerance: float = 1e-4
) -> Certificate:
    return certify(problem, best, improvement, tolerance, After(times))


@pytest.mark.parametrize("name", ["quadratic", "threshold"])
@pytest.mark.parametrize("below", [0.002, 0.02, 0.2])
def test_a_cut_off_below_the_best_never_certifies(ask: Ask, name: str, below: float) -> None:
    """Told that less is the best, it cannot finish; and the best stays in a box that is left."""
    problem = ask(name)
    optimum, best = known(name)
    certificate = proof(problem, optimum * (1 - below), best, times=300, tolerance=0.0)
    assert not certificate.reached
    assert certificate.bound >= optimum
    assert any(((box.lower <= best) & (best <= box.upper)).all() for box in certificate.left)
    assert all(step.bound >= optimum for step in certificate.steps)


def known(name: str) -> tuple[float, Floats]:
    if name == "quadratic":
        return quadratic_optimum(), np.array([8 / 3, 2 / 3])
    s = (1 + sqrt(1 - 4 / 60)) / 2
    return threshold_optimum(), np.array([6 + log(s / (1 - s)) / 3, 0.5625])


@pytest.mark.parametrize("times", [1, 2, 3, 5, 8, 13])
def test_stopped_early_the_bound_still_holds(ask: Ask, times: int) -> None:
    """Also within a box: between two tangents, and between the bounds on two decisions."""
    problem = ask("threshold")
    optimum, best = known("threshold")
    certificate = proof(problem, optimum, best, times)
    assert not certificate.reached and certificate.left
    assert optimum <= certificate.bound < np.inf
    bounds = [step.bound for step in certificate.steps]
    assert bounds == sorted(bounds, reverse=True)


def test_no_box_no_bound(ask: Ask) -> None:
    optimum, best = known("threshold")
    assert proof(ask("threshold"), optimum, best, times=0).bound == np.inf


def test_a_better_allocation_met_on_the_way_is_taken(ask: Ask) -> None:
    """Given a poor local optimum, the proof looks where its bound leaves room, and ends with the best."""
    problem = ask("threshold")
    optimum, best = known("threshold")
    tried: list[Floats] = []

    def improve(place: Floats, known_best: float) -> tuple[Floats, float] | None:
        tried.append(place)
        return (best, optimum) if known_best < optimum else None

    poor = np.array([0.0, 0.5625])
    value = 1 + 20 * (s_shape(0) - s_shape(1)) + b_part(0.5625) - b_part(1)
    certificate = certify(problem, poor, value, 1e-4, After(2000), improve=improve)
    assert certificate.reached and tried
    assert certificate.improvement == optimum and (certificate.point == best).all()
    assert optimum <= certificate.bound <= optimum * (1 + 1.01e-4)


def test_told_to_stop_a_box_asks_for_one_more_bound_only(ask: Ask) -> None:
    """One linear program for the return, none for the decisions; the box stays whole."""
    problem = ask("threshold")
    box = first_box(problem)
    found = enclose(problem.evaluator.program, box, problem.evaluator.matrix)
    relaxation = Relaxation(problem, box, found, 13.0, After(0))
    rows = len(relaxation.program.limits)
    assert known("threshold")[0] <= relaxation.upper_bound([]) < np.inf
    lower, upper = relaxation.tightened(0.0)
    assert len(relaxation.program.limits) == rows
    assert (lower == box.lower).all() and (upper == box.upper).all()


@pytest.fixture(scope="module")
def relaxed(ask: Ask) -> tuple[Problem, Relaxation]:
    problem = ask("threshold", {"constraints": {"total": {"decisions": {"a": 1, "b": 1}, "at_most": 12}}})
    box = replace(first_box(problem), lower=np.array([6.0, 0.0]), upper=np.array([9.0, 5.0]))
    found = enclose(problem.evaluator.program, box, problem.evaluator.matrix)
    return problem, Relaxation(problem, box, found, 13.0)


def test_the_box_is_tightened_around_all_that_is_good_enough(relaxed: tuple[Problem, Relaxation]) -> None:
    """20,000 simulated points: none at the cut-off or above it is lost."""
    problem, relaxation = relaxed
    random = np.random.default_rng(3)
    points = random.uniform(relaxation.box.lower, relaxation.box.upper, (20_000, 2))
    values = problem.evaluator.values(points).value
    gains = problem.objective(values) - problem.null_objective
    allowed = (points.sum(axis=1) <= 12) & (problem.slacks(values) >= 0).all(axis=1)
    for cut_off in (-5.0, 5.0, 12.5):
        lower, upper = relaxation.tightened(cut_off)
        good = points[allowed & (gains >= cut_off)]
        assert len(good) > 10
        assert (good >= lower).all() and (good <= upper).all()
    assert (upper - lower < relaxation.box.upper - relaxation.box.lower).any()


def test_the_upper_bound_is_above_every_allowed_point(relaxed: tuple[Problem, Relaxation]) -> None:
    problem, relaxation = relaxed
    points = np.random.default_rng(4).uniform(relaxation.box.lower, relaxation.box.upper, (20_000, 2))
    points = points[points.sum(axis=1) <= 12]
    gains = problem.objective(problem.evaluator.values(points).value) - problem.null_objective
    assert relaxation.upper_bound([points[0]]) >= gains.max()


def test_a_rule_never_cuts_off_its_own_edge(ask: Ask) -> None:
    """Points on a rule, to the last bit, in boxes a few hairs wide: each stays in the linear program."""
    total = {"decisions": {"a": 0.1, "b": 0.3}, "at_most": 1.7}
    problem = ask("threshold", {"constraints": {"total": total}})
    rule, whole = problem.rules[0], first_box(problem)
    for a in np.random.default_rng(9).uniform(3.0, 9.0, 40):
        b = (rule.limit - rule.weights[0] * a) / rule.weights[1]
        while exactly(rule.weights, [a, b]) > Fraction(rule.limit):
            b = np.nextafter(b, -np.inf)
        point = np.array([a, b])
        box = replace(whole, lower=point * (1 - 1e-15), upper=point * (1 + 3e-15))
        found = enclose(problem.evaluator.program, box, problem.evaluator.matrix)
        program = Relaxation(problem, box, found, 13.0).program
        scaled = zip(point, box.middle, box.radius, strict=True)
        d = [(Fraction(x) - Fraction(middle)) / Fraction(radius) for x, middle, radius in scaled]
        assert exactly(program.weights[0, :2], d) <= Fraction(program.limits[0])


def exactly(weights: Any, values: Any) -> Fraction:
    """A weighted sum without rounding."""
    return sum((Fraction(w) * Fraction(v) for w, v in zip(weights, values, strict=True)), Fraction(0))


finite = st.floats(-5, 5, allow_subnormal=False)


@st.composite
def programs(draw: st.DrawFn) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Lower, upper, weights, limits and gains; the middle of the box is allowed."""
    columns, rows = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    lower = np.array(draw(st.lists(finite, min_size=columns, max_size=columns)))
    upper = lower + np.array(draw(st.lists(st.floats(0.1, 5), min_size=columns, max_size=columns)))
    weights = np.array(draw(st.lists(finite, min_size=rows * columns, max_size=rows * columns)))
    weights = np.round(weights.reshape(rows, columns), 3)
    room = np.array(draw(st.lists(st.floats(0, 5), min_size=rows, max_size=rows)))
    gains = np.round(np.array(draw(st.lists(finite, min_size=columns, max_size=columns))), 3)
    return lower, upper, weights, weights @ (lower + upper) / 2 + room, gains


@settings(max_examples=60)
@given(program=programs(), data=st.data())
def test_a_bound_holds_for_any_multipliers(program: Any, data: st.DataObject) -> None:
    """SciPy's optimum is never above it, however wrong the multipliers; and HiGHS's own make it tight."""
    lower, upper, weights, limits, gains = program
    ours = LinearProgram(lower, upper)
    ours.add(weights, limits)
    theirs = -linprog(-gains, weights, limits, bounds=np.c_[lower, upper]).fun
    answer = ours.maximise(gains)
    assert answer.bound >= theirs - 1e-9
    assert answer.bound == pytest.approx(theirs, abs=1e-6, rel=1e-6)
    wrong = np.array(data.draw(st.lists(st.floats(0, 9), min_size=len(limits), max_size=len(limits))))
    assert ours.bound(gains, wrong) >= theirs - 1e-9


@settings(max_examples=60)
@given(data=st.data())
def test_a_concave_function_above_a_form(data: st.DataObject) -> None:
    """Never below what the form stands for, concave on every chord, and never above its own tangents."""
    algebra = Algebra(3)
    values = data.draw(st.lists(finite, min_size=algebra.size, max_size=algebra.size))
    form = np.array(values)
    form[1:FIRST] = -np.inf, np.inf, 0.0, 0.0
    form = algebra.with_error(form, abs(data.draw(finite)), form)
    above = concave_above(algebra, form, np.zeros(0, dtype=np.intp))
    d = np.random.default_rng(5).uniform(-1, 1, (200, 3))
    square = np.einsum("ki,ij,kj->k", d, algebra.symmetric(form), d)
    highest = form[0] + d @ form[algebra.linear] + square + d**3 @ form[algebra.cubes] + algebra.error(form)
    ours = np.array([above.value(point) for point in d])
    assert (ours >= highest - 1e-8).all()
    middle = np.array([above.value((a + b) / 2) for a, b in zip(d[::2], d[1::2], strict=True)])
    assert (middle >= (ours[::2] + ours[1::2]) / 2 - 1e-8).all()
    weights, constant = above.tangent(d[0])
    assert (d @ weights + constant >= ours - 1e-8).all()
    assert constant + d[0] @ weights == pytest.approx(ours[0], abs=1e-8)


def test_the_first_box_is_that_of_the_rules(ask: Ask) -> None:
    """Each bound by an independent linear program."""
    problem = ask("quadratic")
    box = first_box(problem)
    weights = np.array([rule.weights for rule in problem.rules])
    limits = np.array([rule.limit for rule in problem.rules])
    bounds = np.c_[problem.decisions.lower(), problem.decisions.upper()]
    for decision, direction in enumerate(np.eye(2)):
        assert box.upper[decision] == pytest.approx(-linprog(-direction, weights, limits, bounds=bounds).fun)
        assert box.lower[decision] == pytest.approx(linprog(direction, weights, limits, bounds=bounds).fun)
    assert isinstance(box, Box)


def test_the_search_and_the_proof_agree(ask: Ask) -> None:
    """On a problem whose return is concave the audited bound and the certificate bracket the same optimum."""
    problem = ask("quadratic", TIGHT)
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search(view, archive, problem.config.search, lambda *_: None)
    certificate = proof(problem, found.improvement, found.point, times=200)
    assert certificate.reached
    assert found.bound is not None
    assert found.improvement <= certificate.bound <= found.improvement * (1 + 1.01e-4)


def test_a_place_that_breaks_a_rule_is_not_taken_for_better(ask: Ask) -> None:
    """Hardly any improvement: the proof looks at places outside the rules, and does not take them."""
    problem = ask("quadratic", {"constraints.total.at_most": 2.0001, **TIGHT})
    result = solved(problem)
    values = result.tables["decisions"]["value"].to_numpy(dtype=float)
    assert values.sum() <= 2.0001 * (1 + 1e-8)
    assert result.status is Status.CERTIFIED
