"""A template says what the config says; and so when LibreOffice saved it again, as .xlsx or as Dutch .csv."""

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import openpyxl
import pytest

from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.observed import read_observed
from sdopt.config.constants import read_constants
from sdopt.config.load import load_config
from sdopt.config.municipality import constants_of
from sdopt.export.labels import Labels
from sdopt.export.template import write_template
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
SMALL = [DATA / "programmes" / "three.yaml", DATA / "optimise" / "linear.yaml", DATA / "wijken.yaml"]
CALIBRATIONS = sorted((ROOT / "configs" / "calibration").glob("*.yaml"))

DUTCH = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>nl-NL</value></prop></item>
</oor:items>
"""
# Cells as shown, all sheets. 59 = semicolon, 34 = quote, 76 = UTF-8, 1 = Windows-1252.
SEMICOLONS = "csv:Text - txt - csv (StarCalc):59,34,{},1,,0,false,true,true,false,false,-1"
# What a Dutch LibreOffice does when nothing is chosen: commas, and numbers in quotes.
COMMAS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
SAVED = {"semicolons": SEMICOLONS.format(76), "Windows-1252": SEMICOLONS.format(1), "commas": COMMAS}

Save = Callable[[Path, str], Path]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """The folder with what a Dutch LibreOffice makes of all files in a folder."""
    profile = tmp_path_factory.mktemp("dutch")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(DUTCH, encoding="utf-8")

    def converted(folder: Path, form: str) -> Path:
        target = tmp_path_factory.mktemp("saved")
        options = ["--headless", "--norestore", "--convert-to", form, "--outdir", str(target)]
        command = [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            *options,
            *map(str, folder.iterdir()),
        ]
        subprocess.run(command, capture_output=True, timeout=300, check=True)
        return target

    return converted


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("invullen één")
    for config in CONFIGS:
        write_template(config, folder / f"{config.stem}.xlsx")
    return folder


@pytest.fixture(scope="module")
def calibrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrations")
    for config in CALIBRATIONS:
        write_template(config, folder / f"{config.stem}.xlsx")
    return folder


@cache
def problem_of(config: Path) -> Problem:
    loaded = load_config(config)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def check_question(config: Path, allocation: Path, constants: Path) -> None:
    """The files say what the config says today, to the last digit."""
    problem = problem_of(config)
    assert read_allocation(allocation, problem).tolist() == problem.decisions.null_vector().tolist()
    assert read_constants(constants) == constants_of(problem.config.model)


@pytest.mark.parametrize("config", [*CONFIGS, *SMALL], ids=lambda path: path.stem)
def test_a_question_is_read_back_exactly(config: Path, questions: Path, tmp_path: Path) -> None:
    target = questions / f"{config.stem}.xlsx"
    if config in SMALL:
        target = tmp_path / "klein één.xlsx"
        write_template(config, target)
    problem = problem_of(config)
    assert read_allocation(target, problem).tolist() == problem.decisions.null_vector().tolist()
    constants = constants_of(problem.config.model)
    name = Labels(problem.config.output.language)("sheet.template_constants")
    if constants:
        assert read_constants(Path(f"{target}#{name}")) == constants
    names = openpyxl.load_workbook(target, read_only=True).sheetnames
    assert (name in names) == bool(constants)


@pytest.mark.parametrize("config", CALIBRATIONS, ids=lambda path: path.stem)
def test_a_calibration_is_read_back_exactly(config: Path, calibrations: Path) -> None:
    target = calibrations / f"{config.stem}.xlsx"
    said = load_calibration(config).config
    assert points(target) == points(said.observed.file)
    if said.model.constants:
        name = Labels("nl")("sheet.template_constants")
        assert read_constants(Path(f"{target}#{name}")) == constants_of(said.model)


def points(path: Path) -> list[dict[str, object]]:
    return [{**vars(point), "row": 0, "line": None} for point in read_observed(path)]


@pytest.mark.desktop
def test_questions_saved_again_as_workbook(questions: Path, saved: Save) -> None:
    folder = saved(questions, "xlsx")
    assert len(CONFIGS) >= 10
    for config in CONFIGS:
        path = folder / f"{config.stem}.xlsx"
        assert path.read_bytes() != (questions / path.name).read_bytes()
        check_question(config, path, Path(f"{path}#Constanten"))


@pytest.mark.desktop
@pytest.mark.parametrize("form", SAVED)
def test_questions_saved_as_dutch_text(questions: Path, saved: Save, form: str, tmp_path: Path) -> None:
    few = tmp_path / "few"  # one with names, one with many decisions, one with figures of its own
    few.mkdir()
    configs = [
        ROOT / "configs" / f"{name}.yaml" for name in ("voorbeeld-100k", "tien-wijken-100k", "krimpregio")
    ]
    for config in configs:
        shutil.copy(questions / f"{config.stem}.xlsx", few)
    folder = saved(few, SAVED[form])
    for config in configs:
        allocation, constants = (folder / f"{config.stem}-{name}.csv" for name in ("Verdeling", "Constanten"))
        assert re.search(rb"[;\"][0-9]+,[0-9]", allocation.read_bytes())
        check_question(config, allocation, constants)


@pytest.mark.desktop
def test_observations_saved_again(calibrations: Path, saved: Save) -> None:
    workbooks, texts = saved(calibrations, "xlsx"), saved(calibrations, SAVED["Windows-1252"])
    for config in CALIBRATIONS:
        before = points(calibrations / f"{config.stem}.xlsx")
        assert len(before) > 40
        assert points(workbooks / f"{config.stem}.xlsx") == before
        assert points(texts / f"{config.stem}-Waarnemingen.csv") == before
