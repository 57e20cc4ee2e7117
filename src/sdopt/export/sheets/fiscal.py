"""The sheets with the fiscal rules: a test per rule and year at a glance, and every rule in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.fiscal import fiscal_lines
from sdopt.export.labels import Labels
from sdopt.export.limits import spans
from sdopt.export.lists import CENTRE, NAME, QUIET, TEXT, long_list, number_style
from sdopt.export.page import A3, MARK, THIN, WARN, YEAR, Page, Style
from sdopt.export.sheets.budget import thousands

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("id", "rule", "part", "rule_kind", "chosen", "imposed", "year", "measure", "sense", "limit", "null"),
    *("advice", "slack", "binds", "null_verdict", "verdict", "null_class", "class", "prices", "unit"),
)
WORDS = {
    "rule_kind": "rule_kind",
    "measure": "measure",
    "sense": "sense",
    "binds": "binds",
    "null_verdict": "verdict",
    "verdict": "verdict",
    "prices": "prices",
}
"""Column -> the start of the keys of its words."""
TESTED = ("kept", "broken")
GOOD = "#D5E8D4"
LOOKS: Mapping[tuple[str, bool], Style] = {
    ("kept", True): {"bg_color": GOOD},
    ("kept", False): {"font_color": "#2E6B2E", "italic": True},
    ("broken", True): {"bg_color": WARN, "bold": True},
    ("broken", False): {"font_color": "#A33A00", "italic": True},
}
"""Verdict, and whether the rule was imposed in that year -> how a test looks."""
RUNS = (("advice", "verdict", "slack"), ("null", "null_verdict", "null_slack"))
"""Whose test it is, with the columns of its verdict and of its room."""


def fill_fiscal_tests(page: Page) -> None:
    """Rule by year: kept or not and with how much room, the advice above no new policy."""
    labels, table = page.labels, page.book.result.tables["fiscal_rules"]
    own = table[table["chosen"].astype(bool) & table["verdict"].isin(TESTED)]
    yearly, once = own[own["year"].notna()], own[own["year"].isna()]
    years = sorted(int(year) for year in yearly["year"].unique())
    page.set_up([6, 30, 30, 16, 21, *[21 if len(years) < 9 else 13] * max(len(years), 1), 20], paper=A3)
    page.heading(page.name, labels("sign.fiscal_tests"))
    for line in [*_counted(own, labels), *fiscal_lines(page.book.result, labels)]:
        page.across(line, **THIN)
    page.row += 1
    if not own.empty:
        _tests(page, yearly, years)
    if len(once):
        page.row += 1
        page.section(labels("fiscal.once"))
        _tests(page, once, [None])
    page.finish(len(page.widths))


def _counted(table: pd.DataFrame, labels: Labels) -> list[str]:
    """How many of the tests that were imposed are passed, by the advice and without new policy."""
    imposed = table[table["imposed"].astype(bool)]
    if imposed.empty:
        return []
    kept = [labels.number(float((imposed[key] == "kept").sum()), 0) for _, key, _ in RUNS]
    return [labels("fiscal.counted", count=labels.number(len(imposed), 0), advice=kept[0], null=kept[1])]


def _tests(page: Page, table: pd.DataFrame, years: Sequence[int | None]) -> None:
    """Two rows per rule, a column per year (or one for what holds for the question itself)."""
    labels = page.labels
    heads: list[object] = [labels(f"column.{name}") for name in ("id", "rule", "part", "imposed_in", "whose")]
    heads += [labels("fiscal.outcome") if year is None else year for year in years]
    page.call_next("fiscal_tests")
    page.header([*heads, labels("column.unit")], [*[NAME] * 5, *[CENTRE] * len(years), TEXT])
    if years[0] is not None:
        page.freeze(page.row - 1, columns=2)
    table = table.assign(part=_parts(table, labels))
    for (identity, title, part), rows in table.groupby(["id", "title", "part"], sort=False):
        by_year = {to_python(row["year"]): row for row in rows.to_dict("records")}
        imposed = spans(int(year) for year, row in by_year.items() if row["imposed"] and is_number(year))
        texts = [identity, title, part, imposed or labels("fiscal.only_tested")]
        for run in RUNS[:1] if years[0] is None else RUNS:
            whose = labels("fiscal.both" if years[0] is None else f"word.{run[0]}")
            _test_row(page, [*texts, whose], by_year, years, run)
            texts = [""] * 4


def _parts(table: pd.DataFrame, labels: Labels) -> list[str]:
    """What a test is about; with its sense where both an upper and a lower limit hold for it."""
    known = table.fillna({"part": "", "sense": ""})
    both = known.groupby(["id", "part"])["sense"].transform("nunique") > 1
    return [
        ", ".join(filter(None, [part, labels(f"sense.{sense}") if two else ""]))
        for part, sense, two in zip(known["part"], known["sense"], both, strict=True)
    ]


def _test_row(
    page: Page,
    texts: list[str],
    by_year: Mapping[Any, Any],
    years: Sequence[int | None],
    run: tuple[str, ...],
) -> None:
    """One run's tests of one rule: the room as a number, with the verdict before it and a colour."""
    unit = str(next(iter(by_year.values()))["unit"])
    factor, said = thousands(unit, page.labels)
    found = [_outcome_of(by_year.get(year), run, factor) for year in years]
    code = number_style([room for _, room, _, _ in found if is_number(room)] or [0.0])["num_format"]
    values = [verdict_word(page.labels, v, b) if v and not is_number(r) else r for v, r, _, b in found]
    looks = [
        {**CENTRE, **(LOOKS[v, i] if v else {}), "num_format": _worded(page.labels, v, b, str(code))}
        for v, _, i, b in found
    ]
    names: list[Style] = [{**NAME, "bold": True}, {**NAME, "bold": True}, NAME, TEXT, TEXT]
    page.rows([[*texts, *values, said]], [*names, *looks, TEXT])


def _outcome_of(row: Any, run: tuple[str, ...], factor: float) -> tuple[str, float | None, bool, bool]:
    """Verdict, room, whether it was imposed, and whether it binds (of the advice only)."""
    if row is None:
        return "", None, False, False
    room = to_python(row.get(run[2]))
    verdict = str(row[run[1]])
    amount = room * factor if is_number(room) else None
    if amount is not None and verdict == "kept":
        amount = max(amount, 0.0)  # what is passed by no more than rounding is kept
    return verdict, amount, bool(row["imposed"]), run[0] == "advice" and row["binds"] == "yes"


def verdict_word(labels: Labels, verdict: str, binds: bool) -> str:
    """Kept, not kept, or kept with nothing to spare."""
    return labels("fiscal.kept_binding" if binds and verdict == "kept" else f"verdict.{verdict}")


def _worded(labels: Labels, verdict: str, binds: bool, code: str) -> str:
    """A number format that writes the verdict before the room; the cell stays a number."""
    if not verdict:
        return code
    word = verdict_word(labels, verdict, binds)
    return f'"{word}  +"{code};"{word}  -"{code};"{word}  "0'


def fill_fiscal_rules(page: Page) -> None:
    """Every rule of the library; a chosen one has a row per limit and year."""
    labels, result = page.labels, page.book.result
    table = result.tables["fiscal_rules"]
    page.set_up([6, 26, 24, 14, 8, 9, 7, 17, 12, 11, 15, 11, 10, 8, 17, 17, 8, 8, 9, 17], paper=A3)
    page.heading(page.name, labels("sign.fiscal_rules"))
    for line in fiscal_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1
    table = table.assign(rule=table["title"], rule_kind=table["kind"])
    words = {
        column: [labels.find(f"{key}.{value}", str(value)) for value in table[column]]
        for column, key in WORDS.items()
    }
    shown = table.assign(**words, unit=[labels.unit(unit) for unit in table["unit"]])
    marks = {labels("verdict.broken"): WARN, labels("binds.yes"): MARK}
    long_list(page, shown, COLUMNS, lambda row: _styles(row, marks))


def _styles(row: Mapping[str, Any], marks: Mapping[str, str]) -> list[Style]:
    """Decimals that fit the row; a rule that binds or is not kept stands out."""
    level = number_style([row["limit"], row["null"], row["advice"], 1.0])
    name: Style = NAME if row["chosen"] else {**NAME, "font_color": "#999999"}
    year: Style = {"num_format": YEAR, "align": "left"}
    yes_no = [CENTRE if row[key] else QUIET for key in ("chosen", "imposed")]
    outcome = [_outcome(row[key], marks) for key in ("binds", "null_verdict", "verdict")]
    words = [*[name] * 3, TEXT, *yes_no, year, TEXT, TEXT]
    return [*words, *[level] * 4, *outcome, CENTRE, CENTRE, TEXT, TEXT]


def _outcome(value: object, marks: Mapping[str, str]) -> Style:
    """The style of a verdict: marked when it matters."""
    colour = marks.get(str(value))
    return {**CENTRE, "text_wrap": True, **({"bg_color": colour, "bold": True} if colour else {})}
