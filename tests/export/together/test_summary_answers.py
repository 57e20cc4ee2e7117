"""The summary alone answers five questions, from whatever was run; its numbers are those of the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.sheets.answers import ASKED, answers, cumulative, moves_of
from sdopt.export.sheets.answers_sure import improvement_points
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

Results = Mapping[str, Result]
NL = Labels("nl")
HEADS = [
    "Wat is het advies?",
    "Wat kost het?",
    "Wie wint, en wie betaalt?",
    "Hoe zeker is dit?",
    "Wat kan er misgaan?",
]


@pytest.fixture(scope="module")
def books(results: Results) -> dict[str, bytes]:
    """Kind -> its workbook."""
    return {kind: workbook_bytes(results[kind]) for kind in ("advice", "sweep", "robust", "all")}


def page(book_bytes: bytes, *, values: bool = True) -> list[list[Any]]:
    """The summary; read_only: of all sheets this one alone is read."""
    book = openpyxl.load_workbook(BytesIO(book_bytes), data_only=values, read_only=True)
    return [list(row) for row in book["Samenvatting"].iter_rows(values_only=True)]


def block(rows: list[list[Any]], head: str) -> list[list[Any]]:
    """The rows of one answer."""
    start = next(k for k, row in enumerate(rows) if row[0] == head) + 1
    rest = [k for k, row in enumerate(rows) if row[0] in HEADS and k >= start]
    return rows[start : rest[0] if rest else len(rows)]


def said(result: Result) -> dict[str, str]:
    return {key: " ".join(lines) for key, lines in answers(with_shown_names(result), NL).items()}


@pytest.mark.parametrize("kind", ["advice", "sweep", "robust", "all"])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_five_headings_each_with_an_answer(
    results: Results, books: dict[str, bytes], kind: str, language: str
) -> None:
    result = Result(**{**vars(results[kind]), "language": language})
    content = books[kind] if language == results[kind].language else workbook_bytes(result)
    book = openpyxl.load_workbook(BytesIO(content), read_only=True)
    rows = [list(row) for row in book.worksheets[1].iter_rows(values_only=True)]
    labels = Labels(language)
    heads = [labels(f"ask.{key}") for key in ASKED]
    places = [next(k for k, row in enumerate(rows) if row[0] == head) for head in heads]
    assert places == sorted(places)
    for place in places:
        assert len(str(rows[place + 1][0])) > 20
    told = answers(with_shown_names(result), labels)
    for head, key in zip(heads, ASKED, strict=True):
        at = next(k for k, row in enumerate(rows) if row[0] == head) + 1
        assert [row[0] for row in rows[at : at + len(told[key])]] == told[key]
    assert not [cell for row in rows for cell in row if isinstance(cell, str) and "{" in cell]


def test_with_an_advice_alone_it_says_what_is_not_known_and_which_command_tells(results: Results) -> None:
    told = said(results["advice"])
    assert "Niet bekend is hoe vaak het advies beter is dan doorgaan zoals nu" in told["sure"]
    assert "`sdopt sweep`" in told["sure"]
    assert "Niet bekend is in welke toekomsten een grens wordt overschreden" in told["wrong"]
    assert "P10" not in told["sure"]
    everything = said(results["all"])
    assert "sdopt sweep" not in " ".join(everything.values())
    assert "Niet bekend" not in " ".join(everything.values())


def test_with_a_sweep_alone_it_says_where_the_advice_comes_from(results: Results) -> None:
    told = said(results["sweep"])
    assert "`sdopt optimise`" in told["advice"]
    assert "Over alle toekomsten staat de middelste vanaf 2027 blijvend in de plus" in told["cost"]
    older = {name: table for name, table in results["sweep"].tables.items() if name != "cumulative_band"}
    unknown = said(replace(results["sweep"], tables=older))["cost"]
    assert "`sdopt optimise --explain` rekent dat uit" in unknown


def test_the_conclusion_and_the_points_are_those_of_the_sweep(results: Results) -> None:
    told, points = said(results["all"]), improvement_points(results["all"])
    conclusions = results["sweep"].tables["conclusions"].set_index(["allocation", "against"])
    row = conclusions.loc[("advice", "null")]
    assert str(row["words"]) in told["sure"]
    middle = results["sweep"].tables["distribution"].query("allocation == 'advice' and external == ''")
    assert points == {"q10": row["q10"], "q50": middle["q50"].iloc[0], "q90": row["q90"]}
    assert f"P10 {NL.number(points['q10'], 1, sign=True)}" in told["sure"]
    assert "externe scenario's" in told["sure"]


def test_decisions_are_the_averages_of_the_sheet_with_the_years(
    results: Results, books: dict[str, bytes]
) -> None:
    result = results["all"]
    rows, formulas = page(books["all"]), page(books["all"], values=False)
    moves = moves_of(with_shown_names(result))
    assert moves is not None
    table = result.tables["allocation"].query("time >= 2027 and time <= 2028")
    means = table.groupby("allocation")["value"].mean()
    at = next(k for k, row in enumerate(rows) if row[0] == '=HYPERLINK("x")')
    assert rows[at][1:4] == pytest.approx([means["null"], means["advice"], means["advice"] - means["null"]])
    assert formulas[at][1] == "=AVERAGE('Verdeling per jaar'!C6:D6)"
    assert str(formulas[at][3]).startswith("=IF(ABS(")
    assert rows[at + 1][:3] == ["Totaal", pytest.approx(means["null"]), pytest.approx(means["advice"])]
    spent = NL.number(2 * means["advice"], 1)
    assert spent in said(result)["cost"]


def test_parties_are_those_of_the_ledger_and_add_up_to_the_improvement(
    results: Results, books: dict[str, bytes]
) -> None:
    result = results["all"]
    rows, formulas = (block(page(books["all"], values=values), HEADS[2]) for values in (True, False))
    sums = result.tables["ledger"].groupby("pocket", sort=False)["difference"].sum()
    start = next(k for k, row in enumerate(rows) if str(row[0]).startswith("Contante waarde")) + 1
    shown = [row[1] for row in rows[start : start + len(sums)]]
    assert shown == pytest.approx(sums.tolist())
    assert rows[start + len(sums)][0] == "Totaal"
    assert rows[start + len(sums)][1] == pytest.approx(result.figures["improvement"], rel=1e-9)
    assert all("'Wie betaalt, wie profiteert'!D" in row[1] for row in formulas[start : start + len(sums)])
    assert str(formulas[start + len(sums)][1]).startswith("=SUM(")
    wins = (
        result.tables["gains"].query("allocation == 'advice' and kind == 'pocket'").set_index("party")["wins"]
    )
    assert [row[2] for row in rows[start : start + len(sums)]] == pytest.approx(
        [wins[pocket] for pocket in sums.index]
    )


def test_with_a_sweep_alone_parties_are_its_means(results: Results, books: dict[str, bytes]) -> None:
    rows = block(page(books["sweep"]), HEADS[2])
    gains = results["sweep"].tables["gains"].query("allocation == 'advice' and kind == 'pocket'")
    start = next(k for k, row in enumerate(rows) if str(row[0]).startswith("Contante waarde")) + 1
    assert [row[1] for row in rows[start : start + len(gains)]] == pytest.approx(gains["mean"].tolist())


@pytest.mark.parametrize(
    ("yearly", "words"),
    [
        ((1.0, -0.5, 2.0), "vanaf het eerste jaar (2027) groter dan de kosten"),
        ((-1.0, 0.5, 2.0), "vanaf 2029 groter dan de kosten, en blijven dat tot en met 2029"),
        (
            (-1.0, 2.0, -3.0),
            "Tot en met 2029 zijn de opgetelde baten voor de samenleving niet blijvend groter",
        ),
    ],
)
def test_pay_back_by_rule(results: Results, yearly: tuple[float, ...], words: str) -> None:
    table = results["advice"].tables["ledger_years"].iloc[:3]
    table = table.assign(year=[2027.0, 2028.0, 2029.0], difference=yearly, pocket="municipality")
    kept = {k: v for k, v in results["advice"].tables.items() if k not in ("pay_back", "pay_back_years")}
    result = Result(**{**vars(results["advice"]), "tables": {**kept, "ledger_years": table}})
    summed = cumulative(result)
    assert summed is not None
    assert summed.tolist() == pytest.approx([yearly[0], yearly[0] + yearly[1], sum(yearly)])
    assert words in said(result)["cost"]


def test_limits_that_the_advice_breaks_more_often_are_named_first(results: Results) -> None:
    row = {"allocation": "advice", "external": "", "broken_low": 0.1, "broken_high": 0.9, "first_year": 2027}
    row |= {"last_year": 2028, "passed_q50": 1.0, "passed_q90": 2.0, "unit": "Person", "measure": "year_end"}
    shares = {"": (0.9, 0.8), "erger": (0.54, 0.0), "beter": (0.3, 0.6), "zelden": (0.01, 0.0)}
    import pandas as pd

    limits = pd.DataFrame(
        [{**row, "limit": name, "broken": one, "null_broken": now} for name, (one, now) in shares.items()]
    )
    told = said(results["sweep"].with_tables(limits=limits))["wrong"]
    assert "ten minste één grens" in told
    assert told.index("vaker dan nu overschreden: erger") < told.index("niet vaker dan nu: beter")
    assert "zelden" not in told


def test_a_search_without_a_bound_says_what_its_status_means(results: Results) -> None:
    figures = {"bound": None, "gap": None, "gap_amount": None, "gap_euro": None}
    local = Result(**{**vars(results["advice"].with_figures(**figures)), "status": Status.LOCAL})
    assert "geen volledig bewijs" in said(local)["sure"]
    assert "kan geen andere verdeling" in said(results["advice"])["sure"]


def test_without_any_table_every_question_says_that_it_is_not_known(results: Results) -> None:
    empty = Result(Status.SIMULATED, "Leeg", "nl", {}, {})
    told = said(empty)
    assert all("bekend" in told[key] or key == "advice" for key in ASKED)


def test_it_is_one_page(books: dict[str, bytes]) -> None:
    for content in books.values():
        sheet = openpyxl.load_workbook(BytesIO(content))["Samenvatting"]
        assert sheet.page_setup.fitToHeight in (None, 1)
        assert sheet.page_setup.fitToWidth in (None, 1)
        assert sheet.page_setup.orientation == "portrait"
        height = sum(d.height or 15.0 for d in sheet.row_dimensions.values())
        assert height < 1100  # points: readable when it is printed on one page


@pytest.mark.desktop
def test_libreoffice_calculates_the_same_in_one_workbook_of_all(
    books: dict[str, bytes], check_recalculated: Callable[[Path], int], tmp_path: Path
) -> None:
    path = tmp_path / "alles.xlsx"
    path.write_bytes(books["all"])
    assert check_recalculated(path) > 1000


def test_at_most_is_never_rounded_down(results: Results) -> None:
    told = said(results["advice"].with_figures(
        gap_euro=800.1786, gap_amount=0.0008001786, half_step_improvement=None
    ))  # fmt: skip
    assert "meer dan 801 euro extra" in told["sure"]
    table = (
        results["advice"]
        .tables["end_value"]
        .assign(advice_changes=True, regret=0.2961, regret_at_most=0.7901)
    )
    assert "hoogstens 0,80 mln euro" in said(results["advice"].with_tables(end_value=table))["wrong"]
    found = table.assign(regret_at_most=None)
    assert "geeft 0,30 mln euro meer" in said(results["advice"].with_tables(end_value=found))["wrong"]
