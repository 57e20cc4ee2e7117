"""The referee on arrays, uneven steps, macros, data from files and Runge-Kutta steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdopt.batch.own_time import own_grid
from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.errors import ReplayError
from sdopt.source_model.read import SourceModel, read_model
from sdopt.source_model.replay import compare, replay, translated

MODELS = Path(__file__).parents[1] / "models"
FEATURES = Path(__file__).parents[1] / "features"


def agree(model: SourceModel, grid: TimeGrid, constants: dict, paths: dict) -> float:
    theirs = replay(model, constants, paths, grid)
    assert list(theirs.columns) == list(model.system.visible)
    assert list(theirs.index) == list(grid.times)
    return compare(simulate_all(model.system, grid, constants, paths), theirs).largest


def test_every_element_of_an_array_is_a_column() -> None:
    model = read_model(MODELS / "regions.mdl")
    grid = own_grid(model.system.time)
    theirs = replay(model, {}, {}, grid)
    assert "people[south,old_people]" in theirs.columns
    start = theirs.iloc[0]
    assert [start[f"people[{key}]"] for key in ("north,young", "north,old_people", "south,young")] == [
        *(10, 20, 30),
    ]
    assert agree(model, grid, {}, {}) < 1e-12


def test_elements_are_replaced_one_by_one() -> None:
    model = read_model(MODELS / "regions.mdl")
    grid = own_grid(model.system.time)
    constants = {"rate[south]": 0.3, "start[north,old_people]": 50.0, "support[north]": 4.0, "room": 500.0}
    paths = {"rate[north]": 0.1 + np.floor(grid.times) / 50, "lifetime[young]": 4 + grid.times / 10}
    theirs = replay(model, constants, paths, grid)
    assert list(theirs["rate[north]"]) == list(paths["rate[north]"])
    assert set(theirs["rate[south]"]) == {0.3}
    assert list(theirs.iloc[0][["start[north,young]", "start[north,old_people]"]]) == [10, 50]
    assert list(theirs["support[south]"]) == list(theirs["total"] / 100)
    assert agree(model, grid, constants, paths) < 1e-12


def test_an_array_of_one_element(tmp_path: Path) -> None:
    path = tmp_path / "one.mdl"
    text = (MODELS / "regions.mdl").read_text(encoding="utf-8")
    text = text.replace("Age: young, old people", "Age: young").replace("10, 20; 30, 40;", "10; 30;")
    path.write_text(text.replace("lifetime[Age] = 5, 8", "lifetime[Age] = 5"), encoding="utf-8")
    model = read_model(path)
    assert agree(model, own_grid(model.system.time), {"lifetime[young]": 6.0}, {}) < 1e-12


def test_runs_do_not_leak_into_each_other() -> None:
    model = read_model(MODELS / "regions.mdl")
    grid = own_grid(model.system.time)
    with translated(model, grid) as referee:
        first = referee.run({}, {})
        changed = referee.run({"rate[south]": 0.5, "room": 10.0}, {"rate[north]": grid.times})
        again = referee.run({}, {})
    assert first.equals(again)
    assert not first.equals(changed)


def test_a_step_that_changes_over_time() -> None:
    model = read_model(MODELS / "uneven.mdl")
    grid = own_grid(model.system.time)
    assert list(np.unique(grid.widths)) == [0.5, 1.0]
    paths = {"life": np.where(grid.times < 5, 4.0, 1.0 + grid.times)}
    assert list(replay(model, {}, paths, grid)["life"]) == list(paths["life"])
    assert agree(model, grid, {}, paths) < 1e-12


def test_macros(tmp_path: Path) -> None:
    model = read_model(MODELS / "macros.mdl")
    grid = own_grid(model.system.time)
    assert set(model.system.visible) == {"tank", "supply"}
    assert agree(model, grid, {"supply": 3.0}, {}) < 1e-12
    assert agree(replace_method(model), grid, {}, {"supply": np.floor(grid.times)}) < 1e-12


def test_data_from_a_file_beside_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "mijn map één"
    folder.mkdir()
    (folder / "cijfers.csv").write_text("year,0,5,10\nprice,1,2,4\ncost,7,8\n", encoding="utf-8")
    (folder / "data.mdl").write_text(
        "{UTF-8}\nKind: cheap, dear ~~|\n"
        "price := GET DIRECT DATA('cijfers.csv', ',', '1', 'B2') ~~|\n"
        "cost[Kind] = GET DIRECT CONSTANTS('cijfers.csv', ',', 'B3') ~~|\n"
        "paid[Kind] = INTEG(price * cost[Kind], 0) ~~|\n"
        "INITIAL TIME = 0 ~~|\nFINAL TIME = 10 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n",
        encoding="utf-8",
    )
    model = read_model(folder / "data.mdl")
    grid = own_grid(model.system.time)
    theirs = replay(model, {}, {}, grid)
    assert theirs["price"].iloc[7] == pytest.approx(2.8)
    assert theirs["cost[dear]"].iloc[0] == 8
    assert agree(model, grid, {"cost[cheap]": 1.5}, {}) < 1e-12
    assert sorted(path.name for path in folder.iterdir()) == ["cijfers.csv", "data.mdl"]


def test_a_long_lookup_and_all_its_digits(tmp_path: Path) -> None:
    """PySD would write 8 digits, and dots for the middle of a long table."""
    points = ",".join(f"({k},{k / 3 + 1e-10 * k})" for k in range(1500))
    path = tmp_path / "long.mdl"
    path.write_text(
        f"{{UTF-8}}\ntable( {points} ) ~~|\ny = table( Time * 150 ) ~~|\n"
        "INITIAL TIME = 0 ~~|\nFINAL TIME = 9 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n",
        encoding="utf-8",
    )
    model = read_model(path)
    assert agree(model, own_grid(model.system.time), {}, {}) == 0


def replace_method(model: SourceModel) -> SourceModel:
    """The same model, to be integrated by Runge-Kutta."""
    return replace(model, system=replace(model.system, time=replace(model.system.time, method="rk4")))


def test_runge_kutta_over_pysds_right_hand_sides_meets_the_analytic_solution() -> None:
    model = read_model(FEATURES / "runge_kutta" / "runge_kutta.xmile")
    assert model.system.time.method == "rk4"
    grid = own_grid(model.system.time)
    theirs = replay(model, {}, {}, grid)
    step = 1 + 0.5 + 0.5**2 / 2 + 0.5**3 / 6 + 0.5**4 / 24  # growth in one step of the classical method
    assert theirs["money"].to_numpy() == pytest.approx(100 * step ** np.arange(9), rel=1e-13)
    assert theirs["cube"].to_numpy() == pytest.approx(grid.times**3, abs=1e-12)
    assert agree(model, grid, {}, {}) < 1e-13


@pytest.mark.parametrize("name", ["memories", "regions", "every_function", "uneven"])
def test_runge_kutta_agrees_on_every_variable_and_step(name: str) -> None:
    model = replace_method(read_model(MODELS / f"{name}.mdl"))
    grid = own_grid(model.system.time)
    theirs = replay(model, {}, {}, grid)
    assert compare(simulate_all(model.system, grid), theirs).largest < 1e-12
    euler = simulate_all(read_model(MODELS / f"{name}.mdl").system, grid)
    assert compare(euler, theirs).largest > 1e-6


def test_runge_kutta_holds_inputs_during_a_step() -> None:
    model = replace_method(read_model(MODELS / "memories.mdl"))
    grid = own_grid(model.system.time)
    paths = {"life": 2 + np.floor(grid.times * 2)}
    theirs = replay(model, {}, paths, grid)
    assert list(theirs["life"]) == list(paths["life"])
    assert compare(simulate_all(model.system, grid, {}, paths), theirs).largest < 1e-12


def test_stocks_that_stop_at_zero_in_runge_kutta(tmp_path: Path) -> None:
    path = tmp_path / "stop.xmile"
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">'
        "<header><vendor>sdopt</vendor></header>"
        '<sim_specs method="RK4" time_units="Year"><start>0</start><stop>6</stop><dt>0.5</dt></sim_specs>'
        '<model><variables><stock name="tank"><eqn>5</eqn><inflow>flow</inflow><non_negative/></stock>'
        '<flow name="flow"><eqn>3 * COS(TIME) - 2 - tank * TIME / 10</eqn></flow>'
        "</variables></model></xmile>",
        encoding="utf-8",
    )
    model = read_model(path)
    grid = own_grid(model.system.time)
    theirs = replay(model, {}, {}, grid)
    assert theirs["tank"].min() == 0
    assert compare(simulate_all(model.system, grid), theirs).largest < 1e-13


def test_a_failure_in_pysd_is_one_clear_error() -> None:
    model = read_model(MODELS / "logistic.mdl")
    with pytest.raises(ReplayError, match=r"logistic\.mdl: PySD cannot run this model \(ZeroDivisionError"):
        replay(model, {"capacity": 0.0}, {}, TimeGrid(0, 2, 1))
