"""A calibration config as frozen data with absolute paths, or one error that names all that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdopt.calibrate.schema import CalibrationConfig
from sdopt.config.document import Complain, Place, line_of, read_document, where
from sdopt.config.shape import check_shape, check_version, validate
from sdopt.config.sheets.source import is_table
from sdopt.config.text_file import read_text, similar_file
from sdopt.errors import Complaints, ConfigError

FILES = (("model", "file"), ("model", "constants"), ("observed", "file"))


@dataclass(frozen=True)
class LoadedCalibration:
    """A calibration config and where it came from; as `config.load.LoadedConfig`."""

    config: CalibrationConfig
    path: Path
    text: str
    sha256: str
    lines: Mapping[Place, int] = field(default_factory=dict, repr=False, compare=False)

    def where(self, *place: str | int) -> str:
        """A place in the file in words with its line."""
        return where(place, self.lines)


def load_calibration(path: Path) -> LoadedCalibration:
    """Read and check one calibration config; `question.build_question` checks it against its model.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not plain YAML, or breaks the format: every fault at once.
    """
    text = read_text(path, "save the file as UTF-8")
    complaints = Complaints(str(path), ConfigError)
    document = read_document(text, complaints)
    check_version(document, complaints)
    found: list[tuple[Place, str]] = []
    document = check_shape(document, lambda *complaint: found.append(complaint), CalibrationConfig)
    folder = path.absolute().parent
    _check_files(document.data, folder, lambda *complaint: found.append(complaint))
    if not found:
        _check_rules(validate(CalibrationConfig, document.data), lambda *complaint: found.append(complaint))
    for place, message in sorted(found, key=lambda complaint: line_of(complaint[0], document.lines) or 0):
        complaints.add(where(place, document.lines), message)
    complaints.raise_if_any()
    config = _with_absolute_paths(validate(CalibrationConfig, document.data), folder)
    return LoadedCalibration(
        config, path, text, hashlib.sha256(text.encode("utf-8")).hexdigest(), document.lines
    )


def _check_files(data: Any, folder: Path, complain: Complain) -> None:
    for part, key in FILES:
        inside = data.get(part) if isinstance(data, dict) else None
        file = inside.get(key) if isinstance(inside, dict) else None
        if isinstance(file, str) and not is_table(folder / file):
            complain(
                (part, key),
                f"there is no file {file} in the folder of this config (paths are relative to it)."
                f"{similar_file(folder / file)}",
            )


def _check_rules(config: CalibrationConfig, complain: Complain) -> None:
    span = config.horizon
    if span.end <= span.start:
        complain(("horizon", "end"), f"{span.end:g} is not after the start ({span.start:g}); choose later")
    for name, fitted in config.fit.items():
        if fitted.bounds and not fitted.bounds[0] < fitted.bounds[1]:
            low, high = fitted.bounds
            complain(("fit", name, "bounds"), f"[{low:g}, {high:g}] leaves no room; give [lowest, highest]")


def _with_absolute_paths(config: CalibrationConfig, folder: Path) -> CalibrationConfig:
    def absolute(path: Path) -> Path:
        return (folder / path).resolve()

    return config.model_copy(
        update={
            "model": config.model.with_paths(absolute),
            "observed": config.observed.model_copy(update={"file": absolute(config.observed.file)}),
            "output": config.output.model_copy(update={"directory": absolute(config.output.directory)}),
        }
    )
