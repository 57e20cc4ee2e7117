"""Is every decision worth it: against the sweep's own runs, and with other distributions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import LoadedConfig, load_config
from sdopt.config.thresholds import thresholds
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import SourceModel, read_model
from sdopt.sweep.allocations import Advice, given_advice
from sdopt.sweep.asked import Asked
from sdopt.sweep.break_even import break_even
from sdopt.sweep.conclusions import conclude, worth_table, worth_words
from sdopt.sweep.contrasts import contrast_gains, contrasts_of, money_moved
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.findings import find
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks
from sdopt.sweep.worth import DRAWS, advised_table, always_listed, judged_by
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import draw_scenarios, uncertain_constants

DATA = Path(__file__).parents[1] / "data"
SHIPPED = Path(__file__).parents[2] / "configs" / "onzeker-100k.yaml"
Ask = Callable[..., tuple[LoadedConfig, SourceModel, Problem]]


def _only(problem: Problem, decision: str) -> Advice:
    """The given advice in one decision; the others as today."""
    given = given_advice(problem)
    assert given is not None
    chosen = [name == decision for name, _ in problem.decisions.labels()]
    return Advice(np.where(chosen, given.point, problem.decisions.null_vector()), "given")


def _swept(problem: Problem, folder: Path, decision: str) -> Asked:
    plan = plan_sweep(problem, _only(problem, decision))
    with Parts(folder, "parts", resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        return Asked(plan, outcome_of(plan, parts))


def _row(tables: dict[str, pd.DataFrame], contrast: str, decision: str) -> pd.Series:
    return tables["worth_of_decisions"].set_index(["contrast", "decision"]).loc[(contrast, decision)]


def test_a_decision_gains_what_the_sweep_found_for_an_advice_that_is_nothing_else(
    ask: Ask, tmp_path: Path
) -> None:
    """The runs of a sweep go their own way, in blocks and by way of files: here they are the truth."""
    _, _, problem = ask(scenarios=100)
    asked = _swept(problem, tmp_path, "voorkomen")
    tables = find(asked.plan, asked.outcome)
    row, gains, weights = _row(tables, "as advised", "voorkomen"), asked.improvement("advice"), asked.sample
    sound = np.isfinite(gains)
    assert not sound.all()
    assert row["scenarios"] == len(gains) == 200
    assert row["draws"] == 100
    assert row["mean"] == pytest.approx(np.average(gains[sound], weights=weights.weights[sound]))
    size = money_moved(problem, asked.plan.allocations["advice"], problem.decisions.null_vector())
    found = conclude(gains, weights.weights, size[1], thresholds(), "en", draws=100)
    assert row["kind"] == found.kind
    assert (row["spent"], row["size"]) == pytest.approx(size)
    for key, value in found.figures.items():
        assert row[key] == pytest.approx(value)
    assert ("as advised", "uitstroom") not in set(
        zip(tables["worth_of_decisions"]["contrast"], tables["worth_of_decisions"]["decision"], strict=True)
    )


# Around one and the same value used, 0.3: with that value prevention is always worth it.
RANGES = {
    "clearly better": (0.29, 0.31),
    "probably better": (0.1, 0.4),
    "uncertain": (-0.2, 0.5),
    "probably worse": (-0.7, 0.3),
    "clearly worse": (-3.0, 0.3),
}


def _with_range(config: Path, low: float, high: float) -> Problem:
    one = {"constant": "effect of knowing", "low": low, "high": high, "distribution": "uniform"}
    loaded = load_config(config, {("uncertainties",): [one]})
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.fixture(scope="module")
def kinds(place_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.Series]:
    """A little more prevention under other ranges of one constant, by the words expected."""
    config, found = place_in(tmp_path_factory.mktemp("kinds"), scenarios=250), {}
    for kind, (low, high) in RANGES.items():
        asked = _swept(_with_range(config, low, high), tmp_path_factory.mktemp("runs"), "voorkomen")
        found[kind] = _row(find(asked.plan, asked.outcome), "a little more", "voorkomen")
    return found


@pytest.mark.parametrize("kind", RANGES)
def test_another_distribution_gives_other_words_from_a_whole_sweep(
    kinds: dict[str, pd.Series], kind: str
) -> None:
    assert kinds[kind]["kind"] == kind


def test_what_would_have_to_be_true_stands_beside_it(ask: Ask, tmp_path: Path) -> None:
    _, _, problem = ask(scenarios=40)
    asked = _swept(problem, tmp_path, "voorkomen")
    tables = find(asked.plan, asked.outcome)
    row, values = _row(tables, "a little more", "voorkomen"), tables["break_even"]
    own = values[(values["contrast"] == "a little more") & (values["decision"] == "voorkomen")]
    turns = own[own["inside"]].set_index("constant").loc[row["constant"]]
    assert row["break_even"] == turns["break_even"]
    assert row["low"] <= row["break_even"] <= row["high"]
    assert row["constant_unit"] == turns["unit"]
    assert row["chance_turns"] in (turns["share_below"], 1 - turns["share_below"])


def test_what_turns_nothing_is_listed_all_the_same_when_the_question_names_it(
    ask: Ask, tmp_path: Path
) -> None:
    _, _, problem = ask(scenarios=40)
    asked = _swept(problem, tmp_path, "voorkomen")
    tables = find(asked.plan, asked.outcome)
    assert set(tables["drawn"]["listed"]) == {"named"}
    contrasts = contrasts_of(problem, asked.plan.allocations["advice"], 0.1)
    usual = break_even(problem, contrasts, asked.drawn, thresholds())
    key = ["contrast", "decision", "constant"]
    listed, before = (set(table[key].itertuples(index=False)) for table in (tables["break_even"], usual))
    assert before < listed
    assert len(listed) == len(contrasts) * len(asked.drawn)
    more = tables["break_even"].set_index(key).loc[[tuple(one) for one in listed - before]]
    assert set(more["worth"]) <= {"always", "never"}


def test_constants_that_are_always_listed_in_the_shipped_question() -> None:
    loaded = load_config(SHIPPED)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    drawn = uncertain_constants(problem)
    why = always_listed(problem, drawn)
    assert why["hours per EUR of social base"] == "named"
    assert why["complementarity of network"] == "weak"
    assert why["network elasticity of light need"] == "sign"
    assert "debt help success" not in why
    weak = {row.name for row in problem.constants if row.confidence == "D"} & {one.name for one in drawn}
    assert weak <= set(why)


def test_what_the_advice_changes_is_the_mean_of_the_decision_years(ask: Ask) -> None:
    _, _, problem = ask()
    given = given_advice(problem)
    assert given is not None
    table = advised_table(problem, given.point).set_index("decision")
    assert table.loc["voorkomen", "advised"] == pytest.approx((1.5 + 1.6 + 1.4 + 1.2) / 4)
    assert table.loc["uitstroom", "advised"] == pytest.approx((2 + 1.9 + 2.1 + 2.2) / 4)
    assert table.loc["voorkomen", "today"] == pytest.approx(problem.decisions.null_vector()[:4].mean())
    assert set(table["first_year"]) == {2027}
    assert set(table["last_year"]) == {2030}


@pytest.mark.parametrize(("design", "scenarios"), [("latin hypercube", 1000), ("grid", 1000)])
def test_large_sweeps_judge_by_some_draws_in_every_external_scenario(
    ask: Ask, design: str, scenarios: int
) -> None:
    more = {"levels": 9} if design == "grid" else {"scenarios": scenarios}
    _, _, problem = ask(design=design, **more)
    advice = _only(problem, "voorkomen")
    plan = plan_sweep(problem, advice)
    chosen = judged_by(Asked(plan, None), 3)
    draws, worlds = plan.scenarios.draw[chosen], plan.scenarios.world[chosen]
    assert len(chosen) == 2 * DRAWS
    assert sorted(draws[worlds == 0]) == sorted(draws[worlds == 1])
    means = plan.scenarios.values[:, chosen].mean(axis=1)
    every = plan.scenarios.values.mean(axis=1)
    error = plan.scenarios.values.std(axis=1) / np.sqrt(DRAWS)
    assert (np.abs(means - every) <= 4 * error).all()
    few = judged_by(Asked(plan, None), 498)  # as many contrasts as allow 20 draws: then 30 all the same
    assert len(np.unique(plan.scenarios.draw[few])) == 30


def test_contrasts_of_an_advice_that_is_today_are_a_little_more_only(ask: Ask) -> None:
    _, _, problem = ask()
    found = contrasts_of(problem, problem.decisions.null_vector(), 0.1)
    assert {one.kind for one in found} == {"a little more"}


LINK = "hours per EUR of social base"


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ((-0.02, 0.15, "triangular"), "Iets meer geld voor sociale basis dan nu is waarschijnlijk slechter"),
        ((-0.02, 0.28, "uniform"), "Het is onzeker of iets meer geld voor sociale basis dan nu beter is"),
        ((0.06, 0.60, "uniform"), "Iets meer geld voor sociale basis dan nu is waarschijnlijk beter"),
        ((-0.50, 0.06, "uniform"), "Iets meer geld voor sociale basis dan nu is duidelijk slechter"),
    ],
)
def test_is_the_social_base_worth_it_follows_from_what_is_believed(
    hours: tuple[float, float, str], words: str
) -> None:
    """The shipped question: the same model and value used, other beliefs about the one link, other words."""
    low, high, shape = hours
    one = {"constant": LINK, "low": low, "high": high, "distribution": shape}
    loaded = load_config(SHIPPED, {("uncertainties",): ["from_table", one]})
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    null = problem.decisions.null_vector()
    (little,) = [one for one in contrasts_of(problem, null, 0.1) if one.decision == "social base"]
    scenarios = draw_scenarios(problem, "latin hypercube", 120, 1)
    gains = contrast_gains(build_ensemble(problem, scenarios), [little])
    moved = [money_moved(problem, little.more, little.less)]
    (row,) = worth_table([little], gains, moved, scenarios, thresholds()).to_dict("records")
    assert worth_words(row, thresholds(), "nl", "mln euro", "sociale basis").startswith(words)
