"""Rules between values of one config that need no model: order, ranges, names that refer to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from sdopt.config.correlations import check_correlations
from sdopt.config.document import Complain, Place
from sdopt.config.forms import Form, Given, check_forms
from sdopt.config.names import same_name
from sdopt.config.programme_rules import Beside, check_programmes
from sdopt.config.programmes import Choice, Programme
from sdopt.config.robust import Robust, check_robust
from sdopt.config.schema import (
    Constraint,
    Decision,
    FiscalRules,
    Horizon,
    LedgerFiles,
    Limit,
    ModelFiles,
    Objective,
    Output,
    Valuation,
    Years,
)
from sdopt.config.shape import Model, validate
from sdopt.config.sheets.source import is_table
from sdopt.config.sweep import Sweep, check_sweep
from sdopt.config.text_file import similar_file
from sdopt.config.uncertainty import (
    Correlation,
    ExternalScenario,
    Uncertainty,
    check_external,
    check_uncertainties,
    data_files,
)
from sdopt.errors import did_you_mean

Key = TypeVar("Key", bound="str | int")

LONGEST_HORIZON = 1000
LOWEST_RATE, HIGHEST_RATE = -0.05, 0.2
LARGEST_TREND = 0.2
LARGEST_RISE_PERCENT, LARGEST_FALL_PERCENT = 1000, 100
BASE_YEAR_DISTANCE = 50


@dataclass(frozen=True)
class Parts:
    """The sections of a config whose own shape is right; None or absent where it is not."""

    model: ModelFiles | None
    ledger: LedgerFiles | None
    valuation: Valuation | None
    horizon: Horizon | None
    years: Years | None
    objective: Objective | None
    decisions: Mapping[str, Decision]
    constraints: Mapping[str, Constraint]
    uncertainties: Mapping[int, Uncertainty]
    correlations: Mapping[int, Correlation]
    external_scenarios: Mapping[str, ExternalScenario]
    decision_ids: tuple[str, ...]
    fiscal_rules: FiscalRules | None
    forms: Mapping[str, Form]
    programmes: Mapping[str, Programme]
    choices: Mapping[str, Choice]
    programme_ids: tuple[str, ...]
    language: str
    output: Output | None
    robust: Robust | None
    sweep: Sweep | None

    @property
    def spending_ids(self) -> tuple[str, ...]:
        """What a constraint between decisions may name: decisions and programmes."""
        return (*self.decision_ids, *self.programme_ids)


def parts_of(data: Any) -> Parts:
    """What can be checked of `data`, so that a fault in one place hides none elsewhere."""
    top = data if isinstance(data, dict) else {}
    return Parts(
        model=_part(ModelFiles, top.get("model")),
        ledger=_part(LedgerFiles, top.get("ledger")),
        valuation=_part(Valuation, top.get("valuation")),
        horizon=_part(Horizon, top.get("horizon")),
        years=_part(Years, top.get("decision_years")),
        objective=_part(Objective, top.get("objective")),
        decisions=_each(Decision, _mapping(top.get("decisions"))),
        constraints=_each(Constraint, _mapping(top.get("constraints"))),
        uncertainties=_each(Uncertainty, _listed(top.get("uncertainties"))),
        correlations=_each(Correlation, _listed(top.get("correlations"))),
        external_scenarios=_each(ExternalScenario, _mapping(top.get("external_scenarios"))),
        decision_ids=tuple(_mapping(top.get("decisions"))),
        fiscal_rules=_part(FiscalRules, top.get("fiscal_rules")),
        forms=_each(Form, _mapping(top.get("forms"))),
        programmes=_each(Programme, _mapping(top.get("programmes"))),
        choices=_each(Choice, _mapping(top.get("choices"))),
        programme_ids=tuple(_mapping(top.get("programmes"))),
        language=str(_mapping(top.get("output")).get("language", Output().language)),
        output=_part(Output, top.get("output", {})),
        robust=_part(Robust, top.get("robust", {})),
        sweep=_part(Sweep, top.get("sweep", {})),
    )


def check_rules(parts: Parts, folder: Path, complain: Complain) -> None:
    """Call `complain(place, message)` for every broken rule; files are looked up from `folder`."""
    for place, file in _files(parts).items():
        _check_file(place, file, folder, complain)
    if parts.model and parts.model.municipality and not parts.model.constants:
        complain(("model", "municipality"), "changes rows of a table; name that table under constants")
    if parts.horizon:
        _check_horizon(parts.horizon, complain)
    if parts.years:
        _check_decision_years(parts.years, parts.horizon, complain)
    if parts.objective:
        _check_objective(parts.objective, parts.years, complain)
    for identity, decision in parts.decisions.items():
        _check_decision(("decisions", identity), decision, parts.years, complain)
    _check_decided_once(parts.decisions, complain)
    for name, constraint in parts.constraints.items():
        _check_constraint(("constraints", name), constraint, parts, complain)
    check_uncertainties(parts.uncertainties, complain)
    check_correlations(parts.correlations, complain)
    span = (parts.horizon.start, parts.horizon.end) if parts.horizon else None
    check_external(parts.external_scenarios, span, complain)
    years = (parts.years.first, parts.years.last) if parts.years else None
    check_robust(parts.robust, years, {i: one.period for i, one in parts.decisions.items()}, complain)
    if parts.sweep:
        check_sweep(parts.sweep, folder, complain)
    if parts.years and parts.years.first <= parts.years.last:
        check_forms(parts.forms, _given(parts, parts.years), complain)
        check_programmes(parts.programmes, parts.choices, _beside(parts, parts.years), complain)


def _beside(parts: Parts, years: Years) -> Beside:
    """What programmes are checked against."""
    decided = {identity: decision.variable for identity, decision in parts.decisions.items()}
    return Beside(years.first, years.last, decided, parts.programme_ids, bool(parts.forms))


def _given(parts: Parts, years: Years) -> Given:
    """What forms are checked against."""
    caps = [name for name, cap in parts.constraints.items() if _caps_all(cap, parts.decision_ids, years)]
    known = {identity: parts.decisions.get(identity) for identity in parts.decision_ids}
    periods = {identity: 1 if decision is None else decision.period for identity, decision in known.items()}
    negative = [identity for identity, decision in parts.decisions.items() if decision.bounds[0] < 0]
    return Given(years.first, years.last, periods, tuple(negative), tuple(caps))


def _caps_all(constraint: Constraint, identities: tuple[str, ...], years: Years) -> bool:
    """Whether a constraint limits the plain sum of all decisions in every decision year."""
    every_year = constraint.years is None or constraint.years == years
    capped = constraint.decisions == dict.fromkeys(identities, 1.0)
    return capped and every_year and constraint.at_most is not None


def _mapping(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _listed(data: Any) -> dict[int, Any]:
    return dict(enumerate(data)) if isinstance(data, list) else {}


def _part(model: type[Model], data: Any) -> Model | None:
    try:
        return validate(model, data)
    except ValidationError:
        return None


def _each(model: type[Model], data: Mapping[Key, Any]) -> dict[Key, Model]:
    found = {key: _part(model, value) for key, value in data.items()}
    return {key: part for key, part in found.items() if part is not None}


def _files(parts: Parts) -> dict[Place, Path | None]:
    """Every file that a config names (or names by default), by place."""
    files: dict[Place, Path | None] = {}
    if parts.model:
        files |= {("model", "file"): parts.model.file, ("model", "constants"): parts.model.constants}
        files |= {("model", "municipality"): parts.model.municipality}
    if parts.ledger:
        files |= {("ledger", "file"): parts.ledger.file}
        files |= {("ledger", "perspectives"): parts.ledger.perspectives_file}
    if parts.valuation:
        files |= {("valuation", "file"): parts.valuation.file}
    if parts.output:
        files |= {("output", "names"): parts.output.names}
    files |= data_files(parts.uncertainties)
    return files


def _check_file(place: Place, file: Path | None, folder: Path, complain: Complain) -> None:
    if file is not None and not is_table(folder / file):
        complain(
            place,
            f"there is no file {file} in the folder of this config (paths are relative to it)."
            f"{similar_file(folder / file)}",
        )


def _check_horizon(horizon: Horizon, complain: Complain) -> None:
    if not 0 < horizon.end - horizon.start <= LONGEST_HORIZON:
        complain(
            ("horizon", "end"),
            f"{horizon.end:g} must be after the start ({horizon.start:g}), at most {LONGEST_HORIZON} years",
        )
    if horizon.time_step is not None and horizon.time_step <= 0:
        complain(("horizon", "time_step"), f"{horizon.time_step:g} must be above 0, for example 0.25")


def _check_decision_years(years: Years, horizon: Horizon | None, complain: Complain) -> None:
    place = ("decision_years",)
    if years.first > years.last:
        complain(place, f"first ({years.first}) is after last ({years.last}); swap them")
    if horizon:
        _check_inside_horizon(place, years, horizon, complain)


def _check_inside_horizon(place: Place, years: Years, horizon: Horizon, complain: Complain) -> None:
    """A year is the time from its number up to the next: the last one must be over when the horizon ends."""
    if years.first < horizon.start or years.last + 1 > horizon.end:
        complain(
            place,
            f"{years.first} up to and including {years.last} (so until time {years.last + 1}) is not inside "
            f"the horizon, {horizon.start:g} to {horizon.end:g}; shorten the years or widen the horizon",
        )


def _check_objective(objective: Objective, years: Years | None, complain: Complain) -> None:
    rate, base = objective.discount_rate, objective.base_year
    if isinstance(rate, float) and not LOWEST_RATE <= rate <= HIGHEST_RATE:
        hint = f'the preset is "{rate:g}", in quotes' if rate in (2020, 2025) else "0.0225 is 2.25 % a year"
        complain(
            ("objective", "discount_rate"),
            f"{rate:g} is not between {LOWEST_RATE:g} and {HIGHEST_RATE:g} a year; {hint}",
        )
    if base is not None and years and abs(base - years.first) > BASE_YEAR_DISTANCE:
        complain(
            ("objective", "base_year"),
            f"{base} is more than {BASE_YEAR_DISTANCE} years from the first decision year "
            f"({years.first}); choose a nearer one or leave it out",
        )


def _check_decision(place: Place, decision: Decision, years: Years | None, complain: Complain) -> None:
    low, high = decision.bounds
    if low > high:
        complain((*place, "bounds"), f"lower bound {low:g} is above upper bound {high:g}; write [low, high]")
    if abs(decision.null_trend) > LARGEST_TREND:
        complain(
            (*place, "null_trend"),
            f"{decision.null_trend:g} is not between {-LARGEST_TREND:g} and {LARGEST_TREND:g} a year; "
            "0.01 is 1 % a year",
        )
    _check_change((*place, "largest_rise"), decision.largest_rise, LARGEST_RISE_PERCENT, complain)
    _check_change((*place, "largest_fall"), decision.largest_fall, LARGEST_FALL_PERCENT, complain)
    count = years.last - years.first + 1 if years else 0
    if count > 0 and count % decision.period:
        complain(
            (*place, "period"),
            f"the {count} decision years cannot be divided into periods of {decision.period}; choose a "
            f"period that divides {count}, or other decision years",
        )


def _check_change(place: Place, change: float | str | None, largest_percent: int, complain: Complain) -> None:
    if isinstance(change, str) and float(change.removesuffix("%")) > largest_percent:
        complain(place, f"{change} is above {largest_percent}%; choose a smaller share, or leave it out")
    elif isinstance(change, float) and change < 0:
        complain(place, f"{change:g} is below 0; write how large the change may be, without a sign")


def _check_decided_once(decisions: Mapping[str, Decision], complain: Complain) -> None:
    owner: dict[str, str] = {}
    for identity, decision in decisions.items():
        first = owner.setdefault(same_name(decision.variable), identity)
        if first != identity:
            complain(
                ("decisions", identity, "variable"),
                f'"{decision.variable}" is already chosen by decision {first}; keep one of the two',
            )


def _check_constraint(place: Place, constraint: Constraint, parts: Parts, complain: Complain) -> None:
    if bool(constraint.decisions) == bool(constraint.variables):
        complain(
            place,
            "give either decisions or variables with their weights (exactly one of the two), "
            "for example `decisions: {prevention: 1}`",
        )
    _check_limits(place, constraint, complain)
    _check_other_weights(place, constraint, parts, complain)
    if constraint.decisions:
        _check_decisions_of_constraint(place, constraint, parts, complain)
    _check_constraint_years(place, constraint, parts, complain)


def _check_limits(place: Place, constraint: Constraint, complain: Complain) -> None:
    low, high = constraint.at_least, constraint.at_most
    if low is None and high is None:
        complain(place, "limits nothing; give at_most, at_least or both")
    if isinstance(low, float) and isinstance(high, float) and low > high:
        complain(place, f"at_least {low:g} is above at_most {high:g}: nothing can satisfy both; swap them")


def _check_other_weights(place: Place, constraint: Constraint, parts: Parts, complain: Complain) -> None:
    """Between decisions, a limit's own weights for the null alternative are of decisions too."""
    for key, limit in (("at_most", constraint.at_most), ("at_least", constraint.at_least)):
        named = limit.null_alternative if isinstance(limit, Limit) and constraint.decisions else {}
        for identity in named if isinstance(named, dict) else ():
            if identity not in parts.spending_ids:
                _no_such_decision((*place, key, "null_alternative", identity), identity, parts, complain)


def _no_such_decision(place: Place, identity: str, parts: Parts, complain: Complain) -> None:
    complain(
        place,
        f"there is no such decision.{did_you_mean(identity, parts.spending_ids)} "
        f"Decisions of this config: {', '.join(parts.spending_ids)}",
    )


def _check_decisions_of_constraint(
    place: Place, constraint: Constraint, parts: Parts, complain: Complain
) -> None:
    for identity in constraint.decisions or ():
        if identity not in parts.spending_ids:
            _no_such_decision((*place, "decisions", identity), identity, parts, complain)
    if "measure" in constraint.model_fields_set:
        complain((*place, "measure"), "only for variables; a decision has one value a year. Remove it")


def _check_constraint_years(place: Place, constraint: Constraint, parts: Parts, complain: Complain) -> None:
    years, inside = constraint.years, (*place, "years")
    if years is None:
        return
    if years.first > years.last:
        complain(inside, f"first ({years.first}) is after last ({years.last}); swap them")
    if constraint.variables and parts.horizon:
        _check_inside_horizon(inside, years, parts.horizon, complain)
    decided = parts.years
    if constraint.decisions and decided and not decided.first <= years.first <= years.last <= decided.last:
        complain(
            inside,
            f"{years.first} up to and including {years.last} is not inside the decision years, "
            f"{decided.first} up to and including {decided.last}",
        )
