"""A file or folder that does not exist yet: whole, or not there."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sdopt.errors import ExportError


def write_new_file(path: Path, content: str | bytes) -> None:
    """Write a file that does not exist yet; text as UTF-8 with line feeds.

    Raises
    ------
    ExportError
        When it exists or cannot be written; nothing is overwritten, and nothing half is left.
    """
    try:
        with new_file(path) as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
    except FileExistsError:
        raise ExportError(f"{path} exists already and is not overwritten. Give another --output.") from None
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error.strerror or error}). Give another --output."
        ) from None


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that does not exist yet, to write to; removed when that fails, as on a full disk.

    Raises
    ------
    OSError
        When it exists or cannot be written.
    """
    file = path.open("xb")
    try:
        yield file
        file.close()  # what was still to be written may fail too
    except BaseException:
        with suppress(OSError):
            file.close()
        path.unlink()
        raise


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """The name of a folder to make and fill aside; it becomes `path` when all is there, or is removed.

    Raises
    ------
    OSError
        When `path` exists or cannot be made.
    """
    if path.exists():
        raise FileExistsError(path)
    beside = path.absolute().parent / f".{uuid.uuid4().hex}.unfinished"
    try:
        yield beside
        beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
