"""Rank correlations of a config as a matrix, and whether such numbers can exist together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sdopt.config.document import Complain, Place
from sdopt.config.names import same_name
from sdopt.config.uncertainty import Correlation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROUNDING = 1e-9
ROUNDS = 2000
DECIMALS = 3
"""Decimals of the nearest numbers that are allowed."""


def check_correlations(correlations: Mapping[int, Correlation], complain: Complain) -> None:
    """Call `complain(place, message)` for every rule that needs no model."""
    seen: dict[frozenset[str], int] = {}
    fit = {}
    for number, one in correlations.items():
        place: Place = ("correlations", number)
        pair = frozenset(map(same_name, one.between))
        if len(pair) == 1:
            complain((*place, "between"), f'"{one.between[0]}" twice; name two different constants')
        elif seen.setdefault(pair, number) != number:
            complain((*place, "between"), "the correlation of these two is listed already; keep one")
        elif not -1 <= one.rank <= 1:
            complain((*place, "rank"), f"{one.rank:g} is not between -1 and 1; 0.5 is a middling one")
        else:
            fit[number] = one
    for group in _groups(fit):
        _check_together(group, complain)


def normal_matrix(names: Sequence[str], correlations: Iterable[Correlation]) -> NDArray[np.float64]:
    """Correlations (name, name) of the normal scores that give the rank correlations asked for.

    `names` are as `same_name` makes them; a correlation with another name is left out.

    Source
    ------
    Pearson 1907: of two normal variables with correlation r, the rank correlation is 6/pi asin(r/2).
    """
    import numpy as np

    matrix, place = np.eye(len(names)), {name: k for k, name in enumerate(names)}
    for one in correlations:
        first, second = (place.get(same_name(name)) for name in one.between)
        if first is not None and second is not None:
            matrix[first, second] = matrix[second, first] = 2 * np.sin(np.pi / 6 * one.rank)
    return matrix


def possible(matrix: NDArray[np.float64]) -> bool:
    """Whether a matrix of correlations has no negative eigenvalue."""
    import numpy as np

    return bool(np.linalg.eigvalsh(matrix)[0] >= -ROUNDING)


def _names(correlations: Iterable[Correlation]) -> list[str]:
    return list(dict.fromkeys(same_name(name) for one in correlations for name in one.between))


def _groups(correlations: Mapping[int, Correlation]) -> list[dict[int, Correlation]]:
    """Correlations that hang together through shared constants, as they can only be judged together."""
    groups: list[dict[int, Correlation]] = []
    for number, one in correlations.items():
        mine = set(map(same_name, one.between))
        near = [group for group in groups if mine & set(_names(group.values()))]
        groups = [group for group in groups if group not in near]
        merged = {key: value for group in near for key, value in group.items()}
        groups.append({**merged, number: one})
    return groups


def _check_together(group: Mapping[int, Correlation], complain: Complain) -> None:
    names = _names(group.values())
    matrix = normal_matrix(names, group.values())
    if possible(matrix):
        return
    told = [f"{one.between[0]} with {one.between[1]} {one.rank:g}" for one in group.values()]
    nearest = _nearest(matrix, names, group.values())
    first = next(iter(group))
    complain(
        ("correlations", first),
        f"these cannot hold together: {'; '.join(told)}. The nearest that can, in this order: "
        f"{', '.join(f'{rank:g}' for rank in nearest)}; use those, or give the other pairs a correlation",
    )


def _nearest(matrix: NDArray[np.float64], names: Sequence[str], group: Iterable[Correlation]) -> list[float]:
    """Rank correlations that can exist, nearest to those asked for; pairs not named stay without one.

    Dykstra's alternating projections, on matrices without negative eigenvalues and on those with ones on the
    diagonal and zeros at pairs not named; then so much nearer to none that rounding cannot undo it.

    Source
    ------
    Higham 2002, doi 10.1093/imanum/22.3.329.
    """
    import numpy as np

    places = [tuple(names.index(same_name(name)) for name in one.between) for one in group]
    named, found, shift = np.zeros(matrix.shape, dtype=bool), matrix, np.zeros_like(matrix)
    named[tuple(np.transpose(places))] = True
    for _ in range(ROUNDS):
        sizes, axes = np.linalg.eigh(found - shift)
        allowed = axes * np.maximum(sizes, 0) @ axes.T
        shift = allowed - (found - shift)
        found = np.where(named | named.T, allowed, 0.0)
        np.fill_diagonal(found, 1.0)
    lowest = min(np.linalg.eigvalsh(found)[0], 0.0)
    share = (1 - len(names) * 10.0**-DECIMALS) / (1 - lowest)
    return [round(float(6 / np.pi * np.arcsin(share * found[place] / 2)), DECIMALS) for place in places]
