"""Files that are whole or do not exist, and a lock that goes with the process that holds it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import IO, Any


def write_whole(folder: Path, name: str, suffix: str, content: bytes) -> Path:
    """Write `name-HASH.suffix`, under that name only when it is whole and on disk; returns its path.

    Raises
    ------
    OSError
        When it cannot be written; what is left is not taken for a whole file.
    """
    unfinished = folder / f"{name}.new"
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return unfinished.replace(folder / f"{name}-{sha256(content).hexdigest()}{suffix}")


def read_whole(path: Path) -> bytes | None:
    """The contents of such a file; None when they are not what its name promises."""
    content = path.read_bytes()
    return content if path.stem.endswith(sha256(content).hexdigest()) else None


def lock(file: IO[bytes]) -> None:
    """Hold a file until this process ends, however it ends; OSError when another one holds it."""
    try:
        import fcntl
    except ImportError:
        _windows().locking(file.fileno(), _windows().LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def unlock(file: IO[bytes]) -> None:
    """Give the file free, and close it."""
    try:
        import fcntl
    except ImportError:
        file.seek(0)
        _windows().locking(file.fileno(), _windows().LK_UNLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_UN)
    file.close()


def _windows() -> Any:
    import msvcrt

    return msvcrt
