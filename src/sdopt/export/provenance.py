"""What a result was made of (for summary.json and the workbook), and when and where (for run.json)."""

from __future__ import annotations

import platform
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sdopt import __version__
from sdopt.config.load import LoadedConfig
from sdopt.export.replay_model import fill_in
from sdopt.problem.build import Problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel

LIBRARIES = ("pysd", "numpy", "scipy", "pyomo", "highspy", "pandas", "pydantic")


def with_provenance(result: Result, loaded: LoadedConfig, model: SourceModel) -> Result:
    """The result with versions and hashes; nothing that depends on time or place."""
    table = loaded.config.model.constants
    facts = {
        "model_file": model.path.name,
        "model_hash": model.sha256,
        "constants_hash": _text_hash(table.read_bytes()) if table else None,
        "discount_rate": loaded.config.objective.discount_rate,
        "base_year": loaded.config.objective.base_year or loaded.config.decision_years.first,
        "horizon": [loaded.config.horizon.start, loaded.config.horizon.end],
        "shown": list(loaded.config.output.show),
    }
    versions = {"sdopt": __version__, "python": platform.python_version(), **_versions()}
    return Result(**{**vars(result), "provenance": {**result.provenance, **facts}}).with_figures(
        versions=versions, config_hash=loaded.sha256
    )


def _text_hash(content: bytes) -> str:
    """Hash that a checkout with other line ends does not change."""
    return sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "unknown"
    return found


def run_facts(started: datetime) -> Mapping[str, Any]:
    """When, how long and where: only for run.json."""
    ended = datetime.now(UTC)
    return {
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 3),
        "host": socket.gethostname(),
        "platform": platform.platform(),
    }


def allocation_model(result: Result, problem: Problem, model: SourceModel) -> str | None:
    """The model file with the advice filled in, for Vensim; None for other formats than .mdl."""
    if model.path.suffix.lower() != ".mdl":
        return None
    advice = result.tables["allocation"].query("allocation == 'advice'")
    paths = {
        str(name): list(zip(rows["time"], rows["value"], strict=True))
        for name, rows in advice.groupby("variable", sort=False)
    }
    names = {key: problem.system.variables[key].name for key in problem.changed_constants}
    constants = {
        names[key]: value for key, value in problem.changed_constants.items() if names[key] not in paths
    }
    return fill_in(model.path.read_text(encoding="utf-8-sig"), paths, problem.grid.step, constants)
