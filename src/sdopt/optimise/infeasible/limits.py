"""Every limit of a question, year by year, in the config's own words, and its rows over the decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sdopt.optimise.archive import Archive, Floats
from sdopt.problem.build import Problem
from sdopt.problem.limits import ModelConstraint
from sdopt.problem.rules import Rule

SMALLEST = 1e-9
"""A limit and a null value both below this are zero: the limit is then measured in plain units."""


@dataclass(frozen=True)
class Limit:
    """What one entry of the config asks in one year: `sign * value <= sign * limit`.

    entry : its name in the config; `size` : what a relaxation is relative to, in `unit`
    limit : as the config has it, or worked out from the null alternative
    weights : (decision,), so that `weights @ decisions <= sign * limit`; None for a limit on the model
    constraints : positions in `problem.constraints` (several when it holds at every step)
    share : how a change limit is written, such as 30%; "" for all others
    bound : whether it is a bound of one decision
    """

    entry: str
    year: int
    sense: str
    limit: float
    sign: float
    unit: str
    size: float
    weights: Floats | None = None
    constraints: tuple[int, ...] = ()
    share: str = ""
    bound: bool = False

    @property
    def linear(self) -> bool:
        """Whether it is exactly linear in the decisions."""
        return self.weights is not None

    @property
    def same_entry(self) -> tuple[str, str]:
        """Equal for the years of one entry of the config."""
        return self.entry, self.sense

    def relaxed(self, amount: float) -> Limit:
        """The same with more room, in `unit`."""
        return replace(self, limit=self.limit + self.sign * amount)


def all_limits(problem: Problem) -> list[Limit]:
    """Limits on the model, then rules, then bounds: the order in which they are left out if possible."""
    return [*_on_model(problem), *_rules(problem), *_bounds(problem)]


def _on_model(problem: Problem) -> Iterator[Limit]:
    groups: dict[tuple[str, int | None, str], list[int]] = {}
    for position, one in enumerate(problem.constraints):
        groups.setdefault((one.functional.name, one.functional.year, one.sense), []).append(position)
    for positions in groups.values():
        first = problem.constraints[positions[0]]
        same = {(problem.constraints[k].limit, problem.constraints[k].scale) for k in positions}
        if len(same) == 1:
            yield _on_model_at(first, tuple(positions))
        else:  # relative to the null alternative, which differs from step to step
            yield from (_on_model_at(problem.constraints[k], (k,)) for k in positions)


def _on_model_at(one: ModelConstraint, positions: tuple[int, ...]) -> Limit:
    name, year, unit = one.functional.name, int(one.functional.year or 0), one.functional.unit
    return Limit(name, year, one.sense, one.limit, one.sign, unit, one.scale, constraints=positions)


def _rules(problem: Problem) -> Iterator[Limit]:
    null = problem.decisions.null_vector()
    for rule in problem.rules:
        limit = rule.sign * rule.limit
        size = _size(limit, float(np.abs(rule.weights) @ np.abs(null)))
        yield Limit(
            *(rule.name, rule.year, rule.sense, limit, rule.sign, rule.unit, size),
            weights=rule.weights,
            share=_share(problem, rule),
        )


def _share(problem: Problem, rule: Rule) -> str:
    """How the config writes a change limit; "" for a rule between decisions."""
    for path in problem.decisions.paths:
        for kind, change in (("rise", path.rule.largest_rise), ("fall", path.rule.largest_fall)):
            if change is not None and rule.name == f"{path.id}: largest {kind}":
                return change if isinstance(change, str) else f"{change:g} {path.unit}"
    return ""


def _bounds(problem: Problem) -> Iterator[Limit]:
    decisions = problem.decisions
    null = decisions.null_vector()
    units = {path.id: path.unit for path in decisions.paths}
    for k, (name, year) in enumerate(decisions.labels()):
        unit = units.get(name, "")  # the start of a programme has none
        for sense, bounds, sign in (
            ("at_least", decisions.lower(), -1.0),
            ("at_most", decisions.upper(), 1.0),
        ):
            limit = float(bounds[k])
            yield Limit(
                *(f"{name}: bounds", year, sense, limit, sign, unit, _size(limit, float(null[k]))),
                weights=sign * np.eye(1, decisions.size, k)[0],
                bound=True,
            )


def _size(limit: float, null: float) -> float:
    size = max(abs(limit), abs(null))
    return size if size > SMALLEST else 1.0


@dataclass(frozen=True)
class Rows:
    """Rows `weights @ scaled decisions <= limits`, each with the position of the limit it belongs to.

    Decisions are divided by their `reach` (largest absolute bound) and rows by their `scale`, so that
    all numbers are about one. `relief` is by how much one unit of the limit's `size` moves the row.
    """

    weights: Floats
    limits: Floats
    owner: Floats
    relief: Floats
    reach: Floats


def rows_of(problem: Problem, archive: Archive, limits: list[Limit]) -> Rows:
    """The rows of linear limits, and the tangents that the archive has of limits on the model."""
    reach = np.maximum(
        np.maximum(np.abs(problem.decisions.lower()), np.abs(problem.decisions.upper())), 1e-12
    )
    parts = [(k, *_rows_of_one(problem, archive, limit)) for k, limit in enumerate(limits)]
    weights = np.concatenate([w for _, w, _ in parts]) * reach
    rights = np.concatenate([b for _, _, b in parts])
    owner = np.concatenate([np.full(len(b), k) for k, _, b in parts])
    scale = np.maximum(np.maximum(np.abs(weights).sum(axis=1), np.abs(rights)), 1e-12)
    sizes = np.array([limit.size for limit in limits])[owner]
    return Rows(weights / scale[:, None], rights / scale, owner, sizes / scale, reach)


def _rows_of_one(problem: Problem, archive: Archive, limit: Limit) -> tuple[Floats, Floats]:
    """Rows (row, decision) and right-hand sides (row,) in the unit of the limit."""
    if limit.weights is not None:
        return limit.weights[None], np.array([limit.sign * limit.limit])
    row = [problem.constraints[c].row for c in limit.constraints]
    values = limit.sign * archive.values[:, row].ravel()
    slopes = limit.sign * archive.gradients[:, row].reshape(len(values), -1)
    centres = np.repeat(archive.points, len(row), axis=0)
    return slopes, limit.sign * limit.limit - values + (slopes * centres).sum(axis=1)


def excess(problem: Problem, limits: list[Limit], point: Floats, values: Floats | None) -> Floats:
    """By how much a decision vector (decision,) breaks every limit, in its size: (limit,).

    `values` (functional,) are what the model gives there; None leaves limits on the model at -inf.
    """
    found = np.full(len(limits), -np.inf)
    for k, limit in enumerate(limits):
        if limit.weights is not None:
            found[k] = (limit.weights @ point - limit.sign * limit.limit) / limit.size
        elif values is not None:
            row = [problem.constraints[c].row for c in limit.constraints]
            found[k] = (limit.sign * (values[row] - limit.limit)).max() / limit.size
    return found
