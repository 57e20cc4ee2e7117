"""The shipped question about what is not known is the shipped question, with its uncertainties added."""

from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.config.uncertainty import FROM_TABLE, Uncertainty
from sdopt.equations.simulate import simulate_all
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.reader_names import reader_names
from sdopt.source_model.read import read_model
from sdopt.source_model.replay import compare, replay
from sdopt.uncertainty.sample import draw_scenarios, uncertain_constants

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
ADDED = ("title", "uncertainties", "correlations", "external_scenarios", "sweep", "robust")
HOURS = "hours per EUR of social base"


def _problem(name: str = "onzeker-100k", **changes: float) -> Problem:
    loaded = load_config(CONFIGS / f"{name}.yaml", {("model", "changes"): changes} if changes else {})
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def test_it_asks_the_same_of_the_same_model() -> None:
    plain, uncertain = (load_config(CONFIGS / f"{n}.yaml").config for n in ("voorbeeld-100k", "onzeker-100k"))
    readers = {key: getattr(plain.output, key) for key in ("labels", "names")}
    same = {key: getattr(plain, key) for key in ADDED}
    output = uncertain.output.model_copy(update=readers)
    assert uncertain.model_copy(update={**same, "output": output}) == plain
    assert len(uncertain.external_scenarios) >= 4


def test_readers_see_the_same_names_in_both() -> None:
    plain, uncertain = _problem("voorbeeld-100k"), _problem()
    assert reader_names(plain.config, plain.system).items() <= (
        reader_names(uncertain.config, uncertain.system).items()
    )


def test_one_range_is_its_own_and_all_others_are_those_of_the_table() -> None:
    plain, uncertain = (uncertain_constants(_problem(name)) for name in ("voorbeeld-100k", "onzeker-100k"))
    rest = {one.name: one for one in plain if one.name != HOURS}
    assert {one.name: one for one in uncertain if one.name != HOURS} == rest
    (first, listed) = load_config(CONFIGS / "onzeker-100k.yaml").config.uncertainties
    assert first == FROM_TABLE
    assert listed == Uncertainty(constant=HOURS, low=-0.02, high=0.15)


def test_zero_and_the_wrong_sign_are_inside_the_ranges_that_decide_about_the_social_base() -> None:
    """Else a sweep would assume what it is asked to find out."""
    scenarios = draw_scenarios(_problem(), "latin hypercube", 1000, 1)
    low, high = (
        dict(zip(scenarios.keys, f(axis=1), strict=True))
        for f in (scenarios.values.min, scenarios.values.max)
    )
    assert low["network_elasticity_of_light_need"] < -0.2 and high["network_elasticity_of_light_need"] > 0.01
    assert low["hours_per_eur_of_social_base"] < -0.01


def test_the_effect_in_question_is_nothing_or_of_the_wrong_sign_as_often_as_its_triangle_says() -> None:
    """The triangle from -0.02 to 0.15 with its top at 0.06: below zero lies half of base times height."""
    problem = _problem()
    (hours,) = (one for one in uncertain_constants(problem) if one.name == HOURS)
    top = 2 / (0.15 + 0.02)
    height = top * 0.02 / (0.06 + 0.02)
    below = 0.5 * 0.02 * height
    assert 0.029 < below < 0.030
    assert float(hours.cdf(np.array(0.0))) == pytest.approx(below)
    scenarios = draw_scenarios(problem, "latin hypercube", 1000, 1)
    drawn = scenarios.values[scenarios.keys.index(hours.key)]
    assert np.mean(drawn <= 0) == pytest.approx(below, abs=0.001)


def test_with_the_wrong_sign_the_model_holds_and_pysd_agrees() -> None:
    """Social base that drives volunteers away: more of it, fewer hours; of hours there are always many."""
    model = read_model(CONFIGS.parent / "models" / "social_domain.mdl")
    problem, grid = _problem(), _problem().grid
    constants = {"hours_per_eur_of_social_base": -0.02}
    today, more = ({"social_base_spending": np.full(grid.steps + 1, amount)} for amount in (6.1, 14.0))
    found = [simulate_all(model.system, grid, constants, paths) for paths in (today, more)]
    assert compare(found[1], replay(model, constants, more, grid)).largest < 1e-9
    capacity = [np.ravel(one["informal_network_capacity"]) for one in found]
    assert (capacity[1][grid.times > 2028] < capacity[0][grid.times > 2028]).all()
    assert min(one.min() for one in capacity) > 0.5 * capacity[0][0]
    assert all(np.isfinite(values).all() for one in found for values in one.values())
    assert problem.system.variables["hours_per_eur_of_social_base"].low is None


def test_its_own_allocation_raises_the_social_base_alone() -> None:
    problem = _problem()
    point = read_allocation(CONFIGS / "allocations" / "meer-sociale-basis.csv", problem)
    change = point - problem.decisions.null_vector()
    raised = [label == "social base" for label, _ in problem.decisions.labels()]
    assert (change[raised] == 1).all() and not change[[not one for one in raised]].any()
