"""The lines of a multi-year budget: which model variable belongs to which account, and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.csv_table import choice, filled, number, read_table
from sdopt.config.names import same_name
from sdopt.errors import Complaints, ConfigError

CODE = "taakveld 2025-2026"
COLUMNS = ("variable", "share", "side", "term", CODE, "name")
SPENDING, INCOME, RESERVES = "spending", "income", "reserves"
SIDES = (SPENDING, INCOME, RESERVES)
"""What a line is; of reserves: what is added to them, below zero what is taken from them."""
STRUCTURAL, INCIDENTAL = "structural", "incidental"
ROUNDING = 1e-9


@dataclass(frozen=True)
class BudgetLine:
    """`share` of a yearly amount of the model (in real prices) stands on one account.

    `account` is its code (Iv3 taakveld), `side` one of `SIDES`, `term` structural or incidental.
    """

    number: int
    variable: str
    share: float
    side: str
    term: str
    account: str
    name: str


def read_budget_lines(path: Path) -> tuple[BudgetLine, ...]:
    """Read the lines: variable, share, side, term, taakveld 2025-2026, name; other columns are left alone.

    Raises
    ------
    ConfigError
        With every fault and its row, also where the shares of a variable do not add up to 1.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, COLUMNS, complaints)
    lines = tuple(_line(at, row, table.mark, complaints) for at, row in table.rows.items())
    shares: dict[str, float] = defaultdict(float)
    for line in lines:
        shares[same_name(line.variable)] += line.share
    for line in {same_name(line.variable): line for line in lines}.values():
        total = shares[same_name(line.variable)]
        if abs(total - 1) > ROUNDING:
            complaints.add(
                f"row {line.number}, share",
                f'the shares of "{line.variable}" add up to {total:g}; divide all of it: they add up to 1',
            )
    complaints.raise_if_any()
    return lines


def _line(at: int, row: Mapping[str, str], mark: str, complaints: Complaints) -> BudgetLine:
    where = f"row {at}"
    return BudgetLine(
        at,
        filled(f"{where}, variable", row["variable"], complaints),
        number(f"{where}, share", row["share"], mark, complaints),
        choice(f"{where}, side", row["side"], SIDES, complaints),
        choice(f"{where}, term", row["term"], (STRUCTURAL, INCIDENTAL), complaints),
        filled(f"{where}, {CODE}", row[CODE], complaints),
        filled(f"{where}, name", row["name"], complaints),
    )
