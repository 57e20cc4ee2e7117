"""A question on a small model with known constants: `make` writes config and observations to a folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sdopt.calibrate.fit import Fit, fit
from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.question import Question, build_question
from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.equations.system import EquationSystem
from sdopt.source_model.read import read_model

DATA = Path(__file__).parent / "data"
TRUTH = {"exit_rate": 0.22, "return_rate": 0.07, "applications": 430.0}
COLUMNS = "series,variable,time,value,unit,scale,measure,source,use,note"

Make = Callable[..., Path]


@cache
def true_run() -> dict[str, np.ndarray[Any, Any]]:
    """Every variable of the model with the true constants, (time,)."""
    system = read_model(DATA / "chain.mdl").system
    runs = simulate_all(system, TimeGrid(2000, 2020, 0.125), TRUTH)
    return {key: values[:, 0] for key, values in runs.items()}


def rows(noise: Mapping[str, Any] | None = None, last_fit: int = 2012) -> list[str]:
    """Observed points of the true run, in a country ten times as large: a stock, a flow and a year's total.

    `noise` holds relative errors by series, (point,).
    """
    run, out = true_run(), []
    kinds = {
        "clients": ("Clients", "Person", "moment", range(2001, 2020)),
        "exits": ("exits", "Person/Year", "year_average", range(2000, 2019)),
        "returned": ("returns", "Person", "year_total", range(2000, 2019)),
    }
    for series, (name, unit, measure, years) in kinds.items():
        values = run[name.lower()]
        for place, year in enumerate(years):
            first = (year - 2000) * 8
            value = values[first] if measure == "moment" else values[first : first + 8].mean()
            value = 10 * float(value) * (1 + (noise[series][place] if noise else 0.0))
            use = "fit" if year <= last_fit else "test"
            out.append(f"{series},{name},{year},{float(value)!r},{unit},10,{measure},X{year},{use},")
    return out


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a question; gives the path of its config."""

    def write(lines: list[str], header: str = COLUMNS, **changes: Any) -> Path:
        for name in ("chain.mdl", "constants.csv"):
            shutil.copy(DATA / name, tmp_path)
        (tmp_path / "observed.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        config: dict[str, Any] = {
            "schema_version": 1,
            "title": "Small chain",
            "model": {"file": "chain.mdl", "constants": "constants.csv"},
            "horizon": {"start": 2000, "end": 2020},
            "observed": {"file": "observed.csv"},
            "fit": {"exit rate": {}, "return rate": {}, "applications": {}},
            "search": {"starts": 3},
            "output": {"directory": "results", "language": "en"},
        }
        config |= changes
        path = tmp_path / "question.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def points() -> Callable[..., list[str]]:
    """Lines of an observed table of the true run, see `rows`."""
    return rows


@cache
def system_of(model: bytes) -> EquationSystem:
    """The equations of the small model, read once; a copy with other contents would be another."""
    assert model == (DATA / "chain.mdl").read_bytes()
    return read_model(DATA / "chain.mdl").system


@pytest.fixture
def question() -> Callable[[Path], Question]:
    """The question in a config."""

    def read(path: Path) -> Question:
        loaded = load_calibration(path)
        return build_question(loaded, system_of(loaded.config.model.file.read_bytes()))

    return read


@pytest.fixture
def fitted(question: Callable[[Path], Question]) -> Callable[[Path], Fit]:
    """The fit of a config."""
    return lambda path: fit(question(path), lambda *_: None)
