"""The models of the benchmark: one file each, that every engine reads.

Six outputs are kept at yearly times; fifteen uncertain constants are different in every run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generated_model import generate
from sdopt.config.load import load_config
from sdopt.equations.constant_value import constant_value
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.source_model.read import SourceModel, read_model

Floats = NDArray[np.float64]

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "models" / "social_domain.mdl"
QUESTION = ROOT / "configs" / "vrij-pad-20-jaar.yaml"
NEIGHBOURHOODS = Path(__file__).parent / "models" / "neighbourhoods.mdl"

UNCERTAIN = 15
SPREAD = 0.1
"""An uncertain constant is at most this part above or below its value in the file."""

DRAWN = 100_000
"""Runs of a design; a longer one begins again."""

SHIPPED_OUTPUTS = (
    "social return",
    "General reserve",
    "people on bijstand",
    "Unmet need",
    "entitlement spending",
    "end value of stocks",
)
SHIPPED_CONSTANTS = (
    "exit hazard short",
    "exit hazard medium",
    "exit hazard long",
    "cost per trajectory",
    "net job chance of trajectory",
    "health effect of participation",
    "saturation of prevention",
    "load threshold",
    "growth of light need",
    "light exit rate",
    "heavy exit rate",
    "youth exit rate",
    "price of light help",
    "price of heavy help",
    "value of a placed person",
)
NEIGHBOURHOOD_OUTPUTS = (
    "residents of town",
    "people looking for a home",
    "homes in town",
    "total need",
    "average quality",
    "highest share in need",
)
NEIGHBOURHOOD_CONSTANTS = (
    "birth rate",
    "moving rate",
    "sensitivity to quality",
    "share that stays in town",
    "people per home",
    "wanted vacancy",
    "building rate",
    "building time",
    "network time",
    "perception time",
    "need rate",
    "protection by networks",
    "resolving rate",
    "cost of help",
    "growth of budget",
)


@dataclass(frozen=True)
class Case:
    """A model file with the names of its outputs and uncertain constants."""

    title: str
    path: Path
    outputs: tuple[str, ...]
    constants: tuple[str, ...]

    @cached_property
    def model(self) -> SourceModel:
        return read_model(self.path)

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """By name as written."""
        return {variable.name: key for key, variable in self.model.system.visible.items()}

    @cached_property
    def grid(self) -> TimeGrid:
        axis = self.model.system.time
        return TimeGrid(axis.start, axis.end, axis.step)

    @property
    def yearly(self) -> range:
        """Grid indices of whole years."""
        return range(0, self.grid.steps + 1, round(1 / self.grid.step))

    def compile(self, decisions: Sequence[str] = (), outputs: Sequence[str] = ()) -> Program:
        """For all outputs or some, with decisions (names) as further inputs."""
        asked = [self.keys[name] for name in outputs or self.outputs]
        inputs = [self.keys[name] for name in (*self.constants, *decisions)]
        return compile_program(self.model.system, self.grid, asked, inputs, self.yearly)

    def value(self, name: str) -> float:
        """Of a constant, in the file."""
        variables = self.model.system.of_kind("constant")
        return float(constant_value(self.keys[name], {v.key: v.expression for v in variables}))

    @cached_property
    def _drawn(self) -> Floats:
        """A Latin hypercube (constant, run), always the same."""
        random = np.random.default_rng(1)
        places = [random.permutation(DRAWN) + random.random(DRAWN) for _ in self.constants]
        values = np.array([[self.value(name)] for name in self.constants])
        return values * (1 + SPREAD * (2 * np.array(places) / DRAWN - 1))

    def design(self, runs: int) -> dict[str, Floats]:
        """Values (run,) of the uncertain constants by key; the first runs of a longer design are the same."""
        return {
            self.keys[name]: np.resize(values, runs)
            for name, values in zip(self.constants, self._drawn, strict=True)
        }


def shipped(folder: Path) -> Case:
    """The model that comes with sdopt, on the time grid of a worked example and saved every year."""
    horizon = load_config(QUESTION).config.horizon
    text = SHIPPED.read_text(encoding="utf-8")
    settings = {"INITIAL TIME": horizon.start, "FINAL TIME": horizon.end, "SAVEPER": 1}
    for name, value in settings.items():
        text = re.sub(rf"^{name}\s*=\s*[\w ]+$", f"{name} = {value:g}", text, count=1, flags=re.MULTILINE)
    path = _written(folder, "social_domain", text)
    return Case("shipped model, scalar", path, SHIPPED_OUTPUTS, SHIPPED_CONSTANTS)


def neighbourhoods(folder: Path) -> Case:
    """A town of ten neighbourhoods."""
    path = _written(folder, "neighbourhoods", NEIGHBOURHOODS.read_text(encoding="utf-8"))
    return Case("ten neighbourhoods, subscripted", path, NEIGHBOURHOOD_OUTPUTS, NEIGHBOURHOOD_CONSTANTS)


def generated(folder: Path, variables: int) -> Case:
    """A generated model of so many variables."""
    made = generate(variables)
    path = _written(folder, f"generated_{variables}", made.text)
    places = np.linspace(0, len(made.constants) - 1, min(UNCERTAIN, len(made.constants))).round().astype(int)
    constants = tuple(made.constants[place] for place in places)
    return Case(f"generated, {variables:,} variables", path, made.outputs, constants)


def _written(folder: Path, name: str, text: str) -> Path:
    """PySD writes its translation beside the model file, so it has a folder of its own."""
    path = folder / name / f"{name}.mdl"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path
