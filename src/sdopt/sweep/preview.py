"""What a sweep and a robust search of a question will be, before anything is run; what stands in the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sdopt.config.load import LoadedConfig
from sdopt.config.names import same_name
from sdopt.config.robust import Robust
from sdopt.config.sweep import ADVICE, RE_OPTIMISED, Design, Sweep
from sdopt.config.uncertainty import FROM_TABLE, Uncertainty, asked
from sdopt.errors import Complaints, ConfigError, SimulationError
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem
from sdopt.problem.meaning import resolve
from sdopt.problem.uncertainties import left_out
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.plan import outputs_of
from sdopt.sweep.rows import BROKEN
from sdopt.sweep.stages import learn
from sdopt.uncertainty.sample import Uncertain, draw_scenarios, drawn_constants, external_scenarios
from sdopt.uncertainty.scenarios import External, Scenarios

T = TypeVar("T")
Floats = NDArray[np.float64]

NO_WIDTH, EVERYWHERE = "no width", "everywhere"
"""Why a constant is not drawn, beside what `left_out` says."""
HALF = 0.5
"""What is 0 or 1 is 1 when it is above this."""


@dataclass(frozen=True)
class Compared:
    """An allocation that is given: the limits, rules and bounds it breaks at central values, with the years.

    `fails` is why the model gives no numbers for it, or "".
    """

    name: str
    broken: Mapping[str, Sequence[int]]
    fails: str = ""


@dataclass(frozen=True)
class Preview:
    """What is drawn, and what will be run of it.

    `not_drawn`: constant -> why: `chosen` by a decision, `fixed` when the model was read, `no width` of its
    range, or `everywhere` fixed by the external scenarios. `sweep` and `robust` are the draws of each, in
    every external scenario; None when that cannot be done and the config does not ask for it either: then
    `why_not` says why. `re_optimised` is the number of scenarios in which the best is looked for.
    """

    drawn: tuple[Uncertain, ...]
    not_drawn: Mapping[str, str]
    external: tuple[External, ...]
    sweep: Scenarios | None
    robust: Scenarios | None
    why_not: str
    allocations: tuple[str, ...]
    given: tuple[Compared, ...]
    re_optimised: int
    outputs: int
    years: int

    @property
    def runs(self) -> int:
        """Number of runs of the sweep."""
        return 0 if self.sweep is None else self.sweep.count * len(self.allocations)


def preview(loaded: LoadedConfig, problem: Problem) -> Preview:
    """Draw what is asked, read the allocations, and run each of them once, at central values.

    Raises
    ------
    ConfigError
        With all that stands in the way of the sweep and the robust search that the config asks for.
    """
    look = _Look(loaded, problem, Complaints(str(loaded.path), ConfigError))
    config, external = problem.config, external_scenarios(problem)
    drawn = look.attempt(("uncertainties",), lambda: drawn_constants(problem, external))
    look.drawable = drawn is not None
    asked_of = config.sweep
    sweep = look.draws("sweep", asked_of.design, asked_of.scenarios, asked_of.levels)
    robust = look.draws("robust", "latin hypercube", config.robust.scenarios)
    look.learned(robust)
    look.programmes()
    given = look.given()
    look.complaints.raise_if_any()
    bests = RE_OPTIMISED in config.sweep.allocations.values()
    return Preview(
        drawn=drawn or (),
        not_drawn=_not_drawn(problem, {one.key for one in drawn or ()}),
        external=external,
        sweep=sweep,
        robust=robust,
        why_not=look.why_not,
        allocations=tuple(n for n in config.sweep.names if config.sweep.allocations.get(n) != RE_OPTIMISED),
        given=given,
        re_optimised=min(config.sweep.re_optimise.scenarios, sweep.count) if bests and sweep else 0,
        outputs=len(outputs_of(problem)),
        years=sum(abs(t - round(t)) < problem.grid.step / 1e6 for t in problem.grid.times),
    )


class _Look:
    """Tries what a run would do first, and notes what goes wrong."""

    def __init__(self, loaded: LoadedConfig, problem: Problem, complaints: Complaints) -> None:
        self.loaded, self.problem, self.complaints = loaded, problem, complaints
        self.drawable, self.why_not = True, ""

    def attempt(self, place: tuple[str, ...], what: Callable[[], T], *, asked: bool = True) -> T | None:
        """What comes of it; None, after a complaint when it is `asked`, when that is an error."""
        try:
            return what()
        except ConfigError as error:
            said = str(error).replace("\n  * ", "; ")
            if asked:
                self.complaints.add(self.loaded.where(*place), said)
            else:
                self.why_not = said
            return None

    def draws(self, section: str, design: Design, count: int, levels: int = 4) -> Scenarios | None:
        """The scenarios of a section, as a run would draw them."""
        if not self.drawable:
            return None
        seed = self.problem.config.search.seed
        return self.attempt(
            (section,),
            lambda: draw_scenarios(self.problem, design, count, seed, levels=levels),
            asked=self.asks_for(section),
        )

    def asks_for(self, section: str) -> bool:
        """Whether the config says anything that this section works with."""
        config = self.problem.config
        own = config.sweep != Sweep() if section == "sweep" else config.robust != Robust()
        uncertain = config.uncertainties != FROM_TABLE or config.correlations or config.external_scenarios
        return own or bool(uncertain)

    def programmes(self) -> None:
        """Robust allocations cannot choose programmes."""
        if self.problem.decisions.programmes and self.problem.config.robust != Robust():
            self.complaints.add(
                self.loaded.where("robust"),
                "robust allocations cannot choose programmes yet; leave out `programmes`, or this section",
            )

    def learned(self, robust: Scenarios | None) -> None:
        """Whether what is learned can be told apart, in the draws that are used for it."""
        again = self.problem.config.robust.decide_again
        if again is None or again.of_external or robust is None:
            return
        seed, found = self.problem.config.search.seed, resolve(again.learn, self.problem.system)
        drawn = draw_scenarios(self.problem, "latin hypercube", again.scenarios, seed)
        key = found.key if found else again.learn
        self.attempt(("robust", "decide_again"), lambda: learn(drawn, key, again.groups))

    def given(self) -> tuple[Compared, ...]:
        """Every allocation that the config gives, tried at central values."""
        points: dict[str, Floats] = {}
        for name, said in self.problem.config.sweep.allocations.items():
            place = ("sweep", "allocations", name)
            if name == ADVICE:
                advice = self.attempt(place, lambda: given_advice(self.problem))
                points |= {name: advice.point} if advice else {}
            elif said != RE_OPTIMISED:
                point = self.attempt(place, partial(read_allocation, Path(said), self.problem))
                points |= {name: point} if point is not None else {}
        return tuple(_compared(self.problem, name, point) for name, point in points.items())


def _compared(problem: Problem, name: str, point: Floats) -> Compared:
    decisions, broken = problem.decisions, defaultdict[str, list[int]](list)
    low, high = decisions.lower(), decisions.upper()
    for k in np.flatnonzero((point < low - BROKEN) | (point > high + BROKEN)):
        identity, year = decisions.labels()[k]
        broken[f"bounds of {identity}"].append(year)
    for rule in problem.rules:
        holds = rule.runs is None or rule.runs @ point > HALF
        if holds and rule.weights @ point - rule.limit > BROKEN * max(1.0, abs(rule.limit)):
            broken[rule.name].append(rule.year)
    try:
        values = problem.evaluator.values(point[None]).value
    except SimulationError as error:
        return Compared(name, broken, str(error))
    for constraint, slack in zip(problem.constraints, problem.slacks(values)[0], strict=True):
        limit, when = constraint.functional.name, constraint.functional.year
        if slack < -BROKEN and when is not None and when not in broken[limit]:
            broken[limit].append(when)
    return Compared(name, broken)


def _not_drawn(problem: Problem, drawn: set[str]) -> dict[str, str]:
    """Constants that table or config call uncertain and that are not drawn, and why."""
    config, names = problem.config, dict[str, str]()
    kept = left_out(config, problem.constants, problem.system)
    wanted = asked(config.uncertainties, problem.constants)
    for name, one in wanted.items():
        variable = resolve(one.constant, problem.system)
        if variable is not None and variable.key not in drawn:
            names[variable.name] = kept.get(name, EVERYWHERE)
    for said in _all_said(problem):
        if same_name(said) not in wanted and (found := resolve(said, problem.system)) is not None:
            names.setdefault(found.name, NO_WIDTH)
    return names


def _all_said(problem: Problem) -> list[str]:
    """Names of what table and config call uncertain and not fixed, whatever its range."""
    listed = problem.config.uncertainties
    rows = listed if isinstance(listed, tuple) else (listed,)
    own = {same_name(one.constant): one for one in rows if isinstance(one, Uncertainty)}
    found = [one.constant for one in own.values() if one.distribution != "fixed"]
    if FROM_TABLE in rows:
        found += [row.name for row in problem.constants if row.uncertain and same_name(row.name) not in own]
    return found
