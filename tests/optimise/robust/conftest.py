"""Questions over scenarios of which some constants are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdopt.config.robust import Robust
from sdopt.optimise.robust.regret import ScenarioBests
from sdopt.optimise.robust.run import RobustAnswer, optimise_robust
from sdopt.problem.build import Problem
from sdopt.problem.meaning import resolve
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

DATA = Path(__file__).resolve().parents[2] / "data" / "robust"
Ask = Callable[..., Problem]
Solve = Callable[..., RobustAnswer]


def scenarios_of(problem: Problem, drawn: Mapping[str, Any]) -> Scenarios:
    """Equally likely scenarios of constants by name: (scenario,)."""
    keys = tuple(resolve(name, problem.system).key for name in drawn)
    values = np.array([np.asarray(value, dtype=float) for value in drawn.values()])
    count = values.shape[1]
    worlds = (External(CENTRAL, {}, {}),)
    return Scenarios(keys, values, worlds, np.zeros(count, dtype=np.intp), np.arange(count))


@pytest.fixture
def robust(ask: Ask) -> Solve:
    """`robust({constant: values}, measures=..., changes=...)`: robust allocations of the small question."""

    def solve(
        drawn: Mapping[str, Any],
        *measures: str,
        changes: Mapping[str, Any] | None = None,
        name: str = "orders",
        base: Path = DATA,
        bests: ScenarioBests | None = None,
        **settings: Any,
    ) -> RobustAnswer:
        problem = ask(name, dict(changes or {}), base=base)
        asked = Robust(measures=measures, **{"gap": 1e-6, **settings})
        return optimise_robust(problem, scenarios_of(problem, drawn), asked, bests=bests)

    return solve
