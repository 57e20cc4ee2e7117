"""From a config on disk to files on disk: real runs, read back by programs that are not ours."""

import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pysd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.reader_names import read_names
from sdopt.export.formats import read_results

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
EXAMPLE = ROOT / "configs" / "voorbeeld-100k.yaml"


def run(*arguments: object) -> str:
    """What a command of `sdopt` prints."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def optimised(config: Path, root: Path) -> Path:
    """The new results folder of a config."""
    before = set(root.iterdir()) if root.exists() else set()
    run("optimise", config, "--output", root)
    (new,) = set(root.iterdir()) - before
    return new


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("één map") / "uitkomsten"


@pytest.fixture(scope="module")
def small(root: Path) -> Path:
    """A question with a bound, with every kind of limit, at another time step than the model's own."""
    return optimised(DATA / "wijk.yaml", root)


@pytest.fixture(scope="module")
def local(root: Path) -> Path:
    """A question without diminishing returns, so without a bound."""
    return optimised(DATA / "drempel.yaml", root)


@pytest.fixture(scope="module")
def main_job(root: Path) -> tuple[Path, str]:
    """The worked example of the social domain: its folder, and what the terminal said."""
    output = root.parent / "voorbeeld"
    said = run("optimise", EXAMPLE, "--output", output)
    (folder,) = output.iterdir()
    return folder, said


@pytest.fixture(scope="module")
def example(main_job: tuple[Path, str]) -> Path:
    return main_job[0]


@pytest.fixture(params=["small", "local", "example"])
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "tables" / f"{name}.parquet")


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return found


@cache
def opened(path: Path) -> Any:
    """The workbook, opened once: results are never overwritten, and the tests only read."""
    return openpyxl.load_workbook(path, data_only=True)


def rows(folder: Path, sheet: str) -> list[list[Any]]:
    book = opened(folder / "workbook.xlsx")
    return [list(row) for row in book[sheet].iter_rows(values_only=True)]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def printed(text: str) -> list[str]:
    """Lines that do not depend on rounding of a machine: without the last digits of gap and replay."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return [re.sub(r"\(gap .*?\)|[0-9.]+e-[0-9]+$|results  .*", "", line) for line in lines]


def test_the_main_job_prints_what_the_readme_shows(main_job: tuple[Path, str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"python start.py optimise {EXAMPLE.relative_to(ROOT).as_posix()}" in readme
    shown = re.search(r"```text\n(.*?)```", readme, re.S)
    assert shown is not None
    assert printed(main_job[1]) == printed(shown[1])


def test_statuses_are_what_the_questions_are_made_for(small: Path, local: Path, example: Path) -> None:
    assert [summary(folder)["status"] for folder in (small, local, example)] == [
        "optimal",
        "local",
        "optimal",
    ]
    assert summary(local)["bound"] is None
    assert len(table(local, "starts")) == 4


def test_summary_sheet_equals_summary_json(folder: Path) -> None:
    facts, shown = summary(folder), {row[0]: row[1] for row in rows(folder, "Kerncijfers")}
    assert shown["Rendement van het advies"] == pytest.approx(facts["objective"], rel=1e-14)
    assert shown["Rendement als alles blijft zoals nu"] == pytest.approx(facts["null_objective"], rel=1e-14)
    assert shown["Verbetering door het advies"] == pytest.approx(facts["improvement"], abs=5e-3)
    names = {
        "Hoogst mogelijke rendement (bovengrens)": "bound",
        "Hoogstens nog te winnen": "gap_euro",
        "Hetzelfde, als deel van wat te winnen valt": "gap",
    }
    for name, key in names.items():
        assert shown[name] == ("n.v.t." if facts[key] is None else pytest.approx(facts[key], rel=1e-14))
    if facts["gap_euro"] is not None:
        assert facts["gap_euro"] == pytest.approx(facts["gap_amount"] * 1e6)
        assert facts["gap_amount"] == pytest.approx(facts["bound"] - facts["objective"], abs=1e-9)


def test_return_and_end_value_sheets_equal_their_tables(folder: Path) -> None:
    # The components come first; an effect below them may have the name of one.
    shown = {row[0]: row for row in reversed(rows(folder, "Kosten-baten"))}
    names = summary(folder)["provenance"]["labels"]
    for part in table(folder, "return").itertuples():
        row = shown[names.get(part.component, part.component)]
        assert row[1:3] == pytest.approx([part.null, part.advice], abs=5e-4)
        assert row[3] == pytest.approx(part.difference, abs=5e-3)
    for end in table(folder, "end_value").itertuples():
        assert shown[end.weight][3] == pytest.approx(end.difference, abs=5e-3)


def test_allocation_sheet_equals_its_table(folder: Path) -> None:
    listed, found = rows(folder, "Verdeling per jaar"), table(folder, "allocation")
    names = summary(folder)["provenance"]["labels"]
    years = [
        year
        for year in next(row for row in listed if row[0] == "Beslissing")[1:]
        if year in set(found["time"])
    ]
    first = next(k for k, row in enumerate(listed) if row[0] == "Advies") + 1
    for row in listed[first : first + found["variable"].nunique()]:
        chosen = found[
            (found["allocation"] == "advice") & (found["variable"].map(lambda v: names.get(v, v)) == row[0])
        ]
        assert row[1 : len(years) + 1] == pytest.approx(chosen["value"].tolist(), rel=1e-12)


def test_allocation_covers_the_decision_years_and_one_on_either_side(small: Path, example: Path) -> None:
    for folder in (small, example):
        assert sorted(set(table(folder, "allocation")["time"])) == [float(year) for year in range(2026, 2032)]


def test_limits_have_one_row_per_year(small: Path) -> None:
    listed = [row for row in rows(small, "Grenzen") if row[0] == "Mensen in zorg onder het plafond"]
    steps = table(small, "constraints").query("measure == 'every_step'")
    assert [row[1] for row in listed] == [2029, 2030, 2031]
    assert len(steps) > 10
    assert [row[7] for row in listed] == pytest.approx(
        steps.groupby("year")["slack"].min().tolist(), abs=1e-6
    )
    assert [row[8] for row in listed] == ["ja", "nee", "nee"]
    assert [row[9] for row in listed] == ["ja", "ja", "ja"]
    # of 2031, in which nothing is decided any more, only the first moment counts
    assert [row[2] for row in listed] == ["elk moment", "elk moment", "begin van het jaar"]
    assert rows(small, "Grenzen")[3][0].startswith("In 2031 valt niets meer te kiezen.")


def test_the_discount_rate_is_told_in_percents(small: Path, example: Path) -> None:
    said = "2,8 % per jaar; na 35 jaar 1,8 % (Werkgroep discontovoet 2025)"
    for folder in (small, example):
        facts = {row[0]: row[1] for row in rows(folder, "Gegevens en prijspeil")}
        assert facts["Discontovoet"] == said
    methods = [row[1] for row in rows(example, "Waardering") if row[0] == "discontovoet"]
    assert methods == ["Werkgroep discontovoet 2025"] * 2


def test_limits_on_change_equal_their_own_arithmetic(small: Path) -> None:
    # half a million or half of last year's, as tests/data/wijk.yaml says
    listed = {(row[0], row[1]): row for row in rows(small, "Grenzen")}
    value = (
        table(small, "allocation").query("allocation == 'advice'").set_index(["variable", "time"])["value"]
    )
    for year in (2027, 2028, 2029, 2030):
        care, prevention = value["care budget", year - 1], value["prevention budget", year - 1]
        assert listed["Uitstroom: grootste stijging", year][4] == pytest.approx(1.5 * care)
        assert listed["Uitstroom: grootste daling", year][4] == pytest.approx(care - 1)
        assert listed["Voorkomen: grootste stijging", year][4] == pytest.approx(prevention + 1)
        assert listed["Voorkomen: grootste daling", year][4] == pytest.approx(0.5 * prevention)


def test_native_charts_and_no_error_cells(folder: Path) -> None:
    content = (folder / "workbook.xlsx").read_bytes()
    names = ZipFile(io.BytesIO(content)).namelist()
    assert sum(name.startswith("xl/charts/chart") for name in names) >= 3
    book = opened(folder / "workbook.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "e" or str(cell.value).startswith("#")]


@pytest.mark.desktop
def test_libreoffice_finds_the_same_and_prints(
    small: Path, local: Path, example: Path,
    convert_all: Callable[[Sequence[Path], str], list[Path]], check_recalculated: Callable[..., int],
    tmp_path: Path,
) -> None:  # fmt: skip
    folders = {"small": small, "local": local, "example": example}
    books = [
        Path(shutil.copy(one / "workbook.xlsx", tmp_path / f"{name}.xlsx")) for name, one in folders.items()
    ]
    for book, again in zip(books, convert_all(books, "xlsx"), strict=True):
        assert check_recalculated(book, again) > 300
    for printed_one in convert_all(books, "pdf"):
        assert printed_one.read_bytes().startswith(b"%PDF")


@pytest.mark.desktop
def test_all_formats_of_a_real_folder(
    example: Path, convert: Callable[[Path, str], Path], tmp_path: Path
) -> None:
    allocation = table(example, "allocation")
    xlsx, ods = tmp_path / "werkboek.xlsx", tmp_path / "alles.ods"
    for form, target in (
        ("xlsx", xlsx),
        ("ods", ods),
        ("csv", tmp_path / "csv"),
        ("parquet", tmp_path / "p"),
    ):
        assert run("export", example, "--format", form, "--output", target).strip() == str(target)
    assert xlsx.read_bytes() == (example / "workbook.xlsx").read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "p" / "allocation.parquet"), allocation)
    dutch = pd.read_csv(tmp_path / "csv" / "allocation.csv", sep=";", decimal=",", encoding="utf-8-sig")
    assert dutch["value"].tolist() == allocation["value"].tolist()
    assert set(dutch["variable"]) >= {"Preventie", "Sociale basis", "Toegang en wijkteams"}
    there = openpyxl.load_workbook(convert(ods, "xlsx"), data_only=True)["Verdeling per jaar"]
    here = opened(example / "workbook.xlsx")["Verdeling per jaar"]  # the same bytes
    for cell in (cell for row in here.iter_rows() for cell in row if isinstance(cell.value, float)):
        assert there[cell.coordinate].value == pytest.approx(cell.value, rel=1e-12, abs=1e-9)


def test_two_runs_differ_in_run_json_only_and_overwrite_nothing(small: Path, root: Path) -> None:
    before = contents(small)
    again = optimised(DATA / "wijk.yaml", root)
    assert again != small
    assert contents(small) == before
    after = contents(again)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} <= {"run.json"}


def advice_of(folder: Path) -> pd.DataFrame:
    """Trajectories of the advice: one row per year, one column per variable."""
    found = table(folder, "trajectories").query("allocation == 'advice'")
    return found.pivot(index="time", columns="variable", values="value")


def largest_difference(expected: pd.DataFrame, found: pd.DataFrame) -> float:
    """Relative to the largest value of each variable, at the year starts of `expected`."""
    place = [abs(found.index.to_numpy(dtype=float) - year).argmin() for year in expected.index]
    theirs = found.iloc[place].set_axis(expected.index)[expected.columns]
    size = expected.abs().max().where(lambda s: s > 0, 1.0)
    return float(((theirs - expected).abs().max() / size).max())


def test_pysd_replays_the_written_model(folder: Path) -> None:
    expected = advice_of(folder)
    # PySD writes the points of a lookup into its Python file as NumPy prints them: 8 digits by default.
    with np.printoptions(precision=17):
        found = pysd.read_vensim(str(folder / "allocation.mdl")).run()
    assert len(expected.columns) > 5
    assert found.index[-1] == expected.index[-1] == summary(folder)["provenance"]["horizon"][1]
    assert largest_difference(expected, found) < 1e-9


if sys.platform != "win32":  # pysimlin ships no Windows wheels

    def test_simlin_replays_the_written_model(folder: Path) -> None:
        import simlin

        expected = advice_of(folder)
        expected.columns = [name.lower().replace(" ", "_") for name in expected.columns]
        found = simlin.load(folder / "allocation.mdl").run(analyze_loops=False).results
        assert largest_difference(expected, found) < 1e-9


def test_the_example_has_a_label_for_all_that_readers_see() -> None:
    """A label of its own, or a name in the table beside the model."""
    import yaml

    for path in sorted((ROOT / "configs").glob("*.yaml")):
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        table = config["output"].get("names")
        named = [row.variable for row in read_names(path.parent / table)] if table else []
        objective = config["objective"]
        seen = [decision["variable"] for decision in config["decisions"].values()]
        seen += [*config["output"]["show"], *objective["components"], objective["maximise"]]
        seen += [objective["end_value"]["variable"]]
        assert not set(seen) - set(named) - set(config["output"].get("labels", {}))


def test_names_in_provenance_are_those_of_the_model(small: Path) -> None:
    result = read_results(small)
    assert result.provenance["shown"] == ["People in care", "Known people"]
    assert result.provenance["labels"]["prevention budget"] == "Voorkomen"
    assert {"Mensen in zorg", "Mensen in beeld"} <= {row[0] for row in rows(small, "Voorraden")}


def test_without_show_all_stocks_are_shown(local: Path) -> None:
    shown = {row[0] for row in rows(local, "Voorraden")} - {None}
    assert shown >= {"Known people", "People in care"}
    assert not shown & {"reach", "inflow", "total budget"}
