"""The public set of problems: every best known value holds, and is checked by something else than sdopt."""

import csv
from pathlib import Path

import numpy as np
import pytest

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.search import search
from sdopt.optimise.whole_numbers.search import search_whole
from sdopt.source_model.replay import replay

ROOT = Path(__file__).parents[2]
with (ROOT / "benchmarks" / "problems" / "problems.csv").open(encoding="utf-8", newline="") as file:
    ROWS = {row["name"]: row for row in csv.DictReader(file)}
BY_HAND = ("fishery", "resource-depletion", "threshold")
QUICK = ("two-basins", "s-shape", "threshold")
"""Independent checks that take less than a second."""
SOLVED = ("two-basins", "s-shape", "threshold", "fishery", "resource-depletion", "centres")
"""Small problems that sdopt solves in a second or two."""
PROVED = ("fishery", "resource-depletion", "centres")
NEARLY = 1e-4
AGREEMENT = 1e-6
"""Between values of two programs, of the improvement: what a solver leaves of a flat optimum."""


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("name", ROWS)
def test_the_stored_allocation_is_allowed_and_has_the_best_known_value(name: str) -> None:
    from problem_set import entries, pose, stored_allocation
    from question import TOLERANCE

    entry = entries([name])[0]
    question = pose(entry.file).question
    x = question.scaled(stored_allocation(entry, question))[None]
    outcome = question.batch(x)
    improvement = entry.best - question.problem.null_objective
    assert question.room(x, outcome)[0] >= -TOLERANCE
    assert outcome[0, 0] == pytest.approx(improvement, rel=1e-7, abs=0)
    assert improvement > 0


@pytest.mark.parametrize("name", ROWS)
def test_every_problem_says_where_it_comes_from_and_how_it_was_checked(name: str) -> None:
    from problem_set import ASSUMPTIONS, entries

    entry = entries([name])[0]
    assert entry.bound_assumes in ASSUMPTIONS
    assert (entry.bound is None) == (entry.bound_assumes == "")
    assert all(len(text) > 6 for text in (entry.model_source, entry.value_source, entry.check))
    if entry.bound is not None:
        assert entry.best <= entry.bound + 1e-12 * abs(entry.bound)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "independent.py" in row["check"]])
def test_a_value_found_without_sdopt_stands_beside_the_best_known(name: str) -> None:
    from problem_set import entries, pose

    entry = entries([name])[0]
    improvement = entry.best - pose(entry.file).question.problem.null_objective
    assert (entry.best - entry.check_value) / improvement <= NEARLY


@pytest.mark.parametrize("name", QUICK)
def test_independent_equations_give_the_same_value_and_optimum(name: str) -> None:
    from independent import CHECKS
    from problem_set import entries, pose

    entry, checked = entries([name])[0], CHECKS[name]()
    question = pose(entry.file).question
    x = question.scaled(checked.point)[None]
    outcome = question.batch(x)
    assert outcome[0, 0] + question.problem.null_objective == pytest.approx(checked.value, rel=1e-9)
    assert question.room(x, outcome)[0] >= -1e-9
    assert checked.value == pytest.approx(entry.check_value, abs=AGREEMENT * outcome[0, 0])


@pytest.mark.parametrize("name", BY_HAND)
def test_no_direction_from_an_optimum_by_hand_gains_anything(name: str) -> None:
    """Many small allowed moves: the best known value stands above all of them."""
    from problem_set import entries, pose, stored_allocation

    entry = entries([name])[0]
    question = pose(entry.file).question
    x = question.scaled(stored_allocation(entry, question))
    random = np.random.default_rng(3)
    size = 10.0 ** random.uniform(-5, -0.5, (4000, 1))
    moved = np.clip(x + size * random.standard_normal((4000, len(x))), 0, 1)
    outcomes = question.batch(moved)
    allowed = question.room(moved, outcomes) >= 0
    assert allowed.sum() > 100
    assert outcomes[allowed, 0].max() <= entry.best - question.problem.null_objective + 1e-9


@pytest.mark.parametrize("name", SOLVED)
def test_sdopt_finds_the_known_optimum(name: str) -> None:
    from problem_set import entries, pose

    entry = entries([name])[0]
    posed = pose(entry.file)
    problem = posed.question.problem
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    find = search_whole if problem.decisions.programmes else search
    view = View(problem, problem.objective_rows)
    found = find(view, archive, posed.loaded.config.search, lambda *_: None)
    improvement = entry.best - problem.null_objective
    assert found.improvement == pytest.approx(improvement, abs=NEARLY * improvement)
    if name in PROVED:
        assert found.bound is not None
        assert found.bound >= improvement * (1 - 1e-9)
    else:
        assert found.bound is None  # these are not concave, and a bound that assumes it would be false


@pytest.mark.parametrize("name", ["centres", "threshold", "market-growth"])
def test_pysd_gives_the_best_known_value_too(name: str) -> None:
    from problem_set import entries, pose, stored_allocation

    entry = entries([name])[0]
    posed = pose(entry.file)
    problem = posed.question.problem
    paths = {
        k: p[:, 0]
        for k, p in problem.decisions.expand(stored_allocation(entry, posed.question)[None]).items()
    }
    theirs = replay(posed.model, {}, paths, problem.grid)
    value = sum(
        weight * float(w @ theirs[key].to_numpy())
        for row, weight in problem.objective_rows.items()
        for key, w in problem.evaluator.functionals[row].weights.items()
    )
    assert value == pytest.approx(entry.best, rel=1e-9)


def test_the_certificate_configs_differ_from_the_shipped_question_in_their_horizon_alone() -> None:
    from problem_set import entries, pose

    names = ("voorbeeld-100k", "certify-10-years", "certify-20-years")
    configs = [pose(entries([f"first-version-{name}"])[0].file).loaded.config for name in names]
    assert [c.horizon.end for c in configs] == [2042, 2036, 2046]
    assert {(c.decision_years.first, c.decision_years.last, c.horizon.start) for c in configs} == {
        (2027, 2030, 2026)
    }
    alike = [c.model_copy(update={"horizon": None, "title": ""}) for c in configs]
    assert alike[0] == alike[1] == alike[2]


def test_a_fraction_of_a_centre_is_not_allowed() -> None:
    from problem_set import entries, pose, stored_allocation

    entry = entries(["centres"])[0]
    question = pose(entry.file).question
    x = question.scaled(stored_allocation(entry, question))
    halved = np.where(question.whole | (x > 0.9), x / 2, x)[None]
    assert question.rule_slacks(halved).min() >= -1e-9
    assert question.room(halved, question.batch(halved))[0] == pytest.approx(-0.5)


def test_losses_are_named() -> None:
    """Rows made by hand: a better peer, a quicker one, and one that is quick but bad."""
    from problem_set import entries
    from problems import Outcome, Row, _losses

    entry = entries(["fishery"])[0]
    rows = (
        Row("fishery", "sdopt", entry.best - 1, 5.0, None, 10, ""),
        Row("fishery", "scip", entry.best, 3.0, 2.0, 10, ""),
        Row("fishery", "ema", entry.best - 2, 1.0, None, 10, ""),
    )
    text = "\n".join(_losses([Outcome(entry, rows, entry.best, 50.0)]))
    assert "fishery: value, 2.0e-02 below the best; better: scip" in text
    assert "fishery: seconds to target, never against scip 2.00" in text
    assert "fishery: seconds in all, 5.00 against scip 3.00" in text
    assert "ema" not in text
    good = (Row("fishery", "sdopt", entry.best, 1.0, 0.5, 10, ""), *rows[1:])
    assert list(_losses([Outcome(entry, good, entry.best, 50.0)]))[-1] == "none"
