"""One broken table or config per rule: each is refused with a message that says where, what and how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.calibrate.observed import read_observed
from sdopt.calibrate.question import Question
from sdopt.errors import ConfigError

Asked = Callable[[Path], Question]
Make = Callable[..., Path]

GOOD = "clients,Clients,2005,14000,Person,10,moment,X,fit,"
HEADER = "series,variable,time,value,unit,scale,measure,source,use,note"

TABLES = {
    "a column is missing": ("series,variable,time,value,unit", GOOD, "column scale: missing. Needed: series"),
    "a column is given twice": (f"{HEADER},use", f"{GOOD},fit", "column use: given twice"),
    "a row does not fit": (HEADER, f"{GOOD},one,two", "row 2: 12 cells where the first row has 10; put text"),
    "no points": (HEADER, "", "holds no points; give one row per observed point"),
    "a value that is no number": (
        HEADER,
        GOOD.replace("14000", "14k"),
        'row 2, value: found "14k"; a number',
    ),
    "a thousands separator": (HEADER, GOOD.replace("14000", '"14,000"'), 'row 2, value: "14,000" can be two'),
    "an empty value": (HEADER, GOOD.replace("14000", ""), "row 2, value: empty; a number is needed"),
    "an infinite value": (HEADER, GOOD.replace("14000", "1e999"), 'row 2, value: found "1e999"'),
    "no time": (HEADER, GOOD.replace("2005", "may"), 'row 2, time: found "may"'),
    "a scale of zero": (HEADER, GOOD.replace(",10,", ",0,"), "row 2, scale: 0; the value is divided by it"),
    "an unknown measure": (
        HEADER,
        GOOD.replace("moment", "year_averge"),
        'row 2, measure: found "year_averge". Did you mean "year_average"? Allowed: moment, year_average',
    ),
    "an unknown use": (HEADER, GOOD.replace("fit", "train"), 'row 2, use: found "train". Allowed: fit, test'),
    "no source": (HEADER, GOOD.replace(",X,", ",,"), "row 2, source: empty; an observed point needs the row"),
    "no series": (HEADER, GOOD[len("clients") :], "row 2, series: empty; fill it in"),
    "a zero to be fitted": (HEADER, GOOD.replace("14000", "0"), "row 2, value: 0 has no relative error"),
    "an uncertainty below zero": (
        f"{HEADER},uncertainty",
        f"{GOOD},-1",
        "row 2, uncertainty: -1; a standard",
    ),
    "a point given twice": (
        HEADER,
        f"{GOOD}\n{GOOD}",
        'row 3: series "clients" has a point at 2005 on row 2',
    ),
    "a series of two variables": (
        HEADER,
        f"{GOOD}\n{GOOD.replace('Clients', 'exits').replace('2005', '2006')}",
        'row 3, variable: series "clients" has another variable on row 2; use two series',
    ),
    "a series of two measures": (
        HEADER,
        f"{GOOD}\n{GOOD.replace('moment', 'year_average').replace('2005', '2006')}",
        'row 3, measure: series "clients" has another measure on row 2',
    ),
    "a quote that is not closed": (HEADER, f'{GOOD}"open', "not a CSV table"),
}

QUESTIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "an unknown variable": (
        GOOD.replace("Clients", "Cliens"),
        {},
        'observed.csv row 2, variable: the model has no variable "Cliens". Did you mean "Clients"?',
    ),
    "an unknown part of a sum": (
        GOOD.replace("Clients", "Clients + Cows"),
        {},
        'observed.csv row 2, variable: the model has no variable "Cows".',
    ),
    "another unit": (
        GOOD.replace("Person", "Person/Year"),
        {},
        'observed.csv row 2, unit: found "Person/Year"; needed is "Person", as the model',
    ),
    "a total of a stock": (
        GOOD.replace("moment", "year_total"),
        {},
        'observed.csv row 2, measure: "Clients" (Person) is not per year; no total',
    ),
    "a time before the start": (
        GOOD.replace("2005", "1999"),
        {},
        "observed.csv row 2, time: 1999 (moment) is not within 2000 to 2020",
    ),
    "a year that passes the end": (
        GOOD.replace("2005", "2019.5").replace("moment", "year_average"),
        {},
        "observed.csv row 2, time: 2019.5 (year_average) is not within 2000 to 2020",
    ),
    "a time between two steps": (
        GOOD.replace("2005", "2005.06"),
        {},
        "observed.csv row 2, time: 2005.06 is not a whole number of steps of 0.125",
    ),
    "nothing to fit to": (GOOD.replace("fit", "test"), {}, "observed (line 9): no point has the use fit"),
    "an unknown constant": (
        GOOD,
        {"fit": {"exit rat": {}}},
        'fit.exit rat (line 12): chain.mdl has no constant "exit rat". Did you mean "exit rate"?',
    ),
    "a constant that is a stock": (GOOD, {"fit": {"Clients": {}}}, '"Clients" is a stock of chain.mdl; only'),
    "a constant twice": (
        GOOD,
        {"fit": {"exit rate": {}, "Exit_Rate": {}}},
        '"exit rate" is fitted twice; keep one',
    ),
    "no bounds anywhere": (
        GOOD,
        {"fit": {"initial clients": {}}},
        "fit.initial clients (line 12): has no low and high in the constants table; give bounds",
    ),
    "bounds the wrong way round": (
        GOOD,
        {"fit": {"exit rate": {"bounds": [0.5, 0.1]}}},
        "fit.exit rate.bounds (line 13): [0.5, 0.1] leaves no room; give [lowest, highest]",
    ),
    "bounds outside what the model allows": (
        GOOD,
        {"fit": {"exit rate": {"bounds": [0.1, 9]}}},
        "fit.exit rate (line 12): 9 is outside the range of exit rate in the model: [0, 8]",
    ),
    "a change outside what the model allows": (
        GOOD,
        {
            "model": {"file": "chain.mdl", "changes": {"exit rate": -1}},
            "fit": {"shoe size": {"bounds": [1, 2]}},
        },
        "model.changes.exit rate (line 6): -1 is outside the range of exit rate in the model: [0, 8]",
    ),
    "an unknown series": (
        GOOD,
        {"observed": {"file": "observed.csv", "series": ["client"]}},
        'observed.csv has no series "client". Did you mean "clients"?',
    ),
    "a change of what does not exist": (
        GOOD,
        {"model": {"file": "chain.mdl", "changes": {"shoe": 1}}, "fit": {"shoe size": {"bounds": [1, 2]}}},
        'model.changes.shoe (line 6): chain.mdl has no constant "shoe".',
    ),
    "a file that does not exist": (
        GOOD,
        {"observed": {"file": "observd.csv"}},
        "observed.file (line 10): there is no file observd.csv in the folder of this config",
    ),
    "an unknown key": (
        GOOD,
        {"horizon": {"start": 2000, "end": 2020, "untill": 3}},
        "horizon.untill (line 9): unknown key. Allowed here: start, end, time_step",
    ),
    "nothing to fit": (GOOD, {"fit": {}}, "fit (line 11): expected at least one entry"),
    "no starts": (
        GOOD,
        {"search": {"starts": 0}},
        "search.starts (line 16): expected a number of at least 1",
    ),
    "an end before the start": (
        GOOD,
        {"horizon": {"start": 2000, "end": 1990}},
        "horizon.end (line 8): 1990 is not after the start (2000); choose later",
    ),
    "a step that does not divide a year": (
        GOOD,
        {"horizon": {"start": 2000, "end": 2020, "time_step": 0.3}},
        "horizon.time_step (line 9): a step of 0.3 does not divide a year and the horizon; take another",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_broken_table_is_refused(name: str, tmp_path: Path) -> None:
    header, lines, expected = TABLES[name]
    path = tmp_path / "observed.csv"
    path.write_text(f"{header}\n{lines}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_observed(path)
    assert str(refused.value).startswith(str(path))
    assert expected in str(refused.value)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_broken_question_is_refused(name: str, make: Make, question: Asked) -> None:
    line, changes, expected = QUESTIONS[name]
    with pytest.raises(ConfigError) as refused:
        question(make([line], **changes))
    assert expected in str(refused.value)


def test_uncertainty_is_stated_for_all_or_for_none(make: Make, question: Asked) -> None:
    path = make([f"{GOOD},5", f"{GOOD.replace('2005', '2006')},"], header=f"{HEADER},uncertainty")
    with pytest.raises(ConfigError) as refused:
        question(path)
    assert "observed.csv row 3, uncertainty: stated for other fitted points; state all" in str(refused.value)


def test_a_row_of_the_constants_table_must_be_in_the_model(make: Make, question: Asked) -> None:
    path = make([GOOD])
    with (path.parent / "constants.csv").open("a", encoding="utf-8") as file:
        file.write("hat size,7,6,8,Dmnl,,judgement,\n")
    with pytest.raises(ConfigError) as refused:
        question(path)
    assert 'model.constants (line 5): the model has no constant "hat size"' in str(refused.value)


def test_all_faults_are_named_at_once(make: Make, question: Asked) -> None:
    lines = [GOOD.replace("Clients", "Cliens"), GOOD.replace("clients", "more").replace("2005", "1999")]
    with pytest.raises(ConfigError) as refused:
        question(make(lines, fit={"exit rat": {}, "initial clients": {}}))
    assert "4 errors" in str(refused.value)


@given(
    st.lists(
        st.sampled_from([*GOOD.split(","), "-1", "1e400", '"', ";", "\n", "\x00", "fit", "", "é"]),
        max_size=40,
    )
)
def test_whatever_a_table_holds_it_is_read_or_refused(cells: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "observed.csv"
        path.write_text(f"{HEADER}\n{','.join(cells)}\n", encoding="utf-8")
        try:
            points = read_observed(path)
        except ConfigError as refused:
            assert str(refused).startswith(str(path))
        else:
            assert all(np.isfinite(point.target) and point.source for point in points)


def test_a_table_as_a_dutch_spreadsheet_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "observed.csv"
    text = (
        "﻿" + HEADER.replace(",", ";") + "\r\n" + GOOD.replace(",", ";").replace("14000", "14000,5") + "\r\n"
    )
    path.write_bytes(text.encode("utf-8"))
    (point,) = read_observed(path)
    assert (point.value, point.target, point.deviation) == (14000.5, 1400.05, 1400.05)
