"""A small sweep in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import LoadedConfig, load_config
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import SourceModel, read_model

DATA = Path(__file__).parents[1] / "data"


def _place(folder: Path, **sweep: Any) -> Path:
    place = folder / "één sweep" / "questions"
    shutil.copytree(DATA / "sweep", place)
    shutil.copy(DATA / "wijk.mdl", place.parent)
    config = place / "zorg.yaml"
    said = yaml.safe_load(config.read_text(encoding="utf-8"))
    said["sweep"].update(sweep)
    config.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return config


@pytest.fixture(scope="session")
def place_in() -> Callable[..., Path]:
    """Writes the config with other settings of `sweep`, its model and tables in a folder; gives its path."""
    return _place


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., tuple[LoadedConfig, SourceModel, Problem]]:
    """The question with other settings of `sweep`, read."""

    def read(**sweep: Any) -> tuple[LoadedConfig, SourceModel, Problem]:
        loaded = load_config(_place(tmp_path, **sweep))
        model = read_model(loaded.config.model.file)
        return loaded, model, build_problem(loaded, model.system)

    return read
