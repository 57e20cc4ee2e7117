"""All sheets of all workbooks: an advice, a sweep, robust allocations, and the three together.

Print set-up and names on every sheet; read back by pandas; calculated again by LibreOffice.
"""

import csv
import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.folder import write_results
from sdopt.export.formats import read_results
from sdopt.export.together import read_run, together
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
EXPORT = ROOT / "src" / "sdopt" / "export"
KINDS = ("example", "advice", "sweep", "robust", "together")
TALL = 40
"""Rows that a screen or a page can show."""
SMALLEST = 0.5
"""Of its own size: print smaller than this cannot be read."""
PAPERS = {"8": (11.69, 16.54), "9": (8.27, 11.69)}
CELL_LIKE = re.compile(r"[a-z]{1,3}\d+|r\d*c?\d*|c\d*", re.IGNORECASE)


def run(*arguments: object) -> None:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Three runs about one small question, the same together, and the worked example."""
    folder = tmp_path_factory.mktemp("één vraag")
    text = (DATA / "sweep" / "zorg.yaml").read_text(encoding="utf-8").partition("\nsweep:")[0]
    text = text.replace("../wijk.mdl", (DATA / "wijk.mdl").as_posix())
    text = text.replace("audit: 400", "audit: 100, gap: 0.05")
    text += "\nrobust: {measures: [expected], scenarios: 20, gap: 0.05}\nsweep:\n  scenarios: 20\n"
    text += "  outputs: [People in care, social gain]\n"
    config = folder / "zorg.yaml"
    config.write_text(text, encoding="utf-8")
    run("optimise", config, "--explain", "--output", folder / "advice")
    (advice,) = (folder / "advice").iterdir()
    config.write_text(f'{text}  allocations: {{advice: "{advice.as_posix()}"}}\n', encoding="utf-8")
    for command in ("sweep", "robust"):
        alone = ("--workers", "1") if command == "sweep" else ()
        run(command, config, "--output", folder / command, *alone)
    runs = {kind: read_run(*(folder / kind).iterdir()) for kind in ("advice", "sweep", "robust")}
    example = read_results(ROOT / "results" / "voorbeeld")
    return {"example": example, **runs, "together": together(list(runs.values()))}


@pytest.fixture(scope="module")
def workbooks(results: dict[str, Result]) -> dict[str, bytes]:
    return {kind: workbook_bytes(result) for kind, result in results.items()}


@pytest.fixture(scope="module")
def books(workbooks: dict[str, bytes]) -> dict[str, Any]:
    """Each opened once: the tests only read."""
    return {kind: openpyxl.load_workbook(io.BytesIO(content)) for kind, content in workbooks.items()}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def book(kind: str, books: dict[str, Any]) -> Any:
    return books[kind]


def filled(sheet: Any) -> list[Any]:
    return [cell for row in sheet.iter_rows() for cell in row if cell.value not in (None, "")]


def drawn(sheet: Any) -> list[Any]:
    return [*sheet._charts, *sheet._images]


def test_every_sheet_has_a_print_area_that_holds_all(book: Any) -> None:
    for sheet in book:
        areas = re.findall(r"\$([A-Z]+)\$(\d+):\$([A-Z]+)\$(\d+)", sheet.print_area)
        ((_, _, column, last),) = areas
        outside = [
            cell.coordinate
            for cell in filled(sheet)
            if cell.row > int(last) or cell.column > openpyxl.utils.column_index_from_string(column)
        ]
        assert not outside, (sheet.title, outside)
        assert max([one.anchor._from.row for one in drawn(sheet)], default=0) <= int(last), sheet.title


def test_every_sheet_is_one_page_wide_and_can_be_read(book: Any) -> None:
    for sheet in book:
        setup = sheet.page_setup
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert setup.fitToWidth in (None, 1), sheet.title
        assert setup.fitToHeight in (None, 0, 1), sheet.title
        assert setup.orientation in ("landscape", "portrait"), sheet.title
        assert scale(sheet) >= SMALLEST, (sheet.title, scale(sheet))
        assert sheet.oddFooter.left.text, sheet.title
        assert "&P" in sheet.oddFooter.right.text, sheet.title


def scale(sheet: Any) -> float:
    """What is left of the size of the letters in print."""
    width, height = PAPERS[str(sheet.page_setup.paperSize)]
    if sheet.page_setup.orientation == "landscape":
        width, height = height, width
    margins = sheet.page_margins
    widths = sum(
        7 * one.width * (min(one.max, sheet.max_column) - one.min + 1)
        for one in sheet.column_dimensions.values()
    )
    across = (width - margins.left - margins.right) / (widths / 96)
    if sheet.page_setup.fitToHeight == 0:
        return float(min(across, 1.0))
    heights = sum(sheet.row_dimensions[row].height or 15 for row in range(1, sheet.max_row + 1))
    return float(min(across, (height - margins.top - margins.bottom) / (heights / 72), 1.0))


def test_long_sheets_keep_a_header_in_sight_and_repeat_it_in_print(book: Any) -> None:
    long = [sheet for sheet in book if sheet.max_row > TALL]
    assert long
    for sheet in long:
        assert sheet.freeze_panes, sheet.title
        first, last = (int(row) for row in sheet.print_title_rows.replace("$", "").split(":"))
        frozen = int(re.sub(r"\D", "", sheet.freeze_panes)) - 1
        assert first <= last == frozen <= 10, sheet.title
        assert any(cell.value for cell in sheet[last]), sheet.title


def places(book: Any) -> dict[str, tuple[str, str]]:
    """Name -> sheet and cells; openpyxl leaves the apostrophes of a sheet's name doubled."""
    found = {name: next(iter(one.destinations)) for name, one in book.defined_names.items()}
    return {name: (sheet.replace("''", "'"), cells) for name, (sheet, cells) in found.items()}


def test_names_are_safe_and_point_at_cells_with_something_in_them(book: Any) -> None:
    names = list(book.defined_names)
    assert len({name.lower() for name in names}) == len(names)
    for name, (sheet, cells) in places(book).items():
        assert re.fullmatch(r"[a-z][a-z0-9_]{2,}", name), name
        assert not CELL_LIKE.fullmatch(name), name
        rows = list(book[sheet][cells])
        assert any(cell.value not in (None, "") for cell in rows[0]), name
        assert any(cell.value not in (None, "") for cell in rows[-1]), name


def test_every_header_belongs_to_a_table_with_a_name(book: Any) -> None:
    """Headers are white on blue. The list of names has none, nor has the summary, which repeats others."""
    named = {
        (sheet, cell.row)
        for sheet, cells in places(book).values()
        for row in book[sheet][cells]
        for cell in row
    }
    for sheet in book:
        heads = {cell.row for cell in filled(sheet) if cell.font.color and cell.font.color.rgb == "FFFFFFFF"}
        # Above the years of a budget stand the names of its bands.
        lost = [row for row in heads if not {(sheet.title, row), (sheet.title, row + 2)} & named]
        assert not lost or sheet.title in ("Bereiken", "Samenvatting"), (sheet.title, lost)


def test_the_list_of_ranges_is_the_list_of_names(book: Any) -> None:
    rows = book["Bereiken"].iter_rows(min_row=5, max_col=3, values_only=True)
    listed = {name: f"{sheet}!{cells}" for name, sheet, cells in rows if name}
    assert listed == {
        name: f"{sheet}!{cells}".replace("$", "") for name, (sheet, cells) in places(book).items()
    }


def test_every_name_is_in_the_table_of_words(books: dict[str, Any]) -> None:
    words = {row["nl"] for row in labels() if row["key"].startswith("range.")}
    for book in books.values():
        names = {re.sub(r"_\d+$", "", name) for name in book.defined_names}
        assert names <= words | {re.sub(r"_\d+$", "", word) for word in words}, names - words


def test_words_for_names_are_names_and_differ() -> None:
    rows = [row for row in labels() if re.fullmatch(r"range\.[a-z0-9_]+", row["key"])]
    for language in ("nl", "en"):
        names = [row[language] for row in rows]
        assert len(set(names)) == len(names)
        assert not [
            name
            for name in names
            if not re.fullmatch(r"[a-z][a-z0-9_]{2,}", name) or CELL_LIKE.fullmatch(name)
        ]


def labels() -> Iterator[dict[str, str]]:
    for path in sorted(EXPORT.glob("labels*.csv")):
        yield from csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True))


def test_both_languages_name_the_same_tables(results: dict[str, Result], books: dict[str, Any]) -> None:
    english = Result(**{**vars(results["together"]), "language": "en"})
    there = openpyxl.load_workbook(io.BytesIO(workbook_bytes(english))).defined_names
    here = books["together"].defined_names
    assert len(there) == len(here)
    assert {"multi_year_budget", "allocation_advice", "costs_and_benefits"} & set(there)


@cache
def with_values(content: bytes) -> Any:
    """A workbook with the stored values of its formulas."""
    return openpyxl.load_workbook(io.BytesIO(content), data_only=True)


def by_name(content: bytes, *names: str) -> pd.DataFrame:
    """The rows of a table by its name; of two names, the first is the header of the second."""
    book = with_values(content)
    rows: list[list[Any]] = []
    for sheet, cells in (places(book)[name] for name in names):
        rows += [[cell.value for cell in row] for row in book[sheet][cells]]
    return pd.DataFrame(rows[1:], columns=rows[0])


@pytest.mark.parametrize("source", ["example", "advice", "together"])
def test_pandas_reads_the_tables_of_the_result(
    results: dict[str, Result], workbooks: dict[str, bytes], source: str
) -> None:
    tables, content = results[source].tables, workbooks[source]
    allocation = tables["allocation"]
    for key, name in (("null", "verdeling_nu"), ("advice", "verdeling_advies")):
        found = by_name(content, "verdeling_jaren", name).iloc[:, 1:]
        own = allocation[allocation["allocation"] == key]
        wide = own.pivot(index="variable", columns="time", values="value")
        assert list(found.columns) == wide.columns.tolist()
        rows = wide.loc[list(dict.fromkeys(own["variable"]))].to_numpy()
        assert found.to_numpy(float) == pytest.approx(rows, rel=1e-14)
    parts = by_name(content, "opbrengst").iloc[-len(tables["return"]) :]
    assert parts.iloc[:, 1:3].to_numpy(float) == pytest.approx(
        tables["return"][["null", "advice"]].to_numpy(), rel=1e-14, abs=5e-4
    )
    assumptions = by_name(content, "aannames")
    for place, column in enumerate(("value", "low", "high"), start=1):
        expected = tables["assumptions"][column].to_numpy(float)
        assert assumptions.iloc[:, place].to_numpy(float) == pytest.approx(expected, rel=1e-14, nan_ok=True)


def test_pandas_reads_the_ledger_and_the_budget(
    results: dict[str, Result], workbooks: dict[str, bytes]
) -> None:
    tables, content = results["example"].tables, workbooks["example"]
    ledger = tables["ledger"]
    wide = ledger.pivot_table(index=["effect", "variable"], columns="pocket", values="difference", sort=False)
    found = by_name(content, "wie_betaalt").iloc[: len(wide), 3:-1].to_numpy(float)
    assert found == pytest.approx(wide.to_numpy(), rel=1e-14, nan_ok=True)
    budget, listed = tables["multi_year_budget"], by_name(content, "begroting")
    shown = [column for column in dict.fromkeys(listed.columns) if isinstance(column, (int, float))]
    signs = budget["side"].map({"income": 1.0, "spending": -1.0, "reserves": 0.0})
    for band, key in enumerate(("advice", "null")):
        net = (budget[key] * signs).groupby(budget["year"]).sum()
        expected = [1000 * net[year] for year in shown]
        balance = listed[listed.iloc[:, 1] == "Saldo van baten en lasten"].iloc[0]
        place = 2 + band * len(shown)
        assert balance.iloc[place : place + len(shown)].tolist() == pytest.approx(expected, abs=1e-2)


def test_pandas_reads_the_sweep_and_the_robust_tables(
    results: dict[str, Result], workbooks: dict[str, bytes]
) -> None:
    for source in ("sweep", "together"):
        table = results[source].tables["distribution"]
        found = by_name(workbooks[source], "verdeling_van_uitkomsten")
        assert found.iloc[:, 2].to_numpy(float) == pytest.approx(table["mean"].to_numpy(), rel=1e-14)
    for source in ("robust", "together"):
        table = results[source].tables["robust_measures"]
        found = by_name(workbooks[source], "robuust_maten")
        assert found.iloc[:, 1].to_numpy(float) == pytest.approx(
            table["central"].to_numpy(), rel=1e-14, abs=5e-3
        )


def test_a_written_folder_has_the_same_names(result: Result, tmp_path: Path) -> None:
    folder = write_results(result, tmp_path, "", {}, None)
    names = openpyxl.load_workbook(folder / "workbook.xlsx").defined_names
    assert {"verdeling_jaren", "verdeling_advies", "opbrengst", "grenzen", "aannames", "voorraden"} <= set(
        names
    )


def test_the_example_in_the_documentation_runs(
    workbooks: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"From Python:\n\n((?:    .*\n|\n)+)", page)
    folder = tmp_path / "results" / "voorbeeld"
    folder.mkdir(parents=True)
    (folder / "workbook.xlsx").write_bytes(workbooks["example"])
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(textwrap.dedent(code), found)  # noqa: S102 - our own page
    pd.testing.assert_frame_equal(found["table"], by_name(workbooks["example"], "opbrengst"))


def charts(path: Path) -> int:
    with ZipFile(path) as archive:
        return sum(re.fullmatch(r"xl/charts/chart\d+\.xml", name) is not None for name in archive.namelist())


@pytest.fixture(scope="module")
def saved(
    workbooks: dict[str, bytes],
    convert_all: Callable[[Sequence[Path], str], list[Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Path, Path]]:
    """Kind -> its workbook, and what LibreOffice makes of it."""
    folder = tmp_path_factory.mktemp("boeken")
    paths = [folder / f"{kind}.xlsx" for kind in KINDS]
    for path in paths:
        path.write_bytes(workbooks[path.stem])
    return dict(zip(KINDS, zip(paths, convert_all(paths, "xlsx"), strict=True), strict=True))


@pytest.mark.desktop
def test_libreoffice_calculates_the_same_and_keeps_every_chart(
    kind: str, book: Any, saved: dict[str, tuple[Path, Path]],
    values: Callable[[Path], dict[tuple[str, str], Any]],
) -> None:  # fmt: skip
    """Within 1e-12 of a number, or 1e-9: LibreOffice adds in another order."""
    path, again = saved[kind]
    stored, found = values(path), values(again)
    assert found.keys() == stored.keys()
    for place, value in stored.items():
        number = isinstance(value, (int, float))
        assert found[place] == (pytest.approx(value, rel=1e-12, abs=1e-9) if number else value), place
    errors = [place for place, value in found.items() if re.match(r"#|Err:", str(value))]
    assert not errors
    other = openpyxl.load_workbook(again)
    formulas = [c for sheet in book for c in filled(sheet) if c.data_type == "f"]
    theirs = [c for sheet in other for c in filled(sheet) if c.data_type == "f"]
    assert len(theirs) == len(formulas)
    assert charts(again) == charts(path)
    assert charts(path) or kind == "robust"
    assert set(other.defined_names) >= set(book.defined_names)
