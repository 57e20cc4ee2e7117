"""The national back-test: every point traceable, the page current, and what the page claims."""

from __future__ import annotations

import ast
import csv
import operator
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from sdopt.calibrate.fit import Fit
from sdopt.cli import main
from sdopt.config.constants import read_constants
from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.export.calibration_tables import grouped
from sdopt.source_model.read import read_model

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs" / "calibration"
PAGE = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}sdopt (.*)$", PAGE, flags=re.M)

Fits = dict[Any, Fit]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


OBSERVED = table(CONFIGS / "observed_national.csv")
EVIDENCE = {row["id"]: row for row in table(ROOT / "models" / "evidence.csv")}
OPERATORS = {ast.Add: operator.add, ast.Mult: operator.mul, ast.Div: operator.truediv}


def worked_out(node: ast.expr) -> float:
    """The value of sums, products and quotients of numbers; nothing else is arithmetic here."""
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](worked_out(node.left), worked_out(node.right))
    assert isinstance(node, ast.Constant)
    return float(node.value)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "models" / "write_backtest.py"))


@pytest.fixture(scope="module")
def fits(script: dict[str, Any]) -> Fits:
    return {name: script["national_fit"](name) for name in script["CONFIGS"]}


@pytest.fixture(scope="module")
def variants(script: dict[str, Any]) -> Fits:
    return {hazards: script["national_fit"]("national-bijstand", hazards) for hazards in script["VARIANTS"]}


def errors(found: Fit, series: str, use: str) -> dict[float, float]:
    """Relative errors by time."""
    (group,) = [g for g in grouped(found) if (g.series, g.use) == (series, use)]
    return dict(zip(group.times, group.errors, strict=True))


@pytest.mark.parametrize("row", OBSERVED, ids=[f"{r['series']} {r['time']}" for r in OBSERVED])
def test_every_point_comes_from_a_row_of_evidence(row: dict[str, str]) -> None:
    """Read as the value, read in a quoted note, or worked out with the arithmetic that is given."""
    sources, value, note = row["source"].split("; "), float(row["value"]), row["note"]
    assert set(sources) <= set(EVIDENCE)
    if note.startswith("derived: "):
        text = note.removeprefix("derived: ").partition(";")[0]
        exact = worked_out(ast.parse(text, mode="eval").body)
        assert value in (pytest.approx(exact, rel=1e-12), round(exact))
    elif note.startswith("note: "):
        quote = re.match(r'note: "([^"]+)"', note)
        assert quote is not None
        forms = {f"{value:g}", f"{value:,.0f}", f"{value / 1000:g}k", f"{value / 1000:g}bn"}
        assert forms & set(re.findall(r"[0-9][0-9.,]*[0-9](?:k|bn)?", quote[1]))
    else:
        assert note.partition(";")[0] == "value"
        assert value == float(EVIDENCE[sources[0]]["value"])


def test_rows_that_are_projections_are_never_tested(fits: Fits) -> None:
    listed = [row["series"] for row in OBSERVED if row["use"] == "projection"]
    assert listed == ["carers per receiver of care, 2018 = 1"]
    assert {point.series for found in fits.values() for point in found.question.projections} == set(listed)
    assert not [g for found in fits.values() for g in grouped(found) if g.series in listed]


def test_every_series_is_used_by_one_config(fits: Fits) -> None:
    used = [series for found in fits.values() for series in found.question.loaded.config.observed.series]
    assert sorted(used) == sorted({row["series"] for row in OBSERVED})


def test_the_page_is_what_a_run_makes_of_it(script: dict[str, Any], fits: Fits, variants: Fits) -> None:
    assert script["page"](PAGE, fits, variants) == PAGE


def test_every_start_agrees(fits: Fits) -> None:
    assert [(name, found.agreeing) for name, found in fits.items()] == [(name, 4) for name in fits]


def test_returns_are_close_up_to_three_years_and_low_at_five(fits: Fits) -> None:
    found = fits["national-return"]
    before, fitted = found.before[:3], found.after[:3]
    target = np.array([0.14, 0.20, 0.30])
    assert np.abs(before / target - 1).max() < 0.025
    assert np.abs(fitted / target - 1).max() < 0.01
    assert errors(found, "returned to bijstand after leaving it", "test")[5] == pytest.approx(
        -0.056, abs=0.005
    )
    later = [
        errors(found, f"returned within a year, measured by inflow in {y}", "test")[1] for y in (2019, 2023)
    ]
    assert max(later) < -0.1


def test_the_fit_of_bijstand_is_no_improvement(fits: Fits, variants: Fits) -> None:
    found, series = fits["national-bijstand"], "people on bijstand at the end of the year"
    out = "outflow from bijstand without state pension"
    assert errors(found, series, "test")[2025] < -abs(errors(found, series, "before")[2025])
    for fitted in (found, *variants.values()):
        assert errors(fitted, series, "test")[2025] < -0.05
        assert errors(fitted, out, "test")[2023] > 0.1
        assert set(fitted.identification.states) != {"identified"}


def test_too_many_wmo_clients_and_too_much_youth_spending_out_of_sample(fits: Fits) -> None:
    assert errors(fits["national-wmo"], "clients with Wmo help", "test")[2024] > 0.05
    assert errors(fits["national-youth"], "spending on youth care", "test")[2024] > 0.1


def test_short_series_have_no_statistics(fits: Fits) -> None:
    groups = [group for found in fits.values() for group in grouped(found)]
    assert {group.use for group in groups if group.measures} == {"before"}
    assert all((group.measures is None) == (len(group.times) < 5) for group in groups)


def test_the_return_cohort_has_the_equations_of_the_model() -> None:
    """Its flows and periods are those of the model to the letter; the table gives the same hazards."""
    cohort = read_model(ROOT / "models" / "calibration" / "return_cohort.mdl").system
    whole = read_model(ROOT / "models" / "social_domain.mdl").system
    shared = [v.key for v in cohort.of_kind("flow")]
    assert len(shared) == 4
    for key in shared:
        assert cohort.variables[key].expression == whole.variables[key].expression
    rows = {row.name: row.value for row in read_constants(ROOT / "models" / "social_domain.csv")}
    grid = TimeGrid(0, 6, 0.125)
    own = simulate_all(cohort, grid)
    names = ("return hazard first half year", "return hazard later")
    names += ("time in first half year", "time in later period")
    tabled = simulate_all(cohort, grid, {name.replace(" ", "_"): rows[name] for name in names})
    assert own["share_returned"].tolist() == tabled["share_returned"].tolist()
    assert cohort.time.step == whole.time.step


def test_the_return_cohort_against_the_solution_on_paper() -> None:
    """One person in a row of two stocks; Euler steps: after n steps (1 - dt k)^n are left in the first."""
    cohort = read_model(ROOT / "models" / "calibration" / "return_cohort.mdl").system
    run = simulate_all(cohort, TimeGrid(0, 6, 0.125))
    left = 100 * (1 - 0.125 * (0.40 + 2)) ** np.arange(49)
    assert run["left_in_first_half_year"][:, 0] == pytest.approx(left, rel=1e-12)
    ends = 0.40 / 2.40 + 2 / 2.40 * 0.11 / 0.51
    assert run["share_returned"][-1, 0] < ends
    assert run["share_returned"][-1, 0] == pytest.approx(ends, rel=0.03)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_documented_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(main, [*command.split(), "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    (folder,) = tmp_path.iterdir()
    named = set(re.findall(r"`([\w.]+\.(?:csv|txt|png|svg|yaml|json))`", PAGE.split("## The question")[0]))
    assert {path.name for path in folder.iterdir()} == named


def test_the_example_on_the_page_is_a_config(tmp_path: Path) -> None:
    """It is put where its paths point from."""
    text = PAGE.split("```yaml\n")[1].split("```")[0]
    folder = tmp_path / "configs" / "calibration"
    folder.mkdir(parents=True)
    (folder / "question.yaml").write_text(
        text.replace("../../models", (ROOT / "models").as_posix()).replace(
            "observed_national.csv", (CONFIGS / "observed_national.csv").as_posix()
        ),
        encoding="utf-8",
    )
    done = CliRunner().invoke(
        main, ["calibrate", str(folder / "question.yaml"), "--output", str(tmp_path / "uit")]
    )
    assert done.exit_code == 0, done.output
