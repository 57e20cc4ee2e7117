"""Sensitivity of drawn scenarios by external scenario, on a known function and on the real ensemble."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from sdopt.uncertainty.designs import unit_design
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import draw_scenarios, uncertain_constants
from sdopt.uncertainty.scenarios import External, Scenarios, central_scenarios
from sdopt.uncertainty.sensitivity.analyse import analyse, failing_futures, tornado_scenarios, tornado_table
from sdopt.uncertainty.sensitivity.designs import morris_design
from sdopt.uncertainty.sensitivity.morris import morris_screening
from sdopt.uncertainty.sensitivity.sobol import sobol_indices

FIRST = Path(__file__).parents[2] / "benchmarks/problems/first-version/configs/voorbeeld-100k.yaml"
KEYS, NAMES = ("a", "b", "c"), ("Alpha", "Beta", "Gamma")
WORLDS = (External("calm", {}, {}), External("storm", {"b": 0.5}, {"c": np.ones(4)}))


def _scenarios(design: str, count: int) -> Scenarios:
    """Draws on [0, 1] in the order of `draw_scenarios`."""
    unit = unit_design(design, count, 3, seed=1, levels=4)
    draws = np.arange(unit.shape[1])
    return Scenarios(
        KEYS, np.repeat(unit, 2, axis=1), WORLDS, np.tile([0, 1], len(draws)), np.repeat(draws, 2)
    )


def _values(scenarios: Scenarios) -> np.ndarray:
    """In the storm b and c are fixed, and a counts twice."""
    a, b, c = scenarios.values
    return np.where(scenarios.world == 0, a + 2 * b * c, 2 * a + 7)[:, None]


def test_every_external_scenario_has_its_own_indices() -> None:
    scenarios = _scenarios("saltelli", 1024)
    table = analyse(scenarios, "saltelli", 1, 4, _values(scenarios), NAMES, ["y"])["sobol_indices"]
    calm = sobol_indices(_values(scenarios)[::2], NAMES, ["y"])
    pd.testing.assert_frame_equal(table[table["external"] == "calm"].iloc[:, 1:], calm)
    storm = table[table["external"] == "storm"]
    assert storm["factor"].tolist() == ["Alpha"]
    assert storm["total"].tolist() == pytest.approx([1], abs=0.05)


def test_morris_needs_no_design_beside_its_seed() -> None:
    scenarios = _scenarios("morris", 20)
    table = analyse(scenarios, "morris", 1, 4, _values(scenarios), NAMES, ["y"])["morris_screening"]
    calm = morris_screening(morris_design(20, 3, 4, 1), _values(scenarios)[::2], NAMES, ["y"])
    pd.testing.assert_frame_equal(table[table["external"] == "calm"].iloc[:, 1:], calm)
    assert table.loc[table["external"] == "storm", "mu"].tolist() == pytest.approx([2])


@pytest.mark.parametrize("design", ["latin hypercube", "sobol"])
def test_random_designs_give_shares_and_dependence(design: str) -> None:
    scenarios = _scenarios(design, 512)
    tables = analyse(scenarios, design, 1, 4, _values(scenarios), NAMES, ["y"])
    shares = tables["explained_shares"].set_index(["external", "factor"])["share"]
    # Variances: of a 1/12; of 2 E(c) b = b 1/12, and of c as much; of the interaction 4 / 144.
    assert shares["calm"].tolist() == pytest.approx([0.3, 0.3, 0.3], abs=0.06)
    assert shares["storm"].to_dict() == pytest.approx({"Alpha": 1}, abs=0.01)
    dependence = tables["partial_dependence"]
    storm = dependence[dependence["external"] == "storm"]
    assert storm["mean"].to_numpy() == pytest.approx(7 + 2 * storm["centre"].to_numpy())


def test_the_tornado_of_every_external_scenario() -> None:
    scenarios = tornado_scenarios(KEYS, np.zeros(3), np.full(3, 0.5), np.full(3, 0.75), WORLDS)
    table = tornado_table(scenarios, _values(scenarios), NAMES, ["y"])
    rows = table[["external", "factor", "central", "at_low", "at_high"]].to_numpy().tolist()
    assert rows == [
        ["calm", "Alpha", 1, 0.5, 1.25],
        ["calm", "Beta", 1, 0.5, 1.25],
        ["calm", "Gamma", 1, 0.5, 1.25],
        ["storm", "Alpha", 8, 7, 8.5],
    ]


def test_failing_futures_of_every_external_scenario() -> None:
    scenarios = _scenarios("latin hypercube", 600)
    fails = np.where(scenarios.world == 0, scenarios.values[1] > 0.7, scenarios.values[0] < 0.2).astype(float)
    found = failing_futures(scenarios, fails, NAMES, seed=3)
    assert {w: [r.factor for r in one.boxes[0].restrictions] for w, one in found.items()} == {
        "calm": ["Beta"],
        "storm": ["Alpha"],
    }


def test_nothing_drawn_is_nothing_to_analyse() -> None:
    scenarios = central_scenarios(WORLDS)
    assert analyse(scenarios, "saltelli", 1, 4, np.zeros((2, 1)), (), ["y"]) == {}
    found = failing_futures(scenarios, np.array([0.0, 1.0]), (), seed=3)
    assert {one.reason for one in found.values()} == {"no factor is drawn"}


@pytest.fixture(scope="module")
def problem() -> Problem:
    loaded = load_config(FIRST)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def test_the_real_question_end_to_end(problem: Problem) -> None:
    """What matters by Sobol indices matters by shares from another sample, and in the tornado."""
    names = [one.name for one in uncertain_constants(problem)]
    point = (problem.decisions.lower() + problem.decisions.upper()) / 2

    def improvement(scenarios: Scenarios) -> np.ndarray:
        ensemble = build_ensemble(problem, scenarios)
        return ensemble.improvement(ensemble.values(point))[:, None]

    def drawn(design: str, count: int) -> pd.DataFrame:
        scenarios = draw_scenarios(problem, design, count, seed=5)
        tables = analyse(scenarios, design, 5, 4, improvement(scenarios), names, ["improvement"])
        return next(iter(tables.values())).set_index("factor")

    sobol, shares = drawn("saltelli", 128), drawn("latin hypercube", 1000)["share"]
    assert shares.idxmax() == sobol["first"].idxmax() == drawn("morris", 10)["mu_star"].idxmax()
    inside = (sobol["first_low"] - 0.05 <= shares) & (shares <= sobol["first_high"] + 0.05)
    assert inside.mean() > 0.9
    constants = uncertain_constants(problem)
    ends = [np.array([getattr(one, end) for one in constants]) for end in ("low", "central", "high")]
    scenarios = tornado_scenarios([one.key for one in constants], *ends, (External("central", {}, {}),))
    assert tornado_table(scenarios, improvement(scenarios), names, ["y"])["factor"][0] == shares.idxmax()
