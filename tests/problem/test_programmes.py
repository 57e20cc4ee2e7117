"""Programmes on the decision vector: paths, bounds, rules in words, and what does not fit the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.errors import ConfigError
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "programmes"


def ask(folder: Path, **changes: Any) -> Problem:
    """The problem of three.yaml with other sections."""
    data = yaml.safe_load((DATA / "three.yaml").read_text(encoding="utf-8"))
    data["model"] = {"file": str(DATA / "three.mdl"), **changes.pop("model", {})}
    data["programmes"] = {**data["programmes"], **changes.pop("programmes", {})}
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump({**data, **changes}, sort_keys=False), encoding="utf-8")
    loaded = load_config(path)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def by_year(problem: Problem, path: np.ndarray[Any, Any]) -> dict[int, float]:
    """The value of a path in the middle of each year."""
    times = [float(time) for time in problem.grid.times]
    return {year: float(path[times.index(year + 0.5)]) for year in range(2026, 2031)}


def point_of(problem: Problem, values: dict[tuple[str, int], float]) -> np.ndarray[Any, Any]:
    point = problem.decisions.null_vector()
    for label, value in values.items():
        point[problem.decisions.labels().index(label)] = value
    return point


def test_the_vector_ends_with_one_entry_per_possible_start(tmp_path: Path) -> None:
    problem = ask(tmp_path, programmes={"b": {"variable": "spending b", "amount": [1, 2], "lasts": 2}})
    labels, whole = problem.decisions.labels(), problem.decisions.whole
    entries = [label for label, is_whole in zip(labels, whole, strict=True) if is_whole]
    assert entries == [
        *(("a: start", year) for year in (2027, 2028, 2029)),
        *(("b: start", year) for year in (2027, 2028)),
        *(("c: start", year) for year in (2027, 2028, 2029)),
    ]
    assert not problem.decisions.null_vector()[whole].any()
    assert (problem.decisions.lower()[whole] == 0).all()
    assert (problem.decisions.upper()[whole] == 1).all()


def test_costs_and_running_follow_from_the_start(tmp_path: Path) -> None:
    """A starts in 2028: 1 once and 0.5 a year; c from 2028 on, and it goes on after the decision years."""
    c = {"variable": "spending c", "amount": [0.5, 3], "runs_variable": "runs c", "after": "last"}
    problem = ask(tmp_path, programmes={"c": c})
    values = {("a: start", 2028): 1.0, ("c: start", 2028): 1.0, ("c", 2028): 2.0, ("c", 2029): 1.5}
    point = point_of(problem, values)
    paths = {key: path[:, 0] for key, path in problem.decisions.expand(point[None]).items()}
    assert by_year(problem, paths["costs_a"]) == {2026: 0, 2027: 0, 2028: 1.5, 2029: 0.5, 2030: 0}
    assert by_year(problem, paths["runs_c"]) == {2026: 0, 2027: 0, 2028: 1, 2029: 1, 2030: 1}
    assert by_year(problem, paths["spending_c"]) == {2026: 0, 2027: 0, 2028: 2, 2029: 1.5, 2030: 1.5}


def test_it_stops_after_its_years(tmp_path: Path) -> None:
    a = {"variable": "spending a", "amount": [1, 2], "lasts": 2, "yearly_cost": 1, "cost_variable": "costs a"}
    problem = ask(tmp_path, programmes={"a": a})
    path = problem.decisions.expand(point_of(problem, {("a: start", 2027): 1.0})[None])["costs_a"][:, 0]
    assert by_year(problem, path) == {2026: 0, 2027: 1, 2028: 1, 2029: 0, 2030: 0}


def test_programmes_that_share_a_constant_for_their_costs_add_up(tmp_path: Path) -> None:
    b = {"variable": "spending b", "amount": [1, 2], "start_cost": 2, "cost_variable": "costs a"}
    problem = ask(tmp_path, programmes={"b": b})
    point = point_of(problem, {("a: start", 2027): 1.0, ("b: start", 2028): 1.0})
    path = problem.decisions.expand(point[None])["costs_a"][:, 0]
    assert by_year(problem, path) == {2026: 0, 2027: 1.5, 2028: 2.5, 2029: 0.5, 2030: 0}


def test_a_cap_counts_amount_and_costs(tmp_path: Path) -> None:
    cap = {"cap": {"decisions": {"a": 1, "d": 2}, "at_most": 5}}
    problem = ask(tmp_path, constraints=cap)
    rows = {rule.year: rule for rule in problem.rules if rule.name == "cap"}
    point = point_of(problem, {("a", 2027): 3.0, ("a: start", 2027): 1.0, ("d", 2027): 0.25})
    assert rows[2027].weights @ point == pytest.approx(3 + 1 + 0.5 + 2 * 0.25)
    assert rows[2028].weights @ point == pytest.approx(0.5 + 2 * 1)  # d is 1 today


def test_rules_have_the_words_of_the_config(tmp_path: Path) -> None:
    a = {"variable": "spending a", "amount": [0, 2], "needs": ["b"]}
    choices = {"one of two": {"of": ["b", "c"], "at_most": 1, "at_least": 1}}
    problem = ask(tmp_path, programmes={"a": a}, choices=choices)
    names = dict.fromkeys(rule.name for rule in problem.rules)
    assert list(names) == [
        "a: largest amount while it runs",
        "a: starts at most once",
        "a: needs b",
        *(f"{name}: {what}" for name in "bc" for what in (
            "largest amount while it runs", "smallest amount while it runs", "starts at most once")),
        "one of two",
    ]  # fmt: skip


def test_a_pattern_leaves_the_amounts_of_what_runs(tmp_path: Path) -> None:
    problem = ask(tmp_path)
    pattern = np.array([0, 1, 0, 0, 0, 0, 1, 0, 0], dtype=float)
    fixed = replace(problem.decisions, pattern=pattern)
    low, high = fixed.lower(), fixed.upper()
    bounds = {label: (low[k], high[k]) for k, label in enumerate(fixed.labels())}
    assert bounds["a", 2027] == (0, 0)
    assert bounds["a", 2028] == (0.5, 3)
    assert bounds["b", 2029] == (0, 0)
    assert bounds["c: start", 2027] == (1, 1)
    assert bounds["d", 2027] == (0, 4)
    null = fixed.null_vector()
    assert ((null >= low) & (null <= high)).all()


A = {"variable": "spending a", "amount": [0.5, 3]}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such constant": ({**A, "variable": "spending A2"}, 'has no constant "spending A2"'),
    "no constant": ({**A, "variable": "return a"}, '"return a" is a auxiliary of three.mdl; only a constant'),
    "not zero today": (
        {**A, "variable": "income"},
        "income is 1 today; in the null alternative a programme is not there yet",
    ),
    "outside the range": ({**A, "amount": [0, 12]}, "12 is outside the range"),
    "costs outside the range": (
        {**A, "start_cost": 11, "cost_variable": "costs a"},
        "11 is outside the range",
    ),
    "another unit": ({**A, "start_cost": 1, "cost_variable": "synergy"}, 'unit "Dmnl" of synergy differs'),
    "no amount per year": (
        {**A, "variable": "runs c", "amount": [0, 1], "start_cost": 1, "cost_variable": "synergy"},
        "is not an amount per year, so a cost paid once has no place",
    ),
    "running has a unit": ({**A, "runs_variable": "costs a"}, "does not fit a number that is 0 or 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_the_model_is_refused(case: str, tmp_path: Path) -> None:
    programme, message = WRONG[case]
    c = {"variable": "spending c", "amount": [0, 1]}
    with pytest.raises(ConfigError) as refused:
        ask(tmp_path, programmes={"a": programme, "c": c})
    assert "programmes.a" in str(refused.value)
    assert message in str(refused.value)


def test_a_constant_of_a_programme_cannot_be_changed_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chosen by programme a; remove it here"):
        ask(tmp_path, model={"changes": {"costs a": 1}})


def test_a_cap_of_programmes_and_something_else_is_refused(tmp_path: Path) -> None:
    cap = {"cap": {"decisions": {"c": 1, "d": 1}, "at_most": 5}}
    c = {"variable": "runs c", "amount": [0, 1]}
    with pytest.raises(ConfigError, match="adds different units"):
        ask(tmp_path, programmes={"c": c}, constraints=cap)
