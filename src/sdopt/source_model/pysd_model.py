"""A model as PySD runs it: translated into a folder of its own, and loaded anew for every run.

Loading anew is what keeps runs apart: values given to one run stay in PySD's model for the next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import TimeGrid
from sdopt.source_model.parse import canonical, pysd_tree
from sdopt.source_model.read import SourceModel

Array = NDArray[np.float64]
Moment = Callable[[], float]
"""Gives the grid time PySD is at."""
Value = float | Callable[[], float]


def write_translation(model: SourceModel, grid: TimeGrid, folder: Path) -> Path:
    """PySD's translation of a model, in `folder`: nothing is written beside the model file."""
    from pysd.builders.python.python_model_builder import ModelBuilder

    abstract = deepcopy(model.parsed.abstract)
    for section in abstract.sections:
        for element in section.elements:
            # PySD pastes these into Python source as they are, where a text could become code.
            element.documentation = element.units = ""
            for component in element.components:
                _start_smooths_with_floats(component.ast)
    _set_controls(abstract.sections[0], grid)
    abstract.sections[0].path = model.path.absolute()
    builder = ModelBuilder(abstract)  # reads subscripts from files beside the model
    for number, section in enumerate(builder.sections):
        section.path = folder / f"section_{number}.py"
    # Else PySD writes numbers with 8 digits, and leaves out the middle of long tables.
    with np.printoptions(precision=17, threshold=sys.maxsize), _unformatted():
        return Path(builder.build_model())


@contextmanager
def _unformatted() -> Iterator[None]:
    """PySD's builder without its formatter, which takes most of the time and changes the layout only."""
    from pysd.builders.python import python_model_builder as builder

    formatter = builder.black
    builder.black = SimpleNamespace(FileMode=formatter.FileMode, format_file_contents=lambda text, **_: text)
    try:
        yield
    finally:
        builder.black = formatter


def load_translation(file: Path, model: SourceModel) -> Any:
    """PySD's model with its data, which are beside the model file; not yet initialised."""
    import pysd

    loaded = pysd.load(file, initialize=False)
    for macro in _with_macros(loaded):
        for external in macro._external_elements:
            external.root = model.path.absolute().parent
    loaded.initialize_external_data()
    return loaded


def python_names(loaded: Any) -> dict[str, str]:
    """Name of the Python function by key, of every variable."""
    return {canonical(name): python for name, python in loaded.namespace.items()}


def parameters(
    loaded: Any,
    model: SourceModel,
    constants: Mapping[str, float],
    paths: Mapping[str, Array],
    grid: TimeGrid,
    moment: Moment,
) -> dict[str, Any]:
    """What `run(params=...)` takes: values and functions of time; arrays keep what is not given."""
    given: dict[str, Value] = {key: float(value) for key, value in constants.items()}
    given |= {key: _step_function(moment, grid, values) for key, values in paths.items()}
    names, variables = python_names(loaded), model.system.variables
    found: dict[str, Any] = {}
    elements: dict[str, dict[tuple[str, ...], Value]] = {}
    for key, value in given.items():
        if variables[key].subscripts:
            base, inside = split_key(key)
            elements.setdefault(names[base], {})[inside] = value
        else:
            found[names[key]] = value
    return found | {name: _changed_array(loaded, name, values) for name, values in elements.items()}


def split_key(key: str) -> tuple[str, tuple[str, ...]]:
    """Base and elements of the key of an array element: "stock[north,old]" -> "stock", ("north", "old")."""
    base, _, inside = key.removesuffix("]").rpartition("[")
    return base, tuple(inside.split(","))


def element_keys(base: str, array: Any) -> list[str]:
    """Keys of all elements of a DataArray, the last subscript running fastest."""
    keys = [""]
    for dimension in array.dims:
        elements = [canonical(str(name)) for name in array.coords[dimension].values]
        keys = [f"{key},{element}" for key in keys for element in elements]
    return [f"{base}[{key.removeprefix(',')}]" for key in keys]


def dynamic_elements(loaded: Any) -> Iterator[Any]:
    """Everything with a memory, also inside macros."""
    for macro in _with_macros(loaded):
        yield from (e for e in macro._dynamicstateful_elements if e not in macro._macro_elements)


def _with_macros(loaded: Any) -> Iterator[Any]:
    yield loaded
    for macro in loaded._macro_elements:
        yield from _with_macros(macro)


def _start_smooths_with_floats(node: Any) -> None:
    """PySD keeps a smooth that starts at a whole number in whole numbers, and cuts off what comes in."""
    if isinstance(node, pysd_tree.SmoothStructure | pysd_tree.SmoothNStructure):
        node.initial = pysd_tree.ArithmeticStructure(["*"], (node.initial, 1.0))
    parts = (getattr(node, name) for name in getattr(node, "__dataclass_fields__", ()))
    for part in node if isinstance(node, list | tuple) else parts:
        _start_smooths_with_floats(part)


def _set_controls(section: Any, grid: TimeGrid) -> None:
    """Start, end and step of the grid; an uneven step keeps the model's own equation. Every step is saved."""
    own_step = pysd_tree.ReferenceStructure("time_step")
    controls: dict[str, Any] = {
        "initial_time": float(grid.start),
        "final_time": float(grid.times[-1]),
        "saveper": own_step if grid.moments else float(grid.step),
    }
    if not grid.moments:
        controls["time_step"] = float(grid.step)
    for element in section.elements:
        if canonical(element.name) in controls:
            element.components[0].ast = controls[canonical(element.name)]


def _step_function(moment: Moment, grid: TimeGrid, values: Array) -> Callable[[], float]:
    """The value of the step PySD is in; a pandas Series would become a ramp between steps."""
    between = (grid.times[1:] + grid.times[:-1]) / 2
    return lambda: float(values[np.searchsorted(between, moment())])


def _changed_array(loaded: Any, name: str, given: Mapping[tuple[str, ...], Value]) -> Any:
    """PySD's own array with some elements replaced; a function where it changes over time."""
    original = getattr(loaded.components, name)
    coordinates, dimensions = loaded.get_coords(name)
    places = [[canonical(str(element)) for element in coordinates[d]] for d in dimensions]

    def changed() -> Any:
        array = original().astype(float)
        for elements, value in given.items():
            position = tuple(place.index(e) for place, e in zip(places, elements, strict=True))
            array.values[position] = value() if callable(value) else value
        return array

    moves = original.type != "Constant" or any(callable(value) for value in given.values())
    return changed if moves else changed()
