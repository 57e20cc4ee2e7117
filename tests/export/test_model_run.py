"""One run of a bare model: whose numbers, how integrated, what PySD says and what half the step gives."""

from __future__ import annotations

import csv
from dataclasses import replace
from math import exp
from pathlib import Path

import pytest

from sdopt.errors import ExportError, ReplayError
from sdopt.export.model_run import simulate_model
from sdopt.source_model.read import SourceModel, read_model

MODELS = Path(__file__).parents[1] / "models"
FEATURES = Path(__file__).parents[1] / "features"
DECAY = (
    "{UTF-8}\nx = INTEG( -x, 1 ) ~~|\nINITIAL TIME = 0 ~~|\nFINAL TIME = 1 ~ Year ~|\n"
    "TIME STEP = 0.5 ~ Year ~|\nSAVEPER = 1 ~~|\n"
)


def model_of(text: str, folder: Path) -> SourceModel:
    path = folder / "model.mdl"
    path.write_text(text, encoding="utf-8")
    return read_model(path)


def test_the_difference_of_half_a_step_by_hand(tmp_path: Path) -> None:
    """X = 1 at the start; at the end 0.5 ** 2 with the step, 0.75 ** 4 with half of it."""
    text = simulate_model(model_of(DECAY, tmp_path), "batch", None)
    assert "integration  Euler, step 0.5 Year, from 0 to 1\n" in text
    change = 0.75**4 - 0.5**2  # and at 0.5: 0.75 ** 2 - 0.5, which is more: 0.0625 against 0.0664
    assert f'half a step  changes "x" most: by {change:.2g} of its largest value, at 1\n' in text
    assert "PySD         agrees: largest relative difference" in text
    assert "PySD ran the same model by itself, by Euler; every variable was compared at every step" in text
    assert "inf or nan" not in text


def test_runge_kutta_is_said_and_is_closer(tmp_path: Path) -> None:
    text = simulate_model(read_model(FEATURES / "runge_kutta" / "runge_kutta.mdl"), "batch", None)
    assert "integration  Runge-Kutta 4, step 0.5 Year, from 0 to 4" in text
    assert "PySD gave the right-hand sides, four times a step" in text
    assert 'half a step  changes "money" most: by 0.0' in text
    assert exp(4) > 0


def test_saved_times_and_elements_in_a_file(tmp_path: Path) -> None:
    model = read_model(MODELS / "regions.mdl")
    rows = {}
    for engine in ("batch", "pysd"):
        output = tmp_path / f"{engine}.csv"
        said = simulate_model(model, engine, output)
        assert said.startswith(f"{output} written: 11 times, 25 variables\n")
        with output.open(encoding="utf-8", newline="") as file:
            rows[engine] = list(csv.DictReader(file))
    assert [float(row["Time"]) for row in rows["batch"]] == list(range(11))
    for ours, theirs in zip(rows["batch"], rows["pysd"], strict=True):
        assert list(ours) == list(theirs)
        for name in ours:
            assert float(ours[name]) == pytest.approx(float(theirs[name]), rel=1e-12, abs=1e-12)
    assert float(rows["batch"][0]["People[south,old people]"]) == 40
    with pytest.raises(ExportError, match="exists already"):
        simulate_model(model, "batch", tmp_path / "pysd.csv")


def test_a_disagreement_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    ours = model_of(DECAY, tmp_path)
    theirs = model_of(DECAY.replace("-x", "-x * 1.001"), tmp_path)
    mixed = replace(ours, parsed=theirs.parsed)
    with pytest.raises(ReplayError, match=r'PySD disagrees on "x" at time 0\.5: relative difference 0\.0005'):
        simulate_model(mixed, "batch", tmp_path / "uit.csv")
    assert not (tmp_path / "uit.csv").exists()


def test_a_run_pysd_cannot_make_is_said_to_be_unchecked(tmp_path: Path) -> None:
    model = model_of(DECAY.replace("-x", "1 / (x - 1)"), tmp_path)
    text = simulate_model(model, "batch", None)
    assert "PySD         NOT CHECKED: " in text
    assert "ZeroDivisionError" in text
    assert 'inf or nan   "x" (from 0.5)' in text
    with pytest.raises(ReplayError, match="ZeroDivisionError"):
        simulate_model(model, "pysd", None)


def test_steps_that_change_over_time() -> None:
    text = simulate_model(read_model(MODELS / "uneven.mdl"), "batch", None)
    assert "integration  Euler, a step that changes over time, from 0 to 10" in text
    assert "PySD         agrees" in text


def test_a_model_without_stocks_does_not_change_with_the_step(tmp_path: Path) -> None:
    text = simulate_model(model_of(DECAY.replace("INTEG( -x, 1 )", "Time * 2"), tmp_path), "batch", None)
    assert "half a step  changes nothing\n" in text
