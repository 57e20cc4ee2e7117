"""The fiscal rules of the Netherlands fit the model of the social domain, and each says something of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from sdopt.config.fiscal_library import Library, read_library
from sdopt.config.load import load_config
from sdopt.config.units import plain_unit
from sdopt.equations.system import EquationSystem
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import build_problem, constant_values
from sdopt.problem.meaning import resolve
from sdopt.source_model.read import SourceModel, read_model

ROOT = Path(__file__).resolve().parents[2]
OFF = "co-financing by insurers"
TEST_CONFIG: dict[str, Any] = {
    "schema_version": 1,
    "title": "Every rule as it is in the library",
    "model": {"file": str(ROOT / "models" / "social_domain.mdl")},
    "horizon": {"start": 2026, "end": 2041},
    "decision_years": {"first": 2027, "last": 2030},
    "decisions": {"prevention": {"variable": "prevention spending", "bounds": [0, 20]}},
    "objective": {"maximise": "social return"},
    "output": {"language": "en"},
}


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library(ROOT / "models" / "fiscal_rules.yaml")


@pytest.fixture(scope="module")
def model() -> SourceModel:
    return read_model(ROOT / "models" / "social_domain.mdl")


@pytest.fixture(scope="module")
def table(library: Library, model: SourceModel, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What the rules say of the null alternative, when all but one are chosen."""
    apply: dict[str, Any] = {rule.name: {} for rule in library.rules if rule.name != OFF}
    return say(library, model, apply, tmp_path_factory.mktemp("fiscal"))


def say(library: Library, model: SourceModel, apply: dict[str, Any], folder: Path) -> pd.DataFrame:
    """What these rules say of the null alternative."""
    rules = {"file": str(library.path), "apply": apply}
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump({**TEST_CONFIG, "fiscal_rules": rules}), encoding="utf-8")
    problem = build_problem(load_config(path), model.system)
    return simulate_allocation(problem, None, "run").tables["fiscal_rules"]


def test_every_constant_of_a_rule_is_one_of_the_model_within_the_range_of_the_rule(
    library: Library, model: SourceModel
) -> None:
    system: EquationSystem = model.system
    values = constant_values(system)
    for rule in library.rules:
        for name, parameter in rule.parameters.items():
            if parameter.constant is None:
                continue
            found = resolve(parameter.constant, system)
            assert found is not None, (rule.id, name)
            assert found.kind == "constant", (rule.id, name)
            assert plain_unit(found.unit) == plain_unit(parameter.unit), (rule.id, name)
            assert parameter.low is not None
            assert parameter.high is not None
            assert parameter.low <= values[found.key] <= parameter.high, (rule.id, name)


def test_the_option_that_is_off_by_default_is_off_in_the_model(library: Library, model: SourceModel) -> None:
    rule = library.find(OFF)
    assert rule is not None
    (parameter,) = rule.parameters.values()
    found = resolve(str(parameter.constant), model.system)
    assert found is not None
    assert constant_values(model.system)[found.key] == 0
    assert parameter.value != 0


def test_every_rule_says_something(table: pd.DataFrame, library: Library) -> None:
    assert list(dict.fromkeys(table["id"])) == [rule.id for rule in library.rules]
    said = table[table["chosen"]]
    assert set(said["rule"]) == {rule.name for rule in library.rules} - {OFF}
    assert said["null"].notna().all()
    assert list(table[~table["chosen"]]["verdict"]) == ["model_decides"]


def test_money_is_said_to_be_in_real_or_in_current_prices(table: pd.DataFrame) -> None:
    money = table["unit"].str.contains("EUR")
    assert money.any()
    assert set(table[money]["prices"]) == {"real", "current"}
    assert set(table[~money]["prices"]) == {""}
    assert set(table[table["prices"] == "current"]["id"]) == {"F1", "F2", "F4"}


def test_every_decision_year_is_reported(table: pd.DataFrame) -> None:
    for code in (
        "F1",
        "F2",
        "F3",
        "F4",
        "F5",
        "F6",
        "F7",
        "F8",
        "F9",
        "F10",
        "F11",
        "F13",
        "F14",
        "F16",
        "F17",
    ):
        years = set(table[table["id"] == code]["year"].dropna())
        assert years >= {2027, 2028, 2029, 2030}, code
    assert table[table["id"] == "F5"]["class"].str.fullmatch("[A-F]").all()


def test_the_balance_relative_to_now(library: Library, model: SourceModel, tmp_path: Path) -> None:
    """Going on as now has all of the room that is given beyond it, in prices of the year."""
    settings = {"relative to now": "100%", "smallest balance": -1.5, "when": "every year"}
    found = say(
        library, model, {"structural balance": settings, "realistic savings": dict(settings)}, tmp_path
    )
    found = found[found["chosen"]]
    assert set(found["prices"]) == {"current"}
    for _, rows in found.groupby("id"):
        assert list(rows["year"]) == [2027, 2028, 2029, 2030]
        assert (rows["slack"] > 1.5).all()
        assert rows["slack"].is_monotonic_increasing
