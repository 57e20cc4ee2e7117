"""Effects that are not expressed in money: described beside the ledger, and never counted (PM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.constants import STATUSES
from sdopt.config.csv_table import choice, filled, read_table
from sdopt.config.names import same_name
from sdopt.errors import Complaints, ConfigError

COLUMNS = ("effect", "pocket", "direction", "source", "status", "note")
IN_DUTCH = ("nl", "note nl")
"""Optional columns: effect and note for readers of a Dutch result."""
DIRECTIONS = ("gain", "loss", "either")


@dataclass(frozen=True)
class NotValued:
    """An effect for which no amount is known; `direction` is gain, loss or either (it is not known which)."""

    effect: str
    pocket: str
    direction: str
    source: str
    status: str
    note: str


def read_not_valued(
    path: Path, pockets: Sequence[str], valued: Sequence[str], language: str
) -> tuple[NotValued, ...]:
    """Read what is not valued: effect, pocket, direction (gain, loss, either), source, status, note.

    Parameters
    ----------
    pockets, valued : pockets and effects of the ledger; what is valued there cannot be in this table
    language : of the result; in Dutch the columns `nl` and `note nl` are shown where they are filled

    Raises
    ------
    ConfigError
        If it is no table, or its columns are not these; else with every fault and its row.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, COLUMNS, complaints, IN_DUTCH)
    known = {same_name(effect): "is valued in the ledger" for effect in valued}
    rows = []
    for at, row in table.rows.items():
        rows.append(_row(f"row {at}", row, pockets, language, complaints))
        name = same_name(row["effect"])
        if name and (why := known.setdefault(name, f"is on row {at}")) != f"is on row {at}":
            complaints.add(f"row {at}, effect", f'"{row["effect"]}" {why} already; keep one of the two')
    complaints.raise_if_any()
    return tuple(rows)


def _row(
    where: str, row: Mapping[str, str], pockets: Sequence[str], language: str, complaints: Complaints
) -> NotValued:
    effect, note = (filled(f"{where}, {key}", row[key], complaints) for key in ("effect", "note"))
    direction = choice(f"{where}, direction", row["direction"], DIRECTIONS, complaints)
    named = {pocket.lower(): pocket for pocket in pockets}
    pocket = named[choice(f"{where}, pocket", row["pocket"], tuple(named), complaints)]
    status = choice(f"{where}, status", row["status"], STATUSES, complaints)
    if not row["source"] and status != "judgement":
        complaints.add(f"{where}, source", "empty; name the source, or make the status judgement")
    if language == "nl":
        effect, note = row.get("nl") or effect, row.get("note nl") or note
    return NotValued(effect, pocket, direction, row["source"], status, note)
