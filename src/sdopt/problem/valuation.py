"""The methods of valuation that a config chooses, as constants of its model."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from sdopt.config.constants import Constant
from sdopt.config.load import LoadedConfig
from sdopt.config.names import same_name
from sdopt.config.schema import Config
from sdopt.config.units import plain_unit
from sdopt.config.valuation import MethodRow
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import Complaints, ConfigError, did_you_mean
from sdopt.problem.meaning import resolve


def check_methods(loaded: LoadedConfig, system: EquationSystem, methods: Iterable[MethodRow]) -> None:
    """Check that methods set constants of the model, in its unit, that nothing else in the config sets.

    Raises
    ------
    ConfigError
        With every fault and its row in the table of conventions.
    """
    config = loaded.config
    complaints = Complaints(str(config.valuation.file if config.valuation else ""), ConfigError)
    for row in methods:
        if row.constant:
            _check_constant(row, resolve(row.constant, system), system, config, complaints)
    complaints.raise_if_any()


def with_methods(constants: tuple[Constant, ...], methods: Iterable[MethodRow]) -> tuple[Constant, ...]:
    """The table of constants in which the methods' values stand, with their source.

    A convention is chosen, not sampled, so its distribution is fixed; its range is that of its methods.
    """
    chosen = {same_name(row.constant): _constant(row) for row in methods if row.value is not None}
    kept = [row for row in constants if same_name(row.name) not in chosen]
    return (*kept, *(row for name, row in chosen.items() if name))


def _constant(row: MethodRow) -> Constant:
    note = f"{row.convention}: {row.method}." + (f" {row.note}" if row.note else "")
    value = row.value or 0.0
    more = (row.unit, row.source, row.status, note, "fixed")
    return Constant(row.constant, value, row.low, row.high, *more)


def _check_constant(
    row: MethodRow, variable: Variable | None, system: EquationSystem, config: Config, complaints: Complaints
) -> None:
    where, model = f"row {row.number}, constant", config.model.file.name
    if variable is None or variable.kind != "constant":
        names = [v.name for v in system.of_kind("constant")]
        complaints.add(
            where,
            f'"{row.constant}" is not a constant of {model}.{did_you_mean(row.constant, names)} Mend the '
            f"name or remove the row. List all: sdopt variables {model}",
        )
        return
    if plain_unit(row.unit) != plain_unit(variable.unit):
        complaints.add(where, f'unit "{row.unit}" differs from "{variable.unit}" in {model}; make them equal')
    low, high = variable.low, variable.high
    if row.value is not None and not (-inf if low is None else low) <= row.value <= (
        inf if high is None else high
    ):
        complaints.add(
            where, f"{row.value:g} is outside the range of {variable.name} in {model}; mend one of the two"
        )
    _check_set_once(where, row, config, complaints)


def _check_set_once(where: str, row: MethodRow, config: Config, complaints: Complaints) -> None:
    name, setter = same_name(row.constant), f'"{row.constant}" is set by {row.convention} ({row.method})'
    if name in map(same_name, config.model.changes):
        complaints.add(where, f"{setter} and by model.changes; remove it there, or choose another method")
    for identity, decision in config.decisions.items():
        if name == same_name(decision.variable):
            complaints.add(where, f"{setter} and chosen by decision {identity}; remove one of the two")
