"""A file that does not exist yet."""

from __future__ import annotations

from pathlib import Path

from sdopt.errors import ExportError


def write_new_file(path: Path, text: str) -> None:
    """Write a file that does not exist yet.

    Raises
    ------
    ExportError
        When it exists or cannot be written; nothing is overwritten.
    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ExportError(f"{path} exists already and is not overwritten. Give another --output.") from None
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error.strerror or error}). Give another --output."
        ) from None
