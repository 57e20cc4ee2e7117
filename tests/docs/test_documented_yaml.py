"""Every YAML example of the documentation is a right config: alone, or put into a question that it fits."""

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from blocks import ROOT, Block, blocks
from click.testing import CliRunner

from sdopt.calibrate.load import load_calibration
from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.config.schema import Config
from sdopt.equations.system import EquationSystem
from sdopt.errors import SdoptError
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model

QUESTIONS = ("configs/onzeker-100k.yaml", "configs/free.yaml", "configs/krimpregio.yaml",
             "tests/data/uncertainty/wijk_onzeker.yaml", "tests/docs/centres.yaml")  # fmt: skip
LEAST = 20


def is_yaml(block: Block) -> bool:
    """Fenced as such, or indented and a mapping with keys of a config."""
    if block.language:
        return block.language == "yaml"
    try:
        data = yaml.safe_load(block.text)
    except yaml.YAMLError:
        return False
    return isinstance(data, dict) and bool(set(data) & set(Config.model_fields))


EXAMPLES = [pytest.param(yaml.safe_load(block.text), id=block.name) for block in blocks() if is_yaml(block)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models and questions, with the small files that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("models", "configs", "tests/data", "tests/docs", "results/voorbeeld"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests/data/uncertainty/seen.csv").write_text("rate\n0.15\n0.25\n", encoding="utf-8")
    (folder / "configs/free.yaml").write_text(yaml.safe_dump(free_question()), encoding="utf-8")
    sheet = ["--output", str(folder / "configs/invulblad.xlsx")]
    made = CliRunner().invoke(main, ["template", str(folder / "configs/voorbeeld-100k.yaml"), *sheet])
    assert made.exit_code == 0, made.output
    return folder


def free_question() -> dict[str, Any]:
    """The main example without limits on change, with a cap on all decisions by the name in docs/forms.md."""
    said: dict[str, Any] = yaml.safe_load((ROOT / "configs/voorbeeld-100k.yaml").read_text(encoding="utf-8"))
    for decision in said["decisions"].values():
        del decision["largest_rise"], decision["largest_fall"]
    cap = {"decisions": dict.fromkeys(said["decisions"], 1), "at_most": {"null_alternative": 1}}
    return said | {"constraints": {"Name of the cap": cap}}


@cache
def system(model: Path) -> EquationSystem:
    return read_model(model).system


def complaint(place: Path, question: str, example: Any) -> str | None:
    """What is wrong with an example in a question, as its user would see it."""
    file = (place / question).with_name("example.yaml")
    said = yaml.safe_load((place / question).read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump(said | example, allow_unicode=True, sort_keys=False), encoding="utf-8")
    try:
        loaded = load_config(file)
        build_problem(loaded, system(loaded.config.model.file))
    except SdoptError as error:
        return str(error)
    return None


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= LEAST


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_right(example: Any, place: Path) -> None:
    """With `fit` it is a calibration; else its keys replace those of a question that has all its names."""
    assert isinstance(example, dict)
    if "fit" in example:
        file = place / "configs" / "calibration" / "example.yaml"
        file.write_text(yaml.safe_dump(example), encoding="utf-8")
        load_calibration(file)
        return
    found: list[str] = []
    for question in QUESTIONS:
        wrong = complaint(place, question, example)
        if wrong is None:
            return
        found.append(wrong)
    pytest.fail("\n\n".join(found))


def test_an_example_with_a_name_that_nothing_has_is_found_out(place: Path) -> None:
    wrong = {"objective": {"maximise": "return on nothing"}}
    assert all("return on nothing" in str(complaint(place, question, wrong)) for question in QUESTIONS)
