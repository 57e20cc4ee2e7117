"""A second table of constants: what differs in one municipality, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sdopt.config.constants import Constant
from sdopt.config.load import load_config
from sdopt.config.municipality import constants_of
from sdopt.config.schema import ModelFiles
from sdopt.errors import ConfigError

HEADER = "name,value,low,high,unit,source,status,note\n"
NATIONAL = HEADER + "people,100,90,110,Person,B01,read,all\nexit rate,0.3,,,1/Year,B02,read,\n"


def files(folder: Path, municipality: str | None, constants: str | None = NATIONAL) -> ModelFiles:
    """A model with two tables; what is None is not named."""
    for name, text in (("national.csv", constants), ("local.csv", municipality)):
        (folder / name).write_text(text or "", encoding="utf-8")
    return ModelFiles(
        file=folder / "model.mdl",
        constants=folder / "national.csv" if constants else None,
        municipality=folder / "local.csv" if municipality else None,
    )


def test_a_row_replaces_that_of_the_table_with_its_range_and_origin(tmp_path: Path) -> None:
    local = HEADER + "PEOPLE ,2500,2000,3000, Person,,judgement,illustrative\n"
    assert constants_of(files(tmp_path, local)) == (
        Constant("PEOPLE", 2500, 2000, 3000, "Person", "", "judgement", "illustrative"),
        Constant("exit rate", 0.3, None, None, "1/Year", "B02", "read", "", "fixed"),
    )


def test_without_a_second_table_the_first_stands(tmp_path: Path) -> None:
    assert [row.value for row in constants_of(files(tmp_path, None))] == [100, 0.3]
    assert constants_of(files(tmp_path, None, None)) == ()


def test_every_row_that_does_not_fit_the_table_is_named(tmp_path: Path) -> None:
    local = (
        HEADER + "pepole,1,1,1,Person,,judgement,\nexit rate,2,,,1/Month,B,read,\npeople,9,,,Person,B,read,\n"
    )
    with pytest.raises(ConfigError) as refused:
        constants_of(files(tmp_path, local))
    first, *found = str(refused.value).splitlines()
    assert first.startswith(str(tmp_path / "local.csv"))
    assert [line.removeprefix("  * ") for line in found] == [
        '"pepole": national.csv has no such constant. Did you mean "people"? Mend or remove it',
        '"exit rate", unit: found "1/Month", in national.csv it is "1/Year"; make them equal',
    ]


def test_a_fault_in_the_second_table_names_that_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"local\.csv"):
        constants_of(files(tmp_path, HEADER + "people,many,,,Person,B,read,\n"))


def config(folder: Path, model: dict[str, str]) -> Path:
    data = {
        "schema_version": 1,
        "title": "Vraag",
        "model": {"file": "model.mdl", **model},
        "horizon": {"start": 2026, "end": 2036},
        "decision_years": {"first": 2027, "last": 2030},
        "decisions": {"people": {"variable": "people", "bounds": [1, 2]}},
        "objective": {"maximise": "return"},
    }
    for name in ("model.mdl", "national.csv", "local.csv"):
        (folder / name).write_text("", encoding="utf-8")
    path = folder / "vraag.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_its_path_is_relative_to_the_config(tmp_path: Path) -> None:
    loaded = load_config(config(tmp_path, {"constants": "national.csv", "municipality": "local.csv"}))
    assert loaded.config.model.municipality == (tmp_path / "local.csv").resolve()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"municipality": "local.csv"}, r"model\.municipality.*changes rows of a table; name that table"),
        ({"constants": "national.csv", "municipality": "lokal.csv"}, r"no file lokal\.csv .*local\.csv"),
    ],
)
def test_a_second_table_needs_a_file_and_a_first_table(
    tmp_path: Path, model: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(config(tmp_path, model))
