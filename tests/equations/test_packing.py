"""Packed or not, the same bytes; what is packed, and when that pays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.equations import packed_rows, packing
from sdopt.equations.block import before_the_loop, run_block
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.functions import FUNCTIONS
from sdopt.equations.packing import Plan, plan_for
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.system import EquationSystem, TimeAxis, Variable

ELEMENTS = 4
EVEN, UNEVEN = TimeGrid(0, 2, 0.25), TimeGrid(0, 2, 0.25, (0.0, 0.25, 0.75, 1.0, 1.5, 2.0))
OWN = "xyzdkq"
"""Variables with elements: stocks, an auxiliary, constants, and inputs over time."""
KINDS = ("interpolate", "extrapolate", "hold_backward", "look_forward", "raw")
TABLE = ((0.0, 0.5, 1.5, 2.0), (1.0, -2.0, 0.25, 3.0))
LEAVES = (*map(Reference, "pctxyzdkq"), Time(), Number(2.0), Number(-1.5), Number(0.0))


def _larger(smaller: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    calls = [
        st.builds(Call, st.just(f.name), st.tuples(*[smaller] * len(f.truth_arguments)))
        for f in FUNCTIONS.values()
    ]
    return st.one_of(
        *calls, st.builds(Lookup, st.just(TABLE[0]), st.just(TABLE[1]), smaller, st.sampled_from(KINDS))
    )


EXPRESSIONS = st.recursive(st.sampled_from(LEAVES), _larger, max_leaves=8)


def _of_element(expression: Expression, element: int, without: str = "") -> Expression:
    """The expression for one element; names in `without` become a number, so that none needs itself."""
    match expression:
        case Reference(key) if key in without:
            return Number(0.25)
        case Reference(key):
            return Reference(f"{key}{element}" if key in OWN else key)
        case Call(name, arguments):
            return Call(name, tuple(_of_element(a, element, without) for a in arguments))
        case Lookup(x, y, argument, kind):
            return Lookup(x, y, _of_element(argument, element, without), kind)
    return expression


def _program(
    first: Expression, second: Expression, third: Expression, grid: TimeGrid = EVEN, elements: int = ELEMENTS
) -> Program:
    """Arrays of two stocks, a fixed delay, an auxiliary and three inputs; `t` is a total over elements."""
    total: Expression = Reference("z0")
    for element in range(1, elements):
        total = Call("add", (total, Reference(f"z{element}")))
    variables = {key: Variable(key, key, "constant", Number(1.0), None, "", "") for key in "cp"}
    variables["t"] = Variable("t", "t", "auxiliary", total, None, "", "")
    for e in range(elements):
        for key, value in (("d", e - 1.5), ("k", 0.5), ("q", 1.0)):
            variables[f"{key}{e}"] = Variable(f"{key}{e}", "", "constant", Number(value), None, "", "")
        x, y = _of_element(first, e), _of_element(second, e)
        z = _of_element(third, e, "zt")
        initial = Reference(f"d{e}")
        variables[f"x{e}"] = Variable(f"x{e}", "", "stock", x, initial, "", "", non_negative=e > 1)
        variables[f"y{e}"] = Variable(f"y{e}", "", "stock", y, Number(1.0), "", "", assigned=True)
        variables[f"z{e}"] = Variable(f"z{e}", "", "auxiliary", z, None, "", "")
        if not grid.moments:
            late, delay = Reference(f"z{e}"), Number(0.5)
            variables[f"l{e}"] = Variable(
                f"l{e}", "", "stock", late, initial, "", "", assigned=True, delay=delay
            )
    time = TimeAxis(0, 2, 0.25, 0.25, "Year")
    system = EquationSystem(variables, calculation_order(variables), starting_order(variables), time)
    outputs = [key for key in variables if key[0] in "txyzlcp"]
    inputs = [key for key in variables if key[0] in "cpkq"]
    return compile_program(system, grid, outputs, inputs, range(0, grid.steps + 1, 2))


def _given(program: Program, width: int, dtype: type) -> dict[str, np.ndarray]:
    """Constants c and k0, k1, ..., paths p and q0, q1, ...; odd ones are alike in all scenarios."""
    random = np.random.default_rng(width)
    special = [2.0, 0.5, -1.0, 1.0, 0.0]
    found = {}
    for place, key in enumerate(program.inputs):
        shape = (program.grid.steps + 1 if key[0] in "pq" else 1, 1 if place % 2 else width)
        found[key] = random.choice([*special, *random.uniform(-2, 3, 20)], shape).astype(dtype)
        if dtype is complex:
            found[key] += 1e-30j * random.choice([0.0, 1.0, -2.0], shape)
    return found


@contextmanager
def _packing(*, always: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "pays", lambda plan, row: always)
        patch.setattr(packing, "FEWEST", 1)
        yield


def _run(program: Program, values: dict[str, np.ndarray], width: int, cuts: list[int]) -> bytes:
    """Results of the scenarios, simulated in blocks that end at the cuts."""
    dtype = np.result_type(*values.values())
    result = np.full((len(program.outputs), len(program.saved), width), np.nan, dtype)
    with np.errstate(all="ignore"):
        for start, stop in zip([0, *cuts], [*cuts, width], strict=True):
            part = {key: v if v.shape[1] == 1 else v[:, start:stop] for key, v in values.items()}
            run_block(program, part, result[:, :, start:stop])
    parts = result.view(float)
    parts[np.isnan(parts)] = np.nan  # the sign of a nan says nothing
    return result.tobytes()


@settings(max_examples=150, deadline=None)
@given(
    EXPRESSIONS,
    EXPRESSIONS,
    EXPRESSIONS,
    st.sampled_from([EVEN, UNEVEN]),
    st.sampled_from([float, complex]),
    st.sampled_from([1, 2, 3, 7, 40, 80]),
    st.data(),
)
def test_the_same_bytes_packed_or_not(
    first: Expression,
    second: Expression,
    third: Expression,
    grid: TimeGrid,
    dtype: type,
    width: int,
    data: st.DataObject,
) -> None:
    program = _program(first, second, third, grid)
    values = _given(program, width, dtype)
    with _packing(always=False):
        alone = _run(program, values, width, [])
    cuts = sorted(data.draw(st.sets(st.integers(1, width - 1), max_size=4))) if width > 1 else []
    with _packing(always=True):
        assert _run(program, values, width, []) == alone
        assert _run(program, values, width, cuts) == alone
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sdopt.equations.block.AHEAD", 1)
            patch.setattr(packed_rows, "COPIED", 0)
            assert _run(program, values, width, cuts) == alone


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_gives_the_same_bytes_packed_or_not(name: str, dtype: type) -> None:
    count = len(FUNCTIONS[name].truth_arguments)
    now = Call(name, (Reference("x"), Reference("q"), Reference("y"))[:count])
    program = _program(Reference("q"), Call("sin", (Reference("x"),)), now, elements=9)
    values = _given(program, 203, dtype)
    with _packing(always=False):
        alone = _run(program, values, 203, [])
    with _packing(always=True):
        assert _run(program, values, 203, [1, 3, 10, 41, 104]) == alone


def _plan(program: Program) -> Plan:
    values, loop = before_the_loop(program, _given(program, 3, float))
    plan = plan_for(program, values, loop, 1)
    assert plan is not None
    return plan


def _calls(plan: Plan) -> int:
    return sum(len(done.calls) for done in plan.rounds)


GROWTH = Call("multiply", (Reference("x"), Call("sin", (Call("add", (Reference("y"), Reference("d"))),))))


def test_elements_of_an_array_share_calls() -> None:
    """Twenty elements need no more calls than five, but for the total, which adds them up one by one."""
    small, large = (_program(GROWTH, GROWTH, GROWTH, elements=n) for n in (5, 20))
    assert len(large.loop) > 4 * len(small.loop)
    assert _calls(_plan(large)) == _calls(_plan(small)) + 15


def test_lone_equations_are_not_gathered() -> None:
    """A chain has nothing to do together: nothing is copied, and packing does not pay."""
    chain: Expression = Reference("x")
    for _ in range(10):
        chain = Call("sin", (Call("exp", (chain,)),))
    program = _program(Number(1.0), Number(1.0), chain, elements=1)
    values, loop = before_the_loop(program, _given(program, 3, float))
    assert plan_for(program, values, loop, 8) is None
    with _packing(always=True):
        plan = _plan(program)
    assert _calls(plan) == len(loop)
    assert sum(len(rows) for done in plan.rounds for rows in done.gathered) == 0


def test_packing_is_for_narrow_blocks() -> None:
    program = _program(GROWTH, GROWTH, GROWTH, elements=10)
    values, loop = before_the_loop(program, _given(program, 3, float))
    assert plan_for(program, values, loop, 8 * 64) is not None
    assert plan_for(program, values, loop, 8 * 5000) is None


def test_a_plan_is_made_once_for_the_same_kind_of_inputs() -> None:
    program = _program(GROWTH, GROWTH, Reference("k"))
    assert _plan(program) is _plan(program)
    assert _plan(program) is not _plan(replace(program))
    still = {key: v[:1] for key, v in _given(program, 3, float).items()}
    assert plan_for(program, *before_the_loop(program, still), 1) is not _plan(program)


def test_what_is_remembered_of_a_program_goes_with_it() -> None:
    program = _program(GROWTH, GROWTH, GROWTH)
    plan = ref(_plan(program))
    assert plan() is not None
    del program
    gc.collect()
    assert plan() is None
