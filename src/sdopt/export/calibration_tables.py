"""The tables of a calibration: points and errors, measures, constants, combinations and starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.calibrate.fit import Fit
from sdopt.calibrate.identify import NAMED, Direction
from sdopt.calibrate.measures import Measures, measures
from sdopt.calibrate.observed import Point
from sdopt.config.constants import Constant
from sdopt.config.names import same_name

if TYPE_CHECKING:
    import pandas as pd

CONSTANT_COLUMNS = (
    *("name", "value", "low", "high", "distribution", "unit", "source"),
    *("link", "status", "confidence", "note"),
)
NOTES = {
    "identified": "Fitted; low and high are the 95 % interval within the bounds.",
    "not_identified": "Fitted, but the observations cannot tell it apart from other constants or from its "
    "whole range: low and high are the bounds.",
    "at_bound": "Fitted, and at a bound: the observations ask for more than the bounds allow.",
}


def calibration_tables(fit: Fit) -> dict[str, pd.DataFrame]:
    """All tables, by file name without suffix."""
    return {
        "fitted": fitted_table(fit),
        "uncertainty": uncertainty_table(fit),
        "fit": fit_table(fit),
        "measures": measures_table(fit),
        "identifiability": identifiability_table(fit),
        "correlation": correlation_table(fit),
        "starts": starts_table(fit),
    }


def fit_table(fit: Fit) -> pd.DataFrame:
    """Every point: observed and simulated in the size of the source, and the error; projections without."""
    rows = [
        _point_row(point, before * point.scale, after * point.scale)
        for point, before, after in zip(
            fit.question.points, fit.before.tolist(), fit.after.tolist(), strict=True
        )
    ]
    return _frame([*rows, *(_point_row(point, nan, nan) for point in fit.question.projections)])


def _point_row(point: Point, before: float, after: float) -> dict[str, Any]:
    return {
        "series": point.series,
        "variable": point.variable,
        "time": point.time,
        "measure": point.measure,
        "use": point.use,
        "observed": point.value,
        "simulated_before": before,
        "simulated": after,
        "error": after - point.value,
        "relative_error": (after - point.value) / abs(point.value) if point.value else nan,
        "unit": point.unit,
        "scale": point.scale,
        "source": point.source,
        "note": point.note,
    }


@dataclass(frozen=True)
class Group:
    """Points of one series that are judged together: `fit` or `test` with the fitted constants, or
    `before`, all of them with the constants in use before the fit. `errors` (point,) are relative.
    """

    series: str
    use: str
    times: tuple[float, ...]
    errors: tuple[float, ...]
    measures: Measures | None


def grouped(fit: Fit) -> Iterator[Group]:
    """The groups of every series, in the order of the table."""
    points = fit.question.points
    for series in dict.fromkeys(point.series for point in points):
        places = [k for k, point in enumerate(points) if point.series == series]
        for use in ("fit", "test"):
            chosen = [k for k in places if points[k].use == use]
            if chosen:
                yield _group(fit, series, use, chosen, fit.after)
        yield _group(fit, series, "before", places, fit.before)


def _group(fit: Fit, series: str, use: str, places: list[int], values: NDArray[np.float64]) -> Group:
    points = [fit.question.points[k] for k in places]
    simulated, observed = values[places], np.array([point.target for point in points])
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(observed != 0, (simulated - observed) / np.abs(observed), nan)
    return Group(
        series,
        use,
        tuple(point.time for point in points),
        tuple(errors.tolist()),
        measures(simulated, observed),
    )


def measures_table(fit: Fit) -> pd.DataFrame:
    """Per series, fitted and test points apart, and all before the fit; empty cells below five points."""
    rows = []
    for group in grouped(fit):
        found = group.measures
        rows.append(
            {
                "series": group.series,
                "use": group.use,
                "points": len(group.times),
                "mape": found.mape if found else nan,
                "theil_u": found.theil_u if found else nan,
                "bias": found.bias if found else nan,
                "variance": found.variance if found else nan,
                "covariance": found.covariance if found else nan,
            }
        )
    return _frame(rows)


def uncertainty_table(fit: Fit) -> pd.DataFrame:
    """Every constant that was asked for: before, fitted, standard error, 95 % interval and state."""
    found = fit.identification
    rows = []
    for k, one in enumerate(fit.question.fitted):
        value, error = float(fit.values[k]), float(found.standard_errors[k])
        rows.append(
            {
                "name": one.name,
                "before": one.value,
                "fitted": value,
                "standard_error": error,
                "interval_low": value - found.quantile * error,
                "interval_high": value + found.quantile * error,
                "bound_low": one.low,
                "bound_high": one.high,
                "unit": one.unit,
                "state": found.states[k],
            }
        )
    return _frame(rows)


def fitted_table(fit: Fit) -> pd.DataFrame:
    """The table of constants with the fitted values in it, to use as input; constants keep their order."""
    sources = "; ".join(dict.fromkeys(point.source for point in fit.question.points if point.use == "fit"))
    rows = {same_name(row.name): _constant_row(row) for row in fit.question.constants}
    for k, one in enumerate(fit.question.fitted):
        state = fit.identification.states[k]
        if state == "no_effect":
            continue
        value = float(fit.values[k])
        half = fit.identification.quantile * float(fit.identification.standard_errors[k])
        known = state == "identified" and isfinite(half)
        low = max(one.low, value - half) if known else one.low
        high = min(one.high, value + half) if known else one.high
        old = rows.get(same_name(one.name), dict.fromkeys(CONSTANT_COLUMNS, ""))
        rows[same_name(one.name)] = old | {
            "name": old["name"] or one.name,
            "value": value,
            "low": min(low, value),
            "high": max(high, value),
            "distribution": "triangular",
            "unit": one.unit,
            "source": f"calibration: {sources}",
            "status": "derived" if known else "judgement",
            "note": NOTES[state],
        }
    return _frame(list(rows.values()), CONSTANT_COLUMNS)


def _constant_row(row: Constant) -> dict[str, Any]:
    return {column: getattr(row, column) for column in CONSTANT_COLUMNS}


def identifiability_table(fit: Fit) -> pd.DataFrame:
    """Every combination of constants that the data see apart, best known first: a row per constant in it."""
    rows = [
        {
            "direction": number,
            "singular_value": direction.singular,
            "standard_error": direction.standard_error,
            "identified": direction.identified,
            "constant": name,
            "weight": weight,
        }
        for number, direction in enumerate(fit.identification.directions, start=1)
        for name, weight in named_weights(fit, direction)
    ]
    columns = ("direction", "singular_value", "standard_error", "identified", "constant", "weight")
    return _frame(rows, columns)


def named_weights(fit: Fit, direction: Direction) -> list[tuple[str, float]]:
    """The constants that count in a combination, with their weights per width of the bounds."""
    named = zip(fit.question.fitted, direction.weights.tolist(), strict=True)
    return [(one.name, weight) for one, weight in named if abs(weight) >= NAMED]


def correlation_table(fit: Fit) -> pd.DataFrame:
    """Correlation of the errors of every pair of constants, long; empty where it is not determined."""
    names = [one.name for one in fit.question.fitted]
    rows = [
        {"constant": a, "other": b, "correlation": float(fit.identification.correlation[j, k])}
        for j, a in enumerate(names)
        for k, b in enumerate(names)
        if j < k
    ]
    return _frame(rows, ("constant", "other", "correlation"))


def starts_table(fit: Fit) -> pd.DataFrame:
    """Every start: sum of squared relative errors, evaluations, and where it ended; the best is marked."""
    names = [one.name for one in fit.question.fitted]
    return _frame(
        [
            {
                "start": number,
                "best": number - 1 == fit.best,
                "sum_of_squares": start.squares,
                "evaluations": start.evaluations,
                "converged": start.converged,
                "failure": start.failure,
                **dict(zip(names, start.values.tolist(), strict=True)),
            }
            for number, start in enumerate(fit.starts, start=1)
        ]
    )


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[str] | None = None) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns) if columns else None)
