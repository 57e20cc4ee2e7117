"""The ledger of a question: which variable of its model counts for which pocket, and how it is summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.config.ledger import (
    END_VALUE,
    NOT_SPLIT,
    LedgerRow,
    PerspectiveRow,
    read_ledger,
    read_perspectives,
)
from sdopt.config.not_valued import NotValued, read_not_valued
from sdopt.config.schema import Config, LedgerFiles
from sdopt.config.units import amount_per_year, plain_unit
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import Complaints, ConfigError, did_you_mean
from sdopt.problem.functionals import end_value, present_value
from sdopt.problem.meaning import resolve


@dataclass(frozen=True)
class Entry:
    """One row of the ledger: `present` (time,) turns the variable's path into a present value.

    `label` is the effect's name for readers. An end value that no pocket gets has weight 1 for `NOT_SPLIT`.
    """

    effect: str
    label: str
    variable: str
    key: str
    weights: Mapping[str, float]
    cash: bool
    kind: str
    present: NDArray[np.float64]


@dataclass(frozen=True)
class Perspective:
    """Pockets that are summed; the flows should equal the variable with `key`, if there is one.

    `counts_rest`: an end value that is not split is part of it, as it is of the objective.
    """

    name: str
    pockets: tuple[str, ...]
    cash_only: bool
    variable: str
    key: str | None
    counts_rest: bool

    def weight(self, entry: Entry) -> float | None:
        """What one entry counts for; None when it is no part of this perspective."""
        if self.cash_only and not entry.cash and not self._rest(entry):
            return None
        parts = [entry.weights.get(pocket, 0.0) for pocket in self.pockets]
        if self._rest(entry):
            parts.append(entry.weights[NOT_SPLIT])
        return sum(parts) if any(parts) else None

    def _rest(self, entry: Entry) -> bool:
        return self.counts_rest and NOT_SPLIT in entry.weights


@dataclass(frozen=True)
class Ledger:
    """Who pays and who gains; all amounts are in `unit`, per year in the model. `not_valued` has none."""

    pockets: tuple[str, ...]
    entries: tuple[Entry, ...]
    perspectives: tuple[Perspective, ...]
    unit: str
    not_valued: tuple[NotValued, ...] = ()


def build_ledger(config: Config, system: EquationSystem, times: NDArray[np.float64]) -> Ledger | None:
    """Read the ledger and perspectives that a config names and find their variables; None without.

    Raises
    ------
    ConfigError
        With every fault in the ledger, and else with those of the perspectives, and of what is not valued.
    """
    files = config.ledger
    if files is None:
        return None
    complaints = Complaints(str(files.file), ConfigError)
    rows = read_ledger(files.file, complaints)
    find = _Find(config, system, complaints)
    found = [(row, find.of_row(row)) for row in rows]
    complaints.raise_if_any()
    entries = [_entry(row, v, config, times) for row, v in found if v and _counted(row, v, config, system)]
    pockets = tuple(rows[0].weights)
    return Ledger(
        pockets,
        (*entries, *_rest(entries, config, system, times)),
        _perspectives(files, pockets, config, system, find.unit),
        find.unit,
        _not_valued(files, pockets, rows, config),
    )


def _not_valued(
    files: LedgerFiles, pockets: tuple[str, ...], rows: tuple[LedgerRow, ...], config: Config
) -> tuple[NotValued, ...]:
    file = files.not_valued_file
    if file is None:
        return ()
    return read_not_valued(file, pockets, [row.effect for row in rows], config.output.language)


class _Find:
    """Finds variables of one unit of money per year; the first row decides which unit."""

    def __init__(
        self, config: Config, system: EquationSystem, complaints: Complaints, unit: str = ""
    ) -> None:
        self.model, self.system, self.complaints, self.unit = config.model.file.name, system, complaints, unit

    def of_row(self, row: LedgerRow) -> Variable | None:
        return self(f"row {row.number}, variable", row.variable, row.kind)

    def __call__(self, where: str, name: str, kind: str) -> Variable | None:
        """The variable, or None after a complaint (or without a name)."""
        variable = resolve(name, self.system)
        if variable is None and name:
            names = [v.name for v in self.system.visible.values()]
            self.complaints.add(
                where,
                f'{self.model} has no variable "{name}".{did_you_mean(name, names)} '
                f"List all: sdopt variables {self.model}",
            )
        elif variable is not None:
            self._check_unit(where, variable, kind)
        return variable

    def _check_unit(self, where: str, variable: Variable, kind: str) -> None:
        amount = variable.unit if kind == END_VALUE else amount_per_year(variable.unit)
        self.unit = self.unit or amount or ""
        if amount is None:
            self.complaints.add(
                where,
                f'unit "{variable.unit}" of {variable.name} is not an amount per year; choose a variable '
                f'whose unit ends with "/Year", or make the kind {END_VALUE}',
            )
        elif plain_unit(amount) != plain_unit(self.unit):
            self.complaints.add(
                where,
                f'"{variable.name}" counts in "{amount}", the ledger in "{self.unit}" (its first row); a sum '
                "needs one unit: convert it in the model",
            )


def _entry(row: LedgerRow, variable: Variable, config: Config, times: NDArray[np.float64]) -> Entry:
    weights = dict(row.weights) if any(row.weights.values()) else {NOT_SPLIT: 1.0}
    present = _present(variable, row.kind, config, times)
    label = row.labels.get(config.output.language, row.effect)
    return Entry(row.effect, label, variable.name, variable.key, weights, row.cash, row.kind, present)


def _present(
    variable: Variable, kind: str, config: Config, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights (time,) as in the objective: discount rate, horizon and share of the end value."""
    name, key, ends = variable.name, variable.key, config.objective.end_value
    if kind == END_VALUE and ends is not None:
        return ends.weight * end_value(name, key, config, times, "").weights[key]
    return present_value(name, key, config, times, "").weights[key]


def _counted(row: LedgerRow, variable: Variable, config: Config, system: EquationSystem) -> bool:
    """Whether a row is part of this question: of the end values only the one that the objective counts."""
    return row.kind != END_VALUE or variable.key == _end_key(config, system)


def _end_key(config: Config, system: EquationSystem) -> str | None:
    ends = config.objective.end_value
    found = resolve(ends.variable, system) if ends is not None else None
    return None if found is None else found.key


def _rest(
    entries: list[Entry], config: Config, system: EquationSystem, times: NDArray[np.float64]
) -> list[Entry]:
    """The objective's end value as an entry of its own where the ledger does not have it."""
    key = _end_key(config, system)
    if key is None or any(entry.kind == END_VALUE for entry in entries):
        return []
    variable = system.variables[key]
    row = LedgerRow(0, variable.name, variable.name, {}, False, END_VALUE, "")
    return [_entry(row, variable, config, times)]


def _perspectives(
    files: LedgerFiles, pockets: tuple[str, ...], config: Config, system: EquationSystem, unit: str
) -> tuple[Perspective, ...]:
    complaints = Complaints(str(files.perspectives_file), ConfigError)
    rows = read_perspectives(files.perspectives_file, pockets, complaints)
    find = _Find(config, system, complaints, unit)
    maximised = resolve(config.objective.maximise, system)
    found = [
        _perspective(row, find(f"row {row.number}, variable", row.variable, ""), maximised) for row in rows
    ]
    complaints.raise_if_any()
    return tuple(found)


def _perspective(row: PerspectiveRow, variable: Variable | None, maximised: Variable | None) -> Perspective:
    name, key = (variable.name, variable.key) if variable else ("", None)
    counts_rest = maximised is not None and key == maximised.key
    return Perspective(row.name, row.pockets, row.cash_only, name, key, counts_rest)
