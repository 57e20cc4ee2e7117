"""Draws of a whole question: which constants, from which distributions, in which futures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sdopt.config.load import load_config
from sdopt.errors import ConfigError
from sdopt.optimise.tables import assumption_table
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.uncertainties import left_out
from sdopt.source_model.read import read_model
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import (
    draw_scenarios,
    drawn_constants,
    external_scenarios,
    uncertain_constants,
)
from sdopt.uncertainty.scenarios import External
from sdopt.uncertainty.sensitivity.designs import saltelli_design

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "tests/data/uncertainty/wijk_onzeker.yaml"
SHIPPED = ROOT / "configs/voorbeeld-100k.yaml"
DRAWN = [
    *("most reach", "half budget", "memory time", "base inflow", "effect of knowing", "exit fraction"),
    *("price of care", "most extra exits"),
]


def asked(changes: dict[str, Any] | None = None, path: Path = CONFIG) -> Problem:
    loaded = load_config(path, changes)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return asked()


def test_what_is_drawn(problem: Problem) -> None:
    """Rows of the table and what is listed beside it; not what is chosen, fixed or well founded."""
    found = uncertain_constants(problem)
    assert [one.name for one in found] == DRAWN
    ranges = {one.name: (one.low, one.central, one.high, one.kind) for one in found}
    assert ranges["memory time"] == (1, 2, 4, "uniform")
    assert ranges["most reach"] == (50, 60, 70, "normal")  # listed, so not the 40 to 90 of the table
    assert ranges["exit fraction"] == (0.15, 0.2, 0.26, "data")
    assert ranges["most extra exits"] == (20, 25, 35, "discrete")
    assert ranges["price of care"] == (0.04, 0.05, 0.07, "triangular")
    assert left_out(problem.config, problem.constants, problem.system) == {"prevention budget": "chosen"}


def test_only_what_is_listed_is_drawn_when_the_table_is_not_asked_for() -> None:
    listed = [{"constant": "turning point", "low": 80, "high": 90}, {"constant": "most spread", "low": 12,
              "high": 12}, {"constant": "memory time", "distribution": "fixed"}]  # fmt: skip
    found = uncertain_constants(asked({"uncertainties": listed, "correlations": []}))
    assert [one.name for one in found] == ["turning point"]


def test_a_constant_that_decided_a_delay_is_left_out(tmp_path: Path) -> None:
    text = (ROOT / "tests/data/wijk.mdl").read_text(encoding="utf-8")
    later = "reached later= DELAY N(reach, 1, reach, turning point)\n\t~\tPerson/Year\n\t~\t\t|\n"
    model = text.replace("\nmost spread= 12", f"\n{later}\nmost spread= 12")
    model = model.replace("turning point= 85\n\t~\tPerson", "turning point= 3\n\t~\tDmnl [1,9]")
    (tmp_path / "wijk.mdl").write_text(model, encoding="utf-8")
    table = CONFIG.with_suffix(".csv").read_text(encoding="utf-8")
    table = table.replace("turning point,85,85,85,fixed,Person", "turning point,3,2,4,,Dmnl")
    (tmp_path / "wijk.csv").write_text(table, encoding="utf-8")
    files = {"file": str(tmp_path / "wijk.mdl"), "constants": str(tmp_path / "wijk.csv")}
    problem = asked({"model": files})
    assert left_out(problem.config, problem.constants, problem.system)["turning point"] == "fixed"
    assert "turning point" not in [one.name for one in uncertain_constants(problem)]


def test_every_future_has_the_same_draws(problem: Problem) -> None:
    found = draw_scenarios(problem, "latin hypercube", 50, 1)
    assert [one.name for one in found.external] == ["zoals nu", "slappe economie", "dure zorg"]
    np.testing.assert_array_equal(found.draw, np.repeat(np.arange(50), 3))
    np.testing.assert_array_equal(found.world, np.tile([0, 1, 2], 50))
    parts = [found.part(found.world == world).values for world in range(3)]
    np.testing.assert_array_equal(parts[0], parts[1])
    np.testing.assert_array_equal(parts[0], parts[2])
    np.testing.assert_allclose(found.weights[:3], np.array([2, 1, 1]) / 200)
    assert found.weights.sum() == pytest.approx(1)


def test_the_same_seed_gives_the_same_draws(problem: Problem) -> None:
    first, again, other = (draw_scenarios(problem, "latin hypercube", 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values, again.values)
    assert (first.values != other.values).any(axis=1).all()


@pytest.mark.parametrize("design", ["latin hypercube", "sobol"])
def test_every_constant_has_its_own_distribution(problem: Problem, design: str) -> None:
    """Kolmogorov-Smirnov against SciPy's distributions; and the rank correlations asked for."""
    found = draw_scenarios(problem, design, 2048, 3, (External("central", {}, {}),))
    drawn = dict(zip(DRAWN, found.values, strict=True))
    truth = {
        "memory time": stats.uniform(1, 3),
        "effect of knowing": stats.triang(0.6, 0, 0.5),
        "base inflow": stats.norm(70, 10 / stats.norm.ppf(0.975)),
        "half budget": stats.lognorm(np.log(2) / stats.norm.ppf(0.975), scale=2),
    }
    for name, one in truth.items():
        assert stats.kstest(drawn[name], one.cdf).statistic < 2 / 2048, name
    assert [np.sum(drawn["most extra exits"] == value) for value in (20, 25, 35)] == [512, 1024, 512]
    assert [np.sum(drawn["exit fraction"] == value) // 10 for value in (0.15, 0.19, 0.26)] == [34, 68, 34]
    ranks = {
        ("memory time", "half budget"): 0.7,
        ("memory time", "base inflow"): 0.3,
        ("effect of knowing", "exit fraction"): -0.5,
        ("most reach", "price of care"): 0.0,
    }
    for (first, second), rank in ranks.items():
        # ties among the observations take a little off
        assert stats.spearmanr(drawn[first], drawn[second]).statistic == pytest.approx(rank, abs=0.05)


def test_futures_fix_constants_and_give_paths(problem: Problem) -> None:
    _, weak, dear = external_scenarios(problem)
    assert dict(weak.constants) == {"base_inflow": 78}
    assert dict(dear.constants) == {"price_of_care": 0.065}
    times, path = problem.grid.times, weak.paths["price_of_care"]
    by_time = dict(zip(times, path, strict=True))
    assert [by_time[t] for t in (2026, 2028, 2030, 2033, 2036)] == pytest.approx(
        [0.05, 0.0525, 0.055, 0.0575, 0.06]
    )


def test_a_path_is_level_outside_its_years() -> None:
    changes = {"external_scenarios": {"later": {"constants": {"price of care": {"2030.5": 1, "2029": 4}}}}}
    (future,) = external_scenarios(asked(changes))
    path = dict(zip(asked().grid.times, future.paths["price_of_care"], strict=True))
    assert [path[t] for t in (2026, 2029, 2029.75, 2030.5, 2036)] == [4, 4, 2.5, 1, 1]


def test_what_every_future_fixes_is_not_drawn(problem: Problem) -> None:
    both = (External("a", {"base_inflow": 70}, {}), External("b", {}, {"base_inflow": np.ones(41)}))
    assert "base inflow" not in [one.name for one in drawn_constants(problem, both)]
    found = draw_scenarios(problem, "latin hypercube", 10, 1, both)
    assert "base_inflow" not in found.keys
    assert "base_inflow" in draw_scenarios(problem, "latin hypercube", 10, 1).keys


def test_a_future_that_fixes_a_constant_undoes_its_draws(problem: Problem) -> None:
    """In one future the outcome no longer depends on that constant; in the other it does."""
    fixed = {one.key: one.central for one in uncertain_constants(problem) if one.key != "base_inflow"}
    futures = (External("free", fixed, {}), External("fixed", {**fixed, "base_inflow": 78}, {}))
    found = draw_scenarios(problem, "latin hypercube", 20, 1, futures)
    null = build_ensemble(problem, found).null_values[:, 0]
    assert np.ptp(null[found.world == 1]) == 0
    assert np.ptp(null[found.world == 0]) > 1


def test_saltelli_keeps_the_order_of_its_analysis() -> None:
    problem = asked({"correlations": []})
    found = draw_scenarios(problem, "saltelli", 64, 5)
    unit = saltelli_design(64, 8, 5)
    mine = found.part(found.world == 1).values
    for row, one, column in zip(mine, uncertain_constants(problem), unit.T, strict=True):
        np.testing.assert_array_equal(row, one.quantile(column))


@pytest.mark.parametrize("design", ["grid", "morris", "saltelli"])
def test_correlations_and_a_design_of_independent_constants_do_not_go_together(
    problem: Problem, design: str
) -> None:
    with pytest.raises(ConfigError, match=f"the design {design} needs constants that are independent"):
        draw_scenarios(problem, design, 64, 1, levels=2)  # type: ignore[arg-type]


def test_nothing_to_draw() -> None:
    none: dict[str, Any] = {"uncertainties": [], "correlations": []}
    futures = draw_scenarios(asked(none), "sobol", 100, 1)
    assert (futures.count, futures.keys) == (3, ())
    with pytest.raises(ConfigError, match="nothing is uncertain: no constant is drawn and no external"):
        draw_scenarios(asked({**none, "external_scenarios": {}}), "sobol", 100, 1)


def test_a_value_of_this_question_outside_the_range_of_the_table() -> None:
    problem = asked({"model.changes": {"memory time": 5, "half budget": 1}, "external_scenarios": {}})
    with pytest.raises(ConfigError) as refused:
        uncertain_constants(problem)
    assert [line.removeprefix("  * ") for line in str(refused.value).splitlines()] == [
        "uncertainties: 2 errors",
        '"half budget": 1, the value used, is at the end of [1, 4], while half of a lognormal distribution '
        "lies on either side of it; widen the range, or choose triangular",
        '"memory time": 5, the value used, is outside [1, 4]; widen the range',
    ]


def test_the_central_values_are_not_one_of_the_draws(problem: Problem) -> None:
    found = draw_scenarios(problem, "latin hypercube", 100, 1)
    central = np.array([one.central for one in uncertain_constants(problem)])
    assert not (found.values == central[:, None]).all(axis=0).any()


def test_the_shipped_question() -> None:
    problem = asked(path=SHIPPED)
    constants = uncertain_constants(problem)
    assert len(constants) > 100
    found = draw_scenarios(problem, "latin hypercube", 1000, 1)
    ends = np.array([(one.low, one.high) for one in constants]).T[:, :, None]
    assert ((ends[0] <= found.values) & (found.values <= ends[1])).all()
    assert {"prevention_spending", "time_step"}.isdisjoint(found.keys)


@pytest.mark.parametrize("path", [CONFIG, SHIPPED])
def test_the_table_of_assumptions_says_what_is_drawn(path: Path) -> None:
    problem = asked(path=path)
    table = assumption_table(problem).set_index("name")
    found = {one.name: (one.low, one.high, one.kind) for one in uncertain_constants(problem)}
    shown = table[table["uncertain"]]
    assert set(shown.index) == set(found)
    for name, row in shown.iterrows():
        assert (row["low"], row["high"], row["distribution"]) == found[name]
