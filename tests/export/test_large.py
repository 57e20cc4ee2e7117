"""The rows of a sweep as .xlsx: everything is there, split where Excel must, in memory that hardly grows."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from sdopt.cli import main as sdopt
from sdopt.cli.files import FORMATS as OFFERED
from sdopt.errors import ExportError
from sdopt.export.cells import LONGEST_TEXT
from sdopt.export.formats import FORMATS, export_results
from sdopt.export.large import EXCEL, LARGE, Limits, write_large

RUNS = 25
LONG = "a" * 40_000


def runs(count: int = RUNS) -> pd.DataFrame:
    """Rows as a sweep has them, with texts that could run and numbers that are not there."""
    number = np.arange(count)
    return pd.DataFrame(
        {
            "run": (number + 1).astype("int32"),
            "allocation": pd.Categorical(np.where(number % 2, "advice", "=1+1")),
            "objective": np.where(number == 3, np.nan, number / 7),
            "broken": np.where(number % 5 == 0, "@SUM(A1)", ""),
            "refereed": number % 3 == 0,
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `sdopt sweep` leaves, as far as it is written here."""
    made = tmp_path / "sweep één"
    made.mkdir()
    write(made, "runs", runs())
    write(made, "scenarios", pd.DataFrame({"scenario": [1, 2], "constant price of care": [0.03, np.inf]}))
    (made / "summary.json").write_text(json.dumps({"language": "en"}), encoding="utf-8")
    return made


def write(folder: Path, name: str, table: pd.DataFrame, rows: int = 4) -> None:
    plain = pyarrow.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pyarrow.parquet.write_table(plain, folder / f"{name}.parquet", row_group_size=rows)


def made(folder: Path, form: str = "xlsx-runs", limits: Limits = EXCEL) -> bytes:
    target = io.BytesIO()
    write_large(folder, form, target, limits)
    return target.getvalue()


def sheets(content: bytes) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = pd.read_excel(io.BytesIO(content), sheet_name=None, engine="openpyxl")
    return found


def note(content: bytes) -> list[str]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [str(row[0].value) for row in sheet.iter_rows() if row[0].value is not None]


def check_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal values; nothing and an empty text are the same in a sheet."""
    plain = expected.astype({"allocation": str}) if "allocation" in expected else expected
    pd.testing.assert_frame_equal(
        found.astype(object).where(found.notna(), None),
        plain.astype(object).where(plain.notna() & (plain != ""), None),
        check_dtype=False,
    )


def test_the_limits_are_those_of_excel() -> None:
    assert (EXCEL.rows, EXCEL.columns, LONGEST_TEXT) == (2**20, 2**14, 2**15 - 1)


def test_every_row_and_value_is_read_back(folder: Path) -> None:
    content = made(folder)
    found = sheets(content)
    assert list(found) == ["Reading guide", "Runs", "Scenarios"]
    check_equal(found["Runs"], runs())
    assert found["Scenarios"]["constant price of care"].tolist() == [0.03, np.inf]
    assert found["Runs"]["refereed"].dtype == bool
    lines = note(content)
    assert not [line for line in lines if "Excel cannot" in line or "cut off" in line]


def test_text_never_runs(folder: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made(folder)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert {"=1+1", "@SUM(A1)"} <= {cell.value for cell in cells}


def test_more_rows_than_a_sheet_holds_are_split_and_said(folder: Path) -> None:
    content = made(folder, limits=Limits(rows=11))
    found = sheets(content)
    assert list(found) == ["Reading guide", "Runs 1", "Runs 2", "Runs 3", "Scenarios"]
    assert [len(found[f"Runs {part}"]) for part in (1, 2, 3)] == [10, 10, 5]
    check_equal(pd.concat([found[f"Runs {part}"] for part in (1, 2, 3)], ignore_index=True), runs())
    said = "Excel cannot show more than 11 rows on a sheet. So runs.parquet is on 3 sheets"
    assert any(line.startswith(said) for line in note(content))
    listed = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
    assert ("Runs 2", "runs.parquet", 11, 20, 5) in list(listed)


def test_more_columns_than_a_sheet_holds_are_split_and_said(folder: Path) -> None:
    content = made(folder, limits=Limits(columns=3))
    found = sheets(content)
    assert list(found["Runs 1"]) == ["run", "allocation", "objective"]
    assert list(found["Runs 2"]) == ["run", "broken", "refereed"]
    check_equal(found["Runs 1"].merge(found["Runs 2"], on="run"), runs())
    assert any("Excel cannot show more than 3 columns" in line for line in note(content))


def test_more_rows_and_columns_at_once(folder: Path) -> None:
    found = sheets(made(folder, limits=Limits(rows=11, columns=3)))
    parts = [found[f"Runs {part}"] for part in range(1, 7)]
    across = [one.merge(two, on="run") for one, two in zip(parts[::2], parts[1::2], strict=True)]
    check_equal(pd.concat(across, ignore_index=True), runs())


def test_texts_too_long_for_a_cell_are_cut_and_said(folder: Path) -> None:
    write(folder, "runs", runs().assign(failure=LONG))
    content = made(folder)
    cell = sheets(content)["Runs"]["failure"].iloc[0]
    assert (len(cell), cell[-1]) == (32_767, "…")
    assert any(line.startswith("25 texts were longer than the 32,767 characters") for line in note(content))


def test_a_table_without_rows_has_its_header(folder: Path) -> None:
    write(folder, "runs", runs(0))
    found = sheets(made(folder))["Runs"]
    assert (len(found), list(found)) == (0, list(runs()))


def test_headers_stay_in_sight_and_are_printed_on_every_page(folder: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made(folder, limits=Limits(rows=11))))
    for sheet in book.worksheets[1:]:
        assert (sheet.freeze_panes, sheet.print_title_rows) == ("B2", "$1:$1")
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    for sheet in book:
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToWidth in (None, 1)
        assert len(sheet.title) <= 31


def test_the_same_rows_give_the_same_bytes(folder: Path) -> None:
    assert made(folder) == made(folder)


def test_in_dutch_and_without_a_summary(folder: Path) -> None:
    (folder / "summary.json").unlink()
    assert list(sheets(made(folder))) == ["Leeswijzer", "Runs", "Scenario's"]


@pytest.mark.parametrize("form", LARGE)
def test_memory_hardly_grows_with_the_rows(folder: Path, form: str) -> None:
    peaks = []
    for count in (3_000, 30_000):
        write(folder, LARGE[form][0], runs(count), rows=1000)
        tracemalloc.start()
        with (folder / "target").open("wb") as target:
            write_large(folder, form, target)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    bytes_per_row = (peaks[1] - peaks[0]) / 27_000
    assert bytes_per_row < 20  # a row with its five values takes hundreds


def test_chosen_by_name_on_the_command_line(folder: Path) -> None:
    assert OFFERED == FORMATS
    done = CliRunner().invoke(sdopt, ["export", str(folder), "--format", "xlsx-runs"])
    assert done.exit_code == 0, done.output
    target = Path(done.output.strip())
    assert target == folder / "sweep één-runs.xlsx"
    assert target.read_bytes() == made(folder)
    again = CliRunner().invoke(sdopt, ["export", str(folder), "--format", "xlsx-runs"])
    assert again.exit_code == 1
    assert "exists already and is never overwritten" in again.output


def test_a_folder_without_runs_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no trajectories\.parquet\. Give a folder that `sdopt sweep`"):
        export_results(folder, "xlsx-trajectories", None)
    with pytest.raises(ExportError, match=r"it has no runs\.parquet"):
        export_results(tmp_path / "nowhere", "xlsx-runs", tmp_path / "x.xlsx")
    assert not (tmp_path / "x.xlsx").exists()


def test_what_fails_half_way_leaves_nothing(folder: Path) -> None:
    content = (folder / "scenarios.parquet").read_bytes()
    (folder / "scenarios.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(ExportError, match="its rows cannot be read"):
        export_results(folder, "xlsx-runs", None)
    assert not list(folder.glob("*.xlsx"))


@pytest.mark.desktop
def test_libreoffice_reads_the_rows(
    folder: Path, convert: Callable[[Path, str], Path], values: Callable[[Path], dict[tuple[str, str], Any]]
) -> None:
    (folder / "rows.xlsx").write_bytes(made(folder, limits=Limits(rows=11)))
    assert zipfile.is_zipfile(folder / "rows.xlsx")
    ours, theirs = values(folder / "rows.xlsx"), values(convert(folder / "rows.xlsx", "xlsx"))
    assert theirs.keys() == ours.keys()
    for place, value in ours.items():
        number = isinstance(value, float)
        assert theirs[place] == (pytest.approx(value, rel=1e-14) if number else value), place
