"""Which names readers see: the config's labels, and the table of names beside the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sdopt.config.names import same_name
from sdopt.config.reader_names import read_names
from sdopt.config.schema import Config
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import did_you_mean

Complain = Callable[[str, str], None]
"""Notes what is wrong: where, in words, and the message."""
Place = Callable[[str], str]
"""From a key of `output.labels` to its place in words."""


@dataclass(frozen=True)
class _Given:
    """`text` is what readers see for `name`, as the model writes it; `where` says so."""

    where: str
    name: str
    text: str


def reader_names(config: Config, system: EquationSystem) -> dict[str, str]:
    """Name as the model writes it -> name for readers, in the language of output; labels win.

    Names that do not resolve are left out: `check_reader_names` complains about them. Limits, external
    scenarios and allocations have their name in plain words in the config itself.
    """
    return {one.name: one.text for one in _given(config, system, str)}


def decision_names(config: Config, system: EquationSystem) -> dict[str, str]:
    """Id of a decision -> what readers see for its variable, where that has such a name."""
    names, variables = reader_names(config, system), _by_name(system)
    found = {key: variables.get(same_name(one.variable)) for key, one in config.decisions.items()}
    return {key: names[v.name] for key, v in found.items() if v is not None and v.name in names}


def check_reader_names(config: Config, system: EquationSystem, place: Place, complain: Complain) -> None:
    """Complain about names of nothing, about one variable named twice, and about two that look the same.

    Raises
    ------
    ConfigError
        When the table of names cannot be read.
    """
    _check_rows(config, system, complain)
    _check_twice(config, system, place, complain)
    given = {one.name: one for one in _given(config, system, place)}
    seen = {v.name: v.name for v in system.visible.values() if v.name not in given}
    for one in given.values():
        first = seen.setdefault(one.text, one.name)
        if first != one.name:
            complain(
                one.where,
                f'"{one.text}" is also what readers see for "{first}"; give every variable its own label',
            )


def _given(config: Config, system: EquationSystem, place: Place) -> Iterator[_Given]:
    """What is named, in the order in which the later wins: arrays, other rows of the table, labels."""
    variables = _by_name(system)
    table, language = config.output.names, config.output.language
    rows = read_names(table) if table else ()
    named = [(row, row.names[language]) for row in rows if language in row.names]
    for row, text in named:
        for one in _elements(row.variable, system):
            where = f"{table}, row {row.number}, column {language}"
            yield _Given(where, one.name, f"{text} ({one.parts[1].replace(',', ', ')})")
    for row, text in named:
        if found := variables.get(same_name(row.variable)):
            yield _Given(f"{table}, row {row.number}, column {language}", found.name, text)
    for name, text in config.output.labels.items():
        if found := variables.get(same_name(name)):
            yield _Given(place(name), found.name, text)


def _by_name(system: EquationSystem) -> dict[str, Variable]:
    return {same_name(variable.name): variable for variable in system.visible.values()}


def _elements(name: str, system: EquationSystem) -> list[Variable]:
    """The elements of the array of that name."""
    arrays = (v for v in system.visible.values() if v.subscripts)
    return [v for v in arrays if same_name(v.parts[0]) == same_name(name)]


def _check_rows(config: Config, system: EquationSystem, complain: Complain) -> None:
    """Every row of the table is about a variable, or about all elements of an array."""
    table, model = config.output.names, config.model.file.name
    names = [name for v in system.visible.values() for name in dict.fromkeys((v.parts[0], v.name))]
    known = {same_name(name) for name in names}
    for row in read_names(table) if table else ():
        if same_name(row.variable) not in known:
            complain(
                f"{table}, row {row.number}, column variable",
                f'{model} has no variable "{row.variable}".{did_you_mean(row.variable, names)} '
                f"List all: sdopt variables {model}",
            )


def _check_twice(config: Config, system: EquationSystem, place: Place, complain: Complain) -> None:
    """Every label of the config is of a variable, and no variable has two."""
    variables, model = _by_name(system), config.model.file.name
    owner: dict[str, str] = {}
    for name in config.output.labels:
        found = variables.get(same_name(name))
        if found is None:
            names = [variable.name for variable in variables.values()]
            complain(
                place(name),
                f'{model} has no variable "{name}".{did_you_mean(name, names)} '
                f"List all: sdopt variables {model}",
            )
        elif owner.setdefault(found.key, name) != name:
            complain(place(name), f'"{owner[found.key]}" is the same variable; keep one of the two')
