"""Negative controls: where return or limits are not concave, nothing may be called optimal."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.audit import audit
from sdopt.optimise.climb import Climber
from sdopt.optimise.linear import solve_linear
from sdopt.optimise.run import optimise
from sdopt.optimise.sample import find_vertices
from sdopt.optimise.search import Found, search
from sdopt.optimise.stopping import NEVER
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
ROOT = Path(__file__).resolve().parents[2]


def solve(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None)


def check_local(result: Result, improvement: float) -> None:
    """No bound, no gap, several starts with their spread, and the known optimum to 0.1 % of improvement."""
    figures = result.figures
    assert result.status is Status.LOCAL
    assert (figures["bound"], figures["gap"], figures["bound_assumes"]) == (None, None, None)
    assert "not concave" in figures["gap_reason"]
    assert len(result.tables["starts"]) == 8
    assert figures["starts_spread"] >= 0
    assert figures["improvement"] == pytest.approx(improvement, rel=1e-3)
    assert figures["improvement"] <= improvement * (1 + 1e-9)
    assert result.tables["constraints"]["shadow_price"].isna().all()


def s_shape(a: float) -> float:
    return 1 / (1 + exp(-3 * (a - 6)))


def b_part(b: float) -> float:
    return 0.5 * sqrt(b + 1) - 0.2 * b


def logistic_improvement() -> float:
    """20 s(a) - a is stationary where 60 s (1 - s) = 1, at the high root; b where 1/4 / sqrt(b + 1) = 0.2."""
    s = (1 + sqrt(1 - 4 / 60)) / 2
    a = 6 + log(s / (1 - s)) / 3
    return 20 * (s_shape(a) - s_shape(1)) - (a - 1) + b_part(0.5625) - b_part(1)


@pytest.mark.parametrize("seed", range(1, 7))
def test_a_threshold_far_from_today(ask: Ask, seed: int) -> None:
    """At today's spending the return falls in a, smoothly: tangents alone would stop at a = 0."""
    result = solve(ask("threshold", {"search.seed": seed}))
    check_local(result, logistic_improvement())
    assert result.tables["audit"]["violations"].iloc[:2].sum() > 0


@pytest.mark.parametrize("seed", range(1, 7))
def test_a_threshold_in_the_only_decision(ask: Ask, seed: int) -> None:
    only = {"decisions.b": None, "search.seed": seed}
    check_local(solve(ask("threshold", only)), logistic_improvement() - b_part(0.5625) + b_part(1))


@pytest.mark.parametrize("threshold", [3, 6, 9.5])
def test_a_jump(ask: Ask, threshold: float) -> None:
    """IF THEN ELSE: nothing below the threshold, 20 from there on; the optimum stands on the edge."""
    result = solve(ask("threshold", {"model.changes": {"jump": 1, "threshold": threshold}}))
    check_local(result, 20 - (threshold - 1) + b_part(0.5625) - b_part(1))


def test_a_convex_return_ends_in_a_corner(ask: Ask) -> None:
    """Return a + 0.2 b + 0.1 (a^2 + b^2) under a + b <= 16: best corner (16, 0) with 41.6; today 1.4."""
    cap = {"cap": {"decisions": {"a": 1, "b": 1}, "at_most": 16}}
    check_local(solve(ask("curved", {"model.changes": {"bend": 0.1}, "constraints": cap})), 40.2)


def test_a_wrong_sign_makes_a_local_trap(ask: Ask) -> None:
    """Return a - 4 sqrt(1 + a) - b falls from a = 1 to a = 0 (-4); its best is a = 16 (16 - 4 sqrt 17)."""
    result = solve(ask("curved", {"model.changes": {"loss": 4, "effect b": -1}}))
    check_local(result, 16 - 4 * sqrt(17) - (1 - 4 * sqrt(2) - 1))


def test_a_convex_return_while_today_breaks_a_constraint(ask: Ask) -> None:
    """-a + 0.2 b + 0.1 (a^2 + b^2), harm at least 4 (today 2 sqrt 2): best (16, 16) with 38.4; today -0.6."""
    floor = {"harm": {"variables": {"harm": 1}, "at_least": 4}}
    result = solve(ask("curved", {"model.changes": {"bend": 0.1, "effect a": -1}, "constraints": floor}))
    check_local(result, 39)
    assert list(result.tables["search"].columns) == ["iteration", "best", "bound", "gap"]


HARM = {"harm": {"variables": {"harm": 1}, "at_most": 4}}


def test_a_binding_constraint_that_is_not_concave(ask: Ask) -> None:
    """Return a + 0.2 b with sqrt(1 + a) + sqrt(1 + b) <= 4: along the edge a always gains most, so (8, 0).

    Without that limit the linear return reaches 16 + 3.2: the bound that is left, 18 above today's 1.2.
    """
    result = solve(ask("curved", {"constraints": HARM}))
    figures = result.figures
    assert result.status is Status.LOCAL
    assert figures["improvement"] == pytest.approx(8 - 1.2, rel=1e-3)
    assert figures["bound"] - figures["null_objective"] == pytest.approx(18)
    assert figures["bound_assumes"] == "the return is concave"
    assert figures["starts_spread"] < 1e-6
    audit = result.tables["audit"].set_index("check")["violations"]
    assert audit["harm: pairs"] > 0
    assert audit["return: pairs"] == audit["return: points against cuts"] == 0


def test_a_constraint_that_is_not_concave_and_does_not_bind(ask: Ask) -> None:
    """With b down to 0 by its cost and a <= 3, harm never reaches 4: optimal, and the bound is free of it."""
    result = solve(
        ask(
            "curved",
            {"constraints": HARM, "model.changes": {"effect b": -1}, "decisions.a.bounds": [0, 3]},
        )
    )
    assert result.status is Status.OPTIMAL
    assert result.figures["improvement"] == pytest.approx(3)
    assert result.figures["bound_assumes"] == "the return is concave"


def test_both_return_and_constraint(ask: Ask) -> None:
    """Return a + 0.2 b + 0.1 (a^2 + b^2) under the same limit: (8, 0) gives 14.4; today 1.4."""
    check_local(solve(ask("curved", {"model.changes": {"bend": 0.1}, "constraints": HARM})), 13)


def test_a_flat_start_is_no_proof_that_limits_clash(ask: Ask) -> None:
    """a^4 at least 4096, so a = 8, at a cost of 1 each. From a = 1 the tangent asks for a = 1025."""
    floor = {"answer": {"variables": {"answer to spending": 1}, "at_least": 4096}}
    result = solve(ask("curved", {"model.changes": {"effect a": -1}, "constraints": floor}))
    assert result.status is Status.LOCAL
    assert values_of(result) == pytest.approx([8, 16])
    assert result.figures["improvement"] == pytest.approx(-7 + 3)


def values_of(result: Result) -> list[float]:
    return [float(value) for value in result.tables["decisions"]["value"]]


RESPONSE = (
    "(1 + saturation of prevention) * (relative prevention - 1) "
    "/ (relative prevention + saturation of prevention)"
)
BASE_RESPONSE = (
    "(1 + saturation of social base) * (relative social infrastructure - 1)\n"
    "\t/ (relative social infrastructure + saturation of social base)"
)
PLANTED = {
    "prevention works from a threshold (S-shape)": (
        RESPONSE,
        "1 / (1 + EXP (- 60 * (relative prevention - 1.1))) - 1 / (1 + EXP (6))",
    ),
    "prevention works from a threshold (jump)": (RESPONSE, "IF THEN ELSE (relative prevention > 1.1, 1, 0)"),
    "the social base has growing returns": (BASE_RESPONSE, "(relative social infrastructure ^ 3 - 1) * 2"),
    "the social base has the wrong sign and is convex": (BASE_RESPONSE, f"- 3 * ({BASE_RESPONSE})"),
}


def find(problem: Problem) -> Found:
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return search(View(problem, problem.objective_rows), archive, problem.config.search, lambda *_: None)


def social(ask: Ask, config: str, **more: Any) -> Problem:
    """A shorter question to the large model: two decision years, few starts."""
    changes = {"decision_years.last": 2028, "search.audit": 500, "search.starts": 3, **more}
    return ask(config, changes, base=ROOT / "configs")


@pytest.mark.parametrize(
    ("planted", "config"), list(zip(PLANTED, ["voorbeeld-100k", "herverdelen-100k"] * 2, strict=True))
)
def test_the_social_domain_with_a_planted_fault(ask: Ask, tmp_path: Path, planted: str, config: str) -> None:
    text = (ROOT / "models" / "social_domain.mdl").read_text(encoding="utf-8")
    good, bad = PLANTED[planted]
    assert text.count(good) == 1
    (tmp_path / "planted.mdl").write_text(text.replace(good, bad), encoding="utf-8")
    found = find(social(ask, config, **{"model.file": str(tmp_path / "planted.mdl")}))
    assert found.status is Status.LOCAL
    assert (found.bound, found.gap) == (None, None)
    assert len(found.starts) == 3
    best = max(start.improvement for start in found.starts if start.improvement is not None)
    assert found.improvement == pytest.approx(best, rel=1e-8)  # ties may cost a billionth


@pytest.mark.parametrize("config", ["voorbeeld-100k", "herverdelen-100k"])
def test_the_social_domain_as_it_is(ask: Ask, config: str) -> None:
    """The control of the controls: without a planted fault the same question is solved."""
    problem = social(ask, config)
    found = find(problem)
    assert found.status is Status.OPTIMAL
    assert found.gap is not None
    assert found.gap <= problem.config.search.gap <= 5e-4


def test_the_far_side_of_a_threshold_is_found(ask: Ask, tmp_path: Path) -> None:
    """Prevention raised as fast as it may passes the threshold and doubles the gain: a start gets there."""
    text = (ROOT / "models" / "social_domain.mdl").read_text(encoding="utf-8")
    good, bad = PLANTED["prevention works from a threshold (S-shape)"]
    (tmp_path / "planted.mdl").write_text(text.replace(good, bad), encoding="utf-8")
    more = {"model.file": str(tmp_path / "planted.mdl"), "decision_years.last": 2030, "search.starts": 8}
    problem = social(ask, "voorbeeld-100k", **more)
    found = find(problem)
    prevention = np.array([float(label == "prevention") for label, _ in problem.decisions.labels()])
    bounds = problem.decisions.lower(), problem.decisions.upper()
    highest = solve_linear(prevention, problem.rules, *bounds).point
    least = solve_linear(-prevention, problem.rules, *bounds).point
    view = View(problem, problem.objective_rows)
    far, near = (
        float(
            view.objective(problem.evaluator.values(np.where(prevention, side, found.point)[None]).value)[0]
        )
        for side in (highest, least)
    )
    assert far > near + 10
    assert found.improvement >= far - 1e-6  # the local search keeps limits a hair's breadth further off
    stays = Climber(view, problem.decisions.null_vector()).climb(
        np.where(prevention, least, found.point), NEVER
    )
    assert stays.improvement is not None
    assert stays.improvement < far - 10  # a search from the near side alone does not see the far one


def test_the_audit_names_the_constraint_that_is_not_concave(ask: Ask) -> None:
    """A linear limit beside the one on harm: only the second is disproved, by pairs and by tangents."""
    spent = {"spent": {"variables": {"social return": 1}, "at_most": 30}}
    problem = ask("curved", {"constraints": {**spent, **HARM}})
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    view = View(problem, problem.objective_rows)
    polytope = find_vertices(problem, np.random.default_rng(1))
    checked = audit(view, archive, polytope, archive.points[0], 1.0, 200, 1)
    assert checked.return_is_concave
    assert [problem.constraints[c].functional.name for c in checked.disproved] == ["harm"]
    assert {check.name: check.violations > 0 for check in checked.checks} == {
        "return: pairs": False,
        "return: points against cuts": False,
        "spent: pairs": False,
        "spent: points against cuts": False,
        "harm: pairs": True,
        "harm: points against cuts": True,
    }
