"""What a result was made of (for summary.json and the workbook), and when and where (for run.json)."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt import __version__
from sdopt.config.load import LoadedConfig
from sdopt.config.schema import Output
from sdopt.config.sheets.source import source_of
from sdopt.config.uncertainty import observation_files
from sdopt.equations.system import EquationSystem
from sdopt.export.replay_model import fill_in
from sdopt.problem.build import Problem, constant_values
from sdopt.problem.meaning import resolve
from sdopt.problem.reader_names import decision_names, reader_names
from sdopt.result import Result
from sdopt.source_model.read import SourceModel

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = ("pysd", "numpy", "scipy", "pyomo", "highspy", "pandas", "pydantic")


def with_provenance(result: Result, loaded: LoadedConfig, model: SourceModel) -> Result:
    """The result with versions, hashes and the table `sources`; nothing that depends on time or place."""
    table, ledger, valuation = loaded.config.model.constants, loaded.config.ledger, loaded.config.valuation
    facts = {
        "model_file": model.path.name,
        "model_hash": model.sha256,
        "constants_hash": table_hash(table) if table else None,
        "discount_rate": loaded.config.objective.discount_rate,
        "base_year": loaded.config.objective.base_year or loaded.config.decision_years.first,
        "horizon": [loaded.config.horizon.start, loaded.config.horizon.end],
        "shown": _shown(loaded.config.output, model.system),
        "labels": reader_names(loaded.config, model.system),
        "decision_names": decision_names(loaded.config, model.system),
    }
    if names := loaded.config.output.names:
        facts["names_hash"] = text_hash(names.read_bytes())
    if municipality := loaded.config.model.municipality:
        facts["municipality_hash"] = table_hash(municipality)
    if ledger:
        facts["ledger_hash"] = text_hash(ledger.file.read_bytes())
        facts["perspectives_hash"] = text_hash(ledger.perspectives_file.read_bytes())
        if not_valued := ledger.not_valued_file:
            facts["not_valued_hash"] = text_hash(not_valued.read_bytes())
    if valuation:
        facts["valuation_hash"] = text_hash(valuation.file.read_bytes())
    if loaded.fiscal:
        facts["fiscal_rules_hash"] = loaded.fiscal.library.sha256
    if files := observation_files(loaded.config.uncertainties):
        facts["observation_hashes"] = {file.name: table_hash(file) for file in files}
    found = Result(**{**vars(result), "provenance": {**result.provenance, **facts}})
    return found.with_tables(sources=_sources(loaded, facts)).with_figures(
        versions=versions(), config_hash=loaded.sha256
    )


def _sources(loaded: LoadedConfig, facts: Mapping[str, Any]) -> pd.DataFrame:
    """Every file that the question was read from: its role, name and hash."""
    import pandas as pd

    config = loaded.config
    files = {
        "constants": config.model.constants,
        "municipality": config.model.municipality,
        "names": config.output.names,
        "ledger": config.ledger and config.ledger.file,
        "perspectives": config.ledger and config.ledger.perspectives_file,
        "not_valued": config.ledger and config.ledger.not_valued_file,
        "valuation": config.valuation and config.valuation.file,
        "fiscal_rules": loaded.fiscal and loaded.fiscal.library.path,
    }
    rows = [("question", "config.yaml", loaded.sha256), ("model", facts["model_file"], facts["model_hash"])]
    rows += [(role, path.name, facts[f"{role}_hash"]) for role, path in files.items() if path]
    rows += [("observations", name, hashed) for name, hashed in facts.get("observation_hashes", {}).items()]
    return pd.DataFrame(rows, columns=["role", "file", "sha256"])


def _shown(output: Output, system: EquationSystem) -> list[str]:
    """Names as the model writes them, of what the config wants to see; all stocks when it does not say."""
    found = [resolve(name, system) for name in output.show] or system.of_kind("stock")
    return [variable.name for variable in found if variable is not None]


def table_hash(path: Path) -> str:
    """Hash of a table that was read: of text without its line ends, of a workbook as it is on disk."""
    source = source_of(path)
    content = source.file.read_bytes()
    return sha256(content).hexdigest() if source.is_workbook else text_hash(content)


def text_hash(content: bytes) -> str:
    """Hash that a checkout with other line ends does not change."""
    return sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def versions(*more: str) -> dict[str, str]:
    """The version of everything that computes, and of `more` libraries."""
    found = {"sdopt": __version__, "python": platform.python_version()}
    for library in (*LIBRARIES, *more):
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


def _siblings(problem: Problem, keys: Iterable[str]) -> dict[str, float]:
    """The values of all elements of the arrays that some keys are elements of."""
    variables, values = problem.system.variables, constant_values(problem.system)
    arrays = {variables[key].parts[0] for key in keys if variables[key].subscripts}
    return {k: v for k, v in values.items() if variables[k].subscripts and variables[k].parts[0] in arrays}


def allocation_model(result: Result, problem: Problem, model: SourceModel) -> str | None:
    """The model file with the advice filled in, over the whole horizon, for Vensim.

    None for other formats than .mdl, which Vensim does not open; and for RK4, whose stages would look into
    the slope of a lookup just before it jumps.
    """
    if model.path.suffix.lower() != ".mdl" or model.system.time.method == "rk4":
        return None
    times = [float(time) for time in problem.grid.times]
    point = result.tables["decisions"]["value"].to_numpy(dtype=float)
    names = {key: variable.name for key, variable in problem.system.variables.items()}
    advice = problem.decisions.expand(point[None])
    beside = _siblings(problem, advice)
    paths = {names[key]: [(times[0], value)] for key, value in beside.items() if key not in advice}
    paths |= {names[key]: list(zip(times, path[:, 0].tolist(), strict=True)) for key, path in advice.items()}
    settings = {"TIME STEP": problem.grid.step, "FINAL TIME": problem.grid.end}
    constants = {**_siblings(problem, problem.changed_constants), **problem.changed_constants}
    constants = {names[key]: v for key, v in constants.items() if key not in {*beside, *advice}}
    text = model.path.read_bytes().decode("utf-8-sig")
    return fill_in(text, paths, problem.grid.step, {**constants, **settings})
