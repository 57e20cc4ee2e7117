"""Numbers in words, cells and on the terminal that claim no more, and nothing else, than is known."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.findings_words import conclusion_lines, design_lines, failing_lines, reason_words
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.lists import honest
from sdopt.export.precision import chance_words, ends_style, level_style, level_unit, level_words, percent
from sdopt.export.sheets.break_even import information_lines
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result
from sdopt.sweep.conclusions import condition, times
from sdopt.sweep.information import probability
from sdopt.sweep.rounding import is_calendar, range_decimals

DATA = Path(__file__).resolve().parents[1] / "data"
NL, EN = Labels("nl"), Labels("en")


class Made:
    """Two small sweeps by the command: ten draws, and one in which an external scenario always fails."""

    def __init__(self, root: Path) -> None:
        shutil.copy(DATA / "wijk.mdl", root)
        self.few = self._sweep(root, "few", {"as now": {"weight": 3}, "more care": {}}, 10)
        failing = {"as now": {"weight": 2}, "again": {}, "stuk": {"constants": {"memory time": 0}}}
        self.failing = self._sweep(root, "failing", failing, 12)

    def _sweep(self, root: Path, name: str, worlds: dict[str, Any], draws: int) -> Result:
        shutil.copytree(DATA / "sweep", root / name)
        config = root / name / "zorg.yaml"
        said = yaml.safe_load(config.read_text(encoding="utf-8"))
        said["external_scenarios"], said["sweep"]["scenarios"] = worlds, draws
        said["output"] = {"language": "nl"}
        config.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
        options = ["--output", str(root / f"{name} out"), "--workers", "1"]
        done = CliRunner().invoke(main, ["sweep", str(config), *options])
        assert done.exit_code == 0, done.output
        (self.folder,) = (root / f"{name} out").iterdir()
        self.output = done.output
        return read_results(self.folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("honest"))


def cells(result: Result, sheet: str) -> list[list[Any]]:
    # read_only: of all sheets this one alone is read
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(result)), read_only=True)
    return [list(row) for row in book[sheet].iter_rows()]


def test_a_year_of_the_calendar_has_no_mark_for_thousands_and_no_unit() -> None:
    assert is_calendar("Year", 2025, 2028)
    assert is_calendar("jaar", 2028)
    assert not is_calendar("Year", 2, 8)
    assert not is_calendar("Person", 2025, 2028)
    assert level_style(2025, 2028, "Year") == {"num_format": "0.0"}
    assert level_style(2025, 2028, "Year", 2025.0) == {"num_format": "0"}
    assert level_style(2000, 8000, "EUR/Person")["num_format"] == "#,##0"
    assert level_words(NL, 2026.34, 2025, 2028, "Year") == "2026,3"
    assert level_words(NL, 2025.0, 2025, 2028, "Year") == "2025"
    assert ends_style(2025, 2028, "Year") == {"num_format": "0"}
    assert ends_style(2025, 2027.5, "Year") == {"num_format": "0.0"}
    assert level_unit(NL, 2025, 2028, "Year") == ""
    assert level_unit(NL, 2, 8, "Year") == "jaar"


def test_a_break_even_year_is_written_as_a_year() -> None:
    row = {"constant": "end of grant", "unit": "jaar", "low": 2025.0, "central": 2025.0, "high": 2028.0,
           "break_even": 2026.34, "share_below": 0.7, "inside": True, "worth": "above",
           "gain_central": -1.0, "chance_not_worth": 0.7, "no_number": 0.0}  # fmt: skip
    said = condition(pd.DataFrame([row]), "nl")
    assert "hoger dan 2026,3. Hier is gerekend met 2025; de bandbreedte loopt van 2025 tot 2028." in said


def test_years_among_the_constants_look_like_years_on_the_sheets(made: Made) -> None:
    drawn = made.few.tables["drawn"].assign(unit="Year", low=2025.0, central=2025.0, high=2028.0)
    rows = cells(made.few.with_tables(drawn=drawn), "Gevoeligheid")
    shown = [cell for row in rows for cell in row[2:5] if cell.value in (2025, 2028)]
    assert len(shown) == 3 * len(drawn)
    assert {cell.number_format for cell in shown} == {"0"}


@pytest.mark.parametrize(
    ("share", "words", "terminal", "of_100"),
    [
        (0.0, "0 %", "0%", "0"),
        (0.0004, "minder dan 1 %", "<1%", "minder dan 1"),
        (0.5, "50 %", "50%", "50"),
        (0.9996, "meer dan 99 %", ">99%", "meer dan 99"),
        (0.9999999999999999, "100 %", "100%", "100"),
        (1.0000000000000002, "100 %", "100%", "100"),
    ],
)
def test_nearly_all_is_not_all_and_rounding_is(share: float, words: str, terminal: str, of_100: str) -> None:
    assert chance_words(NL, share, 0) == words
    assert percent(share) == terminal
    assert times(share, "nl") == of_100


def test_a_cell_shows_nearly_all_for_what_is_nearly_all() -> None:
    formats = ["0%", "0.0%", "0%", "0.00%", "0%", "+0.0"]
    values = [0.9997, 0.9997, 1.0, 0.00001, -0.001, 0.00001]
    styles = honest(values, [{"num_format": one} for one in formats])
    assert [one["num_format"] for one in styles] == ['">99%"', '">99%"', "0%", '"<1%"', "0%", "+0.0"]


def test_a_range_that_differs_by_rounding_alone_has_no_width() -> None:
    assert (
        range_decimals(-3.200724009, -3.200724009 + 4e-16) == range_decimals(-3.200724009, -3.200724009) == 2
    )


def test_of_what_never_gave_a_number_no_chance_is_claimed() -> None:
    weights = np.full(3, 0.1)  # of which the sum is not three times as much
    found = probability(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool), weights / 7, 3, 0.95)
    assert np.isnan(found.share)
    assert (found.low, found.high) == (0.0, 1.0)


def test_an_external_scenario_that_always_fails_has_no_chances(made: Made) -> None:
    for table, column in (("distribution", "positive"), ("limits", "broken")):
        of = made.failing.tables[table].query("external == 'stuk'")
        assert len(of)
        assert of[column].isna().all()
    said = failing_lines(made.failing, NL)
    assert said.count("stuk: in geen enkele toekomst gaf het model een getal.") == 2
    assert not [line for line in said if "(stuk)" in line]


def test_limits_are_called_kept_only_where_something_is_known(made: Made) -> None:
    limits = made.few.tables["limits"].assign(broken=np.nan, null_broken=np.nan)
    lines = [str(row[0].value) for row in cells(made.few.with_tables(limits=limits), "Onzekerheid")]
    assert not [line for line in lines if line.startswith("In geen enkele toekomst overschreden")]


def test_too_seldom_and_too_often_are_told_apart(made: Made) -> None:
    failing = made.few.tables["failing"].assign(scenarios=200, boxes=0)
    reason = "it fails in 2 of 200 scenarios; at least 20 that fail and 20 that do not are needed"
    for failures, words in ((2, "te zelden"), (198, "zo vaak")):
        own = failing.assign(failures=failures, reason=reason)
        said = [
            line for line in failing_lines(made.few.with_tables(failing=own), NL) if "geen gebied" in line
        ]
        assert len(said) == len(own)
        assert all(words in line for line in said)


def test_reasons_are_said_in_the_language_of_the_reader() -> None:
    for counted in ("draws", "scenarios", "effects"):
        said = reason_words(f"10 {counted} without a failed run; 60 are needed", NL)
        assert said == "te weinig toekomsten met een uitkomst: 10; er zijn er 60 nodig"


def test_few_draws_say_that_their_extremes_tell_little(made: Made) -> None:
    assert any("Zo weinig trekkingen" in line for line in design_lines(made.few, NL))
    assert not any("Zo weinig" in line for line in design_lines(made.few.with_figures(draws=200), NL))


def test_options_are_rounded_to_their_standard_error(made: Made) -> None:
    table = made.few.tables["options"]
    runs = pd.read_parquet(made.folder.parent.parent / "few out" / _only(made, "few out") / "runs.parquet")
    own = runs[runs["allocation"] == "advice"].copy()
    weights = own["weight"] / own["weight"].sum()
    mean = float((weights * own["improvement"]).sum())
    draw = (own["scenario"] - 1) // 2
    sums = (weights * (own["improvement"] - mean)).groupby(draw).sum()
    expected = float(np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()))
    assert table.set_index("allocation").loc["advice", "error"] == pytest.approx(expected)
    rows = cells(made.few, "Waarde van weten")
    head = next(k for k, row in enumerate(rows) if row[0].value == "Keuze")
    shown = rows[head + 1 : head + 1 + len(table)]
    assert len({row[1].number_format for row in shown} - {"#,##0.0", "#,##0"}) == 0


def _only(made: Made, name: str) -> str:
    (folder,) = (made.folder.parent.parent / name).iterdir()
    return folder.name


def test_the_worth_of_knowing_stands_with_its_error_and_nothing_is_claimed_of_what_is_not_seen(
    made: Made,
) -> None:
    row = made.few.tables["information"].iloc[:1].assign(value=0.24, error=0.15, by_chance=0.0)
    first, second = information_lines(row, NL)
    assert "0,2 mln euro waard (standaardfout 0,1)" in first or "(standaardfout 0,2)" in first
    assert second.endswith("is met zoveel toekomsten niet te zien.")
    assert "it cannot be seen" in information_lines(row, EN)[1]


def test_a_threshold_just_below_one_is_not_one(made: Made) -> None:
    table = made.few.tables["conclusions"].assign(hangs_on="confidence = 0.999: uncertain")
    said = " ".join(conclusion_lines(made.few.with_tables(conclusions=table), NL))
    assert "op 0,999 is het" in said
    assert "op 1,00" not in said


def test_the_terminal_rounds_to_what_is_known(made: Made) -> None:
    lines = made.output.splitlines()
    (line,) = (one for one in lines if one.startswith("advice "))
    assert ".0%" not in line
    mean = line.split()[1]
    assert len(mean.partition(".")[2]) <= 1  # a dozen draws, of which the error is above 0.1


def test_the_folder_says_of_every_file_what_it_is_and_the_clock_stops_last(made: Made) -> None:
    said = (made.folder / "LEESMIJ.txt").read_text(encoding="utf-8")
    for path in made.folder.iterdir():
        known = path.stem if path.suffix in (".png", ".svg") else path.name
        assert path.name == "LEESMIJ.txt" or known in said
    named = re.findall(r"^(\w+(?:\.\w+|(?=/)))\S* {2}", said, re.M)
    assert len(named) > 10 and [name for name in named if not (made.folder / name).exists()] == []
    ended = datetime.fromisoformat(json.loads((made.folder / "run.json").read_text("utf-8"))["ended"])
    written = (made.folder / "workbook.xlsx").stat().st_mtime
    assert ended.timestamp() >= written - 1  # whole seconds
