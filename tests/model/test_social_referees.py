"""Three readers of the same model file: PySD, pysimlin and our own batch engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.source_model.replay import compare, replay

if TYPE_CHECKING:
    from conftest import SocialDomain

ROUNDING = 1e-9
EVERYTHING_ON = {"provisions_cap_switch": 1.0, "pressure_for_fast_exit": 1.0, "cycle_amplitude": 0.3}


@pytest.mark.parametrize("constants", [{}, EVERYTHING_ON], ids=["as it stands", "everything on"])
@pytest.mark.parametrize("seed", [None, 1], ids=["null alternative", "random allocation"])
def test_our_engine_agrees_with_pysd(
    social: SocialDomain, constants: dict[str, float], seed: int | None
) -> None:
    chosen = {} if seed is None else social.random_allocation(seed)
    paths = {social.key(name): values for name, values in chosen.items()}
    theirs = replay(social.model, constants, paths, social.grid)
    assert set(theirs.columns) == set(social.model.system.variables)
    assert len(theirs) == social.grid.steps + 1
    ours = simulate_all(social.model.system, social.grid, constants, paths)
    found = compare(ours, theirs)
    assert found.largest < ROUNDING, found


if sys.platform != "win32":  # pysimlin has no Windows wheels

    def test_pysimlin_agrees_with_pysd(social: SocialDomain) -> None:
        import simlin

        time = social.model.system.time
        grid = TimeGrid(time.start, time.end, time.step)
        theirs = replay(social.model, {}, {}, grid)
        second = simlin.load(str(social.model.path)).run().results
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
