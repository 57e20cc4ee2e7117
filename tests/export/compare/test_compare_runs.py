"""Real results set beside each other: what differs is told, and numbers are the own numbers of the runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lxml.html
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from origin import Origin
from page_numbers import left_over, wrong_numbers

from sdopt.cli import main
from sdopt.export.compare.page import compare_html
from sdopt.export.compare.run import comparison
from sdopt.export.compare.runs import read_runs
from sdopt.export.compared_words import found_lines
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels

DATA = Path(__file__).resolve().parents[2] / "data"


def command(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def optimised(root: Path, name: str, **changes: str) -> Path:
    """Results of the small question with other text in its config."""
    text = (
        (DATA / "wijk.yaml")
        .read_text(encoding="utf-8")
        .replace("file: wijk.mdl", f"file: {DATA / 'wijk.mdl'}")
    )
    for old, new in (pair.split(" -> ") for pair in changes.values()):
        assert old in text
        text = text.replace(old, new)
    config = root / f"{name}.yaml"
    config.write_text(text, encoding="utf-8")
    code, said = command("optimise", config, "--output", root / name)
    assert code == 0, said
    (folder,) = (root / name).iterdir()
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("één map")


@pytest.fixture(scope="module")
def first(root: Path) -> Path:
    return optimised(root, "eerste")


@pytest.fixture(scope="module")
def richer(root: Path) -> Path:
    """The same with more money and another title."""
    return optimised(root, "rijker", plus="plus: 0.5 -> plus: 0.9", title="proefvraag -> met meer geld")


@pytest.fixture(scope="module")
def shorter(root: Path) -> Path:
    """Another horizon and discount: not to be compared just like that."""
    return optimised(root, "korter", end="end: 2036 -> end: 2034", last="last: 2030} -> last: 2031}")


def compared(root: Path, *folders: Path) -> tuple[Path, str]:
    place = root / f"naast {len(list(root.iterdir()))}"
    code, said = command("compare", *folders, "--output", place)
    assert code == 0, said
    (folder,) = place.iterdir()
    return folder, said


def test_what_differs_in_the_inputs_is_all_that_differs(root: Path, first: Path, richer: Path) -> None:
    folder, said = compared(root, first, richer)
    table = read_results(folder).tables["compared_inputs"]
    assert set(table["kind"]) == {"config"}
    (place,) = set(table["place"])
    assert place == "constraints > Niet meer geld dan nu met een half erbij > at_most > plus"
    assert dict(zip(table["run"], table["value"], strict=True)) == {"A": "0.5", "B": "0.9"}
    assert "In de invoer verschilt er op 1 plaats iets: constraints (1)." in said


def test_numbers_are_those_of_the_runs(root: Path, first: Path, richer: Path) -> None:
    tables = read_results(compared(root, first, richer)[0]).tables
    for name, folder in (("A", first), ("B", richer)):
        result = read_results(folder)
        own = tables["compared_runs"].set_index("run").loc[name]
        assert own["improvement"] == result.figures["improvement"]
        assert own["bound"] == result.figures["bound"]
        amounts = tables["compared_allocation"].query("run == @name and allocation == 'advice'")
        decided = result.tables["decisions"]
        assert sorted(amounts["value"]) == pytest.approx(sorted(decided["value"]), rel=1e-12)
        parts = tables["compared_return"].query("run == @name")
        assert parts["difference"].tolist() == result.tables["return"]["difference"].tolist()


def test_more_money_is_never_worse(root: Path, first: Path, richer: Path) -> None:
    runs = read_results(compared(root, first, richer)[0]).tables["compared_runs"].set_index("run")
    slack = runs.loc["A", "gap"] * abs(runs.loc["A", "improvement"])
    assert runs.loc["B", "improvement"] >= runs.loc["A", "improvement"] - slack


def test_the_same_run_twice_differs_nowhere(root: Path, first: Path) -> None:
    again = optimised(root, "nog eens")
    folder, said = compared(root, first, again)
    tables = read_results(folder).tables
    assert "compared_inputs" not in tables
    assert "De invoer is overal gelijk." in said
    assert "B en A adviseren hetzelfde." in said
    titles = list(tables["compared_runs"]["title"])
    assert len(set(titles)) == 2
    assert all("Wijk, proefvraag" in title for title in titles)


def test_the_order_changes_letters_only(root: Path, first: Path, richer: Path) -> None:
    tables = [read_results(compared(root, *pair)[0]).tables for pair in ((first, richer), (richer, first))]
    one, two = (own["compared_runs"].drop(columns="run").sort_values("title") for own in tables)
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))


def test_what_makes_returns_hard_to_compare_is_said(root: Path, first: Path, shorter: Path) -> None:
    said = compared(root, first, shorter)[1]
    assert "de looptijd is niet gelijk (A: 2026-2036; B: 2026-2034)" in said
    assert "het doel is niet gelijk" not in said


def test_the_same_folders_give_the_same_bytes(root: Path, first: Path, richer: Path) -> None:
    one, two = (compared(root, first, richer)[0] for _ in range(2))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert [path for path in files if (one / path).read_bytes() != (two / path).read_bytes()] == [
        Path("run.json")
    ]


def test_workbook_differences_are_live_and_right(root: Path, first: Path, richer: Path) -> None:
    folder, _ = compared(root, first, richer)
    live, stored = (
        openpyxl.load_workbook(folder / "workbook.xlsx", data_only=known)["Verdeling per jaar"]
        for known in (False, True)
    )
    heads = [[cell.value for cell in row] for row in stored.iter_rows()]
    start = next(number for number, row in enumerate(heads, start=1) if row[0] == "Beslissing")
    assert heads[start - 1][:3] == ["Beslissing", "Jaar", "Eenheid"]
    assert heads[start - 1][3:7] == ["Nu (nulalternatief)", "A: Advies", "B: Advies", "Verschil: B: Advies"]
    rows = [row for row in stored.iter_rows(min_row=start + 1) if isinstance(row[4].value, float)]
    assert len(rows) == 8
    now = read_results(first).tables["allocation"].query("allocation == 'null'")
    for row in rows:
        assert row[3].value in set(now["value"])
        assert str(live[row[6].coordinate].value).startswith("=IF(")
        assert row[6].value == pytest.approx(row[5].value - row[4].value, abs=5e-3)


def test_the_workbook_draws_every_decision_from_its_own_cells(root: Path, first: Path, richer: Path) -> None:
    folder, _ = compared(root, first, richer)
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    years = book["Verdeling per jaar"]
    charts = book["Verdeling in beeld"]._charts
    assert len(charts) == len({row[0].value for row in years.iter_rows() if row[1].value == 2027})
    for chart in charts:
        places = [one.val.numRef.f.partition("!")[2].replace("$", "") for one in chart.series]
        cells = [[cell for row in years[place] for cell in row] for place in places]
        assert [own[0].column_letter for own in cells] == ["D", "E", "F"]
        assert all(len({years.cell(cell.row, 1).value for cell in own}) == 1 for own in cells)
        assert all(isinstance(cell.value, float | int) for own in cells for cell in own)


@pytest.mark.desktop
def test_libreoffice_recalculates_the_same(
    root: Path, first: Path, richer: Path, check_recalculated: Callable[[Path], int]
) -> None:
    assert check_recalculated(compared(root, first, richer)[0] / "workbook.xlsx") > 50


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_number_of_the_page_is_that_of_its_source(
    root: Path, first: Path, shorter: Path, language: str
) -> None:
    folder, _ = compared(root, first, shorter)
    page = lxml.html.fromstring(compare_html(replace(read_results(folder), language=language)))
    assert len(page.findall(".//data")) > 30
    assert wrong_numbers(page, Origin(folder), language) == []
    assert left_over(page, Origin(folder), language) == []


def test_how_much_better_another_can_be_is_never_rounded_down(root: Path, first: Path, shorter: Path) -> None:
    """And is all that the bound leaves, also where a run keeps the gap alone."""
    runs = read_runs([first, shorter])
    tables = comparison(runs).tables["compared_runs"]
    for run, told in zip(runs, tables.to_dict("records"), strict=True):
        left = run.result.figures["bound"] - run.result.figures["objective"]
        assert told["gap_amount"] == pytest.approx(left, rel=1e-9)
        for figures in ({"improvement": 8.0, "gap": 0.2}, {"improvement": -1.0, "gap": 1.5}):
            bare = replace(run, result=replace(run.result, figures=figures))
            (kept,) = comparison([bare]).tables["compared_runs"]["gap_amount"]
            best = figures["improvement"] + kept
            assert kept / best == pytest.approx(figures["gap"])
    table = tables.assign(gap_amount=[0.000811, 1.231])
    said = found_lines(replace(comparison(runs), tables={"compared_runs": table}), Labels("nl"))
    assert "meer dan 0,00082 mln euro beter" in said[0]
    assert "meer dan 1,231 mln euro beter" in said[1]


def test_a_title_is_never_code(root: Path, first: Path) -> None:
    sly = optimised(
        root, "sluw", title='title: Wijk, proefvraag -> title: "=1+1 <script>alert(1)</script> {{7*7}}"  #'
    )
    folder, _ = compared(root, first, sly)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "{{7*7}}" in page
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    titles: list[Any] = [
        c.value for row in book["Vergelijking"].iter_rows() for c in row if "script" in str(c.value)
    ]
    assert titles
    assert all(
        cell.data_type != "f"
        for row in book["Vergelijking"].iter_rows()
        for cell in row
        if "script" in str(cell.value)
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("one", "found 1 results folders; give 2 to 26"),
        ("twice", "given twice"),
        ("empty", "not a complete results folder: it has no summary.json"),
        ("gone", "not a complete results folder: there is no such folder"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    root: Path, first: Path, tmp_path: Path, given: str, expected: str
) -> None:
    folders = {"one": [first], "twice": [first, first], "empty": [first, tmp_path / "leeg"]}
    folders["gone"] = [first, tmp_path / "weg"]
    (tmp_path / "leeg").mkdir()
    code, said = command("compare", *folders[given], "--output", tmp_path / "uit")
    assert code == 1
    assert expected in said
    assert not (tmp_path / "uit").exists()


def test_all_complaints_come_at_once(first: Path, tmp_path: Path) -> None:
    (tmp_path / "leeg").mkdir()
    code, said = command("compare", first, first, tmp_path / "leeg", tmp_path / "weg", "--output", tmp_path)
    assert code == 1
    assert "3 errors" in said


def test_a_comparison_is_no_run(root: Path, first: Path, richer: Path, tmp_path: Path) -> None:
    folder, _ = compared(root, first, richer)
    code, said = command("compare", first, folder, "--output", tmp_path)
    assert code == 1
    assert "so nothing can be compared" in said
