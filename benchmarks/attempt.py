"""A program by itself: one optimiser, one problem, one fresh process; started by `problems.py`.

    python attempt.py CONFIG PEER SECONDS CLOCK BEGUN

Everything counts from the start of the process: Python, imports, reading the model, translating it for the
peer. CLOCK is `wall` (BEGUN is what time.time() said then) or `cpu` (seconds of processor). Prints JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time, time

from peers import Answer, Recorder, evolution, seconds_to_best, slsqp
from problem_set import Posed, pose

Attempt = Callable[[Posed, Recorder], Answer]


def sdopt(posed: Posed, recorder: Recorder) -> Answer:
    """Our own search with the settings of the question, from the null alternative."""
    from sdopt.optimise.archive import Archive, View
    from sdopt.optimise.search import search
    from sdopt.optimise.whole_numbers.search import search_whole

    question = recorder.question

    def note(iteration: int, best: float | None, bound: float, gap: float | None) -> None:
        if best is not None and (not recorder.history or best > recorder.history[-1][1]):
            recorder.history.append((recorder.seconds, best))

    archive = Archive(question.problem)
    archive.add(question.problem.decisions.null_vector()[None])
    view = View(question.problem, question.problem.objective_rows)
    find = search_whole if question.whole.any() else search
    found = find(view, archive, posed.loaded.config.search, note)
    note(len(found.trace), found.improvement, float("nan"), None)  # the last digits come after the last round
    seconds, x = recorder.seconds, question.scaled(found.point)
    outcome = question.batch(x[None])
    improvement, room = float(outcome[0, 0]), float(question.room(x[None], outcome)[0])
    bound = (
        "no bound" if found.bound is None else f"bound {question.problem.null_objective + found.bound:.8g}"
    )
    until = seconds_to_best(recorder.history, improvement, seconds)
    note_ = f"{found.status.name}, {bound}"
    return Answer("sdopt", x, improvement, room, seconds, until, len(archive.points), note_)


def _on_pysd(posed: Posed, recorder: Recorder) -> None:
    from pysd_engine import PysdEngine

    recorder.engine = PysdEngine(posed.question, posed.model).outcome


def slsqp_on_pysd(posed: Posed, recorder: Recorder) -> Answer:
    _on_pysd(posed, recorder)
    return slsqp("slsqp-pysd", recorder, recorder.differences)


def slsqp_exact(posed: Posed, recorder: Recorder) -> Answer:
    from engines import exact_slopes

    return slsqp("slsqp-exact", recorder, exact_slopes(posed.question))


def evolution_on_pysd(posed: Posed, recorder: Recorder) -> Answer:
    _on_pysd(posed, recorder)
    return evolution("de-pysd", recorder)


def ema(posed: Posed, recorder: Recorder) -> Answer:
    from peer_ema import optimise

    _on_pysd(posed, recorder)
    return optimise("ema", recorder)


def ipopt_shooting(posed: Posed, recorder: Recorder) -> Answer:
    from peer_ipopt import ipopt

    return ipopt("ipopt-shooting", recorder, full=False)


def ipopt_full(posed: Posed, recorder: Recorder) -> Answer:
    from peer_ipopt import ipopt

    return ipopt("ipopt-full", recorder, full=True)


def scip(posed: Posed, recorder: Recorder) -> Answer:
    from peer_scip import solve

    return solve("scip", recorder)


ATTEMPTS: dict[str, Attempt] = {
    "sdopt": sdopt,
    "slsqp-exact": slsqp_exact,
    "slsqp-pysd": slsqp_on_pysd,
    "de-pysd": evolution_on_pysd,
    "ema": ema,
    "ipopt-shooting": ipopt_shooting,
    "ipopt-full": ipopt_full,
    "scip": scip,
}


def main() -> None:
    """Make the attempt that the command line asks for."""
    config, peer, limit, clock, begun = sys.argv[1:6]
    posed = pose(Path(config))
    now, start = (process_time, 0.0) if clock == "cpu" else (time, float(begun))
    question = posed.question
    recorder = Recorder(question, lambda x: question.batch(x[None])[0], float(limit), now, start)
    answer = ATTEMPTS[peer](posed, recorder)
    made = {
        "x": [float(value) for value in answer.x],
        "seconds": recorder.seconds,
        "history": recorder.history,
        "first": recorder.ended[0] if recorder.ended else None,
        "evaluations": answer.evaluations,
        "note": answer.note,
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
