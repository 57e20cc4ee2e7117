"""The public set of problems: one row each in `problems/problems.csv`, a stored allocation beside it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from question import Floats, Question
from sdopt.config.load import LoadedConfig, load_config
from sdopt.problem.build import build_problem
from sdopt.source_model.read import SourceModel, read_model

FOLDER = Path(__file__).parent / "problems"
ASSUMPTIONS = ("none", "concavity audited", "enumeration", "analytic", "")
"""What a bound may assume; empty: there is no bound."""


@dataclass(frozen=True)
class Entry:
    """One problem. Values are objectives in the problem's own unit; a `bound` is at least `best`.

    `check` says how `best` was checked by something other than sdopt, and `check_value` what that found.
    """

    name: str
    kind: str
    config: str
    best: float
    bound: float | None
    bound_assumes: str
    check: str
    check_value: float
    model_source: str
    value_source: str

    @property
    def file(self) -> Path:
        """The question."""
        return (FOLDER / self.config).resolve()

    @property
    def allocation_file(self) -> Path:
        return FOLDER / "allocations" / f"{self.name}.csv"


@dataclass(frozen=True)
class Posed:
    """A problem as it is put to an optimiser."""

    loaded: LoadedConfig
    model: SourceModel
    question: Question


def entries(names: Sequence[str] = ()) -> list[Entry]:
    """The problems by name, or all. Raises SystemExit for a name that is not there."""
    with (FOLDER / "problems.csv").open(encoding="utf-8", newline="") as file:
        rows = [_entry(row) for row in csv.DictReader(file)]
    known = [entry.name for entry in rows]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no problem {', '.join(unknown)}. There are: {', '.join(known)}")
    return [entry for entry in rows if not names or entry.name in names]


def _entry(row: dict[str, str]) -> Entry:
    numbers = {key: float(row[key]) for key in ("best", "check_value")}
    bound = float(row["bound"]) if row["bound"] else None
    texts = {key: row[key] for key in row if key not in (*numbers, "bound")}
    return Entry(bound=bound, **numbers, **texts)


def pose(config: Path) -> Posed:
    """Read a question."""
    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    return Posed(loaded, model, Question(build_problem(loaded, model.system)))


def stored_allocation(entry: Entry, question: Question) -> Floats:
    """The allocation of the best known value (decision,), in the model's unit."""
    with entry.allocation_file.open(encoding="utf-8", newline="") as file:
        values = {(row["decision"], int(row["year"])): float(row["value"]) for row in csv.DictReader(file)}
    return np.array([values[label] for label in question.problem.decisions.labels()])


def store_allocation(entry: Entry, question: Question, point: Floats) -> None:
    """Write it, with every digit."""
    entry.allocation_file.parent.mkdir(exist_ok=True)
    with entry.allocation_file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("decision", "year", "value"))
        for (name, year), value in zip(question.problem.decisions.labels(), point, strict=True):
            writer.writerow((name, year, repr(float(value))))


def keep_best(entry: Entry, question: Question, point: Floats, value: float, source: str) -> None:
    """Store a better allocation than the best known, and write its value and source in the list."""
    store_allocation(entry, question, point)
    table = FOLDER / "problems.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["name"] == entry.name:
            row |= {"best": repr(value), "value_source": source}
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
