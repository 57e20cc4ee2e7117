"""What could be chosen beside what was compared, and what knowing is then worth, by hand and by formula."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from sdopt.config.load import LoadedConfig, load_config
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import SourceModel, read_model
from sdopt.sweep.allocations import Advice
from sdopt.sweep.asked import Asked
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.findings import find
from sdopt.sweep.options import DRAWS, option_tables, options_of
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks

DATA = Path(__file__).parents[1] / "data"
MEAN, FIRST, SECOND = 0.3, 1.0, 0.5
"""What a unit of effort gains in a year on average, and how much two constants spread it."""

GAIN = "effort * ( first + second ) - aside"
MODEL = f"""{{UTF-8}}
social return= {GAIN} ~ million EUR/Year ~ |
effort= 2 ~ million EUR/Year ~ |
aside= 0 ~ million EUR/Year ~ |
first= 0.3 ~ Dmnl ~ |
second= 0 ~ Dmnl ~ |
INITIAL TIME= 2026 ~ Year ~ |
FINAL TIME= 2030 ~ Year ~ |
TIME STEP= 0.5 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""
CONFIG = """
schema_version: 1
title: A gain of normal constants
model: {{file: model.mdl}}
horizon: {{start: 2026, end: {end}}}
decision_years: {{first: 2027, last: {last}}}
decisions:
  effort: {{variable: effort, bounds: [0, 10], period: {period}}}
  aside: {{variable: aside, bounds: [0, 10]}}
{limits}
objective: {{maximise: social return, discount_rate: 0}}
uncertainties:
  - {{constant: first, low: {first[0]}, high: {first[1]}, distribution: normal}}
  - {{constant: second, low: {second[0]}, high: {second[1]}, distribution: normal}}
search: {{seed: {seed}}}
sweep: {{scenarios: 128, design: {design}}}
"""
ADVICE = np.array([3.0, 3.0, 3.0, 0.0, 0.0, 0.0])


@pytest.fixture
def effort(tmp_path: Path) -> Callable[..., Problem]:
    """The question of how much effort, with these limits, and more in what it gains."""

    def read(
        limits: str = "", seed: int = 0, design: str = "latin hypercube", more: str = "", **given: int
    ) -> Problem:
        years = {"end": 2030, "last": 2029, "period": 1, **given}
        model = MODEL.replace(GAIN, f"{GAIN} {more}").replace("2030", str(years["end"]))
        (tmp_path / "model.mdl").write_text(model, encoding="utf-8")
        wide = norm.ppf(0.975)
        first, second = ((m - wide * s, m + wide * s) for m, s in ((MEAN, FIRST), (0.0, SECOND)))
        said = CONFIG.format(limits=limits, first=first, second=second, seed=seed, design=design, **years)
        (tmp_path / "config.yaml").write_text(said, encoding="utf-8")
        loaded = load_config(tmp_path / "config.yaml")
        return build_problem(loaded, read_model(loaded.config.model.file).system)

    return read


def _swept(problem: Problem, folder: Path) -> Asked:
    plan = plan_sweep(problem, Advice(ADVICE, "given"))
    with Parts(folder, "parts", resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        return Asked(plan, outcome_of(plan, parts))


def _worth(spread: float) -> float:
    """What knowing a normal part of the gain with this spread is worth, of a unit of effort in a year."""
    ratio = MEAN / spread
    return float(spread * norm.pdf(ratio) + MEAN * norm.cdf(ratio) - MEAN)


def test_one_decision_is_as_today_or_a_little_different(effort: Callable[..., Problem]) -> None:
    found = {one.name: one.point for one in options_of(effort(), ADVICE, 0.1)}
    assert {name: list(point) for name, point in found.items()} == {
        "advice, effort as today, 2027-2029": [2, 2, 2, 0, 0, 0],
        "advice, effort a little more, 2027-2029": pytest.approx([3.2, 3.2, 3.2, 0, 0, 0]),
        "advice, effort a little less, 2027-2029": pytest.approx([2.8, 2.8, 2.8, 0, 0, 0]),
        "advice, aside a little more, 2027-2029": [
            3,
            3,
            3,
            1,
            1,
            1,
        ],  # a tenth of the bound: today is nothing
    }


def test_a_change_as_small_as_rounding_is_no_option(effort: Callable[..., Problem]) -> None:
    """An advice that a search left a little off the bound cannot be lowered."""
    near = ADVICE + np.array([0, 0, 0, 1e-9, 1e-9, 1e-9])
    found = {(one.decision, one.change) for one in options_of(effort(), near, 0.1)}
    assert ("aside", "a little less") not in found
    assert ("aside", "as today") not in found
    assert ("aside", "a little more") in found


LATE = """
constraints:
  No more in the last year: {decisions: {effort: 1}, at_most: 3, years: {first: 2029, last: 2029}}
"""
RULE = "constraints: {No more than advised: {decisions: {effort: 1, aside: 1}, at_most: 3}}"
LIMIT = (
    "constraints: {Enough: {variables: {social return: 1}, at_least: 0.9, years: {first: 2027, last: 2029}}}"
)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (LATE, {"as today 2027-2029", "a little more 2027-2028", "a little less 2027-2029"}),
        (RULE, {"as today 2027-2029", "a little less 2027-2029"}),
        (LIMIT, {"a little more 2027-2029"}),
    ],
)
def test_only_what_is_allowed_can_be_chosen_in_as_many_years_as_it_is(
    effort: Callable[..., Problem], limits: str, left: set[str]
) -> None:
    found = [one for one in options_of(effort(limits), ADVICE, 0.1) if one.decision == "effort"]
    assert {f"{one.change} {one.first_year}-{one.last_year}" for one in found} == left


def test_what_the_model_gives_no_number_for_is_no_choice(effort: Callable[..., Problem]) -> None:
    """A little less than almost nothing is nothing, by which the model divides."""
    advice = np.array([0.1, 0.1, 0.1, 0.0, 0.0, 0.0])
    found = {(one.decision, one.change) for one in options_of(effort(more="- 0.01 / effort"), advice, 0.1)}
    assert found == {("effort", "as today"), ("effort", "a little more"), ("aside", "a little more")}
    every = {(one.decision, one.change) for one in options_of(effort(), advice, 0.1)}
    assert every - found == {("effort", "a little less")}


def test_the_last_period_of_a_change_is_named_to_its_end(effort: Callable[..., Problem]) -> None:
    """Periods of two years: with a limit in 2029 only the first is left for more."""
    advice = np.array([3.0, 3.0, 0.0, 0.0, 0.0, 0.0])
    problem = effort(LATE, end=2031, last=2030, period=2)
    found = {one.name: list(one.point[:2]) for one in options_of(problem, advice, 0.1)}
    assert found["advice, effort as today, 2027-2030"] == [2, 2]
    assert found["advice, effort a little more, 2027-2028"] == pytest.approx([3.2, 3.0])


def test_a_programme_is_put_back_whole() -> None:
    loaded = load_config(DATA / "programmes" / "three.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    advice = problem.decisions.null_vector()
    advice[[3, 4, 5, 12]] = 1.0  # programme a from its first year
    (option,) = [one for one in options_of(problem, advice, 0.1) if one.decision == "a"]
    assert (option.change, option.first_year, option.last_year) == ("as today", 2027, 2029)
    np.testing.assert_array_equal(option.point, problem.decisions.null_vector())


def test_knowing_is_worth_what_the_formula_says_for_the_wider_choice(
    effort: Callable[..., Problem], tmp_path: Path
) -> None:
    """Effort from 2 to 3.2, where the compared have 2 and 3: knowing is worth 1.2 times as much."""
    found = []
    for seed in range(8):
        problem = effort(seed=seed)
        asked = _swept(problem, tmp_path / str(seed))
        tables = option_tables(asked)
        assert list(tables["options"]["decision"]) == ["", "", "effort", "effort", "effort", "aside"]
        found.append(tables["information_options"].set_index("uncertainty"))
        assert (found[-1]["draws"] == DRAWS).all()
    wanted = {"everything": _worth(np.hypot(FIRST, SECOND)), "first": _worth(FIRST), "second": _worth(SECOND)}
    for name, value in wanted.items():
        values = np.array([table.loc[name, "value"] for table in found])
        errors = np.array([table.loc[name, "error"] for table in found])
        sure = 3 * values.std(ddof=1) / np.sqrt(len(values)) + 0.03
        assert values.mean() == pytest.approx(3 * 1.2 * value, abs=sure)
        assert errors.mean() > 0.7 * values.std(ddof=1)  # draws spread evenly: rather too large


def test_how_good_the_options_are_by_hand(effort: Callable[..., Problem], tmp_path: Path) -> None:
    asked = _swept(effort(), tmp_path)
    table = option_tables(asked)["options"].set_index("allocation")
    values = asked.plan.scenarios.values.sum(axis=0)[:DRAWS]
    more = table.loc["advice, effort a little more, 2027-2029"]
    assert more["mean"] == pytest.approx(3 * 1.2 * values.mean())
    assert more["best"] == pytest.approx(np.mean(values > 0))
    assert (more["first_year"], more["last_year"], more["change"]) == (2027, 2029, "a little more")
    best = np.maximum(0.0, 3.6 * values)
    assert table.loc["null", "expected_regret"] == pytest.approx(best.mean())


def _fails_above(least: float) -> str:
    """Nothing; or no number, for so much effort where the first constant is high."""
    return f"+ 0 * SQRT( IF THEN ELSE( effort > {least} :AND: first > 1.5, -1, 1 ) )"


def test_an_option_that_fails_takes_no_draws_from_the_others(
    effort: Callable[..., Problem], tmp_path: Path
) -> None:
    asked = _swept(effort(more=_fails_above(3.1)), tmp_path)
    tables = option_tables(asked)
    table = tables["options"].set_index("allocation")
    assert not any("effort a little more" in name for name in table.index)
    assert "advice, effort a little less, 2027-2029" in table.index
    assert (table["failed"] == 0).all()
    assert (tables["information_options"]["draws"] == DRAWS).all()
    values = asked.plan.scenarios.values.sum(axis=0)[:DRAWS]
    assert table.loc["null", "expected_regret"] == pytest.approx(np.maximum(0.0, 3 * values).mean())


def test_draws_in_which_the_compared_fail_are_left_out_and_counted(
    effort: Callable[..., Problem], tmp_path: Path
) -> None:
    asked = _swept(effort(more=_fails_above(2.9)), tmp_path)
    tables = option_tables(asked)
    table = tables["options"].set_index("allocation")
    first, second = asked.plan.scenarios.values[:, :DRAWS]
    known = first <= 1.5
    assert 0 < known.sum() < DRAWS
    assert (table["failed"] == (~known).sum()).all()
    assert (tables["information_options"]["left_out"] == (~known).sum()).all()
    more = table.loc["advice, effort a little more, 2027-2029", "mean"]  # fails where the advice fails
    assert more == pytest.approx(3 * 1.2 * (first + second)[known].mean())


@pytest.mark.parametrize("design", ["sobol", "grid, levels: 13", "saltelli"])
def test_every_design_that_is_a_sample_has_options(
    effort: Callable[..., Problem], tmp_path: Path, design: str
) -> None:
    asked = _swept(effort(design=design), tmp_path)
    table = option_tables(asked)["information_options"].set_index("uncertainty")
    assert (table["draws"] == DRAWS).all()
    wanted = 3 * 1.2 * _worth(np.hypot(FIRST, SECOND))
    assert table.loc["everything", "value"] == pytest.approx(wanted, rel=0.5)


def test_a_sweep_has_both_choices(
    ask: Callable[..., tuple[LoadedConfig, SourceModel, Problem]], tmp_path: Path
) -> None:
    _, _, problem = ask(scenarios=80)
    asked = _swept_as_asked(problem, tmp_path)
    tables = find(asked.plan, asked.outcome)
    chosen = tables["options"]
    assert {"null", "advice", "Alles voorkomen"} < set(chosen["allocation"])
    wider, compared = (tables[name].iloc[0] for name in ("information_options", "information"))
    assert compared["value"] <= wider["value"] + 1e-9  # of the same draws: more to choose from


def _swept_as_asked(problem: Problem, folder: Path) -> Asked:
    from sdopt.sweep.allocations import given_advice

    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    with Parts(folder, "parts", resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        return Asked(plan, outcome_of(plan, parts))
