"""`sdopt calibrate` from the command line: what it writes and prints, and that it never touches the input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.constants import read_constants

Make = Callable[..., Path]
Points = Callable[..., list[str]]
FILES = {
    *("fitted.csv", "fit.csv", "measures.csv", "uncertainty.csv", "identifiability.csv"),
    *("correlation.csv", "starts.csv", "report.txt", "calibration.png", "calibration.svg"),
    *("config.yaml", "observed.csv", "run.json"),
}
ALL = {"exit rate": {}, "return rate": {}, "applications": {}, "accepted share": {}, "shoe size": {}}


def calibrate(path: Path, *options: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["calibrate", str(path), *map(str, options)])
    return done.exit_code, done.output


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def noisy(points: Points) -> list[str]:
    random = np.random.default_rng(5)
    return points({series: random.normal(0, 0.02, 19) for series in ("clients", "exits", "returned")})


def test_a_new_folder_and_nothing_else(make: Make, points: Points) -> None:
    path = make(noisy(points), fit=ALL)
    before = contents(path.parent)
    code, text = calibrate(path)
    assert code == 0, text
    after = contents(path.parent)
    assert {name: after[name] for name in before} == before
    assert {name.removeprefix("results/small-chain-001/") for name in set(after) - set(before)} == FILES
    assert "applications, accepted share: known together only" in text
    assert "shoe size has no effect on any fitted point" in text


def test_the_same_seed_gives_the_same_bytes(make: Make, points: Points) -> None:
    path = make(noisy(points), search={"starts": 4, "seed": 3})
    for _ in range(2):
        assert calibrate(path)[0] == 0
    first, second = (contents(path.parent / "results" / f"small-chain-00{n}") for n in (1, 2))
    assert set(first) == set(second) == FILES
    assert {name for name in FILES if first[name] != second[name]} <= {"run.json"}
    facts = [json.loads(run["run.json"]) for run in (first, second)]
    timeless = [{k: v for k, v in f.items() if k not in ("started", "ended", "seconds")} for f in facts]
    assert timeless[0] == timeless[1]
    assert timeless[0]["seed"] == 3
    assert timeless[0]["starts_that_agree"] == 4
    assert timeless[0]["versions"]["scipy"]


def test_the_fitted_table_is_a_table_of_constants_that_gives_the_fit(make: Make, points: Points) -> None:
    """With fitted.csv as its input the model starts where the fit ended."""
    path = make(noisy(points), fit=ALL)
    assert calibrate(path)[0] == 0
    folder = path.parent / "results" / "small-chain-001"
    table = read_constants(folder / "fitted.csv")
    old = {row.name: row for row in read_constants(path.parent / "constants.csv")}
    assert [row.name for row in table] == list(old)
    rows = {row.name: row for row in table}
    assert rows["shoe size"] == old["shoe size"]
    assert rows["exit rate"].status == "derived"
    assert rows["exit rate"].source.startswith("calibration: X2001; ")
    assert old["exit rate"].low < rows["exit rate"].low < rows["exit rate"].value < rows["exit rate"].high
    assert (rows["applications"].status, rows["applications"].low) == ("judgement", 200)
    first = pd.read_csv(folder / "fit.csv")
    (path.parent / "constants.csv").write_bytes((folder / "fitted.csv").read_bytes())
    assert calibrate(path)[0] == 0
    second = pd.read_csv(path.parent / "results" / "small-chain-002" / "fit.csv")
    assert second["simulated_before"].to_numpy() == pytest.approx(first["simulated"].to_numpy(), rel=1e-12)


def test_fitted_and_test_points_are_apart(make: Make, points: Points) -> None:
    path = make([*noisy(points), "later,Clients,2040,9000,Person,10,moment,Z1,projection,"])
    assert calibrate(path)[0] == 0
    folder = path.parent / "results" / "small-chain-001"
    table, found = pd.read_csv(folder / "measures.csv"), pd.read_csv(folder / "fit.csv")
    assert table.groupby("use")["points"].sum().to_dict() == {"fit": 38, "test": 19, "before": 57}
    for row in table.itertuples():
        held = found[found["series"] == row.series]
        held = held[held["use"] == row.use] if row.use != "before" else held
        simulated = held["simulated_before" if row.use == "before" else "simulated"]
        assert row.mape == pytest.approx((simulated / held["observed"] - 1).abs().mean())
        assert row.bias + row.variance + row.covariance == pytest.approx(1)
    (projection,) = found[found["use"] == "projection"].itertuples()
    assert projection.observed == 9000
    assert np.isnan([projection.simulated, projection.error, projection.relative_error]).all()
    assert "later" not in set(table["series"])


def test_below_five_points_only_the_error_of_each_point(make: Make, points: Points) -> None:
    lines = [line for line in noisy(points) if line.startswith(("clients,Clients,200", "exits,exits,2013"))]
    path = make(lines[:3] + lines[-1:])
    code, text = calibrate(path)
    assert code == 0, text
    table = pd.read_csv(path.parent / "results" / "small-chain-001" / "measures.csv")
    assert table["points"].tolist() == [3, 3, 1, 1]
    assert table[["mape", "theil_u", "bias", "variance", "covariance"]].isna().all(axis=None)
    assert "clients, fit, 3 point(s) (error per point): 2001: " in text
    assert "MAPE" not in text


def test_dutch_is_the_default_of_the_report(make: Make, points: Points) -> None:
    path = make(points(), output={"directory": "uit"}, title="Kleine keten: één")
    assert calibrate(path)[0] == 0
    text = (path.parent / "uit" / "kleine-keten-een-001" / "report.txt").read_text(encoding="utf-8")
    assert "Wat niet te fitten is\n- niets van wat is gevraagd" in text
    assert "3 van de 3 starts eindigen in de beste fit" in text


def test_output_names_another_folder(make: Make, points: Points, tmp_path: Path) -> None:
    path = make(points())
    assert calibrate(path, "--output", tmp_path / "elders")[0] == 0
    assert [folder.name for folder in (tmp_path / "elders").iterdir()] == ["small-chain-001"]
    assert not (path.parent / "results").exists()


def test_a_wrong_question_ends_with_exit_code_one_and_writes_nothing(make: Make, points: Points) -> None:
    path = make(points(), fit={"exit rat": {}, "Clients": {}})
    code, text = calibrate(path)
    assert code == 1
    assert "2 errors" in text
    assert not (path.parent / "results").exists()


def test_cells_never_become_formulas(make: Make, points: Points) -> None:
    line = "=1+1,Clients,2005,14000,Person,10,moment,=cmd(),test,@note"
    path = make([*points(), line])
    assert calibrate(path)[0] == 0
    table = pd.read_csv(path.parent / "results" / "small-chain-001" / "fit.csv")
    assert table.iloc[-1][["series", "source", "note"]].tolist() == ["'=1+1", "'=cmd()", "'@note"]
