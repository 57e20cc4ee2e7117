"""Fiscal rules in a question: do they fit the model, and which ordinary limits do they become?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sdopt.config.document import Place
from sdopt.config.fiscal_choice import ChosenRule, FiscalChoice
from sdopt.config.fiscal_library import RelativeLimit, RuleLimit, amount, years_word
from sdopt.config.schema import Config, Constraint, Decision, Limit, Years
from sdopt.config.units import plain_unit
from sdopt.equations.system import Variable

Find = Callable[[str], Variable | None]
Complain = Callable[[Place, str], None]


def check_fiscal_rules(fiscal: FiscalChoice, find: Find, model: str, complain: Complain) -> None:
    """Complain about every chosen rule that the model file `model` lacks something for.

    `find` gives the variable that a name means.
    """
    for one in fiscal.chosen:
        _check_present(one, find, model, complain)
        for limit in one.rule.all_limits:
            _check_units(one, limit, find, complain)
        for constant, value in one.constants.items():
            _check_constant(one, constant, value, find(constant), model, complain)


def _needed(one: ChosenRule) -> Iterator[str]:
    """Names of the model variables and constants that a rule uses, as the library writes them."""
    yield from one.rule.variables
    for limit in one.rule.all_limits:
        yield from limit.variables
        for side in (limit.at_most, limit.at_least):
            if isinstance(side, RelativeLimit) and isinstance(side.null_alternative, dict):
                yield from side.null_alternative
    yield from one.constants


def _check_present(one: ChosenRule, find: Find, model: str, complain: Complain) -> None:
    missing = [name for name in dict.fromkeys(_needed(one)) if find(name) is None]
    if not missing:
        return
    listed = ", ".join(f'"{name}"' for name in missing)
    complain(
        one.place,
        f"rule {one.rule.id} needs {listed}, which {model} does not have; add what is missing to the model, "
        f"or leave the rule out. List all: sdopt variables {model}",
    )


def _check_units(one: ChosenRule, limit: RuleLimit, find: Find, complain: Complain) -> None:
    found = [variable for name in limit.variables if (variable := find(name)) is not None]
    units = {plain_unit(v.unit): f'"{v.unit}" ({v.name})' for v in found}
    if len(units) > 1:
        complain(one.place, f"rule {one.rule.id} adds different units: {', '.join(units.values())}; give "
                 "these variables one unit in the model")  # fmt: skip


def _check_constant(
    one: ChosenRule, name: str, value: float, found: Variable | None, model: str, complain: Complain
) -> None:
    if found is None:
        return
    if found.kind != "constant":
        complain(one.place, f'"{name}" of {model} is no constant but {found.kind}, so no rule can set it')
    elif (found.low is not None and value < found.low) or (found.high is not None and value > found.high):
        complain(
            one.place, f'{value:g} is outside the range of "{found.name}" in {model}; choose another value'
        )


def with_fiscal_rules(config: Config, fiscal: FiscalChoice | None) -> Config:
    """The config with the imposed rules as constraints, limits on change and changed constants."""
    if fiscal is None:
        return config
    constraints, decisions = dict(config.constraints), dict(config.decisions)
    changes = dict(config.model.changes)
    for one in fiscal.chosen:
        changes |= one.constants
        if one.imposed:
            constraints |= dict(_imposed(one, config))
            decisions |= {name: _limited(decisions[name], one) for name in one.decisions}
    model = config.model.model_copy(update={"changes": changes})
    return config.model_copy(update={"constraints": constraints, "decisions": decisions, "model": model})


def _imposed(one: ChosenRule, config: Config) -> Iterator[tuple[str, Constraint]]:
    """Name -> constraint of every limit that is imposed."""
    for limit in one.rule.limits:
        years = imposed_years(limit, one, config)
        if not limit.imposed or years is None or limit.facts:
            continue
        name = limit_name(one, limit, config.output.language)
        if limit.each_decision is None:
            yield name, _constraint(limit, one, years)
            continue
        for identity in one.decisions:
            yield f"{name}: {identity}", _constraint(limit, one, years, identity)


def limit_name(one: ChosenRule, limit: RuleLimit, language: str) -> str:
    """What a limit is called in results: the rule, and its part if it has several."""
    part = part_name(limit, language)
    return f"{one.rule.title(language)}: {part}" if part else one.rule.title(language)


def part_name(limit: RuleLimit, language: str) -> str:
    """What a limit of a rule is about, in `nl` or `en`."""
    return limit.part_nl or limit.part if language == "nl" else limit.part


def imposed_years(limit: RuleLimit, one: ChosenRule, config: Config) -> Years | None:
    """Decision years in which a limit is imposed; None for no year."""
    first, last = config.decision_years.first, config.decision_years.last
    spans = {"first year": (first, first), "last year": (last, last), "every year": (first, last)}
    span = spans.get(years_word(limit, one.values))
    return Years(first=span[0], last=span[1]) if span else None


def reported(limit: RuleLimit, one: ChosenRule, config: Config) -> Iterator[tuple[str, Constraint]]:
    """A limit as constraints on model variables in every decision year, whether imposed or not.

    Each with the decision that it is about, or ''.
    """
    if limit.each_decision is None:
        yield "", _constraint(limit, one, config.decision_years)
        return
    for identity in one.decisions:
        variable = config.decisions[identity].variable
        weights = {variable: amount(limit.each_decision, one.values)}
        found = _constraint(limit, one, config.decision_years, identity)
        yield variable, found.model_copy(update={"decisions": None, "variables": weights})


def _constraint(limit: RuleLimit, one: ChosenRule, years: Years, identity: str | None = None) -> Constraint:
    """A limit of the library as a config would write it."""
    values = one.values
    high, low = _side(limit.at_most, values), _side(limit.at_least, values)
    if identity is not None:
        weights = {identity: amount(limit.each_decision or 0.0, values)}
        return Constraint(decisions=weights, years=years, at_most=high, at_least=low)
    weights = {name: amount(weight, values) for name, weight in limit.variables.items()}
    return Constraint(variables=weights, years=years, at_most=high, at_least=low, measure=limit.measure)


def _side(
    side: float | str | RelativeLimit | None, values: Mapping[str, float | str]
) -> float | Limit | None:
    if side is None:
        return None
    if not isinstance(side, RelativeLimit):
        return amount(side, values)
    share, plus = side.null_alternative, amount(side.plus, values)
    if isinstance(share, dict):
        weights = {name: amount(weight, values) for name, weight in share.items()}
        return Limit(null_alternative=weights, plus=plus)
    return Limit(null_alternative=amount(share, values), plus=plus)


def _limited(decision: Decision, one: ChosenRule) -> Decision:
    """A decision with the limits on change of a rule."""
    changes = {
        key: f"{100 * amount(share, one.values):.10g}%"
        for key in ("largest_rise", "largest_fall")
        if (share := getattr(one.rule, key)) is not None
    }
    return decision.model_copy(update=changes)
