"""The benchmark runs, and puts the same question to PySD as to our own engine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "herverdelen-100k.yaml"
OPTIMISERS = (
    "sdopt search, with proof",
    "SLSQP, our engine and gradients",
    "SLSQP on PySD",
    "differential evolution on PySD",
)


def test_pysd_and_the_batch_engine_give_the_same_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from pysd_engine import PysdEngine
    from question import Question

    loaded = load_config(CONFIG)
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    pysd = PysdEngine(Question(problem), model)
    random = np.random.default_rng(5)
    for x in random.random((3, problem.decisions.size)):
        lower, upper = problem.decisions.lower(), problem.decisions.upper()
        values = problem.evaluator.values((lower + x * (upper - lower))[None]).value
        theirs = pysd.outcome(x)
        objective = float(problem.objective(values)[0])
        assert theirs[0] + problem.null_objective == pytest.approx(objective, rel=1e-9, abs=0)
        assert theirs[1:] == pytest.approx(problem.slacks(values)[0], rel=1e-9, abs=1e-9)


def test_slopes_agree_with_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from engines import exact_slopes
    from peers import Recorder
    from question import Question

    loaded = load_config(CONFIG)
    question = Question(build_problem(loaded, read_model(loaded.config.model.file).system))
    x = np.random.default_rng(2).random(question.problem.decisions.size)
    recorder = Recorder(question, lambda x: question.batch(x[None])[0], limit=1e6)
    exact = exact_slopes(question)(x)
    assert np.abs(recorder.differences(x) - exact).max() < 1e-4 * np.abs(exact).max()


@pytest.mark.slow
def test_the_benchmark_prints_its_table(tmp_path: Path) -> None:
    config = ROOT / "tests" / "data" / "wijk.yaml"  # small: the page has the figures of the shipped question
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--config", str(config)]
    command += ["--minutes", "0.01"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())
    rows = {line[:33].strip(): line[33:].split() for line in done.stdout.splitlines()}
    improvements = {name: float(rows[name][0]) for name in OPTIMISERS}
    assert all(rows[name][2] == "yes" for name in OPTIMISERS)
    assert min(improvements.values()) >= 0
    bound = re.search(r"bound (\d+\.\d+)", done.stdout)
    assert bound is not None
    assert max(improvements.values()) <= float(bound[1]) * (1 + 1e-4)
    for section in ("at most a tenth of its seconds", "PySD, one run", "regret of the advice"):
        assert section in done.stdout
