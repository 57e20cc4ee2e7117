"""How time grows with runs, with variables and with decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from engine_cases import Case, Floats
from engine_report import Measured
from engine_runners import THREADS, PysdRunner, clocked
from sdopt.equations.block import run_block
from sdopt.equations.compiled.run import run_compiled
from sdopt.equations.differentiate import reverse
from sdopt.equations.program import Program
from sdopt.equations.simulate import Backend, run, stream

KINDS = (
    "prevention spending",
    "social base spending",
    "access spending",
    "reintegration spending",
    "participation spending",
)
OUTPUT = "social return"
DIFFERENCE = 1e-6
STEP = 1e-30
"""Imaginary part of a complex step."""
COLUMNS = 4000
"""Of one complex run: what fits in the memory of most computers."""


@dataclass
class Curve:
    """Seconds against something; points that are extrapolated are told apart."""

    label: str
    x: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    extrapolated: bool = False

    def add(self, x: float, seconds: float) -> None:
        self.x.append(x)
        self.seconds.append(seconds)


def growth_with_runs(measured: Measured, counts: Sequence[int]) -> list[Curve]:
    """Measured for our engine, block by block so that memory stays small; the others by their rate."""
    case = measured.case
    program = case.compile()
    curves = []
    for label, backend in _backends(measured).items():
        curve = Curve(label)
        for count in counts:
            answer = partial(_sum, program, case.design(count), count, backend)
            curve.add(count, clocked(answer, 3 if count < 100_000 else 1))
        curves.append(curve)
    for engine in ("kernel in C", "PySD run", "EMA Workbench"):
        timing = measured.timing(engine)
        if timing is not None:
            seconds = [count / timing.rate for count in counts]
            curves.append(Curve(engine, list(counts), seconds, extrapolated=True))
    return curves


def _sum(program: Program, design: Mapping[str, Floats], count: int, backend: Backend) -> float:
    """Over the last answers of all runs, so that every block is looked at and forgotten."""
    blocks = stream(program, design, scenarios=count, threads=THREADS, backend=backend)
    return sum(float(result[:, -1].sum()) for _, result in blocks)


def _backends(measured: Measured) -> dict[str, Backend]:
    found: dict[str, Backend] = {"sdopt, NumPy": run_block}
    if measured.timing("sdopt, compiled") is not None:
        found["sdopt, compiled"] = run_compiled
    return found


def growth_with_variables(sizes: Mapping[int, Measured]) -> list[Curve]:
    """Seconds per run of every engine."""
    curves: dict[str, Curve] = {}
    for size, measured in sizes.items():
        for timing in measured.timings:
            curves.setdefault(timing.engine, Curve(timing.engine)).add(size, 1 / timing.rate)
    return list(curves.values())


@dataclass(frozen=True)
class Gradients:
    """Seconds for value and gradient of one output for all scenarios, by number of decisions.

    `apart` is the largest difference of the gradients by reverse accumulation and by complex step,
    `apart_pysd` that to differences in PySD (one scenario, fewest decisions); parts of the largest slope.
    """

    scenarios: int
    curves: list[Curve]
    apart: float
    apart_pysd: float

    def seconds(self, decisions: int) -> float:
        """By reverse accumulation."""
        curve = self.curves[0]
        return curve.seconds[curve.x.index(decisions)]


class Question:
    """The mean over the years of one output of the shipped model, by yearly spending of five kinds.

    Every kind has equally many periods of equal length, as many as the decisions need.
    """

    def __init__(self, case: Case, scenarios: int) -> None:
        self.case = case
        self.program = case.compile(decisions=KINDS, outputs=[OUTPUT])
        self.design = case.design(scenarios)
        self.weights = np.full((1, 1, len(self.program.saved)), 1 / len(self.program.saved))
        self.today = np.array([case.value(kind) for kind in KINDS])

    def period(self, decisions: int) -> Any:
        """Of every grid time, (steps + 1,)."""
        steps = self.program.grid.steps
        return np.minimum(np.arange(steps + 1), steps - 1) * (decisions // len(KINDS)) // steps

    def choice(self, decisions: int) -> Floats:
        """Some spending (kind, period)."""
        random = np.random.default_rng(3)
        return self.today[:, np.newaxis] * random.uniform(0.9, 1.2, (len(KINDS), decisions // len(KINDS)))

    def paths(self, choice: Floats) -> dict[str, Floats]:
        """Spending over time by key, from (kind, period)."""
        over_time = choice[:, self.period(choice.size)]
        return {self.case.keys[kind]: path for kind, path in zip(KINDS, over_time, strict=True)}

    def by_reverse(self, choice: Floats) -> Floats:
        """The gradient (decision, scenario)."""
        _, slopes = reverse(self.program, self.design, self.paths(choice), self.weights, threads=THREADS)
        first = np.searchsorted(self.period(choice.size), np.arange(choice.shape[1]))
        parts = [np.add.reduceat(slopes[self.case.keys[kind]][0], first, axis=0) for kind in KINDS]
        return np.concatenate(parts)

    def by_complex_step(self, choice: Floats, scenarios: int) -> Floats:
        """The same for the first scenarios, with a column per decision and scenario."""
        size, period = choice.size, self.period(choice.size)
        moved = choice[..., np.newaxis] + 1j * STEP * np.eye(size).reshape(*choice.shape, size)
        paths = {self.case.keys[k]: np.tile(m[period], scenarios) for k, m in zip(KINDS, moved, strict=True)}
        constants = {key: np.repeat(values[:scenarios], size) for key, values in self.design.items()}
        result = run(self.program, constants, paths, threads=THREADS)
        slopes = result[0].imag.mean(axis=0) / STEP
        return np.asarray(slopes.reshape(scenarios, size).T)

    def by_differences(self, choice: Floats, runner: PysdRunner) -> tuple[Floats, float]:
        """The gradient (decision,) in PySD for the first scenario, and the median seconds of a run."""
        grid, taken, values = self.program.grid, [], []
        base = {name: float(self.design[self.case.keys[name]][0]) for name in self.case.constants}

        def follow(path: Floats) -> Any:
            return lambda: float(path[round((runner.model.time() - grid.start) / grid.step)])

        for moved in choice.ravel() + DIFFERENCE * np.vstack([np.zeros(choice.size), np.eye(choice.size)]):
            paths = self.paths(moved.reshape(choice.shape))
            given = base | {kind: follow(paths[self.case.keys[kind]]) for kind in KINDS}
            taken.append(clocked(lambda g=given: values.append(runner.run(g, [OUTPUT]).mean())))
        return (np.array(values[1:]) - values[0]) / DIFFERENCE, median(taken)


def growth_with_decisions(case: Case, counts: Sequence[int], scenarios: int, repeats: int) -> Gradients:
    """Reverse accumulation is measured; the others are extrapolated from part of the scenarios or runs."""
    question = Question(case, scenarios)
    exact, complex_step = Curve("reverse accumulation"), Curve("complex step", extrapolated=True)
    differences = Curve("differences in PySD, 1 process", extrapolated=True)
    apart = 0.0
    slopes, per_run = question.by_differences(question.choice(counts[0]), PysdRunner(case))
    ours = question.by_reverse(question.choice(counts[0]))[:, 0]
    apart_pysd = float(np.abs(slopes - ours).max() / np.abs(ours).max())
    for count in counts:
        choice, some = question.choice(count), min(max(COLUMNS // count, 1), scenarios)
        exact.add(count, clocked(lambda c=choice: question.by_reverse(c), repeats))
        complex_step.add(
            count, scenarios / some * clocked(lambda c=choice, s=some: question.by_complex_step(c, s))
        )
        differences.add(count, scenarios * (count + 1) * per_run)
        one, other = question.by_reverse(choice)[:, :some], question.by_complex_step(choice, some)
        apart = max(apart, float(np.abs(one - other).max() / np.abs(other).max()))
    return Gradients(scenarios, [exact, complex_step, differences], apart, apart_pysd)
