"""The peers get the same question: their equations are ours, and on a tiny problem they find its optimum."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parents[2]
TINY = ROOT / "benchmarks" / "problems" / "resource-depletion" / "config.yaml"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


@pytest.mark.parametrize(
    "name",
    ["first-version/configs/voorbeeld-100k", "threshold/config", "mini-world/config", "centres/config"],
)
def test_casadi_has_our_objective_and_slacks(name: str) -> None:
    import casadi as ca

    from casadi_model import Transcription
    from problem_set import FOLDER, pose

    question = pose(FOLDER / f"{name}.yaml").question
    model = Transcription(question)
    x = ca.MX.sym("x", question.problem.decisions.size)
    outcome = ca.Function("outcome", [x], list(model.outcome(model.trajectories(x)[1])))
    for point in np.random.default_rng(4).random((3, question.problem.decisions.size)):
        ours = question.batch(point[None])[0]
        improvement, slacks = outcome(point)
        assert float(improvement) == pytest.approx(ours[0], rel=1e-9, abs=1e-9)
        assert np.array(slacks).ravel() == pytest.approx(ours[1:], rel=1e-9, abs=1e-9)


def test_scip_accepts_our_run_as_a_solution_with_our_objective() -> None:
    """Every constraint of SCIP holds in a run of the model; a run with another objective is refused."""
    from problem_set import pose
    from scip_model import ScipModel

    question = pose(TINY).question
    start = np.full(question.problem.decisions.size, 0.1)
    made = ScipModel(question, start)
    given = made.model.createSol()
    for variable, value in made.solution:
        made.model.setSolVal(given, variable, value)
    assert made.model.checkSol(given)
    assert made.model.getSolObjVal(given) == pytest.approx(question.batch(start[None])[0, 0], rel=1e-9)
    made.model.setSolVal(given, made.x[0], 0.2)
    assert not made.model.checkSol(given)


@pytest.mark.parametrize("peer", ["sdopt", "slsqp-exact", "ipopt-shooting", "ipopt-full", "scip"])
def test_a_peer_finds_the_optimum_of_a_tiny_problem(peer: str) -> None:
    from problem_set import entries, pose

    entry = entries(["resource-depletion"])[0]
    command = [sys.executable, str(ROOT / "benchmarks" / "attempt.py"), str(TINY), peer, "20", "cpu", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    question = pose(TINY).question
    improvement = entry.best - question.problem.null_objective
    found = question.batch(np.array(made["x"])[None])[0, 0]
    assert found == pytest.approx(improvement, abs=1e-4 * improvement)
    assert made["history"][-1][0] <= made["seconds"] < 60
