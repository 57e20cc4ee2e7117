"""The sheets of a template: what is to be filled in, with today's values, and nothing else that can change.

A reader finds the columns by the words in the header (`config.sheets`), whatever stands above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import fsum

from sdopt.calibrate.observed import COLUMNS as OBSERVED
from sdopt.calibrate.observed import MEASURES, USES, Point
from sdopt.config.constants import CONFIDENCES, DISTRIBUTIONS, STATUSES, Constant
from sdopt.config.sheets.cells import letters
from sdopt.export.page import A3, A4, MARK, THIN, YEAR, Page, Style
from sdopt.problem.build import Problem
from sdopt.problem.decisions import DecisionPath
from sdopt.problem.reader_names import decision_names, reader_names

CONSTANTS = ("name", "value", "low", "high", "unit", "distribution", "status", "source", "link", "confidence",
             "note")  # fmt: skip
"""Columns of the sheet of constants."""
WORDS = {
    "status": STATUSES,
    "distribution": DISTRIBUTIONS,
    "confidence": CONFIDENCES,
    "measure": MEASURES,
    "use": USES,
}
"""Column -> the words that it may hold."""
YEARS_ON_A4 = 8
ROWS_TO_ADD = 200
"""Empty rows for more observations."""
DIGITS = 15
"""Digits of a number: as many as a spreadsheet keeps."""
MORE_DECIMALS = 9
"""Decimals that are shown where they are filled in."""

_OPEN: Style = {**THIN, "locked": False, "bg_color": MARK}
_SHUT: Style = {**THIN, "bg_color": "#EEEEEE"}
_AFTER_NUMBERS = ("unit", "measure", "note", "source")
_FREE = {"format_columns": True, "format_rows": True}
_WIDTHS = {"name": 42, "unit": 20, "distribution": 16, "source": 24, "note": 60, "series": 44, "variable": 36}


@dataclass(frozen=True)
class Row:
    """One decision, or the start of a programme: its bounds and first year -> today's value."""

    identity: str
    name: str
    unit: str
    bounds: tuple[float, float]
    whole: bool
    values: Mapping[int, float]


def as_kept(value: float) -> float:
    """A number as a spreadsheet keeps it."""
    return float(f"{value:.{DIGITS}g}")


def rows_of(problem: Problem) -> Iterator[Row]:
    """A row per decision, then one per start of a programme."""
    decisions, names = problem.decisions, decision_names(problem.config, problem.system)
    values: dict[str, dict[int, float]] = {}
    for (label, year), value in zip(decisions.labels(), decisions.null_vector().tolist(), strict=True):
        values.setdefault(label, {})[year] = as_kept(value)
    for path in decisions.paths:
        yield Row(path.id, names.get(path.id, path.name), path.unit, _bounds(path), False, values[path.id])
    for plan in decisions.programmes:
        yield Row(plan.start_label, plan.name, "", (0.0, 1.0), True, values[plan.start_label])


def _bounds(path: DecisionPath) -> tuple[float, float]:
    low, high = path.rule.bounds
    return low, high


def fill_allocation(page: Page, problem: Problem) -> None:
    """Decisions down, years across; only years in which a decision may change can be filled in."""
    rows = list(rows_of(problem))
    years = range(problem.decisions.first_year, problem.decisions.last_year + 1)
    width = max((len(repr(value)) for row in rows for value in row.values.values()), default=0)
    paper = A4 if len(years) <= YEARS_ON_A4 else A3
    page.set_up([34, 34, 22, 9, 9, *[max(11, width + 1)] * len(years)], paper=paper)
    remarks = {
        "below": True,
        "periods": any(len(row.values) < len(years) and not row.whole for row in rows),
        "starts": any(row.whole for row in rows),
    }
    said = (page.labels(f"template.allocation.{key}") for key, applies in remarks.items() if applies)
    page.heading(page.name, " ".join(said))
    units = {row.unit for row in rows}
    if len(units) == 1 and len(rows) > 1:
        _write_total(page, rows, years)
    names = ("decision", "reader_name", "unit", "lower", "upper")
    styles: list[Style] = [{}, {}, {}, *[{"num_format": "0.0"}] * (2 + len(years))]
    page.header([*(page.labels(f"template.{name}") for name in names), *years], styles)
    page.sheet.freeze_panes(page.row, 1)
    # Never three decimals in all: `1,500` alone would not tell a decimal mark from one of thousands.
    least = min(2, max(1, *(_decimals(value) for row in rows for value in row.values.values())))
    for row in rows:
        _write_row(page, row, years, least)
    page.sheet.protect("", _FREE)


def _write_total(page: Page, rows: Sequence[Row], years: Sequence[int]) -> None:
    """What is spent together, above the header: below it, it would be read as a decision."""
    first, last = page.row + 2, page.row + 1 + len(rows)
    page.write(page.row, 0, page.labels("template.total"), italic=True)
    for k, year in enumerate(years):
        total = fsum(row.values.get(year, 0.0) for row in rows)
        column = letters(5 + k)
        formula = f"=SUM({column}{first + 1}:{column}{last + 1})"
        page.formula(page.row, 5 + k, formula, total, num_format="0.00", italic=True)
    page.row += 1


def _write_row(page: Page, row: Row, years: Sequence[int], least: int) -> None:
    """One decision; in years in which it cannot change its cells are shut."""
    unit = page.labels("template.start") if row.whole else page.labels.unit(row.unit)
    texts = (row.identity, row.name, unit)
    for column, text in enumerate(texts):
        page.write(page.row, column, text, **THIN)
    for column, bound in enumerate(row.bounds, start=len(texts)):
        _write_number(page, column, bound, {**THIN, "num_format": "General"})
    for column, year in enumerate(years, start=len(texts) + 2):
        if year in row.values:
            code = YEAR if row.whole else number_code(row.values[year], least)
            _write_number(page, column, row.values[year], {**_OPEN, "num_format": code})
            page.sheet.data_validation(page.row, column, page.row, column, _limits(page, row, unit))
        else:
            page.write(page.row, column, None, **_SHUT)
    page.row += 1


def _limits(page: Page, row: Row, unit: str) -> dict[str, object]:
    """The bounds as a rule of the cell: a warning, as an amount outside them can be tried too."""
    low, high = row.bounds
    digits = {name: page.labels.number(value, 6).rstrip("0").rstrip(",.") for name, value in
              (("low", low), ("high", high))}  # fmt: skip
    return {
        "validate": "integer" if row.whole else "decimal",
        "criteria": "between",
        "minimum": int(low) if row.whole else low,
        "maximum": int(high) if row.whole else high,
        "input_title": row.name[:32],
        "input_message": page.labels("template.between", **digits, unit=unit).strip()[:255],
        "error_title": page.labels("template.outside")[:32],
        "error_message": page.labels("template.outside_said", **digits)[:255],
        "error_type": "stop" if row.whole else "warning",
    }


def fill_constants(page: Page, constants: Sequence[Constant], problem: Problem | None) -> None:
    """A row per constant; name and unit are those of the model."""
    names = {} if problem is None else reader_names(problem.config, problem.system)
    columns = [*CONSTANTS, *(["reader_name"] if any(one.name in names for one in constants) else [])]
    _start_table(page, columns, page.labels("template.constants.below"))
    for one in constants:
        texts = {"reader_name": names.get(one.name, "")}
        values = {column: getattr(one, column, texts.get(column)) for column in columns}
        _write_cells(page, columns, values, shut=("name", "unit", "reader_name"))
    _offer_words(page, columns, len(constants))
    page.sheet.protect("", _FREE)


def fill_observations(page: Page, points: Sequence[Point]) -> None:
    """A row per observed point, and empty rows for more."""
    columns = [*OBSERVED[:-1], "uncertainty", OBSERVED[-1]]
    _start_table(page, columns, page.labels("template.observations.below"))
    for point in points:
        _write_cells(page, columns, vars(point), shut=())
    for _ in range(ROWS_TO_ADD):
        _write_cells(page, columns, dict.fromkeys(columns), shut=())
    _offer_words(page, columns, len(points) + ROWS_TO_ADD)
    page.sheet.protect("", {**_FREE, "sort": True})


def _start_table(page: Page, columns: Sequence[str], below: str) -> None:
    page.set_up([_WIDTHS.get(column, 14) for column in columns])
    page.heading(page.name, below)
    numeric = ("value", "low", "high", "time", "scale", "uncertainty")
    styles: list[Style] = [{"num_format": "General"} if c in numeric else {} for c in columns]
    page.header([page.labels(f"template.{column}") for column in columns], styles)
    page.sheet.freeze_panes(page.row, 1)


def _write_cells(
    page: Page, columns: Sequence[str], values: Mapping[str, object], shut: Sequence[str]
) -> None:
    for k, column in enumerate(columns):
        value = values[column]
        look = THIN if column in shut else _OPEN
        if isinstance(value, float) and as_kept(value) == value:
            _write_number(page, k, value, {**look, "num_format": "General"})
        elif isinstance(value, float):  # more digits than a spreadsheet keeps: as text it stays what it is
            text = repr(value).replace(".", "," if page.labels.language == "nl" else ".")
            page.write(page.row, k, text, **look, align="right")
        else:
            page.write(page.row, k, value or None, **look, indent=1 if column in _AFTER_NUMBERS else 0)
    page.row += 1


def _write_number(page: Page, column: int, value: float, style: Style) -> None:
    """A number with all its digits, however small: it is read again."""
    page.sheet.write_number(page.row, column, as_kept(value), page.book.style(**style))


def _offer_words(page: Page, columns: Sequence[str], count: int) -> None:
    """A list of words to choose from in every column that has one, for the last `count` rows."""
    said = page.labels("template.choose_said", sheet=page.labels("sheet.template_guide"))[:255]
    for column in (one for one in columns if one in WORDS and count):
        k = list(columns).index(column)
        rule = {"validate": "list", "source": list(WORDS[column]), "error_message": said,
                "error_title": page.labels("template.choose")[:32]}  # fmt: skip
        page.sheet.data_validation(page.row - count, k, page.row - 1, k, rule)


def number_code(value: float, least: int = 1) -> str:
    """A number format that shows all digits, as what is shown is what a .csv gets, and `least` always."""
    return "0." + "0" * least + "#" * max(MORE_DECIMALS, _decimals(value) - least)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(as_kept(value))).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
