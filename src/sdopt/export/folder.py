"""One new folder per run: written aside, then put in its place in one move, and never overwritten."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tempfile
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdopt.errors import ExportError
from sdopt.export.cells import plain_text, to_python
from sdopt.export.labels import Labels
from sdopt.export.older import RESULTS_VERSION
from sdopt.export.tables import write_csv, write_parquet
from sdopt.export.views import fact
from sdopt.result import Result

ALWAYS = (
    "objective",
    "null_objective",
    "bound",
    "gap",
    "replay_max_relative_difference",
    "seed",
    "versions",
    "config_hash",
)
"""Keys that every summary.json has; null when the run has no such figure."""

LONGEST_SLUG = 60


def write_results(
    result: Result,
    results_root: Path,
    config_text: str,
    run_facts: Mapping[str, Any],
    allocation_model: str | None,
) -> Path:
    """Write a result to a new folder under `results_root` and return that folder.

    Parameters
    ----------
    result : what the run found
    results_root : made when absent; gets one folder, called by the title and a running number
    config_text : the config file, copied as it is
    run_facts : times, host, date: all that may differ between equal runs, for run.json
    allocation_model : text of the model with the advice filled in, or None

    Raises
    ------
    ExportError
        When the folder cannot be written; nothing is left that looks like a result.
    """
    return write_found(
        results_root,
        result.title,
        lambda folder: _write_files(result, folder, config_text, run_facts, allocation_model),
    )


def write_folder(results_root: Path, title: str, write: Callable[[Path], None]) -> Path:
    """Make a new folder under `results_root`, called by the title and a running number; returns it.

    `write` fills it while it stands aside under another name.

    Raises
    ------
    ExportError
        When the folder cannot be written; nothing is left that looks like a result.
    """
    try:
        results_root.mkdir(parents=True, exist_ok=True)
        with aside(results_root) as folder:
            write(folder)
            return _put_in_place(folder, results_root, slug(title))
    except OSError as error:
        raise ExportError(
            f"results folder {results_root}: cannot be written ({error.strerror or error}). "
            "Check free space and rights, or choose another output.directory."
        ) from error


def write_found(results_root: Path, title: str, write: Callable[[Path], None]) -> Path:
    """The same for what took long to find: when it cannot be written there it is kept somewhere else.

    Raises
    ------
    ExportError
        When the folder cannot be written, also when it could be elsewhere; it says where.
    """
    try:
        return write_folder(results_root, title, write)
    except ExportError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        elsewhere: Path | None = None
        try:
            elsewhere = Path(tempfile.mkdtemp(prefix="sdopt-"))  # which may be on the same full disk
            kept = write_folder(elsewhere, title, write)
        except (OSError, ExportError):
            if elsewhere is not None:
                shutil.rmtree(elsewhere, ignore_errors=True)
            raise error from error.__cause__
        raise ExportError(f"{error} Nothing is lost: the results are in {kept}; move them.") from error


def check_writable(results_root: Path) -> None:
    """Complain before a long search, not after it, when no results folder could be written.

    Raises
    ------
    ExportError
        When the folder, or the nearest one above it that exists, is a file or does not allow writing.
    """
    place = results_root.absolute()
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
        with aside(place):  # rights alone do not tell: of a place such as /proc, or a disk that is full
            return
    except OSError:
        raise ExportError(
            f"results folder {results_root}: cannot be written ({place} is a file, gives no "
            "right to, or has too long a name). Choose another output.directory or --output."
        ) from None


def check_beside(folders: Iterable[Path], output: Path) -> None:
    """Complain when new results would get into results that are read, which are never changed.

    Raises
    ------
    ExportError
        When `output` is one of `folders` or lies in one.
    """
    for folder in folders:
        if output.resolve().is_relative_to(folder.resolve()):
            raise ExportError(
                f"{output}: is in the results folder {folder}, which is only read. Give another --output."
            )


def slug(title: str) -> str:
    """A title as a folder name of [a-z0-9-] only; `run` when nothing is left of it."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only)[:LONGEST_SLUG].strip("-") or "run"


@contextmanager
def aside(root: Path) -> Iterator[Path]:
    """A hidden new folder beside the results; whatever is left of it at the end is removed."""
    folder = root / f".{uuid.uuid4().hex}.unfinished"
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, root: Path, name: str) -> Path:
    """Give the finished folder the first free number; another run may take a number at any moment."""
    number = 1 + max((int(m[1]) for m in _numbered(root, name)), default=0)
    while True:
        target = root / f"{name}-{number:03d}"
        try:
            return folder.rename(target)
        except OSError:
            # A rename onto a folder with files in it fails everywhere, so a result is never replaced.
            if not target.exists():
                raise
            number += 1


def _numbered(root: Path, name: str) -> Iterator[re.Match[str]]:
    """Matches of the folders that this title already has."""
    matches = (re.fullmatch(rf"{re.escape(name)}-(\d+)", path.name) for path in root.iterdir())
    return (match for match in matches if match)


def _write_files(
    result: Result, folder: Path, config_text: str, run_facts: Mapping[str, Any], allocation_model: str | None
) -> None:
    """All files of a result, flushed to disk; only run.json holds when and where."""
    from sdopt.export.figures.pictures import write_main_pictures
    from sdopt.export.report import report_html
    from sdopt.export.workbook import workbook_bytes

    labels = Labels(result.language)
    tables = folder / "tables"
    tables.mkdir()
    write_parquet(result.tables, tables)
    write_csv(result.tables, tables)
    _write_text(folder / "summary.json", as_json(summary(result)))
    _write_text(folder / "run.json", as_json(run_facts))
    _write_text(folder / "config.yaml", config_text)
    pictures = write_main_pictures(result, folder)
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result, pictures))
    _write_text(folder / "report.html", report_html(result))
    if allocation_model is not None:
        _write_text(folder / "allocation.mdl", allocation_model)
    replay = labels("readme.replay") if allocation_model is not None else ""
    told = labels("readme.text", title=result.title, replay=replay)
    _write_text(folder / labels("readme.name"), readme(told, folder))
    flush(folder)


def readme(text: str, folder: Path) -> str:
    """What is said of a folder, without the lines on files that this run did not make."""
    title, *lines = text.split("\n")
    named = [(line, re.match(r"(\w+(?:\.\w+|(?=/)))\S* {2,}", line)) for line in lines]
    return "\n".join([title, *(line for line, name in named if name is None or (folder / name[1]).exists())])


def _write_text(path: Path, text: str) -> None:
    """Text as UTF-8, with its line ends as they are."""
    path.write_bytes(text.encode("utf-8", "replace"))


def flush(folder: Path) -> None:
    """Make sure that the contents are on disk before the folder gets its final name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def summary(result: Result) -> dict[str, Any]:
    """What summary.json holds: the figures, the status, the provenance and the names of the tables."""
    return {
        **{key: fact(result, key) for key in ALWAYS},
        **result.figures,
        "results_version": RESULTS_VERSION,
        "title": result.title,
        "language": result.language,
        "status": result.status.key,
        "status_sentence": result.status.sentence,
        "provenance": dict(result.provenance),
        "tables": sorted(result.tables),
    }


def as_json(facts: Mapping[str, Any]) -> str:
    """Facts as JSON with sorted keys; NaN and infinity become null."""
    return json.dumps(_finite(facts), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The value as JSON knows it."""
    value = to_python(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return plain_text(value)
    return value if value is None or isinstance(value, (bool, int)) else str(value)
