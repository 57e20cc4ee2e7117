"""Many starts, in this process or beside each other in several; the answer is the same."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sdopt.optimise.archive import Floats
from sdopt.optimise.climb import Climber
from sdopt.optimise.local_search import LocalOptimum
from sdopt.optimise.memory import Memory
from sdopt.optimise.stopping import NEVER, Stop

Stage = Literal["climb", "polish", "finish"]
Done = Callable[[LocalOptimum], None]
Note = Callable[[int, LocalOptimum], None]
POLL = 0.2
"""Seconds between two looks at whether to stop, while processes work."""

_known: tuple[Climber, Stop]
"""In a process of the crew: what it climbs, and when it stops."""


@dataclass
class Crew:
    """How many processes a search may use, and when it stops early."""

    workers: int = 1
    stop: Stop = NEVER

    def climb(
        self, climber: Climber, stage: Stage, points: Floats, memory: Memory, done: Done
    ) -> list[LocalOptimum]:
        """Where every point (start, decision) ends, in their order; `done` hears of each that is ready."""
        found = {k: _recall(memory, climber, stage, point) for k, point in enumerate(points)}
        left = {k: points[k] for k, optimum in found.items() if optimum is None}

        def note(k: int, optimum: LocalOptimum) -> None:
            found[k] = optimum
            if self.stop.reason() is None:
                _keep(memory, climber, stage, points[k], optimum)
            done(optimum)

        if self.workers > 1 and len(left) > 1:
            self._beside_each_other(climber, stage, left, note)
        else:
            for k, point in left.items():
                note(k, getattr(climber, stage)(point, self.stop))
        return [optimum for optimum in found.values() if optimum is not None]

    def _beside_each_other(
        self,
        climber: Climber,
        stage: Stage,
        left: dict[int, Floats],
        note: Note,
    ) -> None:
        """Spawned, as on Windows: a script that uses this needs `if __name__ == "__main__":`."""
        context = multiprocessing.get_context("spawn")
        asked = context.Event()
        given = (climber, asked, self.stop.until)
        with ProcessPoolExecutor(min(self.workers, len(left)), context, _take, given) as pool:
            waiting: dict[Future[LocalOptimum], int] = {
                pool.submit(_climb_known, stage, point): k for k, point in left.items()
            }
            while waiting:
                ready, _ = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
                if self.stop.reason() is not None:
                    asked.set()
                for future in sorted(ready, key=waiting.__getitem__):
                    note(waiting.pop(future), future.result())


@dataclass(eq=False)
class _AskedFrom(Stop):
    """A stop that another process sets off."""

    asked: Any = None

    def reason(self) -> Any:
        self.interrupted = self.interrupted or self.asked.is_set()
        return super().reason()


def _take(climber: Climber, asked: Any, until: float | None) -> None:
    global _known  # noqa: PLW0603  a process is told once what it works on
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes; the first one passes it on
    _known = climber, _AskedFrom(until, asked=asked)


def _climb_known(stage: Stage, point: Floats) -> LocalOptimum:
    climber, stop = _known
    answer: LocalOptimum = getattr(climber, stage)(point, stop)
    return answer


def _question(climber: Climber, point: Floats) -> Floats:
    weights = [number for pair in sorted(climber.view.weights.items()) for number in pair]
    tops = [top.point for top in climber.known if top.point is not None]
    return np.concatenate([point, climber.inside, weights, *tops])


def _recall(memory: Memory, climber: Climber, stage: Stage, point: Floats) -> LocalOptimum | None:
    known = memory.recall(stage, _question(climber, point))
    if known is None:
        return None
    if not len(known["point"]):
        return LocalOptimum(None, None)
    return LocalOptimum(known["point"], float(known["improvement"][0]))


def _keep(memory: Memory, climber: Climber, stage: Stage, point: Floats, optimum: LocalOptimum) -> None:
    nothing = np.empty(0)
    end = nothing if optimum.point is None else optimum.point
    improvement = nothing if optimum.improvement is None else np.array([optimum.improvement])
    memory.keep(stage, _question(climber, point), {"point": end, "improvement": improvement})
