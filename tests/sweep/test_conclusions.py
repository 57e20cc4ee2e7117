"""The words follow from the distribution by a stated rule: another distribution gives other words."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.config.thresholds import known_thresholds, thresholds
from sdopt.sweep.conclusions import (
    Conclusion,
    conclude,
    condition,
    number,
    other_kinds,
    threshold_table,
    turning,
    worth_table,
    worth_words,
)
from sdopt.sweep.contrasts import Contrast
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

USUAL = thresholds()
NORMAL = np.random.default_rng(0).normal(size=2000)
FUTURES = {
    "clearly better": 3 + NORMAL,
    "probably better": 0.9 + NORMAL,
    "roughly equal": 0.03 * NORMAL,
    "uncertain": 0.1 + NORMAL,
    "probably worse": -0.9 + NORMAL,
    "clearly worse": -3 + NORMAL,
}


def _conclude(improvements: np.ndarray, size: float = 2.0, language: str = "en", **more) -> Conclusion:
    weights = np.full(len(improvements), 1 / len(improvements))
    return conclude(improvements, weights, size, USUAL, language, unit="million EUR", **more)


@pytest.mark.parametrize("kind", FUTURES)
def test_another_distribution_gives_other_words(kind: str) -> None:
    found = {name: _conclude(futures) for name, futures in FUTURES.items()}
    assert found[kind].kind == kind
    assert len({one.words for one in found.values()}) == len(FUTURES)
    dutch = {_conclude(futures, language="nl").words.split(".")[0] for futures in FUTURES.values()}
    assert len(dutch) == len(FUTURES)


def test_the_words_say_how_sure_and_how_much() -> None:
    found = _conclude(FUTURES["probably better"])
    words, mean = found.words, number(found.figures["mean"], "en", 2)
    assert words.startswith("The advice is probably better than doing nothing new, but that is not certain.")
    share = 100 * (FUTURES["probably better"] > 0).mean()
    assert f"It gains in {share:.0f} of every 100 futures worked out" in words
    assert f"a difference of {mean} million EUR; in 90 of every 100 futures between" in words
    dutch = _conclude(FUTURES["probably better"], language="nl").words
    assert dutch.startswith("Het advies is waarschijnlijk beter dan niets nieuws doen")
    assert f"{mean.replace('.', ',')} million EUR" in dutch


def test_the_central_value_alone_decides_nothing() -> None:
    """The same median and nearly the same middle, with other futures around it: other words each time."""
    middle = np.full(101, 0.5)
    spread = 0.5 + np.linspace(-1, 1, 950)
    heavy = np.where(np.arange(950) < 440, -60.0, 0.6)
    kinds = [
        _conclude(np.concatenate([middle, around])).kind for around in (np.full(950, 0.5), spread, heavy)
    ]
    assert kinds == ["clearly better", "probably better", "uncertain"]


def test_shifting_the_mean_with_the_median_kept_changes_the_words() -> None:
    futures = 1.4 + NORMAL
    rare = np.sort(futures)
    rare[:40] -= 200.0
    assert np.median(rare) == np.median(futures)
    assert (rare > 0).mean() == (futures > 0).mean()
    assert _conclude(futures).kind == "clearly better"
    assert _conclude(rare).kind == "uncertain"


def test_a_sample_that_is_too_small_gives_careful_words() -> None:
    futures = np.where(np.arange(1000) % 100 < 93, 1.0, -1.0)
    assert _conclude(futures).kind == "clearly better"
    assert _conclude(futures, draws=100).kind == "probably better"
    assert _conclude(futures, draws=6).kind == "uncertain"


def test_futures_that_failed_may_be_gains_or_losses() -> None:
    futures = np.where(np.arange(1000) < 950, 1.0, -0.1)
    assert _conclude(futures).kind == "clearly better"
    futures[:200] = np.nan
    found = _conclude(futures)
    assert found.kind == "probably better"
    assert "In 20 of every 100 futures the model gave no number" in found.words
    nothing = _conclude(np.full(10, np.nan))
    assert nothing.kind == "uncertain"
    assert "no number in any of the futures" in nothing.words


def test_no_effect_at_all_is_roughly_equal_and_small_needs_a_size() -> None:
    assert _conclude(np.zeros(1000)).kind == "roughly equal"
    assert _conclude(0.03 * NORMAL, size=np.nan).kind == "uncertain"


@given(st.floats(-4, 4), st.floats(0.01, 10), st.sampled_from([2.0, 0.1, 50.0]))
def test_gains_and_losses_are_treated_alike(mean: float, spread: float, size: float) -> None:
    mirror = {"better": "worse", "worse": "better"}
    futures = mean + spread * NORMAL[:300]
    kind = _conclude(futures, size).kind.split()
    turned = _conclude(-futures, size).kind.split()
    assert turned == [mirror.get(word, word) for word in kind]


@given(st.floats(-3, 3), st.floats(0.1, 3))
def test_more_of_everything_never_sounds_worse(mean: float, more: float) -> None:
    order = ["clearly worse", "probably worse", "uncertain", "probably better", "clearly better"]
    futures = mean + NORMAL[:400]
    low, high = (_conclude(one, np.nan).kind for one in (futures, futures + more))
    assert order.index(low) <= order.index(high)


def test_which_thresholds_the_words_hang_on() -> None:
    weights = np.full(2000, 1 / 2000)
    assert not other_kinds(3 + NORMAL, weights, 2.0, USUAL)
    found = other_kinds(1.5 + NORMAL, weights, 2.0, USUAL)
    assert found == {"clearly = 0.99": "probably better"}


def test_the_thresholds_are_a_table_with_ranges_and_grounds() -> None:
    table = threshold_table({**USUAL, "clearly": 0.95}).set_index("name")
    assert (table.loc["clearly", "value"], table.loc["clearly", "usual"]) == (0.95, 0.9)
    assert ((table["low"] < table["usual"]) & (table["usual"] < table["high"])).all()
    assert (table["status"] == "judgement").all()
    assert list(table.index) == list(known_thresholds())


def _row(**more: object) -> dict[str, object]:
    row = {"constant": "hours per EUR", "unit": "hour/EUR", "low": 0.0, "central": 0.06, "high": 0.15,
           "break_even": 0.1316, "inside": True, "worth": "above", "chance_not_worth": 0.9748,
           "gain_central": -1.3, "no_number": 0.0, **more}  # fmt: skip
    alone = row["chance_not_worth"] if row["worth"] == "above" else 1 - row["chance_not_worth"]
    return {"share_below": alone, **row}


def test_what_would_have_to_be_true_in_words() -> None:
    other = _row(constant="price", break_even=3.0, chance_not_worth=0.999, worth="below")
    outside = _row(constant="far", inside=False, chance_not_worth=0.0)
    words = condition(pd.DataFrame([other, _row(), outside]), "en")
    assert words == (
        "What would have to be true: hours per EUR above 0.132 hour/EUR. Reckoned with here: 0.06; its "
        "range runs from 0 to 0.15. The chance of that is 3 in 100, if all else goes as expected."
    )
    worth = condition(
        pd.DataFrame([_row(gain_central=1.0, break_even=0.032, chance_not_worth=0.3)]),
        "nl",
        {"hours per EUR": "uren"},
    )
    assert worth.startswith("Wat er waar moet zijn: uren hoger dan 0,032 hour/EUR.")
    assert "De kans dat het te laag is, is 30 op 100" in worth
    between = [
        _row(break_even=0.045, share_below=0.3, chance_not_worth=0.6, gain_central=1.0),
        _row(break_even=0.105, share_below=0.7, chance_not_worth=0.6, gain_central=1.0, worth="below"),
    ]
    said = condition(pd.DataFrame(between), "en")  # of the end that is named, not of both
    assert "above 0.045" in said and "too low is 30 in 100" in said
    assert condition(pd.DataFrame([outside]), "en").startswith("Not worth it at any value")
    gaining = pd.DataFrame([{**outside, "gain_central": 1.0}])
    assert condition(gaining, "en").startswith("Worth it at every value")


def test_only_a_place_that_the_central_value_has_not_passed_turns_it_round() -> None:
    """Even on 0 to 4: worth it below 1 and above 2, so at 3 it is, and not in one of four futures."""
    gains = {"low": 0.0, "central": 3.0, "high": 4.0, "gain_central": 2.0, "chance_not_worth": 0.25}
    rows = pd.DataFrame(
        [
            _row(**gains, break_even=1.0, share_below=0.25, worth="below"),
            _row(**gains, break_even=2.0, share_below=0.5, worth="above"),
        ]
    )
    found = turning(rows)
    assert found is not None
    assert (found["break_even"], found["chance_turns"]) == (2.0, 0.25)
    lost = rows.assign(gain_central=-1.0, central=1.5, chance_not_worth=0.25)
    found = turning(lost)
    assert found is not None and found["chance_turns"] == 0.5  # above 2; below 1 is another end
    assert turning(rows[:1]) is None


def test_worth_it_everywhere_is_not_said_of_values_without_a_number() -> None:
    row = _row(break_even=np.nan, share_below=np.nan, chance_not_worth=np.nan, inside=False, worth="always",
               gain_central=1.0, no_number=0.5)  # fmt: skip
    words = condition(pd.DataFrame([row]), "en")
    assert words.endswith(
        "For some values of hours per EUR the model gives no number; what holds then is not known."
    )


def test_numbers_have_three_digits_and_the_separators_of_the_language() -> None:
    assert [number(v, "en") for v in (0.0, 0.012345, -1.5, 12.0, 1234567.8)] == [
        "0", "0.0123", "-1.5", "12", "1,234,568"
    ]  # fmt: skip
    assert number(-1234.5, "nl") == "-1.235"


LITTLE = Contrast("a little more", "care", np.array([1.1]), np.array([1.0]))
ADVISED = Contrast("as advised", "care", np.array([0.0]), np.array([1.0]))
SCENARIOS = Scenarios(
    (), np.empty((0, 2000)), (External(CENTRAL, {}, {}),), np.zeros(2000, dtype=np.intp), np.arange(2000)
)


def test_is_every_decision_worth_it() -> None:
    gains = np.array([FUTURES["clearly worse"], 1.5 + NORMAL])
    table = worth_table((LITTLE, ADVISED), gains, ((1.0, 1.0), (-2.0, 2.0)), SCENARIOS, USUAL)
    assert list(table["kind"]) == ["clearly worse", "clearly better"]
    assert list(table["hangs_on"]) == ["", "clearly = 0.99: probably better"]
    assert list(table["spent"]) == [1.0, -2.0]
    assert table["mean"].tolist() == pytest.approx(gains.mean(axis=1))
    assert table["probability"].tolist() == pytest.approx((gains > 0).mean(axis=1))
    assert table["q10"].tolist() == pytest.approx(np.sort(gains)[:, 199])
    words = [worth_words(row, USUAL, "nl", "mln euro", "zorg") for row in table.to_dict("records")]
    assert words[0].startswith("Iets meer geld voor zorg dan nu is duidelijk slechter dan het bedrag van nu")
    assert words[0].endswith("Daarvoor is 1 mln euro meer nodig (contante waarde van alle jaren samen).")
    assert words[1].startswith("Zorg volgens het advies is duidelijk beter dan hetzelfde advies met")
    assert words[1].endswith("Daarmee komt 2 mln euro vrij (contante waarde van alle jaren samen).")


@pytest.mark.parametrize("kind", FUTURES)
def test_another_distribution_of_gains_gives_other_words_for_a_decision(kind: str) -> None:
    """The same decision, the same money, the same value at the middle of the ranges: other futures."""
    gains = np.array(list(FUTURES.values()))
    table = worth_table([LITTLE] * len(gains), gains, [(2.0, 2.0)] * len(gains), SCENARIOS, USUAL)
    words = [worth_words(row, USUAL, "en", "million EUR", "care") for row in table.to_dict("records")]
    assert dict(zip(FUTURES, table["kind"], strict=True))[kind] == kind
    assert len({one.split(".")[0] for one in words}) == len(FUTURES)


def test_a_decision_that_is_not_money_is_not_called_money() -> None:
    table = worth_table([LITTLE], FUTURES["clearly better"][None], [(np.nan, np.nan)], SCENARIOS, USUAL)
    words = worth_words(table.to_dict("records")[0], USUAL, "en", "point", "care")
    assert words.startswith("A little more care than today is clearly better than as it is today")
    assert "present value" not in words


def test_money_that_moves_between_years_costs_nothing_net() -> None:
    table = worth_table([ADVISED], FUTURES["clearly better"][None], [(0.001, 3.0)], SCENARIOS, USUAL)
    words = worth_words(table.to_dict("records")[0], USUAL, "en", "million EUR", "care")
    assert words.endswith("It costs next to nothing net; 3 million EUR moves between years (present value).")


def test_amounts_have_no_more_digits_than_the_sample_can_tell() -> None:
    few = _conclude(0.9 + NORMAL[:50])
    assert few.figures["error"] == pytest.approx(NORMAL[:50].std() / 7)
    said = re.findall(r"-?\d+\.\d+", few.words)
    assert said
    assert {len(one.partition(".")[2]) for one in said} == {1}


def test_a_change_where_the_model_gave_no_number_is_not_called_everywhere() -> None:
    row = _row(break_even=np.nan, share_below=np.nan, chance_not_worth=np.nan, worth="unseen")
    rows = pd.DataFrame([row])
    assert turning(rows) is None
    assert condition(rows, "en") == (
        "Whether it is worth it turns round where the model gave no number: with hours per EUR."
    )
    assert condition(rows[:0], "en") == ""
