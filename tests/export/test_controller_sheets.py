"""What a controller checks first, in the shipped question: budget, tests, effects, stocks and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from sdopt.config.load import load_config
from sdopt.export.labels import Labels
from sdopt.export.provenance import with_provenance
from sdopt.export.sheets.budget import mark_format, thousands
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
YEARS = [2026, 2027, 2028, 2029, 2030]
OURS = ("multi_year_budget", "taakvelden", "fiscal_rules", "stock_flows", "pay_back", "sources")


def answered(config: str, part: float) -> Result:
    """The question with all decisions at a part of their bounds: every table, without a search."""
    loaded = load_config(CONFIGS / f"{config}.yaml")
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    return with_provenance(simulate_allocation(problem, lower + part * (upper - lower), "run"), loaded, model)


@pytest.fixture(scope="module")
def found() -> Result:
    return answered("voorbeeld-100k", 0.4)


@pytest.fixture(scope="module")
def book(found: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("controller") / "workbook.xlsx"
    path.write_bytes(workbook_bytes(found))
    return path


@cache
def opened(path: Path, formulas: bool) -> Any:
    """The workbook, opened once: the tests only read."""
    return openpyxl.load_workbook(path, data_only=not formulas)


def sheet(path: Path, name: str, *, formulas: bool = False) -> Worksheet:
    page = opened(path, formulas)[name]
    assert isinstance(page, Worksheet)
    return page


def only(found: Result, **tables: pd.DataFrame) -> bytes:
    """The workbook of these tables alone: other sheets are not what is looked at."""
    return workbook_bytes(replace(found, tables=tables))


def rows_of(page: Worksheet) -> list[list[Any]]:
    return [list(row) for row in page.iter_rows(values_only=True)]


def line(page: Worksheet, name: str, column: int = 1, *, after: str = "") -> tuple[Cell, ...]:
    """The cells of the first row with a name in a column, below a row that begins with `after`."""
    started = not after
    for row in page.iter_rows():
        started = started or row[0].value == after
        if started and row[column].value == name:
            return tuple(cell for cell in row if isinstance(cell, Cell))
    raise AssertionError(name)


def numbers(cells: tuple[Cell, ...], first: int, count: int) -> list[Any]:
    return [cell.value for cell in cells[first : first + count]]


# ---------------------------------------------------------------- budget


def test_the_budget_is_the_table_in_thousands_with_the_years_as_columns(found: Result, book: Path) -> None:
    page, table = sheet(book, "Meerjarenbegroting"), found.tables["multi_year_budget"]
    head = next(row for row in rows_of(page) if row[0] == "Taakveld")
    assert head[2:] == YEARS * 3
    by_account = table.groupby(["side", "term", "account", "year"])[["advice", "null"]].sum() * 1000
    blocks = {
        "Structurele baten": ("income", "structural"),
        "Structurele lasten": ("spending", "structural"),
        "Incidentele baten": ("income", "incidental"),
        "Incidentele lasten": ("spending", "incidental"),
    }
    for block, (side, term) in blocks.items():
        for account in by_account.loc[side, term].index.unique(0):
            cells = line(page, account, 0, after=block)
            expected = by_account.loc[side, term, account]
            assert numbers(cells, 2, 5) == pytest.approx(list(expected["advice"]), abs=2e-6)
            assert numbers(cells, 7, 5) == pytest.approx(list(expected["null"]), abs=2e-6)


def test_balances_reserves_and_the_cross_foot_agree(found: Result, book: Path) -> None:
    page, table = sheet(book, "Meerjarenbegroting"), found.tables["multi_year_budget"]
    signs = table["side"].map({"income": 1, "spending": -1, "reserves": 0})
    balance = (table["advice"] * signs).groupby(table["year"]).sum() * 1000
    whole = numbers(line(page, "Saldo van baten en lasten"), 2, 5)
    assert whole == pytest.approx(list(balance), abs=2e-6)
    terms = [numbers(line(page, f"{term} saldo"), 2, 5) for term in ("Structureel", "Incidenteel")]
    assert np.sum(terms, axis=0) == pytest.approx(whole, abs=1e-5)
    reserves = line(page, "0.10", 0)
    assert reserves[1].value == "Mutaties reserves: onttrekking (+) of toevoeging (-)"
    assert numbers(reserves, 2, 5) == pytest.approx([-value for value in whole], abs=2e-6)
    assert numbers(line(page, "Geraamd resultaat"), 2, 10) == pytest.approx([0] * 10, abs=2e-6)
    below = "Saldo per taakveld: baten min lasten, structureel en incidenteel samen"
    assert numbers(line(page, "Saldo van baten en lasten", after=below), 2, 5) == pytest.approx(
        whole, abs=1e-5
    )


def test_what_a_search_leaves_of_a_balance_of_zero_is_zero(found: Result, tmp_path: Path) -> None:
    """Structural balance binds at zero in the advice: `-0` there would look like a deficit."""
    table = found.tables["multi_year_budget"]
    signs = table["side"].map({"income": 1.0, "spending": -1.0, "reserves": 0.0})
    last = (table["year"] == 2030) & (table["term"] == "structural")
    over = (table["advice"] * signs)[last].sum() + 1e-9
    row = table.index[last & (table["side"] == "spending")][0]
    advice = table["advice"].copy()
    advice[row] += over
    path = tmp_path / "workbook.xlsx"
    path.write_bytes(only(found, multi_year_budget=table.assign(advice=advice)))
    cells = line(sheet(path, "Meerjarenbegroting"), "Structureel saldo")
    assert cells[6].value == 0
    formula = line(sheet(path, "Meerjarenbegroting", formulas=True), "Structureel saldo")[6].value
    assert str(formula).startswith("=IF(ABS(")


def test_the_difference_says_favourable_or_not_and_stays_a_number(book: Path) -> None:
    page, live = sheet(book, "Meerjarenbegroting"), sheet(book, "Meerjarenbegroting", formulas=True)
    spending = line(page, "6.5", 0, after="Structurele lasten")
    for k in range(5):
        change = spending[2 + k].value - spending[7 + k].value
        assert spending[12 + k].value == pytest.approx(change if abs(change) >= 0.5 else 0)
        assert spending[12 + k].number_format == '+#,##0" N";-#,##0" V";0'
    assert line(page, "Totaal structurele baten")[13].number_format == '+#,##0" V";-#,##0" N";0'
    total = line(live, "Totaal structurele lasten")
    assert [str(cell.value)[:5] for cell in total[2:12]] == ["=SUM("] * 10
    assert str(total[13].value).startswith("=IF(ABS(")
    assert any("x € 1.000, lopende prijzen" in str(row[0]) for row in rows_of(page))


def test_codes_of_taakvelden_are_text(book: Path) -> None:
    """6.60 is not 6.6."""
    for name in ("Meerjarenbegroting", "Taakvelden"):
        codes = [row[0] for row in rows_of(sheet(book, name))]
        assert "6.60" in codes
        assert "0.10" in codes


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("million EUR", 1000),
        ("EUR", 0.001),
        ("Million  EUR/Year", 1000),
        ("thousand EUR", 1),
        ("million USD", 1),
    ],
)
def test_thousands(unit: str, factor: float) -> None:
    found, said = thousands(unit, Labels("en"))
    assert found == factor
    assert (said == "x EUR 1,000") == ("EUR" in unit)


def test_marks() -> None:
    assert mark_format("balance", Labels("en")) == '+#,##0" F";-#,##0" A";0'
    assert mark_format("reserves", Labels("nl")) == "+#,##0;-#,##0;0"


def test_more_years_than_fit_are_counted(found: Result, tmp_path: Path) -> None:
    table = found.tables["multi_year_budget"]
    later = [table.assign(year=table["year"] + 5 * k) for k in range(2)]
    path = tmp_path / "long.xlsx"
    path.write_bytes(only(found, multi_year_budget=pd.concat(later, ignore_index=True)))
    rows = rows_of(sheet(path, "Meerjarenbegroting"))
    assert next(row for row in rows if row[0] == "Taakveld")[2:9] == list(range(2026, 2033))
    assert any("de 3 latere staan in tables/multi_year_budget.csv" in str(row[0]) for row in rows)


def test_years_before_the_budget_year_are_those_of_the_model(found: Result, tmp_path: Path) -> None:
    table = found.tables["multi_year_budget"]
    earlier = table[table["year"] == 2026].assign(year=2025)
    path = tmp_path / "before.xlsx"
    path.write_bytes(workbook_bytes(found.with_tables(multi_year_budget=pd.concat([earlier, table]))))
    rows = rows_of(sheet(path, "Meerjarenbegroting"))
    heads = next(place for place, row in enumerate(rows) if row[0] == "Taakveld")
    assert rows[heads][2:6] == [2025, 2026, 2027, 2028]
    assert rows[heads - 1][2:6] == ["model, t-2", "model, t-1", "begroting", "raming"]
    assert any(str(row[0]).startswith("Vóór het begrotingsjaar (2025-2026)") for row in rows)


def test_without_reserves_or_euros_the_sheet_says_so(found: Result, tmp_path: Path) -> None:
    table = found.tables["multi_year_budget"]
    other = table[table["side"] != "reserves"].assign(unit="million USD")
    path = tmp_path / "dollars.xlsx"
    path.write_bytes(only(found, multi_year_budget=other))
    page = sheet(path, "Meerjarenbegroting")
    texts = [str(row[0]) for row in rows_of(page)]
    assert "Mutaties in reserves (0.10) zitten niet in dit model." in texts
    assert any(text.startswith("Bedragen million USD, lopende prijzen") for text in texts)
    assert "Geraamd resultaat" not in [row[1] for row in rows_of(page)]


# ---------------------------------------------------------------- taakvelden


def test_every_taakveld_with_its_codes_and_what_the_model_puts_on_it(book: Path) -> None:
    rows = {row[0]: row for row in rows_of(sheet(book, "Taakvelden"))}
    youth = rows["6.751"]
    assert youth[5:9] == ["6.72a; 6.72b; 6.72c; 6.72d; 6.74a", "gemengd", "6.72", "deel"]
    assert rows["6.811"][6] == "andere code"
    assert rows["6.1"][2:5] == [
        "ja",
        "sociale basis en toegang",
        "Preventie: 25 % (lasten)\nSociale basis: 100 % (lasten)\nParticipatie: 40 % (lasten)",
    ]
    assert rows["6.4"][2] == "nee"
    codes = list(rows)
    assert codes.index("7.1") < codes.index("6.4")  # those of the budget come first


# ---------------------------------------------------------------- fiscal tests


def test_each_test_has_its_room_its_word_and_its_colour(found: Result, book: Path) -> None:
    page, table = sheet(book, "Begrotingstoetsen"), found.tables["fiscal_rules"]
    word = {"kept": "voldoet", "broken": "voldoet niet"}
    fill = {"kept": "FFD5E8D4", "broken": "FFF8CBAD"}
    checked = 0
    for identity in ("F1", "F3", "F4"):
        rows = table[(table["id"] == identity) & table["verdict"].isin(list(word))].sort_values("year")
        advice = line(page, identity, 0)
        null = tuple(cell for cell in page[advice[0].row + 1] if isinstance(cell, Cell))
        for k, row in enumerate(rows.itertuples()):
            for cells, verdict, room in (
                (advice, row.verdict, row.slack),
                (null, row.null_verdict, row.null_slack),
            ):
                cell = cells[5 + k]
                assert cell.value == pytest.approx(1000 * (max(room, 0) if verdict == "kept" else room))
                section = 1 if cell.value < 0 else 0
                assert cell.number_format.split(";")[section].startswith(f'"{word[verdict]}')
                assert (cell.fill.fgColor.rgb == fill[verdict]) == row.imposed
                checked += 1
    assert checked == 24
    assert {"kept", "broken"} == set(table.loc[table["id"].isin(["F1", "F3", "F4"]), "verdict"])


def test_the_number_of_tests_that_were_kept(found: Result, book: Path) -> None:
    table = found.tables["fiscal_rules"]
    imposed = table[table["imposed"]]
    kept = [int((imposed[key] == "kept").sum()) for key in ("verdict", "null_verdict")]
    text = f"{len(imposed)}. Het advies voldoet aan {kept[0]}, zonder nieuw beleid aan {kept[1]}."
    assert any(str(row[0]).endswith(text) for row in rows_of(sheet(book, "Begrotingstoetsen")))


def test_room_of_the_null_alternative_is_that_of_its_own_limit(found: Result) -> None:
    """Where a limit does not depend on the run it is the limit less the value, by its sense."""
    table = found.tables["fiscal_rules"]
    rows = table[table["slack"].notna() & (table["measure"] != "decisions")]
    signs = rows["sense"].map({"at_most": 1.0, "at_least": -1.0})
    assert list(rows["null_slack"]) == pytest.approx(list(signs * (rows["limit"] - rows["null"])))


def test_a_test_of_both_sides_says_which(book: Path) -> None:
    parts = [row[2] for row in rows_of(sheet(book, "Begrotingstoetsen")) if row[0] == "F15"]
    assert parts == [
        "jaren van het besluit",
        *(f"jaren die meetellen, ten {w}" for w in ("hoogste", "minste")),
    ]


# ---------------------------------------------------------------- costs and benefits


def test_effects_add_up_to_the_improvement(found: Result, book: Path) -> None:
    page = sheet(book, "Kosten-baten")
    totals = {name: line(page, name, 0)[4].value for name in (
        "Baten (gunstig)", "Kosten (ongunstig)", "Saldo van baten en kosten")}  # fmt: skip
    assert totals["Saldo van baten en kosten"] == pytest.approx(found.figures["improvement"], abs=1e-6)
    assert totals["Baten (gunstig)"] > 0 > totals["Kosten (ongunstig)"]
    rows = rows_of(page)
    start = next(k for k, row in enumerate(rows) if row[0] == "Baten en kosten per effect")
    end = next(k for k, row in enumerate(rows) if row[0] == "Saldo van baten en kosten")
    assert {row[1] for row in rows[start + 3 : end]} - {None, ""} == {"effect", "eindwaarde"}


def test_pay_back_stands_beside_them(found: Result, book: Path) -> None:
    page = sheet(book, "Kosten-baten")
    for row in found.tables["pay_back"].itertuples():
        name = "het maatschappelijk rendement" if row.perspective == "return" else row.perspective
        cells = line(page, name, 0, after="Terugverdiend")
        assert cells[2].value == ("niet" if pd.isna(row.year_discounted) else row.year_discounted)
        assert cells[5].value == pytest.approx(row.total_discounted)


# ---------------------------------------------------------------- stocks


def test_the_end_of_a_year_is_a_formula_that_gives_the_table(found: Result, book: Path) -> None:
    table = found.tables["stock_flows"]
    page, live = (sheet(book, "Stand-instroom-uitstroom", formulas=f) for f in (False, True))
    names = {row[0]: k for k, row in enumerate(rows_of(page), start=1)}
    for stock, shown in (
        ("Youth clients", "Jongeren met jeugdhulp"),
        ("Hidden need", "Mensen met een verborgen hulpvraag"),
    ):
        top = names[shown]
        ends = table[(table["stock"] == stock) & (table["direction"] == "end")]
        found_rows = [
            row
            for row in page.iter_rows(min_row=top, max_row=top + 30)
            if row[0].value == "Stand einde van het jaar"
        ]
        for row, run in zip(found_rows[:2], ("null", "advice"), strict=True):
            assert [cell.value for cell in row[2:]] == pytest.approx(list(ends[run]), rel=1e-11)
            formulas = [str(live.cell(row[0].row, cell.column).value) for cell in row[2:]]
            assert all(formula.startswith("=") for formula in formulas)


def test_the_average_stay_of_youth_clients(found: Result, book: Path) -> None:
    """Mean of start and end over what leaves in the year."""
    page, table = sheet(book, "Stand-instroom-uitstroom"), found.tables["stock_flows"]
    own = table[table["stock"] == "Youth clients"].pivot_table(
        index="year", columns="direction", values="null", aggfunc="sum"
    )
    cells = line(page, "Gemiddelde duur (jaar)", 0, after="Jongeren met jeugdhulp")
    expected = (own["start"] + own["end"]) / 2 / own["out"]
    assert [cell.value for cell in cells[2:]] == pytest.approx(list(expected))


def test_money_has_no_stay_and_zero_flows_are_left_out(book: Path) -> None:
    rows = rows_of(sheet(book, "Stand-instroom-uitstroom"))
    start = next(
        k for k, row in enumerate(rows) if row[0] == "Lopende projecten voor regionaal verdienvermogen"
    )
    block = [row[0] for row in rows[start : start + 9]]
    assert "Gemiddelde duur (jaar)" not in block
    assert block[1:5] == [
        "Stand begin van het jaar",
        "Instroom: Regionaal verdienvermogen",
        "Uitstroom: Afgeronde projecten voor verdienvermogen",
        "Stand einde van het jaar",
    ]
    medium = next(k for k, row in enumerate(rows) if row[0] == "Mensen 1 tot 5 jaar in de bijstand")
    assert "Instroom: Terugkeer waarbij de oude duur doortelt" not in [
        row[0] for row in rows[medium : medium + 8]
    ]


def test_very_many_stocks_are_counted(found: Result, tmp_path: Path) -> None:
    table = found.tables["stock_flows"]
    more = [table, *(table.assign(stock=table["stock"] + f" {k}") for k in range(2))]
    path = tmp_path / "many.xlsx"
    path.write_bytes(only(found, stock_flows=pd.concat(more, ignore_index=True)))
    texts = [str(row[0]) for row in rows_of(sheet(path, "Stand-instroom-uitstroom"))]
    held = table.groupby("stock")[["null", "advice"]].agg(lambda values: values.abs().max()).max(axis=1)
    left = 3 * int((held > 0).sum()) - 60
    assert f"De {left} overige voorraden staan in tables/stock_flows.csv." in texts


# ---------------------------------------------------------------- data


def test_data_says_what_the_result_knows(found: Result, book: Path) -> None:
    rows = rows_of(sheet(book, "Gegevens en prijspeil"))
    said = {row[0]: row for row in rows}
    assert said["Prijspeil van het model (vaste prijzen)"][1] == 2024
    assert said["Jaren van het besluit"][1] == "2027-2030"
    assert said["Looptijd"][1] == "2026 - 2042"
    assert said["Tabel met getallen van de gemeente"][1].startswith("geen")
    for row in found.tables["sources"].itertuples():
        assert row.sha256 in {cells[2] for cells in rows if cells[1] == row.file}
    assumptions = found.tables["assumptions"]
    assert said["oordeel"][1] == (assumptions["status"] == "judgement").sum()
    assert said["M07"][1] == assumptions["source"].str.contains("M07").sum()


def test_the_files_of_a_municipality_are_named() -> None:
    table = answered("krimpregio", 0.5).tables["sources"].set_index("role")
    assert table.loc["municipality", "file"] == "krimpregio.csv"
    assert list(table["sha256"].str.len().unique()) == [64]
    assert list(table.index)[:2] == ["question", "model"]


# ---------------------------------------------------------------- the whole


def test_results_of_before_these_tables_have_the_sheets_that_apply(found: Result, tmp_path: Path) -> None:
    old = {name: table for name, table in found.tables.items() if name not in OURS}
    old["fiscal_rules"] = found.tables["fiscal_rules"].drop(columns="null_slack")
    path = tmp_path / "old.xlsx"
    path.write_bytes(workbook_bytes(replace(found, tables=old)))
    names = opened(path, False).sheetnames
    absent = {"Meerjarenbegroting", "Taakvelden", "Stand-instroom-uitstroom"}
    assert not absent & set(names)
    assert {"Begrotingstoetsen", "Kosten-baten", "Gegevens en prijspeil"} <= set(names)
    page = sheet(path, "Begrotingstoetsen")
    below = page.cell(line(page, "F1", 0)[0].row + 1, 6)
    assert below.value in ("voldoet", "voldoet niet")  # the word alone: its room was not kept then


def test_in_english_and_the_same_bytes_twice(found: Result) -> None:
    english = replace(found, language="en")
    assert workbook_bytes(english) == workbook_bytes(english)


@pytest.mark.desktop
def test_libreoffice_calculates_the_same(check_recalculated: Callable[[Path], int], book: Path) -> None:
    assert check_recalculated(book) > 5000
