"""Programmes whose return is not concave: the joint bound is withdrawn, and patterns decide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.run import optimise
from sdopt.optimise.whole_numbers.every_pattern import EveryPattern
from sdopt.optimise.whole_numbers.patterns import allowed_patterns
from sdopt.optimise.whole_numbers.search import APART, TOGETHER, search_whole
from sdopt.problem.build import Problem
from sdopt.result import Status

DATA = Path(__file__).resolve().parents[1] / "data" / "programmes"
Ask = Callable[..., Problem]
ONLY_2027 = {f"programmes.{name}.start": {"first": 2027, "last": 2027} for name in "abc"}


def quiet(*_: Any) -> None:
    return None


def test_concave_within_every_pattern_only(ask: Ask) -> None:
    """A gains 1.5 x a year more while c runs: with both, x = min(2 + 1.5, 3) = 3 and a returns 10.5 - 4.5.

    Together: 3 (10.5 - 4.5 - 0.5) - 1 = 15.5; c 0.9 and b 0.875 as before.
    """
    problem = ask("three", {"model.changes": {"synergy": 1.5}, **ONLY_2027}, base=DATA)
    result = optimise(problem, "run", quiet)
    assert result.status is Status.OPTIMAL
    assert result.figures["improvement"] == pytest.approx(15.5 + 0.875 + 0.9, rel=1e-4)
    assert result.figures["bound"] >= 2.0 + 15.5 + 0.875 + 0.9 - 1e-9
    assert result.figures["programmes_bound"] == APART
    assert result.figures["programme_choices_searched"] == 8
    assert len(result.tables["starts"]) == 8


def test_not_concave_within_a_pattern(ask: Ask) -> None:
    """With a curve of -1 every amount goes to its largest, 3: 3 (s 3 + 4.5 - f) less the start cost."""
    changes = {"model.changes": {"curve": -1}, **ONLY_2027, "programmes.c": None, "programmes.b": None}
    problem = ask("three", changes, base=DATA)
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search_whole(view, archive, problem.config.search, quiet)
    assert found.status is Status.LOCAL
    assert found.bound is None
    assert found.improvement == pytest.approx(3 * (6 + 4.5 - 0.5) - 1, rel=1e-4)


def test_of_many_patterns_those_around_the_best_are_searched(ask: Ask) -> None:
    """From none started, with six searches: better step by step, and never called complete."""
    problem = ask("three", {"model.changes": {"synergy": 1.5}, "search.audit": 100}, base=DATA)
    view = View(problem, problem.objective_rows)
    every = EveryPattern(view, problem.config.search, quiet, most=6)
    patterns = list(allowed_patterns(problem))
    assert len(patterns) == 4**3
    searched = every.run(patterns[0])
    assert not every.complete
    assert len(searched) == 6
    assert searched[0].improvement == pytest.approx(0.0, abs=1e-6)
    assert max(one.improvement for one in searched) > 3.5  # at least a alone, from 2027 on


def test_where_it_is_concave_together_that_is_said(ask: Ask) -> None:
    result = optimise(ask("three", {"constraints": None, **ONLY_2027}, base=DATA), "run", quiet)
    assert result.figures["programmes_bound"] == TOGETHER
    assert "starts" not in result.tables
