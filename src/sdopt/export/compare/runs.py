"""The results that are compared: read, checked, and each with a name of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from sdopt.config.document import read_document
from sdopt.config.text_file import read_text
from sdopt.errors import Complaints, ConfigError, ExportError
from sdopt.export.cells import plain_text
from sdopt.export.compared_words import kinds_text
from sdopt.export.kinds import kinds_of
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.together import read_run
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

FEWEST, MOST = 2, len(ascii_uppercase)
NAMES = ("labels", "decision_names")
"""Names for readers: of variables and of decisions."""


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
    """The runs in the order given, by letter; of two with one title the kind or folder stands behind it.

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
    titles, first = _titles(results), next(iter(results.values()))
    results = {folder: _in_words_of(first, result) for folder, result in results.items()}
    return tuple(
        Run(
            name,
            titles[folder],
            plain_text(folder.resolve().name),
            result,
            _shown(result, first.language),
            _config(folder),
        )
        for name, (folder, result) in zip(ascii_uppercase, results.items(), strict=False)
    )


def _in_words_of(first: Result, result: Result) -> Result:
    """One thing has one name: that of the first; others keep their own where they are in its language."""
    alike = result.language == first.language
    names = {
        key: {**((result.provenance.get(key) or {}) if alike else {}), **(first.provenance.get(key) or {})}
        for key in NAMES
    }
    named = replace(result, provenance={**result.provenance, **names})
    if "constraints" not in result.tables:
        return named
    known, own = (_rules(one) for one in (first, result))
    same = {name: known[rule] for rule, name in own.items() if rule in known}
    limits = result.tables["constraints"]
    named = named.with_tables(constraints=limits.assign(constraint=limits["constraint"].replace(same)))
    return named.with_tables(fiscal_rules=_titled(result.tables["fiscal_rules"], known)) if own else named


def _titled(rules: pd.DataFrame, known: Mapping[str, str]) -> pd.DataFrame:
    """Fiscal rules with the titles that are known by their id."""
    pairs = zip(rules["id"].astype(str), rules["title"], strict=True)
    return rules.assign(
        title=[known.get(one, f"{one} {title}").removeprefix(f"{one} ") for one, title in pairs]
    )


def _rules(result: Result) -> dict[str, str]:
    """Id of a fiscal rule -> its name as a limit, in the language of the run."""
    table = result.tables.get("fiscal_rules")
    if table is None:
        return {}
    return {str(rule): f"{rule} {title}" for rule, title in zip(table["id"], table["title"], strict=True)}


def _shown(result: Result, language: str) -> Result:
    """The result as readers see it in the language of the comparison."""
    return with_shown_names(replace(result, language=language))


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
    """Titles; where two are alike with the kind of run, or so much of its path as tells them apart."""
    plain = {folder: _once(result.title) for folder, result in results.items()}
    names, most = dict(plain), max(len(folder.resolve().parts) for folder in results)
    labels = Labels(next(iter(results.values())).language)
    kinds = {folder: kinds_text(", ".join(kinds_of(result)), labels) for folder, result in results.items()}
    ends = [
        {folder: plain_text("/".join(folder.resolve().parts[-parts:])) for folder in results}
        for parts in range(1, most + 1)
    ]
    for more in (kinds, *ends):
        twice = {name for name in names.values() if list(names.values()).count(name) > 1}
        names = {f: f"{plain[f]}, {more[f]}" if name in twice else name for f, name in names.items()}
    return names


def _once(title: str) -> str:
    """A title on one line."""
    return " ".join(plain_text(title).split())


def _config(folder: Path) -> Mapping[str, Any]:
    """The config that lies in a results folder as plain data; nothing where there is none."""
    path = folder / "config.yaml"
    if not path.is_file():
        return {}
    try:
        read = read_document(read_text(path, "save it as UTF-8"), Complaints(str(path), ConfigError)).data
    except ConfigError:
        return {}
    return read if isinstance(read, dict) else {}
