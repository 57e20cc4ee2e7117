"""Meaning: does a config fit the model it asks about? Names exist, units fit, values are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import floor

from sdopt.config.constants import Constant
from sdopt.config.document import Place
from sdopt.config.load import LoadedConfig
from sdopt.config.names import same_name
from sdopt.config.schema import Config, Decision
from sdopt.config.units import YEAR_WORDS, amount_per_year, plain_unit
from sdopt.equations.constant_value import constant_value
from sdopt.equations.expression import Number
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import Complaints, ConfigError, did_you_mean
from sdopt.problem.budget import check_budget
from sdopt.problem.fiscal import check_fiscal_rules, with_fiscal_rules
from sdopt.problem.forms_check import check_forms_meaning
from sdopt.problem.mechanisms import check_mechanisms
from sdopt.problem.programmes import check_programme_meaning, decided_names
from sdopt.problem.reader_names import check_reader_names
from sdopt.problem.robust_check import check_robust_meaning
from sdopt.problem.rules import other_weights, sides
from sdopt.problem.uncertainties import Model, check_uncertain

ROUNDING = 1e-9
"""Slack with which times and values are compared."""
MOST_STEPS = 50_000
"""More steps than this would take hours, and more memory than there is."""


def resolve(name: str, system: EquationSystem) -> Variable | None:
    """The variable that `name` means; case does not matter, and a space is as good as an underscore."""
    wanted = same_name(name)
    return next((v for v in system.visible.values() if same_name(v.name) == wanted), None)


def elements(name: str, system: EquationSystem) -> list[Variable]:
    """The variable that `name` means, or all elements of the array of that name; empty when there is none."""
    found = resolve(name, system)
    wanted = same_name(name)
    return [found] if found else [v for v in system.visible.values() if same_name(v.parts[0]) == wanted]


def changed_constants(
    config: Config, system: EquationSystem, constants: Iterable[Constant]
) -> dict[str, float]:
    """Key -> value of every constant that `model.changes` (first) or the table gives; model units.

    Names that do not resolve are left out: `check_meaning` complains about them.
    """
    given = [(row.name, row.value) for row in constants] + list(config.model.changes.items())
    found = [(resolve(name, system), value) for name, value in given]
    return {variable.key: value for variable, value in found if variable is not None}


def check_meaning(loaded: LoadedConfig, system: EquationSystem, constants: tuple[Constant, ...]) -> None:
    """Check a config, and the table of constants it names, against the model.

    Raises
    ------
    ConfigError
        With every fault: its place and line, what was found, what is allowed and what to do.
    """
    values = _values(system, changed_constants(loaded.config, system, constants))
    check = _Check(loaded, system, constants, values, Complaints(str(loaded.path), ConfigError))
    _check_years(check)
    _check_time_step(check)
    for identity, decision in loaded.config.decisions.items():
        _check_decision(check, identity, decision)
    check_programme_meaning(
        loaded.config,
        lambda place, name: check.find(place, name, constant=True),
        lambda variable, value: _outside_range(check, variable, value),
        values,
        check.complain,
    )
    _check_changes(check)
    _check_constraints(check)
    _check_forms(check)
    if loaded.fiscal is not None:
        check_fiscal_rules(loaded.fiscal, lambda name: resolve(name, system), check.model, check.complain)
        check_budget(loaded.fiscal, system, check.model, check.complain)
    _check_objective(check)
    _check_uncertainties(check)
    ruled = with_fiscal_rules(loaded.config, loaded.fiscal)
    check_robust_meaning(ruled, constants, system, check.complain)
    for number, name in enumerate(loaded.config.output.show):
        check.find(("output", "show", number), name)
    for number, name in enumerate(loaded.config.sweep.outputs):
        if not elements(name, system):
            check.find(("sweep", "outputs", number), name)
    check_reader_names(
        loaded.config, system, lambda name: loaded.where("output", "labels", name), check.complaints.add
    )
    if loaded.config.model.constants is not None:
        _check_table(check)
    _check_explanation(check)
    check.complaints.raise_if_any()


def _check_explanation(check: _Check) -> None:
    check_mechanisms(check.config, lambda place, name: check.find(place, name, constant=True))
    aims = check.config.explanation.frontier
    for number, aim in enumerate(() if aims == "default" else aims):
        check.find(("explanation", "frontier", number, "variable"), aim.variable)


def _values(system: EquationSystem, changed: Mapping[str, float]) -> dict[str, float]:
    """The value that every constant has in this question, by key."""
    expressions = {v.key: v.expression for v in system.of_kind("constant")}
    expressions |= {key: Number(value) for key, value in changed.items() if key in expressions}
    return {key: constant_value(key, expressions) for key in expressions}


@dataclass(frozen=True)
class _Check:
    """What the checks look at, and where they leave their complaints."""

    loaded: LoadedConfig
    system: EquationSystem
    constants: tuple[Constant, ...]
    values: Mapping[str, float]
    complaints: Complaints

    @property
    def config(self) -> Config:
        return self.loaded.config

    @property
    def model(self) -> str:
        return self.config.model.file.name

    def complain(self, place: Place, message: str) -> None:
        self.complaints.add(self.loaded.where(*place), message)

    def find(self, place: Place, name: str, *, constant: bool = False) -> Variable | None:
        """The variable `name` means, or None after a complaint."""
        variable = resolve(name, self.system)
        kind = "constant" if constant else "variable"
        if variable is None:
            names = [v.name for v in self._candidates(constant)]
            self.complain(
                place,
                f'{self.model} has no {kind} "{name}".{did_you_mean(name, names)} '
                f"List all: sdopt variables {self.model}",
            )
        elif constant and variable.kind != "constant":
            self.complain(place, f'"{name}" is a {variable.kind} of {self.model}; only a constant fits here')
            return None
        elif constant and variable.key in self.system.fixed:
            self.complain(
                place,
                f'"{name}" decides the time settings or the order of a delay; change it in {self.model}',
            )
        return variable

    def _candidates(self, constant: bool) -> Iterable[Variable]:
        return self.system.of_kind("constant") if constant else self.system.visible.values()


def _check_years(check: _Check) -> None:
    """Initial stocks hold at the model's start, so a question starts there; and ends within its years."""
    horizon, time = check.config.horizon, check.system.time
    if time.unit.strip().casefold() not in YEAR_WORDS:
        check.complain(
            ("model", "file"),
            f'the time unit of {check.model} is "{time.unit}", not Year; decisions and discounting are per '
            "year: give the time variables of the model the unit Year, and its rates per Year",
        )
    if abs(horizon.start - time.start) > ROUNDING:
        check.complain(
            ("horizon", "start"),
            f"{horizon.start:g} is not INITIAL TIME of {check.model} ({time.start:g}), where its initial "
            "stocks hold; make them equal",
        )
    if horizon.end > time.end + ROUNDING:
        check.complain(
            ("horizon", "end"),
            f"{horizon.end:g} is after FINAL TIME of {check.model} ({time.end:g}); choose an earlier end, "
            "or raise FINAL TIME if the model holds that long",
        )


def _check_time_step(check: _Check) -> None:
    horizon, own = check.config.horizon, check.system.time.step
    step = horizon.time_step if horizon.time_step is not None else own
    place = ("horizon",) if horizon.time_step is None else ("horizon", "time_step")
    if check.system.time.times:
        check.complain(
            ("model", "file"),
            f"the TIME STEP of {check.model} changes over time; a question needs a fixed one",
        )
    if not step > 0 or not _whole(1 / step):
        check.complain(place, f"a step of {step:g} does not divide a year; choose one such as 0.25 or 0.125")
        return
    steps = (horizon.end - horizon.start) / step
    if steps > MOST_STEPS:
        check.complain(place, f"{step:g} gives {steps:,.0f} steps; at most {MOST_STEPS:,} are allowed: "
                       "choose a longer step")  # fmt: skip
        return
    if step > own + ROUNDING:
        check.complain(place, f"{step:g} is above the step of {check.model} ({own:g}); use {own:g} or less")
    for name, time in (
        ("horizon.end", horizon.end),
        ("first decision year", check.config.decision_years.first),
    ):
        if not _whole((time - horizon.start) / step):
            check.complain(place, f"{name} ({time:g}) is not a whole number of steps of {step:g} after "
                           f"the start ({horizon.start:g}); choose another step or time")  # fmt: skip


def _check_decision(check: _Check, identity: str, decision: Decision) -> None:
    place = ("decisions", identity)
    variable = check.find((*place, "variable"), decision.variable, constant=True)
    if variable is None:
        return
    _check_in_range(check, (*place, "bounds"), variable, decision.bounds)
    low, high = decision.bounds
    path = list(_null_values(check, variable, decision))
    if not (_at_most(low, min(path)) and _at_most(max(path), high)):
        found = " to ".join(f"{value:g}" for value in dict.fromkeys(path))
        check.complain(
            (*place, "bounds"),
            f"[{low:g}, {high:g}] leaves out the null alternative ({found} {variable.unit}), which every "
            "advice is compared with; widen the bounds, or correct the value in the table or model",
        )


def _null_values(check: _Check, variable: Variable, decision: Decision) -> Iterator[float]:
    """The null alternative in the first and last decision year (it grows from the start of the horizon)."""
    years, start = check.config.decision_years, floor(check.config.horizon.start + ROUNDING)
    for year in (years.first, years.last):
        yield check.values[variable.key] * (1 + decision.null_trend) ** (year - start)


def _check_in_range(check: _Check, place: Place, variable: Variable, values: Iterable[float]) -> None:
    for value in dict.fromkeys(values):
        if message := _outside_range(check, variable, value):
            check.complain(place, message)


def _outside_range(check: _Check, variable: Variable, value: float) -> str:
    """What is wrong when a value goes where the model says that it does not hold, else ''."""
    low, high = variable.low, variable.high
    if (low is None or _at_most(low, value)) and (high is None or _at_most(value, high)):
        return ""
    allowed = f"[{'?' if low is None else f'{low:g}'}, {'?' if high is None else f'{high:g}'}]"
    return (
        f'{value:g} is outside the range of "{variable.name}" in {check.model}, {allowed} {variable.unit}; '
        "stay inside it, or widen it in the model if the model holds there"
    )


def _check_changes(check: _Check) -> None:
    decided = {same_name(name): owner for name, owner in decided_names(check.config)}
    for name, value in check.config.model.changes.items():
        place = ("model", "changes", name)
        if same_name(name) in decided:
            check.complain(place, f"chosen by {decided[same_name(name)]}; remove it here, or that one")
        elif variable := check.find(place, name, constant=True):
            _check_in_range(check, place, variable, [value])


def _check_constraints(check: _Check) -> None:
    for name, constraint in check.config.constraints.items():
        place: Place = ("constraints", name)
        if constraint.variables:
            keys: list[Place] = [(*place, "variables", written) for written in constraint.variables]
            for sense, limit, _ in sides(constraint):
                keys += [(*place, sense, "null_alternative", written) for written in other_weights(limit)]
            found = [check.find(key, str(key[-1])) for key in keys]
        else:  # a name that does not fit was complained about where it is decided on
            spending = {i: decision.variable for i, decision in check.config.decisions.items()}
            spending |= {i: programme.variable for i, programme in check.config.programmes.items()}
            found = [resolve(spending[i], check.system) for i in constraint.decisions or ()]
            found = [v for v in found if v is not None and v.kind == "constant"]
        units = {plain_unit(v.unit): f'"{v.unit}" ({v.name})' for v in found if v is not None}
        if len(units) > 1:
            check.complain(place, f"adds different units: {', '.join(units.values())}; a sum needs one unit: "
                           "limit them apart, or add the sum to the model as a variable")  # fmt: skip


def _check_forms(check: _Check) -> None:
    decided = {i: resolve(d.variable, check.system) for i, d in check.config.decisions.items()}
    chosen = {i: variable for i, variable in decided.items() if variable and variable.kind == "constant"}
    check_forms_meaning(check.config, check.system, chosen, check.find, check.complain)


def _check_objective(check: _Check) -> None:
    objective = check.config.objective
    place = ("objective", "maximise")
    amount = _amount_per_year(check, place, check.find(place, objective.maximise))
    for number, name in enumerate(objective.components):
        component = ("objective", "components", number)
        _amount_per_year(check, component, check.find(component, name))
    if objective.end_value is None:
        return
    end_place = ("objective", "end_value", "variable")
    end = check.find(end_place, objective.end_value.variable)
    if end is not None and amount is not None and plain_unit(end.unit) != plain_unit(amount):
        check.complain(
            end_place,
            f'unit "{end.unit}" of {end.name} cannot be added to a present value in "{amount}" (the unit of '
            "objective.maximise times a year); choose a variable in that unit, or add one to the model",
        )


def _amount_per_year(check: _Check, place: Place, variable: Variable | None) -> str | None:
    """The unit of the amount that `variable` is per year, or None after a complaint."""
    if variable is None:
        return None
    amount = amount_per_year(variable.unit)
    if amount is not None:
        return amount
    check.complain(
        place,
        f'unit "{variable.unit}" of {variable.name} is not an amount per year; a present value sums one over '
        'time: choose a variable whose unit ends with "/Year", such as million EUR/Year',
    )
    return None


def _check_uncertainties(check: _Check) -> None:
    model = Model(
        lambda place, name: check.find(place, name, constant=True),
        lambda variable, value: _outside_range(check, variable, value),
        check.values,
    )
    check_uncertain(check.config, check.constants, model, check.complain)


def _check_table(check: _Check) -> None:
    """Every row is a constant of the model in its unit; every constant has a row or is decided on."""
    table = check.config.model.constants
    for row in check.constants:
        variable = resolve(row.name, check.system)
        if variable is None or variable.kind != "constant":
            names = [v.name for v in check.system.of_kind("constant")]
            check.complaints.add(
                f'{table}, "{row.name}"',
                f"is not a constant of {check.model}.{did_you_mean(row.name, names)} Mend the name or remove "
                f"the row. List all: sdopt variables {check.model}",
            )
        else:
            _check_row(check, f'{table}, "{row.name}"', row, variable)
    known = {same_name(row.name) for row in check.constants}
    known |= {same_name(name) for name, _ in decided_names(check.config)}
    for variable in check.system.of_kind("constant"):
        if same_name(variable.name) not in known:
            check.complaints.add(
                str(table),
                f'no row for "{variable.name}", a constant of {check.model}; add one with its source',
            )


def _check_row(check: _Check, where: str, row: Constant, variable: Variable) -> None:
    if plain_unit(row.unit) != plain_unit(variable.unit):
        check.complaints.add(
            where, f'unit "{row.unit}" differs from "{variable.unit}" in {check.model}; make them equal'
        )
    if message := _outside_range(check, variable, row.value):
        check.complaints.add(where, message)


def _at_most(low: float, high: float) -> bool:
    return low <= high + ROUNDING * max(abs(low), abs(high))


def _whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6
