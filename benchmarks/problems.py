"""sdopt and its peers on the public set of problems; prints objective, gap, seconds, ratios and every loss.

    python benchmarks/problems.py [--problems NAME ...] [--peers ...] [--seconds N] [--write FILE]

See docs/benchmark-problems.md. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, time
from typing import Any

import numpy as np

from attempt import ATTEMPTS
from peer_settings import ALIKE, NEEDS, NOT_WHOLE, setting
from peers import NEARLY, seconds_to_best
from problem_set import Entry, entries, keep_best, pose
from question import TOLERANCE, Question
from sdopt import __version__

PATIENCE = {"wall": 4.0, "cpu": 25.0}
"""An attempt that still runs after so many times its seconds (by the clock on the wall) has no answer."""
GRACE = 120.0
"""Seconds more that every attempt gets before that."""
NOTABLE = 1e-5
"""Part of the improvement by which an answer must be better to be kept: less may be tolerance of limits."""
HEAD = ("objective", "below best", "seconds", "to target", "runs", "ours/theirs")
WIDTHS = (15, 12, 9, 11, 8, 17)
VERSIONS = ("numpy", "scipy", "pysd", "casadi", "pyscipopt", "ema_workbench", "highspy")


@dataclass(frozen=True)
class Row:
    """One attempt: `objective` in the problem's unit, None without an allowed answer; times in seconds."""

    problem: str
    peer: str
    objective: float | None
    seconds: float
    to_target: float | None
    evaluations: int
    note: str


@dataclass(frozen=True)
class Outcome:
    """All rows of one problem, with the value that counts as best and the improvement it means."""

    entry: Entry
    rows: tuple[Row, ...]
    best: float
    improvement: float

    def behind(self, row: Row) -> float | None:
        """How far a row is below the best, as part of the improvement."""
        return None if row.objective is None else (self.best - row.objective) / self.improvement


def main() -> None:
    """Run every attempt that is asked for, one after the other."""
    asked = _arguments()
    with _Paper(asked.write) as paper:
        peers = _installed(asked.peers, paper)
        for line in _heading(peers, asked):
            paper.line(line)
        outcomes = []
        for entry in entries(asked.problems):
            outcomes.append(_compare(entry, peers, asked, paper))
        for line in _losses(outcomes):
            paper.line(line)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--problems", nargs="+", default=[], metavar="NAME", help="all when absent")
    parser.add_argument("--peers", nargs="+", choices=list(ATTEMPTS), default=list(ATTEMPTS), metavar="PEER")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of every attempt of a peer")
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: seconds of processor, for a computer that does other things too",
    )
    parser.add_argument("--keep", action="store_true", help="store better answers in problems/ as best known")
    parser.add_argument("--write", type=Path, help="a file that gets all that is printed")
    return parser.parse_args()


class _Paper:
    """Prints, and writes the same to a file."""

    def __init__(self, path: Path | None) -> None:
        self.file = path.open("w", encoding="utf-8", newline="\n") if path else None

    def __enter__(self) -> _Paper:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()

    def line(self, text: str = "") -> None:
        print(text, flush=True)
        if self.file:
            self.file.write(text.rstrip() + "\n")
            self.file.flush()


def _installed(peers: Sequence[str], paper: _Paper) -> list[str]:
    there = [peer for peer in peers if peer not in NEEDS or find_spec(NEEDS[peer])]
    for peer in peers:
        if peer not in there:
            paper.line(
                f"NOT RUN: {peer}, because {NEEDS[peer]} is not installed (pip install sdopt[benchmark])"
            )
    return there


def _heading(peers: Sequence[str], asked: argparse.Namespace) -> Iterator[str]:
    yield "sdopt and its peers on the public problems (benchmarks/problems, docs/benchmark-problems.md)"
    yield ", ".join(
        [f"sdopt {__version__}", *(f"{name} {version(name)}" for name in VERSIONS if find_spec(name))]
    )
    python = sys.version.split()[0]
    yield f"Python {python}; at most {asked.seconds:g} seconds for a peer; clock: {asked.clock}{_load()}"
    yield ""
    yield ALIKE
    yield ""
    for peer in peers:
        yield setting(peer)


def _load() -> str:
    """How busy the computer is, where that can be asked."""
    return (
        f"; load when begun: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        if hasattr(os, "getloadavg")
        else ""
    )


def _compare(entry: Entry, peers: Sequence[str], asked: argparse.Namespace, paper: _Paper) -> Outcome:
    question = pose(entry.file).question
    taking_part = [p for p in peers if not (question.whole.any() and p in NOT_WHOLE)]
    attempts = [(peer, _attempt(entry, peer, asked)) for peer in taking_part]
    values = {peer: _evaluated(question, made) for peer, made in attempts}
    best = max([entry.best, *(value for value in values.values() if value is not None)])
    improvement = best - question.problem.null_objective
    target = improvement * (1 - NEARLY)
    rows = tuple(_row(entry, peer, made, values[peer], target) for peer, made in attempts)
    outcome = Outcome(entry, rows, best, improvement)
    if asked.keep and best > entry.best + NOTABLE * improvement:
        winner, made = next((peer, made) for peer, made in attempts if values[peer] == best)
        keep_best(entry, question, question.decisions(np.array(made["x"])), best, f"found by {winner}")
    for line in _table(outcome, question):
        paper.line(line)
    return outcome


def _attempt(entry: Entry, peer: str, asked: argparse.Namespace) -> dict[str, Any]:
    """One attempt in a fresh process: what it prints, or why there is nothing."""
    script = Path(__file__).parent / "attempt.py"
    begun = perf_counter()
    command = [
        sys.executable,
        str(script),
        str(entry.file),
        peer,
        str(asked.seconds),
        asked.clock,
        repr(time()),
    ]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE[asked.clock] * asked.seconds + GRACE,
        )
    except subprocess.TimeoutExpired:
        return {"seconds": perf_counter() - begun, "note": "did not stop at its limit, ended: no answer"}
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"seconds": perf_counter() - begun, "note": f"failed: {why[:150]}"}
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def _evaluated(question: Question, made: dict[str, Any]) -> float | None:
    """The objective of an answer in our own engine; None when it is not allowed."""
    if "x" not in made:
        return None
    x = np.array(made["x"])[None]
    outcome = question.batch(x)
    allowed = question.room(x, outcome)[0] >= -TOLERANCE
    return float(outcome[0, 0]) + question.problem.null_objective if allowed else None


def _row(entry: Entry, peer: str, made: dict[str, Any], value: float | None, target: float) -> Row:
    history = [(when, gained) for when, gained in made.get("history", []) if gained >= target]
    reached = seconds_to_best(history, target, made["seconds"]) if history else None
    return Row(entry.name, peer, value, made["seconds"], reached, made.get("evaluations", 0), made["note"])


def _table(outcome: Outcome, question: Question) -> Iterator[str]:
    entry, problem = outcome.entry, question.problem
    size = (
        f"{problem.decisions.size} decisions, {len(problem.rules)} rules, {len(problem.constraints)} limits"
    )
    yield f"\n{entry.name} ({entry.kind}): {size}, {problem.grid.steps} steps, {problem.objective_unit}"
    bound = "no bound" if entry.bound is None else f"bound {entry.bound:.8g} ({entry.bound_assumes})"
    yield f"best known {entry.best:.8g}, {bound}; null alternative {problem.null_objective:.8g}"
    yield " " * 16 + "".join(f"{word:>{width}}" for word, width in zip(HEAD, WIDTHS, strict=True))
    ours = next((row for row in outcome.rows if row.peer == "sdopt"), None)
    for row in outcome.rows:
        yield _line(outcome, row, ours)


def _line(outcome: Outcome, row: Row, ours: Row | None) -> str:
    objective = "none allowed" if row.objective is None else f"{row.objective:.8g}"
    behind = outcome.behind(row)
    below = "" if behind is None else f"{behind:.1e}"
    reached = "never" if row.to_target is None else f"{row.to_target:.2f}"
    ratios = (
        f"{_ratio(ours and ours.seconds, row.seconds):>9}{_ratio(ours and ours.to_target, row.to_target):>8}"
    )
    figures = f"{objective:>15}{below:>12}{row.seconds:>9.2f}{reached:>11}{row.evaluations:>8}"
    return f"{row.peer:<16}{figures}{ratios}  {row.note}"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return "" if ours is None or theirs is None else f"{ours / theirs:.3f}"


def _losses(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Where sdopt was worse or slower. Slower is said of peers that reached the target."""
    found = [loss for outcome in outcomes for loss in _losses_of(outcome)]
    yield "\nLosses"
    yield f"value: sdopt more than {NEARLY:g} of the improvement below the best; seconds: a peer reached the"
    yield "target earlier, or ended earlier having reached it (sdopt's include its proof or its starts)."
    yield from found or ["none"]


def _losses_of(outcome: Outcome) -> Iterator[str]:
    rows = {row.peer: row for row in outcome.rows}
    ours = rows.pop("sdopt", None)
    if ours is None:
        return
    behind, name = outcome.behind(ours), outcome.entry.name
    best_known = (outcome.best - outcome.entry.best) / outcome.improvement
    if behind is None or behind > NEARLY:
        better = [
            peer for peer, row in rows.items() if row.objective is not None and _above(outcome, row, ours)
        ]
        than = ", ".join(better) or "the best known value only"
        below = "no allowed answer" if behind is None else f"{behind:.1e} below the best"
        yield f"{name}: value, {below}; better: {than}"
    if best_known > NEARLY:
        yield f"{name}: a peer or sdopt is {best_known:.1e} above the best known value in the list"
    there = {peer: row for peer, row in rows.items() if row.to_target is not None}
    reached = {peer: row.to_target for peer, row in there.items() if row.to_target is not None}
    yield from _slower(f"{name}: seconds to target", ours.to_target, reached)
    yield from _slower(f"{name}: seconds in all", ours.seconds, {k: row.seconds for k, row in there.items()})


def _slower(what: str, ours: float | None, theirs: Mapping[str, float]) -> Iterator[str]:
    """The peers that took less time than we did; None is never."""
    faster = [f"{peer} {took:.2f}" for peer, took in theirs.items() if ours is None or took < ours]
    if faster:
        yield f"{what}, {'never' if ours is None else f'{ours:.2f}'} against {', '.join(faster)}"


def _above(outcome: Outcome, row: Row, ours: Row) -> bool:
    theirs, mine = outcome.behind(row), outcome.behind(ours)
    return theirs is not None and (mine is None or mine - theirs > NEARLY)


if __name__ == "__main__":
    main()
