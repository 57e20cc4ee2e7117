"""Designs fill the unit cube as they promise, the same for the same seed."""

import time
import tracemalloc

import numpy as np
import pytest
from scipy.stats import qmc

from sdopt.errors import ConfigError
from sdopt.uncertainty.designs import advice, design_size, unit_design
from sdopt.uncertainty.sensitivity.designs import morris_design, saltelli_design

DESIGNS = ["latin hypercube", "sobol", "grid", "morris", "saltelli"]


@pytest.mark.parametrize("design", DESIGNS)
def test_size_seed_and_open_cube(design: str) -> None:
    found = unit_design(design, 64, 3, 1)
    assert found.shape == (3, design_size(design, 64, 3, 4))
    assert found.min() > 0
    assert found.max() < 1
    np.testing.assert_array_equal(found, unit_design(design, 64, 3, 1))
    assert (design == "grid") == np.array_equal(found, unit_design(design, 64, 3, 2))


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_latin_hypercube_has_one_draw_in_every_part(count: int) -> None:
    found = unit_design("latin hypercube", count, 4, 5)
    assert (np.sort((found * count).astype(int)) == np.arange(count)).all()


def test_latin_hypercube_is_in_random_order() -> None:
    ranks = np.corrcoef(unit_design("latin hypercube", 2000, 6, 5))
    assert np.abs(ranks - np.eye(6)).max() < 0.1


def test_another_constant_leaves_the_draws_of_the_others_alone() -> None:
    np.testing.assert_array_equal(
        unit_design("latin hypercube", 50, 4, 5), unit_design("latin hypercube", 50, 9, 5)[:4]
    )


@pytest.mark.parametrize("count", [1, 100, 128])
def test_sobol_is_scipys_sequence(count: int) -> None:
    theirs = qmc.Sobol(3, rng=np.random.default_rng(9)).random(128)[:count].T
    np.testing.assert_allclose(unit_design("sobol", count, 3, 9), theirs, atol=1e-11)


def test_sobol_is_more_even_than_chance() -> None:
    even = qmc.discrepancy(unit_design("sobol", 256, 4, 1).T)
    assert even < 0.5 * qmc.discrepancy(np.random.default_rng(1).random((256, 4)))


def test_advice_is_a_power_of_two() -> None:
    assert advice("sobol", 1024) == advice("latin hypercube", 1000) == ""
    assert advice("sobol", 1000).endswith("take 512 or 1024")


def test_grid_has_every_combination_once() -> None:
    found = unit_design("grid", 1, 3, 1, levels=4)
    assert {tuple(point) for point in found.T} == {
        (a, b, c) for a in (0.125, 0.375, 0.625, 0.875) for b in set(found[1]) for c in set(found[2])
    }
    assert len({tuple(point) for point in found.T}) == found.shape[1] == 64


def test_designs_of_the_analyses_keep_their_order() -> None:
    np.testing.assert_array_equal(unit_design("saltelli", 64, 3, 7).T, saltelli_design(64, 3, 7))
    np.testing.assert_array_equal(unit_design("morris", 6, 3, 7, levels=8).T, morris_design(6, 3, 8, 7))


@pytest.mark.parametrize(
    ("design", "size", "announced"),
    [
        (
            "grid",
            20,
            "a grid of 4 levels for 20 constants has 1,099,511,627,776 draws; at most 6,710,886 fit",
        ),
        ("grid", 110, "a grid of 4 levels for 110 constants has 4^110 draws; at most 1,220,161 fit"),
        (
            "latin hypercube",
            110,
            "100,000,000 draws of 110 constants do not fit in memory; at most 1,220,161",
        ),
        ("saltelli", 110, "11,200,000,000 draws of 110 constants do not fit in memory; at most 1,220,161 do"),
    ],
)
def test_a_design_that_is_too_large(design: str, size: int, announced: str) -> None:
    with pytest.raises(ConfigError) as refused:
        unit_design(design, 100_000_000, size, 1)
    assert str(refused.value).startswith(announced)


def test_a_large_design_is_quick_and_small() -> None:
    tracemalloc.start()
    began = time.process_time()
    found = unit_design("latin hypercube", 100_000, 110, 1)
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.nbytes == 88_000_000
    assert peak < 100_000_000
    assert spent < 5  # under a second on a quiet machine
