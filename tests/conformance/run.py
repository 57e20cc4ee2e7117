"""Run every public test model and say per model whether our answer is the published one, and PySD's.

    python tests/conformance/run.py [--models FOLDER] [--write docs/conformance.md]

FOLDER holds `tests/<construct>/<model>` with published output beside the models, and `pysd.csv` with what
PySD makes of each; it can be given as SDOPT_TEST_MODELS too, and is `../shared/test-models` otherwise.
Exit code: 0 all well, 1 a mismatch or too few that agree, 2 no models there.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

import numpy as np  # noqa: E402

from sdopt.equations.simulate import simulate_all  # noqa: E402
from sdopt.equations.time_grid import TimeGrid  # noqa: E402
from sdopt.errors import ModelError, ReplayError, SdoptError  # noqa: E402
from sdopt.source_model.parse import canonical  # noqa: E402
from sdopt.source_model.read import SourceModel, read_model  # noqa: E402
from sdopt.source_model.replay import REPLAY_TOLERANCE, compare, replay  # noqa: E402

RELATIVE, ABSOLUTE = 0.01, 0.001
"""Published outputs are rounded; a value agrees within either (README of the models)."""
LEAST_SHARE = 0.95
SUFFIXES = (".mdl", ".xmile")

PYSD_DIFFERS = {
    "arguments/test_arguments.mdl": "PySD takes a stage out of a delay that is shorter than its stages' "
    "steps; Vensim does not, and the published output is ours to the last digit",
}
"""Models where our answer is the published one and PySD's is another, and why."""

OTHER_OUTPUT = {"model_to_generate_data.mdl": ("data.tab",)}
"""Models whose output has another name than the folder's."""

Columns = dict[str, list[float]]


@dataclass(frozen=True)
class Row:
    """What came of one model; `published` and `pysd` are None where there is nothing to compare."""

    model: str
    published: bool | None
    columns: int
    pysd: bool | None
    note: str

    @property
    def status(self) -> str:
        if self.columns < 0:
            return "refused"
        known = self.model in PYSD_DIFFERS and self.published
        if self.published is False or (self.pysd is False and not known):
            return "MISMATCH"
        return "agrees" if self.published or self.pysd else "nothing to compare"


def folder_of_models(given: str | None) -> Path:
    """Where the models are: the argument, the environment, or beside the repository."""
    return Path(given or os.environ.get("SDOPT_TEST_MODELS") or ROOT.parent / "shared" / "test-models")


def expectations(folder: Path) -> dict[str, str]:
    """What PySD makes of each model, by its path below `tests`; "" for one that is not in `pysd.csv`."""
    found = {
        path.relative_to(folder / "tests").as_posix(): ""
        for path in sorted((folder / "tests").rglob("*"))
        if path.suffix in SUFFIXES
    }
    listed = folder / "pysd.csv"
    if listed.is_file():
        with listed.open(encoding="utf-8", newline="") as file:
            found |= {row["model"]: row["pysd"] for row in csv.DictReader(file)}
    return dict(sorted(found.items()))


def check(folder: Path, name: str) -> Row:
    """Read, run and compare one model."""
    path = folder / "tests" / name
    try:
        model = read_model(path)
    except ModelError as error:
        return Row(name, None, -1, None, short(str(error), path))
    time = model.system.time
    grid = TimeGrid(time.start, time.end, time.step, time.times)
    try:
        ours = simulate_all(model.system, grid, check=False)
    except SdoptError as error:
        return Row(name, False, 0, None, short(str(error), path))
    published, columns, worst = against_published(path, ours, grid)
    agrees, note = against_pysd(model, ours, grid)
    return Row(name, published, columns, agrees, "; ".join(filter(None, [worst, short(note, path)])))


def against_pysd(model: SourceModel, ours: Mapping[str, Any], grid: TimeGrid) -> tuple[bool | None, str]:
    try:
        found = compare(ours, replay(model, {}, {}, grid))
    except ReplayError as error:
        return None, str(error)
    if found.largest <= REPLAY_TOLERANCE:
        return True, ""
    return False, f"PySD differs by {found.largest:.2g} in {found.worst_variable} at {found.time:g}"


def against_published(path: Path, ours: Mapping[str, Any], grid: TimeGrid) -> tuple[bool | None, int, str]:
    """Whether all common columns agree, their number, and where they do not."""
    times, columns = published_output(path)
    places = [int(np.argmin(np.abs(grid.times - t))) for t in times]
    rows = [i for i, (p, t) in enumerate(zip(places, times, strict=True)) if abs(grid.times[p] - t) < 1e-6]
    common = [key for key in columns if key in ours and np.isfinite([columns[key][i] for i in rows]).any()]
    if not common:
        return None, 0, ""
    for key in common:
        theirs = np.array(columns[key])[rows]
        mine = np.asarray(ours[key])[np.array(places)[rows], 0]
        # Vensim writes a constant in the first row only; an empty cell says nothing.
        wrong = ~np.isclose(mine, theirs, rtol=RELATIVE, atol=ABSOLUTE) & ~np.isnan(theirs)
        if wrong.any():
            i = int(np.argmax(wrong))
            return False, len(common), f"{key} is {mine[i]:g} at {times[rows[i]]:g}, published {theirs[i]:g}"
    return True, len(common), ""


def published_output(path: Path) -> tuple[list[float], Columns]:
    """Times and columns by key of the output that belongs to a model; XMILE models ran in Stella."""
    wanted = ("output_stella*.csv",) if path.suffix == ".xmile" else ()
    wanted = (*wanted, *OTHER_OUTPUT.get(path.name, ("output.tab", "output.csv")))
    files = [f for pattern in wanted for f in sorted(path.parent.glob(pattern))]
    if not files:
        return [], {}
    with files[0].open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t" if files[0].suffix == ".tab" else ",")
    rows = [row for row in rows if row and row[0].strip()]
    columns = {key_of(name): [number(row, i) for row in rows] for i, name in enumerate(header)}
    return [number(row, 0) for row in rows], columns


def number(row: list[str], place: int) -> float:
    try:
        return float(row[place])
    except (ValueError, IndexError):
        return float("nan")


def key_of(name: str) -> str:
    """The key of a column such as `Stock A[Entry 1,Column 2]`."""
    base, bracket, inside = name.strip().strip('"').partition("[")
    elements = ",".join(canonical(element) for element in inside.rstrip("] ").split(","))
    return canonical(base) + (f"[{elements}]" if bracket else "")


def short(text: str, path: Path) -> str:
    """One line, without the path of this machine."""
    text = text.replace(str(path.resolve()), path.name).replace(str(path), path.name)
    text = text.replace(str(path.parent.resolve()) + os.sep, "").replace(str(path.parent) + os.sep, "")
    lines = [line.strip(" *") for line in text.splitlines() if line.strip()]
    first = lines[1] if len(lines) > 1 and lines[0].endswith(("error", "errors")) else (lines or [""])[0]
    first = first.removeprefix(f"{path.name}: ")
    return first if len(first) <= 160 else first[:157] + "..."


def share(rows: list[Row], expected: Mapping[str, str]) -> tuple[int, int]:
    """How many of the models that PySD itself reproduces agree with the published output, of how many."""
    wanted = [row for row in rows if expected[row.model] == "agrees"]
    return sum(bool(row.published) and row.status == "agrees" for row in wanted), len(wanted)


def summary(rows: list[Row], expected: Mapping[str, str]) -> Iterator[str]:
    counts = Counter(row.status for row in rows)
    yield f"{len(rows)} models: " + ", ".join(f"{n} {status}" for status, n in sorted(counts.items())) + "."
    agreeing, wanted = share(rows, expected)
    if wanted:
        percent = 100 * agreeing / wanted
        yield (
            f"Of the {wanted} that PySD 3.14.3 itself reproduces, {agreeing} ({percent:.1f} %) agree with "
            f"the published output through our engine; at least {100 * LEAST_SHARE:g} % must."
        )
    compared = sum(max(row.columns, 0) for row in rows)
    yield f"{compared} columns were compared with published output."


WORDS = {True: "agrees", False: "**differs**", None: "-"}


def document(rows: list[Row], expected: Mapping[str, str]) -> str:
    """The published list, in Markdown."""
    head = [
        "# Public test models",
        "",
        "Made by `python tests/conformance/run.py --write docs/conformance.md`; do not edit. The models are",
        "a part of the public collection SDXorg/test-models. *Published*: every column that both have agrees",
        "within 1 % or 0.001 (published output is rounded), with the number of columns. *PySD*: every",
        "variable agrees with PySD's own run of the same file within 1e-9 of its largest absolute value.",
        "What is refused is refused at reading time, with the reason.",
        "",
        *summary(rows, expected),
        "",
        "| Model | Status | Published (columns) | PySD | Remark |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(head + [table_row(row) for row in rows]) + "\n"


def table_row(row: Row) -> str:
    published = f"{WORDS[row.published]} ({row.columns})" if row.columns > 0 else "-"
    note = "; ".join(filter(None, [row.note, PYSD_DIFFERS.get(row.model, "")]))
    note = note.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    return f"| {row.model} | {row.status} | {published} | {WORDS[row.pysd]} | {note} |"


def main() -> int:
    """Check all models, print the table, and say whether all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", help="folder with tests/ and pysd.csv")
    parser.add_argument("--write", type=Path, help="write the list to this file")
    options = parser.parse_args()
    folder = folder_of_models(options.models)
    if not (folder / "tests").is_dir():
        print(f"There are no test models in {folder}: give --models FOLDER or set SDOPT_TEST_MODELS.")
        return 2
    expected = expectations(folder)
    rows = []
    for name in expected:
        rows.append(check(folder, name))
        print(f"{rows[-1].status:18} {name:75} {max(rows[-1].columns, 0):4} {rows[-1].note}", flush=True)
    print(*summary(rows, expected), sep="\n")
    if options.write:
        options.write.write_text(document(rows, expected), encoding="utf-8", newline="\n")
    return verdict(rows, expected)


def verdict(rows: list[Row], expected: Mapping[str, str]) -> int:
    """The exit code."""
    agreeing, wanted = share(rows, expected)
    mismatch = any(row.status == "MISMATCH" for row in rows)
    return int(mismatch or not rows or agreeing < LEAST_SHARE * wanted)


if __name__ == "__main__":
    raise SystemExit(main())
