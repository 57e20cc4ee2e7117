"""The shortest time constant of a model, as far as it can be read off, to compare the time step with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sdopt.checks.unit_text import DIMENSIONLESS, Unit, Units
from sdopt.equations.constant_value import evaluate
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference
from sdopt.equations.system import EquationSystem, Variable


@dataclass(frozen=True, order=True)
class TimeConstant:
    """A time, in the unit of the model, and the constant (or variable with the delay) it comes from."""

    time: float
    name: str


def shortest_time_constant(system: EquationSystem, units: Units) -> TimeConstant | None:
    """The shortest T of every x / T and 1 / rate of every x * rate; None when there is none.

    T and rate are constants in the unit of time, or per that unit, or the written time of a delay; of a
    delay or smooth it is the time of one stage.
    """
    found = (constant for v in system.variables.values() for constant in _in_equation(v, system, units))
    return min(found, default=None)


def _in_equation(variable: Variable, system: EquationSystem, units: Units) -> Iterator[TimeConstant]:
    time, stages = _unit(system.time.unit, units), _stages(variable)
    for part, is_divisor in _factors(variable.expression):
        match part:
            case Number(value, time_power=1) if is_divisor:
                owner = system.variables.get(variable.key.partition("#")[0], variable)
                yield TimeConstant(value / stages, owner.name)
            case Reference(key) if time is not None and key in system.variables:
                constant = system.variables[key]
                value = evaluate(constant.expression, {}) if constant.kind == "constant" else 0.0
                unit = _unit(constant.unit, units)
                if value > 0 and unit == (time if is_divisor else DIMENSIONLESS / time):
                    yield TimeConstant((value if is_divisor else 1 / value) / stages, constant.name)


def _unit(text: str, units: Units) -> Unit | None:
    try:
        return units.read(text)
    except ValueError:
        return None


def _stages(variable: Variable) -> float:
    """Into how many stages the time of a delay or smooth is divided; 1 for other variables."""
    if variable.hidden and variable.kind == "stock":
        match variable.expression:
            case Call("multiply", (_, Number(stages))) | Call(
                "divide", (Call("multiply", (_, Number(stages))), _)
            ):
                return stages
    return 1.0


def _factors(expression: Expression) -> Iterator[tuple[Expression, bool]]:
    """Every factor and divisor in an expression, without its sign, and whether it is a divisor."""
    waiting = [expression]
    while waiting:
        match waiting.pop():
            case Call(name, arguments):
                waiting += arguments
                if name in ("multiply", "divide"):
                    a, b = (_unsigned(argument) for argument in arguments)
                    yield from ((a, False), (b, name == "divide"))
            case Lookup(_, _, argument):
                waiting.append(argument)


def _unsigned(expression: Expression) -> Expression:
    match expression:
        case Call("negative", (argument,)):
            return argument
    return expression
