"""Known constants come back from synthetic data; what the data cannot tell is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.calibrate.fit import Fit, fit
from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.question import Question, build_question
from sdopt.calibrate.residuals import Residuals
from sdopt.equations.differentiate import complex_step
from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.source_model.read import read_model

TRUTH = [0.22, 0.07, 430.0]
SERIES = ("clients", "exits", "returned")
POINTS = 19
NOISE = 0.03
ALL = {"exit rate": {}, "return rate": {}, "applications": {}, "accepted share": {}, "shoe size": {}}

Fitter = Callable[[Path], Fit]
Make = Callable[..., Path]
Points = Callable[..., list[str]]


def noise(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {series: random.normal(0, NOISE, POINTS) for series in SERIES}


def test_without_noise_the_constants_come_back_from_every_start(
    make: Make, points: Points, fitted: Fitter
) -> None:
    found = fitted(make(points(), search={"starts": 6}))
    assert found.values == pytest.approx(TRUTH, rel=1e-8)
    assert found.agreeing == len(found.starts) == 6
    assert found.identification.states == ("identified",) * 3
    assert found.after == pytest.approx([p.target for p in found.question.points], rel=1e-9)


def test_with_noise_the_constants_come_back_within_their_standard_errors(
    make: Make, points: Points, fitted: Fitter
) -> None:
    """The tolerance is four true standard errors: by chance passed once in 16,000 times per constant."""
    found = fitted(make(points(noise(7))))
    slopes = Residuals(found.question).both((np.array(TRUTH) - [0.1, 0.02, 200]) / [0.5, 0.38, 600])[1]
    errors = NOISE * np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes))) * [0.5, 0.38, 600]
    assert (np.abs(found.values - TRUTH) < 4 * errors).all()
    assert found.identification.standard_errors == pytest.approx(errors, rel=0.5)
    assert found.identification.deviation == pytest.approx(NOISE, rel=0.4)


def test_intervals_cover_the_truth_as_often_as_they_say(make: Make, points: Points, fitted: Fitter) -> None:
    """Of 60 draws a 95 % interval holds the truth at least 52 times: less has a chance of one in 200."""
    inside = np.zeros(3)
    for seed in range(60):
        found = fitted(make(points(noise(seed)), search={"starts": 1}))
        distance = np.abs(found.values - TRUTH) / found.identification.standard_errors
        inside += distance < 1.96
    assert (inside >= 52).all()
    assert inside.sum() < 180


def test_stated_uncertainties_weigh_the_points(make: Make, points: Points, fitted: Fitter) -> None:
    """A wrong point that is stated to be very uncertain does not move the fit, and errors are absolute."""
    lines = [f"{line},100" for line in points()]
    wrong = lines[3].split(",")
    wrong[3], wrong[-1] = str(2 * float(wrong[3])), "1e9"
    lines[3] = ",".join(wrong)
    header = "series,variable,time,value,unit,scale,measure,source,use,note,uncertainty"
    found = fitted(make(lines, header=header))
    assert found.values == pytest.approx(TRUTH, rel=1e-6)
    assert found.identification.deviation == 1.0
    slopes = Residuals(found.question).both((np.array(TRUTH) - [0.1, 0.02, 200]) / [0.5, 0.38, 600])[1]
    expected = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes))) * [0.5, 0.38, 600]
    assert found.identification.standard_errors == pytest.approx(expected, rel=1e-4)


def test_derivatives_are_those_of_complex_step(
    make: Make, points: Points, question: Callable[[Path], Question]
) -> None:
    asked = question(make(points()))
    place = np.array([0.3, 0.4, 0.7])
    residuals = Residuals(asked)
    errors, slopes = residuals.both(place)
    constants = residuals.constants(place)
    steps = asked.grid.steps + 1
    paths = {key: np.full(steps, value) for key, value in constants.items()}
    widths = [0.5, 0.38, 600]
    directions = {key: np.tile(np.eye(3)[k] * widths[k], (steps, 1)) for k, key in enumerate(constants)}
    values, changes = complex_step(asked.program, {}, paths, directions)
    held = asked.weights[asked.fit_rows]
    target = np.array([p.target for p in asked.points if p.use == "fit"])
    assert errors == pytest.approx(np.einsum("pos,os->p", held, values) / target - 1, rel=1e-9)
    expected = np.einsum("pos,osd->pd", held, changes) / target[:, None]
    assert slopes == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_constants_known_together_only_are_named_with_their_combination(
    make: Make, points: Points, fitted: Fitter
) -> None:
    """Applications and accepted share only appear as a product: one can rise while the other falls."""
    found = fitted(make(points(noise(1)), fit=ALL))
    states = dict(zip(ALL, found.identification.states, strict=True))
    assert states == {
        "exit rate": "identified",
        "return rate": "identified",
        "applications": "not_identified",
        "accepted share": "not_identified",
        "shoe size": "no_effect",
    }
    product = found.values[2] * found.values[3]
    assert product == pytest.approx(430 * 0.5, rel=0.1)
    (blind,) = [d for d in found.identification.directions if not d.identified]
    # Along it the product does not change: d(ab) = b da + a db = 0, in widths of the bounds (600 and 0.7).
    change = found.values[3] * blind.weights[2] * 600 + found.values[2] * blind.weights[3] * 0.7
    assert change == pytest.approx(0, abs=1e-6 * product)
    assert np.isinf(blind.standard_error)
    assert np.isnan(found.identification.standard_errors[2:]).all()


def test_a_constant_without_effect_keeps_its_value(make: Make, points: Points, fitted: Fitter) -> None:
    found = fitted(make(points(), fit={"shoe size": {}}))
    assert found.identification.states == ("no_effect",)
    assert found.values.tolist() == [42.0]


def test_bounds_are_respected_and_a_constant_at_one_is_named(
    make: Make, points: Points, fitted: Fitter
) -> None:
    asked = {"exit rate": {"bounds": [0.25, 0.6]}, "return rate": {}, "applications": {}}
    found = fitted(make(points(), fit=asked))
    assert found.values[0] == pytest.approx(0.25, abs=1e-6)
    assert found.values[0] >= 0.25
    assert found.identification.states[0] == "at_bound"
    assert np.isnan(found.identification.standard_errors[0])
    assert np.isfinite(found.identification.standard_errors[1:]).all()


def test_few_points_leave_no_standard_error(make: Make, points: Points, fitted: Fitter) -> None:
    lines = [line for line in points() if line.startswith(("clients,Clients,2010", "exits,exits,2010"))]
    found = fitted(make(lines, fit={"exit rate": {}, "applications": {}}))
    assert found.values == pytest.approx([0.22, 430], rel=0.6)
    assert found.identification.freedom == 0
    assert np.isnan(found.identification.standard_errors).all()


def test_points_that_tell_less_than_the_bounds_identify_nothing(
    make: Make, points: Points, fitted: Fitter
) -> None:
    """Ten times the noise that the bounds allow: the standard error is wider than that of a bare guess."""
    header = "series,variable,time,value,unit,scale,measure,source,use,note,uncertainty"
    lines = [f"{line},1e6" for line in points()]
    found = fitted(make(lines, header=header, fit={"exit rate": {}}))
    assert found.identification.states in (("not_identified",), ("at_bound",))


def test_a_sum_of_variables_is_the_sum(make: Make, points: Points, fitted: Fitter) -> None:
    whole = "all,Clients + Former clients,2005,15000,Person,10,moment,X,test,"
    found = fitted(make([*points(), whole]))
    parts = [f"{n},{n},2005,15000,Person,10,moment,X,test," for n in ("Clients", "Former clients")]
    apart = fitted(make([*points(), *parts]))
    assert found.after[-1] == pytest.approx(apart.after[-2:].sum(), rel=1e-12)


def test_initial_stocks_can_be_fitted(make: Make, points: Points, fitted: Fitter) -> None:
    found = fitted(
        make(
            points(),
            model={"file": "chain.mdl", "changes": {"applications": 430, "return rate": 0.07}},
            fit={"initial clients": {"bounds": [100, 5000]}, "exit rate": {"bounds": [0.1, 0.6]}},
        )
    )
    assert found.values == pytest.approx([1000, 0.22], rel=1e-7)


def test_test_points_and_projections_do_not_move_the_fit(make: Make, points: Points, fitted: Fitter) -> None:
    lines = points(noise(2))
    clean = fitted(make(lines))
    moved = [line if ",fit," in line else line.replace(",10,", ",2,") for line in lines]
    assert moved != lines
    other = fitted(make([*moved, "later,Clients,2050,1,Person,1,moment,X,projection,"]))
    assert other.values.tolist() == clean.values.tolist()
    assert [point.series for point in other.question.projections] == ["later"]
    assert len(other.after) == len(clean.after)


def test_elements_of_arrays_delays_and_smooths(tmp_path: Path) -> None:
    """Constants of a model with all of these come back from a sum of elements and a total."""
    model = Path(__file__).parents[1] / "models" / "regions.mdl"
    system = read_model(model).system
    run = simulate_all(system, TimeGrid(0, 10, 0.25), {"rate[south]": 0.15, "room": 800.0})
    south = run["people[south,young]"][:, 0] + run["people[south,old_people]"][:, 0]
    lines = ["series,variable,time,value,unit,scale,measure,source,use,note"]
    for time in range(1, 10):
        name = '"People[south,young] + People[south,old people]"'
        lines.append(f"south,{name},{time},{south[4 * time]},person,1,moment,X,fit,")
        lines.append(f"all,total,{time},{run['total'][4 * time, 0]},person,1,moment,X,fit,")
    (tmp_path / "observed.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "question.yaml").write_text(
        "schema_version: 1\ntitle: Regions\n"
        f"model: {{file: '{model.as_posix()}'}}\n"
        "horizon: {start: 0, end: 10}\nobserved: {file: observed.csv}\n"
        "fit: {'rate[south]': {bounds: [0.05, 0.4]}, room: {bounds: [300, 3000]}}\n"
        "search: {starts: 2}\n",
        encoding="utf-8",
    )
    asked = build_question(load_calibration(tmp_path / "question.yaml"), system)
    found = fit(asked, lambda *_: None)
    assert found.values == pytest.approx([0.15, 800], rel=1e-6)
    assert found.agreeing == 2
