"""Write what differs between municipalities: a table of constants and a config for each.

    python models/write_municipalities.py

`municipalities.csv` has a row per figure and a column per municipality; add a column for your own. `kind`
says how a figure reaches its constants: `per inhabitant` multiplies the national municipality of 100,000
inhabitants by inhabitants and by figure / national; `value` is the constant itself; `the same` stays;
`closing` is solved from the model, so that structural income equals structural spending at the start, and
as many people participate as today's spending reaches. A test fails when the written files are not those of
today's tables.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from municipality_config import CONFIG, Size, config
from numpy.typing import NDArray

from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.equations.system import EquationSystem
from sdopt.problem.build import with_constants
from sdopt.problem.meaning import resolve
from sdopt.source_model.read import read_model

HERE = Path(__file__).parent
ROOT = HERE.parent
LAST = 2030
COUNTED = ("Person", "Household", "Job", "hour", "million EUR")
TEXT = ("figure", "unit", "kind", "national", "constants", "source", "note")

Row = dict[str, str]
Floats = NDArray[np.float64]


def read(path: Path) -> list[Row]:
    """A table, row by row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def owners(figures: list[Row], constants: dict[str, Row]) -> dict[str, Row]:
    """Constant -> the figure it follows; every number of people, jobs, hours or euros has one."""
    found = {name.strip(): figure for figure in figures for name in figure["constants"].split(";")}
    if unknown := found.keys() - constants.keys():
        raise SystemExit(f"municipalities.csv: not in social_domain.csv: {', '.join(sorted(unknown))}")
    for name, figure in found.items():
        if figure["kind"] == "value" and float(figure["national"]) != float(constants[name]["value"]):
            raise SystemExit(f"municipalities.csv: {name} is {constants[name]['value']} in social_domain.csv")
    sized = {name for name, row in constants.items() if _has_size(row["unit"])}
    if bare := sized - found.keys():
        raise SystemExit(f"municipalities.csv: no figure for: {', '.join(sorted(bare))}")
    return found


def _has_size(unit: str) -> bool:
    """Whether twice the municipality has twice the number: no shares, rates or prices."""
    counted, *per = unit.split("/")
    return counted in COUNTED and set(per) <= {"Year"}


def local_row(row: Row, figure: Row, place: str, size: float) -> Row:
    """A row of the table of constants for one municipality; its range moves along with it."""
    value, national, own = float(row["value"]), float(figure["national"]), float(figure[place])
    if figure["kind"] == "value":
        moved = [float(row[column]) + own - value for column in ("value", "low", "high")]
    else:
        moved = [float(row[column]) * size * own / national for column in ("value", "low", "high")]
    numbers = dict(zip(("value", "low", "high"), map(number, moved), strict=True))
    today = row["source"] == "definition" and row["name"] != "inhabitants"
    compared = f"{figure[place]} {figure['unit']}, {figure['national']} nationally"
    note = f"{figure['figure']} {compared}. {figure['note']}."
    origin = {"source": figure["source"], "status": "judgement", "note": note}
    return row | numbers | ({} if today else origin)


def municipality(
    place: str, figures: list[Row], constants: dict[str, Row], system: EquationSystem
) -> list[Row]:
    """The table of what differs in one municipality."""
    size = next(float(f[place]) / float(f["national"]) for f in figures if f["figure"] == "inhabitants")
    found, closing = [], []
    for name, figure in owners(figures, constants).items():
        if figure["kind"] == "closing":
            closing.append(constants[name] | {"source": figure["source"], "note": f"{figure['note']}."})
        elif figure["kind"] != "the same":
            found.append(local_row(constants[name], figure, place, size))
    values = {row["name"]: float(row["value"]) for row in [*constants.values(), *found]}
    solved = balance(system, values | {"other general grant": 0.0})
    return found + [moved_to(row, solved[row["name"]]) | {"status": "judgement"} for row in closing]


def moved_to(row: Row, value: float) -> Row:
    """A row with another value; its range moves along."""
    change = value - float(row["value"])
    return row | {column: number(float(row[column]) + change) for column in ("value", "low", "high")}


def number(value: float) -> str:
    """A number as the tables of this folder write it: six digits, no exponent."""
    return f"{float(f'{value:.6g}'):f}".rstrip("0").rstrip(".")


def balance(system: EquationSystem, values: dict[str, float]) -> dict[str, float]:
    """What closes the balances at the start: of the budget, and of who participates at today's spending."""
    names = ("structural spending", "structural income", "participation wanted", "people on bijstand")
    grid = TimeGrid(system.time.start, system.time.start + 1, system.time.step)
    spending, income, participating, people = simulate(system, values, names, grid)[:, 0].tolist()
    return {"other general grant": spending - income, "reference participation share": participating / people}


def shortfall(system: EquationSystem, values: dict[str, float]) -> float:
    """Mean structural shortfall in the last decision year without new policy (million EUR/Year)."""
    grid = TimeGrid(system.time.start, LAST + 1, system.time.step)
    (balances,) = simulate(system, values, ("structural balance",), grid)
    return -float(balances[grid.times[:-1] >= LAST].mean())


def simulate(
    system: EquationSystem, values: dict[str, float], names: tuple[str, ...], grid: TimeGrid
) -> Floats:
    """Variables over time, (variable, time), with other constants."""
    keys = {variable.key: value for name, value in values.items() if (variable := resolve(name, system))}
    outputs = [variable.key for name in names if (variable := resolve(name, system))]
    program = compile_program(with_constants(system, keys), grid, outputs, [])
    return np.asarray(run(program, {}, {}))[:, :-1, 0]


def compared(place: str, rows: list[Row], constants: dict[str, Row], system: EquationSystem) -> Size:
    """How a municipality compares to the national one."""
    national = {name: float(row["value"]) for name, row in constants.items()}
    own = {row["name"]: float(row["value"]) for row in rows}
    spent = [name for name in own if name.startswith("reference ") and name.endswith(" spending")]
    return Size(
        place,
        own["inhabitants"],
        {name: value / national[name] for name, value in own.items()},
        sum(own[name] for name in spent) / sum(national[name] for name in spent),
        shortfall(system, national | own),
        shortfall(system, national),
    )


def write_table(path: Path, rows: list[Row]) -> None:
    """A table as the tables of this folder are written."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(root: Path = ROOT) -> None:
    """Write a table and a config for every municipality."""
    models, configs = root / "models", root / "configs"
    figures = read(models / "municipalities.csv")
    constants = {row["name"]: row for row in read(models / "social_domain.csv")}
    system = read_model(models / "social_domain.mdl").system
    text = (configs / CONFIG).read_text(encoding="utf-8")
    for place in (column for column in figures[0] if column not in TEXT):
        rows = municipality(place, figures, constants, system)
        write_table(models / "municipalities" / f"{place}.csv", rows)
        written = config(text, compared(place, rows, constants, system))
        (configs / f"{place}.yaml").write_text(written, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
