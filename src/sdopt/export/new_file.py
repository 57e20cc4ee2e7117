"""A file that does not exist yet."""

from __future__ import annotations

from pathlib import Path

from sdopt.errors import ExportError


def write_new_file(path: Path, content: str | bytes) -> None:
    """Write a file that does not exist yet; text as UTF-8 with line feeds.

    Raises
    ------
    ExportError
        When it exists or cannot be written; nothing is overwritten.
    """
    try:
        with path.open("xb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
    except FileExistsError:
        raise ExportError(f"{path} exists already and is not overwritten. Give another --output.") from None
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error.strerror or error}). Give another --output."
        ) from None
