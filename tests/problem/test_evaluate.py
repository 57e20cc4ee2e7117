"""Return and constraints of the large model: derivatives, batches and PySD agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sdopt.config.discount import discount_factors
from sdopt.config.load import load_config
from sdopt.equations.differentiate import reverse
from sdopt.problem import evaluate
from sdopt.problem.build import Problem, at_time_step, build_problem
from sdopt.source_model.read import SourceModel, read_model
from sdopt.source_model.replay import replay

Floats = NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model() -> SourceModel:
    return read_model(ROOT / "models" / "social_domain.mdl")


@pytest.fixture(scope="module")
def problem(model: SourceModel) -> Problem:
    return build_problem(load_config(ROOT / "configs" / "voorbeeld-100k.yaml"), model.system)


@pytest.fixture(scope="module")
def points(problem: Problem) -> Floats:
    """Random decision vectors inside the bounds."""
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    return np.random.default_rng(7).uniform(lower, upper, (5, len(lower)))


def test_gradients_are_central_differences(problem: Problem, points: Floats) -> None:
    """A step of 1e-4 of the bounds: truncation and rounding both stay below a millionth of the slope."""
    width = problem.decisions.upper() - problem.decisions.lower()
    found = problem.evaluator.with_gradients(points[:2])
    assert found.gradient is not None
    for point, gradient in zip(points, found.gradient, strict=False):
        steps = np.diag(1e-4 * width)
        above, below = (problem.evaluator.values(point + sign * steps).value for sign in (1, -1))
        differences = (above - below).T / (2e-4 * width)
        size = np.abs(gradient * width).max(axis=1, keepdims=True)
        assert (np.abs(differences - gradient) * width <= 1e-6 * size + 1e-9).all()


def test_gradients_are_those_of_the_reverse_mode(problem: Problem, points: Floats) -> None:
    """The derivative by a path's value at each time, summed over the times at which a decision holds."""
    evaluator = problem.evaluator
    steps, keys = problem.grid.steps + 1, evaluator.program.outputs
    weights = evaluator.matrix.toarray().reshape(-1, len(keys), steps)
    found = evaluator.with_gradients(points[:2])
    assert found.gradient is not None
    for point, gradient in zip(points, found.gradient, strict=False):
        _, by_time = reverse(evaluator.program, {}, problem.decisions.expand(point[None]), weights)
        expected = np.zeros_like(gradient)
        for path in problem.decisions.paths:
            for k, column in enumerate(path.column):
                if column >= 0:
                    expected[:, column] += by_time[path.key][:, k, 0]
        size = np.abs(gradient).max(axis=1, keepdims=True)
        assert (np.abs(expected - gradient) <= 1e-9 * size + 1e-12).all()


def test_a_batch_is_its_points_one_by_one(
    problem: Problem, points: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, so that the answer does not depend on what was evaluated together."""
    monkeypatch.setattr(evaluate, "CHUNK", 2**25)
    many = np.concatenate([points, np.repeat(points, 1000, axis=0)])  # also across blocks and chunks
    batch = problem.evaluator.values(many).value
    single = np.concatenate([problem.evaluator.values(point[None]).value for point in points])
    assert batch[:5].tobytes() == single.tobytes()
    assert batch[5:].tobytes() == np.repeat(single, 1000, axis=0).tobytes()
    with_gradients = problem.evaluator.with_gradients(points)
    alone = problem.evaluator.with_gradients(points[2:3])
    assert with_gradients.gradient is not None
    assert alone.gradient is not None
    assert with_gradients.gradient[2].tobytes() == alone.gradient[0].tobytes()
    assert with_gradients.value == pytest.approx(batch[:5], rel=1e-12)


def test_the_objective_from_what_pysd_computes(model: SourceModel, problem: Problem, points: Floats) -> None:
    """Present value and end value, summed anew from PySD's trajectories of null alternative and a point."""
    config = problem.config
    constants = {
        k: v for k, v in problem.changed_constants.items() if k not in problem.decisions.null_paths()
    }
    drawn = {key: path[:, 0] for key, path in problem.decisions.expand(points[:1]).items()}
    ours = [problem.null_objective, float(problem.objective(problem.evaluator.values(points[:1]).value)[0])]
    for paths, objective in zip((problem.decisions.null_paths(), drawn), ours, strict=True):
        theirs = replay(model, constants, paths, problem.grid)
        total = 0.0
        for time, social_return in theirs["social_return"].items():
            if 2027 <= time < 2042:
                (factor,) = discount_factors("2025", [time - 2027])
                total += factor * social_return * problem.grid.step
        (factor,) = discount_factors("2025", [2042 - 2027])
        total += factor * theirs["end_value_of_stocks"].iloc[-1]
        assert config.objective.end_value is not None
        assert objective == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("base_year", [2020, 2030])
def test_another_base_year_is_another_unit_of_account(problem: Problem, base_year: int) -> None:
    """One factor for every moment, also for those before the base year."""
    objective = problem.config.objective.model_copy(update={"base_year": base_year})
    config = problem.config.model_copy(update={"objective": objective})
    moved = at_time_step(replace(problem, config=config), problem.grid.step)
    assert moved.null_objective == pytest.approx(1.028 ** (base_year - 2027) * problem.null_objective)


def test_constraints_from_what_pysd_computes(model: SourceModel, problem: Problem, points: Floats) -> None:
    """Each limit, read by hand from the trajectories: averages, ends of years, every step."""
    constants = {
        k: v for k, v in problem.changed_constants.items() if k not in problem.decisions.null_paths()
    }
    drawn = {key: path[:, 0] for key, path in problem.decisions.expand(points[:1]).items()}
    null, here = (
        replay(model, constants, paths, problem.grid) for paths in (problem.decisions.null_paths(), drawn)
    )

    def average(frame: object, weights: dict[str, float], year: int) -> float:
        rows = frame[(frame.index >= year - 1e-9) & (frame.index < year + 1 - 1e-9)]  # type: ignore[index, attr-defined]
        return float(sum(w * rows[key].mean() for key, w in weights.items()))

    years = range(2027, 2031)
    inside = (here.index >= 2027 - 1e-9) & (here.index <= 2031 + 1e-9)
    expected = [null["hidden_need"].loc[y + 1] - here["hidden_need"].loc[y + 1] for y in years]
    balance = {"structural_balance_in_current_prices": 1.0}
    unbooked = {"entitlement_spending_in_current_prices": 0.5}
    expected.append(average(here, balance, 2030))
    expected.append(average(here, {**balance, **unbooked}, 2030) - average(null, unbooked, 2030))
    incidental = {"incidental_spending": 1.0, "incidental_income": -1.0}
    expected += [2.5 - average(here, incidental, y) for y in years]
    expected += list(here["general_reserve"][inside] - 20)
    expected += [here["resilience_ratio"].loc[y + 1] - 1.0 for y in years]
    expected += list(0.5 - here["waiting_beyond_the_legal_term"][inside])
    expected += [average(here, {"spending_on_gala_purposes": 1.0, "gala_grant": -1.0}, y) for y in years]
    slacks = problem.slacks(problem.evaluator.values(points[:1]).value)[0]
    scales = np.array([limit.scale for limit in problem.constraints])
    assert slacks * scales == pytest.approx(np.array(expected), rel=1e-9, abs=1e-9)


def test_a_finer_step_asks_the_same(problem: Problem, points: Floats) -> None:
    """Half the step: the same decisions and rules, and returns that differ little but do differ."""
    finer = at_time_step(problem, problem.grid.step / 2)
    assert finer.decisions.labels() == problem.decisions.labels()
    assert [rule.limit for rule in finer.rules] == [rule.limit for rule in problem.rules]
    ours, theirs = (
        p.objective(p.evaluator.values(points).value) - p.null_objective for p in (problem, finer)
    )
    assert (ours != theirs).all()
    assert theirs == pytest.approx(ours, rel=0.05)
