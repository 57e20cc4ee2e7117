"""The sheets, sentences and picture that explain the advice, on a small question with everything in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.export.explanation import why_blocks
from sdopt.export.folder import write_results
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.opendocument.book import ods_bytes
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.run import optimise
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "optimise"
SHEETS = {
    "nl": ["Waarom", "Bijdragen", "Speelruimte", "Alternatieven", "Afruil", "Schaduwprijzen"],
    "en": ["Why", "Contributions", "Room to choose", "Alternatives", "Trade-offs", "Shadow prices"],
}


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Two decisions with diminishing returns, a cap, a mechanism and a trade-off."""
    data = yaml.safe_load((DATA / "root.yaml").read_text(encoding="utf-8"))
    data["model"]["file"] = str(DATA / "root.mdl")
    data["explanation"] = {
        "frontier": [{"variable": "Reserve", "measure": "end", "label": "=Kas"}],
        "mechanisms": {"werking van a": {"effect a": 0}},
    }
    path = tmp_path_factory.mktemp("question") / "root.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    loaded = load_config(path)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    result = optimise(problem, "run", lambda *_: None, explain=True)
    return Result(
        **{**vars(result), "provenance": {"labels": {"spending a": "Preventie", "spending b": "Zorg"}}}
    )


def in_language(result: Result, language: str) -> Result:
    return Result(**{**vars(result), "language": language})


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_workbook_has_a_sheet_for_each_explanation(explained: Result, language: str) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(in_language(explained, language))))
    places = [book.sheetnames.index(name) for name in SHEETS[language]]
    assert places == sorted(places)
    for name in SHEETS[language]:
        cells = [cell for row in book[name].iter_rows() for cell in row if cell.value is not None]
        assert len(cells) > 10
        formulas = [cell.value for cell in cells if cell.data_type == "f"]  # names are data, not formulas
        assert all(re.fullmatch(r"=SUM\([A-Z]+\d+:[A-Z]+\d+\)", one) for one in formulas)


def test_without_an_explanation_there_are_no_such_sheets(make_result: Callable[..., Result]) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(make_result())))
    assert not set(SHEETS["nl"]) & set(book.sheetnames)


def test_prices_on_the_sheet_are_those_of_the_table(explained: Result) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(explained)), data_only=True)
    rows = [[cell.value for cell in row] for row in book["Schaduwprijzen"].iter_rows()]
    head = next(row for row in rows if "Prijs" in row)
    found = {(row[0], row[1]): row[head.index("Prijs")] for row in rows if isinstance(row[1], int) and row[0]}
    table = explained.tables["shadow_prices"]
    assert len(found) == len(table)
    for year in (2027, 2028):
        chosen = table[(table["limit"] == "total") & (table["year"] == year)]
        assert found["total", year] == pytest.approx(chosen["price"].iloc[0])
    assert ("Preventie: hoogste bedrag", 2027) in found


@pytest.mark.parametrize("language", ["nl", "en"])
def test_sentences_speak_the_language_and_never_of_certainty(explained: Result, language: str) -> None:
    blocks = why_blocks(with_shown_names(in_language(explained, language)), Labels(language))
    assert list(blocks) == ["limits", "room", "alternatives", "contributions", "pay_back", "frontier", "sure"]
    text = "\n".join(line for lines in blocks.values() for line in lines)
    assert "{" not in text
    assert "nan" not in text.lower().split()
    assert "Preventie" in text
    says = "in het model" if language == "nl" else "in the model"
    for key in ("room", "contributions", "frontier"):
        assert any(says in line for line in blocks[key])
    # No false precision: no more than four digits in any number.
    assert not [n for n in re.findall(r"\d[\d.,]*\d", text) if len(re.sub(r"\D", "", n).lstrip("0")) > 4]


def test_sentences_follow_the_tables(explained: Result) -> None:
    blocks = why_blocks(with_shown_names(explained), Labels("nl"))
    table = explained.tables["shadow_prices"]
    assert f"Van de {len(table)} grenzen knellen er {(table['binds'] == 'yes').sum()}." in blocks["limits"][0]
    # With 13 a year from 2 today both go up: a brings more than b; without its effect it only costs.
    assert blocks["contributions"][0].startswith("Meer Preventie draagt in het model ongeveer")
    assert "werking van a" in "".join(blocks["contributions"])
    assert any("=Kas: " in line and "meer kost in het model" in line for line in blocks["frontier"])
    row = explained.tables["near_optimal"].iloc[0]
    expected = f"tussen {row['inner_low']:.2f} en {row['inner_high']:.2f}".replace(".", ",")
    assert expected in blocks["room"][0]


def test_more_and_less_in_words(explained: Result) -> None:
    lines = why_blocks(with_shown_names(explained), Labels("nl"))["alternatives"]
    assert len(lines) == len(explained.tables["alternative_returns"])
    assert any("minder Preventie" in line and "meer Zorg" in line for line in lines)


def test_the_folder_holds_the_tables_and_the_picture(explained: Result, tmp_path: Path) -> None:
    folder = write_results(explained, tmp_path, "schema_version: 1\n", {}, None)
    names = {path.name for path in folder.rglob("*")}
    assert {"frontier.png", "frontier.svg"} <= names
    assert "frontier.png/.svg" in (folder / "LEESMIJ.txt").read_text(encoding="utf-8")
    drawn = (folder / "frontier.png").read_bytes()
    workbook = (folder / "workbook.xlsx").read_bytes()
    for content in (workbook, ods_bytes(workbook, Labels("nl"))):  # the very same picture on the sheet
        archive = ZipFile(BytesIO(content))
        assert drawn in [archive.read(name) for name in archive.namelist() if name.endswith(".png")]
    for table in ("shadow_prices", "near_optimal", "alternatives", "contributions", "pay_back", "frontier"):
        assert f"{table}.csv" in names


@pytest.mark.parametrize(
    ("language", "heads"), [("nl", ["Grens", "Grenswaarde"]), ("en", ["Constraint", "Limit"])]
)
def test_prices_have_the_heads_of_the_sheet_of_constraints(
    explained: Result, language: str, heads: list[str]
) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(in_language(explained, language))))
    rows = [[cell.value for cell in row] for row in book[SHEETS[language][-1]].iter_rows()]
    head = next(row for row in rows if heads[0] in row)
    below = rows[rows.index(head) + 1]
    assert isinstance(below[head.index(heads[0])], str)
    assert isinstance(below[head.index(heads[1])], int | float)
