"""The example with neighbourhood centres against an enumeration that shares no code with the optimiser.

The model is linear in how many people are reached, so a person reached in year t has a price; it is
worked out here by the model's own recursion. Given a pattern, every year is then a budget divided over
effects `most (1 - exp(-x / half))`: at price p of money, x = half ln(value most / half / (1 + p)).
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.whole_numbers.search import search_whole
from sdopt.problem.build import build_problem
from sdopt.result import Status
from sdopt.source_model.read import read_model

CONFIG = (
    Path(__file__).resolve().parents[2] / "benchmarks" / "problems" / "neighbourhood-centres" / "config.yaml"
)
MOST = {"noord": 70.0, "oost": 55.0, "zuid": 45.0, "west": 30.0}
YEARS = (2027, 2028, 2029, 2030)
STEP, RATE, END = 0.25, 0.028, 2037.0
CAP = 0.4 + 2.0


def factor(time: float) -> float:
    return float((1 + RATE) ** -(time - 2027))


def value_of_reaching(year: int) -> float:
    """Present value of one person a year more reached during a year (to the end when it is the last)."""
    known = care = value = 0.0
    for time in np.arange(2026.0, END, STEP):
        now = 1.0 if time >= year and (time < year + 1 or year == YEARS[-1]) else 0.0
        if time >= 2027:
            value -= 0.032 * care * factor(time) * STEP
        known, care = known + STEP * (now - known / 3), care + STEP * (-0.12 * known - care / 4)
    return value - 0.032 * 4 * care * factor(END)


def price_of_money(year: int) -> float:
    """Present value of 1 a year during a year (to the end when it is the last)."""
    end = END if year == YEARS[-1] else year + 1.0
    return float(sum(factor(time) * STEP for time in np.arange(float(year), end, STEP)))


VALUE = {year: value_of_reaching(year) for year in YEARS}
MONEY = {year: price_of_money(year) for year in YEARS}


def in_a_year(year: int, running: list[str], starting: int) -> float:
    """Largest return of the amounts of a year, less all costs; outreach works in four neighbourhoods."""
    most = np.array([4 * 15.0, *(MOST[name] for name in running)]) * VALUE[year]
    half = np.array([0.8, *(0.5 for _ in running)])
    low = np.array([0.2, *(0.2 for _ in running)])
    high = np.array([2.0, *(1.2 for _ in running)])
    left = CAP - 0.15 * len(running) - 0.3 * starting
    if low.sum() > left:
        return -np.inf

    def amounts(price: float) -> np.ndarray:
        return np.clip(half * np.log(most / half / (MONEY[year] + price)), low, high)

    cheap, dear = 0.0, 1e3
    for _ in range(200):
        middle = (cheap + dear) / 2
        cheap, dear = (middle, dear) if amounts(middle).sum() > left else (cheap, middle)
    x = amounts(0.0) if amounts(0.0).sum() <= left else amounts(dear)
    once = sum(factor(time) * STEP for time in np.arange(float(year), year + 1.0, STEP))
    costs = 0.15 * len(running) * MONEY[year] + 0.3 * starting * once
    return float((most * (1 - np.exp(-x / half)) - MONEY[year] * x).sum()) - costs


def enumerated() -> tuple[float, dict[str, int | None]]:
    best: tuple[float, dict[str, int | None]] = (-np.inf, {})
    for chosen in product((None, 2027, 2028, 2029), repeat=4):
        starts = dict(zip(MOST, chosen, strict=True))
        years = [year for year in chosen if year is not None]
        zuid, west = starts["zuid"], starts["west"]
        if len(years) > 3 or len(set(years)) < len(years):
            continue
        if west is not None and (zuid is None or zuid > west):
            continue
        value = sum(
            in_a_year(year, [n for n, s in starts.items() if s is not None and s <= year], years.count(year))
            for year in YEARS
        )
        best = max(best, (value, starts), key=lambda one: one[0])
    return best


def null_return() -> float:
    """Outreach of 0.4 in all decision years, as today."""
    return sum(4 * 15 * VALUE[y] * (1 - np.exp(-0.5)) - 0.4 * MONEY[y] for y in YEARS)


def test_the_centres_are_those_of_the_enumeration() -> None:
    loaded = load_config(CONFIG)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    settings = problem.config.search.model_copy(update={"audit": 500})
    found = search_whole(view, archive, settings, lambda *_: None)
    best, starts = enumerated()
    improvement = best - null_return()
    assert found.status is Status.OPTIMAL
    plans = {
        plan.id.removeprefix("centrum "): plan.started(found.point) for plan in problem.decisions.programmes
    }
    assert plans == starts
    assert sum(year is not None for year in plans.values()) == 3
    assert found.improvement == pytest.approx(improvement, rel=1e-4)
    assert found.improvement <= improvement + 1e-9
    assert found.bound is not None
    assert found.bound >= improvement - 1e-9
