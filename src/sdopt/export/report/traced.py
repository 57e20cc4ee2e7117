"""Words and numbers of the report: numbers in sentences keep their source, and text stays text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from sdopt.export.labels import Labels
from sdopt.export.report.sources import BETWEEN, CLOSE, OPEN, Sources, Traced

_MARK = re.compile(f"{OPEN}(\\d+){BETWEEN}([^{OPEN}{BETWEEN}{CLOSE}]*){CLOSE}")
_LEFT = re.compile(f"[{OPEN}{BETWEEN}{CLOSE}]")
"""What a name may hold of the marks: it has no effect."""


@dataclass(frozen=True)
class TracedLabels(Labels):
    """Labels whose numbers carry a mark that leads to their source, where they have one."""

    sources: Sources = field(compare=False)

    def number(self, value: float, decimals: int = 1, *, sign: bool = False, marks: bool = True) -> str:
        """The number as `Labels.number` gives it, marked when a cell or figure holds it."""
        text = super().number(value, decimals, sign=sign, marks=marks)
        traced = self.sources.trace(float(value), text)
        if traced is None:
            return text
        return self.sources.mark(traced)


def data(traced: Traced) -> Markup:
    """A number as an element that says its value and where that stands."""
    scale = f' data-scale="{traced.scale:g}"' if traced.scale != 1 else ""
    source, shown = escape(traced.source), escape(traced.shown)
    return Markup(f'<data value="{float(traced.value)!r}" data-source="{source}"{scale}>{shown}</data>')  # noqa: S704


def said(text: str, sources: Sources) -> Markup:
    """A sentence as HTML: marked numbers as elements, all else as text."""
    parts, place = [], 0
    for mark in _MARK.finditer(text):
        parts.append(_text(text[place : mark.start()]))
        parts.append(_marked(mark, sources))
        place = mark.end()
    return Markup("").join([*parts, _text(text[place:])])


def _text(text: str) -> Markup:
    """Text without marks, in which a per cent sign stays with its number."""
    return escape(_LEFT.sub("", text).replace(" %", "\u00a0%"))


def _marked(mark: re.Match[str], sources: Sources) -> Markup:
    """The number behind a mark; the text of a mark that was never given."""
    number, shown = int(mark[1]), mark[2]
    if number >= len(sources.marked) or sources.marked[number].shown != shown:
        return escape(shown)
    return data(sources.marked[number])
