"""How far limits are passed, which stocks run out, who wins: against the question asked anew, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.asked import Asked
from sdopt.sweep.breaches import empty_table, limit_table
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.gains import gain_table
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome, all_rows, outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks
from sdopt.sweep.statistics import allocation_table

CONFIGS = Path(__file__).parents[2] / "configs"
FLOOR, BALANCE = "F4 ondergrens algemene reserve", "F1 structureel evenwicht"


class Swept:
    """The shipped question in a few futures, with the kept values of all runs."""

    def __init__(self, folder: Path) -> None:
        allocations = {"advice": str(CONFIGS / "allocations" / "meer-sociale-basis.csv")}
        self.config = CONFIGS / "onzeker-100k.yaml"
        changes = {("sweep", "allocations"): allocations, ("sweep", "scenarios"): 8}
        problem = _problem(self.config, changes)
        advice = given_advice(problem)
        assert advice is not None
        self.plan: Plan = plan_sweep(problem, advice)
        with Parts(folder, "parts", resume=False) as parts:
            assert run_blocks(self.plan, parts, in_this_process, lambda *_: None)
            self.outcome: Outcome = outcome_of(self.plan, parts)
            self.kept = np.concatenate([rows.kept for _, rows in all_rows(self.plan, parts)], axis=3)

    def asked_anew(self, scenario: int) -> Result:
        """The advice with the constants of one scenario written in the config, by another way through."""
        scenarios, variables = self.plan.scenarios, self.plan.problem.system.variables
        drawn = dict(zip(scenarios.keys, scenarios.values[:, scenario], strict=True))
        fixed = scenarios.external[scenarios.world[scenario]].constants
        changes = {variables[key].name: float(value) for key, value in {**drawn, **fixed}.items()}
        rest = {("uncertainties",): [], ("correlations",): [], ("robust",): None}
        problem = _problem(self.config, {("model", "changes"): changes, **rest})
        return simulate_allocation(problem, self.plan.allocations["advice"], "x")

    def planted(self, **outcome: object) -> Asked:
        return Asked(self.plan, replace(self.outcome, **outcome))


def _problem(config: Path, changes: dict[tuple[str, ...], object]) -> Problem:
    loaded = load_config(config, changes)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return Swept(tmp_path_factory.mktemp("swept"))


@pytest.fixture(scope="module")
def anew(swept: Swept) -> tuple[int, Result]:
    """A scenario of high prices, in which limits are broken, asked anew."""
    worlds = [one.name for one in swept.plan.scenarios.external]
    chosen = swept.plan.scenarios.world == worlds.index("Hoge prijzen")
    scenario = int(np.flatnonzero(chosen & swept.outcome.broken[1].any(axis=0))[0])
    return scenario, swept.asked_anew(scenario)


def names(swept: Swept) -> list[str]:
    return list(dict.fromkeys(one.functional.name for one in swept.plan.problem.constraints))


def test_a_limit_is_passed_by_as_much_as_in_the_question_asked_anew(
    swept: Swept, anew: tuple[int, Result]
) -> None:
    scenario, result = anew
    slacks = result.tables["constraints"].groupby("constraint")["slack"].min()
    passed = dict(zip(names(swept), swept.outcome.passed[1, :, scenario], strict=True))
    assert max(passed.values()) > 1
    for name, by in passed.items():
        assert by == pytest.approx(max(-slacks[name], 0.0), rel=1e-9, abs=1e-6), name
    assert ((swept.outcome.passed > 0) == swept.outcome.broken).all()


def test_pockets_gain_what_the_ledger_says_and_add_up(swept: Swept, anew: tuple[int, Result]) -> None:
    scenario, result = anew
    parties, gains = swept.plan.parties, swept.outcome.gains[1]
    own = result.tables["ledger"].groupby("pocket")["difference"].sum()
    whole = result.tables["perspective_totals"].set_index("perspective")["difference"]
    for party, gain in zip(parties, gains[:, scenario], strict=True):
        expected = own[party.name] if party.kind == "pocket" else whole[party.name]
        assert gain == pytest.approx(expected, rel=1e-8, abs=1e-9), party.name
    pockets = [k for k, party in enumerate(parties) if party.kind == "pocket"]
    assert {parties[k].name for k in pockets} == set(own.index)
    assert gains[pockets].sum(axis=0) == pytest.approx(swept.outcome.improvement[1], rel=1e-9)
    assert (swept.outcome.gains[0] == 0).all()


def test_a_stock_has_run_out_where_its_path_ends_at_zero_or_less(swept: Swept) -> None:
    plan = swept.plan
    variables = [plan.problem.system.variables[key] for key in plan.outputs]
    reserve = [one.name for one in variables].index("General reserve")
    paths = swept.kept[:, reserve]
    expected = (paths[:, 0] > 0) & (paths[:, -1] <= 0)
    assert expected.any()
    assert not expected.all()
    assert (swept.outcome.empty[:, reserve] == expected).all()
    stocks = {one.name for one in variables if one.kind == "stock"}
    assert "fiscal result of the municipality" in {one.name for one in variables} - stocks
    assert not swept.outcome.empty[:, [k for k, one in enumerate(variables) if one.kind != "stock"]].any()
    table = empty_table(swept.planted())
    assert set(table["variable"]) == stocks
    row = table.query("allocation == 'advice' and external == '' and variable == 'General reserve'").iloc[0]
    weights = plan.scenarios.weights
    assert row["empty"] == pytest.approx(np.average(expected[1], weights=weights))
    assert row["null_empty"] == pytest.approx(np.average(expected[0], weights=weights))
    assert row["time"] == 2042


def test_limits_say_how_often_how_far_and_in_which_years(swept: Swept) -> None:
    """The floor is passed in three of the five external scenarios, of weight 4, 1 and 1 in 8."""
    world, floor = swept.plan.scenarios.world, names(swept).index(FLOOR)
    broken, passed = np.zeros_like(swept.outcome.broken), np.zeros_like(swept.outcome.passed)
    broken[0, floor] = world == 1
    passed[0, floor] = 7.0 * (world == 1)
    broken[1, floor] = np.isin(world, [0, 2, 3])
    passed[1, floor] = np.select([world == 0, world == 2, world == 3], [2.0, 5.0, 9.0])
    table = limit_table(swept.planted(broken=broken, passed=passed))
    row = table[(table["limit"] == FLOOR) & (table["allocation"] == "advice")].set_index("external")
    assert row.loc["", "broken"] == pytest.approx(6 / 8)
    assert row.loc["", "null_broken"] == pytest.approx(1 / 8)
    assert (row.loc["", "passed_q50"], row.loc["", "passed_q90"]) == (2.0, 9.0)
    assert row["broken"].tolist() == pytest.approx([6 / 8, 1, 0, 1, 1, 0])
    assert (row.loc["", "unit"], row.loc["", "measure"]) == ("million EUR", "every_step")
    assert (row.loc["", "first_year"], row.loc["", "last_year"]) == (2027, 2030)
    null = table[(table["limit"] == FLOOR) & (table["allocation"] == "null")].set_index("external")
    assert (null.loc["", "broken"], null.loc["", "passed_q50"]) == (pytest.approx(1 / 8), 7.0)
    whole = table[(table["limit"] == "") & (table["external"] == "")].set_index("allocation")
    assert whole["broken"].to_dict() == pytest.approx({"null": 1 / 8, "advice": 6 / 8})
    assert whole["passed_q50"].isna().all()
    of_last_year = table[table["limit"] == BALANCE].iloc[0]
    assert (of_last_year["first_year"], of_last_year["last_year"]) == (2030, 2030)


def test_the_null_alternative_is_compared_in_the_same_futures(swept: Swept) -> None:
    """Where a run of the advice fails, that future counts for neither."""
    world, improvement = swept.plan.scenarios.world, swept.outcome.improvement.copy()
    improvement[1, world == 0] = np.nan
    broken = np.zeros_like(swept.outcome.broken)
    broken[0, 0] = np.isin(world, [0, 1])
    asked = swept.planted(improvement=improvement, broken=broken)
    row = limit_table(asked).query("allocation == 'advice' and external == '' and limit == ''").iloc[0]
    assert row["null_broken"] == pytest.approx(1 / 4)
    table = allocation_table(asked.plan, asked.outcome).set_index("allocation")
    assert table["null_broken"].to_dict() == pytest.approx({"null": 5 / 8, "advice": 1 / 4})
    assert table["any_broken"].to_dict() == pytest.approx({"null": 5 / 8, "advice": 0})
    assert table.loc["null", ["mean", "low", "high", "positive"]].isna().all()


def test_who_wins_and_pays_counts_by_weight_and_rounding_is_neither(swept: Swept) -> None:
    world, gains = swept.plan.scenarios.world, np.zeros_like(swept.outcome.gains)
    gains[1, 0] = np.where(world == 0, 3.0, -1.0)
    gains[1, 1] = 1e-12
    table = gain_table(swept.planted(gains=gains))
    first, second = table.iloc[0], table.iloc[1]
    assert (first["wins"], first["pays"], first["mean"]) == pytest.approx((0.5, 0.5, 1.0))
    assert (first["q10"], first["q50"], first["q90"]) == (-1.0, -1.0, 3.0)
    assert (second["wins"], second["pays"]) == (0.0, 0.0)
    assert list(dict.fromkeys(table["kind"])) == ["pocket", "perspective"]
    assert pd.unique(table["unit"]).tolist() == ["million EUR"]
