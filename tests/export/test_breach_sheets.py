"""What readers of a sweep see of limits, of who gains, and of external scenarios that look alike."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from sdopt.export.breach_words import breach_lines
from sdopt.export.figures import Figure, figures_of
from sdopt.export.labels import Labels
from sdopt.export.measured import measured_line
from sdopt.export.sheets.breaches import gain_lines
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

FORMULA = "=1+1"
WORLDS = ("as now", "slump", "boom")


def limit_rows(broken: float, null: float, limit: str = "", external: str = "") -> dict[str, Any]:
    own = {
        "allocation": "advice",
        "external": external,
        "limit": limit,
        "broken": broken,
        "null_broken": null,
    }
    ends = {"broken_low": max(broken - 0.1, 0), "broken_high": min(broken + 0.1, 1)}
    far = {"passed_q50": 2.5, "passed_q90": 9.0} if limit and broken else {}
    when = {"first_year": 2027, "last_year": 2030, "measure": "year_end" if limit else ""}
    return {
        "passed_q50": None,
        "passed_q90": None,
        **own,
        **ends,
        **far,
        **when,
        "unit": "Person" if limit else "",
    }


def limits(shares: Iterable[tuple[str, float, float]], external: str = "") -> pd.DataFrame:
    rows = [limit_rows(broken, null, limit, external) for limit, broken, null in shares]
    beside = [{**limit_rows(null, null, limit, external), "allocation": "null"} for limit, _, null in shares]
    table = pd.DataFrame([*beside, *rows])
    return table.astype({"passed_q50": float, "passed_q90": float})


def stocks(share: float, null: float) -> pd.DataFrame:
    ends = {"empty_low": share - 0.05, "empty_high": share + 0.05, "null_empty": null}
    named = {"allocation": "advice", "external": "", "variable": "Reserve", "subscript": ""}
    return pd.DataFrame([{**named, "time": 2042.0, "empty": share, **ends}])


def result(**tables: pd.DataFrame) -> Result:
    figures = {
        "objective_unit": "million EUR", "objective_name": "gain", "counted_years": [2027, 2042],
        "discount_rates": [0.028], "price_level": "2024", "end_value_counts": True, "design": "sobol",
        "draws": 8, "external_scenarios": 3, "runs": 48, "failed_runs": 0,
    }  # fmt: skip
    return Result(Status.SIMULATED, "t", "nl", figures, dict(tables), {"base_year": 2027, "labels": {}})


def test_what_happens_with_and_without_the_advice_is_said_in_one_breath() -> None:
    """By rule from the shares: alike, apart, seldom."""
    table = limits([("", 0.86, 0.81), ("Floor", 0.80, 0.82), ("Balance", 0.6, 0.8), ("Seldom", 0.01, 0.02)])
    lines = breach_lines(result(limits=table, empty_stocks=stocks(0.78, 0.80)), Labels("nl"))
    assert lines[0] == (
        "Met dit advies wordt in 86 % van de toekomsten ten minste één grens overschreden; zonder nieuw "
        "beleid in 81 %."
    )
    assert lines[1].startswith(
        "Floor (2027-2030): overschreden in 80 % van de toekomsten, met of zonder dit advies (zonder: 82 %)."
    )
    assert (
        "in de helft van die gevallen hoogstens 2,5 personen, in negen van de tien hoogstens 9,0" in lines[1]
    )
    assert lines[2].startswith(
        "Balance (2027-2030): overschreden in 60 % van de toekomsten met dit advies, in 80 % zonder nieuw "
        "beleid."
    )
    assert lines[3] == (
        "Reserve is op (nul of minder) in 2042 in 78 % van de toekomsten, met of zonder dit advies (zonder: "
        "80 %)."
    )
    assert lines[4].startswith("Een grens geldt alleen in de jaren die erbij staan, uiterlijk 2030.")
    assert len(lines) == 5
    apart = breach_lines(result(limits=table, empty_stocks=stocks(0.3, 0.8)), Labels("en"))
    assert apart[3] == (
        "Reserve has run out (zero or less) in 2042 in 30 % of the futures under this advice, in 80 % "
        "without new policy."
    )


def conclusions(kind: str) -> pd.DataFrame:
    own = {"allocation": "advice", "against": "null", "kind": kind, "words": "", "hangs_on": ""}
    return pd.DataFrame([{**own, "failed": 0.0, "q10": 1.0, "q90": 2.0}])


def figures(shown: Result) -> dict[str, Figure]:
    return {one.key: one for one in figures_of(shown, Labels("nl"))}


@pytest.mark.parametrize(
    ("kind", "broken", "said"),
    [
        ("clearly better", 0.86, "Advies (duidelijk beter): beter dan nu in"),
        ("uncertain", 0.86, "Advies (onzeker of het beter is): beter dan nu in"),
    ],
)
def test_the_title_of_the_picture_is_the_rule_with_the_limits(kind: str, broken: float, said: str) -> None:
    curve = pd.DataFrame({"allocation": "advice", "share": [0.1, 0.9], "value": [1.0, 2.0], "unit": "EUR"})
    planted = result(curve=curve, conclusions=conclusions(kind), limits=limits([("", broken, 0.81)]))
    title = figures(planted)["improvement"].title
    assert title.startswith(said)
    assert title.endswith("; een grens wordt overschreden in 86 % (nu: 81 %) van de toekomsten")
    free = planted.with_tables(limits=limits([("", 0.0, 0.0)]))
    assert "grens" not in figures(free)["improvement"].title


def swings(apart: dict[str, float]) -> pd.DataFrame:
    """Two constants in some external scenarios, in which they swing so much more."""
    rows = [
        {"external": world, "allocation": "advice", "factor": factor, "low": 0.0, "high": 1.0,
         "factor_unit": "Dmnl", "central": 5.0, "at_low": 5.0 - swing - more, "at_high": 5.0,
         "swing": swing + more, "reason": "", "unit": "million EUR"}
        for world, more in apart.items()
        for factor, swing in ((FORMULA, 4.0), ("price", 2.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_external_scenarios_that_look_alike_share_a_figure_and_the_others_are_counted() -> None:
    alike = figures(result(tornado=swings({"a": 0, "b": 0.001, "c": 1})))["tornado"].title
    assert alike.endswith("(a; b)")
    many = figures(result(tornado=swings({"a": 0, "b": 0.001, "c": 1, "d": 2, "e": 3})))
    titles = [one.title for key, one in many.items() if key.startswith("tornado")]
    assert len(titles) == 3
    assert all(one.endswith("(getoond: 4 van de 5 externe scenario's)") for one in titles)


def test_stocks_over_all_futures_say_what_they_leave_out() -> None:
    rows = [
        {"allocation": name, "variable": f"output {k}", "subscript": "", "time": time, "unit": "EUR",
         **dict(zip(("q05", "q25", "q50", "q75", "q95"), range(1, 6), strict=True))}
        for name in ("null", "advice", "b", "c")
        for k in range(8)
        for time in (2026.0, 2042.0)
    ]  # fmt: skip
    shown = figures(result(fan=pd.DataFrame(rows)))["stocks"]
    assert "Niet getoond: 2 van de uitkomsten en 1 van de verdelingen." in shown.description
    assert "in negen van de tien tussen 1,00 en 5,00" in shown.description
    assert {row[2] for row in shown.rows} == {"Nu (nulalternatief)", "Advies", "b"}


def sheet(shown: Result, name: str) -> list[list[Any]]:
    dot = BytesIO()
    Image.new("L", (1, 1)).save(dot, "png")
    pictures = dict.fromkeys(("stocks", "frontier"), dot.getvalue())
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(shown, pictures)))
    return [[cell.value for cell in row] for row in book[name].iter_rows()]


def drawn() -> pd.DataFrame:
    row = {"constant": "price", "unit": "EUR", "low": 0.0, "central": 0.5, "high": 1.0, "external": ""}
    return pd.DataFrame([{**row, "distribution": "uniform", "looked_at": True}])


def test_constants_are_listed_once_with_external_scenarios_beside_each_other() -> None:
    tornado = swings({"as now": 0.0, "slump": 0.001, "boom": 1.0})
    fixed = tornado[~((tornado["external"] == "as now") & (tornado["factor"] == "price"))]
    rows = sheet(result(drawn=drawn(), tornado=tornado), "Gevoeligheid")
    header = next(row for row in rows if "Verschil: boom" in row)
    assert "Verschil: slump" not in header
    at = header.index("Verschil")
    assert [row[0] for row in rows].count(FORMULA) == 2  # in the table of the chart, and in that with all
    own = [row for row in rows if row[0] == FORMULA][1]
    assert (own[at], own[header.index("Verschil: boom")]) == (4.0, 5.0)
    text = " ".join(str(row[0]) for row in rows)
    assert "In slump is 'Verschil' op de getoonde cijfers overal gelijk aan as now" in text
    assert "Waarom geen getal" not in header
    rows = sheet(result(drawn=drawn(), tornado=fixed), "Gevoeligheid")
    header = next(row for row in rows if "Verschil: boom" in row)
    own = next(row for row in rows if row[0] == "price")  # where it is fixed it has a range and no swing
    assert (own[header.index("Hoog")], own[at], own[header.index("Verschil: boom")]) == (1.0, None, 3.0)


def gains(pockets: dict[str, tuple[float, float, float]]) -> pd.DataFrame:
    rows = [
        {"allocation": "advice", "kind": "pocket", "party": name, "mean": mean, "error": 0.1, "q10": mean - 1,
         "q50": mean, "q90": mean + 1, "wins": wins, "wins_low": wins, "wins_high": wins, "pays": pays,
         "pays_low": pays, "pays_high": pays, "unit": "million EUR"}
        for name, (mean, wins, pays) in pockets.items()
    ]  # fmt: skip
    return pd.DataFrame([*rows, {**rows[0], "kind": "perspective", "party": "everybody", "mean": 9.0}])


def distribution(mean: float) -> pd.DataFrame:
    ends = {f"{key}{end}": 0.9 for key in ("positive", "keeps") for end in ("", "_low", "_high")}
    points = dict.fromkeys(("q05", "q25", "q50", "q75", "q95"), mean)
    row = {"allocation": "advice", "external": "", "scenarios": 8, "failed": 0, "mean": mean, "error": 0.1}
    return pd.DataFrame([{**row, **points, **ends, "unit": "million EUR"}])


POCKETS = {"municipality": (12.0, 1.0, 0.0), "State": (-1.0, 0.0, 1.0), FORMULA: (-0.5, 0.4, 0.6)}


def test_who_wins_and_pays_is_listed_and_adds_up() -> None:
    table = gains({**POCKETS, "nobody": (0.0, 0.0, 0.0)})
    assert gain_lines(result(gains=table), Labels("nl")) == [
        "Met dit advies wint, in minstens 95 van de 100 toekomsten: gemeente (gemiddeld +12,0 mln euro).",
        "Er betaalt, in minstens 95 van de 100 toekomsten: Rijk/UWV (gemiddeld -1,0 mln euro).",
        f"Kan beide kanten op: {FORMULA} (gemiddeld -0,5 mln euro).",
    ]
    share = limits([("", 0.86, 0.81)])
    whole = result(drawn=drawn(), gains=table, distribution=distribution(10.5), limits=share)
    rows = sheet(whole, "Onzekerheid")
    assert next(row for row in rows if row[0] == "Totaal")[2] == pytest.approx(10.5)
    assert not [row for row in rows if str(row[0]).startswith("Let op")]
    header = next(row for row in rows if "Kans dat een grens breekt" in row)
    own = rows[rows.index(header) + 1]
    at = header.index("Kans dat een grens breekt")
    assert (own[at], own[at + 1]) == (0.86, 0.81)
    less = sheet(whole.with_tables(distribution=distribution(9.0)), "Onzekerheid")
    assert [row for row in less if str(row[0]).startswith("Let op, Advies: de partijen samen")]


@pytest.mark.parametrize(
    ("wins", "pays", "nl", "en"),
    [
        (0.95, 0.05, "Met dit advies wint, in minstens 95 van", "Under this advice these win, in at least"),
        (0.05, 0.95, "Er betaalt, in minstens 95 van", "These pay, in at least"),
        (0.9, 0.05, "Kan beide kanten op:", "May go either way:"),
        (0.6, 0.0, "Wint in een deel van de toekomsten en betaalt in geen", "Win in some of the futures and"),
        (0.0, 0.6, "Betaalt in een deel van de toekomsten en wint in geen", "Pay in some of the futures and"),
    ],
)  # fmt: skip
def test_who_never_pays_or_never_wins_is_not_said_to_go_both_ways(
    wins: float, pays: float, nl: str, en: str
) -> None:
    planted = result(gains=gains({"pocket": (1.0, wins, pays)}))
    for language, said in (("nl", nl), ("en", en)):
        (line,) = gain_lines(planted, Labels(language))
        assert line.startswith(said)
    assert gain_lines(result(gains=gains({"pocket": (0.0, 0.0, 0.0)})), Labels("nl")) == []


@pytest.mark.parametrize(("failed", "sound"), [(0, ""), (15, " met een uitkomst")])
def test_never_is_said_of_the_futures_that_gave_an_outcome(failed: int, sound: str) -> None:
    shares = limits([("", 0.0, 0.0), ("Never", 0.0, 0.0)])
    who = gains({"a": (1.0, 0.6, 0.0), "b": (1.0, 1.0, 0.0)})
    planted = result(drawn=drawn(), limits=shares, gains=who, distribution=distribution(2.0))
    planted = planted.with_figures(failed_runs=failed)
    texts = [str(row[0]) for row in sheet(planted, "Onzekerheid")]
    assert f"In geen enkele toekomst{sound} overschreden: Never." in texts
    for start in (
        f"Met dit advies wint, in minstens 95 van de 100 toekomsten{sound}: b",
        f"Wint in een deel van de toekomsten{sound} en betaalt in geen enkele: a",
    ):
        assert any(text.startswith(start) for text in texts)


def test_limits_on_the_sheet_have_now_beside_them_their_size_and_every_external_scenario() -> None:
    shares = [("", 0.86, 0.81), (FORMULA, 0.5, 0.0), ("Never", 0.0, 0.0)]
    parts = [limits(shares, world) for world in ("", *WORLDS)]
    planted = result(drawn=drawn(), limits=pd.concat(parts), distribution=distribution(1.0))
    rows = sheet(planted, "Onzekerheid")
    header = next(row for row in rows if "Hoe ver, midden" in row)
    own = next(row for row in rows if row[:2] == [FORMULA, "Advies"])
    found = dict(zip(header, own, strict=True))
    assert (found["Kans op overschrijding"], found["Idem nu"]) == (0.5, 0.0)
    assert (found["Hoe ver, midden"], found["Hoe ver, 90 %"], found["Eenheid"]) == (2.5, 9.0, "personen")
    assert (found["Jaren"], found["Gemeten als"]) == ("2027-2030", "einde van het jaar")
    assert [row for row in rows if row[0] == "In geen enkele toekomst overschreden: Never."]
    worlds = next(row for row in rows if "slump" in row)
    assert worlds[2:6] == ["alle samen", *WORLDS]
    last = [row for row in rows if row[:2] == [FORMULA, "Advies"]][-1]
    assert last[2:6] == [0.5] * 4


def test_the_sheet_says_what_was_measured() -> None:
    assert measured_line(result(), Labels("nl")) == (
        "Gemeten is gain: contante waarde in mln euro (prijzen van 2024), geteld van 2027 tot 2042 met "
        "daarbij de waarde die er aan het einde is, teruggerekend naar 2027 met 2,8 % per jaar."
    )
    assert measured_line(result().with_figures(objective_name=None), Labels("nl")) == ""
