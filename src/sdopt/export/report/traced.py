"""Words and numbers of the report: numbers in sentences keep their source, and text stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite

from markupsafe import Markup, escape

from sdopt.export.labels import Cells, Labels
from sdopt.export.report.rules import rule
from sdopt.export.report.sources import BETWEEN, CLOSE, OPEN, Sources, Traced, cell_source

_MARK = re.compile(f"{OPEN}(\\d+){BETWEEN}([^{OPEN}{BETWEEN}{CLOSE}]*){CLOSE}")
_LEFT = re.compile(f"[{OPEN}{BETWEEN}{CLOSE}]")
"""What a name may hold of the marks: it has no effect."""
_WHOLE = re.compile(r"(?<![\w.,])\d+(?!\w|[.,]\d)")
"""A whole number in a text, such as a year."""


@dataclass(frozen=True)
class TracedLabels(Labels):
    """Labels whose numbers carry a mark that leads to their source, where they have one.

    `rules` says how the source is found, by the label and the place in it that a number fills in.
    """

    sources: Sources = field(compare=False)

    def number(
        self, value: float, decimals: int = 1, *, sign: bool = False, marks: bool = True,
        of: Cells | None = None,
    ) -> str:  # fmt: skip
        """The number as `Labels.number` gives it, with a mark."""
        text = super().number(value, decimals, sign=sign, marks=marks)
        if of is None:
            return self.shown(value, text)
        table, column, rows, how = of
        rows = [int(row) for row in rows]
        return (
            self.sources.mark(Traced(float(value), cell_source(table, column, rows, how), text))
            if rows
            else text
        )

    def shown(self, value: float, text: str) -> str:
        """The text with a mark; its source is known when it fills in a label."""
        return self.sources.mark(Traced(float(value), "", text)) if isfinite(value) else text

    def group(self, name: str, members: Iterable[str]) -> str:
        """The name; rules know what is behind it."""
        self.sources.rules.group(unmarked(name), members)
        return name

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, in which the numbers that fill it in have their source."""
        if not values:
            return super().__call__(key)
        words = {place: unmarked(str(value)) for place, value in values.items()}
        return super().__call__(key, **{place: self.traced(key, place, str(value), words)
                                        for place, value in values.items()})  # fmt: skip

    def traced(self, label: str, place: str, text: str, words: Mapping[str, str]) -> str:
        """The text of one place, with the source of the numbers in it; `words` are those of all places."""
        if not (said := rule(label, place)):
            return text
        parts, start = list[str](), 0
        for mark in _MARK.finditer(text):
            near = text[start : mark.start()]
            parts.append(self._years(said, near, words))
            known = self.sources.behind(int(mark[1]), mark[2])
            if known is not None and not known.source:
                known = self.sources.rules.find(said, known.value, known.shown, words, near)
            parts.append(mark[0] if known is None else self.sources.mark(known))
            start = mark.end()
        return "".join([*parts, self._years(said, text[start:], words)])

    def _years(self, said: str, text: str, words: Mapping[str, str]) -> str:
        """A text without marks, in which whole numbers have their source; a name that holds one stays."""
        if not _WHOLE.search(text):
            return text
        taken = [*self.sources.named(text)]

        def marked(found: re.Match[str]) -> str:
            if any(first <= found.start() < last for first, last in taken):
                return found[0]
            near = text[: found.start()].rpartition(";")[2]
            known = self.sources.rules.find(said, float(found[0]), found[0], words, near)
            return found[0] if known is None else self.sources.mark(known)

        return _WHOLE.sub(marked, text)


def unmarked(text: str) -> str:
    """The text without marks: what is shown of a number only."""
    return _MARK.sub(r"\2", text) if OPEN in text else text


def data(traced: Traced) -> Markup:
    """A number as an element that says its value and where that stands."""
    scale = f' data-scale="{traced.scale:g}"' if traced.scale != 1 else ""
    if traced.rounded:
        scale += f' data-rounded="{traced.rounded}"'
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
    """The number behind a mark, by its value where no rule gave a source; text where nothing holds it."""
    known = sources.behind(int(mark[1]), mark[2])
    if known is not None and not known.source:
        known = sources.trace(known.value, known.shown)
    return escape(mark[2]) if known is None else data(known)
