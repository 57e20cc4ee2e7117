"""The config that `sdopt init MODEL` writes: what a model offers, to be turned into a question."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import yaml

from sdopt.config.document import plain_value
from sdopt.config.schema import SCHEMA_VERSION
from sdopt.config.units import amount_per_year
from sdopt.equations.constant_value import constant_value
from sdopt.equations.evaluation_order import references
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import ConfigError

COMMENT_LENGTH = 70
MONEY = re.compile(r"eur|€|usd|\$", re.IGNORECASE)


def starting_point(system: EquationSystem, model_path: str) -> str:
    """A commented config for a model; it loads as it is, and what needs a choice is marked CHOOSE.

    `model_path` is written as the model file, so it must be relative to where the config will stand.

    Raises
    ------
    ConfigError
        If the model has nothing to decide on or nothing to maximise.
    """
    candidates = _candidate_decisions(system)
    maximise = _candidate_objectives(system)
    if not candidates or not maximise:
        lacking = "constants, so nothing can be decided" if maximise else "flows or auxiliaries to maximise"
        raise ConfigError(f"{model_path}: the model has no {lacking}; add them to the model first")
    lines = [
        *_head(model_path),
        *_years(system),
        *_decisions(system, candidates),
        *_constraints(system),
        *_objective(maximise),
    ]
    return "\n".join(lines) + "\n"


def yaml_text(text: str) -> str:
    """Text as a YAML value on one line: bare where that is safe, else quoted and escaped."""
    if re.fullmatch(r"[^\W\d_](?:[\w ]*\w)?", text, re.ASCII) and plain_value(text) == text:
        return text
    return str(yaml.dump(text, default_style='"', allow_unicode=True, width=math.inf)).strip()


def _head(model_path: str) -> Iterator[str]:
    yield "# A question to a model, written by `sdopt init`. Make the choices marked CHOOSE."
    yield "# For an editor that helps: run `sdopt schema > schema.json` here, and make this the first line:"
    yield "#   # yaml-language-server: $schema=schema.json"
    yield f"schema_version: {SCHEMA_VERSION}"
    yield "title: Which allocation returns most for society?  # CHOOSE: the question in one line"
    yield ""
    yield "model:"
    yield f"  file: {yaml_text(model_path)}"
    yield "  # constants: constants.csv  # table: name, value, low, high, unit, source, status, note"
    yield ""


def _years(system: EquationSystem) -> Iterator[str]:
    """The model's own horizon (at least one year), and the first council period of it."""
    first = math.ceil(system.time.start)
    end = max(system.time.end, first + 1.0)
    yield "horizon:"
    yield f"  start: {_number(system.time.start)}  # INITIAL TIME of the model"
    yield f"  end: {_number(end)}  # CHOOSE: the return is counted up to here"
    yield ""
    yield "decision_years:"
    yield f"  first: {first}  # CHOOSE"
    yield f"  last: {max(first, min(first + 3, math.floor(end) - 1))}  # CHOOSE"
    yield ""


def _candidate_decisions(system: EquationSystem) -> list[Variable]:
    """Constants with a range; else those per year, such as budgets; else all."""
    constants = system.of_kind("constant")
    ranged = [v for v in constants if v.low is not None and v.high is not None]
    per_year = [v for v in constants if amount_per_year(v.unit)]
    return ranged or per_year or list(constants)


def _decisions(system: EquationSystem, candidates: list[Variable]) -> Iterator[str]:
    yield "# CHOOSE what may be decided and how far: bounds are in the unit of the model."
    yield "decisions:"
    yield from _decision(system, candidates[0], "  ")
    if candidates[1:]:
        yield "  # Other constants of the model that may be decided on:"
    for variable in candidates[1:]:
        yield from _decision(system, variable, "  # ")
    yield ""


def _decision(system: EquationSystem, variable: Variable, indent: str) -> Iterator[str]:
    today = constant_value(variable.key, {v.key: v.expression for v in system.of_kind("constant")})
    low, high = variable.low, variable.high
    if low is None or high is None:
        low, high = sorted((0.0, 2 * today or 1.0))
    yield f"{indent}{yaml_text(variable.key)}:{_comment(variable.description)}"
    yield f"{indent}  variable: {yaml_text(variable.name)}"
    yield f"{indent}  bounds: [{_number(low)}, {_number(high)}]{_comment(f'{variable.unit}; now {today:g}')}"


def _constraints(system: EquationSystem) -> Iterator[str]:
    """One example on a stock, and the names of all stocks."""
    stocks = system.of_kind("stock")
    if not stocks:
        return
    yield "# Limits on what the model does, for example: no more than without new policy."
    yield "# constraints:"
    yield "#   Not more than in the null alternative:"
    yield f"#     variables: {{{yaml_text(stocks[0].name)}: 1}}"
    yield "#     at_most: {null_alternative: 1}"
    yield "# Stocks of the model:"
    for stock in stocks:
        yield f"#   {yaml_text(stock.name)}{_comment(stock.unit)}"
    yield ""


def _candidate_objectives(system: EquationSystem) -> list[Variable]:
    """Flows and auxiliaries, first those in money per year, and of these first what nothing else uses."""
    used = {key for v in system.variables.values() for key in references(v.expression)}

    def rank(variable: Variable) -> tuple[bool, bool, bool]:
        per_year = amount_per_year(variable.unit) is not None
        return not per_year, not MONEY.search(variable.unit), variable.key in used

    return sorted((*system.of_kind("flow"), *system.of_kind("auxiliary")), key=rank)


def _objective(candidates: list[Variable]) -> Iterator[str]:
    chosen = candidates[0]
    yield "objective:"
    yield f"  maximise: {yaml_text(chosen.name)}{_comment(f'CHOOSE ({chosen.unit})')}"
    yield '  discount_rate: "2025"'


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _comment(text: str) -> str:
    """Text of the model as a comment: one line of printable characters, or nothing."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    short = line if len(line) <= COMMENT_LENGTH else line[:COMMENT_LENGTH].rstrip() + "..."
    return f"  # {short}" if short else ""
