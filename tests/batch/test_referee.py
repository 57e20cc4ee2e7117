"""PySD, in processes of its own, catches an engine that is wrong in a single run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sdopt.batch.design import Design
from sdopt.batch.job import Job, Outcome, plan_job, run_job
from sdopt.batch.referee import Verdict, choose_runs, ranks, referee
from sdopt.source_model.read import SourceModel, read_model

Runs = Callable[[int], Design]
MODELS = Path(__file__).parents[1] / "models"


def refereed(job: Job, change: float = 1.0) -> Verdict:
    """The verdict on a job whose last run was multiplied by `change` at its last time."""
    parts: list[np.ndarray] = []
    outcome = run_job(job, parts.append, lambda *_: None)
    kept = np.concatenate(parts, axis=2)
    kept[0, -1, -1] *= change
    runs = choose_runs(outcome)
    return referee(job, runs, kept[:, :, list(runs)])


def test_pysd_repeats_the_runs() -> None:
    design = Design(("capacity",), np.linspace(50, 150, 100)[None], "hash")
    verdict = refereed(plan_job(read_model(MODELS / "logistic.mdl"), design))
    assert len(verdict.runs) == 32
    assert {0, 49, 99} <= set(verdict.runs)  # the objective rises with the run
    assert verdict.agrees
    assert verdict.worst.largest < 1e-13


def test_one_wrong_number_in_one_run_is_found_and_named(regions: SourceModel, design_of: Runs) -> None:
    verdict = refereed(plan_job(regions, design_of(6), ["total"]), 1 + 1e-8)
    assert not verdict.agrees
    worst = verdict.worst
    assert (worst.run, worst.variable, worst.time) == (5, "total", 10.0)
    assert 1e-9 < worst.largest <= 1.01e-8


def test_an_engine_with_another_equation_is_found(
    regions: SourceModel, design_of: Runs, tmp_path: Path
) -> None:
    """Our equations are those of one file, PySD's those of another in which one sign differs."""
    path = tmp_path / "regions.mdl"
    text = (MODELS / "regions.mdl").read_text(encoding="utf-8")
    assert text.count("( 1 + SUM(") == 1
    path.write_text(text.replace("( 1 + SUM(", "( 1 - SUM("), encoding="utf-8")
    theirs = read_model(path)
    mixed = SourceModel(theirs.path, regions.system, theirs.sha256, theirs.parsed)
    verdict = refereed(plan_job(mixed, design_of(4)))
    assert not verdict.agrees
    assert verdict.worst.largest > 0.01


def test_runs_that_fail_in_both_agree_and_a_run_that_fails_in_one_does_not(regions: SourceModel) -> None:
    rooms = np.array([[1000.0, 500.0, -30.0]])
    assert refereed(plan_job(regions, Design(("room",), rooms, "hash"), ["total"])).agrees
    verdict = refereed(plan_job(regions, Design(("room",), rooms[:, :2], "hash"), ["total"]), np.nan)
    assert verdict.worst.run == 1
    assert verdict.worst.largest == np.inf
    assert "does not fail" in verdict.worst.note


def test_a_division_by_zero_that_ends_pysds_run() -> None:
    model = read_model(MODELS / "logistic.mdl")
    design = Design(("capacity",), np.array([[100.0, 0.0, 50.0]]), "hash")
    verdict = refereed(plan_job(model, design))
    assert verdict.runs == (0, 1, 2)
    assert verdict.agrees


def outcome_of(values: list[float], failed: tuple[int, ...] = ()) -> Outcome:
    return Outcome(np.array(values), dict.fromkeys(failed, "why"))


def test_of_equal_objectives_the_earliest_run_has_the_rank() -> None:
    assert ranks(outcome_of([2, 1, 3, 1, 3, 2, 2])) == {"lowest": 1, "median": 0, "highest": 2}
    assert ranks(outcome_of([4, 3, 2, 1])) == {"lowest": 3, "median": 2, "highest": 0}
    assert ranks(outcome_of([7])) == {"lowest": 0, "median": 0, "highest": 0}


def test_failed_runs_have_no_rank_and_the_first_is_repeated() -> None:
    outcome = outcome_of([np.nan, 5, -np.inf, 1, 2, *range(100)], (0, 2))
    assert ranks(outcome)["lowest"] == 5
    assert {0, *ranks(outcome).values()} <= set(choose_runs(outcome))
    assert ranks(outcome_of([np.nan, np.nan], (0, 1))) == {}
    assert choose_runs(outcome_of([np.nan, np.nan], (0, 1))) == (0, 1)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=300), st.integers(0, 5))
def test_runs_are_chosen_once_and_spread(values: list[int], seed: int) -> None:
    outcome = outcome_of([float(value) for value in values])
    chosen = choose_runs(outcome, seed=seed)
    assert chosen == choose_runs(outcome, seed=seed)
    assert len(chosen) == len(set(chosen)) == min(32, len(values))
    assert list(chosen) == sorted(chosen)
    ordered = sorted(values)
    wanted = {ordered[0], ordered[(len(values) - 1) // 2], ordered[-1]}
    assert wanted <= {values[run] for run in chosen}
    gaps = np.diff([-1, *chosen, len(values)])
    assert gaps.max() <= 2 * -(-len(values) // 29) + 3
