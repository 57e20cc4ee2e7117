"""Figures that stand in summary.json and a table, or in two tables, are the same in both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from agreement import apart
from origin import Origin

LEAST = {"example": 20, "explained": 8, "sweep": 20, "robust": 4, "forms": 6, "districts": 8}
"""Kind of results -> how many figures stand in two places, at least."""


@pytest.mark.parametrize("kind", LEAST)
def test_what_stands_in_two_places_is_the_same(folders: Callable[[str], Path], kind: str) -> None:
    count, different = apart(Origin(folders(kind)))
    assert count >= LEAST[kind]
    assert different == []
