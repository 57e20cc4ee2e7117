"""The table of assumptions says what is sampled, and shows the columns of the table of constants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdopt.optimise.tables import assumption_table
from sdopt.problem.build import Problem

Rows = dict[str, dict[str, Any]]
EFFECT = {"constant": "effect a", "low": 2, "high": 5}
TABLE = """name,value,low,high,distribution,unit,source,link,status,confidence,note
effect a,3,2,4,uniform,Dmnl,S,14b,read,C,n
effect b,2,1,3,,Dmnl,S,,judgement,A,
price,0,0,1,fixed,Dmnl,S,3,memory,D,
income,5,4,6,,million EUR/Year,S,,read,B,
initial reserve,6,,,,million EUR,S,,derived,,
"""


@pytest.fixture
def assumptions(ask: Callable[..., Problem], tmp_path: Path) -> Callable[..., Rows]:
    """Rows by name, for the question `root` with a table of constants."""

    def rows(uncertainties: Any = None) -> Rows:
        path = tmp_path / "constants.csv"
        path.write_text(TABLE, encoding="utf-8")
        problem = ask("root", {"model.constants": str(path), "uncertainties": uncertainties})
        return {row["name"]: row for row in assumption_table(problem).to_dict("records")}

    return rows


def sampled(rows: Rows) -> set[str]:
    return {name for name, row in rows.items() if row["uncertain"]}


def test_from_the_table_weak_numbers_are_sampled(assumptions: Callable[..., Rows]) -> None:
    rows = assumptions()
    assert sampled(rows) == {"effect a", "effect b"}
    shown = ("low", "high", "distribution", "source", "link", "status", "confidence", "note")
    assert [rows["effect a"][key] for key in shown] == [2, 4, "uniform", "S", "14b", "read", "C", "n"]
    assert [rows[name]["distribution"] for name in ("effect b", "price", "income")] == [
        "triangular", "fixed", "fixed",
    ]  # fmt: skip
    assert [rows["spending a"][key] for key in ("distribution", "link", "confidence")] == ["fixed", "", ""]


def test_from_the_config_only_what_it_lists_is_sampled(assumptions: Callable[..., Rows]) -> None:
    rows = assumptions([{**EFFECT, "distribution": "lognormal"}])
    assert sampled(rows) == {"effect a"}
    assert [rows["effect a"][key] for key in ("low", "high", "distribution")] == [2, 5, "lognormal"]


def test_what_the_config_holds_fixed_is_not_sampled(assumptions: Callable[..., Rows]) -> None:
    assert sampled(assumptions([{**EFFECT, "distribution": "fixed"}])) == set()
