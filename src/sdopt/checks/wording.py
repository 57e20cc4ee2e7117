"""Part of an equation as text, as a model file writes it."""

from __future__ import annotations

from collections.abc import Mapping

from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.system import Variable

OPERATORS = {
    "or": (1, ":OR:"),
    "and": (1, ":AND:"),
    "equal": (2, "="),
    "not_equal": (2, "<>"),
    "less": (2, "<"),
    "less_equal": (2, "<="),
    "greater": (2, ">"),
    "greater_equal": (2, ">="),
    "add": (3, "+"),
    "subtract": (3, "-"),
    "multiply": (4, "*"),
    "divide": (4, "/"),
    "power": (6, "^"),
}
"""How strongly each binds, and its sign."""
NEGATIVE = 5
LONGEST = 100
"""Characters of a part that are shown."""


def part_text(expression: Expression, variables: Mapping[str, Variable]) -> str:
    """An expression as text, cut in the middle when long; inputs of delays are written out again."""
    text = _text(expression, variables, 0)
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def _text(expression: Expression, variables: Mapping[str, Variable], within: int) -> str:
    """The text, in brackets when what is around it (`within`) binds more strongly."""
    match expression:
        case Number(value):
            return _bracketed(f"{value:.15g}", value < 0 and within > 0)
        case Time():
            return "Time"
        case Reference(key):
            return _name(key, variables, within)
        case Lookup(_, _, argument):
            return f"lookup({_text(argument, variables, 0)})"
        case Call():
            return _call_text(expression, variables, within)


def _call_text(call: Call, variables: Mapping[str, Variable], within: int) -> str:
    match call:
        case Call(name, (a, b)) if name in OPERATORS:
            strength, sign = OPERATORS[name]
            # :AND: and :OR: side by side are refused: within one another they get brackets.
            around = strength + 1 if name in ("and", "or") else strength
            right = _text(b, variables, around + (name in ("subtract", "divide")))
            return _bracketed(f"{_text(a, variables, around)} {sign} {right}", strength < within)
        case Call("negative", (a,)):
            return _bracketed(f"-{_text(a, variables, NEGATIVE)}", within >= NEGATIVE)
        case Call("not", (a,)):
            return f":NOT: {_text(a, variables, NEGATIVE)}"
    written = ", ".join(_text(argument, variables, 0) for argument in call.arguments)
    return f"{call.function.upper().replace('_', ' ')}({written})"


def _name(key: str, variables: Mapping[str, Variable], within: int) -> str:
    variable = variables.get(key)
    if variable is None:  # a time setting
        return key.upper().replace("_", " ")
    if variable.hidden and variable.kind == "auxiliary" and not variable.unit:
        return _text(variable.expression, variables, within)
    return variable.name


def _bracketed(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
