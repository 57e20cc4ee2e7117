"""What knowing is worth, against a choice of which that is known; and how probable a better outcome is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from sdopt.sweep.information import (
    information_table,
    probability,
    probability_table,
    regret_table,
    wilson,
)
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

MEAN, SLOPES = 0.3, (1.0, 0.5, 0.0)


def _scenarios(points: np.ndarray, weights: tuple[float, ...] = (1.0,)) -> Scenarios:
    draws, worlds = points.shape[1], len(weights)
    external = tuple(External(f"{CENTRAL} {k}", {}, {}, weight) for k, weight in enumerate(weights))
    keys = tuple(f"c{k}" for k in range(len(points)))
    world, draw = np.tile(np.arange(worlds), draws), np.repeat(np.arange(draws), worlds)
    return Scenarios(keys, np.repeat(points, worlds, axis=1), external, world, draw)


def _linear(count: int, seed: int) -> tuple[np.ndarray, Scenarios]:
    """Nothing, or a gain that is linear in normal constants, of which the third has no meaning."""
    points = np.random.default_rng(seed).normal(size=(3, count))
    return np.array([np.zeros(count), MEAN + np.array(SLOPES) @ points]), _scenarios(points)


def _worth(spread: float) -> float:
    """What knowing a normal part of the gain with this spread is worth, for a choice against nothing."""
    ratio = MEAN / spread
    return float(spread * norm.pdf(ratio) + MEAN * norm.cdf(ratio) - MEAN)


def _table(improvement: np.ndarray, scenarios: Scenarios, seed: int = 1):
    names = [f"constant {k}" for k in range(len(scenarios.keys))]
    return information_table(improvement, scenarios, names, "million EUR", seed).set_index("uncertainty")


def test_a_linear_gain_of_normal_constants_has_a_known_value_of_information() -> None:
    found = [_table(*_linear(4000, seed)) for seed in range(6)]
    wanted = {
        "everything": _worth(np.hypot(*SLOPES[:2])),
        "constant 0": _worth(1.0),
        "constant 1": _worth(0.5),
    }
    for name, value in wanted.items():
        estimates = np.array([table.loc[name, "value"] for table in found])
        assert estimates.mean() == pytest.approx(value, abs=0.006)
        errors = np.array([table.loc[name, "error"] for table in found])
        assert 0.4 < errors.mean() / estimates.std(ddof=1) < 2.5
    for table in found:
        assert table.loc["constant 2", "value"] <= max(0.002, table.loc["constant 2", "by_chance"])
        assert list(table.index[:3]) == ["everything", "constant 0", "constant 1"]
        np.testing.assert_allclose(table["value_eur"], 1e6 * table["value"])


def test_what_has_no_meaning_is_worth_nothing_and_seldom_passes_what_chance_gives() -> None:
    """In small samples, with many allocations to choose from: where the bias is largest."""
    random = np.random.default_rng(4)
    passed, parts = [], []
    for seed in range(40):
        gains = np.array([[0.0], [0.05], [-0.05], [0.02]]) + random.normal(size=(4, 150))
        table = _table(gains, _scenarios(random.normal(size=(5, 150))), seed)
        of_constants = table.drop(index="everything")
        parts += list(of_constants["part"])
        passed += list(of_constants["value"] > of_constants["by_chance"])
    assert np.mean(passed) < 0.10
    assert np.mean(parts) < 0.02


def test_knowing_one_constant_is_worth_no_more_than_knowing_all() -> None:
    random = np.random.default_rng(6)
    for _ in range(10):
        points = random.uniform(size=(3, 200))
        gains = np.array([np.zeros(200), np.sin(6 * points[0]) + points[1], random.normal(size=200)])
        table = _table(gains, _scenarios(points))
        assert (table["value"] <= table.loc["everything", "value"]).all()
        assert (table["value"] >= 0).all()


def test_the_order_of_scenarios_and_allocations_changes_nothing() -> None:
    improvement, scenarios = _linear(300, 9)
    improvement = np.vstack([improvement, -0.5 * improvement[1]])
    usual = _table(improvement, scenarios)
    order = np.random.default_rng(0).permutation(300)
    turned = Scenarios(
        scenarios.keys, scenarios.values[:, order], scenarios.external, scenarios.world, np.arange(300)
    )
    again = _table(improvement[:, order], turned)
    np.testing.assert_allclose(again["value"], usual["value"], atol=1e-12)
    swapped = _table(improvement[::-1], scenarios)
    np.testing.assert_allclose(swapped["value"][["everything"]], usual["value"][["everything"]])
    np.testing.assert_allclose(swapped["value"], usual["value"].reindex(swapped.index), atol=0.01)


def test_a_constant_with_few_values_counts_by_group() -> None:
    random = np.random.default_rng(2)
    points = np.array([random.integers(0, 2, 1000), random.integers(0, 3, 1000)], dtype=float)
    gains = np.array([np.zeros(1000), np.where(points[0] == 1, 1.0, -1.0) + 0.3 * random.normal(size=1000)])
    table = _table(gains, _scenarios(points))
    assert table.loc["constant 0", "value"] == pytest.approx(0.5, abs=0.06)
    assert table.loc["constant 1", "value"] < 0.02


def test_external_scenarios_are_known_or_not_and_do_not_pass_for_a_constant() -> None:
    """The gain hangs on the world alone: knowing that is worth all, knowing a constant nothing."""
    points = np.random.default_rng(3).uniform(size=(2, 400))
    scenarios = _scenarios(points, (3.0, 1.0))
    gain = np.where(scenarios.world == 0, 1.0, -5.0)
    table = _table(np.array([np.zeros(800), gain]), scenarios)
    assert table.loc["everything", "value"] == pytest.approx(0.75)
    assert table.loc["external scenario", "value"] == pytest.approx(0.75)
    assert (table.loc[["constant 0", "constant 1"], "value"] == 0).all()


def test_failed_runs_are_left_out_and_counted() -> None:
    improvement, scenarios = _linear(200, 1)
    improvement[1, :20] = np.nan
    table = _table(improvement, scenarios)
    assert (table["left_out"] == 20).all()
    assert (table["draws"] == 180).all()
    improvement[1] = np.nan
    table = _table(improvement, scenarios)
    assert table["value"].isna().all()
    assert (table["reason"] != "").all()


def test_the_interval_of_a_probability_is_that_of_scipy() -> None:
    for yes, count in ((0, 10), (3, 40), (99, 100), (500, 1000)):
        theirs = binomtest(yes, count).proportion_ci(0.95, method="wilson")
        assert wilson(yes / count, count, 0.95) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50))
def test_what_failed_widens_the_interval_and_never_moves_it(yes: int, no: int, failed: int) -> None:
    count = yes + no + failed
    true = np.arange(count) < yes
    known = np.arange(count) < yes + no
    found = probability(true & known, known, np.ones(count), count, 0.95)
    assert found.share == pytest.approx(yes / (yes + no))
    lowest = wilson(yes / count, count, 0.95)[0]
    highest = wilson((yes + failed) / count, count, 0.95)[1]
    assert (found.low, found.high) == pytest.approx((lowest, highest))


def test_probabilities_and_regret_by_hand() -> None:
    scenarios = _scenarios(np.arange(4.0)[None])
    improvement = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, -2.0, np.nan]])
    table = probability_table(["null", "advice"], improvement, scenarios, "million EUR", 0.95)
    row = table.set_index(["allocation", "against"]).loc[("advice", "null")]
    assert row["probability"] == pytest.approx(2 / 3)
    assert row["probability_low"] < 0.5 < row["probability_high"]
    assert (row["mean"], row["failed"]) == (0.0, 1)
    regret = regret_table(["null", "advice"], improvement, scenarios.weights, "million EUR")
    regret = regret.set_index("allocation")
    np.testing.assert_allclose(regret["expected_regret"], [2 / 3, 2 / 3])
    np.testing.assert_allclose(regret["largest_regret"], [1.0, 2.0])
    np.testing.assert_allclose(regret["best"], [1 / 3, 2 / 3])


def test_a_constant_of_many_equal_values_is_smoothed_like_any_other() -> None:
    """Observations that come back once or twice: means of groups of two would tell nothing."""
    random = np.random.default_rng(4)
    worth = random.choice(np.linspace(-1.7, 1.7, 500), 1000)
    noise = random.permutation(worth)
    improvement = np.array([np.zeros(1000), worth + 3 * random.standard_normal(1000)])
    scenarios = Scenarios(
        ("worth", "noise"),
        np.array([worth, noise]),
        (External(CENTRAL, {}, {}),),
        np.zeros(1000, dtype=np.intp),
        np.arange(1000),
    )
    table = information_table(improvement, scenarios, ["worth", "noise"], "EUR", 1).set_index("uncertainty")
    assert table.loc["worth", "value"] > max(0.2, table.loc["worth", "by_chance"])
    assert table.loc["noise", "value"] <= 2 * table.loc["noise", "by_chance"]


def test_the_error_of_a_value_that_chance_gives_too_is_its_own() -> None:
    """By hand: where the constant is 1 the second one is chosen, and gains what the draws there say."""
    known = np.tile([0.0, 1.0], 40)
    gain = np.where(known == 1, 0.1, -0.2) + np.tile([1.0, 1.0, -1.0, -1.0], 20)
    table = _table(np.array([np.zeros(80), gain]), _scenarios(np.array([known, np.repeat([0.0, 1.0], 40)])))
    assert table.loc["constant 0", "value"] < table.loc["constant 0", "by_chance"]
    gained = np.where(known == 1, gain, 0.0)
    assert table.loc["constant 0", "error"] == pytest.approx(gained.std(ddof=1) / np.sqrt(80))
    # Either value of the other leaves the second one a loss of 0.05 on average: it is never chosen.
    assert (table.loc["constant 1", ["value", "error"]] == 0).all()


def test_errors_are_as_large_as_values_differ_between_samples() -> None:
    """In samples so small that chance gives as much as the second constant is worth."""
    found = [_table(*_linear(100, 100 + seed)) for seed in range(40)]
    for name in ("constant 0", "constant 1"):
        values = np.array([table.loc[name, "value"] for table in found])
        errors = np.array([table.loc[name, "error"] for table in found])
        assert 0.7 < errors.mean() / values.std(ddof=1) < 1.6


def test_what_all_allocations_have_in_common_is_no_ground_to_choose() -> None:
    """Gains that swing by 5 together: only what sets them apart counts, and only the first constant does."""
    random = np.random.default_rng(8)
    points = random.normal(size=(8, 100))
    together = 5 * random.normal(size=100)
    apart = np.array([np.zeros(100), 0.2 * points[0], -0.2 * points[0], np.full(100, -0.3)])
    table = _table(np.vstack([np.zeros(100), together + 20 + apart]), _scenarios(points))
    alone = _table(np.vstack([np.full(100, -20.0), apart]), _scenarios(points))
    np.testing.assert_allclose(table["value"], alone["value"], atol=1e-4)
    wanted = 0.2 * (np.abs(points[0]).mean() - np.abs(points[0].mean()))  # the second or third, by its sign
    assert table.loc["everything", "value"] == pytest.approx(wanted)
    assert table.loc["constant 0", "value"] == pytest.approx(wanted, rel=0.15)
    others = table.drop(index=["everything", "constant 0"])
    assert (others["value"] < 0.1 * wanted).all()


def test_small_samples_make_little_of_what_has_no_meaning() -> None:
    """Plain cross-validation now and then follows noise: it makes four times as much of it."""
    found = [_table(*_linear(100, 1000 + seed)) for seed in range(30)]
    assert np.mean([table.loc["constant 2", "value"] for table in found]) < 0.006
    assert np.mean([table.loc["constant 1", "value"] for table in found]) == pytest.approx(
        _worth(0.5), abs=0.02
    )
