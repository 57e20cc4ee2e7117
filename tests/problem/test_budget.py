"""A multi-year budget whose lines are not in the model is refused, all of them at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sdopt.config.load import load_config
from sdopt.errors import ConfigError
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]


def test_lines_and_index_that_the_model_does_not_have(tmp_path: Path) -> None:
    for name in ("models", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    lines, library = tmp_path / "models" / "taakvelden.csv", tmp_path / "models" / "fiscal_rules.yaml"
    text = lines.read_text(encoding="utf-8")
    assert "\nlearning spending," in text
    text = text.replace("\nlearning spending,", "\nteaching spending,").replace(
        "\nBUIG budget,", "\nresilience ratio,"
    )
    lines.write_text(text, encoding="utf-8")
    rules = library.read_text(encoding="utf-8")
    library.write_text(
        rules.replace("price_index: price index", "price_index: index of prices"), encoding="utf-8"
    )
    loaded = load_config(tmp_path / "configs" / "voorbeeld-100k.yaml")
    with pytest.raises(ConfigError) as error:
        build_problem(loaded, read_model(loaded.config.model.file).system)
    for missing in ("teaching spending", "resilience ratio", "index of prices"):
        assert f'the multi-year budget of fiscal_rules.yaml needs "{missing}"' in str(error.value)
