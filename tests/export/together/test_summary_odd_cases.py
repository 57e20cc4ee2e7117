"""The summary where little or nothing changes: it says nothing that these numbers do not bear."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import openpyxl
import pandas as pd
import pytest

from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.sheets.answers import answers
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

Results = Mapping[str, Result]
NL = Labels("nl")


def said(result: Result, key: str) -> str:
    return " ".join(answers(with_shown_names(result), NL)[key])


def changed(result: Result, factor: float) -> Result:
    """The same advice, with every difference from now a factor smaller."""
    found = {}
    for name in ("ledger", "ledger_years", "perspective_totals", "pay_back_years", "return"):
        table = result.tables[name]
        columns = table.columns.intersection(["difference", "cumulative", "cumulative_discounted"])
        found[name] = table.assign(**{column: factor * table[column] for column in columns})
    table = result.tables["allocation"]
    null = table.loc[table["allocation"] == "null", "value"].to_numpy()
    moved = table["allocation"] == "advice"
    values = table["value"].copy()
    values[moved] = null + factor * (values[moved].to_numpy() - null)
    best = result.figures["null_objective"] + factor * result.figures["improvement"]
    figures = {"objective": best, "improvement": factor * result.figures["improvement"]}
    return result.with_tables(**found, allocation=table.assign(value=values)).with_figures(**figures)


@pytest.mark.parametrize("factor", [0.0, 1e-13])
def test_an_advice_to_go_on_as_now_changes_nothing(results: Results, factor: float) -> None:
    same = changed(results["advice"], factor)
    assert "levert evenveel op als doorgaan zoals nu" in said(same, "advice")
    cost = said(same, "cost")
    assert "Er verandert niets." in cost
    assert "anders verdeeld" not in cost
    assert "dus er valt niets terug te verdienen" in cost
    assert said(same, "gain") == "Geen enkele partij wint of verliest."


def test_a_loss_is_called_a_loss(results: Results) -> None:
    worse = changed(results["advice"], -1.0)
    found = with_shown_names(worse).with_tables(constraints=pd.DataFrame())
    assert "minder op dan doorgaan zoals nu" in " ".join(answers(found, NL)["advice"])
    assert "levert niet meer op" not in said(worse, "advice")


def test_the_same_total_but_for_what_a_search_leaves_is_the_same(results: Results) -> None:
    """Decisions that move while their sum does not: `0.00001 more` is no amount to tell a council."""
    table = results["advice"].tables["allocation"]
    other = table.assign(
        variable="andere post", value=10.0 - table["value"] + 1e-7 * (table["allocation"] == "advice")
    )
    periods = results["advice"].tables["decisions"]
    both = results["advice"].with_tables(
        allocation=pd.concat([table, other]),
        decisions=pd.concat([periods, periods.assign(decision="andere post", variable="andere post")]),
    )
    assert "evenveel als nu: 20,0 mln euro. Het geld wordt anders verdeeld." in said(both, "cost")


def test_spending_says_its_prices_and_pay_back_its_horizon(results: Results) -> None:
    level = {"convention": "price level", "method": "2024", "constant": None, "value": 2024.0}
    level |= {"unit": "Year", "source": "", "status": "judgement", "note": ""}
    cost = said(results["advice"].with_tables(conventions=pd.DataFrame([level])), "cost")
    assert "In vaste prijzen van 2024; alle jaren tellen even zwaar." in cost
    last = int(results["advice"].tables["pay_back_years"]["year"].max())
    assert f"tot en met {last}" in cost.lower()


def test_what_is_not_split_is_no_party_that_gains(results: Results) -> None:
    ledger = results["advice"].tables["ledger"]
    rest = ledger.iloc[:1].assign(pocket="not split", kind="end value", difference=1000.0)
    told = results["advice"].with_tables(ledger=pd.concat([ledger, rest]))
    assert "niet verdeeld" not in said(told, "gain")
    sheet = openpyxl.load_workbook(BytesIO(workbook_bytes(told)))["Samenvatting"]
    assert "niet verdeeld: de waarde aan het einde" in [row[0].value for row in sheet.iter_rows()]
