"""Constants that go together: the correlation asked for, and every constant by itself as before."""

import numpy as np
import pytest
from scipy import stats

from sdopt.config.correlations import normal_matrix
from sdopt.config.uncertainty import Correlation
from sdopt.uncertainty.correlation import correlated
from sdopt.uncertainty.designs import unit_design

NAMES = ["a", "b", "c", "d", "e"]
ASKED = {("a", "b"): 0.8, ("b", "d"): -0.4, ("a", "d"): -0.6}


def matrix(asked: dict[tuple[str, str], float]) -> np.ndarray:
    return normal_matrix(NAMES, [Correlation(between=pair, rank=rank) for pair, rank in asked.items()])


@pytest.mark.parametrize("design", ["latin hypercube", "sobol"])
def test_ranks_go_together_as_asked(design: str) -> None:
    found = correlated(unit_design(design, 4096, 5, 1), matrix(ASKED))
    ranks = stats.spearmanr(found.T).statistic
    wanted = np.eye(5)
    for pair, rank in ASKED.items():
        first, second = (NAMES.index(name) for name in pair)
        wanted[first, second] = wanted[second, first] = rank
    named = wanted != 0
    np.testing.assert_allclose(ranks[named], wanted[named], atol=0.01)
    np.testing.assert_allclose(ranks[~named], 0, atol=0.06)  # four standard errors


@pytest.mark.parametrize("design", ["latin hypercube", "sobol"])
def test_every_constant_keeps_its_own_draws(design: str) -> None:
    before = unit_design(design, 1024, 5, 2)
    after = correlated(before, matrix(ASKED))
    np.testing.assert_array_equal(np.sort(after), np.sort(before))
    np.testing.assert_array_equal(after[[2, 4]], before[[2, 4]])
    assert (after[0] != before[0]).any()
    # one draw in every cell: nearer to uniform than 1024 independent draws would be
    assert all(stats.kstest(row, "uniform").statistic < 2 / 1024 for row in after)


@pytest.mark.parametrize(("rank", "order"), [(1.0, 1), (-1.0, -1)])
def test_the_strongest_correlation_is_one_order(rank: float, order: int) -> None:
    found = correlated(unit_design("latin hypercube", 500, 5, 3), matrix({("a", "b"): rank}))
    assert stats.spearmanr(found[0], found[1]).statistic == pytest.approx(order, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_few_draws_are_still_those_draws(count: int) -> None:
    before = unit_design("latin hypercube", count, 5, 4)
    after = correlated(before, matrix(ASKED))
    np.testing.assert_array_equal(np.sort(after), np.sort(before))


def test_scores_give_the_rank_of_two_normal_variables() -> None:
    """Independent truth: ranks of plain normal draws with that correlation."""
    score = matrix({("a", "b"): 0.5})[0, 1]
    drawn = np.random.default_rng(1).multivariate_normal([0, 0], [[1, score], [score, 1]], 200_000)
    assert stats.spearmanr(drawn).statistic == pytest.approx(0.5, abs=0.01)
