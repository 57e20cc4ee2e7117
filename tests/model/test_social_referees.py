"""Three readers of the same model file: PySD, pysimlin and our own batch engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from experiments_accounts import EVERYTHING_ON
from social_model import SocialDomain

from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.source_model.replay import Referee, compare, replay, translated

ROUNDING = 1e-9
ON = {SocialDomain.key(name): value for name, value in EVERYTHING_ON.items()}


@pytest.fixture(scope="module")
def pysd(social: SocialDomain) -> Iterator[Referee]:
    """PySD's translation of the model, made once."""
    with translated(social.model, social.grid) as referee:
        yield referee


@pytest.mark.parametrize("constants", [{}, ON], ids=["as it stands", "everything on"])
@pytest.mark.parametrize("seed", [None, 1], ids=["null alternative", "random allocation"])
def test_our_engine_agrees_with_pysd(
    social: SocialDomain, pysd: Referee, constants: dict[str, float], seed: int | None
) -> None:
    chosen = {} if seed is None else social.random_allocation(seed)
    paths = {social.key(name): values for name, values in chosen.items()}
    theirs = pysd.run(constants, paths)
    assert set(theirs.columns) == set(social.model.system.visible)
    assert len(theirs) == social.grid.steps + 1
    ours = simulate_all(social.model.system, social.grid, constants, paths)
    found = compare(ours, theirs)
    assert found.largest < ROUNDING, found


@pytest.mark.parametrize("draw", range(3))
def test_our_engine_agrees_with_pysd_on_a_draw(social: SocialDomain, pysd: Referee, draw: int) -> None:
    """Every constant somewhere in its range, as a sweep of uncertainties would have it."""
    drawn = {key: float(values[draw]) for key, values in social.draw(3, seed=17).items()}
    paths = {social.key(name): values for name, values in social.random_allocation(draw).items()}
    constants = {key: value for key, value in drawn.items() if key not in paths}
    theirs = pysd.run(constants, paths)
    found = compare(simulate_all(social.model.system, social.grid, constants, paths), theirs)
    assert found.largest < ROUNDING, found


if sys.platform != "win32":  # pysimlin has no Windows wheels

    def test_pysimlin_agrees_with_pysd(social: SocialDomain) -> None:
        import simlin

        time = social.model.system.time
        grid = TimeGrid(time.start, time.end, time.step)
        theirs = replay(social.model, {}, {}, grid)
        second = simlin.load(str(social.model.path)).run(analyze_loops=False).results
        assert np.array_equal(second.index, grid.times)
        assert set(theirs.columns) <= set(second.columns)
        found = compare({key: second[key].to_numpy() for key in theirs.columns}, theirs)
        assert found.largest < ROUNDING, found

    def test_pysimlin_finds_no_fault_in_the_units(social: SocialDomain) -> None:
        import simlin

        assert not simlin.load(str(social.model.path)).check()

    def test_the_unit_check_can_fail(social: SocialDomain, tmp_path: Path) -> None:
        import simlin

        text = social.model.path.read_text(encoding="utf-8")
        wrong = text.replace("pension hazard=\n\t0.035\n\t~\t1/Year", "pension hazard=\n\t0.035\n\t~\tYear")
        assert wrong != text
        copy = tmp_path / "wrong_unit.mdl"
        copy.write_text(wrong, encoding="utf-8", newline="\n")
        assert simlin.load(str(copy)).check()
