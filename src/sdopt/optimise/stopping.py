"""When to stop early: a time limit, or Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sdopt.result import Status

STOPPED = (Status.TIME_LIMIT, Status.INTERRUPTED)
"""How a result says that its search was stopped early."""


@dataclass(eq=False)
class Stop:
    """Asked by every search between two rounds: `reason` is None as long as it may go on.

    `until` is a time of `time.time()`, or None; `interrupted` is set by Ctrl-C.
    """

    until: float | None = None
    interrupted: bool = field(default=False)

    def reason(self) -> Status | None:
        """`INTERRUPTED`, `TIME_LIMIT`, or None."""
        if self.interrupted:
            return Status.INTERRUPTED
        return Status.TIME_LIMIT if self.until is not None and time.time() >= self.until else None


NEVER = Stop()
"""A search that runs to its end."""


@contextmanager
def stop_on_interrupt(seconds: float | None = None) -> Iterator[Stop]:
    """A `Stop` after some seconds, and at the first Ctrl-C; a second one ends the program as usual."""
    stop = Stop(None if seconds is None else time.time() + seconds)

    def note(number: int, frame: FrameType | None) -> None:
        if stop.interrupted:
            raise KeyboardInterrupt
        stop.interrupted = True

    before: Any = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
