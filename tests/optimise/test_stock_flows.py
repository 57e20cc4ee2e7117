"""Stock, inflow and outflow per year: by hand, and adding up for every stock of the models."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.optimise.run import simulate_allocation
from sdopt.optimise.stock_flows import COLUMNS, signed_flows, stock_flow_table
from sdopt.optimise.tables import simulate
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]
SIGNS = {"start": 1, "in": 1, "out": -1, "net": 1, "adjustment": 1, "end": -1}
TANK = """{{UTF-8}}
Tank= INTEG ( inflow - outflow - 2 * leak + bend, 10 ) ~ litre ~ |
Bare= INTEG ( inflow - outflow, 0 ) ~ litre ~ |
Swing= INTEG ( bend, 3 ) ~ litre ~ |
inflow= budget ~ litre/Year ~ |
outflow= Bare * part ~ litre/Year ~ |
leak= 0.25 ~ litre/Year ~ |
bend= {bend} ~ litre/Year ~ |
part= 0.5 ~ 1/Year ~ |
budget= 4 ~ litre/Year [0, 10] ~ |
gain= budget * worth ~ million EUR/Year ~ |
worth= 1 ~ million EUR/litre ~ |
INITIAL TIME= {start} ~ Year ~ |
FINAL TIME= 2030 ~ Year ~ |
TIME STEP= 0.25 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""
QUESTION = """schema_version: 1
title: A tank
model: {{file: tank.mdl}}
horizon: {{start: {start}, end: {end}}}
decision_years: {{first: 2027, last: 2028}}
decisions: {{budget: {{variable: budget, bounds: [0, 10]}}}}
objective: {{maximise: gain, discount_rate: 0.0}}
"""


def tank(folder: Path, *, start: float = 2026, end: float = 2030, bend: str = "Time - 2027.5") -> Problem:
    (folder / "tank.mdl").write_text(TANK.format(start=start, bend=bend), encoding="utf-8")
    (folder / "tank.yaml").write_text(QUESTION.format(start=start, end=end), encoding="utf-8")
    loaded = load_config(folder / "tank.yaml")
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def of(problem: Problem) -> pd.DataFrame:
    run = simulate(problem, problem.decisions.null_paths())
    return stock_flow_table(problem, run, run)["stock_flows"]


def amounts(table: pd.DataFrame, stock: str, direction: str, flow: str = "") -> list[float]:
    rows = table[(table["stock"] == stock) & (table["direction"] == direction) & (table["flow"] == flow)]
    return list(rows["null"])


def test_by_hand(tmp_path: Path) -> None:
    """Bare: 4 in, half of what is there out, in quarters: x' = x + (4 - x / 2) / 4, so 8 (1 - 0.875^n)."""
    table = of(tank(tmp_path))
    assert list(table.columns) == list(COLUMNS)
    held = [8 * (1 - 0.875 ** (4 * k)) for k in range(5)]
    assert amounts(table, "Bare", "start") == pytest.approx(held[:-1])
    assert amounts(table, "Bare", "end") == pytest.approx(held[1:])
    assert amounts(table, "Bare", "in", "inflow") == pytest.approx([4] * 4)
    assert amounts(table, "Bare", "out", "outflow") == pytest.approx(
        [4 - (after - before) for before, after in pairwise(held)]
    )
    assert set(table.loc[table["stock"] == "Bare", "direction"]) == {"start", "in", "out", "end"}
    assert set(table["unit"]) == {"litre"}
    assert sorted(table["year"].unique()) == [2026, 2027, 2028, 2029]


def test_a_flow_that_goes_both_ways_and_what_is_no_flow(tmp_path: Path) -> None:
    """`bend` begins below zero; `2 * leak` is no variable, so it is a change without a name: -0.5 a year."""
    table = of(tank(tmp_path))
    turning = [sum(year + k / 4 - 2027.5 for k in range(4)) / 4 for year in range(2026, 2030)]
    assert amounts(table, "Tank", "net", "bend") == pytest.approx(turning)
    assert amounts(table, "Swing", "net", "bend") == pytest.approx(turning)
    assert amounts(table, "Tank", "net") == pytest.approx([-0.5] * 4)


def test_a_flow_that_only_adds_is_an_inflow(tmp_path: Path) -> None:
    table = of(tank(tmp_path, bend="Time - 2026"))
    assert amounts(table, "Swing", "in", "bend")[0] == pytest.approx((0 + 0.25 + 0.5 + 0.75) / 4)
    assert amounts(table, "Swing", "net", "bend") == []


def test_the_first_and_last_part_of_a_year(tmp_path: Path) -> None:
    table = of(tank(tmp_path, start=2026.5, end=2029.75))
    assert sorted(table["year"].unique()) == [2026, 2027, 2028, 2029]
    assert amounts(table, "Bare", "in", "inflow") == pytest.approx([2, 4, 4, 3])


def test_signs_of_a_net_flow(tmp_path: Path) -> None:
    system = tank(tmp_path).system
    signs, rest = signed_flows(system.variables["tank"].expression, system)
    assert (signs, rest) == ({"inflow": 1.0, "outflow": -1.0, "bend": 1.0}, True)


def added_up(table: pd.DataFrame, run: str) -> pd.Series:
    """What is left of start + in - out + net + adjustment - end, relative to the stock and its flows."""
    signed = table.assign(left=table[run] * table["direction"].map(SIGNS), size=table[run].abs())
    by_stock = signed.groupby(["stock", "year"])
    return by_stock["left"].sum().abs() / by_stock["size"].max().clip(lower=1e-12)


@pytest.mark.parametrize("config", ["voorbeeld-100k", "tien-wijken-100k"])
def test_every_stock_of_the_shipped_models_adds_up(config: str) -> None:
    loaded = load_config(ROOT / "configs" / f"{config}.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    point = np.random.default_rng(7).uniform(lower, upper)
    result = simulate_allocation(problem, point, "run")
    table = result.tables["stock_flows"]
    assert len(table["stock"].unique()) == len(problem.system.of_kind("stock"))
    for run in ("null", "advice"):
        assert added_up(table, run).max() < 1e-12
        assert (table.loc[table["direction"].isin(["in", "out"]), run] >= -1e-6).all()
    assert "adjustment" not in set(table["direction"])
    pairs = table[table["direction"] == "start"].merge(
        table[table["direction"] == "end"].assign(year=lambda rows: rows["year"] + 1), on=["stock", "year"]
    )
    assert list(pairs["advice_x"]) == list(pairs["advice_y"])


def test_stands_are_those_of_the_trajectories() -> None:
    loaded = load_config(ROOT / "configs" / "voorbeeld-100k.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    tables = simulate_allocation(problem, problem.decisions.upper(), "run").tables
    paths = tables["trajectories"].query("allocation == 'advice'").set_index(["variable", "time"])["value"]
    starts = tables["stock_flows"].query("direction == 'start'")
    expected = [paths[row.stock, float(row.year)] for row in starts.itertuples()]
    assert list(starts["advice"]) == expected


def test_runge_kutta_and_a_floor_are_adjustments(tmp_path: Path) -> None:
    """What Euler's sum of the flows does not explain is listed, so that it still adds up."""
    problem = tank(tmp_path)
    rk4 = replace(problem, system=replace(problem.system, time=replace(problem.system.time, method="rk4")))
    table = of(rk4)
    assert added_up(table, "null").max() < 1e-12
    exact = [8 * (1 - np.exp(-k / 2)) for k in range(5)]
    assert amounts(table, "Bare", "end") == pytest.approx(exact[1:], rel=1e-4)
    assert len(amounts(table, "Bare", "adjustment")) == 4
    low = replace(problem.system.variables["swing"], non_negative=True)
    floored = replace(
        problem, system=replace(problem.system, variables={**problem.system.variables, "swing": low})
    )
    table = of(floored)
    assert added_up(table, "null").max() < 1e-12
    assert min(amounts(table, "Swing", "end")) >= 0


def test_pay_back_is_there_without_an_explanation_and_follows_from_the_ledger() -> None:
    """Per perspective the yearly amounts of its pockets (cash only where it says so), summed so far."""
    loaded = load_config(ROOT / "configs" / "voorbeeld-100k.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    tables = simulate_allocation(problem, problem.decisions.upper(), "run").tables
    years, found = tables["ledger_years"], tables["pay_back_years"]
    for total in tables["perspective_totals"].itertuples():
        name = "return" if total.maximised else total.perspective
        own = years[years["pocket"].isin(total.pockets.split("; ")) & (years["cash"] | (not total.cash_only))]
        expected = own.groupby("year")["difference"].sum().cumsum()
        cumulative = found[found["perspective"] == name].set_index("year")["cumulative"]
        assert list(cumulative) == pytest.approx(list(expected), abs=1e-6)
    assert "pay_back" not in simulate_allocation(problem, None, "run").tables


def test_accounts_of_the_budget_are_a_table() -> None:
    loaded = load_config(ROOT / "configs" / "voorbeeld-100k.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    tables = simulate_allocation(problem, None, "run").tables
    accounts, budget = tables["taakvelden"], tables["multi_year_budget"]
    assert set(budget["account"]) == set(accounts.loc[accounts["variable"] != "", "account"])
    (reserves,) = accounts[accounts["account"] == "0.10"].itertuples()
    assert (reserves.variable, reserves.side, reserves.pot) == ("municipal balance", "reserves", "reserves")
    youth = accounts[accounts["account"] == "6.751"].iloc[0]
    assert (youth["relation_2023_2024"], youth["code_2022"]) == ("mixed", "6.72")
    assert accounts.loc[accounts["account"] == "6.4", "share"].isna().all()
