"""Figures as pictures in a folder: all of them, or the few that a results folder gets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sdopt.export.figures import MAIN, Figure, draw, figures_of
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
    draw_into(folder, figures_of(result, labels), labels)


def write_main_pictures(result: Result, folder: Path) -> dict[str, bytes]:
    """KEY.svg and KEY.png of the main figures of a result, in its own folder; gives each .png by its key."""
    labels = Labels(result.language)
    return draw_into(folder, figures_of(result, labels, makers=MAIN), labels)


def draw_into(folder: Path, figures: Iterable[Figure], labels: Labels) -> dict[str, bytes]:
    """KEY.svg and KEY.png of figures, in a folder that is there; returns each .png by its key."""
    found = {}
    for figure in figures:
        drawn = draw.svg(figure, labels)
        found[figure.key] = draw.svg_to_png(drawn)
        (folder / f"{figure.key}.svg").write_bytes(drawn.encode("utf-8"))
        (folder / f"{figure.key}.png").write_bytes(found[figure.key])
    return found


def picture_of(key: str, result: Result, labels: Labels) -> bytes | None:
    """One figure as .png, where the tables allow it; of a result with the names that readers see."""
    figures = figures_of(result, labels, result, makers=MAIN)
    return next((draw.png(one, labels) for one in figures if one.key == key), None)
