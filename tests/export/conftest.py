"""A small result that is consistent in itself, and LibreOffice as another reader (or its absence)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from sdopt.result import Result, Status

DECISIONS = ("prevention budget", "social base budget", "re-integration budget", "debt help budget")
YEARS = tuple(float(year) for year in range(2026, 2037))
DECISION_YEARS = (2027.0, 2028.0, 2029.0, 2030.0)


def _tidy(rows: Iterable[tuple[str, str, float, float, str]]) -> pd.DataFrame:
    """Rows of allocation, variable, time, value, unit as a tidy table."""
    table = pd.DataFrame(rows, columns=["allocation", "variable", "time", "value", "unit"])
    return table.assign(run="run", scenario="central", subscript="")[
        ["run", "scenario", "allocation", "variable", "subscript", "time", "value", "unit"]
    ]


def _budget(allocation: str, place: int, year: float) -> float:
    """Budgets that hold their sum and move from re-integration to the others in the decision years."""
    null = (2.1, 3.4, 6.2, 0.0)[place]
    moved = (0.42, 0.31, -1.03, 0.30)[place] * (year - 2026) ** 0.5
    return null + moved if allocation == "advice" and year in DECISION_YEARS else null


def _stocks(allocation: str) -> dict[str, tuple[np.ndarray, str]]:
    """Four stocks over the years; the advice bends them."""
    age = np.array(YEARS) - YEARS[0]
    bend = (1 - np.exp(-age / 4)) if allocation == "advice" else 0 * age
    return {
        "people on bijstand": (2260 - 12 * age - 190 * bend, "Person"),
        "problem debt households": (3900 + 25 * age - 310 * bend, "Person"),
        "informal network capacity": (100 - 1.4 * age + 9 * bend, "Dmnl"),
        "Wmo clients light": (4800 + 140 * age - 260 * bend, "Person"),
    }


def _constraints() -> pd.DataFrame:
    """Two limits: a cap that binds in each year, and a floor that the null alternative breaks."""
    rows = [
        ("totaal budget", year, "year_average", "at_most", 11.7, 11.7, 11.7, 0.0, True, False, 0.83)
        for year in DECISION_YEARS
    ] + [
        (
            "ondergrens schuldhulp",
            year,
            "year_end",
            "at_least",
            0.25,
            0.0,
            0.25 + 0.1 * place,
            0.1 * place,
            place == 0,
            True,
            0.12 if place == 0 else 0.0,
        )
        for place, year in enumerate(DECISION_YEARS)
    ]
    columns = [
        "constraint",
        "year",
        "measure",
        "sense",
        "limit",
        "null",
        "advice",
        "slack",
        "binding",
        "null_breaks",
        "shadow_price",
    ]
    return pd.DataFrame(rows, columns=columns).assign(unit="million EUR/Year")


def _assumptions() -> pd.DataFrame:
    """Three constants, one of which is uncertain and one of which has no range."""
    return pd.DataFrame(
        [
            (
                *("outflow fraction short", 0.39, 0.30, 0.45, "fixed", "1/Year"),
                *("CBS 82015NED", "13", "read", "A", "", False),
            ),
            (
                "effect of social base on light Wmo",
                0.02,
                -0.01,
                0.06,
                "triangular",
                "Dmnl",
                "judgement",
                "3",
                "judgement",
                "D",
                "Evidence is weak (grade D): the best causal study of the neighbouring "
                "instrument points the other way. "
                "Zero and a wrong sign are inside the range.",
                True,
            ),
            (
                *("inhabitants", 100000.0, np.nan, np.nan, "fixed", "Person"),
                *("definition", "", "definition", "", None, False),
            ),
        ],
        columns=[
            *("name", "value", "low", "high", "distribution", "unit", "source", "link", "status"),
            *("confidence", "note", "uncertain"),
        ],
    )


def build_result(**changes: object) -> Result:
    """A consistent result; `changes` replace fields of `Result`."""
    allocation = _tidy(
        (key, name, year, _budget(key, place, year), "million EUR/Year")
        for key, (place, name), year in product(("null", "advice"), enumerate(DECISIONS), YEARS)
    )
    trajectories = _tidy(
        (key, name, year, float(value), unit)
        for key in ("null", "advice")
        for name, (values, unit) in _stocks(key).items()
        for year, value in zip(YEARS, values, strict=True)
    )
    returns = pd.DataFrame(
        [
            ("participation and health", 41.2, 56.9),
            ("avoided Wmo and youth care", -18.4, -11.75),
            ("benefits paid", -61.0, -55.4),
            ("programme spending", -102.3, -104.9),
        ],
        columns=["component", "null", "advice"],
    ).assign(difference=lambda t: t["advice"] - t["null"], unit="million EUR")
    null, objective = float(returns["null"].sum()), float(returns["advice"].sum())
    improvement, bound = objective - null, objective + 0.0213
    best = [null, null + 0.7 * improvement, null + 0.95 * improvement, objective]
    bounds = [null + 4 * improvement, null + 1.6 * improvement, null + 1.1 * improvement, bound]
    tables = {
        "allocation": allocation,
        "trajectories": trajectories,
        "return": returns,
        "constraints": _constraints(),
        "assumptions": _assumptions(),
        "end_value": pd.DataFrame(
            [(w, w * 20.0, w * 24.0, w * 4.0, 0.2 - w / 10, None, w == 0.0) for w in (0.0, 1.0, 1.5)],
            columns=["weight", "null", "advice", "difference", "regret", "regret_at_most", "advice_changes"],
        ),
        "search": pd.DataFrame(
            [(i + 1, b, u, (u - b) / improvement) for i, (b, u) in enumerate(zip(best, bounds, strict=True))],
            columns=["iteration", "best", "bound", "gap"],
        ),
        "audit": pd.DataFrame(
            [("return: pairs", 10000, 0, 0.0), ("totaal budget: points against cuts", 10000, 3, 1e-4)],
            columns=["check", "points", "violations", "largest_violation"],
        ),
        "decisions": pd.DataFrame(
            [
                (name.split()[0], name, int(year), _budget("advice", place, year), 0.0, 9.0, False)
                for place, name in enumerate(DECISIONS)
                for year in DECISION_YEARS
            ],
            columns=["decision", "variable", "period", "value", "lower", "upper", "at_bound"],
        ),
    }
    figures = {
        "objective": objective,
        "null_objective": null,
        "improvement": improvement,
        "bound": bound,
        "gap": (bound - objective) / improvement,
        "gap_amount": bound - objective,
        "gap_euro": (bound - objective) * 1e6,
        "gap_reason": None,
        "bound_assumes": "the return is concave",
        "bound_leans_on": [],
        "replay_max_relative_difference": 3.1e-13,
        "replay_worst_variable": "people on bijstand",
        "objective_unit": "million EUR",
        "seed": 1,
        "versions": {"sdopt": "0.1.0", "pysd": "3.14.3", "highspy": "1.15.1"},
        "config_hash": "5f" * 32,
    }
    result = Result(
        Status.OPTIMAL,
        "Voorbeeld: gemeente met 100.000 inwoners",
        "nl",
        figures,
        tables,
        {"model_hash": "a1" * 32, "shown": list(_stocks("null")), "tolerance": 1e-9},
    )
    return Result(**{**result.__dict__, **changes})  # type: ignore[arg-type]


@pytest.fixture
def result() -> Result:
    """An optimal result in Dutch."""
    return build_result()


@pytest.fixture
def make_result() -> Callable[..., Result]:
    """Builds results with other fields."""
    return build_result


NO_DESKTOP = "LibreOffice is absent. Install it: apt-get install --no-install-recommends libreoffice-calc"


LEFT_OUT = pytest.StashKey[int]()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count the desktop checks that are left out for want of LibreOffice."""
    desktop = [item for item in items if item.get_closest_marker("desktop")]
    if desktop and shutil.which("soffice") is None:
        stash = desktop[0].config.stash
        stash[LEFT_OUT] = stash.get(LEFT_OUT, 0) + len(desktop)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was not checked."""
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(f"{count} desktop checks were left out. {NO_DESKTOP}", yellow=True)


# Without this LibreOffice trusts the stored values of .xlsx and checks nothing.
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LibreOffice profile of our own."""
    if shutil.which("soffice") is None:
        pytest.fail(NO_DESKTOP)
    folder = tmp_path_factory.mktemp("profile")
    (folder / "user").mkdir()
    (folder / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def convert_all(
    profile: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[Path], str], list[Path]]:
    """Files of different names as LibreOffice saves them in another format, in a new folder: one start."""

    def converted(sources: Sequence[Path], form: str) -> list[Path]:
        target = tmp_path_factory.mktemp("converted")
        options = ["--headless", "--norestore", "--convert-to", form, "--outdir", str(target)]
        command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", *options, *map(str, sources)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        assert "Error" not in done.stdout + done.stderr
        found = [target / f"{source.stem}.{form}" for source in sources]
        assert sorted(target.iterdir()) == sorted(found)
        return found

    return converted


@pytest.fixture(scope="session")
def convert(convert_all: Callable[[Sequence[Path], str], list[Path]]) -> Callable[[Path, str], Path]:
    """A file as LibreOffice saves it in another format, in a new folder."""

    def converted(source: Path, form: str) -> Path:
        (found,) = convert_all([source], form)
        return found

    return converted


@pytest.fixture(scope="session")
def values() -> Callable[[Path], dict[tuple[str, str], Any]]:
    """Sheet and cell -> stored value, of every cell that holds something."""

    def stored(path: Path) -> dict[tuple[str, str], Any]:
        book = openpyxl.load_workbook(path, data_only=True)
        cells = (cell for sheet in book for row in sheet.iter_rows() for cell in row)
        return {(c.parent.title, c.coordinate): c.value for c in cells if c.value not in (None, "")}

    return stored


@pytest.fixture(scope="session")
def check_recalculated(
    convert: Callable[[Path, str], Path], values: Callable[[Path], dict[tuple[str, str], Any]]
) -> Callable[..., int]:
    """Checks that LibreOffice calculates what is stored, and no error; returns the number of cells.

    `again` is the file as LibreOffice saved it, where that was done for several at once.
    """

    def check(path: Path, again: Path | None = None) -> int:
        stored, recalculated = values(path), values(again or convert(path, "xlsx"))
        assert stored.keys() == recalculated.keys()
        for place, value in stored.items():
            number = isinstance(value, (int, float))
            assert recalculated[place] == (pytest.approx(value, rel=1e-12, abs=1e-9) if number else value), (
                place
            )
        assert not [value for value in recalculated.values() if str(value).startswith("#")]
        return len(stored)

    return check
