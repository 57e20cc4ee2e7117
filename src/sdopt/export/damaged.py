"""Results that were changed after sdopt wrote them: whatever goes wrong with them is one clear message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdopt.errors import ExportError, SdoptError


@contextmanager
def as_written(*folders: Path) -> Iterator[None]:
    """Work with results that are to be as sdopt wrote them; other failures than those of a disk say which.

    Raises
    ------
    ExportError
        When a table or a fact in summary.json is not as sdopt writes it: a column lacks, a number is a text.
    """
    try:
        yield
    except (SdoptError, OSError, MemoryError):
        raise
    except Exception as error:  # what anyone can have put in a table or summary.json can make any of them
        said = " ".join(str(error).split())[:150]
        raise ExportError(
            f"{', '.join(map(str, folders))}: summary.json or a table is not as sdopt writes it "
            f"({type(error).__name__}: {said}). Restore what was changed, or run it again; if nothing was "
            "changed this is a mistake in sdopt: sdopt --debug shows where."
        ) from error
