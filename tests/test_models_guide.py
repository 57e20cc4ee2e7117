"""The commands of docs/models.md, run in its order on a model with an array and a delay."""

import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main

GUIDE = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
MODEL = """{UTF-8}
region: north, south ~ ~ |
Stock[region]= INTEG(arrivals[region] - DELAY1(arrivals[region], 4), 10, 20) ~ person ~ |
arrivals[region]= birth rate * Stock[region] ~ person/Year ~ |
birth rate = 0.02 ~ 1/Year ~ |
Price[region]= 1, 2 ~ million EUR/person/Year ~ |
total cost = SUM(Price[region!] * Stock[region!]) ~ million EUR/Year ~ |
INITIAL TIME = 2026 ~ Year ~ |
FINAL TIME = 2030 ~ Year ~ |
TIME STEP = 0.25 ~ Year ~ |
SAVEPER = 1 ~ Year ~ |
""".replace("10, 20)", "10)")
COMMANDS = re.findall(r"^    sdopt (.+)$", GUIDE, re.M)
TABLE = "\n".join(re.findall(r"^    ((?:birth rate|0\.0).+)$", GUIDE, re.M))


def run(command: str) -> str:
    done = CliRunner().invoke(main, [part.strip('"') for part in re.findall(r'"[^"]+"|\S+', command)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.mdl").write_text(MODEL, encoding="utf-8")
    (tmp_path / "runs.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def test_the_commands_of_the_guide(place: Path) -> None:
    variables, simulate, check_model, runs, init, check, optimise = COMMANDS
    assert "Stock[north]" in run(variables)
    assert "PySD" in run(simulate)
    assert list(pd.read_csv(place / "run.csv")["Time"]) == [2026, 2027, 2028, 2029, 2030]
    assert "equations: 5, all consistent" in run(check_model)
    assert "PySD" in run(runs)
    frame = pd.read_parquet(place / "runs-001" / "trajectories.parquet")
    assert set(frame["subscript"]) == {"north", "south", ""}
    assert "constant Price[north]" in pd.read_parquet(place / "runs-001" / "runs.parquet")
    run(init)
    assert (place / "question.yaml").exists()
    assert (check, optimise) == ("check question.yaml", "optimise question.yaml")
