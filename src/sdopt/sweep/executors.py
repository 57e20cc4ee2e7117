"""Who does the work of a sweep: this process, threads or processes beside it. Results come in any order.

An executor takes the work, which every worker is told once, and items, drawn from the iterator only when
a worker is about to be free, so that memory does not grow with their number.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeAlias

from sdopt.equations.workers import ignore_interrupts
from sdopt.errors import SimulationError

Work: TypeAlias = Callable[[Any], Any]
"""What is done with every item. Work, items and results can be pickled."""
Spread: TypeAlias = Callable[[Work, Iterable[Any]], Iterator[Any]]
"""Does the work of all items, and gives what came of each, in any order; it may be given up halfway."""

AHEAD = 1
"""Items that wait for every worker, so that it is never idle."""

_known: Work
"""In a process of the pool: the work."""


def in_this_process(work: Work, items: Iterable[Any]) -> Iterator[Any]:
    """One after another."""
    return map(work, items)


def in_threads(count: int) -> Spread:
    """Beside each other in threads: for work that lets go of Python's lock, as machine code does."""

    def spread(work: Work, items: Iterable[Any]) -> Iterator[Any]:
        with ThreadPoolExecutor(count) as pool:
            yield from _as_they_come(pool, work, items, count)

    return spread


def in_processes(count: int) -> Spread:
    """Beside each other in processes, spawned as on Windows: a script needs `if __name__ == "__main__":`.

    They end by themselves when this process is killed.
    """

    def spread(work: Work, items: Iterable[Any]) -> Iterator[Any]:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, context, _take, (work,)) as pool:
            try:
                yield from _as_they_come(pool, _work_known, items, count)
            except BrokenProcessPool as error:
                raise SimulationError(
                    f"a process that simulated scenarios ended by itself ({error}); is memory enough? What "
                    "is done is kept: go on with --resume, perhaps with fewer --workers."
                ) from None

    return spread


def _as_they_come(pool: Executor, work: Work, items: Iterable[Any], count: int) -> Iterator[Any]:
    left = iter(items)
    waiting: set[Future[Any]] = {pool.submit(work, item) for item in islice(left, count * (1 + AHEAD))}
    try:
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            waiting |= {pool.submit(work, item) for item in islice(left, len(ready))}
            while ready:
                yield ready.pop().result()
    finally:
        for future in waiting:
            future.cancel()


def _take(work: Work) -> None:
    global _known  # noqa: PLW0603  a process is told once what its work is
    ignore_interrupts()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _known = work


def _end_with_parent() -> None:
    """A process that waits for work does not notice that nobody is left to give it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_known(item: Any) -> Any:
    return _known(item)
