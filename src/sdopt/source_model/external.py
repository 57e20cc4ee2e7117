"""Numbers that a model reads from a spreadsheet or CSV file beside it, read by PySD's own readers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.expression import LookupKind
from sdopt.source_model.parse import pysd_tree
from sdopt.source_model.unsupported import UnsupportedError

Floats = NDArray[np.float64]
Coordinates = tuple[tuple[str, ...], ...]


def read_constants(node: Any, coordinates: Coordinates, folder: Path) -> Floats:
    """The numbers of GET XLS/DIRECT CONSTANTS, one axis per subscript of the left-hand side.

    Raises
    ------
    UnsupportedError
        If the file or cell cannot be read, or a number is missing.
    """
    from pysd.py_backend.external import ExtConstant

    def read(coords: dict[str, list[str]]) -> Any:
        source = ExtConstant(node.file, node.tab, node.cell, coords, folder, coords, "constant")
        source.missing = "raise"
        source.initialize()
        return source()

    return _checked(np.asarray(_read(node, read, coordinates), float), node)


def read_series(
    node: Any, coordinates: Coordinates, folder: Path, keyword: str | None = None
) -> tuple[Floats, Floats]:
    """Points of GET XLS/DIRECT DATA or LOOKUPS: x (point,), y (point, then one axis per subscript).

    Raises
    ------
    UnsupportedError
        As `read_constants`.
    """
    from pysd.py_backend.external import ExtData, ExtLookup

    def read(coords: dict[str, list[str]]) -> Any:
        if isinstance(node, pysd_tree.GetDataStructure):
            source = ExtData(
                node.file, node.tab, node.time_row_or_col, node.cell, keyword, coords, folder, coords, "data"
            )
        else:
            source = ExtLookup(
                node.file, node.tab, node.x_row_or_col, node.cell, coords, folder, coords, "lookup"
            )
        source.missing = "ignore"  # a cell without a number is no point, as in Vensim
        source.initialize()
        return source.data

    data = _read(node, read, coordinates)
    x = np.asarray(data.coords[data.dims[0]].values, float)
    return _checked(x, node), _checked(np.asarray(data.values, float), node)


def forget_files() -> None:
    """Close the files that were read: PySD keeps their content, also when they change afterwards."""
    from pysd.py_backend.external import Excels

    Excels.clean()


@contextmanager
def known_warnings() -> Iterator[None]:
    """A missing number, of which PySD only warns, is an error; its old pandas calls are nothing to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message="The default engine for reading")
        yield


def _read(node: Any, read: Any, coordinates: Coordinates) -> Any:
    coords = {f"axis {i}": list(elements) for i, elements in enumerate(coordinates)}
    with known_warnings():
        try:
            return read(coords)
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UnsupportedError(f"cannot read {node.file!r}, {node.tab!r}: {reason}") from None


def _checked(values: Floats, node: Any) -> Floats:
    if not np.isfinite(values).all():
        raise UnsupportedError(f"{node.file!r}, {node.tab!r}: a number is missing")
    return values


def lookup_kind(keyword: str | None) -> LookupKind:
    """How a data variable reads between its points; PySD's keywords are our kinds.

    Raises
    ------
    UnsupportedError
        If there is no such kind.
    """
    kind = (keyword or "interpolate").replace(" ", "_")
    for known in get_args(LookupKind):
        if kind == known:
            return known  # type: ignore[no-any-return]
    raise UnsupportedError(f"a lookup of type {kind} is not supported")


def points(
    x: Sequence[float] | Floats, y: Sequence[float] | Floats
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Points in order of x.

    Raises
    ------
    UnsupportedError
        If there are not two or more points with different x.
    """
    order = np.argsort(np.asarray(x, float), kind="stable")
    ordered = np.asarray(x, float)[order]
    if len(ordered) < 2 or (np.diff(ordered) <= 0).any():
        raise UnsupportedError("a lookup needs two or more points with different x")
    return tuple(ordered.tolist()), tuple(np.asarray(y, float)[order].tolist())
