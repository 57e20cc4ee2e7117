"""The sheet with data and price level: prices and years, valuation, files, and what the numbers rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sdopt.config.discount import discount_presets, rate_steps
from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.limits import spans
from sdopt.export.lists import NAME, TEXT, number_style
from sdopt.export.page import THIN, YEAR, Page, Style
from sdopt.export.precision import own_decimals
from sdopt.export.sheets.ledger import method_name
from sdopt.export.views import decision_years, fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

WIDTHS = (34, 30, 16, 18, 44)
PRICE_LEVEL, DISCOUNT = "price level", "discount rate"
COUNT: Style = {"num_format": "#,##0"}


def fill_data(page: Page) -> None:
    """One block under the other; a block of which the result knows nothing is left out."""
    page.set_up(WIDTHS)
    page.heading(page.name, page.labels("sign.data"))
    blocks: Mapping[str, tuple[str, Callable[[Page], None]]] = {
        "prices": ("", _prices),
        "choices": ("conventions", _choices),
        "files": ("sources", _files),
        "statuses": ("assumptions", _statuses),
        "evidence": ("assumptions", _evidence),
    }
    for key, (table, fill) in blocks.items():
        if not table or has(page.book.result, table):
            page.section(page.labels(f"data.{key}"))
            fill(page)
            page.row += 1
    page.row -= 1
    page.finish(len(WIDTHS))


def _prices(page: Page) -> None:
    """Price level, years, discounting and whose numbers they are."""
    labels = page.labels
    page.call_next("data_prices")
    page.header([labels(f"column.{key}") for key in ("property", "value")], [NAME, TEXT])
    for key, value in _facts(page.book.result, labels):
        code: Style = {"num_format": YEAR} if is_number(value) else {}
        page.rows([[labels(f"data.{key}"), value]], [NAME, {**TEXT, **code}])


def _facts(result: Result, labels: Labels) -> Iterator[tuple[str, Any]]:
    """What the result knows of prices and years."""
    if has(result, "conventions"):
        table = result.tables["conventions"]
        yield from (
            ("price_level", value) for value in table.loc[table["convention"] == PRICE_LEVEL, "value"]
        )
    if has(result, "multi_year_budget"):
        yield "budget_prices", labels("data.current_prices")
    if (base := to_python(fact(result, "base_year"))) is not None:
        yield "base_year", base
    if (rate := to_python(fact(result, "discount_rate"))) is not None:
        yield "discount_rate", _rate(rate, labels)
    if ends := fact(result, "horizon"):
        yield "horizon", f"{ends[0]:g} - {ends[1]:g}"
    if has(result, "allocation"):
        yield "decision_years", spans(int(year) for year in decision_years(result))
    files = result.tables["sources"] if has(result, "sources") else None
    if files is not None:
        own = files.loc[files["role"] == "municipality", "file"]
        yield "municipality", ", ".join(own) if len(own) else labels("data.no_municipality")


def _rate(rate: float | str, labels: Labels) -> str:
    """The discount rate as percentages, with where later years have another and whose rates they are."""
    if isinstance(rate, str) and rate not in discount_presets():
        return rate
    first, *later = rate_steps(rate)
    said = [labels("data.rate", rate=_percentage(first.rate, labels))]
    said += [
        labels("data.rate_later", years=labels.number(step.from_year, 0), rate=_percentage(step.rate, labels))
        for step in later
    ]
    whose = f" ({method_name(DISCOUNT, rate, labels)})" if isinstance(rate, str) else ""
    return "".join(said) + whose


def _percentage(rate: float, labels: Labels) -> str:
    """A rate in percents, with the decimals that it has itself."""
    return labels.number(100 * rate, own_decimals(100 * rate, 4))


def _choices(page: Page) -> None:
    """The methods that were chosen to value effects, and what they set."""
    labels = page.labels
    keys = ("convention", "method", "value", "unit", "source")
    page.call_next("data_choices")
    page.header([labels(f"column.{key}") for key in keys], [NAME, TEXT, {"num_format": "0"}, TEXT, TEXT])
    for row in page.book.result.tables["conventions"].to_dict("records"):
        name, method = row["convention"], row["method"]
        words = (labels.find(f"convention.{name}", name), method_name(name, method, labels))
        status = labels.find(f"source.{row['status']}", row["status"])
        source = ", ".join(part for part in (row["source"], status) if part)
        style: Style = {"num_format": YEAR} if name == PRICE_LEVEL else number_style([row["value"]])
        values = [*words, row["value"], labels.unit(row["unit"]), source]
        page.rows([values], [NAME, TEXT, style, TEXT, TEXT])


def _files(page: Page) -> None:
    """Every file that was read, with its fingerprint."""
    labels = page.labels
    page.call_next("sources")
    page.header([labels(f"column.{key}") for key in ("role", "file", "sha256")], [NAME, TEXT, NAME])
    for row in page.book.result.tables["sources"].itertuples():
        # The fingerprint runs on over the empty columns at its right, in a row of normal height.
        page.write(page.row, 0, labels.find(f"role.{row.role}", row.role), **THIN, **NAME)
        page.write(page.row, 1, row.file, **THIN, **TEXT)
        page.write(page.row, 2, row.sha256, **THIN, font_color="#777777")
        for column in (3, 4):
            page.sheet.write_blank(page.row, column, None, page.book.style(**THIN))
        page.row += 1
    page.named("sources", page.blocks[-1].first, page.row - 1, 3)


def _statuses(page: Page) -> None:
    """How many of the model's numbers were read, derived, remembered or judged; and how many vary."""
    labels, table = page.labels, page.book.result.tables["assumptions"]
    page.call_next("data_statuses")
    page.header(
        [labels(f"column.{key}") for key in ("status", "numbers", "uncertain_numbers")], [NAME, COUNT, COUNT]
    )
    for status, rows in table.groupby("status", sort=False):
        word = labels.find(f"source.{status}", str(status))
        page.rows([[word, len(rows), int(rows["uncertain"].astype(bool).sum())]], [NAME, COUNT, COUNT])


def _evidence(page: Page) -> None:
    """Every source that a number names, with how many numbers rest on it."""
    labels, table = page.labels, page.book.result.tables["assumptions"]
    page.across(labels("data.evidence_note"), italic=True, font_color="#555555")
    page.call_next("data_evidence")
    heads = ("source", "numbers", "uncertain_numbers", "status", "rest_on_it")
    styles: list[Style] = [NAME, COUNT, COUNT, TEXT, TEXT]
    page.header([labels(f"column.{key}") for key in heads], styles)
    for source, rows in sorted(_by_source(table).items()):
        names = "; ".join(row["name"] for row in rows)
        uncertain = sum(bool(row["uncertain"]) for row in rows)
        found = dict.fromkeys(labels.find(f"source.{row['status']}", str(row["status"])) for row in rows)
        said = source or labels("data.no_source")
        page.rows([[said, len(rows), uncertain, ", ".join(found), names]], styles)


def _by_source(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Source -> rows that name it; one that names several stands under each."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        named = {part.strip() for part in str(row["source"] or "").split(";")} - {""}
        for source in named or {""}:
            found.setdefault(source, []).append(row)
    return found
