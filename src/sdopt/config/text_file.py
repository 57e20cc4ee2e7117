"""Read a text file as a user saved it: with or without BOM, with any line ending, and nothing but UTF-8."""

from __future__ import annotations

from pathlib import Path

from sdopt.errors import ConfigError, did_you_mean


def read_text(path: Path, remedy: str) -> str:
    """The text of `path` without BOM and with line feeds only.

    Raises
    ------
    ConfigError
        If the file is missing, unreadable or not UTF-8 (then with `remedy`, how to save it).
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file.{similar_file(path)}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} (line {line}): not UTF-8 text; {remedy}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); check the path and your rights to it") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def similar_file(path: Path) -> str:
    """A suggestion sentence with the file beside `path` whose name looks most like it, or ''."""
    try:
        return did_you_mean(path.name, [file.name for file in path.parent.iterdir() if file.is_file()])
    except OSError:
        return ""


def is_file(path: Path) -> bool:
    """Whether there is a file at `path`; False for a path that the system cannot even look up."""
    try:
        return path.is_file()
    except OSError:
        return False
