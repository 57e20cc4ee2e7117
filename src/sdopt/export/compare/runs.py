"""The results that are compared: read, checked, and each with a name of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from sdopt.errors import Complaints, ExportError
from sdopt.export.kinds import kinds_of
from sdopt.export.names import with_shown_names
from sdopt.export.together import read_run
from sdopt.result import Result

FEWEST, MOST = 2, len(ascii_uppercase)


@dataclass(frozen=True)
class Run:
    """A result by its letter (`name`: A, B, ...), with a `title` that no other run has.

    `folder` is its name, `shown` the result with names for readers, `config` its config as nested plain data.
    """

    name: str
    title: str
    folder: str
    result: Result
    shown: Result
    config: Mapping[str, Any]


def read_runs(folders: Sequence[Path]) -> tuple[Run, ...]:
    """The runs in the order given, by letter; of two with one title the folder stands behind it.

    Raises
    ------
    ExportError
        When fewer than two or more than 26 are given, one twice, or some are no results that can be
        compared: all at once.
    """
    complaints, results = Complaints("compare", ExportError), dict[Path, Result]()
    for folder in folders:
        _read(folder, results, complaints)
    complaints.raise_if_any()
    if not FEWEST <= len(results) <= MOST:
        raise ExportError(
            f"compare: found {len(results)} results folders; give {FEWEST} to {MOST} folders that "
            "`sdopt optimise`, `sweep`, `robust` or `report` wrote."
        )
    titles = _titles(results)
    return tuple(
        Run(name, titles[folder], folder.resolve().name, result, with_shown_names(result), _config(folder))
        for name, (folder, result) in zip(ascii_uppercase, results.items(), strict=False)
    )


def _read(folder: Path, results: dict[Path, Result], complaints: Complaints) -> None:
    """Add a folder, or say why it cannot be compared."""
    if any(folder.resolve() == known.resolve() for known in results):
        complaints.add(str(folder), "given twice. Give every results folder once.")
        return
    try:
        result = read_run(folder)
    except ExportError as error:
        complaints.add(str(folder), str(error).removeprefix(f"{folder}: "))
        return
    if not kinds_of(result):
        complaints.add(
            str(folder), "holds no advice, sweep or robust allocations, so nothing can be compared."
        )
        return
    results[folder] = result


def _titles(results: Mapping[Path, Result]) -> dict[Path, str]:
    """Titles; with the folder's name where two are alike, and its whole path where that is alike too."""
    names = {folder: _once(result.title) for folder, result in results.items()}
    for more in (lambda folder: folder.resolve().name, str):
        twice = {name for name in names.values() if list(names.values()).count(name) > 1}
        names = {f: f"{name} ({more(f)})" if name in twice else name for f, name in names.items()}
    return names


def _once(title: str) -> str:
    """A title on one line."""
    return " ".join(title.split())


def _config(folder: Path) -> Mapping[str, Any]:
    """The config that lies in a results folder as plain data; nothing where there is none."""
    import yaml

    path = folder / "config.yaml"
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return read if isinstance(read, dict) else {}
