"""The multi-year budget: it adds up to the model's balance, in prices of the year itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.optimise.run import simulate_allocation
from sdopt.optimise.tables import paths_of, simulate
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]
SIGNS = {"income": 1.0, "spending": -1.0, "reserves": 0.0}


def asked(config: str, first: int | None = None) -> Problem:
    loaded = load_config(ROOT / "configs" / f"{config}.yaml")
    if first is not None:
        years = loaded.config.decision_years.model_copy(update={"first": first, "last": first + 3})
        loaded = replace(loaded, config=loaded.config.model_copy(update={"decision_years": years}))
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.fixture(scope="module", params=["voorbeeld-100k", "krimpregio"])
def problem(request: pytest.FixtureRequest) -> Problem:
    return asked(request.param)


def budget_of(problem: Problem, point: np.ndarray) -> pd.DataFrame:
    return simulate_allocation(problem, point, "run").tables["multi_year_budget"]


def test_it_adds_up_to_the_balance_in_current_prices(problem: Problem) -> None:
    """Income less spending is the balance that goes to the reserve, in every year and for any allocation."""
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    point = np.random.default_rng(4).uniform(lower, upper)
    table = budget_of(problem, point)
    signed = table[["null", "advice"]].mul(table["side"].map(SIGNS), axis=0)
    found = signed.groupby(table["year"]).sum()
    runs = {
        "null": simulate(problem, problem.decisions.null_paths()),
        "advice": simulate(problem, paths_of(problem, point)),
    }
    assert list(found.index) == [2026, 2027, 2028, 2029, 2030]
    for year in found.index:
        inside = (problem.grid.times >= year - 1e-9) & (problem.grid.times < year + 1 - 1e-9)
        for name, run in runs.items():
            balance = run["municipal_balance_in_current_prices"][inside].mean()
            assert found.loc[year, name] == pytest.approx(balance, abs=1e-9)
            reserves = table[(table["side"] == "reserves") & (table["year"] == year)]
            assert list(reserves["account"]) == ["0.10"]
            assert reserves[name].sum() == pytest.approx(balance, abs=1e-9)


@pytest.mark.parametrize(("first", "shown"), [(2028, 2026), (2029, 2027)])
def test_two_years_before_the_decisions_where_the_run_has_them(first: int, shown: int) -> None:
    problem = asked("voorbeeld-100k", first)
    table = budget_of(problem, problem.decisions.null_vector())
    assert sorted(table["year"].unique()) == list(range(shown, first + 4))
    assert np.isfinite(table[["null", "advice"]].to_numpy()).all()


def test_structural_and_incidental_stand_apart_as_in_rule_f1(problem: Problem) -> None:
    table = budget_of(problem, problem.decisions.null_vector())
    kept = table[table["term"] == "structural"]
    signed = kept["null"].mul(np.where(kept["side"] == "income", 1.0, -1.0))
    run = simulate(problem, problem.decisions.null_paths())
    for year, found in signed.groupby(kept["year"]).sum().items():
        inside = (problem.grid.times >= year - 1e-9) & (problem.grid.times < year + 1 - 1e-9)
        balance = run["structural_balance_in_current_prices"][inside].mean()
        assert found == pytest.approx(balance, abs=1e-9)


def test_one_amount_by_hand(problem: Problem) -> None:
    """Today's social base in 2026: its real amount times the mean of 1.02^(t - 2024) over eight steps."""
    table = budget_of(problem, problem.decisions.null_vector())
    (row,) = table[(table["variable"] == "social base spending") & (table["year"] == 2026)].itertuples()
    index = np.mean([1.02 ** (2 + k / 8) for k in range(8)])
    (path,) = [path for path in problem.decisions.paths if path.name == "social base spending"]
    assert row.null == pytest.approx(path.null[0] * index)
    assert (row.account, row.side, row.term) == ("6.1", "spending", "structural")
    assert row.unit == "million EUR"


def test_neighbourhoods_are_added_up() -> None:
    """Ten neighbourhoods: the lines are totals, and together they are the municipality's balance."""
    problem = asked("tien-wijken-100k")
    table = budget_of(problem, problem.decisions.null_vector())
    signed = table["null"].mul(table["side"].map(SIGNS))
    run = simulate(problem, problem.decisions.null_paths())
    inside = problem.grid.times < 2027 - 1e-9
    balance = run["municipal_balance_in_current_prices"][inside].mean()
    assert signed[table["year"] == 2026].sum() == pytest.approx(balance, abs=1e-9)
