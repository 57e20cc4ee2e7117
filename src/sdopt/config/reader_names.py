"""Names that readers see for what a model calls otherwise: a table beside the model, per language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.csv_table import filled, read_table
from sdopt.config.names import same_name
from sdopt.errors import Complaints, ConfigError

LANGUAGES = ("nl", "en")
COLUMNS = ("variable", *LANGUAGES)


@dataclass(frozen=True)
class ReaderName:
    """One row: `number` as a spreadsheet counts, the `variable`, and language -> name where one is given."""

    number: int
    variable: str
    names: Mapping[str, str]


def read_names(path: Path) -> tuple[ReaderName, ...]:
    """Read a table of names; an empty name means that readers of that language see the model's own.

    Raises
    ------
    ConfigError
        With every fault, its row and its column: no such columns, no variable, a variable named twice, or
        two variables with one name.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, COLUMNS, complaints)
    rows = tuple(_row(at, cells, complaints) for at, cells in table.rows.items())
    _check_twice(((row.number, row.variable) for row in rows), "variable", complaints)
    for language in LANGUAGES:
        _check_twice(((row.number, row.names.get(language, "")) for row in rows), language, complaints)
    complaints.raise_if_any()
    return rows


def _row(at: int, cells: Mapping[str, str], complaints: Complaints) -> ReaderName:
    variable = filled(f"row {at}, column variable", cells["variable"], complaints)
    return ReaderName(at, variable, {key: cells[key] for key in LANGUAGES if cells[key]})


def _check_twice(found: Iterable[tuple[int, str]], column: str, complaints: Complaints) -> None:
    """Complain about every text of a column that stands in an earlier row too; empty cells are no text."""
    first: dict[str, int] = {}
    alike = same_name if column == "variable" else _look
    for number, text in found:
        earlier = first.setdefault(alike(text), number) if text else number
        if earlier != number:
            remedy = "keep one of the two" if column == "variable" else "give every variable its own name"
            complaints.add(
                f"row {number}, column {column}", f'"{text}" stands in row {earlier} too; {remedy}'
            )


def _look(name: str) -> str:
    """What two names are compared by that a reader must be able to tell apart."""
    return " ".join(name.split()).casefold()
