"""The causal path of small models whose routes are worked out by hand, and of the shipped questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.equations.evaluation_order import references
from sdopt.optimise import tables
from sdopt.optimise.explanation.causal_path import causal_path
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

TESTS = Path(__file__).resolve().parents[1]
CONFIGS = TESTS.parent / "configs"
Ask = Callable[..., Problem]
TIMES = """
INITIAL TIME= 2026 ~ Year ~ |
FINAL TIME= 2032 ~ Year ~ |
TIME STEP= 0.25 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""


@pytest.fixture
def question(tmp_path: Path) -> Callable[..., Problem]:
    """`question(equations, decisions)`: maximise `social return` from 2027 to 2028, without discounting."""

    def made(equations: list[str], decisions: dict[str, str]) -> Problem:
        lines = [
            f"{equation} |" if "~" in equation else f"{equation} ~ million EUR/Year ~ |"
            for equation in equations
        ]
        model = "{UTF-8}\n" + "\n".join(lines) + TIMES
        (tmp_path / "m.mdl").write_text(model, encoding="utf-8")
        config = {
            "schema_version": 1,
            "title": "By hand",
            "model": {"file": str(tmp_path / "m.mdl")},
            "horizon": {"start": 2026, "end": 2029},
            "decision_years": {"first": 2027, "last": 2028},
            "decisions": {k: {"variable": name, "bounds": [0, 9]} for k, name in decisions.items()},
            "objective": {"maximise": "social return", "discount_rate": 0},
        }
        (tmp_path / "q.yaml").write_text(json.dumps(config), encoding="utf-8")
        return build_problem(load_config(tmp_path / "q.yaml"), read_model(tmp_path / "m.mdl").system)

    return made


def path_of(problem: Problem, point: list[float] | np.ndarray) -> dict[str, pd.DataFrame]:
    point = np.asarray(point, dtype=float)
    null = tables.simulate(problem, problem.decisions.null_paths())
    return causal_path(problem, point, null, tables.simulate(problem, tables.paths_of(problem, point)))


def routes_of(found: dict[str, pd.DataFrame], decision: str) -> dict[tuple[str, ...], float]:
    """Names on a route after the decision, and what it carries."""
    table = found["causal_path"]
    groups = table[table["decision"] == decision].groupby("route")
    return {tuple(rows["variable"])[1:]: float(rows["value"].iloc[0]) for _, rows in groups}


def improvement(problem: Problem, point: list[float] | np.ndarray) -> float:
    value = problem.evaluator.values(np.asarray(point, dtype=float)[None]).value
    return float(problem.objective(value)[0]) - problem.null_objective


def test_two_routes_with_known_shares(question: Callable[..., Problem]) -> None:
    """From 1 to 3 in two years: over y 2 * 3 * 2 * 2 years = 24, over z -1 * 2 * 2 years = -4."""
    equations = ["social return= 2 * y - z", "y= 3 * x", "z= x + 5", "x= 1"]
    found = path_of(question(equations, {"a": "x"}), [3, 3])
    decided = found["causal_decisions"].iloc[0]
    assert (decided["null"], decided["advice"], decided["value"]) == pytest.approx((1, 3, 20))
    assert (decided["first_year"], decided["last_year"]) == (2027, 2028)
    assert (decided["listed"], decided["elsewhere"]) == pytest.approx((20, 0))
    assert routes_of(found, "a") == pytest.approx(
        {("y", "social return"): 24.0, ("z", "social return"): -4.0}
    )
    steps = found["causal_path"]
    assert steps["share"].unique() == pytest.approx([1.2, -0.2])
    assert steps["step"].to_list() == [0, 1, 2, 0, 1, 2]
    first = steps[steps["route"] == 1]
    assert first["branch"].to_list() == pytest.approx([20, 24, 24])
    assert first["null"].to_list() == pytest.approx([1, 3, 0])
    assert first["advice"].to_list() == pytest.approx([3, 9, 10])
    assert first["by_decision"].to_list() == pytest.approx([2, 6, 10])
    assert set(steps["value_unit"]) == {"million EUR"}


def test_the_order_of_the_equations_changes_nothing(question: Callable[..., Problem]) -> None:
    equations = ["social return= 2 * y - z", "y= 3 * x", "z= x + 5", "x= 1"]
    one, other = (path_of(question(e, {"a": "x"}), [3, 4]) for e in (equations, equations[::-1]))
    pd.testing.assert_frame_equal(one["causal_path"], other["causal_path"], rtol=1e-12)


def test_what_is_not_linear_counts_along_the_whole_line(question: Callable[..., Problem]) -> None:
    """From 1 to 3 the product x y gains 8 of 9 - 1: half by x, half by y; a square 26 of 27 - 1 by itself."""
    product = question(["social return= x * y", "x= 1", "y= 1"], {"a": "x", "b": "y"})
    values = path_of(product, [3, 3, 3, 3])["causal_decisions"]["value"]
    assert values.to_list() == pytest.approx([8, 8])
    cube = question(["social return= z", "z= x * x * x", "x= 1"], {"a": "x"})
    assert path_of(cube, [3, 3])["causal_decisions"]["value"].to_list() == pytest.approx([52])


STOCKS = [
    "social return= A + 2 * B - x ~ million EUR/Year ~",
    "A= INTEG( x + back - lost, 4) ~ million EUR ~",
    "B= INTEG( on - 0.5 * B, 1) ~ million EUR ~",
    "lost= A / 4",
    "on= 0.3 * A",
    "back= 0.1 * B",
    "x= 1",
]


def test_loops_count_with_the_variable_where_they_begin(question: Callable[..., Problem]) -> None:
    """Straight on by what A changes in the end, loop and leak included; the rest by what B does."""
    problem = question(STOCKS, {"a": "x"})
    found = path_of(problem, [3, 2])
    runs = [tables.simulate(problem, problem.decisions.null_paths())]
    runs.append(tables.simulate(problem, tables.paths_of(problem, np.array([3.0, 2.0]))))
    counted = (problem.grid.times >= 2027) & (problem.grid.times < 2029)
    gain = {key: 0.25 * float((runs[1][key] - runs[0][key])[counted].sum()) for key in ("a", "b", "x")}
    assert gain["x"] == pytest.approx(3)
    assert routes_of(found, "a") == pytest.approx(
        {
            ("social return",): -3.0,
            ("A", "social return"): gain["a"],
            ("A", "on", "B", "social return"): 2 * gain["b"],
        }
    )
    # The loop by hand: without what comes back from B, A is the sum of what came in and has not leaked away.
    assert gain["a"] > 0.25 * sum(_leaking(problem)) > 0


def _leaking(problem: Problem) -> list[float]:
    """Extra A over the counted time if nothing came back: + 2 in the first year, + 1 in the second."""
    extra, found = 0.0, []
    for k in range(8):
        found.append(extra)
        extra += 0.25 * ((2.0 if k < 4 else 1.0) - extra / 4)
    return found


def test_a_delay_lies_between_and_is_no_variable_of_its_own(question: Callable[..., Problem]) -> None:
    """DELAY FIXED of half a year: 1 more from 2027 is seen during 1.5 of two years."""
    equations = ["social return= late", "late= DELAY FIXED( x, 0.5, x)", "x= 1"]
    found = path_of(question(equations, {"a": "x"}), [2, 2])
    assert routes_of(found, "a") == pytest.approx({("late", "social return"): 1.5})
    smooth = ["social return= late", "late= SMOOTH3( x, 0.5)", "x= 1"]
    problem = question(smooth, {"a": "x"})
    found = path_of(problem, [2, 2])
    assert routes_of(found, "a") == pytest.approx({("late", "social return"): improvement(problem, [2, 2])})


def test_a_decision_without_effect_and_one_that_costs(question: Callable[..., Problem]) -> None:
    equations = ["social return= y", "y= 5 - 2 * x", "elsewhere= 3 * idle", "x= 1", "idle= 1"]
    found = path_of(question(equations, {"a": "x", "b": "idle"}), [2, 2, 9, 9])
    decided = found["causal_decisions"].set_index("decision")
    assert decided["value"].to_dict() == pytest.approx({"a": -4, "b": 0})
    assert set(found["causal_path"]["decision"]) == {"a"}
    assert routes_of(found, "a") == pytest.approx({("y", "social return"): -4.0})
    assert found["causal_path"]["share"].unique() == pytest.approx([1.0])


def test_nothing_is_told_where_nothing_changes_or_a_jump_makes_the_gain(
    question: Callable[..., Problem],
) -> None:
    problem = question(["social return= 3 * x", "x= 1"], {"a": "x"})
    assert path_of(problem, [1, 1]) == {}
    jump = question(["social return= x + IF THEN ELSE( x > 3, 10, 0)", "x= 1"], {"a": "x"})
    assert path_of(jump, [5, 5]) == {}
    assert routes_of(path_of(jump, [2.5, 2.5]), "a") == pytest.approx({("social return",): 3.0})
    # A kink: more points come near enough.
    kink = question(["social return= y", "y= x + MAX( x, 3)", "x= 1"], {"a": "x"})
    assert path_of(kink, [5, 5])["causal_decisions"]["value"].sum() == pytest.approx(12, rel=0.02)
    rungs = replace(problem, system=replace(problem.system, time=replace(problem.system.time, method="rk4")))
    assert path_of(rungs, [2, 2]) == {}


@pytest.mark.parametrize(
    ("name", "base", "point"),
    [
        ("linear", "optimise", [9, 8, 4, 3]),
        ("root", "optimise", [9, 8, 4, 3]),
        ("quadratic", "optimise", [3, 2]),
        ("curved", "optimise", None),
        ("pot", "ledger", [2, 2]),
        ("three", "programmes", None),
    ],
)
def test_decisions_add_up_to_the_improvement(
    ask: Ask, name: str, base: str, point: list[float] | None
) -> None:
    """With whole programmes too: their costs count with their amount."""
    problem = ask(name, base=TESTS / "data" / base)
    decisions = problem.decisions
    chosen = (
        (decisions.lower() + 3 * decisions.upper()) / 4 if point is None else np.array(point, dtype=float)
    )
    found = path_of(problem, chosen)["causal_decisions"]
    assert found["value"].sum() == pytest.approx(improvement(problem, chosen), rel=0.01)
    assert list(found["decision"]) == [path.id for path in decisions.paths]


@pytest.fixture(scope="module")
def shipped() -> tuple[Problem, np.ndarray]:
    loaded = load_config(CONFIGS / "voorbeeld-100k.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    return problem, np.clip(0.8 * problem.decisions.null_vector(), lower, upper)


def test_on_the_shipped_model_nothing_is_lost_and_every_step_is_a_link(
    shipped: tuple[Problem, np.ndarray],
) -> None:
    problem, point = shipped
    found = path_of(problem, point)
    decided, steps = found["causal_decisions"], found["causal_path"]
    assert decided["value"].sum() == pytest.approx(improvement(problem, point), rel=1e-5)
    assert (decided["listed"] + decided["elsewhere"]).to_numpy() == pytest.approx(decided["value"].to_numpy())
    assert steps["decision"].nunique() == 3
    uses = {
        v.name: {
            problem.system.variables[key].name
            for key in references(v.expression)
            if key in problem.system.variables
        }
        for v in problem.system.visible.values()
    }
    for (decision, _), rows in steps.groupby(["decision", "route"]):
        names = list(rows["variable"])
        assert len(set(names)) == len(names)
        assert all(cause in uses[effect] for cause, effect in pairwise(names))
        assert names[-1] in ("social return", "end value of stocks")
        assert rows["value"].iloc[0] / decided.set_index("decision").loc[decision, "value"] == pytest.approx(
            rows["share"].iloc[0]
        )
    by_all = steps.groupby("variable")["by_decision"].first()
    assert np.isfinite(by_all).all()


def test_an_allocation_that_is_simulated_has_its_path_as_well(shipped: tuple[Problem, np.ndarray]) -> None:
    problem, point = shipped
    result = simulate_allocation(problem, point, "run")
    assert {"causal_decisions", "causal_path"} <= set(result.tables)
    assert "causal_path" not in simulate_allocation(problem, None, "run").tables


def test_decisions_on_an_array_go_together() -> None:
    loaded = load_config(TESTS / "data" / "wijken.yaml")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    point = (problem.decisions.lower() + problem.decisions.upper()) / 2
    found = path_of(problem, point)
    decided = found["causal_decisions"]
    assert decided["value"].sum() == pytest.approx(improvement(problem, point), rel=1e-4)
    arrays = {v.parts[0] for v in problem.system.visible.values() if v.subscripts}
    whole = decided[decided["elements"] > 1]
    assert len(whole) and set(whole["variable"]) <= arrays
    for row in whole.itertuples():
        keys = [path for path in problem.decisions.paths if path.name.startswith(f"{row.variable}[")]
        assert row.elements == len(keys)
        assert row.null == pytest.approx(np.mean([np.mean(list(p.null_by_year.values())) for p in keys]))
