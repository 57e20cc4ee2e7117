"""The allocations that a sweep compares: the null alternative, the advice, and those of the config."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sheets.source import names_table
from sdopt.config.sweep import ADVICE, NULL, RE_OPTIMISED
from sdopt.errors import Complaints, ConfigError
from sdopt.optimise.stopping import STOPPED
from sdopt.problem.allocation import decision_vector, read_allocation
from sdopt.problem.build import Problem
from sdopt.sweep.parts import Parts

if TYPE_CHECKING:
    from sdopt.optimise.crew import Crew
    from sdopt.optimise.cutting_planes import Progress
    from sdopt.optimise.memory import Memory

Floats = NDArray[np.float64]

PART = "advice"


@dataclass(frozen=True)
class Advice:
    """The allocation that is advised at central values, (decision,), and how good it is there.

    `status` is a key of `Status`, or "given" when it was not looked for; then the rest is nan.
    """

    point: Floats
    status: str
    improvement: float = np.nan
    gap: float = np.nan

    @property
    def finished(self) -> bool:
        """Whether the search for it was not stopped."""
        return self.status not in {status.key for status in STOPPED}


def given_advice(problem: Problem) -> Advice | None:
    """The advice of the table or results folder that the config names, or None: then it is to be found.

    Raises
    ------
    ConfigError
        When it does not fit the question.
    """
    said = problem.config.sweep.allocations.get(ADVICE)
    if said is None:
        return None
    point = read_allocation(Path(said), problem) if names_table(said) else _of_results(Path(said), problem)
    return Advice(point, "given")


def _of_results(folder: Path, problem: Problem) -> Floats:
    """The advice of an earlier results folder."""
    path = folder / "tables" / "decisions.csv"
    complaints = Complaints(str(path), ConfigError)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (f"row {number}", {**row, "year": row.get("period")})
                for number, row in enumerate(csv.DictReader(file), start=2)
            ]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); give a results folder of optimise.") from None
    return decision_vector(rows, problem, complaints)


def find_advice(problem: Problem, parts: Parts, memory: Memory, crew: Crew, progress: Progress) -> Advice:
    """The best allocation at central values; kept as a part of the sweep, and found there.

    Raises
    ------
    OptimisationError, SimulationError
        When there is none.
    """
    known = parts.recall(PART)
    if known is not None:
        return Advice(known["point"], str(known["status"]), float(known["improvement"]), float(known["gap"]))
    # Loading the optimiser takes as long as thousands of runs; a sweep with a given advice does without.
    from sdopt.optimise.archive import Archive, View
    from sdopt.optimise.search import search
    from sdopt.optimise.whole_numbers.search import search_whole

    view, archive = View(problem, problem.objective_rows), Archive(problem, memory)
    archive.add(problem.decisions.null_vector()[None])
    find = search_whole if problem.decisions.programmes else search
    found = find(view, archive, problem.config.search, progress, crew)
    gap = np.nan if found.gap is None else found.gap
    advice = Advice(found.point, found.status.key, found.improvement, gap)
    if advice.finished:
        parts.keep(PART, {key: np.array(value) for key, value in vars(advice).items()})
    return advice


def allocations_of(problem: Problem, advice: Advice) -> dict[str, Floats]:
    """Every allocation by name, (decision,); without those that are re-optimised in every scenario.

    Raises
    ------
    ConfigError
        When a table does not fit the question.
    """
    found = {NULL: problem.decisions.null_vector(), ADVICE: advice.point}
    for name, said in problem.config.sweep.allocations.items():
        if name != ADVICE and said != RE_OPTIMISED:
            found[name] = read_allocation(Path(said), problem)
    return found
