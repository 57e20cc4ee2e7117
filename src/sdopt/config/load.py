"""A YAML file as a frozen `Config` with absolute paths, or one error that names all that is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdopt.config.changes import Changes, with_changes
from sdopt.config.document import Place, line_of, read_document, where
from sdopt.config.fiscal_choice import FiscalChoice, choose_rules
from sdopt.config.rules import check_rules, parts_of
from sdopt.config.schema import Config
from sdopt.config.shape import check_shape, check_version, validate
from sdopt.config.text_file import read_text
from sdopt.config.uncertainty import with_paths
from sdopt.errors import Complaints, ConfigError


@dataclass(frozen=True)
class LoadedConfig:
    """A config and where it came from.

    `config` has absolute paths only; `sha256` is of the file's text without BOM and with line feeds, so
    that a checkout on Windows gives the same; `text` is that text; `lines` is the line of each place, for
    messages; `fiscal` is the library of fiscal rules with what the config chooses of it.
    """

    config: Config
    path: Path
    sha256: str
    lines: Mapping[Place, int] = field(default_factory=dict, repr=False, compare=False)
    fiscal: FiscalChoice | None = None
    text: str = field(default="", repr=False, compare=False)

    def where(self, *place: str | int) -> str:
        """A place in the file in words with its line, such as `decisions.prevention.bounds (line 12)`."""
        return where(place, self.lines)


def load_config(path: Path, changes: Changes | None = None) -> LoadedConfig:
    """Read and check one config file; its meaning for the model is checked in `problem.meaning`.

    With `changes` the text of the outcome is the config with those values, as JSON (which is YAML too).

    Raises
    ------
    ConfigError
        If the file cannot be read, is not plain YAML, or breaks the format: every fault at once, each
        with its place and line, what was found, what is allowed and what to do.
    """
    text = read_text(path, "save the file as UTF-8")
    complaints = Complaints(str(path), ConfigError)
    document = read_document(text, complaints)
    if changes:
        document = with_changes(document, changes, complaints)
        text = json.dumps(document.data, ensure_ascii=False, indent=1) + "\n"
    check_version(document, complaints)
    found: list[tuple[Place, str]] = []
    folder = path.absolute().parent
    document = check_shape(document, lambda *complaint: found.append(complaint))
    parts = parts_of(document.data)
    check_rules(parts, folder, lambda *complaint: found.append(complaint))
    fiscal = choose_rules(parts, folder, lambda *complaint: found.append(complaint))
    for place, message in sorted(found, key=lambda complaint: line_of(complaint[0], document.lines) or 0):
        complaints.add(where(place, document.lines), message)
    complaints.raise_if_any()
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    config = _with_absolute_paths(validate(Config, document.data), folder)
    return LoadedConfig(config, path, sha256, document.lines, fiscal, text)


def _with_absolute_paths(config: Config, folder: Path) -> Config:
    def absolute(path: Path) -> Path:
        return (folder / path).resolve()

    model = config.model.with_paths(absolute)
    names = config.output.names
    places = {"directory": absolute(config.output.directory), "names": names and absolute(names)}
    output = config.output.model_copy(update=places)
    ledger, valuation = config.ledger, config.valuation
    if ledger is not None:
        ledger = ledger.with_paths(absolute)
    if valuation is not None:
        valuation = valuation.model_copy(update={"file": absolute(valuation.file)})
    fiscal = config.fiscal_rules
    if fiscal is not None:
        fiscal = fiscal.model_copy(update={"file": absolute(fiscal.file)})
    parts = {
        "model": model,
        "output": output,
        "ledger": ledger,
        "valuation": valuation,
        "fiscal_rules": fiscal,
        "uncertainties": with_paths(config.uncertainties, absolute),
        "sweep": config.sweep.with_paths(absolute),
    }
    return config.model_copy(update=parts)
