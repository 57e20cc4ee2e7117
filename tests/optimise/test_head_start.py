"""With many decisions quadratic steps go first: the known optimum after few slopes, all else as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.errors import SimulationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.crew import Crew
from sdopt.optimise.head_start import head_start
from sdopt.optimise.local_search import pulled_inside
from sdopt.optimise.memory import Arrays, Memory, digest
from sdopt.optimise.polish import polish
from sdopt.optimise.run import optimise
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
YEARS = range(2027, 2087)
MODEL = Path(__file__).resolve().parents[1] / "data" / "optimise" / "root.mdl"


@pytest.fixture(scope="module")
def many(ask: Ask, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """`many({"place.below": value, ...})`: two decisions in each of sixty years, one cap a year."""
    model = tmp_path_factory.mktemp("many") / "root.mdl"
    text = MODEL.read_text(encoding="utf-8").replace("FINAL TIME= 2032", "FINAL TIME= 2090")
    model.write_text(text, encoding="utf-8")
    years = {"first": YEARS[0], "last": YEARS[-1]}
    changes = {"model.file": str(model), "decision_years": years, "horizon.end": YEARS[-1] + 1}
    return lambda more=None: ask("root", {**changes, **(more or {})})


class AfterLooks(Stop):
    """Stops when it was asked so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def reason(self) -> Status | None:
        self.looks -= 1
        return Status.TIME_LIMIT if self.looks < 0 else None


class Notebook(Memory):
    """Remembers, and counts how often that helped."""

    def __init__(self) -> None:
        self.answers: dict[str, Arrays] = {}
        self.recalled = 0

    def recall(self, kind: str, question: Floats) -> Arrays | None:
        answer = self.answers.get(digest(kind, question))
        self.recalled += answer is not None
        return answer

    def keep(self, kind: str, question: Floats, answer: Arrays) -> None:
        self.answers[digest(kind, question)] = answer


def truth() -> float:
    """Most that 6 sqrt(a) + 4 sqrt(b) with a + b = 13 returns over a = b = 1: 26 against 10 a year."""
    return sum(16 * 0.25 * 1.03 ** -(year + k / 4 - 2027) for year in YEARS for k in range(4))


def begin(problem: Problem, memory: Memory | None = None) -> tuple[View, Archive]:
    archive = Archive(problem, memory) if memory else Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return View(problem, problem.objective_rows), archive


def solve(problem: Problem, stop: Stop = NEVER) -> Result:
    return optimise(problem, "run", lambda *_: None, Crew(stop=stop))


def test_the_known_optimum_of_many_decisions_after_few_slopes(many: Ask) -> None:
    """Cuts alone take six hundred slopes to this gap."""
    result = solve(many({"search.gap": 1e-5}))
    assert result.status is Status.OPTIMAL
    assert result.figures["evaluations"] < 60
    assert result.figures["improvement"] == pytest.approx(truth(), rel=1e-5)
    assert result.figures["improvement"] <= truth() * (1 + 1e-9)
    bound = result.figures["bound"] - result.figures["null_objective"]
    assert truth() * (1 - 1e-9) <= bound <= truth() * (1 + 2e-5)


def test_what_is_told_on_the_way_is_allowed_and_no_better_than_the_optimum(many: Ask) -> None:
    problem, told = many(), []
    view, archive = begin(problem)
    head_start(view, archive, NEVER, lambda _, best, bound, gap: told.append(best))
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= truth() * (1 + 1e-9)
    end = slice(len(archive.points) - 1, None)
    assert view.meets_rules(archive.points).all()  # tangents elsewhere might be of another shape
    assert view.objective(archive.values[end])[0] == pytest.approx(truth(), rel=1e-6)


def test_what_passes_a_rule_by_a_hair_is_drawn_inside(many: Ask) -> None:
    """9 sqrt-wise to 4 is the best split of 13; a ten-millionth more is forbidden, and would return more."""
    problem = many()
    view, _ = begin(problem)
    inside, share = problem.decisions.null_vector(), {"a": 9.0, "b": 4.0}
    best = np.array([share[name] for name, _ in problem.decisions.labels()])
    over = best * (1 + 2e-7)
    assert not view.meets_rules(over[None])[0]
    found = pulled_inside(view, over, inside)
    assert found.point is not None and view.meets_rules(found.point[None])[0]
    assert 0.9 * truth() < found.improvement <= truth() * (1 + 1e-9)


def test_where_the_model_gives_no_number_on_the_way_it_ends_with_what_it_has(
    many: Ask, tmp_path: Path
) -> None:
    """What is left of 13 has a root, which has no number a hair beyond it; only then does the cap hold."""
    text = MODEL.read_text(encoding="utf-8").replace("FINAL TIME= 2032", "FINAL TIME= 2090")
    rooted = text.replace("- price *", "+ SQRT ( 13 - spending a - spending b ) - price *")
    assert rooted != text
    (tmp_path / "rooted.mdl").write_text(rooted, encoding="utf-8")
    view, archive = begin(many({"model.file": str(tmp_path / "rooted.mdl")}))
    with pytest.raises(SimulationError):
        polish(view, archive.points[0], 1.0, NEVER)
    head_start(view, archive, NEVER, lambda *_: None)
    assert view.meets_rules(archive.points).all() and np.isfinite(archive.values).all()


def test_few_decisions_are_left_to_the_cuts(ask: Ask) -> None:
    view, archive = begin(ask("root"))
    head_start(view, archive, NEVER, lambda *_: None)
    assert len(archive.points) == 1


def test_it_stops_when_time_is_up_with_what_it_has(many: Ask) -> None:
    result = solve(many(), AfterLooks(3))
    assert result.status is Status.TIME_LIMIT
    assert 0 < result.figures["improvement"] <= truth()
    assert result.figures["bound"] - result.figures["null_objective"] >= truth() * (1 - 1e-9)


def test_resumed_it_goes_the_same_way_and_works_out_no_slope_again(many: Ask) -> None:
    problem, notes = many(), Notebook()
    view, stopped = begin(problem, notes)
    head_start(view, stopped, AfterLooks(4), lambda *_: None)
    notes.recalled = 0
    ends = []
    for memory in (Memory(), notes):
        view, archive = begin(problem, memory)
        head_start(view, archive, NEVER, lambda *_: None)
        ends.append(archive)
    assert notes.recalled >= len(stopped.points) - 1 > 3  # all but its end, which was not on the way
    assert np.array_equal(ends[0].points, ends[1].points)
    assert np.array_equal(ends[0].gradients, ends[1].gradients)
