"""Small questions of our own: a config from `data/optimise` with some values replaced."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import SourceModel, read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "optimise"
Ask = Callable[..., Problem]


@pytest.fixture(scope="session")
def models() -> dict[Path, SourceModel]:
    """Models that were read already."""
    return {}


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory, models: dict[Path, SourceModel]) -> Ask:
    """`ask(name, {"place.below": value, ...})`: the problem of a config with those values; None removes."""
    folder = tmp_path_factory.mktemp("questions")

    def problem(name: str, changes: dict[str, Any] | None = None, *, base: Path = DATA) -> Problem:
        data = yaml.safe_load((base / f"{name}.yaml").read_text(encoding="utf-8"))
        for key in ("file", "constants"):
            if key in data["model"]:
                data["model"][key] = str((base / data["model"][key]).resolve())
        for part in ("fiscal_rules", "ledger", "valuation"):
            if part in data:
                data[part]["file"] = str((base / data[part]["file"]).resolve())
        if "names" in data.get("output", {}):
            data["output"]["names"] = str((base / data["output"]["names"]).resolve())
        for place, value in (changes or {}).items():
            _replace(data, place.split("."), value)
        path = folder / f"{name}.yaml"
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")
        loaded = load_config(path)
        file = loaded.config.model.file
        if file not in models:
            models[file] = read_model(file)
        return build_problem(loaded, models[file].system)

    return problem


def _replace(data: dict[str, Any], place: list[str], value: Any) -> None:
    *above, last = place
    for part in above:
        data = data.setdefault(part, {})
    if value is None:
        data.pop(last, None)
    else:
        data[last] = value
