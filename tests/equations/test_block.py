"""The same bytes whatever the width of a block, its neighbours, or what is computed ahead."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.equations import block
from sdopt.equations.block import before_the_loop, block_width, run_block
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.functions import FUNCTIONS
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.system import EquationSystem, TimeAxis, Variable

GRID = TimeGrid(0, 2, 0.25)
STEPS = GRID.steps + 1
LEAVES = (*(Reference(key) for key in "pcxy"), Time(), Number(2.0), Number(-1.5), Number(0.5), Number(0.0))
KINDS = ("interpolate", "extrapolate", "hold_backward", "look_forward", "raw")
TABLE = ((0.0, 0.5, 1.5, 2.0), (1.0, -2.0, 0.25, 3.0))


def _larger(smaller: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    calls = [
        st.builds(Call, st.just(f.name), st.tuples(*[smaller] * len(f.truth_arguments)))
        for f in FUNCTIONS.values()
    ]
    return st.one_of(
        *calls, st.builds(Lookup, st.just(TABLE[0]), st.just(TABLE[1]), smaller, st.sampled_from(KINDS))
    )


EXPRESSIONS = st.recursive(st.sampled_from(LEAVES), _larger, max_leaves=12)


def _program(first: Expression, second: Expression, third: Expression) -> Program:
    variables = {
        "c": Variable("c", "c", "constant", Number(1.0), None, "", ""),
        "p": Variable("p", "p", "constant", Number(1.0), None, "", ""),
        "x": Variable("x", "x", "stock", first, Reference("c"), "", ""),
        "y": Variable("y", "y", "stock", second, Number(1.0), "", "", assigned=True),
        "z": Variable("z", "z", "auxiliary", third, None, "", ""),
    }
    time = TimeAxis(0, 2, 0.25, 0.25, "Year")
    system = EquationSystem(variables, calculation_order(variables), starting_order(variables), time)
    return compile_program(system, GRID, ("x", "y", "z"), ("c", "p"))


def _run(program: Program, given: dict[str, np.ndarray], cuts: list[int]) -> bytes:
    """Results of the scenarios, simulated in blocks that end at the cuts."""
    result = np.empty((len(program.outputs), len(program.saved), given["p"].shape[1]))
    with np.errstate(all="ignore"):
        for start, stop in zip([0, *cuts], [*cuts, result.shape[2]], strict=True):
            part = {key: values[:, start:stop] for key, values in given.items()}
            run_block(program, part, result[:, :, start:stop])
    result[np.isnan(result)] = np.nan  # the sign of a nan says nothing
    return result.tobytes()


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS, st.integers(1, 80), st.data())
def test_the_same_bytes_however_scenarios_are_cut_up(
    first: Expression, second: Expression, third: Expression, scenarios: int, data: st.DataObject
) -> None:
    program = _program(first, second, third)
    random = np.random.default_rng(scenarios)
    special = np.array([2.0, 0.5, -1.0, 1.0, 0.0])
    given = {
        "c": np.where(
            random.random((1, scenarios)) < 0.5, random.uniform(-2, 2, (1, scenarios)), random.choice(special)
        ),
        "p": random.choice([*special, *random.uniform(-2, 3, 20)], (STEPS, scenarios)),
    }
    cuts = data.draw(st.sets(st.integers(1, scenarios - 1), max_size=8)) if scenarios > 1 else set()
    together = _run(program, given, [])
    assert _run(program, given, sorted(cuts)) == together
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "AHEAD", 1)
        assert _run(program, given, sorted(cuts)) == together


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_gives_a_scenario_the_same_bytes_alone_and_in_wide_blocks(name: str) -> None:
    count = len(FUNCTIONS[name].truth_arguments)
    now: Expression = Call(name, (Reference("x"), Reference("p"), Reference("y"))[:count])
    program = _program(Reference("p"), Reference("p"), now)
    random = np.random.default_rng(3)
    given = {"c": random.uniform(0.1, 0.9, (1, 1003)), "p": random.uniform(-1, 2, (STEPS, 1003))}
    together = _run(program, given, [])
    assert _run(program, given, [1, 2, 5, 14, 31, 64, 129, 516, 1002]) == together


def test_a_row_is_used_again_once_nothing_reads_it() -> None:
    """A long chain needs no more rows than a short one."""

    def rows(length: int) -> int:
        chain: Expression = Reference("x")
        for _ in range(length):
            chain = Call("sin", (chain,))
        program = _program(Number(1.0), Reference("c"), chain)
        given = {"c": np.ones((1, 7)), "p": np.ones((1, 7))}
        values, loop = before_the_loop(program, given)
        assert len(loop) == length
        placed = block.Rows(program, values, loop, np.empty((3, STEPS, 7))).rows
        return len({id(row) for row in placed.values()})

    assert rows(50) == rows(5)


def test_values_do_not_wait_longer_than_they_must() -> None:
    """A sum over many variables adds each once it is there, and does not keep them all."""

    def waiting(count: int) -> int:
        total: Expression = Reference("x")
        variables = {}
        for n in range(count):
            value = Call("sin", (Call("add", (Reference("x"), Number(n))),))
            variables[f"a{n}"] = Variable(f"a{n}", "", "auxiliary", value, None, "", "")
            total = Call("add", (total, Reference(f"a{n}")))
        variables["x"] = Variable("x", "", "stock", total, Number(1.0), "", "")
        order = calculation_order(variables), starting_order(variables)
        system = EquationSystem(variables, *order, TimeAxis(0, 2, 0.25, 0.25, "Year"))
        return block._alive_at_once(compile_program(system, GRID, ("x",)))

    assert waiting(30) == waiting(3)


def test_a_block_fits_the_cache() -> None:
    small = _program(Reference("p"), Reference("c"), Reference("x"))
    assert block_width(small) == block.WIDEST
    large = replace(small, stocks=small.stocks * 500)
    assert block.NARROWEST <= block_width(large) < block.WIDEST
    assert block_width(replace(small, stocks=small.stocks * 10**6)) == block.NARROWEST
