"""The names that readers see of the shipped model: complete, each one's own, and those of the configs."""

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.config.reader_names import read_names
from sdopt.export.labels import LANGUAGES, Labels
from sdopt.problem.reader_names import reader_names
from sdopt.source_model.read import SourceModel, read_model

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "social_domain.mdl"
NAMES = ROOT / "models" / "social_domain.names.csv"
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.fixture(scope="module")
def model() -> SourceModel:
    return read_model(MODEL)


def labels_of(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))["output"].get("labels", {})
    return found


def test_every_variable_has_a_dutch_name(model: SourceModel) -> None:
    """All that a sheet may show: constants, stocks, flows and auxiliaries; in the order of the model."""
    rows = read_names(NAMES)
    assert [row.variable for row in rows] == [one.name for one in model.system.visible.values()]
    assert [row.variable for row in rows if "nl" not in row.names] == []


def test_every_name_is_its_own_and_none_is_the_models(model: SourceModel) -> None:
    """Also beside the model's own names, which English readers see where the column is empty."""
    for language in LANGUAGES:
        seen = [row.names.get(language, row.variable).casefold() for row in read_names(NAMES)]
        assert len(set(seen)) == len(seen)
    own = {one.name.casefold() for one in model.system.visible.values()}
    assert not own & {row.names["nl"].casefold() for row in read_names(NAMES)}


@pytest.mark.parametrize("config", CONFIGS, ids=[config.stem for config in CONFIGS])
def test_labels_in_the_configs_are_the_same_names(config: Path) -> None:
    """One variable, one name, whichever question is asked."""
    known = {row.variable: row.names["nl"] for row in read_names(NAMES)}
    assert {n: text for n, text in labels_of(config).items() if known.get(n, text) != text} == {}


def test_a_config_reads_them(model: SourceModel) -> None:
    config = ROOT / "configs" / "onzeker-100k.yaml"
    names = reader_names(load_config(config).config, model.system)
    assert names["hours per EUR of social base"] == "Uren informele hulp per euro sociale basis"
    assert len(names) == len(model.system.visible)


def test_every_unit_has_words() -> None:
    """Those of the model and of the table: the words are not how the model writes it."""
    with (ROOT / "models" / "social_domain.csv").open(encoding="utf-8", newline="") as file:
        units = {row["unit"] for row in csv.DictReader(file)}
    units |= {one.unit for one in read_model(MODEL).system.visible.values()}
    for language in LANGUAGES:
        words = {unit: Labels(language).unit(unit) for unit in units}
        assert [unit for unit, text in words.items() if "/" in text or "Dmnl" in text] == []
        assert len(set(words.values())) == len(units)
    assert [unit for unit in units if Labels("nl").unit(unit) == unit] == []
    assert Labels("nl").unit("hour/EUR") == "uur per euro"
    assert Labels("nl").unit("1/Year") == "per jaar"
    assert Labels("nl").with_unit("Aandeel", "Dmnl") == "Aandeel"
    assert Labels("nl").with_unit("Uren", "hour/EUR") == "Uren (uur per euro)"
