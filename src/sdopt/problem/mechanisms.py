"""Mechanisms of a model: constants that switch one off, from the config or a table beside the model."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.names import same_name
from sdopt.config.schema import Config
from sdopt.equations.system import EquationSystem
from sdopt.errors import ConfigError

TABLE = "mechanisms.csv"
"""Beside the model: columns id, claim (and claim_nl), off (`constant=value; constant=value`)."""


@dataclass(frozen=True)
class Mechanism:
    """`changes`: constant as written -> value that switches it off; `keys`: the same by key of the model.

    `keys` is empty when one of the names is no constant of this model, which a table may hold.
    """

    name: str
    changes: Mapping[str, float]
    keys: Mapping[str, float]


def mechanisms_of(config: Config, system: EquationSystem) -> tuple[Mechanism, ...]:
    """Mechanisms that the config lists, or those of the table beside the model, if there is one.

    Raises
    ------
    ConfigError
        When the table cannot be read.
    """
    listed = config.explanation.mechanisms
    if listed == "default":
        listed = _from_table(config.model.file.parent / TABLE, config.output.language)
    constants = {same_name(v.name): v.key for v in system.of_kind("constant")}
    decided = {same_name(d.variable) for d in config.decisions.values()}
    found = []
    for name, changes in listed.items():
        known = all(same_name(c) in constants and same_name(c) not in decided for c in changes)
        keys = {constants[same_name(c)]: value for c, value in changes.items()} if known else {}
        found.append(Mechanism(name, changes, keys))
    return tuple(found)


def check_mechanisms(
    config: Config,
    find: Callable[[tuple[str | int, ...], str], object],
) -> None:
    """Complain, through `find`, of every constant in the config's own list that the model does not have."""
    if config.explanation.mechanisms == "default":
        return
    for name, changes in config.explanation.mechanisms.items():
        for constant in changes:
            find(("explanation", "mechanisms", name, constant), constant)


def _from_table(path: Path, language: str) -> dict[str, dict[str, float]]:
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        claim = "claim_nl" if language == "nl" and rows and "claim_nl" in rows[0] else "claim"
        return {f"{row['id']} {row[claim]}": _changes(row["off"]) for row in rows}
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"{path}: cannot be read as a table of mechanisms ({error}); it needs the columns id, {'claim'} "
            "and off, the last as `constant=value; constant=value`."
        ) from error


def _changes(text: str) -> dict[str, float]:
    pairs = (part.split("=") for part in text.split(";") if part.strip())
    return {name.strip(): float(value) for name, value in pairs}
