"""The figures: what they show equals the tables, names stay data, and nothing is there without its table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vl_convert

from sdopt.export.figures import Figure, figures_of, theme
from sdopt.export.figures.choices import CHOICE
from sdopt.export.figures.figure import ADVICE, NULL, OTHERS, VEGA_LITE, given, short_names
from sdopt.export.figures.look import DARK, LIGHT
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.result import Result

ROOT = Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:9/name"
HOSTILE = "</text><script>alert(1)</script>" + URL + "[x].y'\"\\ && now()"
PARTIES = ("municipality", "State", "insurers (Zvw)", "long-term care (Wlz)", "residents", "others")
EXPRESSIONS = ("calculate", "labelExpr", "expr", "test")
FIELDS = {
    *("q05", "q25", "q75", "q95"),
    "all", "at", "band", "chance", "end", "from", "head", "high", "high_said", "improvement", "kind", "label",
    "low", "low_said", "middle", "name", "now", "number", "order", "part", "point", "side", "text", "to",
    "turn_said", "unit", "used", "used_said", "value", "what", "when", "wins", "word", "year",
}  # fmt: skip


def uncertain_tables() -> dict[str, pd.DataFrame]:
    """What a sweep and a robust search give, small, in the units and columns of the real ones."""
    unit = "million EUR"
    shares = np.arange(0.05, 1, 0.1)
    curve = [("advice", s, -1 + 10 * s, unit) for s in shares] + [
        ("more", s, -5 + 6 * s, unit) for s in shares
    ]
    fan = [
        (
            kind,
            "people on bijstand",
            "",
            float(year),
            *(base + np.array([-9, -4, 0, 4, 9]) * (year - 2025)),
            "Person",
        )
        for kind, base in (("null", 100.0), ("advice", 90.0))
        for year in (2026, 2027, 2028)
    ]
    tornado = [
        (world, "advice", name, 4.0, low, high, abs(high - low), "", 0.0, 0.06, 0.15, "hour/EUR", unit)
        for world, shift in (("", 0.0), ("recession", 1.0))
        for name, low, high in ((f"{HOSTILE} a", 1.0, 6.0 + shift), ("b", 5.0, 3.0), ("c", 4.5, 4.2))
    ]
    gains = [
        (
            "advice",
            "pocket",
            party,
            1.0,
            0.1,
            value - 1,
            value,
            value + 1,
            win,
            0.0,
            1.0,
            1 - win,
            0.0,
            1.0,
            unit,
        )
        for party, value, win in (("municipality", 3.0, 1.0), ("residents", -2.0, 0.02), ("others", 0.1, 0.5))
    ]
    limits = [
        (kind, "", name, share, share, share, null, None, None, "", 2027, 2030, "")
        for kind, at in (("null", 1), ("advice", 0))
        for name, *pair in (("", 0.86, 0.81), (HOSTILE, 0.999, 0.1), ("never", 0.0, 0.0))
        for share, null in ((pair[at], pair[1]),)
    ]
    break_even = [
        ("as advised", "prevention", "success", "Dmnl", 0.0, 0.3, 0.6, 0.25, 0.3, True, "above", 0.3, 4.0),
        (
            "as advised",
            "prevention",
            "cost",
            "EUR/Person",
            100.0,
            200.0,
            400.0,
            350.0,
            0.9,
            True,
            "below",
            0.1,
            4.0,
        ),
        ("as advised", "care", "outside", "Dmnl", 0.0, 0.3, 0.6, 0.9, 1.0, False, "above", 1.0, 9.0),
        ("a little more", "care", "hours", "hour/EUR", 0.0, 0.3, 0.6, 0.1, 0.1, True, "above", 0.1, 9.0),
    ]
    drawn = [(kind, i, "", 0.1, float(v), unit) for kind, add in (("null", 0), ("advice", 1), ("cvar", 2))
             for i in range(10) for v in ((i - 3 + add) * (kind != "null"),)]  # fmt: skip
    measures = [
        (kind, 1.0, 2.0, low, low - 1, None, None, 0.1, 0.2, True, unit)
        for kind, low in (("null", 0.0), ("advice", -1.0), ("cvar", 0.5))
    ]
    price = [
        ("cvar", "central", -0.4, unit),
        ("cvar", "cvar", 1.5, unit),
        ("cvar", "largest_regret", None, unit),
    ]
    columns = {
        "curve": "allocation share value unit",
        "fan": "allocation variable subscript time q05 q25 q50 q75 q95 unit",
        "tornado": "external allocation factor central at_low at_high swing reason low central_value high"
        " factor_unit unit",
        "gains": "allocation kind party mean error q10 q50 q90 wins wins_low wins_high pays pays_low"
        " pays_high unit",
        "limits": "allocation external limit broken broken_low broken_high null_broken passed_q50 passed_q90"
        " unit first_year last_year measure",
        "break_even": "contrast decision constant unit low central high break_even share_below inside worth"
        " chance_not_worth spent",
        "robust_scenarios": "allocation scenario external probability improvement unit",
        "robust_measures": "allocation central expected cvar worst_case largest_regret largest_regret_at_most"
        " probability_of_loss any_limit_broken meets_limits unit",
        "robust_price": "allocation measure gained unit",
        "robust_limits": "allocation constraint broken_share allowed_share",
    }
    robust_limits = [
        ("null", HOSTILE, 0.0, None),
        ("advice", HOSTILE, 0.5, None),
        ("cvar", HOSTILE, 0.25, None),
    ]
    rows = {"curve": curve, "fan": fan, "tornado": tornado, "gains": gains, "limits": limits,
            "break_even": break_even, "robust_scenarios": drawn, "robust_measures": measures,
            "robust_price": price, "robust_limits": robust_limits}  # fmt: skip
    return {name: pd.DataFrame(rows[name], columns=found.split()) for name, found in columns.items()}


def explained_tables() -> dict[str, pd.DataFrame]:
    """A ledger, its years and an explanation."""
    unit, per_year = "million EUR", "million EUR/Year"
    ledger = [
        (effect, effect, party, "effect", True, 0.0, value, value, unit, f"{effect} {HOSTILE}")
        for effect, values in (
            ("care", (3.0, -1.0, 0.0, 0.25, -0.5, 0.0)),
            ("grant", (-1.0, 1.0, 0, 0, 0, 0)),
        )
        for party, value in zip(PARTIES, map(float, values), strict=True)
    ] + [("end", "end", "not split", "end value", False, 0.0, -0.25, -0.25, unit, "end")]
    years = [
        (key, year, up * 1.5, up, unit)
        for key in ("return", HOSTILE)
        for year, up in ((2027, -1.0), (2028, 0.5), (2029, 1.75))
    ]
    pay_back = [
        ("return", 2028.0, 2028.0, -1.0, 2027, 2.6, 1.75, unit),
        (HOSTILE, None, None, -1.0, 2027, 2.6, 1.75, unit),
    ]
    near = [
        (part, name, name, year, 3.0, 1.0, 2.0 - part, 4.0 + part, 5.0, per_year)
        for part in (0.01, 0.05)
        for name in ("prevention budget", "debt help budget")
        for year in (0, 2027)
    ]
    frontier = [
        (
            HOSTILE,
            "v",
            "end",
            "lower",
            point,
            4.0 - point,
            "Person",
            3.0 - point,
            3.0,
            0.0,
            point == 3,
            True,
            unit,
        )
        for point in range(4)
    ]
    shares = [
        (name, name, 1.0, share, share, share, 0.0, unit)
        for name, share in (("prevention", 2.0), (HOSTILE, -0.25))
    ]
    columns = {
        "ledger": "effect variable pocket kind cash null advice difference unit label",
        "pay_back_years": "perspective year cumulative cumulative_discounted unit",
        "pay_back": "perspective year year_discounted lowest lowest_year total total_discounted unit",
        "near_optimal": "within decision variable year value outer_low inner_low inner_high outer_high unit",
        "frontier": "aim variable measure better point value value_unit improvement bound gap dominated"
        " settled unit",
        "contributions": "decision variable change alone put_back share standard_error unit",
    }
    rows = {"ledger": ledger, "pay_back_years": years, "pay_back": pay_back, "near_optimal": near,
            "frontier": frontier, "contributions": shares}  # fmt: skip
    return {name: pd.DataFrame(rows[name], columns=found.split()) for name, found in columns.items()}


@pytest.fixture
def whole(result: Result) -> Result:
    """A result with every table that a figure is made from."""
    made = result.with_tables(**uncertain_tables(), **explained_tables())
    return made.with_figures(improvement=1.5, tail=0.1)


def of(result: Result, language: str = "nl") -> dict[str, Figure]:
    return {one.key: one for one in figures_of(replace(result, language=language), Labels(language))}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a spec that is not data."""
    if isinstance(value, dict):
        yield value
        for key, one in value.items():
            if key != "values":
                yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


def drawn_rows(figure: Figure) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = figure.spec["data"]["values"]
    return found


KEYS = {
    "allocation", "cumulative", "effects", "pockets", "stocks", "contributions", "near_optimal", "frontier",
    "improvement", "gains", "limits", "robust_limits", "tornado", "tornado_2", "break_even", "robust",
    "robust_price",
}  # fmt: skip


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_figure_says_what_it_shows(whole: Result, language: str) -> None:
    figures = of(whole, language)
    assert set(figures) == KEYS
    for one in figures.values():
        assert re.fullmatch(r"[a-z_]+\d*", one.key)
        assert one.title
        assert len(one.description) > 40
        assert one.spec["description"] == one.description
        assert set(one.source) <= set(whole.tables)
        assert one.rows
        assert all(len(row) == len(one.headers) for row in one.rows)
        assert all(cell is None or isinstance(cell, (str, int, float)) for row in one.rows for cell in row)
        json.dumps(one.spec, allow_nan=False)
        assert "title" not in one.spec


def test_the_words_are_in_the_language_asked_for(whole: Result) -> None:
    dutch, english = of(whole), of(whole, "en")
    assert (
        dutch["pockets"].title
        == "Grootste winst: gemeente (+2,00); grootste verlies: inwoners (-0,50); samen +1,50 mln euro"
    )
    assert (
        english["pockets"].title
        == "Largest gain: municipality (+2.00); largest loss: residents (-0.50); together +1.50 million EUR"
    )
    assert all(dutch[key].title != english[key].title for key in KEYS)
    assert english["cumulative"].title.startswith("From 2028 on the advice returns more")


def test_names_are_data_and_never_an_expression_or_a_field(whole: Result) -> None:
    plain = whole.with_tables(
        **{name: table.replace(HOSTILE, "plain", regex=False) for name, table in whole.tables.items()}
    )
    for figures in (of(whole), of(plain)):
        for one in figures.values():
            for node in nodes(one.spec):
                assert not {"url", "href", "lookup", "datasets"} & set(node)
                if isinstance(node.get("field"), str):
                    assert node["field"] in FIELDS, node["field"]
                for key in EXPRESSIONS:
                    assert "alert" not in str(node.get(key, "")), node
                if "filter" in node and isinstance(node["filter"], str):
                    assert node["filter"] == "picked == null || datum.name == picked"
                assert isinstance(node.get("data", {}), dict)
                assert set(node.get("data", {"values": []})) == {"values"}


@pytest.mark.parametrize("dark", [False, True])
def test_vega_lite_takes_every_figure_without_a_warning(
    whole: Result, dark: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    for one in of(whole).values():
        made = vl_convert.vegalite_to_vega(
            dict(one.spec), vl_version=VEGA_LITE, config=theme(dark), show_warnings=True
        )
        assert made["marks"]
    said = capfd.readouterr()
    assert "WARN" not in said.out + said.err


def test_the_allocation_is_that_of_the_table(result: Result) -> None:
    figure = of(result)["allocation"]
    table = result.tables["allocation"]
    shown = {(row["head"], row["name"], row["year"]): row["value"] for row in drawn_rows(figure)}
    words = {"null": "Nu (nulalternatief)", "advice": "Advies"}
    told = {(words[r.allocation], r.variable, int(r.time)): r.value for r in table.itertuples()}
    assert shown == pytest.approx(told)
    first = dict(zip(figure.headers, figure.rows[1], strict=True))
    assert first["Verdeling"] == "Advies"
    assert first["2028"] == told["Advies", "prevention budget", 2028]
    assert "re-integration budget (-1,5" in figure.title  # what loses most, by its mean over 2027-2030


def test_many_decisions_are_taken_together(result: Result) -> None:
    table = result.tables["allocation"]
    many = pd.concat(
        [
            table.assign(variable=name, subscript=f"wijk {place}")
            for name in ("prevention", "care")
            for place in range(9)
        ]
    )
    values = many.groupby(["allocation", "time"])["value"].sum()
    figure = of(result.with_tables(allocation=many))["allocation"]
    assert {row["name"] for row in drawn_rows(figure)} == {"prevention (9)", "care (9)"}
    found = pd.DataFrame(drawn_rows(figure)).groupby(["head", "year"])["value"].sum()
    assert found["Advies", 2028] == pytest.approx(values["advice", 2028.0])
    loose = pd.concat([table.assign(variable=f"{name} {k}") for k in range(5) for name in ("a", "b")])
    names = {row["name"] for row in drawn_rows(of(result.with_tables(allocation=loose))["allocation"])}
    assert len(names) == 9
    assert "overige (2)" in names


def test_decisions_in_other_units_have_a_figure_of_their_own(result: Result) -> None:
    table = result.tables["allocation"]
    hours = table["variable"] == "prevention budget"
    mixed = table.assign(unit=table["unit"].where(~hours, "hour/Year"))
    figures = of(result.with_tables(allocation=mixed))
    assert {row["name"] for row in drawn_rows(figures["allocation_2"])} < {
        row["name"] for row in drawn_rows(of(result)["allocation"])
    }
    assert "prevention budget" in json.dumps(figures["allocation"].rows)


def test_the_pockets_add_up_to_the_total(whole: Result) -> None:
    rows = drawn_rows(of(whole)["pockets"])
    sums = whole.tables["ledger"].groupby("pocket")["difference"].sum()
    assert [row["value"] for row in rows[:-1]] == pytest.approx(
        [*(sums[p] for p in PARTIES), sums["not split"]]
    )
    ends = [0.0] + [row["to"] for row in rows[:-1]]
    assert [row["from"] for row in rows[:-1]] == pytest.approx(ends[:-1])
    assert rows[-1]["value"] == pytest.approx(sums.sum()) == pytest.approx(ends[-1])
    assert rows[-1]["from"] == 0
    assert [row["kind"] for row in rows] == ["gain", "gain", "gain", "gain", "loss", "gain", "apart", "total"]


def test_the_example_adds_up_to_its_improvement() -> None:
    result = read_results(ROOT / "results" / "voorbeeld")
    figures = of(result)
    improvement = float(result.figures["improvement"])
    assert drawn_rows(figures["pockets"])[-1]["value"] == pytest.approx(improvement)
    assert sum(row["value"] for row in drawn_rows(figures["effects"])) == pytest.approx(improvement)
    stocks = pd.DataFrame(drawn_rows(figures["stocks"]))
    table = result.tables["trajectories"].query("allocation == 'advice' and variable == 'General reserve'")
    own = stocks[(stocks["name"] == "Algemene reserve") & (stocks["kind"] == "Advies")].set_index("year")[
        "value"
    ]
    assert own[2042] == table.set_index("time")["value"][2042.0]


def test_components_without_a_ledger_are_not_called_good_or_bad(result: Result) -> None:
    figure = of(result)["effects"]
    table = result.tables["return"].set_index("component")["difference"]
    assert {row["name"]: row["value"] for row in drawn_rows(figure)} == pytest.approx(table.to_dict())
    assert {row["kind"] for row in drawn_rows(figure)} == {"total"}
    assert "gunstig" not in json.dumps(figure.spec["layer"])


def test_the_cumulative_gain_ends_with_its_band(whole: Result) -> None:
    said = pd.DataFrame(
        [("advice", "null", "clearly better", 0.5, 4.0)],
        columns=["allocation", "against", "kind", "q10", "q90"],
    )
    table = whole.tables["pay_back_years"]
    plain, banded = of(whole)["cumulative"], of(whole.with_tables(conclusions=said))["cumulative"]
    own = [row["value"] for row in drawn_rows(plain) if row["name"] == "het maatschappelijk rendement"]
    assert own == table[table["perspective"] == "return"]["cumulative_discounted"].tolist()
    assert plain.rows[0][-3:] == (1.5, None, None)
    assert banded.rows[0][-3:] == (1.5, 0.5, 4.0)
    assert "80 van de 100 toekomsten tussen 0,50 en 4,00" in banded.description
    assert "conclusions" in banded.source
    assert "conclusions" not in plain.source
    never = whole.tables["pay_back"].assign(year_discounted=None)
    assert "verdient het advies zich niet terug" in of(whole.with_tables(pay_back=never))["cumulative"].title


def test_stocks_show_the_futures_where_these_are_known(whole: Result, result: Result) -> None:
    banded = pd.DataFrame(drawn_rows(of(whole)["stocks"]))
    fan = whole.tables["fan"]
    for point in ("q05", "q25", "q75", "q95"):
        assert banded[point].tolist() == fan[point].tolist()
    assert banded["value"].tolist() == fan["q50"].tolist()
    plain = pd.DataFrame(drawn_rows(of(result)["stocks"]))
    assert "q05" not in plain
    table = result.tables["trajectories"]
    assert len(plain) == len(table)
    assert plain["value"].sum() == pytest.approx(table["value"].sum())
    assert "niet bij nul" in of(result)["stocks"].title


def test_a_tornado_per_group_of_worlds_that_differ(whole: Result) -> None:
    figures = of(whole)
    table = whole.tables["tornado"]
    rows = pd.DataFrame(drawn_rows(figures["tornado"]))
    own = table[table["external"] == ""]
    assert rows["to"].tolist() == [
        value for pair in zip(own["at_low"], own["at_high"], strict=True) for value in pair
    ]
    assert set(rows["from"]) == {4.0}
    assert figures["tornado_2"].title.endswith("(recession)")
    same = table.assign(at_high=[6.0, 3.0, 4.2] * 2)
    assert "tornado_2" not in of(whole.with_tables(tornado=same))
    both = table.assign(at_low=[6.5, 5.0, 4.5] * 2)  # both ends on one side: the shorter bar has no number
    ends = drawn_rows(of(whole.with_tables(tornado=both))["tornado"])
    assert [row["text"] for row in ends[:2]] == ["0", ""]


def test_break_even_values_within_their_range(whole: Result) -> None:
    figure = of(whole)["break_even"]
    rows = {row["name"]: row for row in drawn_rows(figure)}
    assert set(rows) == {"prevention: success", "prevention: cost"}
    assert rows["prevention: success"]["at_turn"] == pytest.approx(0.25 / 0.6)
    parts: dict[str, list[str]] = {row["name"]: [] for row in drawn_rows(figure)}
    for row in drawn_rows(figure):
        parts[row["name"]].append(row["part"])
    assert parts == {
        "prevention: success": ["loont niet", "loont"],
        "prevention: cost": ["loont", "loont niet"],
    }
    assert figure.title == "Prevention loont zolang success boven 0,250 blijft (gerekend met 0,3)"


def test_chances_are_never_all_or_nothing_when_they_are_not(whole: Result) -> None:
    rows = {(row["name"], row["kind"]): row for row in drawn_rows(of(whole)["limits"])}
    assert rows[HOSTILE, "Advies"]["text"] == ">99 %"
    assert rows[HOSTILE, "Advies"]["chance"] == 0.999
    assert ("Ten minste één grens", "Advies") in rows
    assert not [name for name, _ in rows if name == "never"]


def test_who_gains_surely_and_who_loses(whole: Result) -> None:
    figure = of(whole)["gains"]
    assert figure.title == "Bijna zeker winst: gemeente; bijna zeker verlies: inwoners"
    assert [row["value"] for row in drawn_rows(figure)] == whole.tables["gains"]["q50"].tolist()


def test_robust_allocations_spread_and_price(whole: Result) -> None:
    figures = of(whole)
    rows = {row["name"]: row for row in drawn_rows(figures["robust"])}
    spread = whole.tables["robust_scenarios"].query("allocation == 'advice'")["improvement"]
    own = rows["Advies"]
    assert (own["low"], own["middle"], own["high"]) == (spread.min(), 2.0, spread.max() - 1)
    assert own["worst_case"] == -2.0
    price = {row["name"]: row["value"] for row in drawn_rows(figures["robust_price"])}
    assert list(price.values()) == [-0.4, 1.5]
    assert "kost 0,40 mln euro als alles gaat zoals verwacht" in figures["robust_price"].title


def test_room_and_frontier_are_those_of_the_tables(whole: Result) -> None:
    figures = of(whole)
    near = (
        whole.tables["near_optimal"].query("year == 0").sort_values("within", ascending=False, kind="stable")
    )
    rows = drawn_rows(figures["near_optimal"])
    assert [row["low"] for row in rows] == near["inner_low"].tolist()
    null = whole.tables["allocation"].query("allocation == 'null' and variable == 'debt help budget'")
    assert [row["now"] for row in rows if row["name"] == "debt help budget"] == [null["value"].mean()] * 2
    points = drawn_rows(figures["frontier"])
    assert [row["improvement"] for row in points] == [3.0, 2.0, 1.0]  # the fourth is dominated
    assert points[0]["what"] == "Advies"


@pytest.mark.parametrize("key", sorted(KEYS))
def test_no_figure_without_its_table(whole: Result, key: str) -> None:
    first = of(whole)[key].source[0]
    instead = {"fan": {"trajectories"}, "ledger": {"return"}}.get(first, set())
    gone = {first, *(instead - ({"return"} if key == "pockets" else set()))}
    tables = {name: (table.head(0) if name in gone else table) for name, table in whole.tables.items()}
    assert key not in of(replace(whole, tables=tables))
    tables = {name: table for name, table in whole.tables.items() if name not in gone}
    assert key not in of(replace(whole, tables=tables))


def test_a_result_without_tables_has_no_figures(result: Result) -> None:
    assert figures_of(replace(result, tables={}), Labels("nl")) == ()


def test_years_have_labels_that_fit(result: Result) -> None:
    figures = of(result)
    bars = figures["allocation"].spec["spec"]["layer"][0]["encoding"]["x"]["axis"]["values"]
    lines = figures["stocks"].spec["spec"]["layer"][0]["encoding"]["x"]["axis"]["values"]
    assert bars == [2026, 2028, 2030, 2032, 2034, 2036]
    assert lines == [2026, 2029, 2032, 2035]


def test_names_that_are_cut_stay_apart() -> None:
    names = [f"een heel lange naam die niet op twee regels past, nummer {n}" for n in (1, 2, 3)]
    short = short_names(names)
    assert len(set(short.values())) == 3
    assert all(len(line) <= 34 for text in short.values() for line in text.split("\n"))
    assert short_names(["", "kort"]) == {"": "—", "kort": "kort"}


def test_values_of_constants_as_they_were_given() -> None:
    labels = Labels("nl")
    assert [given(labels, value, 0.0, 0.6, "Dmnl") for value in (0.0, 0.3, 0.6)] == ["0", "0,3", "0,6"]
    assert given(labels, 2028.0, 2026.0, 2030.0, "Year") == "2028"


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_text_can_be_read_on_its_background(look: dict[str, str]) -> None:
    for name in ("ink", "soft"):
        light, dark = sorted((luminance(look[name]), luminance(look["ground"])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("ground", [LIGHT["ground"], DARK["ground"], "#18212B"])
def test_lines_and_edges_of_bars_are_seen_on_every_background(ground: str) -> None:
    look = LIGHT if ground == LIGHT["ground"] else DARK
    for colour in (*OTHERS, NULL, ADVICE, CHOICE, theme(look is DARK)["bar"]["stroke"]):
        light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, colour


def test_names_for_readers_are_used(make_result: Callable[..., Result]) -> None:
    result = make_result()
    told = replace(result, provenance={**result.provenance, "labels": {"prevention budget": "Preventie"}})
    assert "Preventie" in {row["name"] for row in drawn_rows(of(told)["allocation"])}
