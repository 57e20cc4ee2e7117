"""INITIAL TIME, FINAL TIME, TIME STEP and SAVEPER as numbers, or as moments where they change over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite

from sdopt.equations.constant_value import constant_value, evaluate
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.program import CONTROLS
from sdopt.equations.system import Method, TimeAxis
from sdopt.errors import ModelError

MOST_STEPS = 1_000_000
"""More steps than this are taken for a mistake."""
PRECISION = 1e-5
"""PySD's tolerance for the end and for saving, as a fraction of the step (`components.Time.rprec`)."""


def time_axis(expressions: Mapping[str, Expression], unit: str, method: Method) -> TimeAxis:
    """The time axis of a model.

    Parameters
    ----------
    expressions : expression by key, those of the time settings among them

    Raises
    ------
    ModelError
        If a setting depends on more than constants and time, or makes no sense.
    """
    start = constant_value("initial_time", expressions)
    end, step, save = (_over_time(key, expressions) for key in CONTROLS[1:])
    first, saved = step(start), save(start)
    _check(start, end(start), first, saved)
    if all(_is_fixed(key, expressions) for key in CONTROLS[1:]):
        return TimeAxis(start, end(start), first, saved, unit, method)
    times = tuple(_moments(start, end, step))
    kept = tuple(t for t in times if _is_saved(t - start, save(t), step(t)))
    return TimeAxis(start, times[-1], first, saved, unit, method, times, kept)


def _check(start: float, end: float, step: float, save: float) -> None:
    if not (step > 0 and save > 0 and end > start and isfinite(step + save + end + start)):
        raise ModelError(
            f"time runs from {start:g} to {end:g} in steps of {step:g}, saved every {save:g}: "
            "all must be finite numbers, the end must come after the start, and steps must be above zero."
        )
    if (end - start) / step > MOST_STEPS:
        raise ModelError(
            f"more than {MOST_STEPS:,} steps from {start:g} to {end:g}: choose a longer TIME STEP."
        )


def _is_fixed(key: str, expressions: Mapping[str, Expression]) -> bool:
    try:
        constant_value(key, expressions)
    except ModelError:
        return False
    return True


def _over_time(key: str, expressions: Mapping[str, Expression]) -> Callable[[float], float]:
    return lambda time: evaluate(Reference(key), AtTime(expressions, time))


def _moments(start: float, end: Callable[[float], float], step: Callable[[float], float]) -> Iterator[float]:
    """Every time of the run, as PySD goes through them."""
    time, count = start, 0
    while time + step(time) * PRECISION < end(time):
        yield time
        count += 1
        if not step(time) > 0 or count > MOST_STEPS:
            raise ModelError(f"TIME STEP is {step(time):g} at time {time:g}: it must stay above zero.")
        time += step(time)
    yield time


def _is_saved(passed: float, save: float, step: float) -> bool:
    return passed % save < step * PRECISION or -passed % save < step * PRECISION


class AtTime(Mapping[str, Expression]):
    """Expressions with the time filled in."""

    def __init__(self, expressions: Mapping[str, Expression], time: float) -> None:
        self._expressions, self._time = expressions, time

    def __getitem__(self, key: str) -> Expression:
        return with_time(self._expressions[key], self._time)

    def __iter__(self) -> Iterator[str]:
        return iter(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)


def with_time(expression: Expression, time: float) -> Expression:
    """The same expression with a number for the time."""
    match expression:
        case Time():
            return Number(time)
        case Call(name, arguments):
            return Call(name, tuple(with_time(a, time) for a in arguments))
        case Lookup(x, y, argument, kind):
            return Lookup(x, y, with_time(argument, time), kind)
    return expression
