"""Partial dependence and shares explained, from Latin hypercubes, against known functions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from sdopt.uncertainty.sensitivity.partial_dependence import explained_shares, partial_dependence

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def _sample(count: int, size: int, seed: int) -> np.ndarray:
    return qmc.LatinHypercube(size, rng=seed).random(count)


@pytest.mark.parametrize("which", [0, 1], ids=["Ishigami", "g-function"])
@pytest.mark.parametrize(("count", "error"), [(1000, 0.08), (20000, 0.02)])
def test_shares_are_first_order_indices(which: int, count: int, error: float) -> None:
    from known_functions import KNOWN

    known = KNOWN[which]
    names = [f"x{k}" for k in range(known.size)]
    for seed in range(5):
        points = _sample(count, known.size, seed)
        table = explained_shares(points, known.call(points), names, ["y"])
        assert np.abs(table["share"] - known.first).max() <= error
        matters = known.first > 0.03
        assert (table["share"] > table["by_chance"])[matters].all()


def test_a_share_without_effect_is_by_chance_in_19_of_20_cases_also_with_uneven_spread() -> None:
    """Ishigami's third factor explains nothing alone, but the spread depends on it."""
    from known_functions import KNOWN

    seeds, beyond, shares = 300, 0, []
    for seed in range(seeds):
        points = np.random.default_rng(seed).random((400, 3))
        row = explained_shares(points, KNOWN[0].call(points), NAMES, ["y"]).iloc[2]
        beyond += row["share"] > row["by_chance"]
        shares.append(row["share"])
    assert 0.01 <= beyond / seeds <= 0.10
    assert np.mean(shares) == pytest.approx(0, abs=3 * np.std(shares) / seeds**0.5)


def test_dependence_follows_the_conditional_mean() -> None:
    """The mean of Ishigami given the first factor is 3.5 + (1 + pi^4 / 50) sin(x)."""
    from known_functions import KNOWN

    points = _sample(20000, 3, 1)
    table = partial_dependence(points, KNOWN[0].call(points), NAMES, ["y"], bins=20)
    a = table[table["factor"] == "a"]
    edges = np.pi * (2 * np.linspace(0, 1, 21) - 1)
    truth = 3.5 + (1 + np.pi**4 / 50) * -np.diff(np.cos(edges)) / np.diff(edges)
    distance = (a["mean"] - truth) / a["error"]
    assert np.abs(distance).max() < 4
    assert 0.5 < (distance**2).mean() < 1.6
    assert (a["scenarios"] == 1000).all()
    assert a["centre"].to_numpy() == pytest.approx(np.arange(0.025, 1, 0.05), abs=1e-3)
    assert (a["low"].to_numpy()[1:] > a["high"].to_numpy()[:-1]).all()


def test_standard_errors_by_hand() -> None:
    points = np.array([[1.0], [1], [1], [2], [2], [5]])
    table = partial_dependence(points, np.array([1.0, 2, 3, 10, 14, 7]), ["a"], ["y"])
    assert table["mean"].tolist() == [2, 12, 7]
    assert table["error"].tolist() == pytest.approx([1 / 3**0.5, 2, np.nan], nan_ok=True)
    assert table[["low", "high", "centre", "scenarios"]].to_numpy().tolist() == [
        [1, 1, 1, 3],
        [2, 2, 2, 2],
        [5, 5, 5, 1],
    ]


@given(
    values=st.lists(st.integers(0, 30).map(float), min_size=1, max_size=200),
    bins=st.integers(1, 12),
)
@settings(max_examples=80, deadline=None)
def test_bins_divide_the_scenarios(values: list[float], bins: int) -> None:
    points = np.array(values)[:, None]
    table = partial_dependence(points, points[:, 0] * 2, ["a"], ["y"], bins=bins)
    assert table["scenarios"].sum() == len(values)
    assert (table["scenarios"] > 0).all()
    assert len(table) <= bins
    assert (table["low"].to_numpy()[1:] > table["high"].to_numpy()[:-1]).all()
    assert (table["mean"] * table["scenarios"]).sum() == pytest.approx(2 * sum(values))


def test_failed_scenarios_are_left_out_and_counted() -> None:
    points = _sample(500, 3, 1)
    values = points @ [1.0, 2, 0]
    failed = np.column_stack([values, np.where(np.arange(500) % 10 == 0, np.inf, values)])
    kept = np.arange(500) % 10 != 0
    table = explained_shares(points, failed, NAMES, ["whole", "failed"])
    alone = explained_shares(points[kept], values[kept], NAMES, ["failed"])
    assert list(table["left_out"]) == [0] * 3 + [50] * 3
    assert table["share"].tolist()[3:] == alone["share"].tolist()
    means = partial_dependence(points, failed, NAMES, ["whole", "failed"])
    assert means.loc[means["output"] == "failed", "scenarios"].sum() == 3 * 450


def test_what_cannot_be_said_is_nan_with_a_reason() -> None:
    points = np.column_stack([_sample(40, 1, 1)[:, 0], np.full(40, 3.0)])
    values = np.column_stack(
        [points[:, 0], np.full(40, 5.0), np.where(np.arange(40) < 19, points[:, 0], np.nan)]
    )
    table = explained_shares(points, values, ["a", "fixed"], ["y", "constant", "failed"])
    assert table["share"].isna().tolist() == [False, True, True, True, True, True]
    assert table["reason"].tolist() == [
        "",
        "the factor is the same in every scenario",
        *["the output is the same in every scenario: there is no variance to explain"] * 2,
        *["19 scenarios without a failed run; 20 are needed"] * 2,
    ]


def test_two_values_explain_all_of_a_difference_between_them() -> None:
    points = np.repeat([[0.0], [1.0]], 15, axis=0)
    table = explained_shares(points, points[:, 0] * 4, ["a"], ["y"])
    assert table["share"].tolist() == pytest.approx([1])
    assert table["by_chance"].tolist() == [0]


def test_an_output_that_failed_everywhere_has_no_bins() -> None:
    points = _sample(40, 1, 1)
    values = np.column_stack([np.full(40, np.nan), points[:, 0]])
    table = partial_dependence(points, values, ["a"], ["failed", "y"])
    assert set(table["output"]) == {"y"}
    assert table["scenarios"].sum() == 40
