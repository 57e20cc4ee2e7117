"""Which limits are broken, how often and how far, with an allocation and without; and which stocks run out.

A limit holds in the years that it was given for, and in no others. What comes later is told by the stocks
that are kept: whether they are used up at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.sweep.asked import CONFIDENCE, Asked
from sdopt.sweep.information import probability
from sdopt.sweep.statistics import quantiles

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ANY = ""
"""Name, in tables, of all limits together: at least one of them is broken."""
PASSED = {"passed_q50": 0.5, "passed_q90": 0.9}
"""How far a limit is passed where it is broken: at most this in half of those futures, and in nine of ten."""


def limit_table(asked: Asked) -> DataFrame:
    """How often and how far every limit on model variables is passed, in any of its years.

    allocation, external ("" for all together), limit ("" for any of them), broken (probability), broken_low
    and broken_high (95 % interval), null_broken (of the null alternative in the same futures), passed_q50
    and passed_q90 (in the futures that break it, by how much at the worst moment), unit, first_year,
    last_year and measure (when it holds)
    """
    import pandas as pd

    asked_of = _when(asked)
    rows = [
        {**some.named, "limit": limit, **_broken(some, limit_at), **asked_of[limit]}
        for some in _each(asked)
        for limit_at, limit in enumerate(asked_of)
    ]
    columns = ["allocation", "external", "limit", *_named("broken"), *PASSED]
    return pd.DataFrame(rows, columns=[*columns, "unit", "first_year", "last_year", "measure"])


def empty_table(asked: Asked) -> DataFrame:
    """How often a kept stock that starts above zero is used up at the end: zero, or less.

    allocation, external, variable, subscript, time, empty (probability), empty_low, empty_high, null_empty
    (of the null alternative in the same futures)
    """
    import pandas as pd

    plan, rows = asked.plan, []
    stocks = [(k, plan.problem.system.variables[key]) for k, key in enumerate(plan.outputs)]
    for some in _each(asked):
        for k, variable in stocks:
            if variable.kind == "stock":
                name, subscript = variable.parts
                at = {"variable": name, "subscript": subscript, "time": float(plan.times[-1])}
                rows.append({**some.named, **at, **some.chance("empty", asked.outcome.empty[:, k])})
    columns = ["allocation", "external", "variable", "subscript", "time", *_named("empty")]
    return pd.DataFrame(rows, columns=columns)


def _named(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high", f"null_{name}"]


@dataclass(frozen=True)
class _Some:
    """The runs of the allocation at `place` in some scenarios `inside` (scenario,), of which `known` gave a
    number; `weights` and `draws` are those inside.
    """

    asked: Asked
    place: int
    external: str
    inside: Flags
    weights: Floats
    draws: int

    @property
    def named(self) -> dict[str, str]:
        return {"allocation": self.asked.plan.names[self.place], "external": self.external}

    @property
    def known(self) -> Flags:
        return np.asarray(np.isfinite(self.asked.outcome.improvement[self.place]))

    def chance(self, name: str, yes: Flags) -> dict[str, float]:
        """How probable something (allocation, scenario) is, with its interval; and under the null."""
        known = self.known[self.inside]
        own, null = (
            probability(yes[at, self.inside], known, self.weights, self.draws, CONFIDENCE)
            for at in (self.place, 0)
        )
        return dict(zip(_named(name), (own.share, own.low, own.high, null.share), strict=True))


def _each(asked: Asked) -> list[_Some]:
    """Every allocation, in all scenarios together and in every external one."""
    worlds = [(name, inside, asked.sample.part(inside)) for name, inside in asked.worlds()]
    counted = [(name, inside, sample.weights, sample.count) for name, inside, sample in worlds]
    return [_Some(asked, place, *one) for place in range(len(asked.plan.names)) for one in counted]


def _broken(some: _Some, limit_at: int) -> dict[str, float]:
    """How often a limit is broken (0: any; 1: the first), and how far."""
    outcome, weights = some.asked.outcome, some.asked.plan.scenarios.weights
    if limit_at == 0:
        return some.chance("broken", outcome.any_broken)
    broken = outcome.broken[:, limit_at - 1]
    where = broken[some.place] & some.inside & some.known
    sizes = quantiles(outcome.passed[some.place, limit_at - 1, where], weights[where], [*PASSED.values()])
    return {**some.chance("broken", broken), **dict(zip(PASSED, sizes, strict=True))}


def _when(asked: Asked) -> dict[str, dict[str, Any]]:
    """By name of a limit its unit, and when it holds; first any of them. Empty without limits."""
    found: dict[str, dict[str, Any]] = {}
    for one in asked.plan.listed:
        years = one.constraint.years or asked.problem.config.decision_years
        when = {"first_year": years.first, "last_year": years.last, "measure": one.constraint.measure}
        found[one.functional.name] = {"unit": one.functional.unit, **when}
    if not found:
        return {}
    first, last = (
        min(one["first_year"] for one in found.values()),
        max(one["last_year"] for one in found.values()),
    )
    return {ANY: {"unit": "", "first_year": first, "last_year": last, "measure": ""}, **found}
