"""The kernel in C gives NumPy's numbers; without a compiler it says so."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.source_model.read import read_model

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("design", ["A", "B"])
def test_both_designs_agree_with_numpy(monkeypatch: pytest.MonkeyPatch, design: str) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import kernel_in_c

    system = read_model(ROOT / "tests" / "models" / "every_function.mdl").system
    program = compile_program(system, TimeGrid(0, 20, 0.125), tuple(system.variables), ("slope", "budget"))
    random = np.random.default_rng(9)
    scenarios = 2 * kernel_in_c.ROW
    constants, paths = (
        {"slope": random.uniform(0.1, 1, scenarios)},
        {"budget": random.uniform(0, 6, (161, scenarios))},
    )
    given = {"slope": constants["slope"][None], **paths}
    if shutil.which("gcc") is None:
        with pytest.raises(kernel_in_c.NoCompilerError, match="gcc"):
            kernel_in_c.Kernel(program, given, design)
        return
    expected = run(program, constants, paths)
    result = np.empty_like(expected)
    kernel_in_c.Kernel(program, given, design).run(given, result)
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    assert (np.abs(result - expected) <= 1e-12 * size).all()


def test_without_a_compiler_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import kernel_in_c

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.argv", ["kernel_in_c.py", str(ROOT / "tests" / "models" / "logistic.mdl")])
    kernel_in_c.main()
    assert "gcc is not on the path" in capsys.readouterr().out
