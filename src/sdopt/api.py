"""sdopt from Python: load a question or a model, optimise, simulate; every result as DataFrames.

Nothing is written to disk, unless asked for by `Answer.write`. What a model or a config names is data: it
is shown as text, never as HTML or code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sdopt.config.changes import Changes
from sdopt.config.load import LoadedConfig, load_config
from sdopt.errors import Complaints, ConfigError, ExportError, ReplayError
from sdopt.export import frames
from sdopt.optimise import run
from sdopt.optimise.certificate.run import Asked
from sdopt.optimise.crew import Crew
from sdopt.optimise.stopping import Stop
from sdopt.optimise.tables import constraint_table, decision_table
from sdopt.problem.allocation import COLUMNS, allocation_rows, decision_vector
from sdopt.problem.build import Problem, build_problem, with_constants
from sdopt.problem.meaning import resolve
from sdopt.source_model.read import SourceModel, read_model

if TYPE_CHECKING:
    import pandas as pd

    from sdopt.equations.program import TimeGrid
    from sdopt.equations.system import EquationSystem
    from sdopt.optimise.cutting_planes import Progress
    from sdopt.optimise.transcription.problem import ConcreteModel

Robust, Sweep, robust, sweep = frames.Robust, frames.Sweep, frames.robust, frames.sweep


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A model file (.mdl, .xmile, .stmx); `source` holds its equations."""

    source: SourceModel

    @property
    def variables(self) -> pd.DataFrame:
        """Every variable: name, kind, unit, low, high, description."""
        return _variables(self.source.system)

    def __repr__(self) -> str:
        """One line."""
        system = self.source.system
        return f"<Model {self.source.path.name}: {len(system.visible)} variables, {_span(system)}>"


@dataclass(frozen=True, eq=False, repr=False)
class Question:
    """A config with its model, checked against each other; `problem` is what the optimiser works on."""

    loaded: LoadedConfig
    model: Model
    problem: Problem
    changes: Changes

    @property
    def title(self) -> str:
        """The question in one line."""
        return self.problem.config.title

    @property
    def variables(self) -> pd.DataFrame:
        """Every variable of the model: name, kind, unit, low, high, description."""
        return self.model.variables

    @property
    def null(self) -> pd.DataFrame:
        """The null alternative as an allocation: decision, year, value."""
        return _allocation(self.problem, self.problem.decisions.null_vector())

    @property
    def decisions(self) -> pd.DataFrame:
        """What is chosen: decision, variable, year, null, lower, upper."""
        table = decision_table(self.problem, self.problem.decisions.null_vector())
        return table.rename(columns={"period": "year", "value": "null"}).drop(columns="at_bound")

    @property
    def limits(self) -> pd.DataFrame:
        """Every limit beside bounds: constraint, year, measure, sense, limit, null, null_breaks, unit."""
        null = self.problem.decisions.null_vector()
        table = constraint_table(self.problem, self.problem.null_values, null, None, None)
        return table.drop(columns=["advice", "slack", "binding", "shadow_price"])

    def with_changes(self, changes: Changes) -> Question:
        """The same question with other values in its config, checked anew.

        `changes`: place in the config -> value, such as `{"constraints.total.at_most": 41}` or, for a
        constant of the model, `{"model.changes.birth rate": 0.03}`; a tuple of names where one holds a dot.
        None takes a key away.

        Raises
        ------
        ConfigError
            If the config, so changed, is not a valid question for its model.
        """
        return _question(self.loaded.path, {**self.changes, **changes}, self.model)

    def __repr__(self) -> str:
        """One line."""
        return f"<Question {self.title!r}: {self.problem.decisions.size} values to choose>"

    def _repr_html_(self) -> str:
        """Title and decisions, for a notebook."""
        return f"<p><b>{escape(self.title)}</b></p>{_html(self.decisions)}"


@dataclass(frozen=True, eq=False, repr=False)
class Answer(frames.Answered):
    """What `optimise` or `simulate` found; `result` is what the command writes.

    `tables` holds allocation, trajectories, return, constraints, decisions and more.
    """

    question: Question

    @property
    def status(self) -> str:
        """How far it can be trusted: optimal, iteration_limit, local or simulated."""
        return self.result.status.key

    @property
    def allocation(self) -> pd.DataFrame:
        """Decision, year, value: can be changed and given to `simulate`."""
        point = self.result.tables["decisions"]["value"].to_numpy(dtype=float)
        return _allocation(self.question.problem, point)

    def write(self, folder: str | Path) -> Path:
        """Write the results folder with workbook, tables and pictures, a new one under `folder`.

        Raises
        ------
        ExportError
            When it cannot be written, or there is no allocation beside the null alternative.
        ReplayError
            When PySD, which is asked now if it was not before, disagrees.
        """
        from datetime import UTC, datetime

        from sdopt.export.folder import write_results
        from sdopt.export.provenance import allocation_model, run_facts, with_provenance

        loaded, model, problem = self.question.loaded, self.question.model.source, self.question.problem
        if run.ADVICE not in set(self.result.tables["allocation"]["allocation"]):
            raise ExportError("the null alternative alone has no results folder: simulate an allocation.")
        result = self.result
        if "replay_max_relative_difference" not in result.figures:
            result = run.verify(result, problem, model)
        result = with_provenance(result, loaded, model)
        facts = run_facts(datetime.now(UTC))
        filled_in = allocation_model(result, problem, model)
        return write_results(result, Path(folder), loaded.text, facts, filled_in)

    def __repr__(self) -> str:
        """One line."""
        return f"<Answer {self.question.title!r}: {self._in_words()}>"

    def _repr_html_(self) -> str:
        """Title, outcome and allocation, for a notebook."""
        wide = self.allocation.pivot(index="decision", columns="year", values="value")
        head = f"<p><b>{escape(self.question.title)}</b><br>{escape(self._in_words())}</p>"
        return head + _html(wide.loc[list(dict.fromkeys(self.allocation["decision"]))])

    def _in_words(self) -> str:
        figures = self.result.figures
        gain = f"{figures['improvement']:+,.3f} {figures['objective_unit']}"
        words = f"{self.status}, {gain} over the null alternative"
        gap = figures.get("gap")
        return words if gap is None else f"{words}, gap {gap:.3%} (if {figures['bound_assumes']})"


def load(path: str | Path, changes: Changes | None = None) -> Question:
    """Read a config and its model; `changes` are as for `Question.with_changes`.

    Raises
    ------
    ConfigError, ModelError
        With every fault, where it is and what to do.
    """
    return _question(Path(path), changes or {}, None)


def load_model(path: str | Path) -> Model:
    """Read a bare model file.

    Raises
    ------
    ModelError
        If it cannot be read or holds something that is not supported.
    """
    return Model(read_model(Path(path)))


def optimise(
    question: Question,
    *,
    progress: Progress | None = None,
    verify: bool = True,
    time_limit: float | None = None,
    workers: int = 1,
    explain: bool = False,
    certify: float | None = None,
) -> Answer:
    """Find the best allocation, and replay it in PySD as the command does.

    `progress(iteration, best, bound, gap)` is called after every round. After `time_limit` seconds the best
    so far is given. `workers` are processes for several starts; the answer does not depend on it. `explain`
    adds the tables of an explanation, `certify` (seconds) a proof that does not assume concavity.

    Raises
    ------
    OptimisationError
        When no allocation is allowed: the message says which limits clash and what would repair that.
    SimulationError
        When the model gives inf or nan.
    ReplayError
        When PySD disagrees.
    """
    stop = Stop(None if time_limit is None else time.time() + time_limit)
    name = question.loaded.sha256[:8]
    proof, told = None if certify is None else Asked(certify, lambda *_: None), progress or _silent
    crew = Crew(workers, stop)
    result = run.optimise(question.problem, name, told, crew, explain=explain, certify=proof)
    if verify:
        result = run.verify(result, question.problem, question.model.source)
    return Answer(question, result)


def simulate(
    question: Question, allocation: pd.DataFrame | Answer | None = None, *, verify: bool = True
) -> Answer:
    """Simulate the null alternative and, beside it, a given allocation, without optimising.

    `allocation` is a DataFrame with decision, year, value, as `Answer.allocation`; or another Answer. PySD
    repeats it and every variable is compared at every step, unless `verify` is off.

    Raises
    ------
    ConfigError
        If the allocation does not fit.
    SimulationError
        When the model gives inf or nan.
    ReplayError
        When PySD disagrees.
    """
    point = None if allocation is None else _point(question.problem, allocation)
    result = run.simulate_allocation(question.problem, point, question.loaded.sha256[:8])
    if verify:
        replayed = run.NULL if point is None else run.ADVICE
        result = run.verify(result, question.problem, question.model.source, replayed)
    return Answer(question, result)


def simulate_model(
    model: Model, constants: Mapping[str, float] | None = None, *, verify: bool = True
) -> pd.DataFrame:
    """Run a bare model with its own settings: a row per saved time, a column per variable.

    `constants` are values that differ, by name. PySD repeats it and every variable is compared at every step,
    unless `verify` is off.

    Raises
    ------
    ConfigError
        If a name is not that of a constant.
    SimulationError
        When the model gives inf or nan.
    ReplayError
        When PySD disagrees, or cannot run the model.
    """
    import pandas as pd

    from sdopt.batch.own_time import kept_steps, own_grid
    from sdopt.equations.simulate import simulate_all

    system, grid = model.source.system, own_grid(model.source.system.time)
    values = _constants(system, constants or {})
    runs = simulate_all(with_constants(system, values), grid)
    ours = {key: runs[key][:, 0] for key in system.visible}
    if verify:
        _check_against_pysd(model.source, values, ours, grid)
    names = {key: variable.name for key, variable in system.visible.items()}
    table = pd.DataFrame({names[key]: run for key, run in ours.items()}, index=grid.times)
    return table.iloc[list(kept_steps(system.time, grid))].rename_axis("Time")


def pyomo_model(question: Question) -> ConcreteModel:
    """The discretised problem as a Pyomo model: see `sdopt.optimise.transcription`.

    Raises
    ------
    OptimisationError
        When the model uses a function that Pyomo cannot say exactly; named.
    """
    from sdopt.optimise.transcription.problem import transcribe

    return transcribe(question.problem)


def _question(path: Path, changes: Changes, model: Model | None) -> Question:
    loaded = load_config(path, changes)
    file = loaded.config.model.file
    if model is None or model.source.path != file:
        model = Model(read_model(file))
    return Question(loaded, model, build_problem(loaded, model.source.system), dict(changes))


def _point(problem: Problem, allocation: pd.DataFrame | Answer) -> Any:
    table = allocation.allocation if isinstance(allocation, Answer) else allocation
    complaints = Complaints("allocation", ConfigError)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        complaints.add("", f"lacks the columns {', '.join(missing)}; needed are {', '.join(COLUMNS)}.")
    complaints.raise_if_any()
    rows = table[list(COLUMNS)].to_dict("records")
    return decision_vector(((f"row {k}", row) for k, row in enumerate(rows)), problem, complaints)


def _check_against_pysd(
    source: SourceModel, constants: Mapping[str, float], ours: Mapping[str, Any], grid: TimeGrid
) -> None:
    from sdopt.source_model.replay import REPLAY_TOLERANCE, compare, replay

    worst = compare(ours, replay(source, constants, {}, grid))
    if not worst.largest <= REPLAY_TOLERANCE:
        name = source.system.variables[worst.worst_variable].name
        raise ReplayError(
            f'PySD disagrees on "{name}" at time {worst.time:g}: relative difference {worst.largest:.3g}, '
            f"allowed {REPLAY_TOLERANCE:g}; please report the model."
        )


def _constants(system: EquationSystem, constants: Mapping[str, float]) -> dict[str, float]:
    complaints = Complaints("constants", ConfigError)
    values = {}
    for name, value in constants.items():
        variable = resolve(name, system)
        if variable is None or variable.kind != "constant" or variable.key in system.fixed:
            complaints.add(name, "the model has no constant of this name that can be changed.")
        else:
            values[variable.key] = float(value)
    complaints.raise_if_any()
    return values


def _allocation(problem: Problem, point: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(allocation_rows(problem, point), columns=list(COLUMNS))


def _variables(system: EquationSystem) -> pd.DataFrame:
    import pandas as pd

    rows = [(v.name, v.kind, v.unit, v.low, v.high, v.description) for v in system.visible.values()]
    return pd.DataFrame(rows, columns=["name", "kind", "unit", "low", "high", "description"])


def _span(system: EquationSystem) -> str:
    return f"{system.time.start:g} to {system.time.end:g} {system.time.unit}".rstrip()


def _html(table: pd.DataFrame) -> str:
    return str(table.to_html(escape=True, float_format=lambda value: f"{value:,.3f}"))


def _silent(iteration: int, best: float | None, bound: float, gap: float | None) -> None:
    """No progress."""


class _CallableRoom(ModuleType):
    """`sdopt.optimise` and `sweep` are rooms of the package as well as functions: a room may be called."""

    def __call__(self, question: Question, **options: Any) -> Any:
        return globals()[self.__name__.rpartition(".")[2]](question, **options)


for _room in ("optimise", "sweep"):
    import_module(f"sdopt.{_room}").__class__ = _CallableRoom
