"""The command itself: expected failures as one message, and what several commands share."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from sdopt import __version__
from sdopt.errors import SdoptError

if TYPE_CHECKING:
    from sdopt.config.load import LoadedConfig
    from sdopt.problem.build import Problem
    from sdopt.source_model.read import SourceModel


# Sums of matrix products depend on how many threads share them: the bytes of a result must not. NumPy reads
# this when it is loaded; its matrices are small here, and a second thread only gets in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_UNSEEN = {
    code: f"\\u{code:04x}"
    for code in (
        *range(9),
        *range(11, 32),
        *range(0x7F, 0xA0),
        *(0x061C, 0x200E, 0x200F),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    )
}
"""What steers a terminal, or turns text around: in an error that repeats such text, shown and not done."""

FILE = click.Path(path_type=Path)
SECONDS = click.FloatRange(min=0, min_open=True)
TIME_LIMIT = click.option(
    "--time-limit", type=SECONDS, metavar="SECONDS", help="Stop the search then, with the best so far."
)


class Commands(click.Group):
    """Expected failures become one message and exit code 1; `--debug` shows the traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        for stream in (sys.stdout, sys.stderr):
            # A console that cannot show an accent must not end the run.
            getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
        # A command lives for seconds: looking for reference cycles would take a fifth of them.
        gc.disable()
        atexit.register(gc.freeze)  # nor look for them when Python ends
        try:
            with _end_as_with_ctrl_c():
                return super().invoke(context)
        except SdoptError as error:
            if context.params.get("debug"):
                raise
            raise click.ClickException(str(error).translate(_UNSEEN)) from None
        except MemoryError:
            if context.params.get("debug"):
                raise
            raise click.ClickException(
                "there is not enough memory for this. Close other programs, or ask for less: fewer runs, "
                "scenarios or years."
            ) from None
        finally:
            gc.enable()


@contextmanager
def _end_as_with_ctrl_c() -> Iterator[None]:
    """A request to end (SIGTERM) does what Ctrl-C does at that moment, so that nothing half is left."""

    def end(number: int, frame: FrameType | None) -> None:
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    before: Any = None
    with suppress(ValueError):  # outside the main thread there is nothing to set
        before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@click.group(cls=Commands)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an expected failure.")
def main(debug: bool) -> None:
    """Find the budget allocation with the highest return, and say how sure that is."""


def is_config(path: Path) -> bool:
    """Whether it is a config, by its name; else a model or a folder."""
    return path.suffix.lower() in (".yaml", ".yml")


def read(config: Path) -> tuple[LoadedConfig, SourceModel, Problem]:
    """A config, its model and the question that they make."""
    from sdopt.config.load import load_config
    from sdopt.problem.build import build_problem
    from sdopt.source_model.read import read_model

    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    return loaded, model, build_problem(loaded, model.system)
