"""The workbook as OpenDocument (.ods): the same sheets, numbers, formulas and looks, without its charts.

It is made of the .xlsx itself, so that both always hold the same.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from sdopt.export.labels import Labels
from sdopt.export.opendocument.cells import reference
from sdopt.export.opendocument.sheet import Sheet
from sdopt.export.opendocument.styles import FONT, Styles, page_styles
from sdopt.export.opendocument.xml import VERSION, document, odf

TYPE = "application/vnd.oasis.opendocument.spreadsheet"
WHEN = (1980, 1, 1, 0, 0, 0)
"""Fixed, so that the same workbook gives the same bytes."""


def ods_bytes(workbook: bytes, labels: Labels) -> bytes:
    """An .xlsx that this program wrote, as .ods."""
    import openpyxl

    book = openpyxl.load_workbook(BytesIO(workbook))
    known = openpyxl.load_workbook(BytesIO(workbook), data_only=True)
    styles = Styles()
    sheets = [Sheet(one, known[one.title], styles, labels) for one in book]
    sheets[0].note = labels("ods.note.title"), labels("ods.note")
    pages = [page_styles(f"page{number}", one) for number, one in enumerate(book, start=1)]
    tables = [sheet.table(f"page{number}") for number, sheet in enumerate(sheets, start=1)]
    body = odf("office:spreadsheet", {}, *tables, _names(book), _filters(book))
    pictures = {name: content for sheet in sheets for name, content in sheet.pictures.items()}
    return _package(
        {
            "content.xml": document(
                "document-content",
                [
                    _fonts(),
                    odf("office:automatic-styles", {}, *styles.elements),
                    odf("office:body", {}, body),
                ],
            ),
            "styles.xml": _styles(pages, labels.language),
            "settings.xml": document("document-settings", [_settings(book)]),
            "meta.xml": document("document-meta", [odf("office:meta", {}, _title(book))]),
            **pictures,
        }
    )


def _fonts() -> Any:
    face = {"style:name": FONT, "svg:font-family": FONT}
    return odf("office:font-face-decls", {}, odf("style:font-face", face))


def _title(book: Any) -> Any:
    return odf("dc:title", text=book.properties.title or "")


def _styles(pages: list[tuple[Any, Any]], language: str) -> bytes:
    """Defaults, the language (so the marks of numbers follow it), and a page per sheet."""
    country = {"nl": "NL", "en": "GB"}[language]
    text = odf("style:text-properties", {"style:font-name": FONT, "fo:font-size": "10pt",
                                         "fo:language": language, "fo:country": country})  # fmt: skip
    small = odf("style:text-properties", {"fo:font-size": "8pt"})
    default = odf("style:default-style", {"style:family": "table-cell"}, text)
    named = odf("style:style", {"style:name": "Default", "style:family": "table-cell"})
    footer = odf("style:style", {"style:name": "footer", "style:family": "text"}, small)
    return document(
        "document-styles",
        [
            _fonts(),
            odf("office:styles", {}, default, named),
            odf("office:automatic-styles", {}, footer, *(layout for layout, _ in pages)),
            odf("office:master-styles", {}, *(master for _, master in pages)),
        ],
    )


def _names(book: Any) -> Any:
    """The names of the tables."""
    ranges = []
    for name, defined in book.defined_names.items():
        where = reference(defined.attr_text)
        base = where.partition(":")[0]
        looks = {"table:name": name, "table:base-cell-address": base, "table:cell-range-address": where}
        ranges.append(odf("table:named-range", looks))
    return odf("table:named-expressions", {}, *ranges) if ranges else None


def _filters(book: Any) -> Any:
    """The filter buttons on headers."""
    found = []
    for number, sheet in enumerate(book, start=1):
        if sheet.auto_filter.ref:
            where = reference(f"{_quoted(sheet.title)}!{sheet.auto_filter.ref}").removeprefix("$")
            looks = {"table:name": f"__Anonymous_Sheet_DB__{number}", "table:target-range-address": where,
                     "table:display-filter-buttons": "true"}  # fmt: skip
            found.append(odf("table:database-range", looks))
    return odf("table:database-ranges", {}, *found) if found else None


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _settings(book: Any) -> Any:
    """What is kept in sight, which sheet opens, and no grid."""
    views = odf("config:config-item-map-named", {"config:name": "Tables"}, *map(_view, book))
    view = odf(
        "config:config-item-map-entry",
        {},
        _item("ViewId", "string", "view1"),
        views,
        _item("ActiveTable", "string", book.active.title),
        _item("ShowGrid", "boolean", "false"),
    )
    listed = odf("config:config-item-map-indexed", {"config:name": "Views"}, view)
    return odf(
        "office:settings", {}, odf("config:config-item-set", {"config:name": "ooo:view-settings"}, listed)
    )


def _view(sheet: Any) -> Any:
    """The frozen rows and columns of one sheet."""
    entry = odf("config:config-item-map-entry", {"config:name": sheet.title})
    entry.append(_item("ShowGrid", "boolean", "false"))
    if sheet.freeze_panes:
        from openpyxl.utils.cell import coordinate_to_tuple

        row, column = (place - 1 for place in coordinate_to_tuple(sheet.freeze_panes))
        for key, far, count in (("Horizontal", "Right", column), ("Vertical", "Bottom", row)):
            entry.append(_item(f"{key}SplitMode", "short", 2 if count else 0))
            entry.append(_item(f"{key}SplitPosition", "int", count))
            entry.append(_item(f"Position{far}", "int", count))
        entry.append(_item("ActiveSplitRange", "short", 3 if row and column else 2 if row else 1))
    return entry


def _item(name: str, kind: str, value: object) -> Any:
    return odf("config:config-item", {"config:name": name, "config:type": kind}, text=str(value))


def _package(files: dict[str, bytes]) -> bytes:
    """The files in one archive, with the kind of file first, as programs want it."""
    target = BytesIO()
    kinds = {name: "image/png" if name.endswith(".png") else "text/xml" for name in files}
    entries = [
        odf("manifest:file-entry", {"manifest:full-path": name, "manifest:media-type": kind})
        for name, kind in {"/": TYPE, **kinds}.items()
    ]
    from lxml import etree

    manifest = odf("manifest:manifest", {"manifest:version": VERSION}, *entries)
    etree.cleanup_namespaces(manifest)
    listed = etree.tostring(manifest, xml_declaration=True, encoding="UTF-8")
    with ZipFile(target, "w") as archive:
        _add(archive, "mimetype", TYPE.encode("ascii"), ZIP_STORED)
        for name, content in {**files, "META-INF/manifest.xml": listed}.items():
            _add(archive, name, content, ZIP_DEFLATED)
    return target.getvalue()


def _add(archive: ZipFile, name: str, content: bytes, how: int) -> None:
    entry = ZipInfo(name, WHEN)
    entry.compress_type, entry.create_system = how, 0  # the same on every system
    archive.writestr(entry, content)
