"""The search as a whole: what it tries, reports, repeats, and refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.cutting_planes import relative_gap
from sdopt.optimise.run import optimise, simulate_allocation
from sdopt.optimise.sample import find_vertices
from sdopt.optimise.search import search
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"


def solve(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None)


def archive_of(problem: Problem) -> Archive:
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return archive


@pytest.fixture(scope="module")
def social(ask: Ask) -> Problem:
    return ask("herverdelen-100k", base=CONFIGS)


def test_drawn_points_meet_the_rules(social: Problem) -> None:
    """Vertices, mixtures and points nearby; and they are not all alike."""
    random = np.random.default_rng(5)
    polytope = find_vertices(social, random)
    view = View(social, social.objective_rows)
    drawn = polytope.draw(2000, random)
    near = polytope.draw_near(drawn[0], 2000, random)
    for points in (polytope.vertices, drawn, near):
        assert view.meets_rules(points).all()
        assert (np.ptp(points, axis=0) > 1e-3).all()
    assert np.abs(near - drawn[0]).max() <= 0.1 * np.ptp(polytope.vertices, axis=0).max() + 1e-12
    inside = social.decisions.lower() - 1.0
    assert not view.meets_rules(np.array([inside, drawn[0]])).all()


@pytest.mark.parametrize("seed", range(8))
def test_both_ends_of_a_single_decision_are_vertices(ask: Ask, seed: int) -> None:
    problem = ask("threshold", {"decisions.b": None})
    vertices = find_vertices(problem, np.random.default_rng(seed)).vertices
    assert vertices.tolist() == [[0.0], [10.0]]


def test_the_audit_tries_ten_thousand_points_and_pairs(ask: Ask) -> None:
    """The default, and on every constraint as well as on the return; half of them near the optimum."""
    problem = ask("root", {"search": {}, "constraints.floor": {"variables": {"Reserve": 1}, "at_least": 0}})
    audit = solve(problem).tables["audit"].set_index("check")
    assert list(audit.index) == [
        *("return: pairs", "return: points against cuts"),
        *("floor: pairs", "floor: points against cuts"),
    ]
    assert (audit["points"] >= 10_000).all()
    assert (audit["violations"] == 0).all()


def test_progress_and_trace_close_in(ask: Ask) -> None:
    heard: list[tuple[int, float | None, float, float | None]] = []
    result = optimise(ask("root"), "run", lambda *said: heard.append(said))
    numbers, best, bounds, gaps = zip(*heard, strict=True)
    assert list(numbers) == list(range(len(heard)))
    assert list(best) == sorted(best)
    assert (np.diff(bounds) <= 1e-9 * np.abs(bounds[0])).all()
    assert all(bound >= found for bound, found in zip(bounds, best, strict=True))
    table = result.tables["search"]
    assert table["bound"].tolist() == list(bounds)
    assert table["gap"].iloc[-1] == gaps[-1]
    assert result.figures["gap"] == pytest.approx(gaps[-1], abs=1e-7)  # a trace calls rounding 0


@pytest.mark.parametrize("rounds", [1, 2])
def test_stopping_early_is_said(ask: Ask, rounds: int) -> None:
    """The bound holds, the gap is that of the best found, and prices are those of the last master."""
    result = solve(ask("root", {"search.iterations": rounds}))
    figures = result.figures
    assert result.status is Status.ITERATION_LIMIT
    assert len(result.tables["search"]) == rounds
    gain, most = figures["improvement"], figures["bound"] - figures["null_objective"]
    assert figures["gap"] == pytest.approx((most - gain) / most)
    assert figures["gap"] > figures["gap_tolerance"]
    assert most >= solve(ask("root")).figures["improvement"] - 1e-9


@pytest.mark.parametrize(
    ("best", "bound", "gap"),
    [(9.0, 10.0, 0.1), (0.0, 10.0, 1.0), (-10.0, -9.0, 0.1), (-1.0, 1.0, 2.0), (0.0, 0.0, 0.0)],
)
def test_the_gap_is_relative_to_what_is_gained_or_lost(best: float, bound: float, gap: float) -> None:
    assert relative_gap(best, bound, 1.0) == pytest.approx(gap)


REPEAT = """
import sys, hashlib
from pathlib import Path
from sdopt.config.load import load_config
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.search import search
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model
for path in sys.argv[1:]:
    loaded = load_config(Path(path))
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search(View(problem, problem.objective_rows), archive, problem.config.search, lambda *_: None)
    print(found.status.key, found.point.tobytes().hex(), repr(found.improvement), repr(found.bound))
    print(found.audit, [(s.point.tobytes().hex(), s.improvement) for s in found.starts])
    print([vars(step) for step in found.trace], hashlib.sha256(archive.gradients.tobytes()).hexdigest())
"""


def test_two_processes_find_the_same_bytes() -> None:
    """With a bound (root), and with several starts (threshold)."""
    questions = [str(ROOT / "tests" / "data" / "optimise" / f"{name}.yaml") for name in ("root", "threshold")]
    said = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", REPEAT, *questions],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert [line.split()[0] for line in said[0].splitlines()[::3]] == ["optimal", "local"]


def test_the_order_in_the_file_does_not_matter(ask: Ask) -> None:
    """Decisions and constraints turned round: the same optimum to the gap, each below both bounds."""
    short = {"decision_years.last": 2028, "search.audit": 100, "fiscal_rules": None}
    one = ask("herverdelen-100k", short, base=CONFIGS)
    turned = {
        part: {
            k: v.model_dump(exclude_unset=True) for k, v in reversed(list(getattr(one.config, part).items()))
        }
        for part in ("decisions", "constraints")
    }
    other = ask("herverdelen-100k", {**short, **turned}, base=CONFIGS)
    assert list(other.config.decisions) == list(one.config.decisions)[::-1]
    found = [
        search(View(p, p.objective_rows), archive_of(p), p.config.search, lambda *_: None)
        for p in (one, other)
    ]
    assert [f.status for f in found] == [Status.OPTIMAL] * 2
    assert found[0].improvement == pytest.approx(found[1].improvement, rel=1e-4)
    bounds = [f.bound for f in found]
    rounding = 1e-12 * found[0].improvement
    assert min(b for b in bounds if b is not None) >= max(f.improvement for f in found) - rounding


def test_no_point_where_a_limit_is_not_concave(ask: Ask) -> None:
    """a^4 is at most 16^4 = 65,536, where 66,000 is asked: refused, without calling it proved."""
    limit = {"answer": {"variables": {"answer to spending": 1}, "at_least": 66_000}}
    with pytest.raises(OptimisationError) as error:
        solve(ask("curved", {"constraints": limit}))
    first, *lines = str(error.value).splitlines()
    assert "no proof" in first
    assert lines == ["  * answer (2027) is missed by 464"]


def test_a_question_without_limits(ask: Ask) -> None:
    """Its table of constraints is empty, with all its columns."""
    problem = ask("linear", {"constraints": None})
    for result in (solve(problem), simulate_allocation(problem, None, "run")):
        table = result.tables["constraints"]
        assert table.empty
        assert {"constraint", "limit", "slack", "binding", "shadow_price"} <= set(table.columns)
