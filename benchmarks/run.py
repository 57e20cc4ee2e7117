"""Our search against SciPy on PySD: same question, same limits; prints seconds and ratios.

    python benchmarks/run.py [--config configs/voorbeeld-100k.yaml] [--minutes 10]

Every answer is re-evaluated in our own engine. Loading the model is not counted for anyone.
Our engine may use two threads; PySD cannot.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from engines import check_agreement, exact_slopes, print_engines
from peers import NEARLY, Answer, Recorder, evolution, seconds_to_best, slsqp
from pysd_engine import PysdEngine
from question import TOLERANCE, Question
from sdopt.config.load import LoadedConfig, load_config
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.search import Found, search
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from time_step import print_time_step

DEFAULT = Path(__file__).parents[1] / "configs" / "herverdelen-100k.yaml"
TENTH = 0.1


def main() -> None:
    """Run every optimiser on one question and print the comparison."""
    arguments = _arguments()
    loaded = load_config(arguments.config)
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    question = Question(problem)
    pysd = PysdEngine(question, model)
    _print_heading(loaded, problem, check_agreement(question, pysd), arguments.minutes)
    ours, found = _ours(loaded, question)
    _print_row(ours, ours)
    answers = []
    for answer in _theirs(question, pysd, 60 * arguments.minutes):
        _print_row(answer, ours)
        answers.append(answer)
    _print_verdict(ours, found, answers)
    print_engines(question, pysd)
    print_time_step(loaded, model.system, problem, run_search)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, default=DEFAULT, help="the question (a config file)")
    parser.add_argument("--minutes", type=float, default=10.0, help="time limit of each optimiser of SciPy")
    return parser.parse_args()


def run_search(loaded: LoadedConfig, problem: Problem, progress: Progress = lambda *_: None) -> Found:
    """Our own search, from the null alternative."""
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return search(View(problem, problem.objective_rows), archive, loaded.config.search, progress)


def _ours(loaded: LoadedConfig, question: Question) -> tuple[Answer, Found]:
    begun = perf_counter()
    history: list[tuple[float, float]] = []

    def note(iteration: int, best: float | None, bound: float, gap: float | None) -> None:
        if best is not None:
            history.append((perf_counter() - begun, best))

    found = run_search(loaded, question.problem, note)
    seconds = perf_counter() - begun
    x = question.scaled(found.point)
    outcome = question.batch(x[None])
    room, improvement = float(question.room(x[None], outcome)[0]), float(outcome[0, 0])
    until = seconds_to_best(history, improvement, seconds)
    runs = len(found.planes.archive.points)
    return Answer("sdopt search, with proof", x, improvement, room, seconds, until, runs), found


def _theirs(question: Question, pysd: PysdEngine, limit: float) -> Iterator[Answer]:
    """The reference on our own engine, then the peers on PySD."""
    exact = Recorder(question, lambda x: question.batch(x[None])[0], limit)
    yield slsqp("SLSQP, our engine and gradients", exact, exact_slopes(question))
    differences = Recorder(question, pysd.outcome, limit)
    yield slsqp("SLSQP on PySD", differences, differences.differences)
    yield evolution("differential evolution on PySD", Recorder(question, pysd.outcome, limit))


def _print_heading(loaded: LoadedConfig, problem: Problem, difference: float, minutes: float) -> None:
    decisions, rules, constraints = problem.decisions.size, len(problem.rules), len(problem.constraints)
    print(loaded.config.title)
    print(f"{decisions} decisions, {rules} linear rules, {constraints} model constraints,", end=" ")
    print(f"{problem.grid.steps} steps of {problem.grid.step:g}; {minutes:g} minutes each at most")
    print(f"PySD and batch engine at a random allocation: largest difference {difference:.1e}\n")
    print(f"{'':<33}{'':>12}{'':>10}{'':>9}{'':>18}{'':>7}{'ours / theirs':>18}")
    print(
        f"{'Optimiser':<33}{'improvement':>12}{'vs ours':>10}{'allowed':>9}{'seconds':>9}{'to best':>9}"
        f"{'runs':>7}{'seconds':>9}{'to best':>9}",
        flush=True,
    )


def _print_row(answer: Answer, ours: Answer) -> None:
    allowed = "yes" if answer.room >= -TOLERANCE else f"{answer.room:.0e}"
    print(
        f"{answer.name:<33}{answer.improvement:>12.6f}{_difference(answer, ours):>+10.1e}{allowed:>9}"
        f"{answer.seconds:>9.2f}{answer.until_best:>9.2f}{answer.evaluations:>7}"
        f"{ours.seconds / answer.seconds:>9.4f}{ours.until_best / answer.until_best:>9.4f}  {answer.note}",
        flush=True,
    )


def _difference(answer: Answer, ours: Answer) -> float:
    """How far an answer is above ours, as part of our improvement."""
    return (answer.improvement - ours.improvement) / ours.improvement


def _print_verdict(ours: Answer, found: Found, answers: Sequence[Answer]) -> None:
    unit = found.planes.view.problem.objective_unit
    bound = "no bound" if found.bound is None else f"bound {found.bound:.6f}, gap {found.gap:.1e}"
    print(f"""
improvement: over the null alternative, {unit}; ours: {found.status.name}, {bound}
to best: seconds until an optimiser first came within {NEARLY:g} of its own best
runs: of the model; ours with gradients and without the audit, the reference's gradients not counted""")
    reference, *peers = answers
    for answer in (max(peers, key=lambda peer: peer.improvement), reference):
        difference = _difference(answer, ours)
        whole, best = ours.seconds / answer.seconds, ours.until_best / answer.until_best
        print(f"against {answer.name}:")
        print(f"  ours at most {NEARLY:g} of the improvement below it: {_yes(difference <= NEARLY)}")
        print(f"  ours in at most a tenth of its seconds: {_yes(whole <= TENTH)}")
        print(f"  ours to best in at most a tenth of its seconds to best: {_yes(best <= TENTH)}")


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"


if __name__ == "__main__":
    main()
