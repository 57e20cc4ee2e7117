"""The figures of a result: one definition each, for the report and for pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sdopt.export.figures.allocation import allocation_figures
from sdopt.export.figures.bars import contributions_figure, effects_figure, pockets_figure
from sdopt.export.figures.breaches import limits_figures
from sdopt.export.figures.break_even import break_even_figure
from sdopt.export.figures.choices import frontier_figure, room_figures
from sdopt.export.figures.figure import Figure
from sdopt.export.figures.futures import gains_figure, improvement_figure
from sdopt.export.figures.look import number_locale, theme
from sdopt.export.figures.over_time import cumulative_figure
from sdopt.export.figures.robustness import price_figure, spread_figure
from sdopt.export.figures.stocks import stocks_figure
from sdopt.export.figures.tornado import tornado_figures
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.result import Result

__all__ = ["Figure", "figures_of", "number_locale", "theme"]

Maker = Callable[[Result, Labels], list[Figure]]

MAKERS: Sequence[Maker] = (
    cumulative_figure,
    effects_figure,
    pockets_figure,
    stocks_figure,
    contributions_figure,
    room_figures,
    frontier_figure,
    improvement_figure,
    gains_figure,
    limits_figures,
    tornado_figures,
    break_even_figure,
    spread_figure,
    price_figure,
)
"""What makes the figures, in the order of a report; each gives none where its tables are not there."""


MAIN = (stocks_figure, frontier_figure, improvement_figure, tornado_figures, spread_figure)
"""Those of which a results folder gets pictures, beside the allocation."""


def figures_of(
    result: Result, labels: Labels, shown: Result | None = None, makers: Sequence[Maker] = MAKERS
) -> tuple[Figure, ...]:
    """Every figure that the tables of a result allow, in the order of a report.

    Parameters
    ----------
    result : as it is stored, with the model's own names
    shown : the same with names for readers (`with_shown_names`), where that is at hand
    makers : what makes them, beside those of the allocation
    """
    shown = shown or with_shown_names(result)
    found = allocation_figures(result, shown, labels)
    for make in makers:
        found += make(shown, labels)
    return tuple(found)
