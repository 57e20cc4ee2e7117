"""A model of two regions, and runs of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.batch.design import Design
from sdopt.source_model.read import SourceModel, read_model

MODELS = Path(__file__).parents[1] / "models"


@pytest.fixture(scope="session")
def regions() -> SourceModel:
    return read_model(MODELS / "regions.mdl")


def _design(runs: int) -> Design:
    steps = np.arange(runs)
    return Design(("rate[south]", "room"), np.array([0.1 + steps / runs / 4, 1000.0 - steps / 2]), "hash")


@pytest.fixture
def design_of() -> Callable[[int], Design]:
    """A number of runs, with rates that rise with the run, and room that falls."""
    return _design


@pytest.fixture
def design() -> Design:
    return _design(100)
