"""The best of every scenario by itself, against the question asked anew and against other allocations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.each_scenario import Best, best_per_scenario, question_in, searches
from sdopt.optimise.sample import find_vertices
from sdopt.optimise.search import search
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.executors import in_processes, in_this_process
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.reoptimise import Bests, re_optimise
from sdopt.sweep.run import plan_sweep
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.scenarios import central_scenarios

Floats = np.ndarray[Any, np.dtype[np.float64]]
CEILING = "Mensen in zorg onder het plafond"


@dataclass(frozen=True)
class Asked:
    """Eight draws in two external scenarios, each re-optimised."""

    config: Path
    problem: Problem
    plan: Plan
    advice: Floats
    found: tuple[Best, ...]


def placed(place_in: Callable[..., Path], folder: Path) -> Path:
    allocations = {"advice": "advies.csv", "Achteraf": "re-optimised", "Alles voorkomen": "voorkomen.csv"}
    return place_in(folder, scenarios=8, allocations=allocations, re_optimise={"scenarios": 14, "gap": 5e-4})


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, place_in: Callable[..., Path]) -> Asked:
    config = placed(place_in, tmp_path_factory.mktemp("each"))
    loaded = load_config(config)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    work = searches(problem, 5e-4, advice.point[None])
    found = tuple(work((k, plan.scenarios.part(slice(k, k + 1)))) for k in range(14))
    return Asked(config, problem, plan, advice.point, found)


def answered(asked: Asked) -> list[Best]:
    return [best for best in asked.found if np.isfinite(best.improvement)]


def test_it_is_what_the_question_with_those_constants_gives(asked: Asked) -> None:
    """Written in a config, without uncertainties, and answered more sharply."""
    checked = 0
    scenarios, variables = asked.plan.scenarios, asked.problem.system.variables
    for best in answered(asked):
        if scenarios.external[scenarios.world[best.scenario]].paths:
            continue
        drawn = zip(scenarios.keys, scenarios.values[:, best.scenario].tolist(), strict=True)
        changes = {variables[key].name: value for key, value in drawn}
        loaded = load_config(asked.config, {("model", "changes"): changes, ("uncertainties",): None})
        problem = build_problem(loaded, read_model(loaded.config.model.file).system)
        archive = Archive(problem)
        archive.add(problem.decisions.null_vector()[None])
        settings = problem.config.search.model_copy(update={"gap": 1e-6})
        other = search(View(problem, problem.objective_rows), archive, settings, lambda *_: None)
        assert best.status == "optimal"
        assert best.improvement <= other.improvement * (1 + 2e-6)
        assert other.improvement <= best.bound * (1 + 1e-9)
        assert best.gap <= 5e-4
        checked += 1
    assert checked >= 3


def test_it_is_allowed_there_and_nothing_drawn_there_beats_its_bound(asked: Asked) -> None:
    """By the ensemble, which compiles and simulates all scenarios together; paths of a future included."""
    ensemble, worlds = build_ensemble(asked.problem, asked.plan.scenarios), set()
    random = np.random.default_rng(3)
    for best in answered(asked):
        values = ensemble.values(best.point)
        assert ensemble.improvement(values)[best.scenario] == pytest.approx(best.improvement, abs=1e-12)
        assert ensemble.slacks(values)[best.scenario].min() >= -1e-12
        alone = question_in(asked.problem, asked.plan.scenarios.part(slice(best.scenario, best.scenario + 1)))
        polytope = find_vertices(alone, random)
        drawn = polytope.draw(4000, random)
        points = best.point + random.uniform(0, 1, (4000, 1)) ** 6 * (drawn - best.point)
        found = alone.evaluator.values(points).value
        allowed = (alone.slacks(found) >= 0).all(axis=1)
        gains = View(alone, alone.objective_rows).objective(found[allowed])
        assert allowed.sum() > 100
        assert gains.max() <= best.bound
        assert gains.max() > 0.5 * best.improvement  # or the draws say nothing
        worlds.add(int(asked.plan.scenarios.world[best.scenario]))
    assert worlds == {0, 1}


def test_what_has_no_answer_says_why(asked: Asked) -> None:
    missing = [best for best in asked.found if best.status == "none"]
    assert {best.scenario for best in missing} >= {2, 3, 10, 11}
    assert all(np.isnan(best.point).all() and np.isnan(best.bound) for best in missing)
    reasons = {best.scenario: best.why for best in missing}
    assert reasons[2].startswith(
        f"no allocation was found that meets all limits; the nearest breaks {CEILING}"
    )
    assert '"Known people" is -inf at time' in reasons[10]
    ensemble = build_ensemble(asked.problem, asked.plan.scenarios)
    assert set(ensemble.failed) == {10, 11}


def test_where_concavity_is_disproved_there_is_no_bound(
    tmp_path: Path, place_in: Callable[..., Path]
) -> None:
    """The return has a threshold: an infinite bound, not a wrong one."""
    loaded = load_config(Path(__file__).parents[1] / "data" / "drempel.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    improvement, bound, points = best_per_scenario(
        problem, central_scenarios(), 1e-3, problem.decisions.null_vector()[None]
    )
    assert improvement[0] > 0
    assert bound[0] == np.inf
    assert points.shape == (1, problem.decisions.size)


def re_optimised(
    asked: Asked, folder: Path, spread: Any, stop: Stop
) -> tuple[Bests | None, dict[str, bytes]]:
    with Parts(folder, "k" * 20, resume=True) as parts:
        bests = re_optimise(asked.problem, asked.plan.scenarios, asked.advice, parts, spread, stop=stop)
        return bests, {path.name: path.read_bytes() for path in parts.folder.glob("best-*.npz")}


def test_stopped_and_resumed_by_others_the_bytes_are_the_same(asked: Asked, tmp_path: Path) -> None:
    whole, kept = re_optimised(asked, tmp_path / "whole", in_this_process, Stop())
    assert whole is not None
    assert len(kept) == 14
    assert [best.improvement for best in whole.found] == pytest.approx(
        [best.improvement for best in asked.found], rel=0, abs=0, nan_ok=True
    )
    stop, worked = Stop(), []

    def halfway(work: Any, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            worked.append(item[0])
            stop.interrupted = len(worked) == 5
            yield work(item)

    nothing, some = re_optimised(asked, tmp_path / "halves", halfway, stop)
    assert nothing is None
    assert len(some) == 5
    rest, again = re_optimised(asked, tmp_path / "halves", in_processes(2), Stop())
    assert rest is not None
    assert again == kept
    assert worked == [0, 1, 2, 3, 4]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, place_in: Callable[..., Path]) -> tuple[Path, str]:
    """The results folder of the command, and what it said."""
    place = tmp_path_factory.mktemp("written")
    config, output = placed(place_in, place), place / "uit"
    done = CliRunner().invoke(main, ["sweep", str(config), "--output", str(output), "--workers", "1"])
    assert done.exit_code == 0, done.output
    (folder,) = output.iterdir()
    return folder, done.output


def test_it_is_compared_with_the_others_in_its_own_scenarios_only(written: tuple[Path, str]) -> None:
    """All in the scenarios with a best; the same numbers as in the whole sweep and in the search."""
    folder, _ = written
    bests = pd.read_csv(folder / "re_optimised.csv").set_index("scenario")["improvement"].dropna()
    whole, beside = (pd.read_parquet(place / "runs.parquet") for place in (folder, folder / "re_optimised"))
    assert set(whole["allocation"]) == {"null", "advice", "Alles voorkomen"}
    assert list(dict.fromkeys(beside["allocation"])) == ["null", "advice", "Alles voorkomen", "Achteraf"]
    assert beside["run"].tolist() == list(range(len(whole) + 1, len(whole) + 1 + len(beside)))
    kept = [name for name in whole.columns if name.startswith(("objective", "improvement", "slack"))]
    for name, of_one in beside.groupby("allocation", observed=True):
        of_one = of_one.set_index("scenario")
        assert of_one.index.tolist() == bests.index.tolist()
        assert (of_one["failure"] == "").all()
        if name == "Achteraf":
            assert of_one["improvement"].to_numpy() == pytest.approx(bests.to_numpy(), rel=1e-9, abs=1e-9)
            assert (of_one["broken"] == "").all()
            assert of_one["refereed"].sum() == 3
        else:
            same = whole[whole["allocation"] == name].set_index("scenario").loc[bests.index]
            share = same["weight"] / same["weight"].sum()
            assert of_one["weight"].to_numpy() == pytest.approx(share.to_numpy())
            for column in kept:
                assert of_one[column].to_numpy() == pytest.approx(same[column].to_numpy(), abs=1e-9)
            assert not of_one["refereed"].any()
    scenarios = pd.read_parquet(folder / "re_optimised" / "scenarios.parquet").set_index("scenario")
    all_of_them = pd.read_parquet(folder / "scenarios.parquet").set_index("scenario").loc[scenarios.index]
    columns = [name for name in scenarios if name != "weight"]
    pd.testing.assert_frame_equal(
        scenarios[columns], all_of_them[columns], check_categorical=False, check_index_type=False
    )
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    repeated = beside.loc[beside["refereed"], "run"].tolist()
    assert repeated == [run for run in said["replay_runs"] if run > len(whole)]


def test_its_distribution_is_over_the_same_scenarios_as_that_of_the_others(written: tuple[Path, str]) -> None:
    folder, _ = written
    runs = pd.read_parquet(folder / "re_optimised" / "runs.parquet")
    long = pd.read_parquet(folder / "re_optimised" / "trajectories.parquet")
    table = pd.read_parquet(folder / "tables" / "re_optimised_distribution.parquet")
    together = table[table["external"] == ""].set_index("allocation")
    assert together["scenarios"].nunique() == 1
    for name in ("advice", "Alles voorkomen", "Achteraf"):
        own = runs[runs["allocation"] == name]
        assert together.loc[name, "mean"] == pytest.approx(
            np.average(own["improvement"], weights=own["weight"])
        )
        assert together.loc[name, "scenarios"] == len(own)
    fan = pd.read_parquet(folder / "tables" / "re_optimised_fan.parquet")
    some = fan[(fan["allocation"] == "Achteraf") & (fan["time"] == 2036)].iloc[0]
    at_end = long[(long["allocation"] == "Achteraf") & (long["time"] == 2036)]
    values = at_end[at_end["variable"] == some["variable"]]["value"]
    assert values.min() <= some["q05"] <= some["q50"] <= some["q95"] <= values.max()
    assert {some["q05"], some["q50"], some["q95"]} <= set(values)


def test_the_command_writes_bests_and_regrets(written: tuple[Path, str]) -> None:
    folder, output = written
    bests = pd.read_csv(folder / "re_optimised.csv")
    regrets = pd.read_csv(folder / "regrets.csv", na_values=[""], keep_default_na=False)  # one is named null
    allocations, runs = (
        pd.read_csv(folder / "re_optimised_allocations.csv"),
        pd.read_parquet(folder / "runs.parquet"),
    )
    assert bests["scenario"].tolist() == list(range(1, 15))
    sound = bests["improvement"].notna()
    assert (bests["why"].notna() == ~sound).all()
    assert allocations["scenario"].unique().tolist() == bests["scenario"][sound].tolist()
    assert (allocations.groupby("scenario").size() == 8).all()
    assert regrets["allocation"].tolist() == ["null", "advice", "Alles voorkomen"]
    for row in regrets.itertuples():
        runs_of = runs[runs["allocation"] == row.allocation].set_index("scenario")
        theirs = runs_of.loc[bests["scenario"][sound], "improvement"].to_numpy()
        weights = runs_of.loc[bests["scenario"][sound], "weight"].to_numpy()
        least = bests["improvement"][sound].to_numpy() - theirs
        assert row.mean_least == pytest.approx(np.average(least, weights=weights))
        assert row.largest_most == pytest.approx((bests["bound"][sound].to_numpy() - theirs).max())
        assert row.mean_least <= row.mean_most <= row.mean_least + 5e-4 * bests["bound"].max()
        assert row.proved == 1.0
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["re_optimised"]
    assert said["without_an_allocation"] == (~sound).sum()
    assert said["first_reasons"][0]["why"] == bests["why"][~sound].iloc[0]
    assert "regret against the best of the first 14 scenarios" in output
