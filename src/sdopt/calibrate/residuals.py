"""The model's value of every observed point, with exact derivatives by the fitted constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdopt.calibrate.question import Question
from sdopt.equations.differentiate import reverse
from sdopt.equations.simulate import run

Floats = NDArray[np.float64]


class Residuals:
    """Errors of the fitted points relative to their deviation, at a place in the unit cube of the bounds.

    One reverse pass gives the values and all derivatives; the last place is kept, because scipy asks for
    the two apart.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        rows = question.fit_rows
        fitted = [point for point in question.points if point.use == "fit"]
        self.weights = question.weights[rows]
        self.target = np.array([point.target for point in fitted])
        self.deviation = np.array([point.deviation for point in fitted])
        self.low = np.array([one.low for one in question.fitted])
        self.width = np.array([one.high - one.low for one in question.fitted])
        self.place: Floats | None = None
        self.evaluations = 0
        self.kept: tuple[Floats, Floats] = (np.empty(0), np.empty((0, 0)))

    def constants(self, place: Floats) -> dict[str, float]:
        """The constants, in model units, at a place (constant,) in the unit cube."""
        values = (self.low + self.width * place).tolist()
        return {one.key: value for one, value in zip(self.question.fitted, values, strict=True)}

    def both(self, place: Floats) -> tuple[Floats, Floats]:
        """Errors (fitted point,) and their derivatives (fitted point, constant), per width of the bounds.

        Raises
        ------
        SimulationError
            If the run gives inf or nan, or a derivative does.
        """
        if self.place is None or not np.array_equal(place, self.place):
            constants = self.constants(place)
            values, gradients = reverse(self.question.program, constants, {}, self.weights)
            slopes = np.stack([gradients[one.key][:, 0] for one in self.question.fitted], axis=1)
            errors = (values[:, 0] - self.target) / self.deviation
            self.kept = (errors, slopes * self.width / self.deviation[:, None])
            self.place = place.copy()
            self.evaluations += 1
        return self.kept


def simulated_points(question: Question, constants: dict[str, float]) -> Floats:
    """The model's value of every point, (point,), in the model's size."""
    values = run(question.program, constants)[:, :, 0]
    return np.asarray(np.einsum("pos,os->p", question.weights, values))
