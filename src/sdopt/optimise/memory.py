"""What was worked out before and need not be again; this one forgets, `checkpoint` has one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float64]]


class Memory:
    """Answers by kind and question; what was asked to the last bit has one answer.

    A search asks the same questions in the same order each time it runs, and so goes the same way
    whether answers are worked out or remembered.
    """

    def recall(self, kind: str, question: NDArray[np.float64]) -> Arrays | None:
        """The answer to a question, or None."""
        return None

    def keep(self, kind: str, question: NDArray[np.float64], answer: Arrays) -> None:
        """Note an answer."""


def digest(kind: str, question: NDArray[np.float64]) -> str:
    """A name for a question: its kind, shape and every bit."""
    exact = np.ascontiguousarray(question, dtype="<f8")
    return sha256(f"{kind} {exact.shape} ".encode() + exact.tobytes()).hexdigest()
