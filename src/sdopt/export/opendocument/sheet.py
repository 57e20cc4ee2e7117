"""One sheet of an .xlsx, as openpyxl reads it, as a sheet of an .ods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Any

from sdopt.export.labels import Labels
from sdopt.export.opendocument.cells import make_cell, reference
from sdopt.export.opendocument.styles import ROW_POINTS, Styles, is_percentage
from sdopt.export.opendocument.xml import odf

COLUMN_PIXELS = 64
"""Width of a column that says nothing of it."""
EMU_PER_PIXEL, EMU_PER_POINT = 9525, 12700
"""Units of drawings."""

Place = tuple[int, int]
"""Row and column, counted from 1."""


@dataclass
class Sheet:
    """A sheet with its formulas, the same with its values, and where its styles are kept.

    `note` is a title and a text that come below it. `pictures` are files that it needs, by their path.
    """

    sheet: Any
    known: Any
    styles: Styles
    labels: Labels
    note: tuple[str, str] | None = None
    pictures: dict[str, bytes] = field(default_factory=dict)

    def table(self, page: str) -> Any:
        """The whole sheet, printed as master page `page` says."""
        columns = [
            odf("table:table-column", {"table:style-name": self.styles.column(width)})
            for width in self.pixels
        ]
        looks = {
            "table:name": self.sheet.title,
            "table:style-name": self.styles.sheet(page),
            "table:print-ranges": _whole_reference(self._printed()) if self.sheet.print_area else None,
        }
        return odf("table:table", looks, *columns, *self._rows())

    def _printed(self) -> str:
        """The area to print, with the note when there is one."""
        area, _, last = str(self.sheet.print_area).rpartition("$")
        return f"{area}${int(last) + 1}" if self.note is not None else f"{area}${last}"

    @cached_property
    def pixels(self) -> list[int]:
        """Width of every column."""
        widths = [COLUMN_PIXELS] * max(self.sheet.max_column, 1)
        for one in self.sheet.column_dimensions.values():
            for place in range(one.min - 1, min(one.max, len(widths))):
                widths[place] = round(7 * one.width)
        return widths

    @cached_property
    def spans(self) -> dict[Place, tuple[int, int]]:
        """The first cell of what is merged: how many rows and columns it takes."""
        areas = self.sheet.merged_cells.ranges
        return {(a.min_row, a.min_col): (a.max_row - a.min_row + 1, a.max_col - a.min_col + 1) for a in areas}

    @cached_property
    def covered(self) -> set[Place]:
        """The other cells of what is merged."""
        return {
            (row + down, column + along)
            for (row, column), (rows, columns) in self.spans.items()
            for down in range(rows)
            for along in range(columns)
            if down or along
        }

    @cached_property
    def charts(self) -> dict[Place, str]:
        """By the cell of their corner, words that say which charts stand there in the other file."""
        titles: dict[Place, list[str]] = {}
        for chart in self.sheet._charts:
            titles.setdefault(_corner(chart), []).append(_chart_title(chart))
        return {place: self.labels("ods.chart", title="; ".join(texts)) for place, texts in titles.items()}

    @cached_property
    def images(self) -> dict[Place, list[Any]]:
        """The pictures by the cell of their corner."""
        found: dict[Place, list[Any]] = {}
        for image in self.sheet._images:
            found.setdefault(_corner(image), []).append(self._frame(image))
        return found

    def _rows(self) -> Iterator[Any]:
        """All rows, those that are repeated in print as such; then the note."""
        last_row = max([self.sheet.max_row, *(row for row, _ in (*self.charts, *self.images))])
        rows = [self._row(number) for number in range(1, last_row + 1)]
        titles = self.sheet.print_title_rows
        if titles:
            first, last = (int(part) for part in titles.replace("$", "").split(":"))
            header = odf("table:table-header-rows", {}, *rows[first - 1 : last])
            rows[first - 1 : last] = [header]
        yield from rows
        if self.note is not None:
            yield self._note(self.note)

    def _row(self, number: int) -> Any:
        height = self.sheet.row_dimensions[number].height or ROW_POINTS
        cells = (self._cell((number, column)) for column in range(1, len(self.pixels) + 1))
        return odf("table:table-row", {"table:style-name": self.styles.row(height)}, *cells)

    def _cell(self, place: Place) -> Any:
        """The cell at a place, with what is drawn there."""
        if place in self.covered:
            return odf("table:covered-table-cell")
        cell = self.sheet.cell(*place)
        formula = str(cell.value) if cell.data_type == "f" else None
        style = self.styles.cell(cell) if cell.has_style else None
        value = self.known.cell(*place).value
        value = self.charts.get(place) if value is None and formula is None else value
        link = cell.hyperlink.location if cell.hyperlink else None
        made = make_cell(value, formula, style, percentage=is_percentage(cell), link=link)
        if place in self.spans:
            for name, count in zip(("rows", "columns"), self.spans[place], strict=True):
                made.set(*_attribute(f"table:number-{name}-spanned", count))
        made.extend(self.images.get(place, []))
        return made

    def _frame(self, image: Any) -> Any:
        """A picture of the size it has on the sheet."""
        path = f"Pictures/{self.sheet.title.encode('utf-8').hex()}-{len(self.pictures) + 1}.png"
        self.pictures[path] = image._data()
        start, end = image.anchor._from, image.anchor.to
        across = sum(self.pixels[start.col : end.col]) + (end.colOff - start.colOff) / EMU_PER_PIXEL
        down = sum(
            self.sheet.row_dimensions[row + 1].height or ROW_POINTS for row in range(start.row, end.row)
        )
        down += (end.rowOff - start.rowOff) / EMU_PER_POINT
        size = {"svg:width": f"{across / 96:.4f}in", "svg:height": f"{down / 72:.4f}in"}
        source = {
            "xlink:href": path,
            "xlink:type": "simple",
            "xlink:show": "embed",
            "xlink:actuate": "onLoad",
        }
        return odf("draw:frame", size, odf("draw:image", source))

    def _note(self, note: tuple[str, str]) -> Any:
        """A title and a text that look as the last row does, in a row as high as they need."""
        above = [self.sheet.cell(self.sheet.max_row, column) for column in (1, 2)]
        cells = [
            make_cell(text, None, self.styles.cell(cell)) for text, cell in zip(note, above, strict=True)
        ]
        lines = ceil(7 * len(note[1]) / max(self.pixels[1:2] or [COLUMN_PIXELS]))
        return odf("table:table-row", {"table:style-name": self.styles.row(14.0 * lines + 1)}, *cells)


def _attribute(name: str, value: object) -> tuple[str, str]:
    """An attribute as lxml sets it."""
    element = odf("text:p", {name: value})
    key, text = element.items()[0]
    return str(key), str(text)


def _whole_reference(area: str) -> str:
    """An area to print, with its sheet at both ends, as programs write it."""
    sheet, _, cells = area.rpartition("!")
    return " ".join(reference(f"{sheet}!{one}").replace("$", "") for one in cells.split(","))


def _corner(drawn: Any) -> Place:
    start = drawn.anchor._from
    return start.row + 1, start.col + 1


def _chart_title(chart: Any) -> str:
    """The words of a chart's title."""
    rich = chart.title.tx.rich if chart.title is not None and chart.title.tx is not None else None
    runs = [run.t for paragraph in (rich.p if rich is not None else []) for run in paragraph.r or []]
    return "".join(runs)
