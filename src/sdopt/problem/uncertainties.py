"""Do the uncertainties and external scenarios of a config fit the model?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sdopt.config.constants import Constant
from sdopt.config.document import Complain, Place
from sdopt.config.names import same_name
from sdopt.config.observations import read_observations
from sdopt.config.schema import Config
from sdopt.config.uncertainty import Uncertainty, asked
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import ConfigError
from sdopt.problem.programmes import decided_names

ROUNDING = 1e-9
HALVES = ("normal", "lognormal")
"""Distributions of which half lies on either side of the value used."""


@dataclass(frozen=True)
class Model:
    """What the model says: constants by name, the value that each has, and what its ranges leave out.

    `find` gives the constant at a place of the config, or None after a complaint; `outside` what is wrong
    with a value, else "".
    """

    find: Callable[[Place, str], Variable | None]
    outside: Callable[[Variable, float], str]
    values: Mapping[str, float]


def check_uncertain(config: Config, constants: Iterable[Constant], model: Model, complain: Complain) -> None:
    """Call `complain(place, message)` for everything uncertain that does not fit the model."""
    decided = {same_name(name): owner for name, owner in decided_names(config)}
    listed = config.uncertainties
    for number, one in enumerate(listed if isinstance(listed, tuple) else ()):
        if isinstance(one, Uncertainty):
            _check_listed(("uncertainties", number), one, decided, model, complain)
    _check_correlated(config, set(asked(listed, constants)), decided, model, complain)
    for title, scenario in config.external_scenarios.items():
        for name, value in scenario.constants.items():
            place = ("external_scenarios", title, "constants", name)
            variable = model.find(place, name)
            if owner := decided.get(same_name(name)):
                complain(place, f"chosen by {owner}; a future cannot fix it. Remove it here, or that one")
            elif variable is not None:
                reached = value.values() if isinstance(value, dict) else (value,)
                _check_reach(place, variable, reached, model, complain)


def ends(one: Uncertainty) -> tuple[float, float]:
    """Low and high of an uncertainty; of values and of data the lowest and the highest.

    Raises
    ------
    ConfigError
        When a file of observations is no good.
    """
    if one.file is not None:
        values: tuple[float, ...] = read_observations(one.file, one.column)
    else:
        values = one.values or tuple(end for end in (one.low, one.high) if end is not None)
    return min(values), max(values)


def left_out(config: Config, constants: Iterable[Constant], system: EquationSystem) -> dict[str, str]:
    """Uncertain rows of the table that are not drawn, by `same_name`, and why.

    `chosen`: a decision or programme gives its path; `fixed`: it decided the time settings or the order of
    a delay when the model was read.
    """
    fixed = {same_name(system.variables[key].name) for key in system.fixed if key in system.variables}
    why = dict.fromkeys(fixed, "fixed")
    why |= dict.fromkeys((same_name(name) for name, _ in decided_names(config)), "chosen")
    return {name: why[name] for name in asked(config.uncertainties, constants) if name in why}


def misfit(distribution: str, low: float, used: float, high: float) -> str:
    """What is wrong with a range around the value used, else ''."""
    slack = ROUNDING * max(abs(low), abs(high))
    if not low - slack <= used <= high + slack:
        return f"{used:g}, the value used, is outside [{low:g}, {high:g}]; widen the range"
    if distribution in HALVES and not low < used < high:
        return (
            f"{used:g}, the value used, is at the end of [{low:g}, {high:g}], while half of a {distribution} "
            "distribution lies on either side of it; widen the range, or choose triangular"
        )
    return ""


def _check_listed(
    place: Place, one: Uncertainty, decided: Mapping[str, str], model: Model, complain: Complain
) -> None:
    variable = model.find((*place, "constant"), one.constant)
    if owner := decided.get(same_name(one.constant)):
        complain(
            (*place, "constant"),
            f"chosen by {owner}; what is chosen is not uncertain. Remove it here, or that one",
        )
        return
    if variable is None or (one.distribution == "fixed" and one.low is None):
        return
    try:
        low, high = ends(one)
    except ConfigError as error:
        complain((*place, "file"), str(error).replace("\n  * ", "; "))
        return
    _check_reach(place, variable, (low, high), model, complain)
    if wrong := misfit(one.distribution, low, model.values[variable.key], high):
        complain(place, wrong)


def _check_reach(
    place: Place, variable: Variable, values: Iterable[float], model: Model, complain: Complain
) -> None:
    for value in dict.fromkeys(values):
        if wrong := model.outside(variable, value):
            complain(place, wrong)


def _check_correlated(
    config: Config, drawn: set[str], decided: Mapping[str, str], model: Model, complain: Complain
) -> None:
    for number, one in enumerate(config.correlations):
        for position, name in enumerate(one.between):
            place: Place = ("correlations", number, "between", position)
            if owner := decided.get(same_name(name)):
                complain(place, f'"{name}" is chosen by {owner}, so it is not drawn; remove this correlation')
            elif model.find(place, name) is not None and same_name(name) not in drawn:
                complain(
                    place,
                    f'"{name}" is not drawn, so nothing goes together with it; list it under uncertainties '
                    "with its range, or remove this correlation",
                )
