"""The best fit from several starts: bounded least squares of relative errors, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.calibrate.identify import Identification, identify
from sdopt.calibrate.question import Question
from sdopt.calibrate.residuals import Residuals, simulated_points
from sdopt.errors import OptimisationError, SimulationError

Floats = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
"""Takes how many starts are done, of how many, and the least sum of squares so far."""

PRECISION = 1e-12
MOST_EVALUATIONS = 300
SAME = 1e-6
"""Relative difference in the root of the sum of squares below which two starts agree."""


@dataclass(frozen=True)
class Start:
    """One start: where it ended (model units, by constant), the sum of squares there, and why it ended.

    `failure` says why it gave no fit, else "".
    """

    values: Floats
    squares: float
    evaluations: int
    converged: bool
    failure: str = ""


@dataclass(frozen=True)
class Fit:
    """The best fit.

    `values` (constant,) in model units; `before` and `after` (point,) are the model's values with the
    constants as they were and as fitted; `starts` in order, of which `best` is the one given.
    """

    question: Question
    values: Floats
    before: Floats
    after: Floats
    squares: float
    starts: tuple[Start, ...]
    best: int
    identification: Identification

    @property
    def agreeing(self) -> int:
        """How many starts ended at the best sum of squares."""
        best = np.sqrt(self.squares)
        return sum(not s.failure and np.sqrt(s.squares) - best <= SAME * (best + SAME) for s in self.starts)


def fit(question: Question, progress: Progress) -> Fit:
    """Fit the constants of a question.

    Raises
    ------
    OptimisationError
        If no start gives a run without inf or nan.
    """
    residuals = Residuals(question)
    places = start_places(question)
    active = _active(residuals, places)
    starts, ends = [], []
    for number, place in enumerate(places, start=1):
        start, end = _from(residuals, place, active)
        starts.append(start)
        ends.append(end)
        progress(number, len(places), min(one.squares for one in starts))
    if all(start.failure for start in starts):
        raise OptimisationError(f"{question.loaded.path}: no start gives a usable run; {starts[0].failure}")
    best = _first_best(starts)
    errors, slopes = residuals.both(ends[best])
    constants = residuals.constants(ends[best])
    before = {one.key: one.value for one in question.fitted}
    return Fit(
        question=question,
        values=np.array(list(constants.values())),
        before=simulated_points(question, before),
        after=simulated_points(question, constants),
        squares=starts[best].squares,
        starts=tuple(starts),
        best=best,
        identification=identify(question, ends[best], errors, slopes, active),
    )


def _first_best(starts: list[Start]) -> int:
    """The first start that ends at the least sum of squares; rounding does not decide."""
    least = np.sqrt(min(start.squares for start in starts))
    return next(k for k, s in enumerate(starts) if np.sqrt(s.squares) - least <= SAME * (least + SAME))


def start_places(question: Question) -> Floats:
    """Where to start, (start, constant) in the unit cube: the value in use, then a Latin hypercube."""
    from scipy.stats import qmc

    search, fitted = question.loaded.config.search, question.fitted
    own = [np.clip((one.value - one.low) / (one.high - one.low), 0.0, 1.0) for one in fitted]
    sampler = qmc.LatinHypercube(len(fitted), rng=np.random.default_rng(search.seed))
    return np.vstack([own, sampler.random(search.starts - 1)]) if search.starts > 1 else np.array([own])


def _active(residuals: Residuals, places: Floats) -> NDArray[np.bool_]:
    """Which constants have an effect on some fitted point, at some start; (constant,)."""
    effect = np.zeros(places.shape[1], dtype=bool)
    for place in places:
        try:
            effect |= (residuals.both(place)[1] != 0).any(axis=0)
        except SimulationError:
            continue
    return effect


def _from(residuals: Residuals, place: Floats, active: NDArray[np.bool_]) -> tuple[Start, Floats]:
    """One start: what came of it, and the place in the unit cube where it ended.

    Constants without effect stay at the value in use.
    """
    from scipy.optimize import least_squares

    whole = np.where(active, place, start_places(residuals.question)[0])

    def full(part: Floats) -> Floats:
        filled = whole.copy()
        filled[active] = part
        return filled

    before = residuals.evaluations
    try:
        if not active.any():
            errors, _ = residuals.both(whole)
            end, converged = whole, True
        else:
            found = least_squares(
                lambda part: residuals.both(full(part))[0],
                whole[active],
                jac=lambda part: residuals.both(full(part))[1][:, active],
                bounds=(0.0, 1.0),
                method="trf",
                xtol=PRECISION,
                ftol=PRECISION,
                gtol=PRECISION,
                max_nfev=MOST_EVALUATIONS,
            )
            errors, end, converged = found.fun, full(found.x), found.status > 0
    except SimulationError as error:
        return Start(
            np.full(len(whole), np.nan), np.inf, residuals.evaluations - before, False, str(error)
        ), whole
    values = np.array(list(residuals.constants(end).values()))
    return Start(values, float(errors @ errors), residuals.evaluations - before, bool(converged)), end
