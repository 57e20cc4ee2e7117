"""One set of tangents serves both master problems: their bounds agree, and hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.master import Master
from sdopt.optimise.tangents import NEAR, add_tangents, scale_and_height
from sdopt.optimise.whole_numbers.relaxation import Relaxation
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data"
CASES = [DATA / "wijk.yaml", DATA / "optimise" / "quadratic.yaml"]


def read(config: Path) -> Problem:
    loaded = load_config(config)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def filled(problem: Problem, count: int) -> tuple[View, Archive, np.ndarray]:
    """An archive with random points between the bounds, and some more that it does not hold."""
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    points = lower + np.random.default_rng(7).random((count + 200, len(lower))) * (upper - lower)
    archive.add(points[:count])
    return view, archive, points[count:]


def masters(
    view: View, archive: Archive, scale: float, height: float, parts: list[slice]
) -> tuple[float, float]:
    """The bound of either master problem over all decisions, scaled."""
    problem = view.problem
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    master = Master(lower, upper, problem.rules, height)
    relaxation = Relaxation(lower, upper, np.array([], dtype=np.int64), problem.rules, height)
    for part in parts:
        add_tangents(master, view, archive, part, scale, ())
        add_tangents(relaxation, view, archive, part, scale, ())
    node = relaxation.solve(lower, upper)
    return master.solve().dual_bound, relaxation.bound(node.multipliers, lower, upper)


@pytest.mark.parametrize("config", CASES, ids=lambda path: path.stem)
def test_both_masters_give_the_same_bound_and_no_allowed_point_is_above_it(config: Path) -> None:
    view, archive, others = filled(read(config), 12)
    scale, height = scale_and_height(view, archive)
    first, second = masters(view, archive, scale, height, [slice(0, 12)])
    assert first < height
    assert first == pytest.approx(second, rel=1e-6)
    values = view.problem.evaluator.values(others).value
    allowed = view.meets_rules(others) & (view.slacks(values) >= 0).all(axis=1)
    assert (view.objective(values)[allowed] / scale <= first + 1e-9).all()


@pytest.mark.parametrize("config", CASES, ids=lambda path: path.stem)
def test_in_parts_or_at_once_is_the_same(config: Path) -> None:
    view, archive, _ = filled(read(config), 12)
    scale, height = scale_and_height(view, archive)
    at_once = masters(view, archive, scale, height, [slice(0, 12)])
    in_parts = masters(view, archive, scale, height, [slice(0, 1), slice(1, 7), slice(7, 12)])
    assert in_parts == pytest.approx(at_once, rel=1e-9)


def test_a_constraint_gets_a_cut_where_it_is_near_and_never_where_it_is_left_out() -> None:
    problem = read(DATA / "wijk.yaml")
    view, archive, _ = filled(problem, 12)
    scale, height = scale_and_height(view, archive)
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    near = view.slacks(archive.values) < NEAR
    assert near.any() and not near.all()
    for left_out in ((), (int(np.flatnonzero(near.any(axis=0))[0]),)):
        master = Master(lower, upper, problem.rules, height)
        add_tangents(master, view, archive, slice(0, 12), scale, left_out)
        expected = [int(c) for c in np.nonzero(near)[1] if c not in left_out]
        assert sorted(master.constraint_of_row.values()) == sorted(expected)
