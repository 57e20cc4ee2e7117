"""`sdopt template`: what it writes is read back as exactly what the config says today."""

import shutil
from functools import cache
from hashlib import sha256
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.question import build_question
from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.errors import ExportError
from sdopt.export.labels import Labels, _table
from sdopt.export.provenance import with_provenance
from sdopt.export.template import write_template
from sdopt.export.template_sheets import WORDS, as_kept, number_code
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result, Status
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
CALIBRATIONS = sorted((ROOT / "configs" / "calibration").glob("*.yaml"))


@cache
def problem_of(path: Path) -> Problem:
    loaded = load_config(path)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def sheet(key: str, language: str = "nl") -> str:
    return Labels(language)(f"sheet.template_{key}")


def cli(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_a_growing_null_alternative_keeps_fifteen_digits(tmp_path: Path) -> None:
    config = grown(tmp_path, "null_trend: 0.0123456789")
    problem = problem_of(config)
    write_template(config, tmp_path / "a.xlsx")
    null = problem.decisions.null_vector()
    found = read_allocation(tmp_path / "a.xlsx", problem)
    assert found.tolist() == [as_kept(value) for value in null.tolist()]
    assert found == pytest.approx(null, rel=1e-14)
    assert number_code(found[1]).count("#") > 9
    assert number_code(0.25, 2) == "0.00#########"


def grown(folder: Path, key: str) -> Path:
    """The small linear question with one more key in each decision."""
    for name in ("linear.yaml", "linear.mdl"):
        text = (DATA / "optimise" / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("[0, 9]}", f"[0, 9], {key}}}"), encoding="utf-8")
    return folder / "linear.yaml"


def test_what_can_be_filled_in_and_what_cannot(tmp_path: Path) -> None:
    write_template(DATA / "programmes" / "three.yaml", tmp_path / "a.xlsx")
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")[sheet("allocation")]
    assert page.protection.sheet and not page.protection.password
    rows = {row[0].value: row for row in page.iter_rows() if row[0].value}
    header = rows["besluit"]
    assert [cell.value for cell in header] == [
        "besluit",
        "wat het is",
        "eenheid",
        "laagst",
        "hoogst",
        2027,
        2028,
        2029,
    ]
    for identity in ("d", "a", "b", "c", "a: start", "b: start", "c: start"):
        assert all(cell.protection.locked for cell in rows[identity][:5])
        assert not any(cell.protection.locked for cell in rows[identity][5:] if cell.value is not None)
    assert [cell.value for cell in rows["a"][3:]] == [0, 3, 0, 0, 0]
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    amount, start = rules[rows["d"][5].coordinate], rules[rows["a: start"][5].coordinate]
    assert (amount.type, float(amount.formula1), float(amount.formula2)) == ("decimal", 0, 4)
    assert amount.errorStyle == "warning"
    assert (start.type, start.formula1, start.formula2, start.errorStyle) == ("whole", "0", "1", None)
    assert amount.prompt == "Van 0 tot 4 mln euro per jaar"
    assert "programma" in str(page["A2"].value)


def test_a_period_is_one_cell(tmp_path: Path) -> None:
    config = grown(tmp_path, "period: 2")
    write_template(config, tmp_path / "a.xlsx")
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")[sheet("allocation")]
    row = next(row for row in page.iter_rows() if row[0].value == "a")
    assert [(cell.value, cell.protection.locked) for cell in row[5:]] == [(2, False), (None, True)]
    assert read_allocation(tmp_path / "a.xlsx", problem_of(config)).size == 2


def test_lists_offer_the_words_that_may_be_used(tmp_path: Path) -> None:
    write_template(CALIBRATIONS[0], tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    offered = {
        rule.formula1 for page in book for rule in page.data_validations.dataValidation if rule.type == "list"
    }
    assert offered == {'"' + ",".join(words) + '"' for words in WORDS.values()}


def test_guide_in_the_language_of_the_config(tmp_path: Path) -> None:
    text = (DATA / "optimise" / "linear.yaml").read_text(encoding="utf-8") + "output: {language: en}\n"
    shutil.copy(DATA / "optimise" / "linear.mdl", tmp_path)
    (tmp_path / "q.yaml").write_text(text.replace("Linear, two", "=1+1 <b>&, two"), encoding="utf-8")
    write_template(tmp_path / "q.yaml", tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Allocation", "How to fill in"]
    assert book.active.title == "How to fill in"
    said = [str(cell.value) for row in book["How to fill in"].iter_rows() for cell in row if cell.value]
    assert 'sdopt simulate "q.yaml" --allocation "a.xlsx"' in said
    assert any("=1+1 <b>&, two decisions" in line for line in said)
    assert not [
        cell
        for page in book
        for row in page.iter_rows()
        for cell in row
        if cell.data_type == "f" and "SUM" not in cell.value
    ]


def test_the_total_above_the_table_is_live(tmp_path: Path) -> None:
    write_template(DATA / "optimise" / "linear.yaml", tmp_path / "a.xlsx")
    formulas = openpyxl.load_workbook(tmp_path / "a.xlsx")[sheet("allocation")]
    values = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)[sheet("allocation")]
    cell = next(cell for row in formulas.iter_rows() for cell in row if cell.data_type == "f")
    first, last = cell.value.removeprefix("=SUM(").removesuffix(")").split(":")
    assert [formulas["A" + place.lstrip("F")].value for place in (first, last)] == ["a", "b"]
    assert values[cell.coordinate].value == sum(values[p].value for p in (first, last)) == 5


def test_pandas_reads_the_same(tmp_path: Path) -> None:
    config = ROOT / "configs" / "voorbeeld-100k.yaml"
    write_template(config, tmp_path / "a.xlsx")
    problem = problem_of(config)
    raw = pd.read_excel(tmp_path / "a.xlsx", sheet_name=sheet("allocation"), header=None, engine="openpyxl")
    top = raw.index[raw[0] == "besluit"][0]
    table = pd.read_excel(
        tmp_path / "a.xlsx", sheet_name=sheet("allocation"), header=top, engine="openpyxl"
    ).set_index("besluit")
    for (decision, year), value in zip(
        problem.decisions.labels(), problem.decisions.null_vector(), strict=True
    ):
        assert table.loc[decision, year] == value


def test_the_same_config_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_template(DATA / "optimise" / "linear.yaml", tmp_path / name / "t.xlsx")
    assert (tmp_path / "a" / "t.xlsx").read_bytes() == (tmp_path / "b" / "t.xlsx").read_bytes()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = DATA / "optimise" / "linear.yaml"
    assert cli("template", config) == (0, "linear-template.xlsx written: Verdeling, Invulhulp\n")
    before = (tmp_path / "linear-template.xlsx").read_bytes()
    code, said = cli("template", config)
    assert (code, "linear-template.xlsx exists already and is not overwritten" in said) == (1, True)
    assert (tmp_path / "linear-template.xlsx").read_bytes() == before
    assert "give such a name to --output" in cli("template", config, "--output", "a.csv")[1]
    assert "cannot be written" in cli("template", config, "--output", Path("weg") / "a.xlsx")[1]
    assert cli("template", "nergens.yaml")[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linear-template.xlsx"]
    code, said = cli("simulate", config, "--allocation", "linear-template.xlsx")
    assert (code, "return +0.000 million EUR" in said) == (0, True)


def test_a_template_is_an_xlsx(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"is a \.xlsx file"):
        write_template(DATA / "optimise" / "linear.yaml", tmp_path / "a.ods")


def test_every_word_has_a_meaning_in_both_languages() -> None:
    wanted = {f"template.word.{column}.{word}" for column, words in WORDS.items() for word in words}
    assert wanted == {key for key in _table() if key.startswith("template.word.")}


def test_a_question_with_all_its_tables_from_one_workbook(tmp_path: Path) -> None:
    """Constants and allocations of the filled-in file are used, named and recorded."""
    for name in ("models", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    target, config = tmp_path / "configs" / "invulblad.xlsx", tmp_path / "configs" / "onzeker-100k.yaml"
    write_template(config, target)
    book = openpyxl.load_workbook(target)
    page = book[sheet("allocation")]
    cell = next(row[5] for row in page.iter_rows() if row[0].value == "prevention")
    cell.value = 3.5
    rows = {row[0].value: row for row in book[sheet("constants")].iter_rows() if row[0].value}
    rows["inflation"][1].value = 0.0222
    book.save(target)
    text = config.read_text(encoding="utf-8")
    text = text.replace("../models/social_domain.csv", "invulblad.xlsx#constanten")
    config.write_text(text.replace("allocations/meer-sociale-basis.csv", "invulblad.xlsx"), encoding="utf-8")
    loaded = load_config(config)
    assert loaded.config.model.constants == Path(f"{target.resolve()}#constanten")
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    assert next(one.value for one in problem.constants if one.name == "inflation") == 0.0222
    found = read_allocation(Path(loaded.config.sweep.allocations["meer sociale basis"]), problem)
    assert sorted(set((found - problem.decisions.null_vector()).round(12))) == [0.0, 0.5]
    result = Result(Status.SIMULATED, "", "nl", {}, {})
    facts = with_provenance(result, loaded, read_model(loaded.config.model.file)).provenance
    assert facts["constants_hash"] == sha256(target.read_bytes()).hexdigest()
    cell.value = "veel"
    book.save(target)
    code, said = cli("check", config)
    assert code == 1
    assert f"invulblad.xlsx, sheet Verdeling, cell {cell.coordinate} (2027): expected a number" in said


def test_a_calibration_on_a_filled_in_workbook(tmp_path: Path) -> None:
    """The question is the same as that of the .csv; what is wrong in the sheet is said by its cell."""
    for name in ("models", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    config = tmp_path / "configs" / "calibration" / "national-bijstand.yaml"
    before = build_question(
        load_calibration(config), read_model(tmp_path / "models" / "social_domain.mdl").system
    )
    target = config.with_name("gezien.xlsx")
    write_template(config, target)
    text = config.read_text(encoding="utf-8").replace("observed_national.csv", "gezien.xlsx#Waarnemingen")
    config.write_text(text, encoding="utf-8")
    after = build_question(
        load_calibration(config), read_model(tmp_path / "models" / "social_domain.mdl").system
    )
    assert [one.target for one in after.points] == [one.target for one in before.points]
    book = openpyxl.load_workbook(target)
    page = book[sheet("observations")]
    cell = next(row[4] for row in page.iter_rows() if row[0].value == "inflow to bijstand")
    cell.value = "km"
    for row in page.iter_rows():
        if row[0].value == "inflow to bijstand":
            row[4].value = "km"
    book.save(target)
    code, said = cli("calibrate", config, "--output", tmp_path / "uit")
    assert code == 1
    assert f'gezien.xlsx, sheet Waarnemingen, cell {cell.coordinate} (unit): found "km"; needed is' in said
