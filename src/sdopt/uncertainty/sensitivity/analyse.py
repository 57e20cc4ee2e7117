"""What the runs of drawn scenarios tell of every uncertainty, by external scenario.

External scenarios are not mixed: each is a world of its own, in which what it fixes is no factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sweep import Design
from sdopt.uncertainty.discovery import Discovery, discover
from sdopt.uncertainty.scenarios import External, Scenarios
from sdopt.uncertainty.sensitivity.designs import morris_design
from sdopt.uncertainty.sensitivity.morris import morris_screening
from sdopt.uncertainty.sensitivity.partial_dependence import explained_shares, partial_dependence
from sdopt.uncertainty.sensitivity.sobol import sobol_indices
from sdopt.uncertainty.sensitivity.tornado import tornado, tornado_design

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]


def analyse(
    scenarios: Scenarios,
    design: Design,
    seed: int,
    levels: int,
    values: Floats,
    factors: Sequence[str],
    outputs: Sequence[str],
) -> dict[str, DataFrame]:
    """The tables that a design allows, by name, each with the column external in front.

    Parameters
    ----------
    scenarios : all of `sample.draw_scenarios`, in its order
    design, seed, levels : what they were drawn with
    values : (scenario, output) array; inf or nan where a run failed
    factors : names of `scenarios.keys`
    outputs : names of the columns of `values`

    Returns
    -------
    `sobol_indices` for saltelli, `morris_screening` for morris; `explained_shares` and `partial_dependence`
    for the others; nothing when nothing is drawn. See the functions of these names for their columns.
    """
    tables: dict[str, list[DataFrame]] = {}
    if not factors:
        return {}
    for external, rows in _worlds(scenarios):
        points = scenarios.values[:, rows].T
        found = _tables(design, seed, levels, points, values[rows], factors, outputs)
        for name, table in found.items():
            tables.setdefault(name, []).append(_labelled(table, external, scenarios.keys, factors))
    return {name: _below(parts) for name, parts in tables.items()}


def tornado_scenarios(
    keys: Sequence[str], low: Floats, central: Floats, high: Floats, external: tuple[External, ...]
) -> Scenarios:
    """The scenarios for `tornado_table`: constants (constant,) at both ends, in every external scenario."""
    values, worlds = tornado_design(low, central, high).T, len(external)
    draws = np.arange(values.shape[1])
    return Scenarios(
        tuple(keys),
        np.repeat(values, worlds, axis=1),
        external,
        np.tile(np.arange(worlds), len(draws)),
        np.repeat(draws, worlds),
    )


def tornado_table(
    scenarios: Scenarios, values: Floats, factors: Sequence[str], outputs: Sequence[str]
) -> DataFrame:
    """`tornado` for values (scenario, output) of `tornado_scenarios`, with the column external in front."""
    return _below(
        [
            _labelled(tornado(values[rows], factors, outputs), external, scenarios.keys, factors)
            for external, rows in _worlds(scenarios)
        ]
    )


def failing_futures(
    scenarios: Scenarios, fails: Floats, factors: Sequence[str], seed: int
) -> dict[str, Discovery]:
    """`discover` for fails (scenario,) of a random design, by name of the external scenario."""
    found = {}
    for external, rows in _worlds(scenarios):
        free = [k for k, key in enumerate(scenarios.keys) if not _fixes(external, key)]
        points = scenarios.values[free][:, rows].T
        found[external.name] = discover(points, fails[rows], [factors[k] for k in free], seed)
    return found


def _tables(
    design: Design,
    seed: int,
    levels: int,
    points: Floats,
    values: Floats,
    factors: Sequence[str],
    outputs: Sequence[str],
) -> dict[str, DataFrame]:
    """The tables of one external scenario, for points (draw, factor) and values (draw, output)."""
    if design == "saltelli":
        return {"sobol_indices": sobol_indices(values, factors, outputs)}
    if design == "morris":
        size = len(factors)
        unit = morris_design(len(points) // (size + 1), size, levels, seed)
        return {"morris_screening": morris_screening(unit, values, factors, outputs)}
    return {
        "explained_shares": explained_shares(points, values, factors, outputs),
        "partial_dependence": partial_dependence(points, values, factors, outputs),
    }


def _worlds(scenarios: Scenarios) -> Iterator[tuple[External, NDArray[np.intp]]]:
    """Every external scenario with the positions of its scenarios, in the order of the draws."""
    for place, external in enumerate(scenarios.external):
        yield external, np.flatnonzero(scenarios.world == place)


def _fixes(external: External, key: str) -> bool:
    """Whether a constant is not drawn in an external scenario."""
    return key in external.constants or key in external.paths


def _labelled(table: DataFrame, external: External, keys: Sequence[str], factors: Sequence[str]) -> DataFrame:
    """A table with its external scenario, without the factors that this one fixes."""
    fixed = [name for key, name in zip(keys, factors, strict=True) if _fixes(external, key)]
    kept = table[~table["factor"].isin(fixed)].copy()
    kept.insert(0, "external", external.name)
    return kept


def _below(tables: Sequence[DataFrame]) -> DataFrame:
    """Tables below each other."""
    import pandas as pd

    return pd.concat(tables).reset_index(drop=True)
