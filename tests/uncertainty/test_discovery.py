"""Scenario discovery on planted boxes, on chance alone, and on too little."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, qmc

from sdopt.uncertainty.discovery import Discovery, discover

NAMES = [f"x{k}" for k in range(8)]
Ends = dict[str, tuple[float | None, float | None]]


def _sample(seed: int, count: int = 1000) -> np.ndarray:
    return qmc.LatinHypercube(len(NAMES), rng=seed).random(count)


def _drawn(chance: np.ndarray, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(chance)) < chance).astype(float)


def _ends(found: Discovery) -> list[Ends]:
    return [{r.factor: (r.low, r.high) for r in box.restrictions} for box in found.boxes]


def _near(found: Ends, truth: Ends, tolerance: float) -> bool:
    """Whether restrictions are on the same factors and sides, and about as far."""
    if found.keys() != truth.keys():
        return False
    pairs = [pair for name in truth for pair in zip(found[name], truth[name], strict=True)]
    return all(a is b is None or (None not in (a, b) and abs(a - b) <= tolerance) for a, b in pairs)


CORNER = (lambda x: (x[:, 0] > 0.6) & (x[:, 3] < 0.4), [{"x0": (0.6, None), "x3": (None, 0.4)}])
RARE = (lambda x: (x[:, 1] > 0.8) & (x[:, 2] < 0.3), [{"x1": (0.8, None), "x2": (None, 0.3)}])
SIDE = (lambda x: x[:, 5] < 0.3, [{"x5": (None, 0.3)}])
MIDDLE = (
    lambda x: (np.abs(x[:, 0] - 0.5) < 0.2) & (np.abs(x[:, 3] - 0.5) < 0.25),
    [{"x0": (0.3, 0.7), "x3": (0.25, 0.75)}],
)
TWO = (
    lambda x: (x[:, 0] > 0.8) | ((x[:, 1] < 0.3) & (x[:, 2] < 0.5)),
    [{"x0": (0.8, None)}, {"x1": (None, 0.3), "x2": (None, 0.5)}],
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("inside", "truth"), [CORNER, RARE, SIDE, MIDDLE, TWO], ids=["corner", "rare", "side", "middle", "two"]
)
def test_planted_boxes_are_found(inside, truth: list[Ends], seed: int) -> None:
    points = _sample(seed, 2000)
    found = discover(points, _drawn(np.where(inside(points), 0.95, 0.02), seed + 50), NAMES, seed)
    ends = _ends(found)
    assert len(ends) == len(truth)
    # A rare failure weighs more than the rest, so that its box is less sharp.
    tolerance, density = (0.1, 0.6) if found.failures < 200 else (0.06, 0.8)
    assert all(any(_near(one, other, tolerance) for one in ends) for other in truth)
    assert found.density > density
    assert found.coverage > 0.6
    assert found.reason == ""


def test_what_is_said_of_a_box_holds_in_futures_never_seen() -> None:
    """Coverage, density, support and their p-value are not flattered by the search."""
    points, fresh = _sample(1), _sample(2, 100_000)
    chance = lambda x: np.where((x[:, 0] > 0.6) & (x[:, 3] < 0.4), 0.7, 0.1)  # noqa: E731
    said, seen = [], []
    for seed in range(20):
        found = discover(points, _drawn(chance(points), seed), NAMES, seed)
        box = found.boxes[0]
        low, high = np.full(8, -np.inf), np.full(8, np.inf)
        for r in box.restrictions:
            k = NAMES.index(r.factor)
            low[k], high[k] = -np.inf if r.low is None else r.low, np.inf if r.high is None else r.high
        inside = ((fresh > low) & (fresh <= high)).all(axis=1)
        rate = chance(fresh)
        said.append((box.density, box.coverage, box.support))
        seen.append((rate[inside].mean(), rate[inside].sum() / rate.sum(), inside.mean()))
    difference = np.subtract(said, seen)
    error = difference.std(axis=0, ddof=1) / 20**0.5
    assert (np.abs(difference.mean(axis=0)) < 3 * error + 0.005).all()


def test_p_values_are_binomial() -> None:
    """One factor decides all: counted by hand in the judging half."""
    points = _sample(3, 400)
    fails = (points[:, 4] > 0.75).astype(float)
    box = discover(points, fails, NAMES, 1).boxes[0]
    inside = round(box.support * 200)
    failing = round(box.density * inside)
    assert box.p_value == pytest.approx(binom.sf(failing - 1, inside, 0.25), rel=1e-9)
    assert box.restrictions[0].p_value == box.p_value
    assert box.coverage == pytest.approx(failing / 50)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
def test_chance_alone_gives_no_box(rate: float) -> None:
    found = [
        discover(_sample(seed, 500), _drawn(np.full(500, rate), seed + 1000), NAMES, seed)
        for seed in range(40)
    ]
    empty = [one for one in found if not one.boxes]
    assert len(empty) >= 39
    assert all(one.reason and one.coverage == 0 and np.isnan(one.density) for one in empty)
    assert all(one.table().empty for one in empty)


def test_a_restriction_that_does_not_matter_is_not_named() -> None:
    points = _sample(4, 3000)
    found = discover(points, _drawn(np.where(points[:, 2] > 0.5, 0.6, 0.2), 9), NAMES, 4)
    assert [set(one) for one in _ends(found)] == [{"x2"}]


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (0, "it fails in 0 of 300 scenarios; at least 20 that fail and 20 that do not are needed"),
        (19, "it fails in 19 of 300 scenarios"),
        (290, "it fails in 290 of 300 scenarios"),
        (300, "it fails in 300 of 300 scenarios"),
    ],
)
def test_too_few_of_one_kind_are_no_ground_for_a_box(failing: int, reason: str) -> None:
    points = _sample(1, 300)
    fails = (points[:, 0].argsort().argsort() < failing).astype(float)
    found = discover(points, fails, NAMES, 1)
    assert not found.boxes
    assert found.reason.startswith(reason)
    assert (found.scenarios, found.failures) == (300, failing)


def test_scenarios_not_known_to_fail_are_left_out_and_counted() -> None:
    points = _sample(1, 600)
    fails = (points[:, 0] > 0.7).astype(float)
    unknown = fails.copy()
    unknown[::6] = np.nan
    known = np.isfinite(unknown)
    found = discover(points, unknown, NAMES, 2)
    alone = discover(points[known], fails[known], NAMES, 2)
    assert found.left_out == 100
    assert found.scenarios == 500
    pd.testing.assert_frame_equal(found.table(), alone.table())


def test_the_same_seed_gives_the_same_boxes() -> None:
    points = _sample(6)
    fails = _drawn(np.where((points[:, 0] > 0.6) & (points[:, 3] < 0.4), 0.9, 0.1), 1)
    assert discover(points, fails, NAMES, 3) == discover(points, fails, NAMES, 3)


@pytest.mark.parametrize(
    ("power", "scale", "shift"), [(1, 1e-9, 0), (1, 1e9, 0), (3, 1, 0), (5, 1e9, -7), (1, 1e-6, 2026)]
)
def test_only_the_order_of_values_matters(power: int, scale: float, shift: float) -> None:
    """Also for small differences of large numbers, which single precision cannot tell apart."""
    points = _sample(6, 400)
    fails = (points[:, 0] > 0.6).astype(float)
    other = shift + scale * points**power
    box, same = discover(points, fails, NAMES, 3).boxes[0], discover(other, fails, NAMES, 3).boxes[0]
    assert (box.coverage, box.density, box.support) == (same.coverage, same.density, same.support)
    low = same.restrictions[0].low
    assert low is not None
    assert ((other[:, 0] > low) == (points[:, 0] > box.restrictions[0].low)).all()


def test_the_table_has_one_row_per_restriction() -> None:
    points = _sample(6)
    found = discover(points, (CORNER[0](points)).astype(float), NAMES, 3)
    table = found.table()
    assert table["factor"].tolist() == ["x0", "x3"]
    assert table["box"].tolist() == [1, 1]
    assert np.isnan(table["high"][0])
    assert np.isnan(table["low"][1])
    assert set(table["box_coverage"]) == {found.coverage}
