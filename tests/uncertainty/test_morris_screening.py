"""Morris screening against effects known by hand, and SALib."""

import numpy as np
import pytest

from sdopt.errors import ConfigError
from sdopt.uncertainty.sensitivity.designs import TAIL, morris_design
from sdopt.uncertainty.sensitivity.morris import morris_screening

NAMES = ["a", "b", "c", "d"]


def _curved(points: np.ndarray) -> np.ndarray:
    return points[:, 0] * points[:, 1] + 3 * points[:, 2] ** 2


@pytest.mark.parametrize("levels", [2, 4, 6, 10])
def test_every_factor_moves_once_in_every_trajectory(levels: int) -> None:
    design = morris_design(30, 4, levels, 1)
    moves = np.diff(design.reshape(30, 5, 4), axis=1)
    step = (1 - 2 * TAIL) * levels / 2 / (levels - 1)
    assert ((moves != 0).sum(axis=1) == 1).all()
    assert ((moves != 0).sum(axis=2) == 1).all()
    np.testing.assert_allclose(np.abs(moves[moves != 0]), step)
    np.testing.assert_allclose(np.unique(design.round(12)), np.linspace(TAIL, 1 - TAIL, levels))


def test_trajectories_go_both_ways_and_in_every_order() -> None:
    moves = np.diff(morris_design(200, 2, 4, 1).reshape(200, 3, 2), axis=1)
    ups = (moves > 0).sum(axis=1).mean(axis=0)
    assert ups == pytest.approx([0.5, 0.5], abs=0.12)
    assert (moves[:, 0, 0] != 0).mean() == pytest.approx(0.5, abs=0.12)


def test_the_seed_decides_the_design() -> None:
    assert np.array_equal(morris_design(4, 3, 4, 9), morris_design(4, 3, 4, 9))
    assert not np.array_equal(morris_design(4, 3, 4, 9), morris_design(4, 3, 4, 10))


@pytest.mark.parametrize(
    ("trajectories", "levels", "message"),
    [
        (1, 4, "1 trajectories .*at least 2"),
        (9, 5, "5 levels .*even number"),
        (9, 0, "0 levels .*at least 2"),
    ],
)
def test_designs_that_cannot_be_are_refused(trajectories: int, levels: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        morris_design(trajectories, 3, levels, 1)


def test_straight_effects_are_exact() -> None:
    design = morris_design(10, 4, 4, 2)
    table = morris_screening(design, design @ [2.0, -3.0, 0.0, 0.5], NAMES, ["y"])
    assert table["mu"].to_numpy() == pytest.approx([2, -3, 0, 0.5])
    assert table["mu_star"].to_numpy() == pytest.approx([2, 3, 0, 0.5])
    assert table["sigma"].to_numpy() == pytest.approx([0] * 4, abs=1e-12)
    assert table["mu_star_low"].to_numpy() == pytest.approx(table["mu_star_high"].to_numpy())


def test_interactions_and_bends_show_in_sigma() -> None:
    design = morris_design(2000, 4, 4, 2)
    table = morris_screening(design, np.column_stack([_curved(design), design[:, 3]]), NAMES, ["y", "z"])
    y = table[table["output"] == "y"]
    # Effect of a is b, of four levels as often; of c it is 3 (c + c') for the two steps there are.
    levels = np.linspace(TAIL, 1 - TAIL, 4)
    bends = 3 * np.array([levels[0] + levels[2], levels[1] + levels[3]])
    assert y["mu"].to_numpy() == pytest.approx([0.5, 0.5, 3, 0], abs=0.03)
    assert y["sigma"].to_numpy() == pytest.approx([levels.std(), levels.std(), bends.std(), 0], abs=0.02)
    assert list(table.loc[table["output"] == "z", "mu"]) == pytest.approx([0, 0, 0, 1])


def test_salib_gives_the_same_measures() -> None:
    from SALib.analyze import morris

    design = morris_design(40, 4, 6, 3)
    classic = (design - TAIL) / (1 - 2 * TAIL)
    values = _curved(design)
    problem = {"num_vars": 4, "names": NAMES, "bounds": [[0, 1]] * 4}
    theirs = morris.analyze(problem, classic, values, num_levels=6, num_resamples=2000, seed=1)
    ours = morris_screening(design, values, NAMES, ["y"])
    for name in ("mu", "mu_star", "sigma"):
        scaled = np.asarray(theirs[name], dtype=float) / (1 - 2 * TAIL)
        np.testing.assert_allclose(ours[name], scaled, atol=1e-12, rtol=1e-9)
    half = (ours["mu_star_high"] - ours["mu_star"]).to_numpy()
    np.testing.assert_allclose(half, np.asarray(theirs["mu_star_conf"], dtype=float), rtol=0.15, atol=1e-3)


def test_the_interval_holds_the_mean_size_that_very_many_trajectories_give() -> None:
    truth = morris_screening(design := morris_design(20000, 4, 4, 0), _curved(design), NAMES, ["y"])[
        "mu_star"
    ]
    held = []
    for seed in range(1, 201):
        table = morris_screening(design := morris_design(20, 4, 4, seed), _curved(design), NAMES, ["y"])
        held.append((table["mu_star_low"] <= truth) & (truth <= table["mu_star_high"]))
    assert 0.90 <= np.mean(held, axis=0)[:3].mean() <= 0.99


def test_a_failed_run_leaves_out_only_its_own_effects() -> None:
    design = morris_design(10, 4, 4, 2)
    values = design @ [2.0, -3.0, 0.0, 0.5]
    values[2], values[49] = np.nan, np.inf
    table = morris_screening(design, values, NAMES, ["y"])
    assert table["left_out"].sum() == 3
    assert (table["effects"] + table["left_out"] == 10).all()
    assert table["mu"].to_numpy() == pytest.approx([2, -3, 0, 0.5])


def test_too_few_effects_give_nan_and_a_reason() -> None:
    design = morris_design(3, 4, 4, 2)
    values = design.sum(axis=1)
    values[5:] = np.nan
    table = morris_screening(design, values, NAMES, ["y"])
    assert table[["mu", "mu_star", "mu_star_low", "mu_star_high", "sigma"]].isna().all(axis=None)
    assert (table["reason"] == "1 effects without a failed run; 2 are needed").all()


def test_an_output_that_is_always_the_same_has_no_effects() -> None:
    design = morris_design(3, 4, 4, 2)
    table = morris_screening(design, np.full(len(design), 7.0), NAMES, ["y"])
    assert (table[["mu", "mu_star", "sigma"]] == 0).all(axis=None)


def test_another_design_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one factor"):
        morris_screening(np.random.default_rng(1).random((10, 4)), np.zeros(10), NAMES, ["y"])
