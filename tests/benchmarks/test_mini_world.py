"""The mini-world has the equations of two public copies of Bossel's model (sources in the model file)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model
from sdopt.source_model.replay import replay

CONFIG = Path(__file__).resolve().parents[2] / "benchmarks" / "problems" / "mini-world" / "config.yaml"


def systo(goal: float, steps: int, step: float) -> np.ndarray:
    """As the copy for Systo has it, without its noise: population, pollution, capacity (step, 3)."""
    population, pollution, capacity = 1.0, 1.0, 1.0
    rows = [(population, pollution, capacity)]
    for _ in range(steps):
        quality = 1 / pollution
        births, deaths = 0.03 * population * quality * capacity, 0.01 * population * pollution
        regenerated = 0.1 * pollution if quality > 1 else 0.1 * 1
        grown = 0.05 * capacity * pollution * (1 - capacity * pollution / goal)
        polluted = 0.02 * population * capacity
        population += step * (births - deaths)
        pollution += step * (polluted - regenerated)
        capacity += step * grown
        rows.append((population, pollution, capacity))
    return np.array(rows)


def sketch(factor: float, steps: int, step: float) -> np.ndarray:
    """As the sketch after Bossel (1994) has it, with saturation at one over a factor."""
    people, load, use = 1.0, 1.0, 1.0
    rows = [(people, load, use)]
    for _ in range(steps):
        quality = 1 / load
        cleaned = 0.1 * load if quality >= 1 else 0.1 * load * quality
        changes = (
            0.03 * people * quality * use - 0.01 * people * load,
            0.02 * use * people - cleaned,
            0.05 * use * load * (1 - use * load * factor),
        )
        people, load, use = (old + step * new for old, new in zip(rows[-1], changes, strict=True))
        rows.append((people, load, use))
    return np.array(rows)


@pytest.mark.parametrize("goal", [2.0, 10.0, 1 / 0.03])
def test_the_model_in_pysd_is_what_both_copies_give(goal: float) -> None:
    loaded = load_config(CONFIG)
    model = read_model(loaded.config.model.file)
    grid = build_problem(loaded, model.system).grid
    keys = {variable.name: key for key, variable in model.system.variables.items()}
    theirs = replay(model, {keys["consumption control"]: goal}, {}, grid)
    found = theirs[[keys[name] for name in ("Population", "Pollution", "Production")]].to_numpy()
    assert found == pytest.approx(systo(goal, grid.steps, grid.step), rel=1e-9)
    assert found == pytest.approx(sketch(1 / goal, grid.steps, grid.step), rel=1e-9)
    assert np.ptp(found, axis=0).min() > 0.1  # all three stocks move
