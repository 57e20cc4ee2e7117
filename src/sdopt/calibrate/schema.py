"""What a calibration config may say. The docstrings below are the reference; unknown keys are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from sdopt.config.schema import ModelFiles
from sdopt.config.strict import Strict


class Span(Strict):
    """The time that is simulated; the initial stocks, as changed in `model.changes`, hold at its start."""

    start: float
    """Time at which the simulation starts; it may differ from INITIAL TIME of the model."""
    end: float
    """Time at which it ends."""
    time_step: float | None = None
    """Length of one step; the model's own when absent."""


class Observed(Strict):
    """The observations that the model is held against."""

    file: Path
    """Table of observed points (.csv or .xlsx), relative to this config file; see docs/calibration.md."""
    series: tuple[str, ...] = ()
    """Series of that table to use; all when absent."""


class Fitted(Strict):
    """How far one constant may move."""

    bounds: tuple[float, float] | None = None
    """Lowest and highest value in the model's unit; low and high of the constants table when absent."""


class FitSearch(Strict):
    """How the best fit is looked for."""

    starts: int = Field(default=8, ge=1)
    """Number of starts: the first from the value in use, the others spread over the bounds."""
    seed: int = Field(default=1, ge=0)
    """Seed of the starts."""


class FitOutput(Strict):
    """Where results go and in which language."""

    directory: Path = Field(default=Path("../results"), json_schema_extra={"default": "../results"})
    """Folder that gets one new folder per run, relative to this config file."""
    language: Literal["nl", "en"] = "nl"
    """Language of everything that is written for people."""


class CalibrationConfig(Strict):
    """Which constants of one model to fit to which observations."""

    schema_version: Literal[1]
    """Version of this format."""
    title: str = Field(min_length=1)
    """What is calibrated, in one line; printed on every result."""
    model: ModelFiles
    """The model file, and what is changed in it."""
    horizon: Span
    """The time that is simulated."""
    observed: Observed
    """The observations."""
    fit: dict[str, Fitted] = Field(min_length=1)
    """Name of a constant as written in the model -> how far it may move."""
    search: FitSearch = FitSearch()
    """How the best fit is looked for."""
    output: FitOutput = FitOutput()
    """Where results go and in which language."""
