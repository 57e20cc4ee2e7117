"""A decision that follows a model variable: its constant becomes an equation with two constants of its own.

In every period the decision is `level + response * signal`, kept within its bounds; the signal is the
relative difference between the variable and its reference when the period begins, in widths. A hidden stock
holds the outcome until the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Number, Reference
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import FormError
from sdopt.problem.decisions import NO_COLUMN, DecisionPath

Floats = NDArray[np.float64]

PARTS = ("level", "response", "reference", "scale", "begins", "holds", "given")
"""What the equation of such a decision refers to beside the variable that it follows."""


def part_key(decision: str, part: str) -> str:
    """Key of a part of the equation for the decision with some key; no model has a colon in a key."""
    return f"{decision}: {part}"


@dataclass(frozen=True)
class Follower:
    """One decision with the variable that it follows, and what it is compared with.

    `reference` has shape (period,), in the order of the decision's periods. `width` is a relative difference
    that counts as one: with it, a response is in the unit of the decision and of its size.
    """

    path: DecisionPath
    followed: Variable
    reference: Floats
    width: float = 1.0

    @property
    def scale(self) -> Floats:
        """What a difference is multiplied with, (period,)."""
        return np.asarray(1.0 / (np.abs(self.reference) * self.width))

    def signal(self, values: Floats) -> Floats:
        """Difference from the reference per period, in widths, from values (time,) of the variable."""
        return np.asarray((values[beginnings(self.path)] - self.reference) * self.scale)

    def spending(self, level: float, response: float, signal: Floats) -> Floats:
        """What the rule gives per period: (period,)."""
        return np.clip(level + response * signal, *self.path.rule.bounds)

    def schedule(self) -> dict[str, Floats]:
        """The parts that are known beforehand, over the time grid: key -> (time,)."""
        begins, places = np.zeros(len(self.path.column)), beginnings(self.path)
        begins[places] = 1.0
        chosen = np.where(self.path.column != NO_COLUMN, 1.0, 0.0)
        reference, scale = np.zeros_like(begins), np.zeros_like(begins)
        reference[places], scale[places] = self.reference, self.scale
        parts = {
            "reference": reference,
            "scale": scale,
            "begins": begins,
            "holds": chosen - begins,
            "given": (1.0 - chosen) * self.path.null,
        }
        return {part_key(self.path.key, part): values for part, values in parts.items()}


def beginnings(path: DecisionPath) -> NDArray[np.intp]:
    """Grid index at which every period of a decision begins, (period,)."""
    periods = np.arange(path.first_column, path.first_column + path.periods)
    return np.asarray(np.argmax(path.column[None] == periods[:, None], axis=1))


def follower(path: DecisionPath, followed: Variable, null: Floats, relative_to: str) -> Follower:
    """A decision that follows a variable with values `null` (time,) in the null alternative.

    Raises
    ------
    OptimisationError
        When the variable is zero there, so that no difference is relative to it.
    """
    at = null[beginnings(path)]
    reference = at if relative_to == "null_alternative" else np.full_like(at, at[0])
    if not np.all(np.abs(reference) > 0):
        raise FormError(
            "nothing_relative",
            followed.name,
            f'"{followed.name}" is 0 in the null alternative, so nothing can be relative to it; let '
            f"{path.id} follow another variable.",
        )
    return Follower(path, followed, reference)


def with_followers(system: EquationSystem, pairs: Sequence[tuple[DecisionPath, Variable]]) -> EquationSystem:
    """The same system, in which decisions follow variables.

    Raises
    ------
    ModelError
        When a variable depends on the decision that follows it without a stock between them.
    """
    variables = dict(system.variables)
    for path, followed in pairs:
        variables |= _equations(variables[path.key], path, followed)
    return replace(
        system,
        variables=variables,
        order=calculation_order(variables),
        initial_order=starting_order(variables),
    )


def check_order(
    system: EquationSystem, pairs: Sequence[tuple[Variable, Variable]], *, at_start: bool
) -> None:
    """See whether the first variable of every pair can follow the second one, also in a model's `at_start`.

    Raises
    ------
    ModelError
        When a variable depends on what follows it without a stock between them.
    """
    initial = None if at_start else Number(0.0)
    variables = dict(system.variables)
    for decision, followed in pairs:
        rule = replace(decision, kind="auxiliary", expression=Reference(followed.key), initial=initial)
        variables[decision.key] = rule
    calculation_order(variables)
    starting_order(variables)


def _equations(decision: Variable, path: DecisionPath, followed: Variable) -> Mapping[str, Variable]:
    """The decision as an auxiliary, the stock that holds it within a period, and its constants."""
    part = {name: Reference(part_key(decision.key, name)) for name in (*PARTS, "held")}
    held = replace(
        decision, key=part["held"].key, name=part["held"].key, kind="stock", hidden=True, assigned=True,
        expression=Reference(decision.key), initial=Number(0.0),
    )  # fmt: skip
    # Before the first period stocks may start from the decision, which is then what it is today.
    initial = part["given"] if path.column[0] == NO_COLUMN else None
    constants = {
        part[name].key: replace(
            decision, key=part[name].key, name=part[name].key, hidden=True, expression=Number(0.0)
        )
        for name in PARTS
    }
    rule = replace(decision, kind="auxiliary", expression=_rule(part, path, followed), initial=initial)
    return {**constants, held.key: held, decision.key: rule}


def _rule(part: Mapping[str, Expression], path: DecisionPath, followed: Variable) -> Expression:
    low, high = (Number(bound) for bound in path.rule.bounds)
    difference = Call("subtract", (Reference(followed.key), part["reference"]))
    signal = Call("multiply", (difference, part["scale"]))
    wanted = Call("add", (part["level"], Call("multiply", (part["response"], signal))))
    spending = Call("min", (Call("max", (wanted, low)), high))
    begins = Call("multiply", (part["begins"], spending))
    holds = Call("multiply", (part["holds"], part["held"]))
    return Call("add", (part["given"], Call("add", (begins, holds))))
