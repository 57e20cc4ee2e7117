"""The ledger of a model: who pays and who gains; and the perspectives from which it is summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdopt.config.csv_table import CsvTable, choice, filled, number, read_table
from sdopt.config.names import same_name
from sdopt.errors import Complaints, did_you_mean

COLUMNS = ("effect", "variable", "cash", "kind", "note")
PERSPECTIVE_COLUMNS = ("perspective", "pockets", "cash only", "variable", "note")
EFFECT, TRANSFER, END_VALUE = "effect", "transfer", "end value"
KINDS = (EFFECT, TRANSFER, END_VALUE)
ALL = "all"
"""In the table of perspectives: every pocket."""
NOT_SPLIT = "not split"
"""Where an end value goes that the ledger gives to no pocket."""
LANGUAGES = ("nl", "en")
"""Optional columns of a ledger: what readers of that language see as the name of the effect."""
ROUNDING = 1e-9
"""Weights of a transfer that sum to less than this sum to zero, as a third and two thirds do."""


@dataclass(frozen=True)
class LedgerRow:
    """A model variable that counts `weights[pocket]` times for each pocket.

    `kind` is effect (a flow per year), transfer (the same, and its weights sum to zero) or end value (what
    is left at the end of the horizon). `cash` says that it is money that is paid, not a valued effect.
    `labels`: language -> the effect's name for readers.
    """

    number: int
    effect: str
    variable: str
    weights: Mapping[str, float]
    cash: bool
    kind: str
    note: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PerspectiveRow:
    """The pockets that one perspective counts, all rows or cash only; `variable` should equal its flows."""

    number: int
    name: str
    pockets: tuple[str, ...]
    cash_only: bool
    variable: str
    note: str


def read_ledger(path: Path, complaints: Complaints) -> tuple[LedgerRow, ...]:
    """Read a ledger: effect, variable, a column per pocket, cash (yes or no), kind, note.

    Pockets are the columns between variable and cash; `LANGUAGES` may be there too. Faults of rows go to
    `complaints`.

    Raises
    ------
    ConfigError
        If it is no table, or its columns are not these.
    """
    table = read_table(path, COLUMNS, complaints)
    pockets = _pockets(table, complaints)
    rows = tuple(_ledger_row(at, row, pockets, table.mark, complaints) for at, row in table.rows.items())
    _check_given_once({row.number: row.effect for row in rows}, complaints)
    if not rows:
        complaints.add("", "has no rows; add one per money flow or effect")
    return rows


def read_perspectives(
    path: Path, pockets: tuple[str, ...], complaints: Complaints
) -> tuple[PerspectiveRow, ...]:
    """Read perspectives: name, pockets (with semicolons, or all), cash only (yes or no), variable, note.

    `pockets` are those of the ledger. Faults of rows go to `complaints`.

    Raises
    ------
    ConfigError
        If it is no table, or its columns are not these.
    """
    table = read_table(path, PERSPECTIVE_COLUMNS, complaints)
    rows = tuple(_perspective_row(at, row, pockets, complaints) for at, row in table.rows.items())
    _check_given_once({row.number: row.name for row in rows}, complaints)
    if not rows:
        complaints.add("", "has no rows; add one per perspective")
    return rows


def _pockets(table: CsvTable, complaints: Complaints) -> tuple[str, ...]:
    first, last = table.header.index("variable") + 1, table.header.index("cash")
    pockets = table.header[first:last]
    if not pockets:
        complaints.add("columns", "there is no pocket; put a column per pocket between variable and cash")
    for pocket in pockets:
        if pocket.lower() in ("", ALL, NOT_SPLIT, *LANGUAGES, *COLUMNS):
            complaints.add(
                f'column "{pocket}"', "not a name for a pocket; choose another, or move the column"
            )
    complaints.raise_if_any()
    return pockets


def _ledger_row(
    at: int, row: Mapping[str, str], pockets: tuple[str, ...], mark: str, complaints: Complaints
) -> LedgerRow:
    where, before = f"row {at}", len(complaints.items)
    weights = {pocket: number(f"{where}, {pocket}", row[pocket], mark, complaints) for pocket in pockets}
    kind = choice(f"{where}, kind", row["kind"], KINDS, complaints)
    cash = choice(f"{where}, cash", row["cash"], ("yes", "no"), complaints) == "yes"
    effect = filled(f"{where}, effect", row["effect"], complaints)
    variable = filled(f"{where}, variable", row["variable"], complaints)
    if len(complaints.items) == before:
        _check_weights(where, kind, weights, complaints)
    labels = {language: row[language] for language in LANGUAGES if row.get(language)}
    return LedgerRow(at, effect, variable, weights, cash, kind, row["note"], labels)


def _check_weights(where: str, kind: str, weights: Mapping[str, float], complaints: Complaints) -> None:
    total = sum(weights.values())
    if kind == TRANSFER and abs(total) > ROUNDING:
        complaints.add(
            where,
            f"a transfer only moves money, so its weights sum to 0; these sum to {total:g}: mend them, or "
            "make the kind effect",
        )
    if kind != END_VALUE and not any(weights.values()):
        complaints.add(where, "counts for no pocket; give one a weight, or remove the row")


def _perspective_row(
    at: int, row: Mapping[str, str], pockets: tuple[str, ...], complaints: Complaints
) -> PerspectiveRow:
    where = f"row {at}"
    name = filled(f"{where}, perspective", row["perspective"], complaints)
    cash_only = choice(f"{where}, cash only", row["cash only"], ("yes", "no"), complaints) == "yes"
    listed = _listed_pockets(f"{where}, pockets", row["pockets"], pockets, complaints)
    return PerspectiveRow(at, name, listed, cash_only, row["variable"], row["note"])


def _listed_pockets(
    where: str, cell: str, pockets: tuple[str, ...], complaints: Complaints
) -> tuple[str, ...]:
    names = [name.strip() for name in cell.split(";") if name.strip()]
    if [name.lower() for name in names] == [ALL]:
        return pockets
    known = {pocket.lower(): pocket for pocket in pockets}
    for name in names:
        if name.lower() not in known:
            allowed = "; ".join((ALL, *pockets))
            complaints.add(where, f'the ledger has no pocket "{name}".{did_you_mean(name, pockets)} '
                           f"Allowed: {allowed}")  # fmt: skip
    if not names:
        complaints.add(where, f"empty; write pockets with semicolons between them, or {ALL}")
    wanted = {name.lower() for name in names}
    return tuple(pocket for pocket in pockets if pocket.lower() in wanted)


def _check_given_once(names: Mapping[int, str], complaints: Complaints) -> None:
    first: dict[str, int] = {}
    for at, name in names.items():
        earlier = first.setdefault(same_name(name), at)
        if name and earlier != at:
            complaints.add(f"row {at}", f'"{name}" is on row {earlier} already; keep one of the two')
