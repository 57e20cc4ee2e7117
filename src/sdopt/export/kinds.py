"""Which kinds of run a result holds: an advice, a sweep, robust allocations, or several that were joined."""

from __future__ import annotations

from sdopt.result import Result

MARKS = {"advice": "decisions", "sweep": "thresholds", "robust": "robust_measures"}
"""Kind of run -> the table that every run of that kind has, and no other; in order of priority."""


def kinds_of(result: Result) -> tuple[str, ...]:
    """Which kinds of run a result holds; several when it was joined before."""
    return tuple(kind for kind, table in MARKS.items() if table in result.tables)
