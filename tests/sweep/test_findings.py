"""What follows from a sweep: against the question asked anew, pandas, planted outcomes, repeated samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import LoadedConfig, load_config
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import SourceModel, read_model
from sdopt.sweep.allocations import Advice, given_advice
from sdopt.sweep.breaches import limit_table
from sdopt.sweep.chances import Sample
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.fans import tables_over_years
from sdopt.sweep.findings import (
    Asked,
    distribution_table,
    failing_tables,
    failure_table,
    find,
    influential,
    not_drawn_table,
    tornado,
)
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome, outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks
from sdopt.sweep.tables import write_tables

DATA = Path(__file__).parents[1] / "data"
Ask = Callable[..., tuple[LoadedConfig, SourceModel, Problem]]
WORLDS = ["as now", "more care"]


class Swept:
    """A finished sweep with its tables on disk."""

    def __init__(self, problem: Problem, folder: Path) -> None:
        advice = given_advice(problem)
        assert advice is not None
        self.plan: Plan = plan_sweep(problem, advice)
        with Parts(folder, "parts", resume=False) as parts:
            assert run_blocks(self.plan, parts, in_this_process, lambda *_: None)
            self.outcome: Outcome = outcome_of(self.plan, parts)
            self.fan = tables_over_years(self.asked, parts)["fan"]
            write_tables(self.plan, parts, (), folder)
        self.runs = pd.read_parquet(folder / "runs.parquet")
        self.trajectories = pd.read_parquet(folder / "trajectories.parquet")

    @property
    def asked(self) -> Asked:
        return Asked(self.plan, self.outcome)

    def planted(self, advice: np.ndarray) -> Asked:
        """The same sweep, had the advice given these improvements (scenario,)."""
        improvement = self.outcome.improvement.copy()
        improvement[1] = advice
        return Asked(self.plan, replace(self.outcome, improvement=improvement))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, place_in: Callable[..., Path]) -> Swept:
    folder = tmp_path_factory.mktemp("swept")
    loaded = load_config(place_in(folder, scenarios=300))
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    return Swept(problem, folder)


def weighted(rows: pd.DataFrame, column: pd.Series) -> float:
    return float(np.average(column, weights=rows["weight"]))


@pytest.mark.parametrize("allocation", ["advice", "Alles voorkomen"])
def test_the_distribution_is_that_of_the_runs(swept: Swept, allocation: str) -> None:
    table = distribution_table(swept.asked).set_index(["allocation", "external"])
    own = swept.runs[swept.runs["allocation"] == allocation]
    for world in ("", *WORLDS):
        rows = own if not world else own[own["external_scenario"] == world]
        sound = rows[rows["failure"] == ""]
        found = table.loc[(allocation, world)]
        assert (found["scenarios"], found["failed"]) == (len(rows), len(rows) - len(sound))
        assert found["mean"] == pytest.approx(weighted(sound, sound["improvement"]))
        assert found["positive"] == pytest.approx(weighted(sound, sound["improvement"] > 0))
        assert found["keeps"] == pytest.approx(weighted(sound, sound["broken"] == ""))
        assert found["positive_low"] < found["positive"] < found["positive_high"]
        below = sound["improvement"] <= found["q25"]
        assert 0.25 <= weighted(sound, below) < 0.25 + 2 / len(sound)
        assert found[["q05", "q25", "q50", "q75", "q95"]].is_monotonic_increasing


def test_drawing_the_same_in_every_world_does_not_make_the_mean_surer(swept: Swept) -> None:
    """Both external scenarios have the same draws: together they are no larger sample than one."""
    table = distribution_table(swept.asked).set_index(["allocation", "external"])
    values = swept.outcome.improvement[1, swept.plan.scenarios.world == 0]
    known = values[np.isfinite(values)]
    usual = known.std(ddof=1) / np.sqrt(len(known))
    assert table.loc[("advice", "as now"), "error"] == pytest.approx(usual)
    assert table.loc[("advice", ""), "error"] > 0.9 * usual


def test_errors_and_intervals_hold_in_repeated_samples() -> None:
    """Of draws in two futures of unlike weight, that go together: the mean is 1, half are above it."""
    random, covered, chances, count = np.random.default_rng(7), 0, 0, 400
    weights = np.tile([3.0, 1.0], 60)
    for _ in range(count):
        draws = random.normal(1.0, 1.0, 60)
        values = np.stack([draws, draws + random.normal(0.0, 0.5, 60)], axis=1).ravel()
        sample = Sample(weights, np.repeat(np.arange(60), 2))
        mean, error = sample.mean(values)
        covered += abs(mean - 1.0) < 2.0 * error
        found = sample.probability(values > 1.0, np.ones(120, dtype=np.bool_), 0.95)
        chances += found.low <= 0.5 <= found.high
    assert 0.92 < covered / count < 0.98
    assert chances / count > 0.93


def test_limits_are_broken_as_often_as_in_the_runs(swept: Swept) -> None:
    table = limit_table(swept.asked).query("external == '' and limit != ''")
    table = table.set_index(["allocation", "limit"])
    for allocation in swept.plan.names:
        own = swept.runs[(swept.runs["allocation"] == allocation) & (swept.runs["failure"] == "")]
        for limit in table.loc[allocation].index:
            expected = weighted(own, own["broken"].str.contains(limit))
            assert table.loc[(allocation, limit), "broken"] == pytest.approx(expected)


def test_failed_runs_are_counted_by_reason(swept: Swept) -> None:
    table = failure_table(swept.asked)
    expected = (
        swept.runs[swept.runs["failure"] != ""].groupby(["allocation", "failure"], observed=True).size()
    )
    assert table.set_index(["allocation", "reason"])["runs"].to_dict() == expected.to_dict()


def test_the_fan_is_that_of_the_trajectories(swept: Swept) -> None:
    sound = swept.trajectories[swept.trajectories["run"].isin(swept.runs[swept.runs["failure"] == ""]["run"])]
    joined = sound.merge(swept.runs[["run", "weight"]], on="run")
    for row in swept.fan.sample(40, random_state=1).itertuples():
        own = joined[(joined["allocation"] == row.allocation) & (joined["variable"] == row.variable)]
        own = own[own["time"] == row.time]
        for point, share in ((row.q05, 0.05), (row.q50, 0.5), (row.q95, 0.95)):
            assert weighted(own, own["value"] <= point) >= share - 1e-9
            assert weighted(own, own["value"] < point) < share + 1e-9


@pytest.mark.parametrize(("end", "value"), [("at_low", -0.1), ("at_high", 0.5)])
def test_a_tornado_is_the_question_asked_anew(swept: Swept, end: str, value: float) -> None:
    changes = {("model", "changes"): {"effect of knowing": value}, ("uncertainties",): None}
    loaded = load_config(DATA / "sweep" / "zorg.yaml", changes)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    result = simulate_allocation(problem, swept.plan.allocations["advice"], "x")
    table = tornado(swept.asked).set_index(["allocation", "external", "factor"])
    row = table.loc[("advice", "as now", "effect of knowing")]
    assert row[end] == pytest.approx(result.figures["improvement"], rel=1e-10)
    assert (row["low"], row["high"], row["factor_unit"]) == (-0.1, 0.5, "1/Year")


def test_planted_failures_are_found_where_they_were_planted(swept: Swept) -> None:
    scenarios = swept.plan.scenarios
    price = scenarios.values[scenarios.keys.index("price_of_care")]
    tables = failing_tables(swept.planted(np.where(price > 0.07, -1.0, 1.0)))
    boxes = tables["failing_boxes"].query("failure == 'loses'")
    assert set(boxes["factor"]) == {"price of care"}
    assert boxes["low"].tolist() == pytest.approx([0.07, 0.07], abs=0.002)
    assert boxes["high"].isna().all()
    assert boxes["unit"].unique().tolist() == ["million EUR/Person/Year"]
    none = failing_tables(swept.planted(np.ones(scenarios.count)))["failing"].query("failure == 'loses'")
    assert none["boxes"].tolist() == [0, 0]
    assert none["reason"].str.startswith("it fails in 0 of").all()


def test_screening_gives_no_probabilities(ask: Ask, tmp_path: Path) -> None:
    _, _, problem = ask(design="morris", scenarios=8)
    tables = find(*vars(Swept(problem, tmp_path).asked).values())
    assert {"morris_screening", "tornado", "break_even", "drawn"} <= set(tables)
    assert not {"distribution", "curve", "pairs", "information", "failing"} & set(tables)


def test_base_points_of_saltelli_are_drawn_together(ask: Ask) -> None:
    _, _, problem = ask(design="saltelli", scenarios=64)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    assert Asked(plan, _nothing(plan)).sample.count == 64


def _nothing(plan: Plan) -> Outcome:
    shape = (len(plan.names), plan.scenarios.count)
    none = np.zeros((shape[0], 1, shape[1]))
    never = np.zeros((shape[0] - 1, shape[1]), dtype=np.int16)
    return Outcome(np.zeros(shape), none > 0, none, none, none > 0, never, {})


def test_a_decision_in_the_table_is_not_drawn_and_that_is_told() -> None:
    loaded = load_config(DATA / "uncertainty" / "wijk_onzeker.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    plan = plan_sweep(problem, Advice(problem.decisions.null_vector(), "given"))
    table = not_drawn_table(Asked(plan, _nothing(plan)))
    assert {"constant": "prevention budget", "reason": "chosen"} in table.to_dict("records")
    assert set(table["reason"]) <= {"chosen", "fixed"}
    assert not set(table["constant"]) & {one.name for one in Asked(plan, _nothing(plan)).drawn}


def test_break_even_values_are_looked_for_where_most_hangs(swept: Swept) -> None:
    tables = {"tornado": tornado(swept.asked)}
    swings = tables["tornado"].groupby("factor")["swing"].max()
    assert len(swings) > 1
    drawn = swept.asked.drawn
    everything = influential(drawn, tables, len(swings))
    assert [one.name for one in everything] == [one.name for one in drawn]
    (only,) = influential(drawn, tables, 1)
    assert swings[only.name] == swings.max()
    least = str(swings.idxmin())
    assert [one.name for one in influential(drawn, tables, 1, [least])] == [least]
    assert {one.name for one in influential(drawn, tables, 2, [least])} == {least, only.name}
