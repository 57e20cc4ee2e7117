"""The looks of an .xlsx workbook as styles of OpenDocument: cells, columns, rows and pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sdopt.export.opendocument.formats import TEXT, data_styles
from sdopt.export.opendocument.xml import odf

FONT = "Calibri"
ROW_POINTS = 15.0
PAPERS = {"8": (29.7, 42.0), "9": (21.0, 29.7)}
"""Excel's number of a paper -> width and height in centimetres (portrait)."""
_ALIGNED = {"left": "start", "right": "end", "center": "center"}
_LINES = {"thin": "0.74pt solid", "medium": "1.76pt solid", "thick": "2.5pt solid",
          "dotted": "0.74pt dotted", "dashed": "0.74pt dashed", "hair": "0.3pt solid"}  # fmt: skip
_EDGES = ("left", "right", "top", "bottom")


@dataclass
class Styles:
    """The automatic styles of a document so far; equal looks share one style."""

    elements: list[Any] = field(default_factory=list)
    names: dict[tuple[str, object], str] = field(default_factory=dict)

    def cell(self, cell: Any) -> str:
        """The style of a cell of openpyxl."""
        known = self.names.get(("cell", cell.style_id))
        if known is None:
            data = self._number(cell.number_format)
            known = self._keep("cell", cell.style_id, "ce")
            self.elements.append(_cell_style(known, cell, data))
        return known

    def column(self, pixels: int) -> str:
        """The style of a column so wide."""
        return self._sized("table-column", "style:column-width", f"{pixels / 96:.4f}in", "co")

    def row(self, points: float) -> str:
        """The style of a row so high."""
        return self._sized("table-row", "style:row-height", f"{points / 72:.4f}in", "ro")

    def sheet(self, page: str) -> str:
        """The style of a sheet that is printed as a master page says."""
        name = self._keep("table", page, "ta")
        properties = odf("style:table-properties", {"table:display": "true", "style:writing-mode": "lr-tb"})
        looks = {"style:name": name, "style:family": "table", "style:master-page-name": page}
        self.elements.append(odf("style:style", looks, properties))
        return name

    def _number(self, code: str) -> str | None:
        """The data style of a number format, or None for that of the program."""
        known = self.names.get(("number", code))
        if known is None:
            known = self._keep("number", code, "N")
            made = data_styles(known, code)
            self.elements += made
            self.names["number", code] = known if made else ""
        return self.names["number", code] or None

    def _sized(self, kind: str, what: str, size: str, prefix: str) -> str:
        known = self.names.get((kind, size))
        if known is None:
            known = self._keep(kind, size, prefix)
            properties = odf(f"style:{kind}-properties", {what: size, "fo:break-before": "auto"})
            self.elements.append(odf("style:style", {"style:name": known, "style:family": kind}, properties))
        return known

    def _keep(self, kind: str, key: object, prefix: str) -> str:
        number = 1 + sum(one == kind for one, _ in self.names)
        self.names[kind, key] = f"{prefix}{number}"
        return f"{prefix}{number}"


def _cell_style(name: str, cell: Any, data: str | None) -> Any:
    """One look: cell, paragraph and text."""
    align, font = cell.alignment, cell.font
    across = _ALIGNED.get(align.horizontal or "")
    below = {"center": "middle", "top": "top"}.get(align.vertical or "", "bottom")
    fill = cell.fill.fgColor if cell.fill.fill_type == "solid" else None
    cell_looks = {
        "fo:background-color": _colour(fill),
        "fo:wrap-option": "wrap" if align.wrap_text else "no-wrap",
        "style:vertical-align": below,
        "style:text-align-source": "fix" if across else "value-type",
        **{f"fo:border-{edge}": _line(getattr(cell.border, edge)) for edge in _EDGES},
    }
    indent = f"{0.1457 * align.indent:.4f}in" if align.indent else None
    text_looks = {
        "style:font-name": font.name or FONT,
        "fo:font-size": f"{font.sz or 10:g}pt",
        "fo:font-weight": "bold" if font.b else None,
        "fo:font-style": "italic" if font.i else None,
        "fo:color": _colour(font.color),
    }
    return odf(
        "style:style",
        {"style:name": name, "style:family": "table-cell", "style:parent-style-name": "Default",
         "style:data-style-name": data},
        odf("style:table-cell-properties", cell_looks),
        odf("style:paragraph-properties", {"fo:text-align": across, "fo:margin-left": indent}),
        odf("style:text-properties", text_looks),
    )  # fmt: skip


def _colour(colour: Any) -> str | None:
    """A colour that is given as such, not one of a theme."""
    return f"#{colour.rgb[-6:].lower()}" if colour is not None and colour.type == "rgb" else None


def _line(side: Any) -> str | None:
    if side is None or side.style is None:
        return None
    return f"{_LINES.get(side.style, _LINES['thin'])} {_colour(side.color) or '#000000'}"


def is_percentage(cell: Any) -> bool:
    """Whether a cell shows its number as a percentage."""
    return "%" in cell.number_format and cell.number_format != TEXT


def page_styles(name: str, sheet: Any) -> tuple[Any, Any]:
    """How a sheet is printed, as openpyxl gives it: its page layout and its master page called `name`."""
    setup = sheet.page_setup
    size = PAPERS.get(str(setup.paperSize), PAPERS["9"])
    landscape = setup.orientation == "landscape"
    width, height = size[::-1] if landscape else size
    fits = sheet.sheet_properties.pageSetUpPr
    fitted = {"style:scale-to-X": setup.fitToWidth if setup.fitToWidth is not None else 1,
              "style:scale-to-Y": setup.fitToHeight if setup.fitToHeight is not None else 1}  # fmt: skip
    margins = sheet.page_margins
    looks = {
        "fo:page-width": f"{width}cm",
        "fo:page-height": f"{height}cm",
        "style:print-orientation": setup.orientation or "portrait",
        **{f"fo:margin-{edge}": f"{getattr(margins, edge):g}in" for edge in _EDGES},
        **(fitted if fits is not None and fits.fitToPage else {}),
    }
    space = odf("style:header-footer-properties", {"fo:min-height": "0.3in", "fo:margin-top": "0.1in"})
    layout = odf(
        "style:page-layout",
        {"style:name": f"{name}L"},
        odf("style:page-layout-properties", looks),
        odf("style:header-style"),
        odf("style:footer-style", {}, space),
    )
    return layout, _master(name, sheet.oddFooter)


def _master(name: str, footer: Any) -> Any:
    """The master page with its footer."""
    regions = [
        odf(f"style:region-{side}", {}, _footer_text(getattr(footer, side).text or ""))
        for side in ("left", "right")
    ]
    return odf(
        "style:master-page",
        {"style:name": name, "style:page-layout-name": f"{name}L"},
        odf("style:header", {"style:display": "false"}),
        odf("style:footer", {}, *regions),
    )


def _footer_text(text: str) -> Any:
    """The words of a footer with its page numbers."""
    paragraph = odf("text:p")
    whole = odf("text:span", {"text:style-name": "footer"})
    paragraph.append(whole)
    last = None
    for part in re.split(r"(&P|&N|&&)", text):
        if part in ("&P", "&N"):
            last = odf("text:page-number" if part == "&P" else "text:page-count", text="1")
            whole.append(last)
        elif part:
            said = "&" if part == "&&" else part
            if last is None:
                whole.text = (whole.text or "") + said
            else:
                last.tail = (last.tail or "") + said
    return paragraph
