"""Problems built to be anything but concave, with an optimum that is known by counting or by a fine grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result, Status
from sdopt.source_model.read import read_model

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Effect = Callable[[Floats], Floats]

CONTROLS = {"INITIAL TIME": 2026, "FINAL TIME": 2029, "TIME STEP": 0.5, "SAVEPER": 1}
TIMES = "\n".join(f"{name}= {value} ~ Year ~ |" for name, value in CONTROLS.items())
WIDEST = 10.0
STEP = 0.02
"""Step of the grid for the truth; thresholds are multiples of it."""


def problem_of(folder: Path, effects: Sequence[str], cap: float | None, today: float = 0.0) -> Problem:
    """One decision `u1`, `u2`, ... per effect (its formula); return is their sum, for one year."""
    names = [f"u{k + 1}" for k in range(len(effects))]
    lines = ["{UTF-8}", f"social return= {' + '.join(effects)} ~ million EUR/Year ~ |"]
    lines += [f"{name}= {today} ~ million EUR/Year ~ |" for name in names]
    (folder / "small.mdl").write_text("\n".join([*lines, TIMES]), encoding="utf-8")
    config = {
        "schema_version": 1,
        "title": "small",
        "model": {"file": "small.mdl"},
        "horizon": {"start": 2026, "end": 2029},
        "decision_years": {"first": 2027, "last": 2027},
        "decisions": {name: {"variable": name, "bounds": [0, WIDEST]} for name in names},
        "objective": {"maximise": "social return", "discount_rate": 0},
        "search": {"audit": 200, "seed": 3},
    }
    if cap is not None:
        config["constraints"] = {"cap": {"decisions": dict.fromkeys(names, 1), "at_most": cap}}
    (folder / "small.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    loaded = load_config(folder / "small.yaml")
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def solve(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None)


def best_split(effects: Sequence[Effect], cap: float) -> float:
    """The most that effects of one decision each give together under a cap: dynamic programming on a grid."""
    grid = np.arange(round(min(cap, WIDEST) / STEP) + 1) * STEP
    room = round(cap / STEP)
    best = np.zeros(room + 1)
    for effect in effects:
        gain, wider = effect(grid), np.full(room + 1, -np.inf)
        for place, value in enumerate(gain):
            wider[place:] = np.maximum(wider[place:], best[: room + 1 - place] + value)
        best = wider
    return float(best.max())


def check(result: Result, truth: float, start: float, within: float = 1e-3) -> None:
    """The known optimum, reported as local, with several starts; nothing may be better than the truth."""
    assert result.status is Status.LOCAL
    assert result.figures["bound"] is None
    assert result.figures["improvement"] == pytest.approx(truth - start, rel=within)
    assert len(result.tables["starts"]) == 8
    assert result.figures["starts_spread"] >= 0


@pytest.mark.parametrize("seed", range(4))
def test_thresholds_in_eight_decisions_are_a_knapsack(tmp_path: Path, seed: int) -> None:
    """Each pays a lump from its threshold on: which to buy, by trying all 256 choices."""
    random = np.random.default_rng(seed)
    prices = np.round(random.uniform(1, 9, 8), 1)
    lumps = np.round(prices * random.uniform(1.1, 2.5, 8), 2)
    cap = round(float(prices.sum()) * 0.45, 1)
    lots = list(zip(prices, lumps, strict=True))
    effects = [f"IF THEN ELSE(u{k + 1} >= {p}, {g}, 0) - u{k + 1}" for k, (p, g) in enumerate(lots)]
    chosen = np.array(list(product([0, 1], repeat=8)))
    truth = float(np.where(chosen @ prices <= cap + 1e-9, chosen @ (lumps - prices), -np.inf).max())
    check(solve(problem_of(tmp_path, effects, cap)), truth, 0.0)


def s_shape(height: float, middle: float, steepness: float) -> tuple[str, Effect]:
    text = f"{height} / (1 + EXP(- {steepness} * (u - {middle}))) - 0.3 * u"
    return text, lambda u: height / (1 + np.exp(-steepness * (u - middle))) - 0.3 * u


def least_effective(height: float, least: float) -> tuple[str, Effect]:
    """Spending below a minimum does nothing; above it returns diminish."""
    text = f"IF THEN ELSE(u >= {least}, {height} * SQRT(MAX(u - {least}, 0) + 0.04), 0) - 0.3 * u"
    return (
        text,
        lambda u: np.where(u >= least - 1e-9, height * np.sqrt(np.maximum(u - least, 0) + 0.04), 0) - 0.3 * u,
    )


def wrong_sign(loss: float) -> tuple[str, Effect]:
    """A little is worse than nothing: falls first, rises later."""
    return f"u - {loss} * SQRT(1 + u)", lambda u: u - loss * np.sqrt(1 + u)


def smooth(height: float) -> tuple[str, Effect]:
    return f"{height} * SQRT(u + 0.25)", lambda u: height * np.sqrt(u + 0.25)


MIXED = {
    "S-shapes": (
        [s_shape(4, 2, 3), s_shape(6, 4, 2), s_shape(3, 1, 5), s_shape(8, 6, 1.5), s_shape(2, 3, 4)],
        9.0,
    ),
    "minimum effective spending": (
        [
            least_effective(2, 2.0),
            least_effective(3, 4.0),
            least_effective(1.5, 1.0),
            least_effective(2.5, 3.0),
        ],
        8.0,
    ),
    "wrong signs": ([wrong_sign(3), wrong_sign(2.5), smooth(1.2), wrong_sign(4)], 14.0),
    "some of each": (
        [s_shape(5, 3, 2), least_effective(2, 2.0), wrong_sign(2.2), smooth(1.0), smooth(0.7)],
        12.0,
    ),
}


@pytest.mark.parametrize("kind", MIXED)
def test_one_budget_for_effects_of_every_shape(tmp_path: Path, kind: str) -> None:
    """The truth by dynamic programming over the budget, in steps of 0.02."""
    shapes, cap = MIXED[kind]
    effects = [text.replace("u", f"u{k + 1}") for k, (text, _) in enumerate(shapes)]
    functions = [effect for _, effect in shapes]
    start = float(sum(effect(np.zeros(1))[0] for effect in functions))
    result = solve(problem_of(tmp_path, effects, cap))
    check(result, best_split(functions, cap), start, within=2e-3)


@pytest.mark.parametrize(("a", "b"), [(8.0, 7.0), (1.5, 8.5), (9.0, 0.5)])
def test_a_narrow_basin_that_is_higher(tmp_path: Path, a: float, b: float) -> None:
    """A wide hill of 3 at (4, 4), where every slope leads, and a narrow one of 5 elsewhere."""
    text = f"3 * EXP(- ((u1 - 4)^2 + (u2 - 4)^2) / 8) + 5 * EXP(- ((u1 - {a})^2 + (u2 - {b})^2) / 0.5)"
    grid = np.arange(0, WIDEST, 0.01)
    x, y = np.meshgrid(grid, grid)
    hill = 3 * np.exp(-((x - 4) ** 2 + (y - 4) ** 2) / 8)
    height = hill + 5 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.5)
    check(
        solve(problem_of(tmp_path, [text, "0 * u2"], None, 4.0)), float(height.max()), float(height[400, 400])
    )


def test_the_same_answer_twice_and_nothing_in_it_depends_on_the_hour(tmp_path: Path) -> None:
    shapes, cap = MIXED["some of each"]
    effects = [text.replace("u", f"u{k + 1}") for k, (text, _) in enumerate(shapes)]
    first, second = (solve(problem_of(tmp_path, effects, cap)) for _ in range(2))
    assert first.tables["decisions"].equals(second.tables["decisions"])
    assert first.tables["starts"].equals(second.tables["starts"])
    assert dict(first.figures) == dict(second.figures)


def test_concave_effects_keep_their_proof(tmp_path: Path) -> None:
    """The control: smooth diminishing returns are solved with a bound, and no start is needed."""
    effects = [f"{h} * SQRT(u{k + 1} + 0.25) - 0.1 * u{k + 1}" for k, h in enumerate((1.0, 2.0, 3.0))]
    result = solve(problem_of(tmp_path, effects, 8.0))
    assert result.status is Status.OPTIMAL
    assert result.figures["gap"] <= 1e-4
    assert "starts" not in result.tables
