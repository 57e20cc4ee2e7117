"""The shipped question about what is not known is the shipped question, with its uncertainties added."""

from pathlib import Path

from sdopt.config.load import load_config
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model
from sdopt.uncertainty.sample import draw_scenarios

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
ADDED = ("title", "correlations", "external_scenarios", "sweep", "robust")


def test_it_asks_the_same_of_the_same_model() -> None:
    plain, uncertain = (load_config(CONFIGS / f"{n}.yaml").config for n in ("voorbeeld-100k", "onzeker-100k"))
    assert uncertain.model_copy(update={key: getattr(plain, key) for key in ADDED}) == plain
    assert len(uncertain.external_scenarios) >= 4


def test_zero_and_the_wrong_sign_are_inside_the_ranges_that_decide_about_the_social_base() -> None:
    """Else a sweep would assume what it is asked to find out."""
    loaded = load_config(CONFIGS / "onzeker-100k.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    scenarios = draw_scenarios(problem, "latin hypercube", 1000, 1)
    low, high = (
        dict(zip(scenarios.keys, f(axis=1), strict=True))
        for f in (scenarios.values.min, scenarios.values.max)
    )
    assert low["network_elasticity_of_light_need"] < -0.2 and high["network_elasticity_of_light_need"] > 0.01
    assert low["hours_per_eur_of_social_base"] < 0.01


def test_its_own_allocation_raises_the_social_base_alone() -> None:
    loaded = load_config(CONFIGS / "onzeker-100k.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    point = read_allocation(CONFIGS / "allocations" / "meer-sociale-basis.csv", problem)
    change = point - problem.decisions.null_vector()
    raised = [label == "social base" for label, _ in problem.decisions.labels()]
    assert (change[raised] == 1).all() and not change[[not one for one in raised]].any()
