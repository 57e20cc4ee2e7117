"""Expressions as instructions on a tape, at the start and at one moment of a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.functions import FUNCTIONS, Function
from sdopt.equations.lookups import lookup_function
from sdopt.equations.tape import Tape


@dataclass(frozen=True)
class Moment:
    """Where values are at one moment: registers of variables and settings by key, and of the time."""

    registers: Mapping[str, int]
    time: int
    at_start: bool = False


@dataclass
class Flattener:
    """Writes expressions on a tape; `start` is where the starting values are."""

    tape: Tape
    start: Moment
    lookups: dict[Lookup, Function] = field(default_factory=dict)

    def flatten(self, expression: Expression, at: Moment) -> int:
        """The register that holds the value of an expression at a moment.

        Without recursion: a sum over a long array is as deep as it is long.
        """
        found: list[int] = []
        waiting: list[tuple[Expression, Moment] | tuple[Function, int]] = [(expression, at)]
        while waiting:
            match waiting.pop():
                case (Function() as function, int(count)):
                    arguments = tuple(found[len(found) - count :])
                    found[len(found) - count :] = [self.tape.apply(function, arguments)]
                case (Number(value), _):
                    found.append(self.tape.constant(float(value)))
                case (Time(), Moment() as moment):
                    found.append(moment.time)
                case (Reference(key), Moment() as moment):
                    found.append(moment.registers[key])
                case (Call() | Lookup() as node, Moment() as moment):
                    waiting += self._parts(node, moment)
        return found[0]

    def _parts(
        self, node: Call | Lookup, at: Moment
    ) -> Iterator[tuple[Expression, Moment] | tuple[Function, int]]:
        """What to do for a function: apply it last, its arguments first (the last of the list is next)."""
        match node:
            case Call("initial", (argument,)):
                yield argument, self.start
            case Call("active_initial", (later, start)):
                yield (start if at.at_start else later), at
            case Call(name, arguments):
                yield FUNCTIONS[name], len(arguments)
                for argument in reversed(arguments):
                    yield argument, at
            case Lookup(_, _, argument):
                yield self._table(node), 1
                yield argument, at

    def _table(self, lookup: Lookup) -> Function:
        """One function per graph, so that the same graph of the same argument is one instruction."""
        table = Lookup(lookup.x, lookup.y, Number(0.0), lookup.kind)
        if table not in self.lookups:
            self.lookups[table] = lookup_function(lookup.x, lookup.y, lookup.kind)
        return self.lookups[table]
