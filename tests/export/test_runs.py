"""A job with many runs, from the command line: what it prints, writes, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from sdopt.batch.design import Design
from sdopt.batch.job import plan_job, run_job
from sdopt.batch.own_time import own_grid
from sdopt.cli import main
from sdopt.equations import simulate as simulate_module
from sdopt.equations.simulate import simulate_all
from sdopt.errors import ReplayError
from sdopt.export import runs as runs_module
from sdopt.export.runs import simulate_runs
from sdopt.export.runs_files import Trajectories, read_back
from sdopt.source_model.read import SourceModel, read_model

MODELS = Path(__file__).parents[1] / "models"
ROOT = Path(__file__).parents[2]
RUNS = 'room;"rate[south]"\n1000;0,1\n500;0,2\n-30;0,3\n700;0,25\n'

ASKED = ("--show", "People", "--objective", "total", "--every", 1, "--backend", "numpy")


def place_in(folder: Path) -> Path:
    """A model and a table of four runs, of which the third fails, in a folder with a space and an accent."""
    place = folder / "mijn runs één"
    place.mkdir()
    shutil.copy(MODELS / "regions.mdl", place)
    (place / "runs.csv").write_text(RUNS, encoding="utf-8")
    return place


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return place_in(tmp_path)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a finished job (results in `uit`) and what it printed."""
    place = place_in(tmp_path_factory.mktemp("job"))
    code, text = simulate(place, *ASKED)
    assert code == 0, text
    return place, text


def sdopt(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def simulate(place: Path, *options: object, output: str = "uit") -> tuple[int, str]:
    model, runs = place / "regions.mdl", place / "runs.csv"
    return sdopt("simulate", model, "--runs", runs, "--output", place / output, *options)


def test_what_is_printed(job: tuple[Path, str]) -> None:
    place, text = job
    assert "4 runs of " in text
    assert "5 outputs at 11 times" in text
    assert "Euler, step 0.25 Year, from 0 to 10; computed by numpy" in text
    assert "total at 10 (person)" in text
    assert 'failed       1 (runs 3); in run 3 "' in text
    assert "agrees in 4 runs: largest relative difference" in text
    assert sorted(p.name for p in (place / "uit").iterdir()) == [
        *("run.json", "runs.parquet", "trajectories.parquet"),
    ]
    assert {"regions.mdl", "runs.csv", "uit"} <= {p.name for p in place.iterdir()}


def test_the_tables_hold_every_run(job: tuple[Path, str]) -> None:
    place, _ = job
    table = pd.read_parquet(place / "uit" / "trajectories.parquet")
    assert list(table.columns) == ["run", "variable", "subscript", "time", "value", "unit"]
    assert len(table) == 4 * 5 * 11
    model = read_model(place / "regions.mdl")
    grid = own_grid(model.system.time)
    alone = simulate_all(model.system, grid, {"room": 700.0, "rate[south]": 0.25})
    run = table[(table["run"] == 4) & (table["variable"] == "People")]
    south = run[run["subscript"] == "south,old people"]
    assert list(south["time"]) == list(range(11))
    assert set(south["unit"]) == {"person"}
    assert south["value"].to_numpy() == pytest.approx(alone["people[south,old_people]"][::4, 0], rel=1e-12)
    runs = pd.read_parquet(place / "uit" / "runs.parquet")
    assert list(runs["run"]) == [1, 2, 3, 4]
    assert list(runs["constant room"]) == [1000, 500, -30, 700]
    assert list(runs["failure"] != "") == [False, False, True, False]
    assert list(runs["refereed"]) == [True] * 4
    last = table[(table["variable"] == "total") & (table["time"] == 10)]
    assert list(runs["objective"])[:2] == list(last["value"])[:2]


def test_run_json_says_what_was_done(job: tuple[Path, str]) -> None:
    place, _ = job
    facts = json.loads((place / "uit" / "run.json").read_text(encoding="utf-8"))
    assert facts["model_hash"] == read_model(place / "regions.mdl").sha256
    assert len(facts["runs_hash"]) == 64
    assert facts["runs_file"] == "runs.csv"
    assert facts["constants"] == ["room", "rate[south]"]
    assert facts["backend"] == "numpy"
    assert facts["failed_runs"] == 1
    assert facts["objective"]["variable"] == "total"
    assert facts["objective"]["lowest"]["run"] != 3
    assert facts["referee"]["agrees"] is True
    assert facts["referee"]["runs"] == [1, 2, 3, 4]
    assert facts["referee"]["largest_relative_difference"] < 1e-12
    assert {"sdopt", "numpy", "pysd", "pyarrow"} <= set(facts["versions"])
    assert facts["seed"] == 0
    assert {"started", "host", "seconds"} <= set(facts)


def test_the_bytes_do_not_depend_on_how_runs_come_in(place: Path) -> None:
    model = read_model(place / "regions.mdl")
    design = Design(("room",), np.linspace(100, 1000, 30_011)[None], "hash")
    job = plan_job(model, design)
    for threads in (1, 3):
        with Trajectories(place / f"{threads}.parquet", job) as table:
            run_job(
                job,
                lambda kept, add=table.add: add(kept[:, :, :100]) or add(kept[:, :, 100:]),
                lambda *_: None,
                threads,
            )
    assert (place / "1.parquet").read_bytes() == (place / "3.parquet").read_bytes()
    file = pyarrow.parquet.ParquetFile(place / "1.parquet")
    assert file.metadata.num_rows == 30_011 * 4 * 11
    assert file.metadata.num_row_groups > 1
    last = read_back(place / "1.parquet", job, [30_010, 3])
    alone = simulate_all(model.system, job.grid, {"room": 1000.0})
    assert last[0, :, 0] == pytest.approx(alone["people[north,young]"][::4, 0], rel=1e-12)


def test_a_wrong_engine_is_an_error_and_the_results_are_kept(place: Path) -> None:
    """Our equations are those of one file, PySD's those of another in which one number differs."""
    ours = read_model(place / "regions.mdl")
    path = place / "changed.mdl"
    text = (place / "regions.mdl").read_text(encoding="utf-8")
    path.write_text(text.replace("lifetime[Age] = 5, 8", "lifetime[Age] = 5, 8.001"), encoding="utf-8")
    theirs = read_model(path)
    mixed = SourceModel(theirs.path, ours.system, theirs.sha256, theirs.parsed)
    with pytest.raises(ReplayError, match=r"changed\.mdl: PySD disagrees in run \d on \"People\[") as found:
        simulate_runs(mixed, place / "runs.csv", place / "uit")
    assert "do not rely on them" in str(found.value)
    facts = json.loads((place / "uit" / "run.json").read_text(encoding="utf-8"))
    assert facts["referee"]["agrees"] is False
    assert len(pd.read_parquet(place / "uit" / "runs.parquet")) == 4


def test_nothing_is_overwritten(place: Path) -> None:
    (place / "uit").mkdir()
    code, text = simulate(place)
    assert code == 1
    assert "exists already and is not overwritten" in text
    assert not list((place / "uit").iterdir())


@pytest.mark.parametrize(
    ("options", "code", "expected"),
    [
        (("--show", "Peopel"), 1, 'no variable "Peopel". Did you mean "People'),
        (("--objective", "People"), 1, "is an array; name one element"),
        (("--every", "0.3"), 1, "must be a whole number of steps of 0.25 apart"),
        (("--engine", "pysd"), 2, "--engine does not go with --runs"),
        (("--allocation", "a.csv"), 2, "--allocation needs a config"),
        (("--backend", "gpu"), 2, "'gpu' is not one of"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    options: tuple[str, ...], code: int, expected: str, place: Path
) -> None:
    found, text = simulate(place, *options)
    assert found == code, text
    assert expected in " ".join(text.split())
    assert sorted(p.name for p in place.iterdir()) == ["regions.mdl", "runs.csv"]


def test_a_faulty_table_leaves_nothing(place: Path) -> None:
    (place / "runs.csv").write_text("rom\n1\n", encoding="utf-8")
    code, text = simulate(place)
    assert code == 1
    assert "runs.csv: 1 error" in text
    assert sorted(p.name for p in place.iterdir()) == ["regions.mdl", "runs.csv"]


def test_options_that_need_a_table(place: Path) -> None:
    model, runs = place / "regions.mdl", place / "runs.csv"
    for options in (("--show", "total"), ("--objective", "total"), ("--every", 1), ("--backend", "compiled")):
        code, text = sdopt("simulate", model, *options)
        assert code == 2
        assert "go with --runs" in text
    assert "--runs needs --output" in sdopt("simulate", model, "--runs", runs)[1]
    config = ROOT / "configs" / "voorbeeld-100k.yaml"
    assert "--runs needs a bare model" in sdopt("simulate", config, "--runs", runs, "--output", "x")[1]


def test_again_as_a_program_in_an_odd_encoding(job: tuple[Path, str]) -> None:
    """The same bytes; processes are spawned from a real program; on stderr, no terminal, is nothing."""
    place, _ = job
    arguments = ["simulate", "regions.mdl", "--runs", "runs.csv", "--output", "uit één", *map(str, ASKED)]
    done = subprocess.run(
        [sys.executable, "-m", "sdopt", *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "agrees in 4 runs" in done.stdout
    for name in ("trajectories.parquet", "runs.parquet"):
        assert (place / "uit één" / name).read_bytes() == (place / "uit" / name).read_bytes()


def test_an_interrupt_keeps_the_finished_runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the first block: its runs are written whole, nothing else is left behind."""
    monkeypatch.setattr(simulate_module, "STREAMED", 1)  # blocks of two runs
    monkeypatch.setattr(runs_module, "_progress", lambda *_: signal.raise_signal(signal.SIGINT))
    code, text = simulate(place, *ASKED)
    assert code == 1
    assert "interrupted: the finished runs, from the first row on, are in " in text
    table = pd.read_parquet(place / "uit" / "trajectories.parquet")
    assert set(table["run"]) == {1, 2}
    assert len(table) == 2 * 5 * 11
    assert sorted(p.name for p in place.iterdir()) == ["regions.mdl", "runs.csv", "uit"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
