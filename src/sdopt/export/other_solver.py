"""`sdopt export CONFIG --to FILE`: the problem for another solver, and beside it what its names mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sdopt.errors import ExportError
from sdopt.export.cells import without_formulas
from sdopt.export.new_file import write_new_file
from sdopt.optimise.transcription.files import FORMS, problem_file

if TYPE_CHECKING:
    from sdopt.optimise.cutting_planes import Progress
    from sdopt.problem.build import Problem


def write_problem(problem: Problem, path: Path, progress: Progress) -> str:
    """Write FILE and FILE.csv; what was written, in words.

    Raises
    ------
    ExportError
        When the form is none of .nl, .lp and .mps, or a file exists or cannot be written.
    OptimisationError
        When the problem cannot be written exactly, or has no linear master.
    """
    form, beside = path.suffix.lower(), path.with_name(f"{path.name}.csv")
    if form not in FORMS:
        raise ExportError(f"{path}: the form {form or 'without a suffix'} is none of {', '.join(FORMS)}.")
    for file in (path, beside):
        if file.exists():
            raise ExportError(f"{file} exists already and is not overwritten. Give another --to.")
    made = problem_file(problem, form, progress)
    names = pd.DataFrame(made.names, columns=["name", "kind", "part", "meaning"])
    write_new_file(path, made.text)
    write_new_file(beside, without_formulas(names).to_csv(index=False, lineterminator="\n"))
    return f"{path} written: {made.holds}.\n{beside} says what its {len(names)} names mean."
