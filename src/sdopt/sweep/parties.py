"""Whose gains a sweep keeps: every pocket of the ledger, and every perspective on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdopt.config.ledger import NOT_SPLIT
from sdopt.problem.functionals import Functional
from sdopt.problem.ledger import Ledger

Floats = NDArray[np.float64]
Kind = Literal["pocket", "perspective"]


@dataclass(frozen=True)
class Party:
    """Who may gain or pay. Every entry of the ledger counts for `weights` (entry,), in `unit`.

    The pockets together are all entries once, what nobody gets included; perspectives overlap.
    """

    kind: Kind
    name: str
    weights: tuple[float, ...]
    unit: str

    @property
    def column(self) -> str:
        """What the table of runs calls it."""
        return f"{self.kind} {self.name}"


def entry_sums(ledger: Ledger | None) -> tuple[Functional, ...]:
    """The present value of every entry of a ledger; none without."""
    if ledger is None:
        return ()
    return tuple(Functional(e.effect, None, {e.key: e.present}, ledger.unit) for e in ledger.entries)


def parties_of(ledger: Ledger | None) -> tuple[Party, ...]:
    """The pockets, then what is not split over them, if anything, then the perspectives."""
    if ledger is None:
        return ()
    entries, pockets = ledger.entries, [*ledger.pockets]
    if any(NOT_SPLIT in entry.weights for entry in entries):
        pockets.append(NOT_SPLIT)
    of_pocket = {name: tuple(entry.weights.get(name, 0.0) for entry in entries) for name in pockets}
    found = [Party("pocket", name, weights, ledger.unit) for name, weights in of_pocket.items()]
    for one in ledger.perspectives:
        weights = tuple(one.weight(entry) or 0.0 for entry in entries)
        found.append(Party("perspective", one.name, weights, ledger.unit))
    return tuple(found)


def gains_of(parties: tuple[Party, ...], sums: Floats) -> Floats:
    """What parties gain (allocation, scenario, party), from sums (allocation, scenario, entry).

    The first allocation is what the others are compared with.
    """
    differences = sums - sums[0]
    if not parties:
        return np.empty((*sums.shape[:2], 0))
    # A sparse product adds up in one order on every machine; a dense one does not.
    matrix = sparse.csr_matrix([party.weights for party in parties])
    flat = differences.reshape(-1, sums.shape[2]).T
    return np.asarray(matrix @ flat).T.reshape(*sums.shape[:2], len(parties))
