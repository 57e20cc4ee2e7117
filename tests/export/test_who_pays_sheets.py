"""Who pays and who gains in the workbook, the console and the results folder, of a small real question."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.export.console import describe_problem
from sdopt.export.formats import read_results
from sdopt.export.provenance import with_provenance
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "ledger"
SHEETS = ["Wie betaalt, wie profiteert", "Perspectieven", "Waardering"]


@pytest.fixture(scope="module")
def results() -> Callable[..., Result]:
    """The result of the question for 3 and 2 million, with pieces of its files replaced."""
    model = read_model(DATA / "pot.mdl")

    def made(folder: Path, *changes: tuple[str, str, str]) -> Result:
        target = folder / "data"
        shutil.copytree(DATA, target)
        for file, old, new in changes:
            text = (target / file).read_text(encoding="utf-8")
            assert old in text
            (target / file).write_text(text.replace(old, new), encoding="utf-8")
        loaded = load_config(target / "pot.yaml")
        result = simulate_allocation(build_problem(loaded, model.system), np.array([3.0, 2.0]), "run")
        return with_provenance(result, loaded, model)

    return made


def rows(result: Result, sheet: str, *, values: bool = True) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(result)), data_only=values)
    return [list(row) for row in book[sheet].iter_rows(values_only=True)]


def row_of(listed: list[list[Any]], first: str, after: int = 0) -> int:
    return next(k for k, row in enumerate(listed) if k >= after and row[0] == first)


def test_the_matrix_adds_up_both_ways(results: Callable[..., Result], tmp_path: Path) -> None:
    result = results(tmp_path)
    listed, formulas = rows(result, SHEETS[0]), rows(result, SHEETS[0], values=False)
    header, total = row_of(listed, "Effect"), row_of(listed, "Totaal")
    names = ["Effect", "Soort", "Kas", "gemeente", "Rijk", "inwoners", "niet verdeeld", "Totaal"]
    assert listed[header][: len(names)] == names
    body = listed[header + 1 : total]
    assert [row[:3] for row in body] == [
        ["Care", "effect", "ja"],
        ["Benefits", "overdracht", "ja"],
        ["Taxes", "effect", "ja"],
        ["Health", "effect", "nee"],
        ["What is left", "eindwaarde", "nee"],
    ]
    for row in body:
        assert row[7] == pytest.approx(sum(value or 0 for value in row[3:7]), abs=1e-12)
    for column in range(3, 8):
        assert listed[total][column] == pytest.approx(sum(row[column] or 0 for row in body))
    assert listed[total][7] == pytest.approx(result.figures["improvement"])
    assert formulas[header + 1][7] == f"=SUM(D{header + 2}:G{header + 2})"
    assert formulas[total][3] == f"=SUM(D{header + 2}:D{total})"


def test_who_pays_when(results: Callable[..., Result], tmp_path: Path) -> None:
    listed = rows(results(tmp_path), SHEETS[0])
    header = row_of(listed, "Partij")
    assert listed[header][3:7] == [2027, 2028, 2029, 2030]
    assert listed[header + 1][:1] + listed[header + 1][3:7] == pytest.approx(
        ["gemeente", -1.0, -0.5, 0.0, 0.0]
    )
    total = listed[row_of(listed, "Totaal", header)]
    assert total[3:7] == pytest.approx([0.2, 0.1, 0.0, 0.0])


def test_three_tables_apart(results: Callable[..., Result], tmp_path: Path) -> None:
    result = results(tmp_path)
    listed, formulas = rows(result, SHEETS[1]), rows(result, SHEETS[1], values=False)
    totals = result.tables["perspective_totals"]
    starts = [row_of(listed, name) for name in totals["perspective"]]
    assert starts == sorted(starts)
    for start, total in zip(starts, totals.itertuples(), strict=True):
        first, last = start + 3, row_of(listed, "Totaal", start)
        assert listed[last][3:6] == pytest.approx([total.null, total.advice, total.difference], rel=1e-9)
        assert formulas[last][3] == f"=SUM(D{first + 1}:D{last})"
        assert formulas[last][5].startswith(f"=IF(ABS(E{last + 1}-D{last + 1})<")
        assert ("Hierop is het advies gekozen." in listed[start + 1][0]) == total.maximised
    assert listed[starts[0] + 1][0] == "Alleen wat echt betaald wordt. Telt mee: gemeente."
    words = [str(cell) for row in listed for cell in row if cell is not None]
    assert not [word for word in words if "tellen niet op" in word]


def test_a_ledger_that_does_not_add_up_is_said_so(results: Callable[..., Result], tmp_path: Path) -> None:
    result = results(tmp_path, ("pot.ledger.csv", "Taxes,taxes,0,1,0,yes,effect,\n", ""))
    warning = "Let op: de kas- en effectregels van {} tellen niet op tot '{}'. Het kasboek mist een regel"
    for sheet in (SHEETS[1], "Kerncijfers"):
        words = [str(row[0]) for row in rows(result, sheet)]
        found = [word for word in words if "tellen niet op" in word]
        assert [word[: word.index(" of een")] for word in found] == [
            warning.format("overheid-fiscaal", "fiscal result of government"),
            warning.format("maatschappelijk", "social return"),
        ]


def test_conventions_have_names(results: Callable[..., Result], tmp_path: Path) -> None:
    listed = rows(results(tmp_path), SHEETS[2])
    header = row_of(listed, "Afspraak")
    assert [row[:5] for row in listed[header + 1 :]] == [
        ["prijspeil", "2024", "", 2024, "jaar"],
        ["QALY", "midden", "value of a QALY", 80000, "euro per gezond levensjaar"],
        ["discontovoet", "eigen voet", "", 0.03, "per jaar"],
    ]


ENGLISH = """effect,variable,municipality,State,residents,cash,kind,note,en
care,care,-1,0,0,yes,effect,,
Benefits,benefits,-1,0,1,yes,transfer,,Benefits paid
Taxes,taxes,0,1,0,yes,effect,,
"""


def test_readers_see_labels_and_english_on_request(results: Callable[..., Result], tmp_path: Path) -> None:
    result = results(
        tmp_path,
        ("pot.ledger.csv", (DATA / "pot.ledger.csv").read_text(encoding="utf-8"), ENGLISH),
        ("perspectives.csv", "gemeente; Rijk", "municipality; State"),
        ("perspectives.csv", "fiscaal,gemeente", "fiscaal,municipality"),
        ("pot.yaml", "search:", "output: {language: en, labels: {care: What is paid}}\nsearch:"),
    )
    listed = rows(result, "Who pays, who gains")
    header = row_of(listed, "Effect")
    assert listed[header][3:8] == ["municipality", "State/UWV", "residents", "not split", "Total"]
    assert [row[0] for row in listed[header + 1 : header + 4]] == ["What is paid", "Benefits paid", "Taxes"]
    assert list(result.tables["ledger"]["effect"].unique()[:3]) == ["care", "Benefits", "Taxes"]


def test_the_sheets_are_absent_without_the_keys(results: Callable[..., Result], tmp_path: Path) -> None:
    result = results(
        tmp_path,
        ("pot.yaml", "ledger: {file: pot.ledger.csv}\n", ""),
        ("pot.yaml", "valuation: {file: valuation.csv}\n", ""),
    )
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(result)))
    assert not set(SHEETS) & set(book.sheetnames)
    assert not {"ledger_hash", "perspectives_hash", "valuation_hash"} & set(result.provenance)


def test_check_says_which_conventions_and_perspectives_apply() -> None:
    loaded = load_config(DATA / "pot.yaml")
    text = describe_problem(build_problem(loaded, read_model(DATA / "pot.mdl").system))
    assert "ledger       5 effects, 3 pockets: gemeente-fiscaal, overheid-fiscaal, maatschappelijk" in text
    assert "valuation    price level 2024, QALY middle" in text


def test_the_command_writes_and_prints_it(tmp_path: Path) -> None:
    arguments = ["optimise", str(DATA / "pot.yaml"), "--output", str(tmp_path)]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    lines = [line for line in done.output.splitlines() if line.startswith("ledger")]
    assert [line.split()[1] for line in lines] == ["gemeente-fiscaal", "overheid-fiscaal", "maatschappelijk"]
    assert "warning" not in done.output
    (folder,) = tmp_path.iterdir()
    result = read_results(folder)
    names = {"ledger", "ledger_years", "perspectives", "perspective_totals", "conventions"}
    assert names <= {path.stem for path in (folder / "tables").glob("*.csv")}
    printed = [float(line.split()[2]) for line in lines]
    assert printed == pytest.approx(list(result.tables["perspective_totals"]["difference"]), abs=0.0006)


@pytest.mark.desktop
def test_libreoffice_calculates_the_same(
    results: Callable[..., Result], check_recalculated: Callable[[Path], int], tmp_path: Path
) -> None:
    path = tmp_path / "workbook.xlsx"
    path.write_bytes(workbook_bytes(results(tmp_path)))
    assert check_recalculated(path) > 200
