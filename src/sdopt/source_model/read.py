"""Read a model file into equations."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sdopt.equations.system import EquationSystem

if TYPE_CHECKING:
    from sdopt.source_model.parse import ParsedModel


@dataclass(frozen=True)
class SourceModel:
    """A model file and its equations.

    `sha256` is of the file's bytes, line ends as on Linux; `parsed` is what PySD's parser made of it,
    kept for the replay.
    """

    path: Path
    system: EquationSystem
    sha256: str
    parsed: ParsedModel = field(repr=False, compare=False)


def read_model(path: Path) -> SourceModel:
    """Read a Vensim (.mdl) or XMILE (.xmile, .stmx) model.

    Raises
    ------
    ModelError
        If the file is missing or cannot be parsed, or holds something that is not supported; the
        message names every such variable, its equation and the construct.
    """
    from sdopt.source_model.external import forget_files
    from sdopt.source_model.parse import parse_model
    from sdopt.source_model.translate import translate_model

    path = Path(path)
    parsed = parse_model(path)
    try:
        return SourceModel(path, translate_model(parsed, path), parsed.sha256, parsed)
    finally:
        forget_files()
