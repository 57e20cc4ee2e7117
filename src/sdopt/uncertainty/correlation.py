"""Draws that are high or low together: the same numbers in another order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def correlated(unit: Floats, matrix: Floats) -> Floats:
    """A design of which the constants go together; what one constant has over all draws stays the same set.

    The order is that of a Gaussian copula: normal scores of the draws, freed of the correlation that they
    have by chance, are given that of `matrix`, and every constant's draws are put in the order of its
    scores. So a Latin hypercube stays one. Constants without a correlation keep their order.

    Parameters
    ----------
    unit : (constant, draw) shares between 0 and 1, of independent constants
    matrix : (constant, constant) correlations of normal scores, without negative eigenvalues

    Returns
    -------
    (constant, draw) array

    Source
    ------
    Iman and Conover 1982, doi 10.1080/03610918208812265.
    """
    from scipy.special import ndtri

    found = unit.copy()
    involved = np.flatnonzero((matrix != np.eye(len(matrix))).any(axis=1))
    if not len(involved):
        return found
    scores = _independent(ndtri(unit[involved]))
    sizes, axes = np.linalg.eigh(matrix[np.ix_(involved, involved)])
    together = axes * np.sqrt(np.maximum(sizes, 0.0)) @ axes.T @ scores
    for row, wanted in zip(involved, together, strict=True):
        found[row, np.argsort(wanted, kind="stable")] = np.sort(unit[row])
    return found


def _independent(scores: Floats) -> Floats:
    """Scores without the correlation that a sample has by chance; as they are when there are too few."""
    if scores.shape[1] <= len(scores) + 1:
        return scores
    centred = scores - scores.mean(axis=1, keepdims=True)
    sizes, axes = np.linalg.eigh(np.corrcoef(centred))
    deviations = centred.std(axis=1, keepdims=True)
    return np.asarray(axes / np.sqrt(sizes) @ axes.T @ (centred / deviations))
