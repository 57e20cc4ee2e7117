"""Every equation of a model against the units of its variables: all that does not fit, at once.

A variable of the model file has the unit its file gives; without one it fits anywhere. What translation
adds (the memory of a delay, the inside of a macro) gets its unit from its equation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sdopt.checks.unit_rules import Rule, UnitRules, is_written
from sdopt.checks.unit_text import Unit, Units, over, times
from sdopt.checks.wording import part_text
from sdopt.equations.expression import Call, Expression, Number
from sdopt.equations.system import EquationSystem, Variable
from sdopt.equations.time_grid import CONTROLS
from sdopt.errors import closest
from sdopt.source_model.syntax import canonical

_ELEMENTS = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Finding:
    """Something in an equation that does not fit: where, the unit found, the one expected, what to do.

    `elements` is the number of elements of the array where the same was found; 1 without an array.
    """

    variable: str
    part: str
    found: str
    expected: str
    advice: str
    elements: int = 1

    def sentence(self) -> str:
        """The finding without its variable."""
        more = f" (so in {self.elements} elements)" if self.elements > 1 else ""
        return f'"{self.part}" is in {self.found}, expected {self.expected}{more}: {self.advice}.'


@dataclass(frozen=True)
class UnitReport:
    """What came of it: errors, warnings, how many equations were checked, and who has no unit."""

    errors: tuple[Finding, ...]
    warnings: tuple[str, ...]
    checked: int
    without: tuple[str, ...]


def check_units(system: EquationSystem, units: Units) -> UnitReport:
    """Check the units of every equation; `units` reads and writes them."""
    return _Check(system, units).report()


class _Check:
    """One check of a model: units by key, and what was found so far."""

    def __init__(self, system: EquationSystem, units: Units) -> None:
        self.system, self.units = system, units
        self._known: dict[str, Unit | None] = {}
        self._errors: dict[tuple[str, ...], tuple[Finding, set[str]]] = {}
        self._warnings: dict[str, None] = {}
        self.time = self._time()
        for key, variable in system.variables.items():
            if variable.hidden:
                self._unit(key)  # in the order they were made: each after what it is made of

    def report(self) -> UnitReport:
        """Check all there is."""
        for variable in self.system.variables.values():
            self._check_text(variable)
            self._check(variable)
        visible = self.system.visible.values()
        errors = (replace(first, elements=len(keys)) for first, keys in self._errors.values())
        return UnitReport(
            tuple(dict.fromkeys(errors)),
            tuple(self._warnings),
            sum(1 for v in visible if v.unit and v.kind != "constant"),
            tuple(v.name for v in visible if not v.unit),
        )

    def _time(self) -> Unit | None:
        try:
            return self.units.read(self.system.time.unit)
        except ValueError:
            self._unreadable("TIME STEP", "TIME STEP", self.system.time.unit)
            return None

    def _check_text(self, variable: Variable) -> None:
        if not variable.hidden:
            try:
                self.units.read(variable.unit)
            except ValueError:
                self._unreadable(variable.key, variable.parts[0], variable.unit)

    def _check(self, variable: Variable) -> None:
        """The equation of a variable, and of a stock its start."""
        rules = self._rules(variable, silent=False)
        unit = self._unit(variable.key)
        if variable.kind != "stock":
            rules.expect(variable.expression, unit)
            return
        rules.expect(variable.expression, unit if variable.assigned else over(unit, self.time))
        if variable.initial is not None and not _is_loose(variable):
            rules.expect(variable.initial, unit)
        if variable.delay is not None:
            rules.expect(variable.delay, self.time)

    def _rules(self, variable: Variable, *, silent: bool) -> UnitRules:
        def complain(rule: Rule, part: Expression, found: Unit, expected: Unit) -> None:
            if not silent:
                self._note(variable, rule, part, found, expected)

        return UnitRules(self._unit, self.units, self.time, complain)

    def _unit(self, key: str) -> Unit | None:
        """The unit of a variable or time setting, worked out once; None when there is none, or not yet."""
        if key not in self._known:
            self._known[key] = None
            variable = self.system.variables.get(key)
            if variable is None:
                self._known[key] = self.time if key in CONTROLS else None
            else:
                self._known[key] = self._stated(variable) if variable.unit else self._inferred(variable)
        return self._known[key]

    def _stated(self, variable: Variable) -> Unit | None:
        """The unit a file gives; inside a macro a word may be a parameter, and stands for its unit."""
        try:
            if not variable.hidden:
                return self.units.read(variable.unit)
            prefix = variable.key.rpartition(".")[0] + "."
            words = re.split(r"[*/()^]", variable.unit)
            given = {w.strip().casefold(): prefix + canonical(w.strip()) for w in words}
            return self.units.read_with(
                variable.unit,
                {w: self._unit(key) for w, key in given.items() if key in self.system.variables},
            )
        except ValueError:
            return None

    def _inferred(self, variable: Variable) -> Unit | None:
        """The unit of a hidden variable, from its equation or start."""
        if not variable.hidden:
            return None
        rules = self._rules(variable, silent=True)
        if variable.initial is not None and not _is_loose(variable):
            unit = rules.unit(variable.initial)
            if unit is not None:
                return unit
        if is_written(variable.expression):
            return None
        unit = rules.unit(variable.expression)
        return times(unit, self.time) if variable.kind == "stock" and not variable.assigned else unit

    def _note(self, variable: Variable, rule: Rule, part: Expression, found: Unit, expected: Unit) -> None:
        owner = self.system.variables.get(variable.key.partition("#")[0], variable)
        text, name = part_text(part, self.system.variables), owner.parts[0]
        if rule == "lookup input":
            self._warn(name, _ELEMENTS.sub("", text), found)
            return
        if rule == "lookup unit":
            self._unreadable(owner.key, name, text)
            return
        units = self.units.show(found), self.units.show(expected)
        finding = Finding(name, text, *units, self._advice(variable, rule, found, expected))
        # The stages of one delay differ in their numbers only, elements of an array in their names.
        place = variable.kind if variable.hidden else _ELEMENTS.sub("", text)
        self._errors.setdefault((name, place, *units), (finding, set()))[1].add(owner.key)

    def _warn(self, name: str, text: str, found: Unit) -> None:
        self._warnings[
            f'"{name}": the input "{text}" of a lookup is in {self.units.show(found)}; divide it by a '
            "reference value, so that the lookup holds in any unit"
        ] = None

    def _advice(self, variable: Variable, rule: Rule, found: Unit, expected: Unit) -> str:
        if variable.hidden and variable.kind == "stock" and rule in ("equation", "terms"):
            time = "the time unit" if self.time is None else self.units.show(self.time)
            return f"the time of a delay or smooth must be in {time}, its input and initial value in one unit"
        if rule == "number":
            return f"make the number a constant of the model, in {self.units.show(expected)}"
        if rule == "function":
            return (
                f"this function takes a number without unit: divide by a constant in {self.units.show(found)}"
            )
        if rule == "power":
            return (
                "a power takes numbers without unit, unless the exponent is written as a whole number or root"
            )
        factor = self.units.show(expected / found)
        same = self._twins(found, expected)
        return f"correct a unit, or multiply by a constant in {factor}{same}"

    def _twins(self, found: Unit, expected: Unit) -> str:
        """A question when the units differ in words that look alike."""
        factor = expected / found
        for word in (w for w, power in factor.items() if power > 0):
            other = closest(word, [w for w, power in factor.items() if power < 0])
            if other is not None:
                one, two = (self.units.word(w) for w in (other, word))
                return f' (or are "{one}" and "{two}" one unit? Write it one way)'
        return ""

    def _unreadable(self, key: str, name: str, text: str) -> None:
        expected = "a product of words such as EUR/Person/Year"
        finding = Finding(name, text, "no readable unit", expected, "correct the unit in the model file")
        self._errors.setdefault((name, text), (finding, set()))[1].add(key)


def _is_loose(variable: Variable) -> bool:
    """Whether the start of a hidden stock is a written number, of a delay that number times its length."""
    match variable.initial:
        case Call("multiply", (start, _)) if variable.hidden:
            return is_written(start)
        case Number():
            return True
    return False
