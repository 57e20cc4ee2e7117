"""Accounts (Iv3 taakvelden) in three vintages of codes, and where one vintage is another and where not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.budget_lines import CODE, BudgetLine
from sdopt.config.constants import STATUSES
from sdopt.config.csv_table import choice, filled, read_table
from sdopt.errors import Complaints, ConfigError, did_you_mean

OLDER = ("2023-2024", "<=2022")
"""The older vintages, newest first."""
SAME, RENUMBERED, PART, MIXED = "same", "renumbered", "part", "mixed"
RELATIONS = (SAME, RENUMBERED, PART, MIXED)
"""What an account is: an older one, one under another code, a part of one, or parts of several."""
ONE_TO_ONE = (SAME, RENUMBERED)
COLUMNS = (
    *(CODE, "name"),
    *(column for vintage in OLDER for column in (f"taakveld {vintage}", f"relation {vintage}")),
    *("pot", "source", "status", "note"),
)

_CODE = re.compile(r"[0-9]\.([0-9]{1,3}[a-z]?|x)")


@dataclass(frozen=True)
class Account:
    """One account of the newest vintage; `older` and `relations` are in the order of `OLDER`.

    An older code `6.x` stands for several of chapter 6. `pot` is what the money is for.
    """

    number: int
    code: str
    name: str
    older: tuple[tuple[str, ...], ...]
    relations: tuple[str, ...]
    pot: str
    source: str
    status: str
    note: str


def read_accounts(path: Path) -> tuple[Account, ...]:
    """Read the table of accounts.

    Raises
    ------
    ConfigError
        With every fault and its row: columns, cells, a code that is given twice, a relation that does not
        fit its codes, and a code of an older vintage that is said to be one account and part of another.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, COLUMNS, complaints)
    rows = tuple(_account(at, row, complaints) for at, row in table.rows.items())
    if not rows:
        complaints.add("", "has no rows; add one per taakveld")
    _check_given_once(rows, complaints)
    for place, vintage in enumerate(OLDER):
        _check_claims(rows, place, vintage, complaints)
    complaints.raise_if_any()
    return rows


def check_lines(lines: Iterable[BudgetLine], accounts: Iterable[Account], path: Path, table: str) -> None:
    """Every line of the budget `path` stands on an account of `table`, under the name it has there.

    Raises
    ------
    ConfigError
        With every row that does not.
    """
    complaints = Complaints(str(path), ConfigError)
    known = {account.code: account for account in accounts}
    for line in lines:
        account = known.get(line.account)
        if account is None:
            complaints.add(f"row {line.number}, {CODE}", f'{table} has no taakveld "{line.account}".'
                           f"{did_you_mean(line.account, known)} Mend it, or add a row there")  # fmt: skip
        elif account.name != line.name:
            complaints.add(f"row {line.number}, name", f'found "{line.name}"; in {table} taakveld '
                           f'{line.account} is called "{account.name}": make them equal')  # fmt: skip
    complaints.raise_if_any()


def _account(at: int, row: Mapping[str, str], complaints: Complaints) -> Account:
    where = f"row {at}"
    texts = {key: filled(f"{where}, {key}", row[key], complaints) for key in (CODE, "name", "pot", "source")}
    if texts[CODE]:
        _check_code(f"{where}, {CODE}", texts[CODE], complaints)
    older = tuple(_codes(f"{where}, taakveld {v}", row[f"taakveld {v}"], complaints) for v in OLDER)
    relations = tuple(
        choice(f"{where}, relation {v}", row[f"relation {v}"], RELATIONS, complaints) for v in OLDER
    )
    for vintage, codes, relation in zip(OLDER, older, relations, strict=True):
        _check_relation(f"{where}, relation {vintage}", texts[CODE], codes, relation, complaints)
    status = choice(f"{where}, status", row["status"], STATUSES, complaints)
    return Account(
        *(at, texts[CODE], texts["name"], older, relations, texts["pot"]),
        *(texts["source"], status, row["note"]),
    )


def _codes(where: str, cell: str, complaints: Complaints) -> tuple[str, ...]:
    """The codes in a cell, with semicolons between them."""
    codes = tuple(code.strip() for code in cell.split(";") if code.strip())
    if not codes:
        complaints.add(
            where, "empty; write a code such as 6.1, several with semicolons, or 6.x for several of 6"
        )
    for code in codes:
        _check_code(where, code, complaints)
    return codes


def _check_code(where: str, code: str, complaints: Complaints) -> None:
    if not _CODE.fullmatch(code):
        complaints.add(where, f'found "{code[:40]}"; a code is written as 6.1, 6.711 or 6.71a (in a '
                       "spreadsheet as text, or 6.60 becomes 6.6)")  # fmt: skip


def _check_relation(
    where: str, code: str, older: tuple[str, ...], relation: str, complaints: Complaints
) -> None:
    """One code for what is one account or part of one; several, or a whole chapter, for what is mixed."""
    if not older:
        return
    several = len(older) > 1 or older[0].endswith("x")
    if several != (relation == MIXED):
        needs = "several older codes" if relation == MIXED else "one older code"
        complaints.add(where, f'"{relation}" needs {needs}, found "{"; ".join(older)}"; use '
                       f"{MIXED} for parts of several codes, {PART} for a part of one")  # fmt: skip
    elif relation in ONE_TO_ONE and (relation == SAME) != (older[0] == code):
        complaints.add(where, f'"{relation}" does not fit {older[0]} and {code}; use {SAME} for the same '
                       f"code, {RENUMBERED} for another one")  # fmt: skip


def _check_given_once(rows: Iterable[Account], complaints: Complaints) -> None:
    first: dict[str, int] = {}
    for row in rows:
        earlier = first.setdefault(row.code, row.number)
        if earlier != row.number:
            complaints.add(f"row {row.number}", f'"{row.code}" is on row {earlier} already; keep one')


def _check_claims(rows: Iterable[Account], place: int, vintage: str, complaints: Complaints) -> None:
    """What is claimed to be one account may not be (part of) another as well."""
    owners: dict[str, list[Account]] = defaultdict(list)
    for row in rows:
        for code in row.older[place]:
            owners[code].append(row)
    for code, found in owners.items():
        claims = [row for row in found if row.relations[place] in ONE_TO_ONE]
        if claims and len(found) > 1:
            others = ", ".join(str(row.number) for row in found if row is not claims[0])
            complaints.add(
                f"row {claims[0].number}, relation {vintage}",
                f'"{claims[0].relations[place]}" says that {code} became this taakveld alone, but row '
                f"{others} comes from it too; use {PART} or {MIXED}",
            )
