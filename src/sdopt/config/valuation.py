"""Conventions of valuation: methods to choose from, each with the model constants that it sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sdopt.config.constants import STATUSES
from sdopt.config.csv_table import choice, filled, number, read_table
from sdopt.config.load import LoadedConfig
from sdopt.config.names import same_name
from sdopt.errors import Complaints, ConfigError, did_you_mean

COLUMNS = ("convention", "method", "default", "constant", "value", "unit", "source", "status", "note")


@dataclass(frozen=True)
class MethodRow:
    """One constant that one method of a convention sets.

    A method that sets nothing (a price level, say) has the constant "" and is only stated; then `value` is
    None where none is given. `low` and `high` span the methods of the convention.
    """

    number: int
    convention: str
    method: str
    default: bool
    constant: str
    value: float | None
    unit: str
    source: str
    status: str
    note: str
    low: float | None = None
    high: float | None = None


def read_valuation(path: Path) -> tuple[MethodRow, ...]:
    """Read a table of conventions.

    Raises
    ------
    ConfigError
        With every fault and its row: columns, cells, a convention without one default, methods of one
        convention that set different constants, a constant of two conventions.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, COLUMNS, complaints)
    rows = [_method_row(at, row, table.mark, complaints) for at, row in table.rows.items()]
    _check_conventions(rows, complaints)
    complaints.raise_if_any()
    return tuple(_with_span(row, rows) for row in rows)


def chosen_methods(loaded: LoadedConfig) -> tuple[MethodRow, ...]:
    """The rows of the methods that a config chooses, and of the defaults where it does not; () without.

    Raises
    ------
    ConfigError
        As `read_valuation`; or for conventions or methods that the table does not have.
    """
    valuation = loaded.config.valuation
    if valuation is None:
        return ()
    rows = read_valuation(valuation.file)
    complaints = Complaints(str(loaded.path), ConfigError)
    chosen: dict[str, str] = {}
    for written, method in valuation.methods.items():
        found = _chosen(loaded, rows, written, method, complaints)
        if found and chosen.setdefault(found.convention, found.method) != found.method:
            complaints.add(loaded.where("valuation", written), "chosen already; keep one of the two")
    complaints.raise_if_any()
    return tuple(row for row in rows if _is_chosen(row, chosen))


def _is_chosen(row: MethodRow, chosen: Mapping[str, str]) -> bool:
    return chosen[row.convention] == row.method if row.convention in chosen else row.default


def _with_span(row: MethodRow, rows: Iterable[MethodRow]) -> MethodRow:
    """The row with the lowest and highest value that the methods of its convention give the constant."""
    others = (o for o in rows if row.constant and same_name(o.constant) == same_name(row.constant))
    values = [other.value for other in others if other.value is not None]
    return replace(row, low=min(values), high=max(values)) if values else row


def _method_row(at: int, row: Mapping[str, str], mark: str, complaints: Complaints) -> MethodRow:
    where = f"row {at}"
    convention, method = (filled(f"{where}, {key}", row[key], complaints) for key in ("convention", "method"))
    default = choice(f"{where}, default", row["default"], ("yes", "no"), complaints) == "yes"
    needed = row["constant"] or row["value"]
    value = number(f"{where}, value", row["value"], mark, complaints) if needed else None
    status = choice(f"{where}, status", row["status"], STATUSES, complaints)
    if not row["source"] and status != "judgement":
        complaints.add(f"{where}, source", "empty; name the source, or make the status judgement")
    texts = (row["unit"], row["source"], status, row["note"])
    return MethodRow(at, convention, method, default, row["constant"], value, *texts)


def _check_conventions(rows: Iterable[MethodRow], complaints: Complaints) -> None:
    """Each convention has one default, its methods set the same constants, and no other sets those."""
    owner: dict[str, str] = {}
    for name, methods in _by_convention(rows).items():
        defaults = [method for method, listed in methods.items() if all(row.default for row in listed)]
        marked = [method for method, listed in methods.items() if any(row.default for row in listed)]
        where = f'convention "{name}"'
        if len(defaults) != 1 or marked != defaults:
            complaints.add(where, f"needs one method with default yes (on all its rows), found {len(marked)}")
        for method, listed in methods.items():
            _check_method(where, method, listed, next(iter(methods.values())), complaints)
        for row in methods[next(iter(methods))]:
            first = owner.setdefault(same_name(row.constant), name) if row.constant else name
            if first != name:
                complaints.add(
                    f"row {row.number}",
                    f'"{row.constant}" is set by convention "{first}" already; keep one of the two',
                )


def _check_method(
    where: str, method: str, listed: list[MethodRow], first: list[MethodRow], complaints: Complaints
) -> None:
    constants = [same_name(row.constant) for row in listed]
    if len(set(constants)) < len(constants):
        complaints.add(where, f'method "{method}" sets a constant twice; keep one row')
    elif set(constants) != {same_name(row.constant) for row in first}:
        complaints.add(where, f'methods "{first[0].method}" and "{method}" set different constants; every '
                       "method of a convention sets the same")  # fmt: skip


def _by_convention(rows: Iterable[MethodRow]) -> dict[str, dict[str, list[MethodRow]]]:
    found: dict[str, dict[str, list[MethodRow]]] = {}
    for row in rows:
        found.setdefault(row.convention, {}).setdefault(row.method, []).append(row)
    return found


def _chosen(
    loaded: LoadedConfig, rows: tuple[MethodRow, ...], written: str, method: str, complaints: Complaints
) -> MethodRow | None:
    """The first row of the method that a config means, or None after a complaint."""
    where = loaded.where("valuation", written)
    ours = [row for row in rows if same_name(row.convention) == same_name(written)]
    if not ours:
        names = list(dict.fromkeys(row.convention for row in rows))
        complaints.add(where, f"there is no such convention.{did_you_mean(written, names)} "
                       f"Allowed: {', '.join(names)}")  # fmt: skip
        return None
    found = next((row for row in ours if same_name(row.method) == same_name(method)), None)
    if found is None:
        names = list(dict.fromkeys(row.method for row in ours))
        complaints.add(where, f'there is no method "{method}".{did_you_mean(method, names)} '
                       f"Allowed: {', '.join(names)}")  # fmt: skip
    return found
