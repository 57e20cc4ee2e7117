"""Sobol indices against known functions, SALib, and properties that hold for any function."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.errors import ConfigError
from sdopt.uncertainty.sensitivity.designs import REPLICATES, SMALLEST, saltelli_design
from sdopt.uncertainty.sensitivity.sobol import sobol_indices

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
INDICES = ["first", "total"]
NUMBERS = [f"{name}{end}" for name in INDICES for end in ("", "_low", "_high")]
NAMES = ["a", "b", "c"]
SEEDS = 100


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def _wavy(points: np.ndarray) -> np.ndarray:
    return np.sin(5 * points[:, 0]) + points[:, 1] ** 2 * points[:, 2] + 40


@pytest.mark.parametrize("which", [0, 1], ids=["Ishigami", "g-function"])
def test_error_and_coverage_with_8192_base_points(which: int) -> None:
    from known_functions import KNOWN
    from sobol_indices import measure

    error, held = measure(KNOWN[which], 8192, SEEDS)
    assert error.shape == held.shape == (SEEDS, 2 * KNOWN[which].size)
    assert error.max() <= 0.02
    assert 0.90 <= held.mean() <= 0.99
    assert held.mean(axis=0).min() >= 0.90
    assert held.mean(axis=0).max() <= 0.99


def test_the_known_indices_are_right() -> None:
    """By Gauss quadrature, which knows no estimator and no formula for these functions."""
    from known_functions import KNOWN

    ishigami, g = KNOWN
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x, w = (nodes + 1) / 2, weights / 2
    cube = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1)
    values = ishigami.call(cube)
    mean = np.einsum("ijk,i,j,k", values, w, w, w)
    variance = np.einsum("ijk,i,j,k", (values - mean) ** 2, w, w, w)
    alone = [np.einsum(f"ijk,{others}", values, w, w) for others in ("j,k", "i,k", "i,j")]
    rest = [np.tensordot(values, w, (k, 0)) for k in range(3)]
    first = [w @ (one - mean) ** 2 / variance for one in alone]
    total = [1 - np.einsum("ij,i,j", (one - mean) ** 2, w, w) / variance for one in rest]
    assert [mean, variance] == pytest.approx([ishigami.mean, ishigami.variance])
    assert first == pytest.approx(ishigami.first, abs=1e-10)
    assert total == pytest.approx(ishigami.total, abs=1e-10)
    # Products of independent factors: only their own means and variances matter.
    parts = np.array([g.call(np.insert(np.full((60, 7), 0.75), k, x, axis=1)) for k in range(8)])
    spread = (w * (parts - 1) ** 2).sum(axis=1)
    assert g.first == pytest.approx(spread / (np.prod(1 + spread) - 1), rel=1e-3)


def test_salib_gives_the_same_indices() -> None:
    from SALib.analyze import sobol

    points = saltelli_design(256, 3, 7)
    values = _wavy(points)
    problem = {"num_vars": 3, "names": NAMES, "bounds": [[0, 1]] * 3}
    theirs = sobol.analyze(problem, values, calc_second_order=False, seed=1)
    ours = sobol_indices(values, NAMES, ["y"])
    assert ours["first"].to_numpy() == pytest.approx(theirs["S1"], abs=1e-12)
    assert ours["total"].to_numpy() == pytest.approx(theirs["ST"], abs=1e-12)


def test_intervals_are_those_of_replicates_that_were_analysed_apart() -> None:
    """With ratios that hardly vary, the interval is Student's over the replicates' own indices."""
    points = saltelli_design(8192, 3, 7)
    values = _wavy(points)
    ours = sobol_indices(values, NAMES, ["y"])
    from SALib.analyze import sobol

    problem = {"num_vars": 3, "names": NAMES, "bounds": [[0, 1]] * 3}
    apart = [
        sobol.analyze(problem, part, calc_second_order=False, seed=1, num_resamples=2)["S1"]
        for part in np.split(values, REPLICATES)
    ]
    half = 2.364624 * np.std(apart, axis=0, ddof=1) / REPLICATES**0.5
    assert (ours["first_high"] - ours["first"]).to_numpy() == pytest.approx(half, rel=0.1)


def test_many_outputs_are_those_of_one_at_a_time() -> None:
    points = saltelli_design(64, 3, 1)
    values = np.column_stack([_wavy(points), points[:, 0], points.prod(axis=1)])
    together = sobol_indices(values, NAMES, ["x", "y", "z"])
    apart = [sobol_indices(column, NAMES, [name]) for column, name in zip(values.T, "xyz", strict=True)]
    pd.testing.assert_frame_equal(together, pd.concat(apart, ignore_index=True))
    assert list(together["output"]) == ["x"] * 3 + ["y"] * 3 + ["z"] * 3
    assert list(together["factor"]) == NAMES * 3


def test_a_factor_alone_and_a_factor_without_effect() -> None:
    points = saltelli_design(4096, 3, 1)
    table = sobol_indices(points[:, 1] * 5, NAMES, ["y"])
    assert table["total"].to_numpy() == pytest.approx([0, 1, 0], abs=0.01)
    assert table["first"].to_numpy() == pytest.approx([0, 1, 0], abs=0.01)
    assert list(table.loc[[0, 2], "total"]) == [0, 0]


@given(shift=st.floats(-1e6, 1e6), scale=st.floats(1e-200, 1e200), sign=st.sampled_from([-1, 1]))
@settings(max_examples=30, deadline=None)
def test_unit_and_zero_point_do_not_matter(shift: float, scale: float, sign: int) -> None:
    values = _wavy(saltelli_design(64, 3, 2))
    table = sobol_indices(values, NAMES, ["y"])
    other = sobol_indices(sign * scale * (values + shift), NAMES, ["y"])
    np.testing.assert_allclose(other[NUMBERS], table[NUMBERS], atol=1e-7)


def test_a_failed_run_leaves_out_its_whole_base_point() -> None:
    points = saltelli_design(1024, 3, 3)
    values = _wavy(points)
    failed = values.copy()
    failed[[7, 12, 13, 999]] = np.nan, np.inf, -np.inf, np.nan
    garbage = failed.copy()
    garbage[[5, 6, 8, 9, 10, 11, 14]] = 1e9
    table = sobol_indices(failed, NAMES, ["y"])
    pd.testing.assert_frame_equal(table, sobol_indices(garbage, NAMES, ["y"]))
    assert set(table["base_points"]) == {1021}
    assert set(table["left_out"]) == {3}
    whole = sobol_indices(values, NAMES, ["y"])
    np.testing.assert_allclose(table[INDICES], whole[INDICES], atol=5e-3)
    assert not np.array_equal(table[INDICES], whole[INDICES])


def test_a_failure_in_one_output_does_not_touch_another() -> None:
    values = np.column_stack([_wavy(saltelli_design(64, 3, 3))] * 2)
    values[3, 0] = np.nan
    table = sobol_indices(values, NAMES, ["failed", "whole"])
    assert list(table["left_out"]) == [1] * 3 + [0] * 3


def test_a_whole_replicate_that_failed() -> None:
    values = _wavy(saltelli_design(1024, 3, 3))
    values[: len(values) // REPLICATES] = np.nan
    table = sobol_indices(values, NAMES, ["y"])
    whole = sobol_indices(_wavy(saltelli_design(1024, 3, 3)), NAMES, ["y"])
    np.testing.assert_allclose(table[INDICES], whole[INDICES], atol=0.05)
    assert (table["reason"] == "").all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda y: np.full_like(y, 3.0), "the same in every scenario"),
        (lambda y: 1e6 + 1e-9 * (y > 40.5), "the same in every scenario"),
        (
            lambda y: np.where(np.arange(len(y)) < 10, y, np.nan),
            "too few base points without a failed run (2 of 64)",
        ),
        (lambda y: y * np.nan, "too few base points without a failed run (0 of 64)"),
    ],
    ids=["constant", "rounding", "one replicate", "all failed"],
)
def test_undefined_indices_are_nan_with_a_reason(change, reason: str) -> None:
    values = change(_wavy(saltelli_design(64, 3, 3)))
    table = sobol_indices(values, NAMES, ["y"])
    assert table[NUMBERS].isna().all(axis=None)
    assert table["reason"].str.contains(reason, regex=False).all()


def test_the_design_has_the_documented_layout() -> None:
    size, count = 4, 128
    design = saltelli_design(count, size, 5).reshape(count, size + 2, size)
    first, second = design[:, 0], design[:, -1]
    for k in range(size):
        mixed = first.copy()
        mixed[:, k] = second[:, k]
        np.testing.assert_array_equal(design[:, 1 + k], mixed)
    assert not (first == second).any()


def test_the_design_is_even_in_every_factor_and_replicate() -> None:
    design = saltelli_design(256, 3, 5).reshape(REPLICATES, 32, 5, 3)
    for row in (0, -1):
        cells = np.sort(np.floor(design[:, :, row] * 32), axis=1)
        np.testing.assert_array_equal(cells, np.broadcast_to(np.arange(32.0)[:, None], cells.shape))
    assert not np.array_equal(design[0], design[1])
    assert design.min() > 0
    assert design.max() < 1


def test_the_seed_decides_the_design() -> None:
    one = saltelli_design(64, 2, 9)
    assert np.array_equal(one, saltelli_design(64, 2, 9))
    assert not np.array_equal(one, saltelli_design(64, 2, 10))


@pytest.mark.parametrize(("count", "nearest"), [(0, 64), (32, 64), (100, 128), (1000, 1024), (-4, 64)])
def test_a_count_that_is_no_power_of_two_is_refused(count: int, nearest: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"{count} base points .*at least {SMALLEST} .*{nearest} for example"
    ):
        saltelli_design(count, 2, 1)


def test_rows_that_are_not_of_a_design_are_refused() -> None:
    values = _wavy(saltelli_design(128, 3, 1))
    with pytest.raises(ValueError, match="639 rows are no whole number of base points of 5 rows"):
        sobol_indices(values[:-1], NAMES, ["y"])
    with pytest.raises(ConfigError, match="127 base points"):
        sobol_indices(values[:-5], NAMES, ["y"])
    with pytest.raises(ValueError, match="1 columns of values for 2 names"):
        sobol_indices(values, NAMES, ["x", "y"])
