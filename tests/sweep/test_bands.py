"""The return up to every year over all futures, worked out again by hand from what the runs gave per step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.problem.build import build_problem
from sdopt.problem.over_years import stays_above
from sdopt.source_model.read import read_model
from sdopt.sweep import fans
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.asked import Asked
from sdopt.sweep.conclusions import conclude
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.fans import tables_over_years
from sdopt.sweep.findings import distribution_table
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import all_rows, outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks
from sdopt.sweep.tables import write_tables

Place = Callable[..., Path]
RATE, FIRST, LAST = 0.04, 2027, 2035
WORLDS = ("", "as now", "more care")
ALLOCATIONS = ("advice", "Alles voorkomen")
POINTS = {"q10": 0.1, "q50": 0.5, "q90": 0.9}


@dataclass(frozen=True)
class Swept:
    """A sweep with a step of a year, so that what is kept of a run is all that it sums."""

    asked: Asked
    band: pd.DataFrame
    in_turn: dict[str, pd.DataFrame]
    at_once: dict[str, pd.DataFrame]
    earned: np.ndarray
    runs: pd.DataFrame
    paths: pd.DataFrame

    def per_year(self, name: str, variable: str = "social gain") -> pd.DataFrame:
        """Less the null alternative of the same scenario, (scenario, year) as it was simulated."""
        own, null = (
            self.paths[(self.paths["allocation"] == one) & (self.paths["variable"] == variable)].pivot(
                index="scenario", columns="time", values="value"
            )
            for one in (name, "null")
        )
        return own - null


def swept(folder: Path, place_in: Place, **objective: Any) -> Swept:
    config = place_in(folder, scenarios=60, outputs=["social gain", "value at the end"])
    said = yaml.safe_load(config.read_text(encoding="utf-8"))
    model = config.parent.parent / "wijk.mdl"
    text = model.read_text(encoding="utf-8")
    assert "TIME STEP  = 0.25" in text
    model.write_text(text.replace("TIME STEP  = 0.25", "TIME STEP  = 1"), encoding="utf-8")
    said["horizon"]["time_step"] = 1
    said["uncertainties"][2]["weights"] = [10, 90]  # one draw of ten fails
    said["external_scenarios"]["more care"]["constants"]["price of care"] = 0.09  # gains more there
    said["objective"] = {"maximise": "social gain", "discount_rate": RATE, **objective}
    config.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    loaded = load_config(config)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    with Parts(folder, "parts", resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        asked = Asked(plan, outcome_of(plan, parts))
        at_once = tables_over_years(asked, parts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fans, "HELD", 8 * plan.scenarios.count * 11)
            in_turn = tables_over_years(asked, parts)
        earned = np.concatenate([rows.earned for _, rows in all_rows(plan, parts)], axis=2)
        write_tables(plan, parts, (), folder)
    runs, paths = (pd.read_parquet(folder / f"{name}.parquet") for name in ("runs", "trajectories"))
    return Swept(asked, at_once["cumulative_band"], in_turn, at_once, earned, runs, paths)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, place_in: Place) -> Swept:
    """Nothing is left at the end: the last year is the return as a whole."""
    return swept(tmp_path_factory.mktemp("whole"), place_in)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, place_in: Place) -> Swept:
    return swept(tmp_path_factory.mktemp("ended"), place_in, end_value={"variable": "value at the end"})


def least_with(share: float, values: np.ndarray, weights: np.ndarray) -> float:
    """The smallest value with at least this share of the weight at or below it, by trying every value."""
    total = weights.sum()
    return float(min(v for v in values if weights[values <= v].sum() >= share * total - 1e-12))


@pytest.mark.parametrize("allocation", ALLOCATIONS)
@pytest.mark.parametrize("world", WORLDS)
def test_the_band_is_that_of_the_runs_summed_by_hand(ended: Swept, allocation: str, world: str) -> None:
    runs = ended.runs[ended.runs["allocation"] == allocation].set_index("scenario")
    runs = runs[(runs["failure"] == "") & ((runs["external_scenario"] == world) | (world == ""))]
    assert 0 < len(runs) < (60 if world else 120)
    years = ended.per_year(allocation).loc[runs.index]
    weights, so_far = runs["weight"].to_numpy(), np.zeros(len(runs))
    sums = {}
    for year in range(FIRST, LAST + 1):
        so_far = so_far + years[float(year)].to_numpy() / (1 + RATE) ** (year - FIRST)
        sums[year] = so_far
    table = ended.band[(ended.band["allocation"] == allocation) & (ended.band["external"] == world)]
    assert table["year"].tolist() == list(sums)
    assert set(table["unit"]) == {"million EUR"}
    for row in table.itertuples():
        own = sums[row.year]
        assert row.mean == pytest.approx(np.average(own, weights=weights))
        for key, share in POINTS.items():
            assert getattr(row, key) == pytest.approx(least_with(share, own, weights), rel=1e-9, abs=1e-12)
        for_good = np.all([sums[later] > 0 for later in range(row.year, LAST + 1)], axis=0)
        assert row.paid_back == pytest.approx(np.average(for_good, weights=weights))
        assert row.paid_back_low <= row.paid_back <= row.paid_back_high
    plus = [year for year in sums if all(table.loc[table["year"] >= year, "q50"] > 0)]
    since = table["pays_from"].iloc[0]
    assert np.isnan(since) if not plus else since == plus[0]


def test_of_every_draw_the_years_add_up_to_the_return(whole: Swept, ended: Swept) -> None:
    """With a value at the end, that is the rest of it."""
    for made, weight in ((whole, 0.0), (ended, 1.0)):
        for place, name in enumerate(ALLOCATIONS):
            left = made.per_year(name, "value at the end")[2036.0].to_numpy() / (1 + RATE) ** (2036 - FIRST)
            improvement = made.asked.improvement(name)
            sound = np.isfinite(improvement)
            assert 0 < sound.sum() < len(sound)
            total = made.earned[place, -1] + weight * left
            np.testing.assert_allclose(total[sound], improvement[sound], rtol=1e-9, atol=1e-9)
            assert np.isnan(made.earned[place][:, ~sound]).all()


def test_the_last_year_is_the_distribution_of_the_whole(whole: Swept) -> None:
    last = whole.band[whole.band["year"] == LAST].set_index(["allocation", "external"])
    table = distribution_table(whole.asked).set_index(["allocation", "external"])
    assert last.index.tolist() == table.index.tolist()
    assert len(last) == len(ALLOCATIONS) * len(WORLDS)
    for key in ("mean", "q50"):
        np.testing.assert_allclose(last[key], table[key], rtol=1e-9)
    for end in ("", "_low", "_high"):
        np.testing.assert_allclose(last[f"paid_back{end}"], table[f"positive{end}"], rtol=1e-12)
    numbers, weights = whole.asked.numbers, whole.asked.plan.scenarios.weights
    for name in ALLOCATIONS:
        said = conclude(whole.asked.improvement(name), weights, 1.0, numbers, "nl").figures
        for key in ("q10", "q90"):
            assert last.loc[(name, ""), key] == pytest.approx(said[key], rel=1e-9)


def test_read_in_turn_the_tables_are_the_same(ended: Swept) -> None:
    for name, table in ended.at_once.items():
        pd.testing.assert_frame_equal(ended.in_turn[name], table, check_exact=True)


@pytest.mark.parametrize(
    ("sums", "paid"),
    [
        ([-1.0, 2.0, -1.0, 1.0, 3.0], [False, False, False, True, True]),
        ([1.0, 2.0, 3.0], [True, True, True]),
        ([1.0, 2.0, -3.0], [False, False, False]),
        ([-1.0, 1e-13, 1.0], [False, False, True]),
        ([0.0, 0.0, 0.0], [False, False, False]),
        ([np.nan, np.nan], [False, False]),
    ],
)
def test_paid_back_is_for_good(sums: list[float], paid: list[bool]) -> None:
    assert stays_above(np.array([sums])).tolist() == [paid]
