"""`sdopt robust`: the folder it writes, the words it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.tables import read_parquet

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
