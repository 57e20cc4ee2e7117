"""Workbook, pictures and tables of a sweep and of robust allocations, opened by other programs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.config.thresholds import thresholds
from sdopt.export.conclusions import conclusion_table
from sdopt.export.figures import draw, figures_of
from sdopt.export.findings import sweep_result
from sdopt.export.labels import Labels
from sdopt.export.precision import chance_style, error_style, known_decimals, range_decimals
from sdopt.export.robust_report import robust_report
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.each_scenario import Best
from sdopt.optimise.robust.run import optimise_robust, robust_result
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model
from sdopt.sweep.allocations import Advice, given_advice
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.findings import Asked
from sdopt.sweep.parts import Parts
from sdopt.sweep.reoptimise import Bests, tables_of
from sdopt.sweep.rows import Outcome, outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks
from sdopt.uncertainty.sample import draw_scenarios

DATA = Path(__file__).resolve().parents[1] / "data"
FORMULA, MARKUP = "=1+1", "<b>@SUM(A1)</b>"
SHEETS = {
    "nl": ["Leeswijzer", "Samenvatting", "Terugverdienen", "Onzekerheid", "Verloop over de jaren",
           "Externe scenario's", "Gevoeligheid", "Omslagpunten", "Waarde van weten", "Waar het misgaat",
           "Gegevens en prijspeil", "Namen", "Bereiken", "Run"],
    "en": ["Reading guide", "Summary", "Pay-back", "Uncertainty", "Course over the years",
           "External scenarios", "Sensitivity", "Break-even values", "Value of knowing", "Where it fails",
           "Data and price level", "Names", "Ranges", "Run"],
}  # fmt: skip
Cells = Callable[[Path], dict[tuple[str, str], Any]]


class Made:
    """A small sweep with names that would run in a spreadsheet or a browser, and its result."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(DATA / "sweep", folder / "sweep")
        shutil.copy(DATA / "wijk.mdl", folder)
        self.config = folder / "sweep" / "zorg.yaml"
        said = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        said["title"] = "=cmd|'/c calc'!A1"
        said["sweep"]["allocations"][FORMULA] = said["sweep"]["allocations"].pop("Alles voorkomen")
        said["external_scenarios"][MARKUP] = said["external_scenarios"].pop("more care")
        said["output"] = {"labels": {"effect of knowing": '=HYPERLINK("x")'}}
        self.config.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
        loaded = load_config(self.config)
        model = read_model(loaded.config.model.file)
        advice = given_advice(build_problem(loaded, model.system))
        assert advice is not None
        self.plan = plan_sweep(build_problem(loaded, model.system), advice)
        with Parts(folder, "parts", resume=False) as parts:
            run_blocks(self.plan, parts, in_this_process, lambda *_: None)
            self.outcome: Outcome = outcome_of(self.plan, parts)
            self.result = sweep_result(loaded, model, self.plan, self.outcome, advice, parts)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


def in_language(result: Result, language: str) -> Result:
    return Result(**{**vars(result), "language": language})


def known_pictures() -> dict[str, bytes]:
    """Pictures of one dot, where a test is not about pictures: drawing takes most of the time."""
    dot = BytesIO()
    Image.new("L", (1, 1)).save(dot, "png")
    return dict.fromkeys(("stocks", "frontier"), dot.getvalue())


def sheet_rows(result: Result, sheet: str) -> list[list[Any]]:
    # read_only: of all sheets this one alone is read
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(result, known_pictures())), read_only=True)
    return [[cell.value for cell in row] for row in book[sheet].iter_rows()]


def below(rows: list[list[Any]], *heads: str) -> list[dict[str, Any]]:
    """The rows under the header that holds these heads; of two columns with one head the first."""
    start = next(k for k, row in enumerate(rows) if set(heads) <= set(row))
    head, found = rows[start], []
    for row in rows[start + 1 :]:
        if row[1] is None:
            break
        found.append(dict(reversed([(h, v) for h, v in zip(head, row, strict=True) if h])))
    return found


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_sheet_is_there_and_names_stay_text(made: Made, language: str) -> None:
    book = openpyxl.load_workbook(
        BytesIO(workbook_bytes(in_language(made.result, language), known_pictures()))
    )
    assert book.sheetnames == SHEETS[language]
    assert book.active is not None
    assert book.active.title == SHEETS[language][1]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    formulas = [str(cell.value) for cell in cells if cell.data_type == "f"]
    assert all(re.fullmatch(r"=(SUM\(|IF\(|[A-Z]+\d+-[A-Z]+\d+$).*", one) for one in formulas)
    assert not [cell.value for cell in cells if cell.hyperlink and cell.hyperlink.target]
    text = [cell.value for cell in cells if isinstance(cell.value, str)]
    for name in (FORMULA, '=HYPERLINK("x")', "=cmd|'/c calc'!A1"):
        assert name in text
    assert any(MARKUP in one for one in text)
    assert not [one for one in text if "{" in one or one.startswith("#")]


def test_numbers_on_the_sheets_are_those_of_the_tables(made: Made) -> None:
    labels = Labels("nl")
    rows = sheet_rows(made.result, "Onzekerheid")
    shown = below(rows, "Gemiddeld", "Standaardfout")
    table = made.result.tables["distribution"]
    assert [row["Gemiddeld"] for row in shown] == pytest.approx(table["mean"].tolist())
    assert [row["95 %"] for row in shown] == pytest.approx(table["q95"].tolist())
    assert [row["Kans op beter dan nu"] for row in shown] == pytest.approx(table["positive"].tolist())
    assert [row["van"] for row in shown] == pytest.approx(table["positive_low"].tolist())
    pairs = below(rows, "Tegenover")
    assert [row["Kans op meer"] for row in pairs] == pytest.approx(
        made.result.tables["pairs"]["probability"].tolist()
    )
    values = below(sheet_rows(made.result, "Omslagpunten"), "Omslagpunt")
    table = made.result.tables["break_even"]
    moves = (table["gain_high"] - table["gain_low"]).abs() > 0.1 * table["gain_central"].abs()
    table = table[moves | ~table["worth"].isin(["always", "never"])]
    assert 0 < len(table) < len(made.result.tables["break_even"])
    assert [row["Omslagpunt"] for row in values] == pytest.approx(table["break_even"].tolist(), nan_ok=True)
    known = table["break_even"].notna()
    assert [row["Binnen de bandbreedte"] for row in values] == [
        labels.yes_no(inside) if at else None for inside, at in zip(table["inside"], known, strict=True)
    ]
    worth = below(sheet_rows(made.result, "Waarde van weten"), "Wat te weten")
    table = made.result.tables["information"].query("value != 0 or uncertainty == 'everything'")
    assert len(table) < len(made.result.tables["information"])
    assert [row["Waarde"] for row in worth] == pytest.approx(table["value"].tolist())
    boxes = below(sheet_rows(made.result, "Waar het misgaat"), "Dekking")
    table = made.result.tables["failing_boxes"]
    assert [row["Dichtheid"] for row in boxes] == pytest.approx(table["box_density"].tolist())
    tornado = below(sheet_rows(made.result, "Gevoeligheid"), "Bij laag", "Verschil")
    table = made.result.tables["tornado"].query("allocation == 'advice'").dropna(subset="swing")
    for _, swings in table.groupby("external")["swing"]:  # alike in both external scenarios, so shown once
        assert [row["Verschil"] for row in tornado[:-1]] == pytest.approx(swings.tolist())


# What the advice gives, in money moved, from a random share; and the words for it.
KINDS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "clearly better": (lambda share: 0.5 + share, "is duidelijk beter", "is clearly better"),
    "clearly worse": (lambda share: -0.5 - share, "is duidelijk slechter", "is clearly worse"),
    "roughly equal": (lambda share: 0.1 * share - 0.05, "ongeveer gelijk", "roughly equal"),
    "probably better": (lambda share: share - 0.2, "is waarschijnlijk beter", "probably better"),
    "probably worse": (lambda share: 0.2 - share, "waarschijnlijk slechter", "probably worse"),
    "uncertain": (lambda share: 2 * share - 1, "Het is onzeker of", "It is uncertain whether"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_distribution_gives_its_own_words_on_the_sheet(made: Made, kind: str) -> None:
    draw, dutch, english = KINDS[kind]
    share = np.random.default_rng(3).permutation(np.linspace(0, 1, made.plan.scenarios.count))
    improvement = made.outcome.improvement.copy()
    improvement[1] = made.result.tables["conclusions"]["size"].iloc[0] * draw(share)
    asked = Asked(made.plan, replace(made.outcome, improvement=improvement))
    for language, words in (("nl", dutch), ("en", english)):
        table = conclusion_table(asked, thresholds(), Labels(language))
        assert table["kind"].iloc[0] == kind
        result = in_language(made.result.with_tables(conclusions=table), language)
        lines = [row[0] for row in sheet_rows(result, SHEETS[language][3]) if isinstance(row[0], str)]
        assert words in lines[3]  # under the heading Conclusion, before any figure
        assert lines[2] == {"nl": "Conclusie", "en": "Conclusion"}[language]


def test_a_conclusion_that_hangs_on_a_convention_says_so(made: Made) -> None:
    table = made.result.tables["conclusions"]
    assert (table["hangs_on"] != "").any()
    lines = [row[0] for row in sheet_rows(made.result, "Onzekerheid") if isinstance(row[0], str)]
    said = [line for line in lines if line.startswith("Deze conclusie hangt aan een afspraak")]
    assert len(said) == (table["hangs_on"] != "").sum()


def test_failed_runs_are_counted_with_their_reason(made: Made) -> None:
    lines = [row[0] for row in sheet_rows(made.result, "Onzekerheid") if isinstance(row[0], str)]
    assert any(line.startswith("6 van de 600 doorrekeningen gaven geen getal") for line in lines)
    assert any('Advies, 2 keer: "Known people" is -inf op tijdstip 2026.12' in line for line in lines)


def test_figures_know_the_odd_cases(made: Made) -> None:
    """No finite swing; an output that is always the same, and one that is not a number."""
    tables, points = made.result.tables, ("q05", "q25", "q50", "q75", "q95")
    for value in (1.0, np.nan):
        fan = tables["fan"].assign(**dict.fromkeys(points, value))
        odd = made.result.with_tables(tornado=tables["tornado"].assign(swing=np.nan), fan=fan)
        found = {one.key: one for one in figures_of(odd, Labels("en"))}
        assert "tornado" not in found
        assert ("stocks" in found) == (value == 1.0)
        assert "stocks" not in found or draw.svg(found["stocks"], Labels("en"))


def test_without_anything_drawn_there_is_still_a_workbook(made: Made, tmp_path: Path) -> None:
    """External scenarios alone: no factors, so no sensitivity and no boxes."""
    loaded = load_config(made.config, {("uncertainties",): []})
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    advice = Advice(made.plan.allocations["advice"], "given")
    plan = plan_sweep(problem, advice)
    with Parts(tmp_path, "parts", resume=False) as parts:
        run_blocks(plan, parts, in_this_process, lambda *_: None)
        result = sweep_result(loaded, model, plan, outcome_of(plan, parts), advice, parts)
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(result, known_pictures())))
    assert "Gevoeligheid" not in book.sheetnames
    assert "Onzekerheid" in book.sheetnames
    lines = [str(row[0].value) for row in book["Omslagpunten"].iter_rows()]
    assert any("iets meer geld voor voorkomen dan nu" in line for line in lines)
    assert "Alle omslagpunten" not in lines


def test_the_command_writes_it_all_and_export_makes_the_same_workbook(made: Made, tmp_path: Path) -> None:
    runner, output = CliRunner(), str(tmp_path / "uit")
    done = runner.invoke(main, ["sweep", str(made.config), "--output", output, "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert f"by rule  advice: {made.result.tables['conclusions']['kind'].iloc[0]}" in done.output
    (folder,) = (tmp_path / "uit").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"workbook.xlsx", "LEESMIJ.txt", "improvement.png", "tornado.svg", "stocks.png", "tables"} <= names
    assert pd.read_parquet(folder / "tables" / "distribution.parquet")["mean"].tolist() == pytest.approx(
        made.result.tables["distribution"]["mean"].tolist(), rel=1e-12
    )
    again = runner.invoke(
        main, ["export", str(folder), "--format", "xlsx", "--output", str(tmp_path / "a.xlsx")]
    )
    assert again.exit_code == 0, again.output
    assert (tmp_path / "a.xlsx").read_bytes() == (folder / "workbook.xlsx").read_bytes()
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["kind"] == "sweep"
    assert "distribution" in summary["tables"]


def test_regret_is_shown_where_allocations_were_re_optimised(made: Made) -> None:
    bests = Bests(tuple(Best(k, made.plan.allocations["advice"], 5.0, 6.0, "optimal") for k in range(200)))
    tables = tables_of(made.plan, made.outcome, bests)
    rows = sheet_rows(made.result.with_tables(**tables), "Onzekerheid")
    shown = below(rows, "Gemiddeld, ten minste")
    assert [row["Verdeling"] for row in shown] == ["Nu (nulalternatief)", "Advies", FORMULA]
    known = made.outcome.improvement[1][np.isfinite(made.outcome.improvement[1])]
    assert shown[1]["Grootste, ten minste"] == pytest.approx(5.0 - known.min())
    assert shown[1]["Grootste, ten hoogste"] == pytest.approx(6.0 - known.min())
    assert shown[1]["Met bovengrens"] == 1
    open_ended = Bests(tuple(replace(best, bound=np.nan) for best in bests.found))
    tables = tables_of(made.plan, made.outcome, open_ended)
    rows = sheet_rows(made.result.with_tables(**tables), "Onzekerheid")
    assert "Gemiddeld, ten hoogste" not in below(rows, "Gemiddeld, ten minste")[0]


@pytest.fixture(scope="module")
def robust() -> Result:
    loaded = load_config(DATA / "robust" / "orders.yaml", {"robust.scenarios": 40, "robust.gap": 0.01})
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    drawn = draw_scenarios(problem, "latin hypercube", 40, 1)
    return robust_result(optimise_robust(problem, drawn, problem.config.robust))


@pytest.mark.parametrize(("language", "sheet"), [("nl", "Robuust"), ("en", "Robust")])
def test_the_robust_sheet_shows_price_and_proof(robust: Result, language: str, sheet: str) -> None:
    labels = Labels(language)
    rows = sheet_rows(in_language(robust, language), sheet)
    shown = below(rows, labels("column.chance_of_loss"))
    table = robust.tables["robust_measures"]
    assert [row[labels("column.by_cvar")] for row in shown] == pytest.approx(table["cvar"].tolist())
    name = labels("robust.cvar")
    price = next(row for row in rows if row[0] == name and isinstance(row[3], float) and len(rows) > 10)
    assert price[3] == pytest.approx(table.set_index("allocation")["cvar"]["cvar"])
    text = "\n".join(str(row[0]) for row in rows if row[0])
    for measure in ("expected", "cvar", "worst_case", "regret"):
        assert labels(f"robust.concave.{measure}") in text
    gained = (
        robust.tables["robust_price"].query("allocation == 'cvar' and measure == 'cvar'")["gained"].iloc[0]
    )
    assert gained > 0
    assert f"{name}: " in text
    amounts = below(rows, labels("column.decision"), labels("column.year"))
    own = robust.tables["robust_allocations"].query("allocation == 'cvar' and variable == 'spending a'")
    assert amounts[0][name] == pytest.approx(own["value"].iloc[0])


@pytest.mark.parametrize(("language", "sheet"), [("nl", "Robuust"), ("en", "Robust")])
def test_a_measure_by_which_nothing_was_found_is_named(robust: Result, language: str, sheet: str) -> None:
    labels = Labels(language)
    missing = labels("robust.missing", names=labels("robust.regret"))
    stopped = robust.with_figures(measures_missing=["regret"])
    for result, told in ((robust, False), (stopped, True)):
        said = in_language(result, language)
        assert any(row[0] == missing for row in sheet_rows(said, sheet)) is told
        assert (missing in robust_report(said)) is told


@pytest.mark.desktop
def test_libreoffice_reads_the_same(
    made: Made, robust: Result, tmp_path: Path,
    convert_all: Callable[[Sequence[Path], str], list[Path]], check_recalculated: Callable[..., int],
) -> None:  # fmt: skip
    """The sweep in both languages and the robust allocations, in one start."""
    results = {language: in_language(made.result, language) for language in ("nl", "en")} | {"robust": robust}
    paths = [tmp_path / f"{name}.xlsx" for name in results]
    for path in paths:
        path.write_bytes(workbook_bytes(results[path.stem]))
    for path, again, least in zip(paths, convert_all(paths, "xlsx"), (250, 250, 80), strict=True):
        assert check_recalculated(path, again) > least


@pytest.mark.parametrize(
    ("error", "decimals"),
    [(0.11, 1), (0.09, 2), (1.2, 0), (37.0, 0), (0.0, None), (1e-16, None), (float("nan"), None)],
)
def test_the_last_digit_is_about_the_standard_error(error: float, decimals: int | None) -> None:
    assert known_decimals(error) == decimals


def test_formats_show_no_more_than_is_known() -> None:
    assert error_style(0.11, 1.7266, sign=True)["num_format"] == "+#,##0.0;-#,##0.0;0.0"
    assert chance_style(0.70, 0.80)["num_format"] == "0%"
    assert chance_style(0.751, 0.757)["num_format"] == "0.0%"
    assert (
        range_decimals(0.03, 0.09),
        range_decimals(10, 90),
        range_decimals(5, 5),
        range_decimals(0, 0),
    ) == (
        *(4, 1, 2),
        2,
    )
