"""The sheet on the value of knowing with more to choose from, and break-even values that are not known."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.export.findings import sweep_result
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.sheets.break_even import information_lines
from sdopt.export.sheets.options import option_name
from sdopt.export.workbook import workbook_bytes
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks

DATA = Path(__file__).resolve().parents[1] / "data"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A small sweep with all its tables."""
    folder = tmp_path_factory.mktemp("options")
    shutil.copytree(DATA / "sweep", folder / "sweep")
    shutil.copy(DATA / "wijk.mdl", folder)
    loaded = load_config(folder / "sweep" / "zorg.yaml")
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    with Parts(folder, "parts", resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        return sweep_result(loaded, model, plan, outcome_of(plan, parts), advice, parts)


def _rows(result: Result, sheet: str) -> list[list[Any]]:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(with_shown_names(result))))
    return [list(row) for row in book[sheet].iter_rows(values_only=True)]


def test_every_option_stands_on_the_sheet_with_its_figures(result: Result) -> None:
    rows = _rows(result, "Waarde van weten")
    header = next(place for place, row in enumerate(rows) if row[0] == "Keuze")
    table = result.tables["options"]
    shown = rows[header + 1 : header + 1 + len(table)]
    assert len(table) > 3
    for row, known in zip(shown, table.itertuples(), strict=True):
        assert row[1:4] == pytest.approx([known.mean, known.expected_regret, known.best])
    names = [row[0] for row in shown]
    assert names[:2] == ["Nu (nulalternatief)", "Advies"]
    assert all(name.startswith("advies, met ") and "(20" in name for name in names[3:])
    assert any("eerste 100 trekkingen" in str(row[0]) for row in rows[:header])


def test_draws_without_a_number_are_counted(result: Result) -> None:
    """In one draw an empty stock is divided by, whatever is chosen."""
    said = [str(row[0]) for row in _rows(result, "Waarde van weten")]
    assert any(line.startswith("In 1 van deze 100 trekkingen gaf het model") for line in said)
    known = result.tables["information_options"]
    every = result.with_tables(information_options=known.assign(draws=100, left_out=0))
    assert not any("gaf het model" in str(row[0]) for row in _rows(every, "Waarde van weten"))


def test_draws_of_a_grid_are_said_to_be_chosen_at_random(result: Result) -> None:
    grid = replace(result, figures={**result.figures, "design": "grid"})
    said = [str(row[0]) for row in _rows(grid, "Waarde van weten")]
    assert any("100 trekkingen doorgerekend, willekeurig gekozen" in line for line in said)
    assert not any("eerste 100" in line for line in said)


@dataclass
class Row:
    """A row of the table of options."""

    allocation: str
    decision: str = ""
    change: str = ""
    first_year: float = np.nan
    last_year: float = np.nan


def test_an_option_is_named_by_what_it_changes_and_when() -> None:
    labels = Labels("nl")
    assert option_name(Row("mijn plan"), labels) == "mijn plan"
    of_years = Row("x", "Preventie", "a little more", 2027.0, 2029.0)
    assert option_name(of_years, labels) == "advies, met Preventie iets hoger (2027-2029)"
    of_one = Row("x", "Preventie", "as today", 2027.0, 2027.0)
    assert option_name(of_one, labels) == "advies, met Preventie als nu (2027)"
    assert option_name(of_one, Labels("en")) == "advice, with Preventie as today (2027)"


def test_a_chance_that_is_not_known_is_said_to_be_so(result: Result) -> None:
    known = result.tables["break_even"]
    unseen = known.head(1).assign(worth="unseen", break_even=np.nan, chance_not_worth=np.nan, no_number=0.3)
    rows = _rows(result.with_tables(break_even=unseen), "Omslagpunten")
    (row,) = (row for row in rows if "waar het omslaat rekent het model niet" in map(str, row))
    assert "het model rekent hier niet" in row


def test_only_what_is_sure_enough_is_named_as_worth_knowing() -> None:
    """More than chance gives, and than two standard errors."""
    columns = ["uncertainty", "value", "error", "by_chance", "part", "unit"]
    table = pd.DataFrame(
        [("everything", 1.0, 0.1, 0.0, 1.0, "EUR"), ("sure", 0.5, 0.1, 0.1, 0.5, "EUR"),
         ("by chance", 0.05, 0.01, 0.1, 0.05, "EUR"), ("noise", 0.2, 0.15, 0.0, 0.2, "EUR")],
        columns=columns,
    )  # fmt: skip
    lines = information_lines(table, Labels("en"))
    assert len(lines) == 2
    assert "sure" in lines[1]
