"""Functions that PySD defines by a formula (ZIDZ, STEP, PULSE, ...), written out as that formula.

So they agree with the referee to the last step, and every pass over expressions knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi

from sdopt.equations.expression import Call, Expression, Number, Reference, Time
from sdopt.source_model.unsupported import UnsupportedError

SMALL = Number(1e-6)
"""What PySD and Vensim take for zero in ZIDZ, XIDZ, QUANTUM, MODULO, RAMP and PULSE."""
TIME_STEP = Reference("time_step")


def call(function: str, *arguments: Expression) -> Expression:
    """A `Call` node."""
    return Call(function, arguments)


def _quantum(a: Expression, b: Expression) -> Expression:
    whole = call("multiply", b, call("integer", call("divide", a, b)))
    return call("if_then_else", call("less", b, SMALL), a, whole)


def xidz(a: Expression, b: Expression, x: Expression) -> Expression:
    """`a / b`, or x where b is nearly zero."""
    return call("if_then_else", call("less", call("abs", b), SMALL), x, call("divide", a, b))


def _step(height: Expression, start: Expression) -> Expression:
    now = call("add", Time(), call("divide", TIME_STEP, Number(2.0)))
    return call("multiply", height, call("greater", now, start))


def _ramp(slope: Expression, start: Expression, end: Expression | None = None) -> Expression:
    started = call("greater", call("add", Time(), SMALL), start)
    slope = Number(slope.value, -1) if isinstance(slope, Number) else slope
    until: Expression = Time() if end is None else call("min", end, Time())
    return call("multiply", call("multiply", started, slope), call("subtract", until, start))


def _pulse(start: Expression, width: Expression) -> Expression:
    begun = call("less_equal", call("subtract", start, SMALL), Time())
    return call(
        "if_then_else", call("and", begun, call("less", Time(), call("add", start, width))), ONE, ZERO
    )


def _pulse_train(start: Expression, interval: Expression, width: Expression, end: Expression) -> Expression:
    within = call("and", call("less_equal", start, Time()), call("less", Time(), end))
    since = call("remainder", call("add", call("subtract", Time(), start), SMALL), interval)
    train = call("if_then_else", call("and", within, call("less", since, width)), ONE, ZERO)
    return call("if_then_else", call("equal", interval, ZERO), _pulse(start, width), train)


def _xmile_pulse(start: Expression, magnitude: Expression) -> Expression:
    width = call("multiply", Number(0.5), TIME_STEP)
    begun = call("less_equal", call("subtract", start, SMALL), Time())
    inside = call("and", begun, call("less", Time(), call("add", start, width)))
    return call("if_then_else", inside, call("divide", magnitude, TIME_STEP), ZERO)


def _xmile_pulse_train(start: Expression, interval: Expression, magnitude: Expression) -> Expression:
    since = call("remainder", call("add", call("subtract", Time(), start), SMALL), interval)
    inside = call(
        "and",
        call("less_equal", start, Time()),
        call("less", since, call("multiply", Number(0.5), TIME_STEP)),
    )
    train = call("if_then_else", inside, call("divide", magnitude, TIME_STEP), ZERO)
    return call("if_then_else", call("equal", interval, ZERO), _xmile_pulse(start, magnitude), train)


def get_time_value(relative: float, offset: Expression, measure: float) -> Expression:
    """GET TIME VALUE in model time units, relative to now (0) or to the start (1).

    Raises
    ------
    UnsupportedError
        For calendar measures and for the computer's clock.
    """
    if measure != 0 or relative not in (0, 1):
        raise UnsupportedError(
            "GET TIME VALUE is supported for measure 0, relative to 0 (now) or 1 (start) only"
        )
    return call("add", Time() if relative == 0 else Reference("initial_time"), offset)


ZERO, ONE = Number(0.0), Number(1.0)

FORMULAS: Mapping[str, tuple[tuple[int, ...], Callable[..., Expression]]] = {
    "log": ((2,), lambda x, base: call("divide", call("ln", x), call("ln", base))),
    "pi": ((0,), lambda: Number(pi)),
    "quantum": ((2,), _quantum),
    "modulo": ((2,), lambda x, m: call("subtract", x, _quantum(x, m))),
    "zidz": ((2,), lambda a, b: xidz(a, b, ZERO)),
    "xidz": ((3,), xidz),
    "step": ((2,), _step),
    "ramp": ((2, 3), _ramp),
    "Xramp": ((2,), _ramp),
    "pulse": ((2,), _pulse),
    "pulse_train": ((4,), _pulse_train),
    "Xpulse": ((2,), _xmile_pulse),
    "Xpulse_train": ((3,), _xmile_pulse_train),
    "active_initial": ((2,), lambda x, start: call("active_initial", x, start)),
}
"""Functions written out as PySD computes them: allowed numbers of arguments, and the formula."""

DIRECT = {
    *("min", "max", "abs", "exp", "ln", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh", "integer", "power", "if_then_else"),
}
"""Functions of the registry a model may call by their own name."""
