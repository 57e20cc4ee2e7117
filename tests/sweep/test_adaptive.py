"""Deciding again after learning, against answers that are known, and against a fixed path."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from sdopt.config.load import load_config
from sdopt.config.robust import Robust
from sdopt.errors import ConfigError
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from sdopt.sweep.adaptive import Adaptive, adapt, adaptive_table, adaptive_value_table
from sdopt.sweep.stages import Stages, learn
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

MODEL = """{UTF-8}
social return= worth * effort - effort ^ 2 / 2 ~ million EUR/Year ~ |
Spent= INTEG ( effort , 0 ) ~ million EUR ~ |
effort= 2 ~ million EUR/Year ~ |
worth= 4 ~ Dmnl ~ |
noise= 1 ~ Dmnl ~ |
INITIAL TIME= 2026 ~ Year ~ |
FINAL TIME= 2030 ~ Year ~ |
TIME STEP= 0.25 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""
CONFIG = """
schema_version: 1
title: How much effort, when it is not known what it is worth
model: {{file: model.mdl}}
horizon: {{start: 2026, end: 2029}}
decision_years: {{first: 2027, last: 2028}}
decisions: {{effort: {{variable: effort, bounds: [0, 20]{rules}}}}}
{limits}
objective: {{maximise: social return, discount_rate: 0}}
search: {{audit: 100}}
"""
ROBUST = Robust(gap=1e-5, iterations=300)
COUNT = 40
WORTH = np.concatenate([np.linspace(1, 4, COUNT // 2), np.linspace(5, 9, COUNT // 2)])
LOW, HIGH, MEAN = 2.5, 7.0, 4.75


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Problem]:
    """The question with these rules on the decision, and limits on model variables."""

    def read(rules: str = "", limits: str = "") -> Problem:
        (tmp_path / "model.mdl").write_text(MODEL, encoding="utf-8")
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(rules=rules, limits=limits), encoding="utf-8")
        loaded = load_config(config)
        return build_problem(loaded, read_model(loaded.config.model.file).system)

    return read


def _scenarios(worth: np.ndarray = WORTH) -> Scenarios:
    noise = np.random.default_rng(1).uniform(0.5, 1.5, len(worth))
    world = np.zeros(len(worth), dtype=np.intp)
    values = np.array([worth, noise])
    return Scenarios(("worth", "noise"), values, (External(CENTRAL, {}, {}),), world, np.arange(len(worth)))


def _adapt(problem: Problem, scenarios: Scenarios, key: str = "worth", groups: int = 2) -> Adaptive:
    learned = learn(scenarios, key, groups)
    starts = problem.decisions.null_vector()[None]
    return adapt(problem, scenarios, learned, 2028, ROBUST, starts, set())


def test_what_is_learned_is_worth_the_spread_of_what_it_tells(ask: Callable[..., Problem]) -> None:
    """Best is an effort of the expected worth: by group in the year that is decided later."""
    found = _adapt(ask(), _scenarios())
    np.testing.assert_allclose(found.fixed.reading.point, [MEAN, MEAN], atol=2e-2)
    np.testing.assert_allclose(found.of_group(0), [MEAN, LOW], atol=2e-2)
    np.testing.assert_allclose(found.of_group(1), [MEAN, HIGH], atol=2e-2)
    gained = (LOW**2 + HIGH**2) / 4 - MEAN**2 / 2
    value, least, most = found.gained
    assert least - 1e-9 <= gained <= most + 1e-9
    assert value == pytest.approx(gained, rel=1e-3)
    assert most - least < 1e-3


def test_rules_between_the_years_hold_in_every_group(ask: Callable[..., Problem]) -> None:
    """Effort may change by one and a half a year only, also back to today's afterwards."""
    found = _adapt(ask(rules=", largest_rise: 1.5, largest_fall: 1.5"), _scenarios())

    def loss(x: np.ndarray) -> float:
        later = sum(0.5 * (mean * one - one**2 / 2) for mean, one in zip((LOW, HIGH), x[1:], strict=True))
        return float(-(MEAN * x[0] - x[0] ** 2 / 2) - later)

    steps = [lambda x, k=k: x[0] - x[k] for k in (1, 2)] + [lambda x, k=k: x[k] - 2 for k in (0, 1, 2)]
    ways = [lambda x, one=one, sign=sign: 1.5 + sign * one(x) for one in steps for sign in (1, -1)]
    limits = [{"type": "ineq", "fun": way} for way in ways]
    best = minimize(loss, [2, 2, 2], constraints=limits, tol=1e-12)
    np.testing.assert_allclose(found.adaptive.reading.point, best.x, atol=1e-2)
    null = loss(np.full(3, 2.0))
    assert found.adaptive.value == pytest.approx(null - best.fun, rel=1e-4)
    assert found.adaptive.bound >= null - best.fun - 1e-9


def test_limits_on_the_model_hold_on_every_path(ask: Callable[..., Problem]) -> None:
    limit = "constraints: {Not too much: {variables: {Spent: 1}, at_most: 9, measure: year_end}}"
    found = _adapt(ask(limits=limit), _scenarios())
    problem = found.problem
    for group in range(2):
        values = problem.evaluator.values(found.of_group(group)[None]).value
        assert problem.slacks(values).min() >= -1e-9
    spent = 2 + found.of_group(1).sum()
    assert spent == pytest.approx(9, abs=1e-3)
    assert found.gained[0] > 0


def test_learning_what_does_not_matter_gains_nothing(ask: Callable[..., Problem]) -> None:
    scenarios = _scenarios(np.full(COUNT, 4.0))
    value, least, most = _adapt(ask(), scenarios, "noise", 3).gained
    assert value == pytest.approx(0.0, abs=1e-3)
    assert least <= 0 <= most + 1e-9


def test_what_was_found_is_what_the_groups_give(ask: Callable[..., Problem]) -> None:
    problem, scenarios = ask(), _scenarios()
    found = _adapt(problem, scenarios, groups=4)
    by_hand = np.empty(COUNT)
    group = found.learned.of_draw[scenarios.draw]
    for k, worth in enumerate(WORTH):
        effort = found.of_group(int(group[k]))
        by_hand[k] = np.sum(worth * (effort - 2) - (effort**2 - 4) / 2)
    np.testing.assert_allclose(found.adaptive.reading.improvement, by_hand, atol=1e-9)
    assert found.adaptive.value == pytest.approx(by_hand.mean())


def test_the_tables_say_what_now_and_what_later(ask: Callable[..., Problem]) -> None:
    found = _adapt(ask(), _scenarios())
    table = adaptive_table(found)
    assert list(table["stage"]) == ["now", "later", "later"]
    assert list(table["group"]) == [0, 1, 2]
    assert table["to"][1] == table["from"][2]
    assert 4 < table["to"][1] < 5
    values = adaptive_value_table(found).set_index("what")
    assert values.loc["gained", "value"] == pytest.approx(
        values.loc["decide again", "value"] - values.loc["fixed path", "value"]
    )
    assert (values["bound"] >= values["value"]).all()


def test_the_long_vector_keeps_the_first_group_in_place(ask: Callable[..., Problem]) -> None:
    stages = Stages.of(ask().decisions, 2028, 3)
    np.testing.assert_array_equal(stages.columns, [[0, 1], [0, 2], [0, 3]])
    np.testing.assert_array_equal(stages.origin, [0, 1, 1, 1])
    np.testing.assert_array_equal(stages.spread(np.array([5.0, 7.0]), 2), [5, 0, 0, 7])


def test_what_cannot_be_learned_is_refused(ask: Callable[..., Problem]) -> None:
    scenarios = _scenarios()
    for key, groups in (("effort", 2), ("worth", 1), ("worth", 5)):
        with pytest.raises(ConfigError, match="what is learned must be a constant that is drawn"):
            learn(scenarios, key, groups)
    with pytest.raises(ConfigError, match="too few different values"):
        learn(_scenarios(np.where(np.arange(COUNT) < 5, 1.0, 2.0)), "worth", 4)
    problem = ask()
    starts = problem.decisions.null_vector()[None]
    for year in (2027, 2029):
        with pytest.raises(ConfigError, match="there must be a decision before and one from that year on"):
            adapt(problem, scenarios, learn(scenarios, "worth", 2), year, ROBUST, starts, set())
