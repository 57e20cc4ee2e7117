"""Processes give the bytes of threads, and a program can be sent to them."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from sdopt.equations.block import run_block
from sdopt.equations.program import compile_program
from sdopt.equations.simulate import run, stream
from sdopt.equations.system import EquationSystem
from sdopt.equations.time_grid import TimeGrid
from sdopt.equations.workers import WORTHWHILE, worthwhile_processes
from sdopt.source_model.read import read_model

TESTS = Path(__file__).parents[1]
MODELS = sorted(
    p
    for p in (TESTS / "features").glob("*/*.*")
    if p.suffix in (".mdl", ".xmile") and p.parent.name != "refused"
)


def _program(system: EquationSystem, inputs: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
    time = system.time
    return compile_program(
        system, TimeGrid(time.start, time.end, time.step, time.times), tuple(system.visible), inputs
    )


def test_every_construct_survives_the_way_to_a_process() -> None:
    assert len(MODELS) > 100
    for path in MODELS:
        program = _program(read_model(path).system)
        sent = pickle.loads(pickle.dumps(program))  # noqa: S301  our own
        assert np.array_equal(run(program, check=False), run(sent, check=False), equal_nan=True), path


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_give_the_same_bytes(processes: int) -> None:
    program = _program(read_model(TESTS / "models" / "every_function.mdl").system, ("budget",))
    budget = np.linspace(0.1, 10, 5000)
    whole = run(program, {"budget": budget})
    parts = list(stream(program, {"budget": budget}, scenarios=5000, processes=processes, backend=run_block))
    assert [block.start for block, _ in parts] == sorted(block.start for block, _ in parts)
    assert np.concatenate([part for _, part in parts], axis=2).tobytes() == whole.tobytes()


def test_small_jobs_stay_in_this_process() -> None:
    program = _program(read_model(TESTS / "models" / "every_function.mdl").system)
    assert worthwhile_processes(program, 1) == 1
    assert worthwhile_processes(program, int(WORTHWHILE)) >= 1
