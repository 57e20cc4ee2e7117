"""`sdopt robust`: the folder it writes, the words it says, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.errors import ConfigError
from sdopt.export.tables import read_parquet
from sdopt.optimise.robust.question import check_names
from sdopt.problem.build import Problem

Ask = Callable[..., Problem]
DATA = Path(__file__).parents[2] / "data" / "robust"


def written(folder: Path, **changes: object) -> Path:
    """The small question with other top-level values, as a file."""
    data = yaml.safe_load((DATA / "orders.yaml").read_text(encoding="utf-8")) | changes
    data["model"]["file"] = str(DATA / "orders.mdl")
    path = folder / "question with spaces.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_it_writes_a_folder_and_says_what_it_found(tmp_path: Path) -> None:
    config = written(tmp_path)
    said = CliRunner().invoke(main, ["robust", str(config), "--output", str(tmp_path), "--scenarios", "20"])
    assert said.exit_code == 0, said.output
    assert "in 20 scenarios" in said.output
    assert "PySD agrees" in said.output
    (folder,) = tmp_path.glob("*-robust-001")
    names = {path.name for path in folder.iterdir()}
    assert {"config.yaml", "report.txt", "run.json", "summary.json", "tables"} <= names
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["scenarios"] == 20
    assert summary["failed_scenarios"] == 0
    measures = read_parquet(folder / "tables" / "robust_measures.parquet")
    assert list(measures["allocation"]) == ["null", "advice", "expected", "cvar", "worst_case", "regret"]
    for name in summary["tables"]:
        exact, plain = (folder / "tables" / f"{name}.{form}" for form in ("parquet", "csv"))
        read = pd.read_csv(plain, keep_default_na=False, na_values=[""])
        pd.testing.assert_frame_equal(read_parquet(exact), read, check_dtype=False)


def test_each_measure_is_best_by_itself(tmp_path: Path) -> None:
    config = written(tmp_path)
    CliRunner().invoke(main, ["robust", str(config), "--output", str(tmp_path), "--scenarios", "30"])
    (folder,) = tmp_path.glob("*-robust-001")
    table = read_parquet(folder / "tables" / "robust_measures.parquet").set_index("allocation")
    for name in ("expected", "cvar", "worst_case"):
        assert table[name].idxmax() == name
    assert table["largest_regret"].idxmin() == "regret"
    assert (table["worst_case"] <= table["cvar"] + 1e-9).all()
    assert (table["cvar"] <= table["expected"] + 1e-9).all()


def test_nothing_uncertain_is_refused(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        main, ["robust", str(written(tmp_path, uncertainties=[])), "--output", str(tmp_path)]
    )
    assert said.exit_code == 1
    assert "nothing is uncertain" in said.output


def test_a_probability_limit_must_name_a_constraint_on_the_model(ask: Ask) -> None:
    changes = {
        "constraints": {
            "total": {"decisions": {"a": 1, "b": 1}, "at_most": 9},
            "floor": {"variables": {"Reserve": 1}, "at_least": 1},
        },
        "robust.probability_limits": {"total": "5%", "flour": "5%", "floor": "5%"},
    }
    problem = ask("orders", changes, base=DATA)
    with pytest.raises(ConfigError) as refused:
        check_names(problem.config.robust, problem, "question.yaml")
    first, second = str(refused.value).splitlines()[1:]
    assert 'probability_limits."total": limits decisions' in first
    assert 'probability_limits."flour": is no constraint on model variables. Did you mean' in second
    assert "Constraints: floor" in second
