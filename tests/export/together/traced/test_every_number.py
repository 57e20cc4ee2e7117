"""Every number on every sheet, in cells and in sentences, is one of the tables that its sheet is made of.

Numbers are traced to full precision: `Spied` labels write the value behind every number in a sentence, and
hide the digits that stand in the words themselves. What then is left is text or a year of those tables.
Live formulas are calculated again by LibreOffice in other tests; the rules in conftest.py are for the rest.

Each table is dyed: multiplied by a factor of its own. In a workbook made of dyed tables a number that is
stale, or from another table, is of the wrong colour.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import isfinite
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from sdopt.export import workbook
from sdopt.export.compare.run import comparison
from sdopt.export.compare.runs import read_runs
from sdopt.export.compared_columns import RUNS
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.made_of import MADE_OF, tables_of
from sdopt.export.names import with_shown_names
from sdopt.result import Result

Rule = Callable[[Mapping[str, pd.DataFrame], Mapping[str, Any]], Iterable[float]]
ROOT = Path(__file__).resolve().parents[4]
DATA = ROOT / "tests" / "data"
FACTS = "summary.json"
OPEN, BETWEEN, CLOSE = "\ue010", "\ue011", "\ue012"
MARK = re.compile(f"{OPEN}([^{BETWEEN}]*){BETWEEN}([^{CLOSE}]*){CLOSE}")
HIDDEN = str.maketrans({str(digit): chr(0xE020 + digit) for digit in range(10)})
TOKEN = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*")
PICTURE = (
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415478da63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
SAME = 1e-9
TINY = 1e-6
HALF = 0.5
"""What is nearer to 0 may show as 0."""
LEAST = {
    "example": 7000,
    "sweep": 500,
    "robust": 70,
    "all": 1100,
    "forms": 400,
    "programmes": 500,
    "proof": 250,
    "compared": 100,
}
"""Numbers in a workbook, at least."""
ONLY_WORDS = {
    (sheet, table)
    for sheet, tables in {
        "allocation": "decisions",
        "break_even": "conclusions",
        "charts": "trajectories",
        "constraints": "decisions",
        "data": "allocation decisions multi_year_budget",
        "figures": "constraints decisions fiscal_rules programmes",
        "pay_back": "ledger_years",
        "perspectives": "perspective_totals",
        "summary": "constraints conventions decisions fiscal_rules ledger_years programmes "
        "worth_of_decisions",
        "uncertainty": "empty_stocks",
        "why": "near_optimal pay_back",
    }.items()
    for table in tables.split()
}
"""Sheet and a table of which it shows names and years here, or a chart, and no number that is not whole."""
COMPARED: Mapping[str, tuple[str, ...]] = {
    "compared": ("compared_runs", "compared_decisions", "compared_robust", "compared_inputs"),
    "compared_decisions": ("compared_decisions", "compared_totals"),
    "compared_charts": ("compared_allocation",),
    "compared_years": ("compared_allocation",),
    "compared_robust": ("compared_robust",),
    "compared_return": ("compared_return",),
    "compared_parties": ("compared_pockets", "compared_perspectives"),
    "compared_limits": ("compared_limits", "compared_fiscal"),
    "compared_inputs": ("compared_inputs",),
}
"""Sheets of a comparison, and their tables."""
NAMED = ("sheet.", "range.")
"""Labels that are names of sheets and of tables: their digits stay."""


@cache
def words(language: str) -> dict[str, str]:
    """Label key -> text, in which the digits outside fields are hidden."""
    path = ROOT / "src" / "sdopt" / "export" / "labels.csv"
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True))
    return {row["key"]: "".join(map(_hidden, Formatter().parse(row[language]))) for row in rows}


def _hidden(part: tuple[str, str | None, str | None, str | None]) -> str:
    literal, name, spec, _ = part
    field = "" if name is None else f"{{{name}{':' if spec else ''}{spec}}}"
    return literal.translate(HIDDEN).replace("{", "{{").replace("}", "}}") + field


def marked(value: float, shown: str) -> str:
    return f"{OPEN}{float(value)!r}{BETWEEN}{shown}{CLOSE}"


class Spied(Labels):
    """Labels that tell where every digit in a sentence comes from."""

    def __call__(self, key: str, **values: object) -> str:
        if key.startswith(NAMED):
            return super().__call__(key, **values)
        whole = {
            name: marked(value, str(value)) if isinstance(value, (int, np.integer)) else value
            for name, value in values.items()
        }
        return words(self.language)[key].format(**whole)

    def number(self, value: float, *args: Any, **more: Any) -> str:
        return marked(value, super().number(value, *args, **more))

    def shown(self, value: float, text: str) -> str:
        return marked(value, text)


@dataclass(frozen=True)
class Shown:
    """A number on a sheet: a value, or the text of a token that no label and no value accounts for."""

    place: str
    value: float | None
    text: str
    said: bool
    """Whether it stands in a sentence."""


def written(result: Result) -> Any:
    """The workbook with spying labels, as openpyxl reads it."""
    pictures = {"frontier": bytes.fromhex(PICTURE)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook, "Labels", Spied)
        content = workbook.workbook_bytes(result, pictures)
    return openpyxl.load_workbook(io.BytesIO(content))


def sheets(book: Any, result: Result) -> Iterator[tuple[str, list[Shown]]]:
    """Key of every sheet, and the numbers on it; live formulas are calculated again by LibreOffice."""
    keys = [*COMPARED, "ranges"] if RUNS in result.tables else [*MADE_OF]  # some have the same title
    names = {Labels(result.language)(f"sheet.{key}"): key for key in keys}
    for sheet in book:
        cells = (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)
        yield names[sheet.title], [one for cell in cells for one in _numbers(cell)]


def _numbers(cell: Any) -> Iterator[Shown]:
    value = cell.value
    if isinstance(value, (int, float)):
        yield Shown(cell.coordinate, float(value), repr(value), said=False)
    elif cell.data_type == "s":
        for number, shown in MARK.findall(value):
            yield Shown(cell.coordinate, float(number), shown, said=True)
        for token in TOKEN.findall(MARK.sub(" ", value)):
            yield Shown(cell.coordinate, None, token, said=True)


class Tables:
    """The numbers, texts and counts of the tables of a result, by table."""

    def __init__(self, result: Result) -> None:
        shown = with_shown_names(result)
        facts = list(_flat({**shown.figures, **shown.provenance, "title": shown.title}))
        self.frames, self.facts = shown.tables, {**shown.provenance, **shown.figures}
        self.values = {name: _values(table) for name, table in self.frames.items()}
        self.texts = {name: set(_texts(table)) for name, table in self.frames.items()}
        numbers = [float(one) for one in facts if isinstance(one, (int, float)) and one == one]
        self.values[FACTS] = np.array(numbers)
        self.texts[FACTS] = {t for one in facts if isinstance(one, str) for t in TOKEN.findall(one)}
        self.counts = {name: _counts(table) for name, table in self.frames.items()}


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _flat(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _flat(one)
    else:
        yield value.item() if hasattr(value, "item") else value


def _values(table: pd.DataFrame) -> np.ndarray:
    columns = [pd.to_numeric(table[name], errors="coerce") for name in table if table[name].dtype != bool]
    found = [column.to_numpy(float, na_value=np.nan) for column in columns]
    every = np.concatenate(found) if found else np.zeros(0)
    return every[np.isfinite(every)]


def _texts(table: pd.DataFrame) -> Iterator[str]:
    for name in table:
        yield from TOKEN.findall(str(name))
        if table[name].dtype == object or str(table[name].dtype).startswith("str"):
            for one in set(map(str, table[name])):
                yield from TOKEN.findall(one)


def _counts(table: pd.DataFrame) -> set[int]:
    """How many rows there are, how many of each kind, and how many kinds."""
    found = {len(table)}
    for name in table:
        counted = table[name].astype(str).value_counts()
        found |= {len(counted), *map(int, counted)}
    return found


class Tracer:
    """Says of numbers which tables hold them."""

    def __init__(self, result: Result, rules: Mapping[tuple[str, str], Rule]) -> None:
        self.tables, self.rules = Tables(result), rules
        self._sorted = {name: np.sort(np.abs(values)) for name, values in self.tables.values.items()}

    def sources(self, sheet: str, one: Shown, declared: Iterable[str]) -> list[str]:
        """The tables of a sheet that hold a number, as it is or by a rule of that sheet; [] for none."""
        return [name for name in (*declared, FACTS) if self._holds(sheet, one, name)]

    def _holds(self, sheet: str, one: Shown, name: str) -> bool:
        if one.value is None:
            return self._told(one.text, name)
        found = [one.value]
        if one.said:  # a share, and what is left of one
            found += [one.value / 100, *([1 - one.value / 100] if abs(one.value) > TINY else [])]
        if any(self._near(self._sorted[name], abs(value)) for value in found):
            return True
        if one.said and name in self.tables.counts and one.value in self.tables.counts[name]:
            return True
        return (sheet, name) in self.rules and self._near(self._derived(sheet, name), abs(one.value))

    def _told(self, token: str, name: str) -> bool:
        if token in self.tables.texts[name]:
            return True
        plain = re.fullmatch(r"\d+([.,]\d+)?", token)
        return plain is not None and float(token.replace(",", ".")) in self.tables.values[name]

    @cache  # noqa: B019 - a tracer lives as long as a test
    def _derived(self, sheet: str, name: str) -> np.ndarray:
        rule = self.rules[sheet, name]
        values = np.array([float(one) for one in rule(self.tables.frames, self.tables.facts)])
        return np.sort(np.abs(values[np.isfinite(values)]))

    @staticmethod
    def _near(values: np.ndarray, value: float) -> bool:
        """Whether a sorted array holds a value, but for rounding; 0 stands for what shows as 0."""
        place = int(np.searchsorted(values, value - SAME * value))
        if value == 0:
            return bool(len(values) and values[0] < HALF)
        return bool(place < len(values) and values[place] <= value + SAME * value)


def dyed(result: Result) -> Result:
    """Each table times a factor of its own, but for what is a whole number; the figures too."""
    tables = {
        name: table.assign(
            **{one: [_times(value, factor) for value in table[one]] for one in _measured(table)}
        )
        for (name, table), factor in zip(sorted(result.tables.items()), COLOURS, strict=False)
    }
    figures = {
        key: _times(value, COLOURS[-1]) if isinstance(value, float) else value
        for key, value in result.figures.items()
    }
    return Result(**{**vars(result), "tables": tables, "figures": figures})


def _times(value: Any, factor: float) -> Any:
    return value * factor if isinstance(value, float) and isfinite(value) and value % 1 else value


def _measured(table: pd.DataFrame) -> list[str]:
    """Columns of numbers that are not all whole: no years, and no counts."""
    return [name for name in table if name not in KEYS and _is_measured(table[name])]


def _is_measured(column: pd.Series) -> bool:
    known = [value for value in column if isinstance(value, float) and isfinite(value)]
    return len(known) == column.notna().sum() and any(value % 1 for value in known)


KEYS = ("within",)
"""Columns by which tables belong together."""
COLOURS = [1.0137 + 0.00917 * place for place in range(120)]


Scanned = tuple[Result, Tracer, dict[str, list[Shown]]]
KINDS = (
    ("example", "nl"),
    ("sweep", "nl"),
    ("robust", "nl"),
    ("all", "en"),
    ("forms", "en"),
    ("programmes", "nl"),
    ("proof", "nl"),
)
ASKED = {
    "forms": ("forms/weights.yaml",),
    "programmes": ("programmes/three.yaml",),
    "proof": ("optimise/threshold.yaml", "--certify", "30"),
}


@pytest.fixture(scope="module")
def scanned(
    results: Mapping[str, Result],
    ask: tuple[Any, Any],
    rules: Mapping[tuple[str, str], Rule],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Scanned]:
    """Per kind of workbook the dyed result and the numbers on every sheet."""
    folder, found = tmp_path_factory.mktemp("soorten"), {}
    made = {
        kind: ask[1]("optimise", DATA / config, folder / kind, *options)
        for kind, (config, *options) in ASKED.items()
    }
    every = {"example": ROOT / "results" / "voorbeeld", **made}
    for kind, language in KINDS:
        result = read_results(every[kind]) if kind in every else results[kind]
        one = dyed(Result(**{**vars(result), "language": language}))
        found[kind] = (one, Tracer(one, rules), dict(sheets(written(one), one)))
    return found


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_every_number_is_one_of_the_tables_of_its_sheet(scanned: Mapping[str, Scanned], kind: str) -> None:
    result, tracer, numbers = scanned[kind]
    lost = [
        (sheet, one)
        for sheet, shown in numbers.items()
        for one in shown
        if not tracer.sources(sheet, one, tables_of(sheet, result))
    ]
    assert not lost, "\n".join(map(str, lost[:40]))
    assert sum(map(len, numbers.values())) > LEAST[kind]


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_a_number_that_is_not_of_a_table_is_seen(scanned: Mapping[str, Scanned], kind: str) -> None:
    """Every number with enough digits to be told apart, wrong by a millionth."""
    result, tracer, numbers = scanned[kind]
    wrong = [
        (sheet, replace(one, value=one.value * (1 + 1e-6)))
        for sheet, shown in numbers.items()
        for one in shown
        if one.value is not None and float(f"{one.value:.7g}") != one.value
    ]
    assert len(wrong) > 10
    assert not [(sheet, one) for sheet, one in wrong if tracer.sources(sheet, one, tables_of(sheet, result))]


def test_every_sheet_says_what_it_is_made_of() -> None:
    assert {key for key, _, _ in workbook.SHEETS} == set(MADE_OF)


def test_sheets_show_numbers_of_all_tables_they_declare(scanned: Mapping[str, Scanned]) -> None:
    """A number of one colour stands for its table; but for those of which a sheet shows words and years."""
    declared, seen = set[tuple[str, str]](), set[tuple[str, str]]()
    for result, tracer, numbers in scanned.values():
        for sheet, shown in numbers.items():
            tables = tables_of(sheet, result)
            declared |= {(sheet, table) for table in tables if _measured(result.tables[table])}
            found = (tracer.sources(sheet, one, tables) for one in shown)
            seen |= {(sheet, tables[0]) for tables in found if len(tables) == 1}
    assert declared - seen <= ONLY_WORDS, sorted(declared - seen - ONLY_WORDS)


def test_every_number_of_a_comparison_is_one_of_the_tables_of_its_sheet(
    asked: Any, rules: Mapping[tuple[str, str], Rule]
) -> None:
    result = dyed(comparison(read_runs(asked.folders)))
    tracer, numbers = Tracer(result, rules), dict(sheets(written(result), result))
    assert set(numbers) >= {"compared", *(key for key in COMPARED if COMPARED[key][0] in result.tables)}
    assert {key for key, _, _ in workbook.COMPARED_SHEETS} == {*COMPARED, "ranges"}

    def lost(sheet: str, one: Shown) -> bool:
        own = [name for name in COMPARED.get(sheet, ()) if name in result.tables]
        return not tracer.sources(sheet, one, own)

    every = [(sheet, one) for sheet, shown in numbers.items() for one in shown]
    assert not [pair for pair in every if lost(*pair)]
    assert len(every) > LEAST["compared"]
    wrong = [
        (sheet, replace(one, value=one.value * (1 + 1e-6)))
        for sheet, one in every
        if one.value is not None and float(f"{one.value:.7g}") != one.value
    ]
    assert len(wrong) > 10
    assert all(lost(*pair) for pair in wrong)
