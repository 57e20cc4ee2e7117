"""The referee: PySD runs the same model with the same inputs, and every variable must agree."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import CONTROLS, TimeGrid
from sdopt.errors import ReplayError
from sdopt.source_model.parse import canonical
from sdopt.source_model.read import SourceModel

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Disagreement:
    """Where two runs differ most, relative to the variable's largest absolute value in the run."""

    worst_variable: str
    largest: float
    time: float


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
    One row per grid time (index: time), one column per variable of the model, by key

    Raises
    ------
    ReplayError
        If PySD cannot run it.
    """
    with TemporaryDirectory(prefix="sdopt-") as folder, _known_warnings():
        try:
            return _run_pysd(model, constants, paths, grid, Path(folder))
        except ReplayError:
            raise
        except Exception as error:
            raise ReplayError(
                f"{model.path}: PySD cannot run this model ({type(error).__name__}: {error})."
            ) from error


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


def _run_pysd(
    model: SourceModel,
    constants: Mapping[str, float],
    paths: Mapping[str, Array],
    grid: TimeGrid,
    folder: Path,
) -> pd.DataFrame:
    """Every variable at every grid time, by key."""
    pysd_model = _load(model, grid, folder)
    names = {canonical(name): name for name in pysd_model.namespace}
    parameters: dict[str, Any] = {names[key]: float(value) for key, value in constants.items()}
    parameters |= {names[key]: _step_function(pysd_model, grid, values) for key, values in paths.items()}
    columns = {key: names[key] for key in model.system.variables}
    frame = pysd_model.run(params=parameters, return_columns=list(columns.values()))
    if len(frame) != grid.steps + 1:
        raise ReplayError(f"PySD returned {len(frame)} time points instead of {grid.steps + 1}.")
    frame = frame[list(columns.values())].set_axis(list(columns), axis=1)
    return frame.set_axis(grid.times, axis=0).astype(float)


def _load(model: SourceModel, grid: TimeGrid, folder: Path) -> Any:
    """PySD's model, translated into `folder`: nothing is written beside the model file.

    Descriptions are left out: PySD pastes them into Python source, where a text could become code.
    """
    import pysd
    from pysd.builders.python.python_model_builder import ModelBuilder

    abstract = deepcopy(model.parsed.abstract)
    section = abstract.sections[0]
    section.path = folder / "model.py"
    controls = dict(zip(CONTROLS, (grid.start, float(grid.times[-1]), grid.step, grid.step), strict=True))
    for element in section.elements:
        element.documentation = element.units = ""
        if canonical(element.name) in controls:
            element.components[0].ast = float(controls[canonical(element.name)])
    with np.printoptions(precision=17):  # else PySD writes the points of a lookup with 8 digits
        return pysd.load(ModelBuilder(abstract).build_model(), initialize=False)


def _step_function(pysd_model: Any, grid: TimeGrid, values: Array) -> Callable[[], float]:
    """The value of the step PySD is at; a pandas Series would become a ramp between steps."""
    return lambda: float(values[round((pysd_model.time() - grid.start) / grid.step)])


@contextmanager
def _known_warnings() -> Iterator[None]:
    """Silence the warnings that are meant: constants are replaced, lookups have flat ends."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="\\s*Replacing a constant value with a callable")
        warnings.filterwarnings("ignore", message="(?s).*extrapolating data (above|below) the")
        warnings.filterwarnings("ignore", message=".*", category=DeprecationWarning, module="pysd|chardet")
        warnings.filterwarnings("ignore", message=".*set_index.*", category=Warning)
        yield
