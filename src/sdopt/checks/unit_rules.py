"""Which unit an expression has, and where units in it do not fit: one rule per function.

A written number has no unit, but 0 (and what Vensim takes for 0) fits beside anything, and any number
fits beside a time (`Time > 2030`) and where it is all an equation, or one outcome of its IF, gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf
from typing import Literal

from sdopt.checks.unit_text import DIMENSIONLESS, Unit, Units, over, raised, times
from sdopt.equations.constant_value import evaluate
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time

Rule = Literal["equation", "terms", "number", "function", "power", "lookup input", "lookup unit"]
Complain = Callable[[Rule, Expression, Unit, Unit], None]
"""Takes the rule, the part, the unit that was found and the one that was expected."""
Terms = Sequence[Expression]

SMALL = 1e-6
"""What Vensim takes for zero: the guard of ZIDZ, QUANTUM and the like."""
LARGEST_ROOT = 12
"""A power with a larger denominator is not taken for a root."""
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
LOGIC = ("and", "or", "not")
TAKES_NUMBERS = (
    *("exp", "ln", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh"),
)
SUMS = ("add", "subtract", "negative")


class UnitRules:
    """Goes through expressions; `unit_of` gives the unit of a variable, `time` is that of the time."""

    def __init__(
        self, unit_of: Callable[[str], Unit | None], units: Units, time: Unit | None, complain: Complain
    ) -> None:
        self.unit_of, self.units, self.time, self.complain = unit_of, units, time, complain

    def expect(self, expression: Expression, expected: Unit | None) -> None:
        """Complain of what does not fit in an equation, and of every part that lacks the unit expected."""
        if is_written(expression):
            self.unit(expression)
            return
        match expression:
            case Call("if_then_else", (condition, *outcomes)):
                self.unit(condition)
                for outcome in outcomes:
                    self.expect(outcome, expected)
            case Call("initial" | "active_initial", arguments):
                for argument in arguments:
                    self.expect(argument, expected)
            case Call(name) if name in (*SUMS, "min", "max"):
                self._compare("equation", _terms(expression), expected, expression)
            case _:
                self._compare("equation", [expression], expected)

    def unit(self, expression: Expression) -> Unit | None:
        """The unit of an expression; None when something in it has none, or was complained of."""
        match expression:
            case Number(_, power):
                return raised(self.time, Fraction(power))
            case Time():
                return self.time
            case Reference(key):
                return self.unit_of(key)
            case Lookup():
                return self._lookup(expression)
            case Call(name, arguments):
                return RULES.get(name, UnitRules._equal)(self, name, arguments)

    def _product(self, name: str, arguments: Terms) -> Unit | None:
        a, b = (self.unit(argument) for argument in arguments)
        return times(a, b) if name == "multiply" else over(a, b)

    def _power(self, name: str, arguments: Terms) -> Unit | None:
        base, exponent = arguments
        root = _root(exponent)
        if root is not None:
            return raised(self.unit(base), root)
        self._compare("power", arguments, DIMENSIONLESS)
        return DIMENSIONLESS

    def _square_root(self, name: str, arguments: Terms) -> Unit | None:
        return raised(self.unit(arguments[0]), Fraction(1, 2))

    def _kept(self, name: str, arguments: Terms) -> Unit | None:
        return self.unit(arguments[0])

    def _number(self, name: str, arguments: Terms) -> Unit | None:
        self._compare("function", arguments, DIMENSIONLESS)
        return DIMENSIONLESS

    def _comparison(self, name: str, arguments: Terms) -> Unit | None:
        self._equal(name, arguments)
        return DIMENSIONLESS

    def _logic(self, name: str, arguments: Terms) -> Unit | None:
        for argument in arguments:
            self.unit(argument)
        return DIMENSIONLESS

    def _choice(self, name: str, arguments: Terms) -> Unit | None:
        self.unit(arguments[0])
        return self._equal(name, arguments[1:])

    def _sum(self, name: str, arguments: Terms) -> Unit | None:
        return self._equal(name, _terms(Call(name, tuple(arguments))))

    def _equal(self, name: str, arguments: Terms) -> Unit | None:
        """The unit that all terms have: the most usual one of those that are no written number."""
        units = [self.unit(term) for term in arguments]
        named = [u for u, term in zip(units, arguments, strict=True) if not is_written(term)]
        known = Counter(unit for unit in named if unit is not None)
        if not known:
            return None if named else DIMENSIONLESS
        expected = known.most_common(1)[0][0]
        if self.time is not None and self.time in known and Time() in arguments:
            expected = self.time
        return expected if self._all_fit("terms", arguments, units, expected) else None

    def _lookup(self, lookup: Lookup) -> Unit | None:
        found = self.unit(lookup.argument)
        if found is not None and found not in (DIMENSIONLESS, self.time):
            self.complain("lookup input", lookup.argument, found, DIMENSIONLESS)
        try:
            return self.units.read(lookup.unit)
        except ValueError:
            self.complain("lookup unit", lookup, DIMENSIONLESS, DIMENSIONLESS)
            return None

    def _compare(
        self, rule: Rule, terms: Terms, expected: Unit | None, whole: Expression | None = None
    ) -> None:
        """Complain of every term without the unit expected; once, of `whole`, when all have one other."""
        units = [self.unit(term) for term in terms]
        others = {u for u, term in zip(units, terms, strict=True) if not is_written(term)}
        other = others.pop() if len(others) == 1 else None
        if expected is None:
            self._equal("", terms)
        elif whole is None or other in (None, expected) or self._misfits(terms, units, other):
            self._all_fit(rule, terms, units, expected)
        else:
            self.complain(rule, whole, other, expected)

    def _all_fit(self, rule: Rule, terms: Terms, units: Sequence[Unit | None], expected: Unit) -> bool:
        wrong = self._misfits(terms, units, expected)
        for term, unit in wrong:
            self.complain("number" if is_written(term) else rule, term, unit, expected)
        return not wrong

    def _misfits(
        self, terms: Terms, units: Sequence[Unit | None], expected: Unit
    ) -> list[tuple[Expression, Unit]]:
        """Terms that have another unit, and do not adapt."""
        return [
            (term, unit)
            for term, unit in zip(terms, units, strict=True)
            if unit is not None and unit != expected and not self._adapts(term, expected)
        ]

    def _adapts(self, term: Expression, expected: Unit) -> bool:
        """Whether a term is a number that fits beside this unit."""
        zero = isinstance(term, Number) and not SMALL < abs(term.value) < inf
        return zero or (expected == self.time and is_written(term))


RULES: dict[str, Callable[[UnitRules, str, Terms], Unit | None]] = {
    **dict.fromkeys(("multiply", "divide"), UnitRules._product),
    **dict.fromkeys(SUMS, UnitRules._sum),
    **dict.fromkeys(COMPARISONS, UnitRules._comparison),
    **dict.fromkeys(LOGIC, UnitRules._logic),
    **dict.fromkeys(TAKES_NUMBERS, UnitRules._number),
    **dict.fromkeys(("abs", "integer", "initial"), UnitRules._kept),
    "if_then_else": UnitRules._choice,
    "power": UnitRules._power,
    "sqrt": UnitRules._square_root,
}
"""The rule of each function; those that are not listed (MIN, MAX, remainder) take and give one unit."""


def is_written(expression: Expression) -> bool:
    """Whether all that an expression gives are written numbers, whatever they are chosen by."""
    match expression:
        case Number(_, power):
            return power == 0
        case Call("if_then_else", (_, *outcomes)):
            return all(is_written(outcome) for outcome in outcomes)
        case Call("multiply", (Call("multiply", (_, Number(_, -1))), _)) | Call(
            "divide", (Number(_, 0), Reference("time_step"))
        ):
            return True  # RAMP with a written slope, XMILE's PULSE with a written height
        case Call(name, arguments):
            truth = name in (*COMPARISONS, *LOGIC)
            return truth or all(is_written(argument) for argument in arguments)
    return False


def _terms(expression: Expression) -> list[Expression]:
    """What a sum adds and subtracts, or what MIN or MAX chooses from; without recursion, as sums are long."""
    outer = expression.function if isinstance(expression, Call) else ""
    found, waiting = [], [expression]
    while waiting:
        match waiting.pop():
            case Call(name, arguments) if name in (SUMS if outer in SUMS else (outer,)):
                waiting += reversed(arguments)
            case term:
                found.append(term)
    return found


def _root(exponent: Expression) -> Fraction | None:
    """A written exponent as a fraction such as 2 or 1/3, None when it is another number or no number."""
    if not is_written(exponent) or not _is_arithmetic(exponent):
        return None
    value = evaluate(exponent, {})
    fraction = Fraction(value).limit_denominator(LARGEST_ROOT) if abs(value) < inf else None
    return fraction if fraction is not None and abs(fraction - value) < 1e-9 else None


def _is_arithmetic(expression: Expression) -> bool:
    match expression:
        case Number():
            return True
        case Call("add" | "subtract" | "multiply" | "divide" | "negative", arguments):
            return all(_is_arithmetic(argument) for argument in arguments)
    return False
