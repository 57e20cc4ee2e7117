"""An allocation from a sheet: long or with the years across, in Dutch or English; mistakes by cell."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sdopt.config.load import load_config
from sdopt.errors import ConfigError
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data"


def problem_of(path: Path) -> Problem:
    loaded = load_config(path)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


@pytest.fixture(scope="module")
def linear() -> Problem:
    """Decisions a and b, in 2027 and 2028."""
    return problem_of(DATA / "optimise" / "linear.yaml")


@pytest.fixture(scope="module")
def programmes() -> Problem:
    return problem_of(DATA / "programmes" / "three.yaml")


def sheet(folder: Path, rows: list[tuple[Any, ...]], percent: str = "") -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Verdeling"
    for row in rows:
        book.active.append(row)
    if percent:
        book.active[percent].number_format = "0%"
    book.save(folder / "begroting.xlsx")
    return folder / "begroting.xlsx"


def text(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "begroting.csv"
    path.write_bytes(content.encode(encoding))
    return path


def told(path: Path, problem: Problem) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read_allocation(path, problem)
    heading, *items = str(refused.value).splitlines()
    assert heading.startswith(f"{path}: {len(items)} error")
    return [item.removeprefix("  * ") for item in items]


LONG = [("besluit", "jaar", "waarde"), ("b", 2028, 4.5), ("a", 2027, 1), ("a", 2028, 2.25), ("b", 2027, 3)]
WIDE = [("besluit", "wat", 2027, 2028), ("a", "x", 1, 2.25), ("b", "y", 3, 4.5)]
POINT = [1.0, 2.25, 3.0, 4.5]


@pytest.mark.parametrize("rows", [LONG, WIDE])
def test_from_a_workbook(tmp_path: Path, linear: Problem, rows: list[tuple[Any, ...]]) -> None:
    path = sheet(tmp_path, rows)
    assert read_allocation(path, linear).tolist() == POINT
    assert read_allocation(Path(f"{path}#Verdeling"), linear).tolist() == POINT


@pytest.mark.parametrize(
    "content",
    [
        "decision,year,value\na,2027,1\na,2028,2.25\nb,2027,3\nb,2028,4.5\n",
        "decision,year,value\na,2027,1\na,2028, 2.25\nb,2027.0,3e0\n\nb,2028,04.5\n",
        "decision,year,value,note\na,2027,1\na,2028,2.25,x\nb,2027,3,,\nb,2028,4.5\n",
        "decision;year;value\na;2027;1\na;2028;2.25\nb;2027;3\nb;2028;4.5\n",
        "Besluit;Jaar;Waarde\r\na;2.027;1,0\r\na;2028;2,25\r\nb;2027;3\r\nb;2028;4,5\r\n",
        "besluit;2027;2028\na;1;2,25\nb;3;4,5\n",
        "besluit,2027,2028\na,1,2.25\nb,3,4.5\n",
        'besluit,2027,2028\na,1,"2,25"\nb,3,"4,5"\n',
        "Verdeling;;\n;;\nbesluit;2027;2028\na;1;2,25\nb;3;4,5\n;;\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_from_text(tmp_path: Path, linear: Problem, content: str, encoding: str) -> None:
    assert read_allocation(text(tmp_path, content, encoding), linear).tolist() == POINT


def test_mistakes_are_reported_by_cell_all_at_once(tmp_path: Path, linear: Problem) -> None:
    rows = [("besluit", "jaar", "waarde"), ("aa", 2027, 1), ("a", 2030, 1), ("a", 2027, "veel")]
    rows += [("b", 2027, 1), ("b", 2027, 2), ("b", None, None)]
    where = "begroting.xlsx, sheet Verdeling, cell"
    assert told(sheet(tmp_path, rows), linear) == [
        f'{where} C4 (value): expected a number, found "veel": write one',
        f"{where} B7 (year): expected a number, found nothing: write one",
        f"{where} C7 (value): expected a number, found nothing: write one",
        f'{where} C2 (value): the config has no decision "aa" that starts in 2027. Did you mean "a"?',
        f'{where} C3 (value): the config has no decision "a" that starts in 2030. Its years: 2027, 2028.',
        f"{where} C6 (value): b in 2027 is given twice, or is not a finite number.",
    ]


def test_an_empty_cell_across_is_reported_where_a_value_belongs(tmp_path: Path, linear: Problem) -> None:
    rows = [("besluit", 2027, 2028, 2029), ("a", 1, None, None), ("b", 3, 4.5, 5)]
    where = "begroting.xlsx, sheet Verdeling, cell"
    found = told(sheet(tmp_path, rows), linear)
    assert [item.partition(": ")[0] for item in found] == [f"{where} C2 (2028)", f"{where} D3 (2029)"]
    assert "expected a number, found nothing" in found[0]
    assert 'the config has no decision "b" that starts in 2029' in found[1]
    assert told(text(tmp_path, "besluit;2027\na;1,5\nb;2\n"), linear) == [
        "no value for a in 2028.",
        "no value for b in 2028.",
    ]


def test_a_dutch_file_with_an_english_number(tmp_path: Path, linear: Problem) -> None:
    content = "besluit;jaar;waarde\na;2027;1,5\na;2028;2.25\nb;2027;3\nb;2028;4\n"
    assert told(text(tmp_path, content), linear) == [
        'row 3, value: expected a number, found "2.25"; this table has the decimal mark ",": write one such '
        "as 0 or 1234,5"
    ]


def test_thousands_or_decimals_of_an_allocation(tmp_path: Path, linear: Problem) -> None:
    content = "besluit;2027;2028\na;1.234;2\nb;3;4\n"
    (complaint,) = told(text(tmp_path, content), linear)
    assert complaint.startswith('row 2, 2027: "1.234" can be two numbers')
    dutch = text(tmp_path, content.replace(";2\n", ";2,5\n"))
    assert read_allocation(dutch, linear).tolist() == [1234.0, 2.5, 3.0, 4.0]
    english = text(tmp_path, content.replace(";2\n", ";2.5\n"))
    assert read_allocation(english, linear).tolist() == [1.234, 2.5, 3.0, 4.0]


def test_an_amount_of_money_is_no_percentage(tmp_path: Path, linear: Problem) -> None:
    (complaint,) = told(sheet(tmp_path, WIDE, percent="D2"), linear)
    assert complaint == (
        "begroting.xlsx, sheet Verdeling, cell D2 (2028): expected a number, found a percentage; the unit is "
        '"million EUR/Year": write the number in that unit, without percent sign or format'
    )
    (complaint,) = told(text(tmp_path, "besluit;2027;2028\na;1;50%\nb;3;4,5\n"), linear)
    assert complaint.startswith("row 2, 2028: expected a number, found a percentage")


def test_periods_leave_cells_empty(tmp_path: Path) -> None:
    for name in ("linear.yaml", "linear.mdl"):
        content = (DATA / "optimise" / name).read_text(encoding="utf-8")
        changed = content.replace("b, bounds: [0, 9]}", "b, bounds: [0, 9], period: 2}")
        (tmp_path / name).write_text(changed, encoding="utf-8")
    problem = problem_of(tmp_path / "linear.yaml")
    rows = [("besluit", 2027, 2028), ("a", 1, 2), ("b", 3, None)]
    assert read_allocation(sheet(tmp_path, rows), problem).tolist() == [1.0, 2.0, 3.0]
    (complaint,) = told(sheet(tmp_path, [*rows[:2], ("b", 3, 4)]), problem)
    assert 'cell C3 (2028): the config has no decision "b" that starts in 2028' in complaint


def test_programmes_start_with_one(tmp_path: Path, programmes: Problem) -> None:
    labels = programmes.decisions.labels()
    point = [float(k == labels.index(("b: start", 2028))) for k in range(len(labels))]
    rows: list[tuple[Any, ...]] = [("decision", 2027, 2028, 2029)]
    for identity in dict.fromkeys(label for label, _ in labels):
        cells = [
            point[labels.index((identity, y))] if (identity, y) in labels else None
            for y in (2027, 2028, 2029)
        ]
        rows.append((identity, *cells))
    assert read_allocation(sheet(tmp_path, rows), programmes).tolist() == point
