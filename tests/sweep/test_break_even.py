"""Break-even values against roots that are known, and against the question asked anew at such a value."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.config.thresholds import thresholds
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from sdopt.sweep.break_even import break_even
from sdopt.sweep.conclusions import condition
from sdopt.sweep.contrasts import Contrast, columns_of, contrast_gains, contrasts_of, money_moved, objectives
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import draw_scenarios, uncertain_constants

DATA = Path(__file__).parents[1] / "data"
USUAL = thresholds()

MODEL = """{UTF-8}
social return= effort * ( wave * ( shape - 1 ) * ( shape - 2 ) * ( shape - 4 ) + gain - 1 ) - aside
	+ effort * SQRT ( MAX ( 0 , root ) ) - effort + effort * 0 / fuss
	+ effort * bend * ( hole - first ) * ( hole - second )
	+ effort * 0 * SQRT ( ( hole - left ) * ( hole - right ) ) ~ million EUR/Year ~ |
effort= 2 ~ million EUR/Year ~ |
aside= 0 ~ million EUR/Year ~ |
gain= 3 ~ Dmnl ~ |
wave= 0 ~ Dmnl ~ |
shape= 1 ~ Dmnl ~ |
root= 0 ~ Dmnl ~ |
fuss= 1 ~ Dmnl ~ |
hole= 0 ~ Dmnl ~ |
bend= 0 ~ Dmnl ~ |
first= 0 ~ Dmnl ~ |
second= 0 ~ Dmnl ~ |
left= 0 ~ Dmnl ~ |
right= 0 ~ Dmnl ~ |
INITIAL TIME= 2026 ~ Year ~ |
FINAL TIME= 2030 ~ Year ~ |
TIME STEP= 0.25 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""
CONFIG = """
schema_version: 1
title: A gain whose roots are known
model: {{file: model.mdl, changes: {{{changes}}}}}
horizon: {{start: 2026, end: 2030}}
decision_years: {{first: 2027, last: 2028}}
decisions:
  effort: {{variable: effort, bounds: [0, 10]}}
  aside: {{variable: aside, bounds: [0, 10]}}
{limits}
objective: {{maximise: social return, discount_rate: 0}}
uncertainties: [{uncertainties}]
"""


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Problem]:
    """The question with these uncertainties, and with other values for some constants."""

    def read(*uncertainties: str, limits: str = "", **changes: float) -> Problem:
        (tmp_path / "model.mdl").write_text(MODEL, encoding="utf-8")
        config = tmp_path / "config.yaml"
        said = CONFIG.format(
            uncertainties=", ".join(f"{{{one}}}" for one in uncertainties),
            limits=limits,
            changes=", ".join(f"{name}: {value}" for name, value in changes.items()),
        )
        config.write_text(said, encoding="utf-8")
        loaded = load_config(config)
        return build_problem(loaded, read_model(loaded.config.model.file).system)

    return read


def _found(problem: Problem, advice: Any = None) -> pd.DataFrame:
    advice = problem.decisions.null_vector() if advice is None else np.asarray(advice, dtype=float)
    contrasts = contrasts_of(problem, advice, 0.1)
    return break_even(problem, contrasts, uncertain_constants(problem), USUAL)


def test_a_linear_gain_turns_where_it_is_zero(ask: Callable[..., Problem]) -> None:
    problem = ask("constant: gain, low: 1, high: 4, distribution: uniform")
    found = _found(problem)
    assert list(found["decision"]) == ["effort"]  # putting money aside gains nothing, whatever is true
    row = found.iloc[0]
    assert row["break_even"] == pytest.approx(2.0, abs=1e-6)
    assert row["share_below"] == pytest.approx(1 / 3, abs=1e-6)
    assert row["chance_not_worth"] == pytest.approx(1 / 3, abs=1e-6)
    assert (row["inside"], row["worth"], row["contrast"]) == (True, "above", "a little more")
    gains = [2 * 0.1 * 2 * (value - 2) for value in (1, 3, 4)]  # two years, a tenth of two million
    np.testing.assert_allclose(row[["gain_low", "gain_central", "gain_high"]].astype(float), gains, atol=1e-9)
    assert row["spent"] == pytest.approx(0.4)
    assert row["gain_unit"] == "million EUR"


def test_all_places_where_the_sign_changes_are_found(ask: Callable[..., Problem]) -> None:
    problem = ask("constant: shape, low: 0, high: 5, distribution: uniform", shape=3, wave=1, gain=2)
    found = _found(problem)
    np.testing.assert_allclose(found["break_even"], [1.0, 2.0, 4.0], atol=1e-5)
    assert list(found["worth"]) == ["above", "below", "above"]
    np.testing.assert_allclose(found["chance_not_worth"], (1 + 2) / 5, atol=1e-5)


def test_a_place_outside_the_range_is_said_to_be_there(ask: Callable[..., Problem]) -> None:
    problem = ask("constant: gain, low: 2.5, high: 4")
    row = _found(problem).iloc[0]
    assert row["break_even"] == pytest.approx(2.0, abs=1e-6)
    assert (row["inside"], row["share_below"], row["chance_not_worth"]) == (False, 0.0, 0.0)
    far = _found(ask("constant: gain, low: 3, high: 4", gain=3.5)).iloc[0]
    assert np.isnan(far["break_even"])
    assert (far["worth"], far["looked_from"], far["looked_to"]) == ("always", 2.5, 4.5)


def test_what_neither_turns_nor_matters_is_left_out(ask: Callable[..., Problem]) -> None:
    little = "constant: gain, low: 2.97, high: 3.03"  # moves the gain by 3 %
    assert _found(ask(little, "constant: fuss, low: 0.5, high: 2")).empty
    found = _found(ask("constant: gain, low: 2.9, high: 3.1", "constant: fuss, low: 0.5, high: 2"))
    assert list(found["constant"]) == ["gain"]
    assert list(found["worth"]) == ["always"]


def test_where_the_model_gives_no_number_is_not_looked_at(ask: Callable[..., Problem]) -> None:
    """A division by zero in the middle of the range: a change is not claimed across it."""
    problem = ask("constant: fuss, low: -1, high: 3", "constant: gain, low: 1, high: 4")
    found = _found(problem)
    assert list(found["constant"]) == ["gain"]
    assert found["break_even"].iloc[0] == pytest.approx(2.0, abs=1e-6)


def test_a_root_below_zero_is_found(ask: Callable[..., Problem]) -> None:
    """Worth is linear in the effect, 2 * 0.2 * (gain + 3 - 2) over two years: zero at -1, by hand."""
    problem = ask("constant: gain, low: -3, high: 2", gain=0.5, root=9)
    row = _found(problem).iloc[0]
    assert row["break_even"] == pytest.approx(-1.0, abs=1e-6)
    assert (row["inside"], row["worth"]) == (True, "above")
    triangle = 2**2 / (5 * 3.5)  # from -3, with its top at 0.5, to 2
    assert row["share_below"] == pytest.approx(triangle, abs=1e-6)
    assert row["chance_not_worth"] == pytest.approx(triangle, abs=1e-6)
    gains = [2 * 0.1 * 2 * (value + 1) for value in (-3, 0.5, 2)]
    np.testing.assert_allclose(row[["gain_low", "gain_central", "gain_high"]].astype(float), gains, atol=1e-9)


HOLE = {"gain": 2, "bend": 1, "left": 1, "right": 2}
"""The model gives no number between 1 and 2; the gain is (hole - first) * (hole - second)."""


def test_which_side_is_worth_it_follows_from_what_was_worked_out_there(ask: Callable[..., Problem]) -> None:
    """Worth it below 1.5 and above 3: the first turn is not seen, and says nothing of the second."""
    problem = ask("constant: hole, low: 0, high: 4, distribution: uniform", **HOLE, first=1.5, second=3)
    (row,) = _found(problem).to_dict("records")
    assert (row["break_even"], row["worth"]) == (pytest.approx(3.0, abs=1e-6), "above")
    assert np.isnan(row["chance_not_worth"])  # of the quarter between 1 and 2 nothing is known
    assert row["no_number"] == pytest.approx(0.25)
    assert (row["looked_from"], row["looked_to"]) == (0.0, 6.0)


@pytest.mark.parametrize(("first", "worth", "inside"), [(1.5, "unseen", True), (50, "always", False)])
def test_a_turn_where_the_model_gives_no_number_is_said_to_be_unseen(
    ask: Callable[..., Problem], first: float, worth: str, inside: bool
) -> None:
    problem = ask("constant: hole, low: 0, high: 4, distribution: uniform", **HOLE, first=first, second=100)
    (row,) = _found(problem).to_dict("records")
    assert (row["worth"], row["inside"]) == (worth, inside)
    assert np.isnan(row["break_even"])
    assert np.isnan(row["chance_not_worth"])
    assert row["no_number"] == pytest.approx(0.25)


def test_the_words_say_that_the_model_gives_no_number(ask: Callable[..., Problem]) -> None:
    drawn, turns = "constant: hole, low: 0, high: 4, distribution: uniform", {"first": 1.5, "second": 3}
    unseen = condition(_found(ask(drawn, **HOLE, **turns)), "nl")  # central is 0: the turn there is not seen
    assert unseen == "Of het loont, slaat om waar het model geen getal gaf: bij hole."
    said = condition(_found(ask(drawn, **HOLE, **turns, hole=4)), "nl")
    assert "hole hoger dan 3,00" in said
    assert said.endswith("Van 25 op 100 waarden rekent het model hier niet; wat dan geldt, is niet bekend.")
    known = ask("constant: gain, low: 1, high: 4")
    assert "rekent het model hier niet" not in condition(_found(known), "nl")


def test_no_number_on_the_way_to_a_turn_leaves_it_unseen(ask: Callable[..., Problem]) -> None:
    """Both 4/3 and 5/3 give numbers, of different signs; what lies half-way does not."""
    hole = {**HOLE, "left": 1.4, "right": 1.6}
    problem = ask("constant: hole, low: 0, high: 4, distribution: uniform", **hole, first=1.5, second=100)
    (row,) = _found(problem).to_dict("records")
    assert (row["worth"], row["inside"]) == ("unseen", True)
    assert row["no_number"] == pytest.approx(1 / 12)


def test_no_number_outside_the_range_leaves_the_chance_known(ask: Callable[..., Problem]) -> None:
    problem = ask(
        "constant: hole, low: 2, high: 4, distribution: uniform", **HOLE, hole=2, first=3, second=-100
    )
    (row,) = _found(problem).to_dict("records")
    assert (row["break_even"], row["worth"]) == (pytest.approx(3.0, abs=1e-6), "above")
    assert (row["chance_not_worth"], row["no_number"]) == (pytest.approx(0.5, abs=1e-6), 0.0)


def test_values_that_are_drawn_count_and_those_between_do_not(ask: Callable[..., Problem]) -> None:
    """Of 0, 2 and 4 the model gives numbers; between the first two it does not."""
    drawn = "constant: hole, distribution: discrete, values: [0, 2, 4], weights: [1, 2, 5]"
    problem = ask(drawn, **HOLE, first=3, second=-100)
    (row,) = _found(problem).to_dict("records")
    assert (row["break_even"], row["worth"]) == (pytest.approx(3.0, abs=1e-6), "above")
    assert (row["chance_not_worth"], row["no_number"]) == (pytest.approx(3 / 8), 0.0)


def test_a_gain_that_is_nothing_for_a_stretch_turns_at_its_edge(ask: Callable[..., Problem]) -> None:
    problem = ask("constant: root, low: -1, high: 3, distribution: uniform", gain=2, root=1)
    row = _found(problem).iloc[0]
    assert row["break_even"] == pytest.approx(0.0, abs=1e-5)
    assert row["worth"] == "above"
    assert row["chance_not_worth"] == pytest.approx(0.25, abs=1e-5)


def test_the_advice_with_one_decision_put_back(ask: Callable[..., Problem]) -> None:
    problem = ask("constant: gain, low: 1, high: 4")
    contrasts = contrasts_of(problem, np.array([5.0, 5.0, 1.0, 1.0]), 0.1)
    assert [(one.kind, one.decision) for one in contrasts] == [
        ("a little more", "effort"), ("as advised", "effort"),
        ("a little more", "aside"), ("as advised", "aside"),
    ]  # fmt: skip
    np.testing.assert_array_equal(contrasts[0].more, [2.2, 2.2, 0, 0])
    np.testing.assert_array_equal(contrasts[1].less, [2, 2, 1, 1])
    np.testing.assert_array_equal(contrasts[2].more, [2, 2, 1, 1])  # a tenth of the bound: today is nothing
    assert money_moved(problem, contrasts[1].more, contrasts[3].less) == pytest.approx((2.0, 2.0))
    assert money_moved(problem, np.array([1.0, 2, 1, 0]), problem.decisions.null_vector()) == (0.0, 2.0)
    found = _found(problem, [5, 5, 1, 1]).set_index(["contrast", "decision"])
    assert found.loc[("as advised", "effort"), "break_even"] == pytest.approx(2.0, abs=1e-6)


def test_a_little_more_stays_within_the_bounds(ask: Callable[..., Problem]) -> None:
    problem = ask("constant: gain, low: 1, high: 4")
    null = problem.decisions.null_vector()
    contrasts = contrasts_of(problem, null, 8.0)
    assert [one.decision for one in contrasts] == ["effort", "aside"]
    np.testing.assert_array_equal(contrasts[0].more, [10, 10, 0, 0])


def test_a_programme_is_put_back_whole() -> None:
    loaded = load_config(DATA / "programmes" / "three.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    advice = problem.decisions.null_vector()
    starts = np.flatnonzero(problem.decisions.whole)
    advice[starts[0]] = 1.0
    advice[0] = 1.0
    (contrast,) = [one for one in contrasts_of(problem, advice, 0.1) if one.kind == "as advised"]
    np.testing.assert_array_equal(contrast.less, problem.decisions.null_vector())


def test_what_is_no_money_hides_no_money_that_moves() -> None:
    """`runs c` is a number without unit: it says that a programme runs, and its costs stand apart."""
    loaded = load_config(DATA / "programmes" / "three.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    null = problem.decisions.null_vector()
    more = null.copy()
    more[columns_of(problem)["d"]] += 1.0
    assert money_moved(problem, more, null) == pytest.approx((3.0, 3.0))  # three years at 0 %
    running = null.copy()
    running[columns_of(problem)["c"]] = problem.decisions.upper()[columns_of(problem)["c"]]
    net, moves = money_moved(problem, running, null)
    assert 0 < net <= moves < np.inf


UNCERTAIN = [
    {"constant": "effect of knowing", "low": -0.1, "high": 0.5},
    {"constant": "price of care", "low": 0.03, "high": 0.09, "distribution": "uniform"},
]


@pytest.fixture(scope="module")
def wijk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wijk")
    shutil.copytree(DATA / "sweep", folder / "questions")
    shutil.copy(DATA / "wijk.mdl", folder)
    return folder / "questions" / "zorg.yaml"


def _wijk(path: Path, **changes: float) -> Problem:
    named = {name.replace("_", " "): value for name, value in changes.items()}
    loaded = load_config(path, {("model", "changes"): named, ("uncertainties",): UNCERTAIN})
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def test_at_a_break_even_value_the_question_asked_anew_gains_nothing(wijk: Path) -> None:
    problem = _wijk(wijk)
    null = problem.decisions.null_vector()
    contrasts = contrasts_of(problem, null + 0.3, 0.1)
    found = break_even(problem, contrasts, uncertain_constants(problem), USUAL)
    turning = found[found["break_even"].notna() & found["inside"]]
    assert len(turning)
    for _, row in turning.iterrows():
        (contrast,) = [c for c in contrasts if (c.kind, c.decision) == (row["contrast"], row["decision"])]
        gains = []
        for value in (row["break_even"], row["low"], row["high"]):
            anew = _wijk(wijk, **{row["constant"].replace(" ", "_"): value})
            both = anew.evaluator.values(np.array([contrast.more, contrast.less])).value
            gains.append(float(np.diff(anew.objective(both)[::-1])[0]))
        assert abs(gains[0]) < 1e-4 * max(map(abs, gains[1:]))
        np.testing.assert_allclose(
            gains[1:], row[["gain_low", "gain_high"]].astype(float), rtol=1e-6, atol=1e-9
        )


def test_gains_over_a_sample_are_differences_of_objectives(wijk: Path) -> None:
    problem = _wijk(wijk)
    null = problem.decisions.null_vector()
    ensemble = build_ensemble(problem, draw_scenarios(problem, "latin hypercube", 30, 1))
    contrasts = (
        Contrast("a little more", "x", null + 0.1, null),
        Contrast("as advised", "y", null + 0.2, null),
    )
    gains = contrast_gains(ensemble, contrasts)
    assert gains.shape == (2, ensemble.count)
    each = objectives(ensemble, np.array([null, null + 0.1, null + 0.2]))
    np.testing.assert_array_equal(gains, each[1:] - each[0])
    own = np.where(np.arange(ensemble.count)[:, None] % 2, null + 0.1, null + 0.2)
    mixed = problem.objective(ensemble.values(own))
    np.testing.assert_allclose(mixed, np.where(np.arange(ensemble.count) % 2, each[1], each[2]), rtol=1e-13)
