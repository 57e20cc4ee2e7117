"""Our equations against PySD, variable by variable and step by step."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.source_model.read import read_model
from sdopt.source_model.replay import compare, replay

MODELS = Path(__file__).parents[1] / "models"


@pytest.mark.parametrize("grid", [TimeGrid(0, 20, 0.125), TimeGrid(2, 12, 0.1)])
def test_every_function_agrees_with_pysd(grid: TimeGrid) -> None:
    model = read_model(MODELS / "every_function.mdl")
    constants, paths = {"slope": 0.4}, {"budget": 3 + np.floor(np.sin(grid.times) * 3)}
    ours = simulate_all(model.system, grid, constants, paths)
    theirs = replay(model, constants, paths, grid)
    assert list(theirs.columns) == list(model.system.variables)
    assert compare(ours, theirs).largest < 1e-12, compare(ours, theirs)


def test_a_path_is_steps_and_not_a_ramp() -> None:
    model = read_model(MODELS / "logistic.mdl")
    grid = TimeGrid(0, 4, 0.5)
    path = np.where(grid.times < 2, 0.0, 10.0)
    assert list(replay(model, {}, {"rate": path}, grid)["rate"]) == list(path)


def test_a_difference_is_named_with_its_time() -> None:
    model = read_model(MODELS / "logistic.mdl")
    grid = TimeGrid(0, 4, 0.5)
    theirs = replay(model, {}, {}, grid)
    ours = simulate_all(model.system, grid)
    ours["growth"][3, 0] += 1.0
    found = compare(ours, theirs)
    assert (found.worst_variable, found.time) == ("growth", 1.5)
    assert found.largest == pytest.approx(1.0 / ours["growth"].max())


def test_nothing_is_written_beside_the_model(tmp_path: Path) -> None:
    path = tmp_path / "model één.mdl"
    shutil.copy(MODELS / "logistic.mdl", path)
    replay(read_model(path), {"rate": 0.2}, {}, TimeGrid(0, 2, 1))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_description_never_becomes_code(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    text = (MODELS / "logistic.mdl").read_text(encoding="utf-8")
    code = f'"""; __import__("pathlib").Path({str(trace)!r}).touch(); """'
    path = tmp_path / "model.mdl"
    path.write_text(text.replace("1/Year ~ |", f"1/Year ~ {code} |"), encoding="utf-8")
    replay(read_model(path), {}, {}, TimeGrid(0, 2, 1))
    assert not trace.exists()


def test_the_model_is_replayed_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    shutil.copy(MODELS / "logistic.mdl", path)
    model = read_model(path)
    path.write_text(path.read_text(encoding="utf-8").replace("0.4", "0.5"), encoding="utf-8")
    grid = TimeGrid(0, 10, 0.5)
    later = replay(read_model(path), {}, {}, grid)
    first = replay(model, {}, {}, grid)
    assert compare(simulate_all(model.system, grid), first).largest < 1e-12
    assert compare(simulate_all(model.system, grid), later).largest > 1e-3
