"""A folder with every figure as a picture."""

from __future__ import annotations

from pathlib import Path

from sdopt.export.figures import draw, figures_of
from sdopt.export.labels import Labels
from sdopt.result import Result


def write_pictures(result: Result, folder: Path) -> None:
    """Make `folder` with KEY.svg and KEY.png of every figure of a result; the same bytes each time.

    Raises
    ------
    FileExistsError
        When the folder is there already.
    """
    labels = Labels(result.language)
    folder.mkdir()
    for figure in figures_of(result, labels):
        drawn = draw.svg(figure, labels)
        (folder / f"{figure.key}.svg").write_bytes(drawn.encode("utf-8"))
        (folder / f"{figure.key}.png").write_bytes(draw.svg_to_png(drawn))
