"""`sdopt robust`: the folder it writes, the words it says, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import floor, log10
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.robust import Robust
from sdopt.export.figures import figures_of
from sdopt.export.labels import Labels
from sdopt.export.sheets.robust import assumed_words
from sdopt.export.tables import read_parquet
from sdopt.optimise.robust.run import optimise_robust, robust_result
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem
from sdopt.problem.meaning import resolve
from sdopt.result import Status
from sdopt.uncertainty.sample import draw_scenarios
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

DATA = Path(__file__).parents[2] / "data" / "robust"


def scenarios_of(problem: Problem, drawn: dict[str, np.ndarray]) -> Scenarios:
    """Equally likely scenarios of constants by name: (scenario,)."""
    keys = tuple(resolve(name, problem.system).key for name in drawn)  # type: ignore[union-attr]
    values = np.array(list(drawn.values()))
    count = values.shape[1]
    worlds = (External(CENTRAL, {}, {}),)
    return Scenarios(keys, values, worlds, np.zeros(count, dtype=np.intp), np.arange(count))


def written(folder: Path, **changes: object) -> Path:
    """The small question with other top-level values, as a file."""
    data = yaml.safe_load((DATA / "orders.yaml").read_text(encoding="utf-8")) | changes
    data["model"]["file"] = str(DATA / "orders.mdl")
    path = folder / "question with spaces.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_it_writes_a_folder_and_says_what_it_found(tmp_path: Path) -> None:
    config = written(tmp_path)
    said = CliRunner().invoke(main, ["robust", str(config), "--output", str(tmp_path), "--scenarios", "20"])
    assert said.exit_code == 0, said.output
    assert "in 20 scenarios" in said.output
    assert "PySD agrees" in said.output
    (folder,) = tmp_path.glob("robust-*-001")
    names = {path.name for path in folder.iterdir()}
    listed = {"config.yaml", "report.txt", "run.json", "summary.json", "robust.png", "robust.svg"}
    assert names == {*listed, "workbook.xlsx", "report.html", "tables", "LEESMIJ.txt"}
    told = (folder / "LEESMIJ.txt").read_text(encoding="utf-8")
    assert all(name.replace("robust.svg", ".svg") in told for name in listed)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["scenarios"] == 20
    assert summary["failed_scenarios"] == 0
    measures = read_parquet(folder / "tables" / "robust_measures.parquet")
    assert list(measures["allocation"]) == ["null", "advice", "expected", "cvar", "worst_case", "regret"]
    rows = [list(row) for row in openpyxl.load_workbook(folder / "workbook.xlsx")["Robuust"].values]
    head = next(row for row in rows if Labels("nl")("column.chance_of_breaking") in row)
    shown = [
        row[head.index(Labels("nl")("column.chance_of_breaking"))] for row in rows[rows.index(head) + 1 :][:6]
    ]
    assert shown == pytest.approx(measures["any_limit_broken"].tolist())
    assert "P(limit broken)" in said.output
    for name in summary["tables"]:
        exact, plain = (folder / "tables" / f"{name}.{form}" for form in ("parquet", "csv"))
        read = pd.read_csv(plain, keep_default_na=False, na_values=[""])
        known = read_parquet(exact).replace("", np.nan)  # an empty text and nothing are the same in a .csv
        pd.testing.assert_frame_equal(known, read, check_dtype=False)


def test_each_measure_is_best_by_itself(tmp_path: Path) -> None:
    config = written(tmp_path)
    CliRunner().invoke(main, ["robust", str(config), "--output", str(tmp_path), "--scenarios", "30"])
    (folder,) = tmp_path.glob("robust-*-001")
    table = read_parquet(folder / "tables" / "robust_measures.parquet").set_index("allocation")
    for name in ("expected", "cvar", "worst_case"):
        assert table[name].idxmax() == name
    assert table["largest_regret"].idxmin() == "regret"
    assert (table["worst_case"] <= table["cvar"] + 1e-9).all()
    assert (table["cvar"] <= table["expected"] + 1e-9).all()


def test_nothing_uncertain_is_refused(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        main, ["robust", str(written(tmp_path, uncertainties=[])), "--output", str(tmp_path)]
    )
    assert said.exit_code == 1
    assert "nothing is uncertain" in said.output


def test_a_time_limit_gives_the_best_so_far_with_its_gap(tmp_path: Path) -> None:
    """All time is gone at once, so each measure gets what one look at the known allocations gives."""
    config = written(tmp_path)
    asked = ["robust", str(config), "--output", str(tmp_path), "--scenarios", "20", "--time-limit", "1e-6"]
    said = CliRunner().invoke(main, asked)
    assert said.exit_code == 0, said.output
    assert "stopped  before it was done" in said.output
    (folder,) = tmp_path.glob("robust-*-001")
    proof = read_parquet(folder / "tables" / "robust_proof.parquet").set_index("measure")
    assert set(proof["status"]) <= {"time_limit", "optimal"}
    known = proof.drop(index="regret")
    assert (known["bound"] >= known["value"] - 1e-9).all()
    assert (known["gap"] >= 0).all()
    CliRunner().invoke(main, [*asked[:-2]])
    (done,) = tmp_path.glob("robust-*-002")
    best = read_parquet(done / "tables" / "robust_proof.parquet").set_index("measure").drop(index="regret")
    assert (known["bound"] >= best["value"] - 1e-9).all()
    assert (best["value"] >= known["value"] - 1e-9).all()


def test_ctrl_c_ends_every_search_with_what_is_known(ask: Callable[..., Problem]) -> None:
    """The first round of the first measure presses it; later measures still get an answer."""
    problem = ask("orders", {}, base=DATA)
    drawn = draw_scenarios(problem, "latin hypercube", 15, 1)
    stop, rounds = Stop(), []

    def told(measure: str, *_: object) -> None:
        rounds.append(measure)
        stop.interrupted = stop.interrupted or measure == "expected"

    answer = optimise_robust(problem, drawn, problem.config.robust, told, stop=stop)
    assert rounds.count("expected") <= 2  # once more for regret, which needs its tangents
    assert [one.measure.name for one in answer.found] == ["expected", "cvar", "worst_case", "regret"]
    assert Status.INTERRUPTED in {one.status for one in answer.found}
    for one in answer.found[:3]:
        assert one.bound is not None
        assert one.bound >= one.value


def test_a_folder_that_cannot_be_made_is_told_before_the_search(tmp_path: Path) -> None:
    """Rights say nothing about a file system that takes no folders at all, or about a file in the way."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    places = [blocked / "results", *([Path("/proc/results")] if Path("/proc").is_dir() else [])]
    for place in places:
        said = CliRunner().invoke(main, ["robust", str(written(tmp_path)), "--output", str(place)])
        assert said.exit_code == 1
        assert "Choose another output.directory" in said.output  # of the check before the search


def test_the_chance_that_any_limit_is_broken_is_counted(ask: Callable[..., Problem]) -> None:
    """A floor of 3 and a ceiling of 9 on one reserve: broken together where it is outside both."""
    start = np.linspace(2, 12, 41)
    changes = {
        "model.changes": {"demand": 12, "effect b": 2},
        "constraints.floor": {"variables": {"Reserve": 1}, "at_least": 3, "measure": "year_end"},
        "constraints.ceiling": {"variables": {"Reserve": 1}, "at_most": 9, "measure": "year_end"},
    }
    problem = ask("orders", changes, base=DATA)
    scenarios = scenarios_of(problem, {"initial reserve": start})
    answer = optimise_robust(problem, scenarios, Robust(measures=("expected",), gap=1e-4))
    table = robust_result(answer).tables["robust_measures"].set_index("allocation")
    for name, reading in answer.compared.readings.items():
        reserve = start + 5 - 2 + 5 - reading.point.sum()
        share = ((reserve < 3 - 1e-9) | (reserve > 9 + 1e-9)).mean()
        assert table.loc[name, "any_limit_broken"] == pytest.approx(share)
    assert table.loc["null", "any_limit_broken"] > 0.2


def test_the_picture_shows_what_the_scenarios_say(ask: Callable[..., Problem]) -> None:
    problem = ask("orders", {}, base=DATA)
    scenarios = scenarios_of(problem, {"demand": np.linspace(2, 10, 40)})
    result = robust_result(optimise_robust(problem, scenarios, Robust(measures=("cvar",), gap=1e-4)))
    figure = next(one for one in figures_of(result, Labels("nl")) if one.key == "robust")
    columns = ["allocation", "low", "middle", "high", "cvar", "worst_case"]
    table = pd.DataFrame(figure.rows, columns=columns).set_index("allocation")
    assert list(table.index) == ["Advies", Labels("nl")("robust.cvar")]
    own = result.tables["robust_scenarios"].query("allocation == 'advice'")["improvement"]
    assert table.loc["Advies", ["low", "middle", "high"]].tolist() == pytest.approx(
        np.quantile(own, [0.1, 0.5, 0.9], method="inverted_cdf").tolist()
    )
    assert table.loc["Advies", "worst_case"] == pytest.approx(own.min())


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_words_of_a_proof_do_not_contradict_themselves(
    ask: Callable[..., Problem], language: str
) -> None:
    """A bend of 2e-5 is said as a difference that was added, with one digit; no bend is not said."""
    labels, said = Labels(language), {}
    for bend in (0.0, 2e-5):
        problem = ask("orders", {}, base=DATA)
        drawn = scenarios_of(problem, {"bend": np.full(5, bend), "demand": np.full(5, 2.0)})
        answer = optimise_robust(problem, drawn, Robust(measures=("expected",), gap=0.01))
        (row,) = robust_result(answer).tables["robust_proof"].itertuples()
        said[bend] = assumed_words(row, labels)
    assert labels("robust.concave.expected") in said[0.0]
    amount = answer.found[0].audit.excess
    digits = [c for c in labels.number(amount, max(-floor(log10(amount)), 0)) if c in "123456789"]
    assert len(digits) == 1
    plain = labels("robust.not_proved", amount=labels.number(amount, -floor(log10(amount))), unit="").split(
        "."
    )[0]
    assert plain not in said[0.0]
    assert plain in said[2e-5]
    assert "e-0" not in said[2e-5]
