"""Of a saltelli sweep only base points are drawn independently: their other rows are no more knowledge."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import LoadedConfig
from sdopt.problem.build import Problem
from sdopt.source_model.read import SourceModel
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.asked import Asked
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.findings import CONFIDENCE, information
from sdopt.sweep.information import probability_table, wilson
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks

BASE_POINTS = 128


@pytest.fixture
def luck(ask: Callable[..., tuple[LoadedConfig, SourceModel, Problem]], tmp_path: Path) -> Asked:
    """A sweep in which the advice gains by luck alone: the same in all rows of a base point."""
    _, _, problem = ask(design="saltelli", scenarios=BASE_POINTS)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    rows = len(plan.scenarios.keys) + 2
    gains = np.random.default_rng(5).normal(size=BASE_POINTS)[plan.scenarios.draw // rows]
    improvement = np.stack([np.zeros(len(gains)), gains, np.full(len(gains), -9.0)])
    with Parts(tmp_path, "parts", resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        return Asked(plan, replace(outcome_of(plan, parts), improvement=improvement))


def test_every_base_point_counts_once_in_every_external_scenario(luck: Asked) -> None:
    scenarios = luck.plan.scenarios
    rows, worlds = len(scenarios.keys) + 2, len(scenarios.external)
    assert len(luck.apart) == BASE_POINTS * worlds == scenarios.count // rows
    first = scenarios.values[:, luck.apart].reshape(len(scenarios.keys), BASE_POINTS, worlds)
    assert len(np.unique(first[:, :, 0].T, axis=0)) == BASE_POINTS


def test_luck_of_base_points_does_not_pass_for_knowledge(luck: Asked) -> None:
    """Rows that share all values but one share their luck: with all of them any constant would tell it."""
    table = information(luck).set_index("uncertainty")
    assert (table["draws"] == BASE_POINTS).all()
    assert table.loc["everything", "value"] > 0.2
    assert (table["part"].drop("everything") < 0.1).all()


def test_a_probability_is_as_sure_as_its_base_points_make_it(luck: Asked) -> None:
    pairs = probability_table(*luck.everything, CONFIDENCE).set_index(["allocation", "against"])
    row = pairs.loc[("advice", "null")]
    low, high = wilson(row["probability"], BASE_POINTS, CONFIDENCE)
    assert (row["probability_low"], row["probability_high"]) == pytest.approx((low, high))
