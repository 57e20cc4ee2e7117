"""The tables of a sweep as Parquet, written block by block: the same bytes however the work was divided.

Row groups follow the blocks of the plan, and nothing of time or machine is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.build import constant_values
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import BROKEN, Rows, all_rows, limit_names
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    import pyarrow

Floats = NDArray[np.float64]

SCENARIOS_AT_ONCE = 4096


def write_tables(plan: Plan, parts: Parts, refereed: Sequence[int], folder: Path) -> None:
    """`trajectories.parquet`, `runs.parquet`, `scenarios.parquet` and `allocations.parquet` in a folder.

    `refereed` are the positions of the runs that PySD repeated.
    """
    repeated = set(refereed)
    runs = _Piecewise(folder / "runs.parquet", ("objective", "improvement", *_amounts(plan)), ("run",))
    trajectories = _Piecewise(folder / "trajectories.parquet", ("value",), ("run", "scenario"))
    beside = _Beside(plan)
    with runs, trajectories:
        for block, rows in all_rows(plan, parts):
            trajectories.write(beside.trajectories(block, rows))
            runs.write(_run_rows(plan, block, rows, repeated))
    with _Piecewise(folder / "scenarios.parquet") as scenarios:
        for piece in scenario_tables(plan):
            scenarios.write(piece)
    with _Piecewise(folder / "allocations.parquet") as allocations:
        allocations.write(_allocation_rows(plan))


def _amounts(plan: Plan) -> list[str]:
    """Columns of the table of runs with numbers that hardly ever are the same."""
    slacks = (f"slack {name}" for name in limit_names(plan))
    return [*slacks, *(party.column for party in plan.parties)]


class _Piecewise:
    """A Parquet file that gets a row group per table; `split` are columns of numbers that differ in all their
    bytes, `counted` those that count up.
    """

    def __init__(self, path: Path, split: Sequence[str] = (), counted: Sequence[str] = ()) -> None:
        self.file = path.open("xb")  # pyarrow itself cannot open every path Python can
        self.encoding = dict.fromkeys(split, "BYTE_STREAM_SPLIT")
        self.encoding |= dict.fromkeys(counted, "DELTA_BINARY_PACKED")
        self.writer: Any = None

    def __enter__(self) -> _Piecewise:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if self.writer is not None:
                self.writer.close()
        finally:
            self.file.close()

    def write(self, table: pyarrow.Table) -> None:
        """One more row group."""
        import pyarrow.parquet

        if self.writer is None:
            self.writer = pyarrow.parquet.ParquetWriter(
                self.file,
                table.schema,
                compression="zstd",
                use_dictionary=[name for name in table.column_names if name not in self.encoding],
                column_encoding=self.encoding or None,
            )
        self.writer.write_table(table, row_group_size=max(table.num_rows, 1))


class _Beside:
    """The columns of the long table that do not depend on a block, worked out once for the widest."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        variables = [plan.problem.system.variables[key] for key in plan.outputs]
        self.rows_of_run = len(variables) * len(plan.kept)
        runs = max(block.stop - block.start for block in plan.blocks) * len(plan.names)
        of_run = np.tile(np.repeat(np.arange(len(variables), dtype=np.int32), len(plan.kept)), runs)
        texts = {
            "variable": [variable.parts[0] for variable in variables],
            "subscript": [variable.parts[1] for variable in variables],
            "unit": [variable.unit for variable in variables],
        }
        self.columns = {name: dictionary(text, of_run) for name, text in texts.items()}
        self.columns["time"] = np.tile(plan.times, len(variables) * runs)
        names = np.repeat(np.arange(len(plan.names), dtype=np.int32), self.rows_of_run)
        self.columns["allocation"] = dictionary(plan.names, np.tile(names, runs // len(plan.names)))

    def trajectories(self, block: slice, rows: Rows) -> pyarrow.Table:
        """The long table of a block: run, scenario, external_scenario, allocation, variable, ..., unit."""
        import pyarrow

        plan, every = self.plan, self.rows_of_run * len(self.plan.names)
        scenarios = plan.numbers[block]
        runs = np.arange(block.start * len(plan.names), block.stop * len(plan.names), dtype=np.int32)
        runs += 1 + plan.before
        worlds = np.repeat(plan.scenarios.world[block].astype(np.int32), every)
        count = len(scenarios) * every
        values = np.ascontiguousarray(rows.kept.transpose(3, 0, 1, 2)).ravel()
        return pyarrow.table(
            {
                "run": np.repeat(runs, self.rows_of_run),
                "scenario": np.repeat(scenarios, every),
                "external_scenario": dictionary([one.name for one in plan.scenarios.external], worlds),
                **{
                    name: self.columns[name][:count]
                    for name in ("allocation", "variable", "subscript", "time")
                },
                "value": values,
                "unit": self.columns["unit"][:count],
            }
        )


def _run_rows(plan: Plan, block: slice, rows: Rows, refereed: set[int]) -> pyarrow.Table:
    """A row per run: what it is, return, limits, who gains, and why it failed."""
    import pyarrow

    names, scenarios = len(plan.names), plan.numbers[block]
    runs = np.arange(block.start * names, block.stop * names, dtype=np.int32)
    worlds = np.repeat(plan.scenarios.world[block].astype(np.int32), names)
    limits = limit_names(plan)
    broken = rows.slacks.transpose(1, 0, 2).reshape(len(runs), len(limits)) < -BROKEN
    failure = [rows.failed.get((k, s), "") for s in range(len(scenarios)) for k in range(names)]
    columns: dict[str, Any] = {
        "run": runs + np.int32(1 + plan.before),
        "scenario": np.repeat(scenarios, names),
        "external_scenario": dictionary([one.name for one in plan.scenarios.external], worlds),
        "allocation": dictionary(plan.names, np.tile(np.arange(names, dtype=np.int32), len(scenarios))),
        "weight": np.repeat(plan.scenarios.weights[block], names),
        "objective": rows.objective.T.ravel(),
        "improvement": rows.improvement.T.ravel(),
        "broken": pyarrow.array(_joined(broken, limits), pyarrow.string()),
        "failure": pyarrow.array(failure, pyarrow.string()),
        "refereed": np.array([run in refereed for run in runs.tolist()]),
    }
    columns |= {f"slack {name}": rows.slacks[:, :, k].T.ravel() for k, name in enumerate(limits)}
    columns |= {f"passed {name}": rows.passed[:, :, k].T.ravel() for k, name in enumerate(limits)}
    columns |= {party.column: rows.gains[:, :, k].T.ravel() for k, party in enumerate(plan.parties)}
    return pyarrow.table(columns)


def _joined(broken: NDArray[np.bool_], limits: Sequence[str]) -> list[str]:
    """Of every run the names of the limits that it breaks."""
    patterns, places = np.unique(broken, axis=0, return_inverse=True)
    texts = ["; ".join(name for name, no in zip(limits, row, strict=True) if no) for row in patterns]
    return [texts[place] for place in np.ravel(places)]


def scenario_tables(plan: Plan) -> Iterable[pyarrow.Table]:
    """A row per scenario, some at a time: scenario, draw, external_scenario, weight, and its constants.

    A constant that an external scenario gives a path has its drawn or usual value here.
    """
    import pyarrow

    scenarios, weights = plan.scenarios, plan.scenarios.weights
    for start in range(0, scenarios.count, SCENARIOS_AT_ONCE):
        part = slice(start, min(start + SCENARIOS_AT_ONCE, scenarios.count))
        some = scenarios.part(part)
        yield pyarrow.table(
            {
                "scenario": plan.numbers[part],
                "draw": some.draw.astype(np.int32) + 1,
                "external_scenario": dictionary(
                    [one.name for one in some.external], some.world.astype(np.int32)
                ),
                "weight": weights[part],
                **_constants(plan, some),
            }
        )


def _constants(plan: Plan, scenarios: Scenarios) -> dict[str, Floats]:
    variables, central = plan.problem.system.variables, constant_values(plan.problem.system)
    drawn = dict(zip(scenarios.keys, scenarios.values, strict=True))
    moving = {key: drawn.get(key, np.full(scenarios.count, central[key])) for key in scenarios.path_keys()}
    held: Mapping[str, Floats] = {**scenarios.constants(central), **moving}
    return {f"constant {variables[key].name}": values for key, values in held.items()}


def _allocation_rows(plan: Plan) -> pyarrow.Table:
    """Every allocation that is the same in all scenarios: allocation, decision, year, value, unit."""
    import pyarrow

    decisions = plan.problem.decisions
    units = {path.id: path.unit for path in decisions.paths}
    rows = [
        {
            "allocation": name,
            "decision": label,
            "year": year,
            "value": float(value),
            "unit": units.get(label, ""),
        }
        for name, point in plan.allocations.items()
        if point.ndim == 1
        for (label, year), value in zip(decisions.labels(), point, strict=True)
    ]
    return pyarrow.Table.from_pylist(rows)


def dictionary(texts: Sequence[str], places: NDArray[np.int32]) -> Any:
    """The texts at these places; each is stored once."""
    import pyarrow

    distinct = list(dict.fromkeys(texts))
    numbers = np.array([distinct.index(text) for text in texts], dtype=np.int32)
    return pyarrow.DictionaryArray.from_arrays(
        pyarrow.array(numbers[places]), pyarrow.array(distinct, pyarrow.string())
    )
