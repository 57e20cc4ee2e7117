"""The workbook as another reader (openpyxl) sees it."""

import io
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import openpyxl
import pandas as pd
import pytest

from sdopt.errors import ExportError
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

DUTCH = [
    "Leeswijzer", "Samenvatting", "Kerncijfers", "Verdeling per jaar", "Kosten-baten", "Grafieken",
    "Voorraden", "Grenzen", "Aannames", "Gegevens en prijspeil", "Zoeken en bewijs", "Bereiken", "Run",
]  # fmt: skip
EVIL = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://example.org")',
    "http://example.org",
    "{=1}",
    "1e5",
    "007",
)


def opened(result: Result, *, values: bool = True) -> Any:
    """The workbook in openpyxl, with stored values or with formulas."""
    return openpyxl.load_workbook(io.BytesIO(workbook_bytes(result)), data_only=values)


def all_cells(book: Any) -> Iterator[Any]:
    """Every cell that holds something."""
    return (cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None)


def rows_of(sheet: Any) -> list[list[Any]]:
    """The values of a sheet, row by row."""
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_has_all_sheets_in_order_and_opens_on_the_summary(result: Result) -> None:
    book = opened(result)
    assert book.sheetnames == DUTCH
    assert book.active.title == "Samenvatting"


def test_speaks_english_on_request(make_result: Callable[..., Result]) -> None:
    book = opened(make_result(language="en"))
    assert book.sheetnames[:4] == ["Reading guide", "Summary", "Key figures", "Allocation per year"]
    words = {str(cell.value) for cell in all_cells(book)}
    assert not words & {"Verschil", "Advies", "Totaal", "ja", "nee"}


def test_other_language_is_refused(make_result: Callable[..., Result]) -> None:
    with pytest.raises(ExportError, match='found "fr"; allowed: nl, en'):
        workbook_bytes(make_result(language="fr"))


def test_sheets_that_do_not_apply_are_absent(result: Result) -> None:
    empty = result.tables["search"].iloc[:0]
    tables = {"allocation": result.tables["allocation"], "search": empty}
    book = opened(replace(result, tables=tables, status=Status.SIMULATED))
    assert book.sheetnames == [
        *("Leeswijzer", "Samenvatting", "Kerncijfers", "Verdeling per jaar", "Bereiken", "Run"),
    ]


def test_without_any_table_it_still_opens(result: Result) -> None:
    names = opened(replace(result, tables={}, figures={})).sheetnames
    assert names == ["Leeswijzer", "Samenvatting", "Bereiken", "Run"]


def test_allocation_equals_the_table(result: Result) -> None:
    rows = rows_of(opened(result)["Verdeling per jaar"])
    years = next(row for row in rows if row[0] == "Beslissing")[1:-1]
    table = result.tables["allocation"]
    for word, key in (("Nu (nulalternatief)", "null"), ("Advies", "advice")):
        start = next(place for place, row in enumerate(rows) if row[0] == word)
        for row in rows[start + 1 : start + 5]:
            chosen = table[(table["allocation"] == key) & (table["variable"] == row[0])].set_index("time")[
                "value"
            ]
            assert row[1:-1] == pytest.approx([chosen[float(year)] for year in years], rel=1e-14)
            assert row[-1] == pytest.approx(chosen.loc[2027.0:2030.0].sum(), rel=1e-12)


def test_stored_totals_and_shares_are_right(result: Result) -> None:
    rows = rows_of(opened(result)["Verdeling per jaar"])
    at = {row[0]: place for place, row in enumerate(rows) if row[1] is None and row[0]}
    null, advice, change, share = (
        rows[at[name] + 1 : at[name] + 6]
        for name in ("Nu (nulalternatief)", "Advies", "Verschil", "Verschil in %")
    )
    for before, after, difference, part in zip(null, advice, change, share, strict=True):
        assert before[0] == after[0] == difference[0] == part[0]
        for old, new, delta, fraction in zip(before[1:], after[1:], difference[1:], part[1:], strict=True):
            assert delta == (pytest.approx(new - old) if abs(new - old) >= 0.005 else 0)
            assert (fraction or 0) == (pytest.approx((new - old) / old, abs=0.0005) if old else 0)
    assert null[4][0] == "Totaal"
    assert null[4][1:] == pytest.approx(
        [sum(column) for column in zip(*(row[1:] for row in null[:4]), strict=True)]
    )


def test_zero_budget_gives_no_division_error(result: Result) -> None:
    rows = rows_of(opened(result)["Verdeling per jaar"])
    shares = rows[next(place for place, row in enumerate(rows) if row[0] == "Verschil in %") :]
    debt_help = next(row for row in shares if row[0] == "debt help budget")
    assert all(not value for value in debt_help[1:])


def test_totals_are_live_formulas(result: Result) -> None:
    formulas = opened(result, values=False)
    found = [cell.value for cell in all_cells(formulas) if cell.data_type == "f"]
    # those of the summary: now and advice; a row per decision and their total have a difference and a share
    assert sum(text.startswith("=SUM(") for text in found) == 2 * (4 + 12) + 2
    assert sum(text.startswith("=AVERAGE(") for text in found) == 2 * 4
    # share and difference: of the allocation and of the return as a whole and its 4 parts; difference: of
    # the stocks, and the improvement among the key figures
    assert sum(text.startswith("=IF(ABS(") for text in found) == 5 * 12 + 5 + 4 * 11 + 1 + 5
    assert sum('=0,"",ROUND(' in text for text in found) == 5 * 12 + 5 + 5
    assert {cell.parent.title for cell in all_cells(formulas) if cell.data_type == "f"} == {
        "Samenvatting", "Kerncijfers", "Verdeling per jaar", "Voorraden", "Kosten-baten",
    }  # fmt: skip


def test_units_that_differ_have_no_total(result: Result) -> None:
    table = result.tables["allocation"]
    table = table.assign(unit=["fte" if name.startswith("debt") else "EUR" for name in table["variable"]])
    sheet = opened(result.with_tables(allocation=table))["Verdeling per jaar"]
    first_column = [row[0] for row in rows_of(sheet)]
    assert "Totaal" not in first_column
    assert "Geen totaal: de eenheden verschillen." in first_column


def test_key_figures_equal_the_figures(result: Result) -> None:
    rows = {row[0]: row[1] for row in rows_of(opened(result)["Kerncijfers"])}
    assert rows["Rendement van het advies"] == pytest.approx(result.figures["objective"], rel=1e-14)
    assert rows["Rendement als alles blijft zoals nu"] == pytest.approx(
        result.figures["null_objective"], rel=1e-14
    )
    assert rows["Verbetering door het advies"] == pytest.approx(result.figures["improvement"], rel=1e-12)
    assert rows["Hoogst mogelijke rendement (bovengrens)"] == pytest.approx(
        result.figures["bound"], rel=1e-14
    )
    assert rows["Hoogstens nog te winnen"] == pytest.approx(21_300, rel=1e-9)
    assert rows["Hetzelfde, als deel van wat te winnen valt"] == pytest.approx(
        result.figures["gap"], rel=1e-14
    )


def test_without_bound_the_key_figures_say_so(result: Result) -> None:
    none = {"bound": None, "gap": math.nan, "gap_euro": None, "gap_amount": None}
    local = replace(result.with_figures(**none), status=Status.LOCAL)
    rows = rows_of(opened(local)["Kerncijfers"])
    bound = next(row for row in rows if row[0] == "Hoogst mogelijke rendement (bovengrens)")
    assert bound[1] == "n.v.t."
    assert bound[3] == "Er is geen bovengrens."
    assert any("geen volledig bewijs" in str(row[0]) for row in rows)
    search = rows_of(opened(local)["Zoeken en bewijs"])
    assert next(row for row in search if row[0] == "Ronde")[:3] == ["Ronde", "Beste", None]


def test_a_gap_that_is_not_money_keeps_its_unit(result: Result) -> None:
    other = result.with_figures(objective_unit="QALY", gap_euro=None)
    row = next(row for row in rows_of(opened(other)["Kerncijfers"]) if row[0] == "Hoogstens nog te winnen")
    assert row[1:3] == [pytest.approx(0.0213), "QALY"]


def test_numbers_are_numbers_and_missing_is_empty(result: Result) -> None:
    rows = rows_of(opened(result)["Aannames"])
    inhabitants = next(row for row in rows if row[0] == "inhabitants")
    assert inhabitants[1:4] == [100000.0, None, None]
    assert inhabitants[11] is None


def test_no_input_becomes_formula_link_or_number(result: Result) -> None:
    allocation, constraints = result.tables["allocation"], result.tables["constraints"].copy()
    assumptions = result.tables["assumptions"].copy()
    names = dict(zip(allocation["variable"].unique(), EVIL, strict=False))
    assumptions["note"] = assumptions["source"] = EVIL[4:7]
    constraints["constraint"] = [EVIL[place % len(EVIL)] for place in range(len(constraints))]
    tables = {
        "allocation": allocation.replace({"variable": names}),
        "constraints": constraints,
        "assumptions": assumptions,
    }
    evil = replace(result.with_tables(**tables), title="=cmd|' /C calc'!A0")
    content = workbook_bytes(evil)
    book = openpyxl.load_workbook(io.BytesIO(content))
    ours = (
        "=SUM(",
        "=AVERAGE('Verdeling per jaar'!",
        "=IF(",
        "=ROUND(",
        "=B",
        "=C",
        "=D",
        "=E",
        "=F",
        "=G",
        "=H",
        "=I",
        "=J",
        "=K",
        "=L",
        "=M",
        "=N",
    )
    formulas = {cell.value for cell in all_cells(book) if cell.data_type == "f"}
    assert not formulas & set(EVIL)
    assert all(text.startswith(ours) for text in formulas)
    links = [cell for cell in all_cells(book) if cell.hyperlink]
    assert {cell.parent.title for cell in links} == {"Leeswijzer"}
    assert not any(cell.hyperlink.target for cell in links)  # to sheets of the workbook itself
    strings = {cell.value for cell in all_cells(book) if cell.data_type == "s"}
    assert set(EVIL[:7]) | {evil.title} <= strings
    assert not any("externalLink" in name for name in zipfile.ZipFile(io.BytesIO(content)).namelist())


def test_text_that_xml_cannot_hold_still_opens(result: Result) -> None:
    strange = "nul \x00 bel \x07 niets \uffff eind"
    table = result.tables["assumptions"].assign(note=strange)
    rows = rows_of(opened(replace(result.with_tables(assumptions=table), title=strange))["Aannames"])
    assert rows[4][11] == "nul \ufffd bel \ufffd niets \ufffd eind"


def test_same_result_gives_the_same_bytes(make_result: Callable[..., Result]) -> None:
    first, second = workbook_bytes(make_result()), workbook_bytes(make_result())
    assert first == second
    assert first != workbook_bytes(make_result(title="Anders"))


def test_has_native_charts(result: Result) -> None:
    names = zipfile.ZipFile(io.BytesIO(workbook_bytes(result))).namelist()
    assert sum(name.startswith("xl/charts/chart") for name in names) == 1 + 2 + 4 + 1 + 1


def test_no_number_shows_as_minus_zero(result: Result) -> None:
    table = result.tables["allocation"]
    noise = [
        value - 1e-4 * (key == "advice")
        for key, value in zip(table["allocation"], table["value"], strict=True)
    ]
    book = opened(result.with_tables(allocation=table.assign(value=noise)))
    numbers = [cell for cell in all_cells(book) if cell.data_type == "n" and cell.value < 0]
    assert len(numbers) > 50
    for cell in numbers:
        digits = re.match(r"[+-]?(?:#,##)?0(?:\.(0+))?(%?)", cell.number_format)
        if digits and "E" not in cell.number_format:
            assert round(cell.value, len(digits[1] or "") + 2 * len(digits[2])) != 0, cell.coordinate


def test_a_number_that_formulas_add_up_is_kept_and_never_shows_as_minus_zero(make_result: Any) -> None:
    both = {"effect": "care", "variable": "v", "label": "care", "kind": "cost", "cash": True, "unit": "EUR"}
    rows = [("municipality", -0.001), ("residents", 12.5)]
    ledger = pd.DataFrame(
        [{**both, "pocket": pocket, "null": 0.0, "advice": sum_, "difference": sum_} for pocket, sum_ in rows]
    )
    result, years = make_result(), ledger.assign(year=2027)
    book = opened(result.with_tables(ledger=ledger, ledger_years=years))
    small = [cell for cell in all_cells(book) if cell.value == -0.001]
    assert small
    assert {cell.number_format for cell in small} == {"[>=0.005]+#,##0.00;[<=-0.005]-#,##0.00;0.00"}


def test_prints_one_page_wide_with_headers_in_sight(result: Result) -> None:
    for sheet in opened(result):
        wide = sheet.title in (
            *("Leeswijzer", "Verdeling per jaar", "Voorraden", "Grenzen", "Aannames"),
            "Gegevens en prijspeil",
        )
        assert sheet.page_setup.orientation == ("landscape" if wide else "portrait")
        # a chart on a page of its own sheet is never cut in two
        one_page = sheet.title in (*("Samenvatting", "Kerncijfers", "Verdeling per jaar", "Grafieken"),)
        assert (sheet.page_setup.fitToHeight in (None, 1)) == one_page, sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToWidth in (None, 1)  # 1 is the default
        assert sheet.print_area
        assert len(sheet.title) <= 31
    frozen = {sheet.title: sheet.freeze_panes for sheet in opened(result) if sheet.freeze_panes}
    assert frozen == {
        "Verdeling per jaar": "B5", "Voorraden": "C5", "Grenzen": "B5", "Aannames": "B5", "Bereiken": "B5",
        "Run": "B5",
    }  # fmt: skip


def test_number_formats_are_us_codes(result: Result) -> None:
    formats = {cell.number_format for cell in all_cells(opened(result)) if cell.data_type == "n"}
    assert len(formats) > 5
    part = r"[+-]?(#,##)?0(\.0+)?(%|E\+00)?"
    assert all(re.fullmatch(rf"General|{part}(;{part};{part})?", code) for code in formats), formats


def test_many_years_many_decisions_and_subscripts(result: Result) -> None:
    table = result.tables["allocation"].iloc[:1]
    rows = [
        table.assign(
            allocation=key, variable=f"budget {number}", subscript=place, time=float(year), value=1.0
        )
        for key in ("null", "advice")
        for number in range(12)
        for place in ("noord", "zuid")
        for year in range(2026, 2052)
    ]
    book = opened(result.with_tables(allocation=pd.concat(rows, ignore_index=True)))
    names = {row[0] for row in rows_of(book["Verdeling per jaar"])}
    assert {"budget 0[noord]", "budget 11[zuid]"} <= names
    assert book["Verdeling per jaar"].page_setup.paperSize == 8
