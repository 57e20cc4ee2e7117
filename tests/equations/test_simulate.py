"""Simulation against closed forms, and batches against single runs."""

from pathlib import Path

import numpy as np
import pytest

from sdopt.equations import block, simulate
from sdopt.equations.block import run_block
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.scenarios import scenario_blocks
from sdopt.equations.simulate import failures, run, simulate_all, stream
from sdopt.errors import SimulationError
from sdopt.source_model.read import read_model

MODELS = Path(__file__).parents[1] / "models"
LOGISTIC = read_model(MODELS / "logistic.mdl").system
EVERYTHING = read_model(MODELS / "every_function.mdl").system
GRID = TimeGrid(0, 20, 0.125)


def test_decay_is_the_closed_form_of_euler() -> None:
    content = simulate_all(LOGISTIC, GRID)["content"][:, 0]
    assert content == pytest.approx(8 * (1 - 0.125 / 4) ** np.arange(161), rel=1e-12)


def test_logistic_growth_converges_to_the_analytic_solution() -> None:
    errors = []
    for step in (0.02, 0.01):
        grid = TimeGrid(0, 30, step)
        exact = 100 / (1 + 19 * np.exp(-0.4 * grid.times))
        errors.append(np.abs(simulate_all(LOGISTIC, grid)["population"][:, 0] - exact).max())
    assert errors[1] < 0.1
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)  # Euler: first order


def _inputs(scenarios: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    random = np.random.default_rng(5)
    return {"slope": random.uniform(0.1, 1, scenarios)}, {"budget": random.uniform(0, 6, (161, scenarios))}


@pytest.mark.parametrize("ahead", [1, 40_000])
def test_a_batch_is_its_scenarios_one_by_one_to_the_byte(monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    monkeypatch.setattr(simulate, "block_width", lambda program: 8)
    monkeypatch.setattr(simulate, "SHARED", 4)
    monkeypatch.setattr(block, "AHEAD", ahead)
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    constants, paths = _inputs(19)
    together = run(program, constants, paths, threads=1)
    for threads in (2, 5, None):
        assert run(program, constants, paths, threads=threads).tobytes() == together.tobytes()
    for s in range(19):
        alone = run(program, {"slope": constants["slope"][s]}, {"budget": paths["budget"][:, s]})
        assert together[:, :, s].tobytes() == alone[:, :, 0].tobytes()


def test_the_real_part_does_not_depend_on_the_derivative() -> None:
    program = compile_program(EVERYTHING, GRID, tuple(EVERYTHING.variables), ("slope", "budget"))
    constants, paths = _inputs(3)
    values = run(program, constants, paths)
    moved = run(program, constants, {"budget": paths["budget"] + 1e-30j})
    assert moved.real == pytest.approx(values, rel=1e-13, abs=1e-13)


def test_what_is_not_needed_is_left_out() -> None:
    program = compile_program(LOGISTIC, GRID, ("content",))
    assert (len(program.stocks), len(program.loop)) == (1, 2)


def test_the_first_value_that_is_no_number_is_named() -> None:
    program = compile_program(LOGISTIC, GRID, ("population", "content"), ("lifetime",))
    path = np.ones((161, 3))
    path[8:, 2] = 0
    with pytest.raises(SimulationError, match=r'"content" is -?(nan|inf) at time 1.125 \(scenario 2\)'):
        run(program, {}, {"lifetime": path})
    assert not np.isfinite(run(program, {}, {"lifetime": path}, check=False)).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 9, 10, 17, 4097])
@pytest.mark.parametrize("width", [1, 2, 8, 4096])
def test_blocks_hold_every_scenario_once_and_never_one_alone(count: int, width: int) -> None:
    blocks = scenario_blocks(count, width)
    assert [k for block in blocks for k in range(block.start, block.stop)] == list(range(count))
    assert all(min(2, count) <= b.stop - b.start <= max(width, 2) + 1 for b in blocks)


WATCHED = compile_program(
    EVERYTHING, GRID, ("people", "exponentials", "pulses"), ("slope", "budget"), (0, 8, 160)
)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_stream_is_the_run_to_the_byte(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Also where inputs are drawn as they are needed: once, in order, by the thread that asks."""
    monkeypatch.setattr(simulate, "block_width", lambda program: 8)
    constants, paths = _inputs(19)
    asked: list[slice] = []

    def draw(block: slice) -> np.ndarray:
        asked.append(block)
        return paths["budget"][:, block]

    expected = run(WATCHED, constants, paths)
    for budget in (paths["budget"], draw):
        blocks = list(stream(WATCHED, constants, {"budget": budget}, scenarios=19, threads=threads))
        assert [block for block, _ in blocks] == [slice(0, 8), slice(8, 16), slice(16, 19)]
        assert np.concatenate([result for _, result in blocks], axis=2).tobytes() == expected.tobytes()
    assert asked == [block for block, _ in blocks]


def test_a_stream_holds_few_blocks_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was simulated ahead of what was taken is never more than the threads and one."""
    monkeypatch.setattr(simulate, "STREAMED", 8 * (9 + 2) * 10)
    drawn: list[slice] = []

    def draw(block: slice) -> np.ndarray:
        drawn.append(block)
        return np.full(block.stop - block.start, 0.5)

    def simulated(program: Program, given: object, result: np.ndarray) -> None:
        result[...] = 1.0

    blocks = stream(WATCHED, {"slope": draw, "budget": 3.0}, scenarios=1005, threads=2, backend=simulated)
    for taken, (which, result) in enumerate(blocks, start=1):
        assert result.shape == (3, 3, which.stop - which.start)
        assert which.stop - which.start <= 10
        assert len(drawn) <= taken + 2
    assert taken == 101


def test_a_stream_goes_on_when_a_scenario_fails() -> None:
    program = compile_program(LOGISTIC, GRID, ("population", "content"), ("lifetime",), (0, 4, 16, 160))
    path = np.ones((161, 3))
    path[8:, 2] = 0
    ((_, result),) = stream(program, {}, {"lifetime": path}, scenarios=3)
    assert np.isfinite(result[:, :, :2]).all()
    assert list(failures(program, result)) == [2]
    assert failures(program, result)[2] in ('"content" is -inf at time 2', '"content" is nan at time 2')
    with pytest.raises(SimulationError, match=r'"content" is (-inf|nan) at time 2 \(scenario 2\)'):
        run(program, {}, {"lifetime": path})


def test_the_inputs_of_a_stream_are_checked() -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"slope": np.ones(5)}, 'input "slope" holds 5 scenarios, but 4 are asked for'),
        ({"slope": lambda block: np.ones(3)}, "the inputs drawn for scenarios 0 to 3 hold 3"),
        ({}, 'input "slope" must be given once'),
    ]
    for constants, message in wrong:
        with pytest.raises(SimulationError, match=message):
            list(stream(WATCHED, {"budget": 1.0, **constants}, scenarios=4))  # type: ignore[arg-type]


def test_a_run_asks_its_backend_for_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "block_width", lambda program: 8)
    widths: list[int] = []

    def counted(program: Program, given: dict[str, np.ndarray], result: np.ndarray) -> None:
        widths.append(result.shape[2])
        run_block(program, given, result)

    constants, paths = _inputs(17)
    run(WATCHED, constants, paths, threads=1, backend=counted)
    assert widths == [8, 9]


@pytest.mark.parametrize("end, step", [(1, 0.3), (0, 1), (1, 0), (1, -1)])
def test_a_grid_holds_whole_steps(end: float, step: float) -> None:
    with pytest.raises(SimulationError, match="not a whole number of steps"):
        TimeGrid(0, end, step)


def test_inputs_are_checked() -> None:
    program = compile_program(LOGISTIC, GRID, ("content",), ("lifetime",))
    for constants, paths in (({}, {}), ({"rate": 1.0}, {}), ({}, {"lifetime": np.ones(3)})):
        with pytest.raises(SimulationError, match="input"):
            run(program, constants, paths)
    with pytest.raises(SimulationError, match='"growth" is not a constant'):
        compile_program(LOGISTIC, GRID, ("content",), ("growth",))
    with pytest.raises(SimulationError, match='no variable "rats"'):
        compile_program(LOGISTIC, GRID, ("rats",))
