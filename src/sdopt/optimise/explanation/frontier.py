"""Return against another aim: for every level of that aim, the highest return that leaves room for it.

The epsilon-constraint method (Haimes 1971): the other aim becomes a limit that is tightened step by step,
and the return is maximised for each. Every point has its own proved bound; dominated points are marked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sdopt.config.explanation import TradeOff
from sdopt.config.units import amount_per_year
from sdopt.equations.program import compile_program
from sdopt.optimise.archive import SLACK_NOISE, Archive, Floats, View, tangent_excess
from sdopt.optimise.explanation.relaxation import Limits, limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question
from sdopt.problem.build import Problem
from sdopt.problem.evaluate import functional_matrix
from sdopt.problem.functionals import Functional, end_value, present_value
from sdopt.problem.limits import ModelConstraint
from sdopt.problem.meaning import resolve

POINTS = 7
"""Points of a frontier, both ends included."""
STARTS = 80
"""Evaluated allocations that are taken along."""
ROUNDS_ENDS, ROUNDS = 16, 20
NO_CONFLICT = 1e-4
"""Aims whose best allocations differ by less than this part of the aim's size do not conflict."""
DOMINATED = 1e-6
COLUMNS = (
    *("aim", "variable", "measure", "better", "point", "value", "value_unit", "improvement", "bound", "gap"),
    *("dominated", "settled", "unit"),
)
DECISIONS = ("aim", "point", "decision", "variable", "average", "unit")


@dataclass(frozen=True)
class Aim:
    """Another aim as a functional; `sign` 1 when higher is better, else -1; `key` is in the model."""

    label: str
    wish: TradeOff
    functional: Functional

    @property
    def sign(self) -> float:
        """1 when higher is better, -1 when lower is."""
        return 1.0 if self.wish.better == "higher" else -1.0


def aims_of(problem: Problem) -> list[Aim]:
    """The aims that the config lists; by default the cash perspectives of the ledger."""
    wishes = problem.config.explanation.frontier
    if wishes == "default":
        perspectives = () if problem.ledger is None else problem.ledger.perspectives
        wishes = tuple(
            TradeOff(variable=p.variable, label=p.name)
            for p in perspectives
            if p.cash_only and p.key is not None
        )
    return [Aim(wish.label or wish.variable, wish, _functional(problem, wish)) for wish in wishes]


def _functional(problem: Problem, wish: TradeOff) -> Functional:
    variable = resolve(wish.variable, problem.system)
    if variable is None:
        raise AssertionError("names were checked")
    config, times, key = problem.config, problem.grid.times, variable.key
    if wish.measure == "end":
        last = end_value(variable.name, key, config, times, variable.unit)
        return replace(last, weights={key: (last.weights[key] > 0).astype(float)})
    unit = amount_per_year(variable.unit) or f"{variable.unit}*Year"
    total = present_value(variable.name, key, config, times, unit)
    if wish.measure == "present_value":
        return total
    counted = (total.weights[key] > 0).astype(float)
    return replace(total, weights={key: counted / counted.sum()}, unit=variable.unit)


def frontier(desk: Desk, best: Question, progress: Callable[[], None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `frontier` and `frontier_decisions`; values are advice less null alternative.

    `dominated`: another point is at least as good for both; `settled`: the search could promise no more.
    """
    aims = aims_of(desk.view.problem)
    rows: list[tuple[object, ...]] = []
    decided: list[tuple[object, ...]] = []
    if aims and best.point is not None:
        problem = with_functionals(desk.view.problem, [aim.functional for aim in aims])
        archive = Archive(problem)
        archive.add(_starts(desk, best.point))
        first = len(problem.evaluator.functionals) - len(aims)
        for k, aim in enumerate(aims):
            points, more = _one(desk, problem, archive, aim, first + k, best, progress)
            rows += points
            decided += more
    return pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(decided, columns=list(DECISIONS))


def with_functionals(problem: Problem, more: list[Functional]) -> Problem:
    """The same problem with more functionals after its own."""
    functionals = (*problem.evaluator.functionals, *more)
    keys = tuple(dict.fromkeys(key for functional in functionals for key in functional.weights))
    program = compile_program(problem.system, problem.grid, keys, problem.decisions.keys)
    matrix = functional_matrix(functionals, keys, problem.grid.steps + 1)
    evaluator = replace(problem.evaluator, program=program, functionals=functionals, matrix=matrix)
    null = {key: path[:, None] for key, path in problem.decisions.null_paths().items()}
    return replace(problem, evaluator=evaluator, null_values=np.asarray(evaluator.measure_paths(null)[0]))


def _starts(desk: Desk, best: Floats) -> Floats:
    """The best allocation and others from the archive, evenly over their return."""
    desk.known.read(desk.archive)
    order = np.argsort(-desk.known.objective, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(STARTS, len(order))).astype(int))
    return np.vstack([best, desk.archive.points[order[places]]])


def _one(
    desk: Desk,
    problem: Problem,
    archive: Archive,
    aim: Aim,
    row: int,
    best: Question,
    progress: Callable[[], None],
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """One frontier: from the highest return to the best that the aim can have."""
    view = View(problem, desk.view.weights)
    own = limits_of(view)
    here = _value(archive, row, aim, 0)
    end = _best_of_aim(desk, problem, archive, row, aim, progress)
    size = max(abs(here), abs(end), 1e-9)
    levels = np.linspace(here, end, POINTS) if abs(end - here) > NO_CONFLICT * size else np.array([here])
    scale = max(abs(end - here), NO_CONFLICT * size)
    asked = replace(problem, constraints=(*problem.constraints, _limit(aim, row, end, scale, problem)))
    limited = View(asked, desk.view.weights)
    position = len(problem.constraints)
    left_out = desk.left_out | _not_concave(limited, archive, position)
    clerk = Desk(limited, archive, left_out, desk.concave, desk.scale, desk.tolerance * 10)
    questions = [_question(own, (end - level) * aim.sign / scale) for level in levels]
    clerk.answer(questions, ROUNDS, progress)
    rows: list[tuple[object, ...]] = []
    decided: list[tuple[object, ...]] = []
    for number, question in enumerate(questions):
        if question.point is None:
            continue
        value = float(problem.evaluator.values(question.point[None]).value[0, row] - problem.null_values[row])
        bound = max(clerk.bound(question), question.value) if clerk.concave else None
        gap = None if bound is None or bound <= 0 else (bound - question.value) / bound
        rows.append(
            (
                *(aim.label, aim.functional.name, aim.wish.measure, aim.wish.better, number, value),
                *(aim.functional.unit, question.value, bound, gap, False, question.settled),
                problem.objective_unit,
            )
        )
        decided += _averages(problem, aim, number, question.point)
    return _mark_dominated(rows, aim), decided


def _question(own: Limits, room: float) -> Question:
    return Question(replace(own, room=np.append(own.room, room)), None)


def _value(archive: Archive, row: int, aim: Aim, position: int) -> float:
    return float(archive.values[position, row] - archive.problem.null_values[row])


def _best_of_aim(
    desk: Desk, problem: Problem, archive: Archive, row: int, aim: Aim, progress: Callable[[], None]
) -> float:
    """The best difference from the null alternative that the aim can have, as far as was found."""
    view = View(problem, {row: aim.sign})
    known = view.objective(archive.values)
    concave = tangent_excess(view, archive, archive.points, archive.values)[0] <= 1e-7 * float(np.ptp(known))
    clerk = Desk(view, archive, desk.left_out, concave, max(float(np.ptp(known)), 1e-9), 1e-4)
    question = Question(limits_of(view), None)
    clerk.answer([question], ROUNDS_ENDS, progress)
    return aim.sign * question.value


def _limit(aim: Aim, row: int, end: float, scale: float, problem: Problem) -> ModelConstraint:
    """The aim as a limit at its best; points of the frontier leave room below it."""
    sense = "at_least" if aim.sign > 0 else "at_most"
    limit = end + float(problem.null_values[row])
    return ModelConstraint(aim.functional, aim.wish.measure, row, sense, limit, -aim.sign, scale)


def _not_concave(view: View, archive: Archive, position: int) -> frozenset[int]:
    """The aim's own limit, if an evaluated point disproves that it is concave."""
    above = tangent_excess(view, archive, archive.points, archive.values)[1][position]
    return frozenset({position}) if above > SLACK_NOISE else frozenset()


def _averages(problem: Problem, aim: Aim, number: int, point: Floats) -> list[tuple[object, ...]]:
    return [
        (aim.label, number, path.id, path.name, float(amounts.mean()), path.unit)
        for path in problem.decisions.paths
        for amounts in [point[path.first_column : path.first_column + path.periods]]
    ]


def _mark_dominated(rows: list[tuple[object, ...]], aim: Aim) -> list[tuple[object, ...]]:
    """The same rows, with `dominated` filled in."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    worth = np.column_stack([frame["improvement"], aim.sign * frame["value"]]).astype(float)
    size = np.maximum(np.ptp(worth, axis=0), 1e-12) * DOMINATED if len(worth) else np.ones(2)
    for k, one in enumerate(worth):
        as_good = (worth >= one - size).all(axis=1) & (worth > one + size).any(axis=1)
        frame.loc[k, "dominated"] = bool(as_good.any())
    return list(frame.itertuples(index=False, name=None))
