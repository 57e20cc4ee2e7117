"""One sheet of the workbook with a writing position, and the few styles all sheets share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from sdopt.export.cells import (
    half_of_last_digit,
    is_missing,
    is_number,
    plain_text,
    to_python,
    without_minus,
    without_minus_zero,
)
from sdopt.export.labels import Labels
from sdopt.export.ranges import Block
from sdopt.result import Result

Range = tuple[str, int, int, int, int]
"""Sheet name, first row, first column, last row, last column: what a chart points at."""

Style = Mapping[str, object]
"""Properties of a cell, as xlsxwriter calls them."""

INK, PAPER, LINE, MARK, WARN = "#1F3A5F", "#E8EEF5", "#B8C4D2", "#FFE699", "#F8CBAD"
A4, A3 = 9, 8
CREATED = datetime(2000, 1, 1)
"""Of every workbook, so that the same result gives the same bytes; the date of the run is in run.json."""
FOOTER = 100
"""Letters of the title at the foot of a page."""
ROWS_IN_SIGHT = 40
"""A sheet with more rows than this does not fit a screen or a page."""
YEAR, CHANGE = "0", "+0.0%;-0.0%;0.0%"
THIN: Style = {"bottom": 4, "bottom_color": LINE}
"""The line under an ordinary row."""
QUIET: Style = {"italic": True, "font_color": "#555555"}
"""A remark about what follows."""


def number_format(values: Sequence[float], *, sign: bool = False) -> str:
    """A US format code whose decimals fit the largest value; Dutch Excel shows its own separators."""
    size = max((abs(value) for value in values if is_number(value)), default=0.0)
    decimals = "" if size >= 1000 else ".0" if size >= 100 else ".00" if size >= 1 else ".0000"
    code = f"#,##0{decimals}"
    return f"+{code};-{code};0{decimals}" if sign else code


def _height(texts: Sequence[tuple[str, float]]) -> float:
    """Points a row needs for texts in columns of so many digits wide; LibreOffice does not work it out.

    In running text a letter is narrower than a digit; a narrow column loses that at its line ends.
    """
    fits = [(text, width * (1.25 if width > 80 else 1.15 if width > 40 else 1.0)) for text, width in texts]
    lines = [sum(ceil(max(len(part), 1) / width) for part in text.split("\n")) for text, width in fits]
    return 14.0 * max(lines, default=1) + 1.0


@dataclass
class Book:
    """The xlsxwriter workbook being written, with its words, its result and the ranges charts need.

    `pictures` are figures that were drawn already, as .png by key; `pages` are the sheets, in their order.
    """

    workbook: Any
    result: Result
    labels: Labels
    ranges: dict[str, Range] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    _styles: dict[tuple[tuple[str, object], ...], Any] = field(default_factory=dict)

    def style(self, **properties: object) -> Any:
        """One xlsxwriter format per set of properties; text sits at the top of its cell."""
        key = tuple(sorted(properties.items()))
        if key not in self._styles:
            base = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
            self._styles[key] = self.workbook.add_format({**base, **properties})
        return self._styles[key]


class Page:
    """A sheet, written from top to bottom; `row` is the next free row (0 is the first)."""

    def __init__(self, book: Book, key: str) -> None:
        """Add an empty sheet called by the label `sheet.KEY`."""
        self.book, self.labels, self.key = book, book.labels, key
        self.name = self.labels(f"sheet.{key}")
        self.sheet = book.workbook.add_worksheet(self.name)
        self.row = 0
        self.widths: tuple[float, ...] = ()
        self.blocks: list[Block] = []
        self.growing: Block | None = None
        self.title = self.next_name = ""
        self.frozen = False
        book.pages.append(self)

    def set_up(
        self, widths: Sequence[float], *, paper: int = A4, pages_high: int = 0, portrait: bool = False
    ) -> None:
        """Column widths in characters; one page wide in print, landscape unless `portrait`, with a footer."""
        self.widths = tuple(widths)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width, self.book.style())
        self.sheet.hide_gridlines(2)
        (self.sheet.set_portrait if portrait else self.sheet.set_landscape)()
        self.sheet.set_paper(paper)
        self.sheet.fit_to_pages(1, pages_high)
        self.sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        # Excel takes 255 in all; an emoji counts as two, and `&` is written as two.
        title = plain_text(self.book.result.title).replace("\n", " ")[:FOOTER].replace("&", "&&")
        self.sheet.set_footer(f"&L&8{title}&R&8{self.name}  &P / &N")

    @property
    def pixels(self) -> int:
        """Width of the columns in pixels: the most that a chart can take."""
        return int(sum(7 * width + 5 for width in self.widths))

    def heading(self, text: str, below: str) -> None:
        """The sheet's title and, under it, its units and sign convention; then an empty row."""
        self.sheet.set_row(self.row, 24)
        self.write(self.row, 0, text, bold=True, font_size=16, font_color=INK)
        self.row += 1
        self.across(below, italic=True, font_color="#555555")
        self.row += 1

    def section(self, text: str) -> None:
        """A small heading."""
        self.title, self.next_name = text, ""
        self.sheet.set_row(self.row, 19)
        self.write(self.row, 0, text, bold=True, font_size=12, font_color=INK)
        self.row += 1

    def across(self, text: str, **style: object) -> None:
        """Text over the width of the page, in a row as high as it needs: merged cells never grow."""
        self.sheet.set_row(self.row, self.merged(text, 0, **style))
        self.row += 1

    def merged(self, text: str, first: int, **style: object) -> float:
        """Text from column `first` to the last, at the writing position; returns the points it needs."""
        look, last = self.book.style(**{**style, "text_wrap": True}), len(self.widths) - 1
        self.sheet.merge_range(self.row, first, self.row, last, "", look)
        self.sheet.write_string(self.row, first, plain_text(text), look)
        return _height([(text, sum(self.widths[first:]))])

    def call_next(self, key: str) -> None:
        """Call the table of the next header by the label `range.KEY`; others are called by their sheet."""
        self.next_name = key

    def named(self, key: str, first: int, last: int, columns: int) -> None:
        """Call rows `first` to `last` by the label `range.KEY`, in stead of the tables among them."""
        title = self.labels.find(f"range.{key}.of", self.title or self.name)
        self.blocks = [block for block in self.blocks if not first <= block.first <= last]
        self.blocks.append(Block(key, title, first, last, columns, rows=last - first + 1))
        self.growing = None

    def header(self, names: Sequence[object], styles: Sequence[Style]) -> None:
        """A header row in which each name stands as the values below it: numbers right, text left."""
        self.growing = Block(self.next_name, self.title or self.name, self.row, self.row, len(names))
        self.blocks.append(self.growing)
        self.next_name = ""
        look: Style = {"bold": True, "font_color": "#FFFFFF", "bg_color": INK, "text_wrap": True}
        for column, (name, style) in enumerate(zip(names, styles, strict=True)):
            align = {"align": style.get("align", "right" if "num_format" in style else "left")}
            code = {"num_format": YEAR} if is_number(to_python(name)) else {}
            self.write(self.row, column, name, **look, **align, **code, indent=style.get("indent", 0))
        self.sheet.set_row(self.row, _height(list(zip(map(str, names), self.widths, strict=False))))
        self.row += 1

    def write(self, row: int, column: int, value: object, **style: object) -> None:
        """A value as what it is: number, yes or no, text or nothing; text never becomes a formula or link."""
        self._put(row, column, value, style, exact=False)

    def _put(self, row: int, column: int, value: object, style: Style, *, exact: bool) -> None:
        """The same; `exact` keeps a number that shows as 0 for what it is, because formulas add it up."""
        value = to_python(value)
        if exact and is_number(value):
            return self.exact(row, column, value, **style)
        look = self.book.style(**style)
        if is_missing(value):
            self.sheet.write_blank(row, column, None, look)
        elif isinstance(value, bool):
            self.sheet.write_string(row, column, self.labels.yes_no(value), look)
        elif is_number(value):
            shown = without_minus_zero(value, style.get("num_format"))
            self.sheet.write_number(row, column, shown, look)
        else:
            self.sheet.write_string(row, column, plain_text(value), look)

    def exact(self, row: int, column: int, value: float, **style: object) -> None:
        """A number as it is, for formulas to add up; it never shows as -0."""
        self.sheet.write_number(row, column, value, self._signed(value, style))

    def _signed(self, value: float, style: Style) -> Any:
        """The style of a number, without a minus before nothing but zeros."""
        code = style.get("num_format")
        shown = without_minus(code, value) if isinstance(code, str) else code
        return self.book.style(**{**style, **({"num_format": shown} if shown else {})})

    def formula(self, row: int, column: int, formula: str, value: float | str, **style: object) -> None:
        """A live formula together with its value, so that readers that do not calculate see it too."""
        look = self._signed(value, style) if is_number(value) else self.book.style(**style)
        self.sheet.write_formula(row, column, formula, look, value if is_number(value) else "")

    def difference(
        self, row: int, column: int, cells: tuple[str, str], values: tuple[float, float], style: Style
    ) -> None:
        """A live formula for the second of two cells less the first; what would show as zero is zero."""
        half = half_of_last_digit(str(style["num_format"]))
        minus, value = f"{cells[1]}-{cells[0]}", values[1] - values[0]
        formula = f"=IF(ABS({minus})<{half:.9f},0,{minus})"
        self.formula(row, column, formula, 0.0 if abs(value) < half else value, **style)

    def share(
        self, row: int, column: int, cells: tuple[str, str], values: tuple[float, float], style: Style
    ) -> None:
        """A live formula for the same difference as a share of the first cell, to a tenth of a percent."""
        now, then = cells
        null, advice = values
        formula = f'=IF({now}=0,"",ROUND(({then}-{now})/ABS({now}),3))'
        value = round((advice - null) / abs(null), 3) + 0.0 if null else ""
        self.formula(row, column, formula, value, **{**style, "num_format": CHANGE})

    def number(self, column: int, value: float | str, formula: str | None, style: Style) -> None:
        """A number at the writing position: the outcome of a formula, or by itself."""
        if formula:
            self.formula(self.row, column, formula, value, **style)
        else:
            self.write(self.row, column, value, **style)

    def rows(self, rows: Sequence[Sequence[object]], styles: Sequence[Style], *, exact: bool = False) -> None:
        """Rows of values with one style per column, a thin line under each, as high as wrapped text needs."""
        self._go_on(len(rows))
        for values in rows:
            for column, (value, style) in enumerate(zip(values, styles, strict=True)):
                self._put(self.row, column, value, {**THIN, **style}, exact=exact)
            cells = zip(values, self.widths, styles, strict=False)
            wrapped = [(value, width) for value, width, style in cells if style.get("text_wrap")]
            self.sheet.set_row(self.row, _height([(v, w) for v, w in wrapped if isinstance(v, str)]))
            self.row += 1

    def _go_on(self, count: int) -> None:
        """The table of the last header gets so many rows more, at the writing position."""
        block = self.growing
        if block is not None:
            block.whole = block.whole and self.row == block.last + 1
            block.last, block.rows = self.row + count - 1, block.rows + count

    def freeze(self, header: int, columns: int = 1) -> None:
        """Keep the rows down to the header, and the first columns, in sight; repeat the header in print."""
        self.sheet.freeze_panes(header + 1, columns)
        self.sheet.repeat_rows(header)
        self.frozen = True

    def finish(self, columns: int) -> None:
        """Print what has been written, no more; a long sheet keeps its header, or its title, in sight."""
        if not self.frozen and self.row > ROWS_IN_SIGHT:
            header = self.blocks[0].first if len(self.blocks) == 1 else 0
            self.freeze(header if header < ROWS_IN_SIGHT // 4 else 0, columns=0)
        self.sheet.print_area(0, 0, max(self.row - 1, 0), columns - 1)
