"""Do the forms of a config fit its model? Variables exist and can be followed; shares have one unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sdopt.config.document import Complain, Place
from sdopt.config.forms import Form
from sdopt.config.schema import Config
from sdopt.config.units import plain_unit
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import ModelError
from sdopt.problem.feedback import check_order

Find = Callable[[Place, str], Variable | None]
"""The variable that a name means, or None after a complaint."""


def check_forms_meaning(
    config: Config, system: EquationSystem, chosen: Mapping[str, Variable], find: Find, complain: Complain
) -> None:
    """Complain about forms that the model cannot carry out; `chosen`: decision id -> its constant."""
    at_start = config.decision_years.first <= config.horizon.start
    for name, form in config.forms.items():
        place: Place = ("forms", name)
        if form.shares_of is not None:
            _check_units((*place, "shares_of"), chosen, complain)
        if form.follows is not None:
            _check_followed((*place, "follows"), form, system, chosen, find, complain, at_start=at_start)


def _check_units(place: Place, chosen: Mapping[str, Variable], complain: Complain) -> None:
    units = {plain_unit(v.unit): f'"{v.unit}" ({v.name})' for v in chosen.values()}
    if len(units) > 1:
        complain(place, f"adds different units: {', '.join(units.values())}; a total needs one unit")


def _check_followed(
    place: Place,
    form: Form,
    system: EquationSystem,
    chosen: Mapping[str, Variable],
    find: Find,
    complain: Complain,
    *,
    at_start: bool,
) -> None:
    if system.time.method != "euler":
        complain(place, "a rule of feedback needs a model that is integrated by Euler")
        return
    pairs = []
    for identity, written in (form.follows or {}).items():
        followed = find((*place, identity), written)
        if followed is not None and followed.kind == "constant":
            complain((*place, identity), f'"{written}" is a constant; follow what changes, such as a stock')
        elif followed is not None and identity in chosen:
            pairs.append((chosen[identity], followed))
    try:
        check_order(system, pairs, at_start=at_start)
    except ModelError as error:
        complain(
            place,
            "what is followed depends on what is decided at the same moment; follow stocks, or what follows "
            f"from stocks only ({error})",
        )
