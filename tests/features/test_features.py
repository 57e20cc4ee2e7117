"""One small model per construct: our engine, an answer derived by hand, and PySD must agree.

`truth.csv` beside a model says in its first lines how the answer was derived; `time` and the variables
by key follow. Models in `refused/` hold what we do not support, and must be refused by name.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdopt.equations.simulate import simulate_all
from sdopt.equations.time_grid import TimeGrid
from sdopt.errors import ModelError
from sdopt.source_model.formulas import DIRECT, FORMULAS
from sdopt.source_model.parse import parse_model, pysd_tree
from sdopt.source_model.read import SourceModel, read_model
from sdopt.source_model.replay import REPLAY_TOLERANCE, compare, replay
from sdopt.source_model.translate_expression import OPERATORS
from sdopt.source_model.vectors import VECTORS

HERE = Path(__file__).parent
EXACT = 1e-11
"""Of the largest value of a column: what rounding may do to an answer derived by hand."""

MODELS = sorted(p for p in HERE.rglob("*.*") if p.suffix in (".mdl", ".xmile") and p.parent.name != "refused")
WITH_TRUTH = [path for path in MODELS if path.parent.name != "whole_models"]

PYSD_DIFFERS = {
    "delay_shorter_than_its_stages/delay_shorter_than_its_stages.mdl": "PySD takes out stages for which the "
    "delay is too short; Vensim keeps all three (as the public model `arguments` shows)",
}
"""Models where PySD gives another answer than the truth, and why; ours must be the truth."""


def shown(path: Path) -> str:
    return path.relative_to(HERE).as_posix()


@cache
def read(path: Path) -> tuple[SourceModel, TimeGrid]:
    model = read_model(path)
    time = model.system.time
    return model, TimeGrid(time.start, time.end, time.step, time.times)


def simulated(path: Path) -> dict[str, Any]:
    model, grid = read(path)
    return simulate_all(model.system, grid, check=False)


def truth(folder: Path) -> tuple[str, list[float], dict[str, list[float]]]:
    """How it was derived; the times; the values by key."""
    lines = (folder / "truth.csv").read_text(encoding="utf-8").splitlines()
    why = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    columns = {key: [float(row[key]) for row in rows] for key in rows[0]}
    return why, columns.pop("time"), columns


@pytest.mark.parametrize("path", WITH_TRUTH, ids=shown)
def test_a_construct_gives_the_answer_derived_by_hand(path: Path) -> None:
    ours = simulated(path)
    grid = read(path)[1]
    why, times, columns = truth(path.parent)
    assert why
    steps = [int(np.argmin(np.abs(grid.times - time))) for time in times]
    assert grid.times[steps] == pytest.approx(times, abs=1e-9)
    for key, wanted in columns.items():
        scale = max(float(np.nanmax(np.abs(wanted), initial=0.0)), 1e-300)
        assert ours[key][steps, 0] == pytest.approx(wanted, rel=0, abs=EXACT * scale, nan_ok=True), key


@pytest.mark.parametrize("path", [p for p in MODELS if shown(p) not in PYSD_DIFFERS], ids=shown)
def test_pysd_agrees(path: Path) -> None:
    model, grid = read(path)
    found = compare(simulated(path), replay(model, {}, {}, grid))
    assert found.largest <= REPLAY_TOLERANCE, found


@pytest.mark.parametrize("name", PYSD_DIFFERS)
def test_a_known_difference_from_pysd_is_still_there(name: str) -> None:
    model, grid = read(HERE / name)
    assert compare(simulated(HERE / name), replay(model, {}, {}, grid)).largest > REPLAY_TOLERANCE


REFUSED = {
    "a_function_of.mdl": "A FUNCTION OF is not supported",
    "absolute_file.mdl": "the file name '/data/numbers.csv' is not allowed",
    "allocate_available.mdl": "ALLOCATE AVAILABLE is not supported",
    "allocate_by_priority.mdl": "ALLOCATE BY PRIORITY is not supported",
    "and_beside_or.mdl": ":AND: and :OR: side by side are read in different ways",
    "backslash_in_file.mdl": "is not allowed: a path from the model's folder",
    "broken_xml.xmile": "is not valid XML",
    "calendar.mdl": "GET TIME VALUE is supported for measure 0",
    "circle.mdl": 'circular definition: "y" needs "z" needs "y"',
    "clock.mdl": "GET TIME VALUE is supported for measure 0",
    "comment_in_equation.mdl": "cannot read = 2 { a comment } + 3",
    "conveyor.xmile": "<conveyor> is not supported",
    "cycle_time.xmile": 'integration method "Cycle Time" is not supported',
    "data_without_values.mdl": "a data variable without values in the model",
    "delay_batch.mdl": "DELAY BATCH is not supported",
    "delay_conveyor.mdl": "DELAY CONVEYOR is not supported",
    "difference.mdl": "integration type Difference is not supported",
    "discrete_graph_in_variable.xmile": "PySD reads its discrete graph function as continuous",
    "explicit_mapping.mdl": "a subscript mapping that lists elements is not supported",
    "find_zero.mdl": "FIND ZERO is not supported",
    "gear.xmile": 'integration method "Gear" is not supported',
    "get_data_at_time.mdl": "GET DATA AT TIME is not supported",
    "graph_of_element.xmile": "PySD ignores a graph function (<gf>) of one element",
    "history.xmile": "HISTORY is not supported",
    "imported_data.xmile": "<import> is not supported",
    "init_eqn.xmile": "<init_eqn> is not supported",
    "invert_matrix.mdl": "INVERT MATRIX is not supported",
    "lookup_invert.mdl": "LOOKUP INVERT is not supported",
    "lost_point.xmile": "its graph function has 3 x points and 2 y points",
    "macro.xmile": "<macro> is not supported",
    "missing_value.mdl": ":NA: is not supported",
    "module.xmile": "<module> is not supported",
    "name_with_not.xmile": "PySD reads a name that begins with not as NOT",
    "no_equation.xmile": "has no equation",
    "no_such_file.mdl": "cannot read 'nowhere.csv'",
    "npv.mdl": "NPV is not supported",
    "numbered_dimension.xmile": 'dimension "N" has no <elem>',
    "previous.xmile": "PREVIOUS is not supported",
    "queue.xmile": "<queue> is not supported",
    "random_0_1.mdl": "RANDOM 0 1 is not supported",
    "random_exponential.mdl": "RANDOM EXPONENTIAL is not supported",
    "random_normal.mdl": "RANDOM NORMAL is not supported",
    "random_uniform.mdl": "RANDOM UNIFORM is not supported",
    "range_within_itself.mdl": 'the subscript range "cohort" is defined by itself',
    "reinitial.mdl": "REINITIAL is not supported",
    "rk2.xmile": 'integration method "RK2" is not supported',
    "rk2_fixed.mdl": "integration type RK2 Fixed is not supported",
    "rk4_auto.mdl": "integration type RK4 Auto is not supported",
    "time_step_of_its_own.xmile": "PySD takes its value from <sim_specs> instead",
    "two_models.xmile": "holds more than one <model>",
    "unknown_function.mdl": "FROBNICATE is not supported",
    "unknown_name.mdl": 'there is no variable "stock". Did you mean "stocks"?',
}
"""What is not supported, and what the message must say of it."""

REFUSED_KINDS = ("allocate_available.mdl", "allocate_by_priority.mdl", "data_without_values.mdl")
"""Models of kinds of node that PySD knows and we refuse."""


def test_every_refused_model_has_its_reason() -> None:
    assert {path.name for path in (HERE / "refused").iterdir()} == set(REFUSED)


@pytest.mark.parametrize(("name", "reason"), REFUSED.items(), ids=str)
def test_what_is_not_supported_is_refused_by_name(name: str, reason: str) -> None:
    with pytest.raises(ModelError) as error:
        read_model(HERE / "refused" / name)
    assert reason in str(error.value)
    assert name in str(error.value)


def nodes(node: Any) -> Iterator[Any]:
    """A syntax tree, node by node."""
    yield node
    if is_dataclass(node):
        for field in fields(node):
            yield from nodes(getattr(node, field.name))
    elif isinstance(node, list | tuple):
        for part in node:
            yield from nodes(part)


def used(paths: list[Path]) -> set[str]:
    """The functions, operators and kinds of node in some models."""
    found = set()
    for path in paths:
        for section in parse_model(path).abstract.sections:
            asts = [component.ast for element in section.elements for component in element.components]
            for node in nodes(asts):
                found.add(type(node).__name__)
                if isinstance(node, pysd_tree.CallStructure):
                    found.add(node.function.reference)
                if isinstance(node, pysd_tree.ArithmeticStructure | pysd_tree.LogicStructure):
                    found |= set(node.operators)
    return found


def test_every_supported_function_has_a_feature_model() -> None:
    supported = {*DIRECT, *FORMULAS, *VECTORS, *OPERATORS, "get_time_value"}
    assert not sorted(supported - used(WITH_TRUTH))


def test_every_construct_of_pysd_has_a_feature_model_or_a_refusal() -> None:
    kinds = {kind.__name__ for kind in pysd_tree.AbstractSyntax.__subclasses__()}
    assert not sorted(
        kinds - used(MODELS) - used(sorted((HERE / "refused").glob("allocate*"))) - {"DataStructure"}
    )


def test_lookups_of_all_kinds_have_a_feature_model() -> None:
    kinds = {table.type for path in MODELS for table in nodes_of(path, pysd_tree.LookupsStructure)}
    assert kinds == {"interpolate", "extrapolate", "hold_backward"}


def nodes_of(path: Path, kind: type) -> Iterator[Any]:
    for section in parse_model(path).abstract.sections:
        for element in section.elements:
            for component in element.components:
                yield from (node for node in nodes(component.ast) if isinstance(node, kind))


def test_every_model_is_in_a_folder_with_its_truth() -> None:
    assert {path.parent for path in WITH_TRUTH} == {path.parent for path in HERE.glob("*/truth.csv")}
