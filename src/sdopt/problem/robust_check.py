"""Does the section `robust` of a config fit the model: are its limits limits, is what is learned drawn?"""

from __future__ import annotations

from collections.abc import Iterable

from sdopt.config.constants import Constant
from sdopt.config.document import Complain, Place
from sdopt.config.names import same_name
from sdopt.config.robust import EXTERNAL, DecideAgain
from sdopt.config.schema import Config
from sdopt.config.uncertainty import asked
from sdopt.equations.system import EquationSystem
from sdopt.errors import did_you_mean
from sdopt.problem.uncertainties import left_out


def check_robust_meaning(
    config: Config, constants: Iterable[Constant], system: EquationSystem, complain: Complain
) -> None:
    """Call `complain(place, message)` for every name that does not fit; fiscal rules are in the config."""
    _check_probability_limits(config, complain)
    if config.robust.decide_again is not None:
        drawn = drawn_names(config, tuple(constants), system)
        _check_learned(config.robust.decide_again, list(config.external_scenarios), drawn, complain)


def drawn_names(config: Config, constants: tuple[Constant, ...], system: EquationSystem) -> list[str]:
    """Names of the constants that are drawn: uncertain, not chosen, and not fixed in every future."""
    names = {same_name(variable.name): variable.name for variable in system.of_kind("constant")}
    kept = set(left_out(config, constants, system))
    futures = [set(map(same_name, one.constants)) for one in config.external_scenarios.values()]
    kept |= set.intersection(*futures) if futures else set()
    listed = asked(config.uncertainties, constants)
    return [names[name] for name in listed if name in names and name not in kept]


def _check_probability_limits(config: Config, complain: Complain) -> None:
    """Is every probability limit on a constraint that depends on the scenario?"""
    known = [name for name, one in config.constraints.items() if one.decisions is None]
    for name in config.robust.probability_limits:
        place: Place = ("robust", "probability_limits", name)
        if name not in config.constraints:
            listed = ", ".join(known) or "none"
            complain(
                place,
                f"is no constraint on model variables.{did_you_mean(name, known)} Constraints: {listed}",
            )
        elif name not in known:
            complain(place, "limits decisions, which are the same in every scenario; remove it here")


def _check_learned(again: DecideAgain, futures: list[str], drawn: list[str], complain: Complain) -> None:
    place: Place = ("robust", "decide_again", "learn")
    if again.of_external:
        if len(futures) < 2:
            complain(
                place,
                f"there are {len(futures)} external scenarios, so nothing is learned; list at least two",
            )
    elif same_name(again.learn) not in map(same_name, drawn):
        names = [*drawn, EXTERNAL]
        complain(
            place,
            f'"{again.learn}" is not drawn, so nothing is learned of it.{did_you_mean(again.learn, names)} '
            f"Name a constant with a range (in the table or under uncertainties), or write {EXTERNAL}",
        )
