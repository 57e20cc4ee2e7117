"""The ensemble against the same question asked anew with other constants, one scenario at a time."""

from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.meaning import resolve
from sdopt.source_model.read import read_model
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble
from sdopt.uncertainty.scenarios import External, Scenarios, central_scenarios

FIRST = Path(__file__).parents[2] / "benchmarks/problems/first-version/configs/voorbeeld-100k.yaml"
COUNT = 7


@pytest.fixture(scope="module")
def problem() -> Problem:
    loaded = load_config(FIRST)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.fixture(scope="module")
def scenarios(problem: Problem) -> Scenarios:
    random = np.random.default_rng(3)
    decided = {path.name for path in problem.decisions.paths}
    listed = [c for c in problem.constants if c.uncertain and c.low < c.high and c.name not in decided]
    drawn, fixed = listed[:12], listed[12]
    keys = [resolve(c.name, problem.system).key for c in drawn]
    values = np.array([random.uniform(c.low, c.high, COUNT) for c in drawn])
    key = resolve(fixed.name, problem.system).key
    path = np.linspace(fixed.low, fixed.high, problem.grid.steps + 1)
    worlds = (
        External("central", {}, {}),
        External("one drawn constant and another fixed", {keys[0]: drawn[0].low, key: fixed.high}, {}),
        External("a path", {}, {key: path}),
    )
    world = np.arange(COUNT) % 3
    return Scenarios(tuple(keys), values, worlds, world, np.arange(COUNT) // 3)


@pytest.fixture(scope="module")
def ensemble(problem: Problem, scenarios: Scenarios) -> Ensemble:
    return build_ensemble(problem, scenarios)


@pytest.fixture(scope="module")
def point(problem: Problem) -> np.ndarray:
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    return lower + np.random.default_rng(5).uniform(0.2, 0.8, len(lower)) * (upper - lower)


def _asked_anew(problem: Problem, scenarios: Scenarios, scenario: int) -> Problem:
    """The question with this scenario's constants written in the config."""
    external = scenarios.external[scenarios.world[scenario]]
    keys = dict(zip(scenarios.keys, scenarios.values[:, scenario], strict=True)) | dict(external.constants)
    changes = {problem.system.variables[key].name: float(value) for key, value in keys.items()}
    loaded = load_config(FIRST, {("model", "changes"): changes})
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.mark.parametrize("scenario", [0, 1, 3, 4, 6])
def test_every_scenario_is_the_question_asked_anew(
    problem: Problem, scenarios: Scenarios, ensemble: Ensemble, point: np.ndarray, scenario: int
) -> None:
    anew = _asked_anew(problem, scenarios, scenario)
    found = anew.evaluator.with_gradients(point[None])
    values = ensemble.values(point)
    wanted = anew.objective(found.value)[0] - anew.null_objective
    assert ensemble.improvement(values)[scenario] == pytest.approx(wanted, rel=1e-12, abs=1e-10)
    limits = [c.limit for c in anew.constraints]
    np.testing.assert_allclose(ensemble.limits[scenario], limits, rtol=1e-12)
    slacks = anew.slacks(found.value)[0] * [c.scale for c in anew.constraints]
    ours = ensemble.slacks(values)[scenario] * [c.scale for c in problem.constraints]
    np.testing.assert_allclose(ours, slacks, rtol=1e-9, atol=1e-9)
    improvement, slope = ensemble.objective_slopes(point)
    rows = list(anew.objective_rows)
    exact = np.array(list(anew.objective_rows.values())) @ found.gradient[0][rows]
    assert improvement[scenario] == pytest.approx(wanted, rel=1e-12, abs=1e-10)
    np.testing.assert_allclose(slope[scenario], exact, rtol=1e-8, atol=1e-12)


def test_slopes_of_slacks_are_those_of_a_small_step(ensemble: Ensemble, point: np.ndarray) -> None:
    count = len(ensemble.problem.constraints)
    chosen = [0, count // 2, count - 1]
    slacks, slopes = ensemble.slack_slopes(point, chosen)
    np.testing.assert_allclose(
        slacks, ensemble.slacks(ensemble.values(point))[:, chosen], rtol=1e-9, atol=1e-12
    )
    step = np.zeros(len(point))
    step[3] = 1e-5
    ahead, behind = (ensemble.slacks(ensemble.values(point + sign * step))[:, chosen] for sign in (1, -1))
    np.testing.assert_allclose(slopes[:, :, 3], (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-7)


def test_a_path_differs_from_its_first_value(
    ensemble: Ensemble, scenarios: Scenarios, problem: Problem
) -> None:
    """The external scenario with a path gives another answer than the same draw without it."""
    plain = Scenarios(
        scenarios.keys, scenarios.values, scenarios.external, np.zeros(COUNT, dtype=np.intp), scenarios.draw
    )
    without = build_ensemble(problem, plain).null_values
    with_path = scenarios.world == 2
    assert not np.allclose(ensemble.null_values[with_path], without[with_path])
    central = scenarios.world == 0
    np.testing.assert_allclose(ensemble.null_values[central], without[central], rtol=1e-12)


def test_scenarios_keep_apart(
    ensemble: Ensemble, problem: Problem, scenarios: Scenarios, point: np.ndarray
) -> None:
    """A scenario's values do not depend on which others stand beside it."""
    alone = build_ensemble(problem, scenarios.part(np.array([4])))
    np.testing.assert_allclose(alone.values(point)[0], ensemble.values(point)[4], rtol=1e-12)


def test_the_null_alternative_gains_nothing(ensemble: Ensemble, problem: Problem) -> None:
    gain = ensemble.improvement(ensemble.values(problem.decisions.null_vector()))
    np.testing.assert_allclose(gain, 0.0, atol=1e-9)


def test_nothing_drawn_is_the_question_itself(problem: Problem, point: np.ndarray) -> None:
    alone = build_ensemble(problem, central_scenarios())
    np.testing.assert_allclose(alone.values(point), problem.evaluator.values(point[None]).value, rtol=1e-13)
