"""The engine benchmark runs, its engines agree, and its generated models are what they claim to be."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run, simulate_all
from sdopt.source_model.read import SourceModel, read_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def _generated(folder: Path, variables: int, seed: int = 1) -> tuple[SourceModel, list[str]]:
    from generated_model import generate

    made = generate(variables, seed=seed)
    path = folder / f"{variables}-{seed}.mdl"
    path.write_text(made.text, encoding="utf-8")
    model = read_model(path)
    keys = {variable.name: key for key, variable in model.system.variables.items()}
    return model, [keys[name] for name in made.outputs]


def _grid(model: SourceModel) -> TimeGrid:
    axis = model.system.time
    return TimeGrid(axis.start, axis.end, axis.step)


@pytest.mark.parametrize("variables", [29, 30, 100, 300])
def test_a_generated_model_has_so_many_variables_and_its_outputs_need_all(
    tmp_path: Path, variables: int
) -> None:
    model, outputs = _generated(tmp_path, variables)
    system = model.system
    assert len(system.variables) == variables
    assert len(set(outputs)) == 6
    keys = list(system.variables)
    constants = [variable.key for variable in system.of_kind("constant")]
    all_of_it = compile_program(system, _grid(model), keys, constants)
    needed = compile_program(system, _grid(model), outputs, constants)
    assert len(needed.loop) == len(all_of_it.loop)
    assert set(needed.inputs) == set(constants)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_generated_model_stays_finite_and_moves(tmp_path: Path, seed: int) -> None:
    model, outputs = _generated(tmp_path, 100, seed)
    random = np.random.default_rng(seed)
    nominal = {
        key: values[0] for key, values in simulate_all(model.system, _grid(model)).items()
        if model.system.variables[key].kind == "constant"
    }  # fmt: skip
    program = compile_program(model.system, _grid(model), outputs, list(nominal))
    moved = {key: value * random.uniform(0.9, 1.1, 500) for key, value in nominal.items()}
    result = run(program, moved)
    assert result.min() > 0.01
    assert result.max() < 1000
    assert (result.std(axis=2)[:, -1] > 0).all()
    assert (np.ptp(result, axis=1) > 0).all()


def test_generated_models_have_the_proportions_of_the_shipped_one(tmp_path: Path) -> None:
    shares = []
    shipped = read_model(ROOT / "models" / "social_domain.mdl")
    for model in (shipped, _generated(tmp_path, 300)[0]):
        kinds = Counter(variable.kind for variable in model.system.variables.values())
        shares.append({kind: count / kinds.total() for kind, count in kinds.items()})
    assert shares[1] == pytest.approx(shares[0], abs=0.05)


def test_a_seed_gives_one_model_and_another_seed_another() -> None:
    from generated_model import generate

    assert generate(60).text == generate(60).text
    assert generate(60).text != generate(60, seed=2).text


def test_a_longer_design_begins_with_the_shorter_one(tmp_path: Path) -> None:
    from engine_cases import DRAWN, SPREAD, shipped

    case = shipped(tmp_path)
    short, long = case.design(7), case.design(DRAWN)
    for name in case.constants:
        key = case.keys[name]
        assert (short[key] == long[key][:7]).all()
        places = (long[key] / case.value(name) - 1 + SPREAD) / (2 * SPREAD) * DRAWN
        assert len(np.unique(np.floor(places))) > 0.999 * DRAWN  # one per stratum, but for rounding


def test_gradients_by_decisions_agree_with_complex_step_and_differences(tmp_path: Path) -> None:
    from engine_cases import shipped
    from engine_growth import growth_with_decisions

    found = growth_with_decisions(shipped(tmp_path), (10, 40), 3, 1)
    assert found.apart < 1e-10
    assert found.apart_pysd < 1e-4
    assert [curve.x for curve in found.curves] == [[10, 40]] * 3


@pytest.mark.slow
def test_the_engine_benchmark_runs_and_all_engines_agree(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    done = _run("--quick", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {
        "report.txt", "runs.png", "variables.png", "decisions.png",
    }  # fmt: skip
    assert (folder / "report.txt").read_text(encoding="utf-8") == done.stdout
    assert done.stdout.count("PySD run  ") >= 3
    for asked in ("all engines agree within 1e-09", "gradients by reverse accumulation are those"):
        assert re.search(rf"{asked}.*: yes\n", done.stdout), done.stdout
    for asked in ("1,000 times PySD run", "0.25 of the kernel in C", "80 decisions", "number of decisions"):
        assert re.search(rf"{asked}.*: (yes|NO|not measured)\n", done.stdout), done.stdout
    again = _run("--quick", "--output", str(folder))
    assert again.returncode != 0
    assert "there already" in again.stderr


def test_an_engine_that_is_not_there_is_said_not_to_be_measured(tmp_path: Path) -> None:
    from engine_cases import neighbourhoods
    from engine_runners import NotMeasured, ema_engine

    found = ema_engine(neighbourhoods(tmp_path), 2, str(tmp_path / "no python"))
    assert isinstance(found, NotMeasured)
    assert "no python" in found.reason


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "engine.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
