"""One line on the terminal that says how far something is; silent when not a terminal."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Self

import click

OFTEN = 0.2
"""Seconds between two lines of progress."""


class TerminalLine:
    """A line that is written over and over; `shown` only on a terminal. Use it in a `with` statement."""

    def __enter__(self) -> Self:
        """Start."""
        self.shown = sys.stderr.isatty()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the line."""
        if self.shown:
            click.echo(err=True)


class SweepProgress(TerminalLine):
    """How many runs (or other things) are done, and how long the others take."""

    def __init__(self, what: str = "runs") -> None:
        self.what, self.begun, self.last = what, monotonic(), 0.0

    def __call__(self, done: int, now: int, runs: int) -> None:
        """Show how far it is; `now` is how many were done since the start."""
        passed = monotonic() - self.begun
        if not self.shown or (done < runs and passed - self.last < OFTEN):
            return
        self.last = passed
        left = f", {_duration(passed / now * (runs - done))} left" if now else ""
        said = f"{done:,} of {runs:,} {self.what}{left}" if done < runs else f"{runs:,} {self.what}"
        click.echo(f"\r{said:60}", nl=False, err=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
