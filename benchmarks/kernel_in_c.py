"""The practical limit: the same equations as C, compiled for this processor, on two threads.

    python benchmarks/kernel_in_c.py [MODEL] [--runs 16384]

For the benchmark only: sdopt itself needs no compiler. -O3 -march=native, no -ffast-math.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel_in_c_source import PEAK_OPERATIONS, ROW, Design, Places, source
from sdopt.equations.block import before_the_loop, run_block
from sdopt.equations.constant_value import constant_value
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.source_model.read import read_model

Array = NDArray[Any]

THREADS = 2
BLOCK = 1024
REPEATS = 5
AGREEMENT = 1e-12
DEFAULT = Path(__file__).parents[1] / "models" / "social_domain.mdl"
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC", "-w")
PEAK_REPEATS = 20_000_000


class NoCompilerError(Exception):
    """There is no gcc here."""


@dataclass(frozen=True)
class Measured:
    """What the C kernel did: operations are elementary ones, a call of exp or the like counting as one."""

    design: Design
    runs_per_second: float
    gflops: float
    peak_gflops: float
    difference: float

    @property
    def share(self) -> float:
        """Of peak arithmetic."""
        return self.gflops / self.peak_gflops


class Kernel:
    """A program compiled by gcc for inputs of the shapes of `given`; scenarios in multiples of `ROW`."""

    def __init__(self, program: Program, given: Mapping[str, Array], design: Design) -> None:
        self.program = program
        values, loop = before_the_loop(
            program, {key: v[:, :1] if v.shape[1] == 1 else v for key, v in given.items()}
        )
        read = {r for i in loop for r in i.inputs} | {s.source for s in program.stocks}
        read |= {program.time_step, *program.output_registers}
        shapes = {r: values[r].shape for r in sorted(read & values.keys())}
        chosen: list[dict[int, int]] = [{}, {}, {}]
        for r, (moments, scenarios) in shapes.items():
            if (moments, scenarios) != (1, 1):
                kind = chosen[0 if scenarios == 1 else 1 if moments == 1 else 2]
                kind[r] = len(kind)
        literals = {r: float(values[r][0, 0]) for r, shape in shapes.items() if shape == (1, 1)}
        self.places = Places(literals, *chosen)
        self.operations = len(loop) + sum(2 - s.assigned * 2 for s in program.stocks)
        self.library = _compile(program, loop, self.places, design)

    def run(self, given: Mapping[str, Array], result: Array, threads: int = THREADS) -> None:
        """Simulate, each thread an equal part of the scenarios."""
        width, program, places = result.shape[2], self.program, self.places
        values, _ = before_the_loop(program, given)
        wide = {r: np.ascontiguousarray(np.broadcast_to(v, (len(v), width)), float) for r, v in values.items()
                if r in places.over_scenarios or r in places.over_both}  # fmt: skip
        starts = [
            np.ascontiguousarray(np.broadcast_to(values[s.initial][0], width), float) for s in program.stocks
        ]
        table = np.array([values[r][:, 0] for r in places.over_time], float).T.copy()
        slots = np.full(program.saved[-1] + 1, -1, np.int64)
        slots[list(program.saved)] = np.arange(len(program.saved))
        for place, register in enumerate(program.output_registers):
            if register in places.literals:
                result[place] = places.literals[register]
        pointers = [
            _addresses([wide[r] for r in places.over_scenarios]),
            _addresses([wide[r] for r in places.over_both]),
            _addresses(starts),
        ]
        strides = [stride // result.itemsize for stride in result.strides[:2]]
        arguments = (
            len(slots), pointers[0].ctypes.data, pointers[1].ctypes.data, width, table.ctypes.data,
            slots.ctypes.data, result.ctypes.data, *strides, pointers[2].ctypes.data,
        )  # fmt: skip
        part = -(-width // threads // ROW) * ROW
        with ThreadPoolExecutor(threads) as pool:
            list(
                pool.map(
                    lambda k: self.library.run(k, min(k + part, width), *arguments), range(0, width, part)
                )
            )

    def peak(self, threads: int = THREADS) -> float:
        """GFLOP/s of fused multiply-adds on registers, all threads together."""
        begun = perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self.library.peak, [PEAK_REPEATS] * threads))
        operations = threads * PEAK_REPEATS * PEAK_OPERATIONS * self.library.lanes()
        return float(operations / (perf_counter() - begun) / 1e9)


def _addresses(arrays: list[Array]) -> Array:
    return np.array([array.ctypes.data for array in arrays], np.uint64)


def _compile(program: Program, loop: Any, places: Places, design: Design) -> ctypes.CDLL:
    """With GNU's vector mathematics if that is there, else without."""
    gcc = shutil.which("gcc")
    if gcc is None:
        raise NoCompilerError(
            "gcc is not on the path: no kernel in C, and no practical limit to compare with"
        )
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for mvec in (True, False):
            file, library = Path(folder) / f"kernel{mvec}.c", Path(folder) / f"kernel{mvec}.so"
            file.write_text(source(program, loop, places, design, mvec=mvec), encoding="utf-8")
            libraries = ["-lmvec", "-lm"] if mvec else ["-lm"]
            done = subprocess.run(
                [gcc, *FLAGS, str(file), "-o", str(library), *libraries],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                return _typed(ctypes.CDLL(str(library)))
    raise RuntimeError(f"gcc does not take the kernel:\n{done.stderr[:2000]}")


def _typed(library: ctypes.CDLL) -> ctypes.CDLL:
    number, pointer = ctypes.c_long, ctypes.c_void_p
    library.run.argtypes = [
        *[number] * 3, pointer, pointer, number, pointer, pointer, pointer, number, number, pointer
    ]  # fmt: skip
    library.run.restype = None
    library.peak.argtypes, library.peak.restype = [number], ctypes.c_double
    library.lanes.restype = number
    return library


def measure(program: Program, given: Mapping[str, Array], scenarios: int) -> Measured:
    """The faster design; `given` as for a backend, for `scenarios` (a multiple of `ROW`).

    Raises
    ------
    NoCompilerError
        Without gcc.
    SystemExit
        If the kernel and NumPy disagree.
    """
    result = np.empty((len(program.outputs), len(program.saved), scenarios))
    expected = np.empty_like(result)
    for k in range(0, scenarios, BLOCK):
        part = slice(k, k + BLOCK)
        run_block(
            program,
            {key: v if v.shape[1] == 1 else v[:, part] for key, v in given.items()},
            expected[:, :, part],
        )
    measured = [_one(program, given, result, expected, design) for design in ("A", "B")]
    return max(measured, key=lambda one: one.runs_per_second)


def _one(
    program: Program, given: Mapping[str, Array], result: Array, expected: Array, design: Any
) -> Measured:
    kernel = Kernel(program, given, design)
    kernel.run(given, result)
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    difference = float((np.abs(result - expected) / np.where(size > 0, size, 1.0)).max())
    if not difference <= AGREEMENT:
        raise SystemExit(f"the kernel in C (design {design}) and NumPy disagree: {difference:.2g}")
    seconds = []
    for _ in range(REPEATS):
        begun = perf_counter()
        kernel.run(given, result)
        seconds.append(perf_counter() - begun)
    rate = result.shape[2] / min(seconds)
    operations = kernel.operations * (program.saved[-1] + 1)
    return Measured(design, rate, rate * operations / 1e9, kernel.peak(), difference)


def varied(model: Path, scenarios: int, spread: float = 0.03) -> tuple[Program, dict[str, Array]]:
    """A model with every constant different in every scenario; its stocks at the end are the outputs."""
    system = read_model(model).system
    axis = system.time
    expressions = {key: v.expression for key, v in system.variables.items() if v.kind == "constant"}
    random = np.random.default_rng(1)
    factors = random.uniform(1 - spread, 1 + spread, (len(expressions), scenarios))
    given = {
        key: constant_value(key, expressions) * factor[np.newaxis]
        for key, factor in zip(expressions, factors, strict=True)
    }
    grid = TimeGrid(axis.start, axis.end, axis.step)
    outputs = [variable.key for variable in system.of_kind("stock")]
    return compile_program(system, grid, outputs, tuple(given), saved=(grid.steps,)), given


def main() -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", default=DEFAULT)
    parser.add_argument("--runs", type=int, default=16384)
    arguments = parser.parse_args()
    scenarios = -(-arguments.runs // ROW // THREADS) * ROW * THREADS
    program, given = varied(arguments.model, scenarios)
    try:
        found = measure(program, given, scenarios)
    except NoCompilerError as error:
        print(error)
        return
    print(f"{arguments.model.name}: {len(program.loop)} operations a step, {program.grid.steps} steps")
    print(f"C (design {found.design}, {THREADS} threads): {found.runs_per_second:,.0f} runs a second")
    print(
        f"{found.gflops:.1f} GFLOP/s (exp and the like counted as one) of {found.peak_gflops:.1f} at most,",
        end=" ",
    )
    print(f"{found.share:.0%}; agrees with NumPy to {found.difference:.0e}")


if __name__ == "__main__":
    main()
