"""Rules between programmes, choices, decisions and years that need no model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sdopt.config.document import Complain, Place
from sdopt.config.names import same_name
from sdopt.config.programmes import Choice, Programme
from sdopt.errors import did_you_mean


@dataclass(frozen=True)
class Beside:
    """What stands beside the programmes: first and last decision year, decision id -> constant, and forms.

    `ids` are all programmes that are written down, also those whose own shape is wrong.
    """

    first: int
    last: int
    decided: Mapping[str, str]
    ids: tuple[str, ...]
    forms: bool


def constants_of_programme(programme: Programme) -> Iterator[tuple[str, str]]:
    """(key, name) of every model constant that a programme gives its path."""
    for key in ("variable", "cost_variable", "runs_variable"):
        name = getattr(programme, key)
        if name is not None:
            yield key, name


def check_programmes(
    programmes: Mapping[str, Programme], choices: Mapping[str, Choice], beside: Beside, complain: Complain
) -> None:
    """Call `complain(place, message)` for every broken rule."""
    for identity, programme in programmes.items():
        place = ("programmes", identity)
        if identity in beside.decided:
            complain(place, "there is a decision of this name too; give one of them another name")
        _check_amount((*place, "amount"), programme, complain)
        _check_start(place, programme, beside, complain)
        _check_costs(place, programme, complain)
        _check_names((*place, "needs"), [n for n in programme.needs if n != identity], beside.ids, complain)
        if identity in programme.needs:
            complain((*place, "needs"), "a programme cannot need itself; remove it")
    _check_decided_once(programmes, beside, complain)
    for name, choice in choices.items():
        _check_choice(("choices", name), choice, beside.ids, complain)
    if beside.forms and programmes:
        complain(
            ("forms",), "forms are of decisions by year and do not go with programmes; remove one of the two"
        )


def _check_amount(place: Place, programme: Programme, complain: Complain) -> None:
    low, high = programme.amount
    if not 0 <= low <= high:
        complain(
            place,
            f"found [{low:g}, {high:g}]; write [smallest, largest], both at least 0 (else it does not run)",
        )


def _check_start(place: Place, programme: Programme, beside: Beside, complain: Complain) -> None:
    """Start years are decision years, and a programme of so many years is over when these end."""
    lasts, start = programme.lasts, programme.start
    latest = beside.last if lasts is None else beside.last - lasts + 1
    if start is not None and start.first > start.last:
        complain((*place, "start"), f"first ({start.first}) is after last ({start.last}); swap them")
    elif start is not None and not beside.first <= start.first <= start.last <= beside.last:
        complain(
            (*place, "start"),
            f"{start.first} up to and including {start.last} is not inside the decision years, "
            f"{beside.first} up to and including {beside.last}",
        )
    elif lasts is not None and (start.last if start else beside.first) > latest:
        complain(
            (*place, "lasts"),
            f"{lasts} years do not fit in the decision years, which end with {beside.last}; shorten it, or "
            f"let it start in {latest} at the latest"
            if latest >= beside.first
            else f"{lasts} years do not fit in the decision years, {beside.first} up to and including "
            f"{beside.last}; shorten it, or widen these",
        )
    if lasts is not None and programme.after == "last":
        complain(
            (*place, "after"), "a programme that lasts so many years does not go on; remove after or lasts"
        )


def _check_costs(place: Place, programme: Programme, complain: Complain) -> None:
    costs = programme.start_cost > 0 or programme.yearly_cost > 0
    if costs and programme.cost_variable is None:
        complain(
            place,
            "has costs but no cost_variable; name the constant of the model that gets them, so that the "
            "model counts them",
        )
    if programme.cost_variable is not None and not costs:
        complain(
            (*place, "cost_variable"), "has nothing to carry; give start_cost or yearly_cost, or remove it"
        )


def _check_names(place: Place, names: Iterable[str], known: tuple[str, ...], complain: Complain) -> None:
    for name in names:
        if name not in known:
            complain(
                place,
                f'there is no programme "{name}".{did_you_mean(name, known)} '
                f"Programmes of this config: {', '.join(known) or 'none'}",
            )


def _check_decided_once(programmes: Mapping[str, Programme], beside: Beside, complain: Complain) -> None:
    owner = {same_name(name): f"decision {identity}" for identity, name in beside.decided.items()}
    for identity, programme in programmes.items():
        for key, name in constants_of_programme(programme):
            # Programmes may share a constant for their costs: it gets the sum.
            mine = "costs of a programme" if key == "cost_variable" else f"programme {identity} ({key})"
            other = owner.setdefault(same_name(name), mine)
            if other != mine:
                complain(
                    ("programmes", identity, key),
                    f'"{name}" already gets its path from {other}; give each a constant of its own',
                )


def _check_choice(place: Place, choice: Choice, known: tuple[str, ...], complain: Complain) -> None:
    _check_names((*place, "of"), choice.of, known, complain)
    if len(set(choice.of)) < len(choice.of):
        complain((*place, "of"), "names a programme twice; name each once")
    low, high = choice.at_least, choice.at_most
    if low is None and high is None:
        complain(place, "limits nothing; give at_most, at_least or both (the same number: exactly so many)")
    elif low is not None and low > (len(choice.of) if high is None else min(high, len(choice.of))):
        complain(
            (*place, "at_least"),
            f"{low} is more than at_most, or than the {len(choice.of)} programmes that are counted",
        )
