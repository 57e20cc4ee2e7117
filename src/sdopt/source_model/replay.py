"""The referee: PySD runs the same model with the same inputs, and every variable must agree."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import TimeGrid
from sdopt.errors import ReplayError
from sdopt.source_model.pysd_model import (
    element_keys,
    load_translation,
    parameters,
    python_names,
    split_key,
    write_translation,
)
from sdopt.source_model.read import SourceModel
from sdopt.source_model.runge_kutta import RungeKutta

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

REPLAY_TOLERANCE = 1e-9
"""Largest difference from PySD, relative to a variable's largest absolute value in the run."""

CHECKED = {
    "euler": "PySD ran the same model by itself, by Euler",
    "rk4": "PySD gave the right-hand sides, four times a step, and the referee added them up by "
    "Runge-Kutta, as PySD itself knows Euler only",
}
"""What the referee did, by integration method."""
EVERY_VALUE = "every variable was compared at every step"


@dataclass(frozen=True)
class Disagreement:
    """Where two runs differ most, relative to the variable's largest absolute value in the run."""

    worst_variable: str
    largest: float
    time: float


@dataclass(frozen=True)
class Referee:
    """A model in PySD: translated once, into `file`, to run as often as wanted, also in other processes.

    A model with Runge-Kutta steps gets them here too, over PySD's right-hand sides.
    """

    model: SourceModel
    grid: TimeGrid
    file: Path

    def run(
        self,
        constants: Mapping[str, float],
        paths: Mapping[str, Array],
        only: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """One run, as `replay` gives it, or with the columns `only` (keys)."""
        with _as_replay_error(self.model):
            return self._run(constants, paths, only)

    def _run(
        self, constants: Mapping[str, float], paths: Mapping[str, Array], only: Collection[str] | None
    ) -> pd.DataFrame:
        import pandas as pd

        loaded, grid = load_translation(self.file, self.model), self.grid
        visible = self.model.system.visible
        moment = RungeKutta(loaded).moment if self.model.system.time.method == "rk4" else loaded.time
        wanted = [v for v in visible.values() if only is None or v.key in only]
        bases = {split_key(v.key)[0] if v.subscripts else v.key for v in wanted}
        names = {base: name for base, name in python_names(loaded).items() if base in bases}
        frame = loaded.run(
            params=parameters(loaded, self.model, constants, paths, grid, moment),
            return_columns=list(names.values()),
            return_timestamps=list(grid.moments) or None,
            flatten_output=False,
        )
        if len(frame) != grid.steps + 1:
            raise ReplayError(f"PySD returned {len(frame)} time points instead of {grid.steps + 1}.")
        columns: dict[str, Array] = {}
        for base, name in names.items():
            columns |= _columns(visible, base, frame[name].to_list())
        missing = [v.name for v in wanted if v.key not in columns]
        if missing:
            raise ReplayError(f"{self.model.path}: PySD's model has no {', '.join(missing[:5])}.")
        return pd.DataFrame({v.key: columns[v.key] for v in wanted}, index=grid.times)


def _columns(keys: Collection[str], base: str, values: list[Any]) -> dict[str, Array]:
    """The values (steps + 1,) of a variable, or of each of its elements, by key; `keys` are all there are."""
    if getattr(values[0], "ndim", 0):
        stacked = np.stack([value.values.ravel() for value in values], axis=1)
        return dict(zip(element_keys(base, values[0]), stacked.astype(float), strict=True))
    # PySD gives an array of one element as a plain number.
    key = base if base in keys else next(key for key in keys if split_key(key)[0] == base)
    return {key: np.array([float(value) for value in values])}


@contextmanager
def translated(model: SourceModel, grid: TimeGrid) -> Iterator[Referee]:
    """PySD's translation of a model, in a folder that is removed afterwards.

    Raises
    ------
    ReplayError
        If PySD cannot translate the model.
    """
    with TemporaryDirectory(prefix="sdopt-", ignore_cleanup_errors=True) as folder:
        with _as_replay_error(model):
            file = write_translation(model, grid, Path(folder))
        yield Referee(model, grid, file)


def replay(
    model: SourceModel, constants: Mapping[str, float], paths: Mapping[str, Array], grid: TimeGrid
) -> pd.DataFrame:
    """Run the model file in PySD.

    Parameters
    ----------
    constants : value per constant, by key; every other constant keeps the file's value
    paths : values over time per constant, by key, (steps + 1,): each holds for its own step, not a ramp

    Returns
    -------
    One row per grid time (index: time), one column per variable of the model file, by key; an element of
    an array is a variable

    Raises
    ------
    ReplayError
        If PySD cannot run it.
    """
    with translated(model, grid) as referee:
        return referee.run(constants, paths)


def compare(ours: Mapping[str, Array], theirs: pd.DataFrame) -> Disagreement:
    """The largest difference over all variables and times.

    Parameters
    ----------
    ours : (steps + 1,) or (steps + 1, 1) per key, as `simulate_all` gives for one scenario
    theirs : what `replay` gives

    Returns
    -------
    The difference as a fraction of the variable's largest absolute value in either run; inf where a
    value is not a number in only one of them.
    """
    worst = Disagreement("", 0.0, float(theirs.index[0]))
    for key in theirs.columns:
        difference = _relative_difference(np.ravel(ours[key]), theirs[key].to_numpy())
        step = int(np.argmax(difference))
        if difference[step] > worst.largest:
            worst = Disagreement(str(key), float(difference[step]), float(theirs.index[step]))
    return worst


def _relative_difference(ours: Array, theirs: Array) -> Array:
    if ours.shape != theirs.shape:
        raise ReplayError(f"the runs have {ours.size} and {theirs.size} time points.")
    scale = float(np.nanmax(np.abs([ours, theirs]), initial=0.0))
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours - theirs) / (scale or 1.0)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.asarray(np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference)))


@contextmanager
def _as_replay_error(model: SourceModel) -> Iterator[None]:
    """PySD's failures as ours, without its remarks on how it runs: the referee speaks by its numbers."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            yield
        except ReplayError:
            raise
        except Exception as error:
            message = " ".join(str(error).split())
            raise ReplayError(
                f"{model.path}: PySD cannot run this model ({type(error).__name__}: {message})."
            ) from error
