"""The sheets of a comparison: a column per run, and live differences from the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.cells import is_number
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.lists import NAME, TEXT, number_style
from sdopt.export.page import A3, A4, THIN, Page, Style
from sdopt.export.sheets.breaches import pocket_name

if TYPE_CHECKING:
    import pandas as pd

MONEY = ("improvement", "null_objective", "bound", "expected", "low", "median", "high")
SHARES = ("gap", "certified_gap", "better")
FACTS = (
    *("title", "kind", "status", "objective", "objective_unit", "horizon", "base_year", "discount_rate"),
    *("improvement", "gap", "certified_gap", "null_objective", "bound"),
    *("expected", "low", "median", "high", "better", "seed", "sdopt", "config", "folder"),
)
"""Rows of the first table; those that no run knows are absent."""
WIDE = 20
COMPARED = "compared_runs"
"""Table that every comparison has, and no other result."""

Named = Callable[[str], str]


def fill_compared(page: Page) -> None:
    """What was compared, what stands out, what needs care, and the figures beside each other."""
    result, labels = page.book.result, page.labels
    names = runs_of(page)
    page.set_up([44, *[max(WIDE, 96 // len(names))] * len(names)], paper=A3 if len(names) > 4 else A4)
    page.heading(page.name, labels("sign.compared"))
    for key, lines in (("found", found_lines(result, labels)), ("care", care_lines(result, labels))):
        page.section(labels(f"compared.section.{key}"))
        for line in lines:
            page.across(line, **THIN)
        page.row += 1
    page.section(labels("compared.section.figures"))
    page.header(["", *names], [NAME, *[{"align": "right"}] * len(names)])
    table = result.tables["compared_runs"].set_index("run")
    for key in known_facts(table):
        _fact_row(page, key, list(table.loc[names, key]))
    page.finish(len(page.widths))


def known_facts(runs: pd.DataFrame) -> Iterator[str]:
    """The facts that at least one run has, in their order."""
    for key in FACTS:
        if any(is_number(value) or (isinstance(value, str) and value) for value in runs[key]):
            yield key


def _fact_row(page: Page, key: str, values: Sequence[Any]) -> None:
    labels = page.labels
    if key in SHARES:
        style: Style = {"num_format": "0.00%" if key != "better" else "0%"}
    elif key in MONEY:
        style = number_style(values)
    else:
        style, values = (
            {"align": "right", "text_wrap": True},
            [fact_text(key, value, labels) for value in values],
        )
    page.rows([[labels(f"compared.row.{key}"), *values]], [NAME, *[style] * len(values)])


def fact_text(key: str, value: Any, labels: Any) -> str:
    """A fact that is no number, in words."""
    if key == "kind":
        return ", ".join(labels.find(f"run_kind.{one}", one) for one in str(value).split(", "))
    if key == "status":
        return str(labels(f"status.{value}"))
    return labels.unit(str(value)) if key == "objective_unit" else str(value)


def runs_of(page: Page) -> list[str]:
    """Names of the runs in the order given."""
    return [str(name) for name in page.book.result.tables["compared_runs"]["run"]]


def fill_decisions(page: Page) -> None:
    """Amounts now and as advised on average, and differences from the first."""
    labels, table = page.labels, page.book.result.tables["compared_decisions"]
    _begin(page, "compared_decisions")
    for key in ("null", "advice"):
        page.section(labels(f"column.{key}"))
        _across(page, table, ["decision"], key)
        page.row += 1
    page.finish(len(page.widths))


def fill_years(page: Page) -> None:
    """The advice per decision and year."""
    _begin(page, "compared_years", 9)
    _across(page, page.book.result.tables["compared_allocation"], ["decision", "year"], "advice")
    page.finish(len(page.widths))


def fill_compared_return(page: Page) -> None:
    """What every component adds, per run."""
    _begin(page, "compared_return")
    _across(page, page.book.result.tables["compared_return"], ["component"], "difference", sign=True)
    page.finish(len(page.widths))


def fill_parties(page: Page) -> None:
    """What every pocket and perspective gains, per run."""
    labels, tables = page.labels, page.book.result.tables
    _begin(page, "compared_parties")
    parts: tuple[tuple[str, str, Named], ...] = (
        ("pockets", "pocket", lambda name: pocket_name(name, labels)),
        ("perspectives", "perspective", lambda name: labels.find(f"perspective.{name}", name)),
    )
    for name, key, named in parts:
        if f"compared_{name}" in tables:
            page.section(labels(f"compared.section.{name}"))
            table = tables[f"compared_{name}"]
            _across(page, table.assign(**{key: table[key].map(named)}), [key], "difference", sign=True)
            page.row += 1
    page.finish(len(page.widths))


def fill_compared_limits(page: Page) -> None:
    """The least room that is left of every limit, per run."""
    _begin(page, "compared_limits")
    _across(page, page.book.result.tables["compared_limits"], ["limit"], "slack")
    page.finish(len(page.widths))


def fill_inputs(page: Page) -> None:
    """Every place where the inputs differ."""
    labels, names = page.labels, runs_of(page)
    table = page.book.result.tables["compared_inputs"]
    page.set_up([12, 48, *[30] * len(names)], paper=A3)
    page.heading(page.name, labels("sign.compared_inputs"))
    page.header([labels("column.kind"), labels("column.place"), *names], [NAME, NAME, *[TEXT] * len(names)])
    page.freeze(page.row - 1, columns=2)
    wide = table.pivot(index=["kind", "place"], columns="run", values="value")
    for kind, place in table[["kind", "place"]].drop_duplicates().itertuples(index=False):
        values = [wide.at[(kind, place), name] if name in wide else "" for name in names]
        page.rows([[labels(f"input_kind.{kind}"), place, *values]], [NAME, NAME, *[TEXT] * len(names)])
    page.finish(len(page.widths))


def _begin(page: Page, key: str, *more: float) -> None:
    """Set up a sheet: names, `more` columns of these widths, a unit, the runs and their differences."""
    runs = len(runs_of(page))
    page.set_up([44, *more, 20, *[WIDE] * (2 * runs - 1)], paper=A3 if runs > 2 else A4)
    page.heading(page.name, page.labels(f"sign.{key}"))


def _across(page: Page, table: pd.DataFrame, keys: list[str], value: str, *, sign: bool = False) -> None:
    """A row per thing with its unit, a column per run, and live differences of the later from the first."""
    labels, names = page.labels, runs_of(page)
    wide = table.pivot_table(index=[*keys, "unit"], columns="run", values=value, sort=False).reindex(
        columns=names
    )
    head = [*(labels(f"column.{key}") for key in keys), labels("column.unit")]
    differences = [labels("column.run_difference", run=name) for name in names[1:]]
    right: Style = {"align": "right"}
    page.header([*head, *names, *differences], [NAME, *[TEXT] * len(keys), *[right] * (2 * len(names) - 1)])
    if not page.frozen:
        page.freeze(page.row - 1, columns=len(keys))
    styles = {
        str(unit): (number_style(own, sign=sign), number_style(own, sign=True))
        for unit, own in table.groupby("unit")[value]
    }
    for index, row in zip(wide.index, wide.to_numpy().tolist(), strict=True):
        unit = str(index[-1])
        _row(page, [*index[:-1], labels.unit(unit)], row, styles[unit])


def _row(page: Page, names: Sequence[Any], values: Sequence[float], styles: tuple[Style, Style]) -> None:
    """Names, amounts, and a formula for every amount that can be compared with the first."""
    (style, signed), start, row = styles, len(names), page.row
    looks = [NAME, *[TEXT] * (len(names) - 1), *[style] * len(values)]
    page.rows([[*names, *values]], looks)
    for place, value in enumerate(values[1:], start=1):
        at, own = start + len(values) + place - 1, {**signed, **THIN}
        if is_number(value) and is_number(values[0]):
            page.difference(row, at, (cell(row, start), cell(row, start + place)), (values[0], value), own)
        else:
            page.write(row, at, None, **own)
