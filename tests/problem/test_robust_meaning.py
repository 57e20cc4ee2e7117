"""What `robust` names must exist: limits that depend on the scenario, and constants that are drawn."""

import re
from pathlib import Path
from typing import Any

import pytest

from sdopt.config.load import load_config
from sdopt.config.municipality import constants_of
from sdopt.errors import ConfigError
from sdopt.problem.meaning import check_meaning
from sdopt.source_model.read import read_model

TESTS = Path(__file__).parents[1]
CONFIG = TESTS / "data/uncertainty/wijk_onzeker.yaml"
SHIPPED = TESTS.parent / "configs/onzeker-100k.yaml"


def complaints(changes: dict[str, Any], config: Path = CONFIG) -> list[str]:
    loaded = load_config(config, changes)
    system = read_model(loaded.config.model.file).system
    with pytest.raises(ConfigError) as refused:
        check_meaning(loaded, system, constants_of(loaded.config.model))
    told = re.sub(r" \(line [0-9]+\)", "", str(refused.value))
    return [line.removeprefix("  * ") for line in told.splitlines()[1:]]


def again(learn: str, **given: Any) -> dict[str, Any]:
    return {"robust": {"decide_again": {"year": 2029, "learn": learn, **given}}}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no such constant": (
        again("memory tyme"),
        'robust.decide_again.learn: "memory tyme" is not drawn, so nothing is learned of it. Did you mean '
        '"memory time"? Name a constant with a range (in the table or under uncertainties), or write',
    ),
    "known exactly": (again("turning point"), 'robust.decide_again.learn: "turning point" is not drawn'),
    "decided": (again("care budget"), 'robust.decide_again.learn: "care budget" is not drawn'),
    "fixed in every future": (
        {
            **again("base inflow"),
            "external_scenarios": {
                "weak": {"constants": {"base inflow": 78}},
                "strong": {"constants": {"Base_inflow": 70}},
            },
        },
        'robust.decide_again.learn: "base inflow" is not drawn',
    ),
    "one future": (
        {**again("external scenario"), "external_scenarios": {"weak": {"constants": {"base inflow": 78}}}},
        "robust.decide_again.learn: there are 1 external scenarios, so nothing is learned; list at least two",
    ),
    "limit on decisions": (
        {"robust": {"probability_limits": {"Niet meer geld dan nu met een half erbij": "5%"}}},
        "robust.probability_limits.Niet meer geld dan nu met een half erbij: limits decisions, which are the",
    ),
    "no such limit": (
        {
            "constraints": {"floor": {"variables": {"People in care": 1}, "at_most": 1000}},
            "robust": {"probability_limits": {"flour": "5%", "floor": "5%"}},
        },
        'robust.probability_limits.flour: is no constraint on model variables. Did you mean "floor"? '
        "Constraints: floor",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_thing_that_does_not_fit(name: str) -> None:
    changes, announced = BROKEN[name]
    (complaint,) = complaints({"uncertainties": ["from_table"], "correlations": [], **changes})
    assert complaint.startswith(announced)


def test_limits_of_fiscal_rules_count_and_all_is_said_at_once() -> None:
    asked = {"F4 ondergrens algemene reserve": "5%", "F4 ondergrens": "5%", "F6": "1%"}
    told = complaints({"robust": {**again("nothing")["robust"], "probability_limits": asked}}, SHIPPED)
    assert [line.partition(":")[0] for line in told] == [
        "robust.probability_limits.F4 ondergrens",
        "robust.probability_limits.F6",
        "robust.decide_again.learn",
    ]


def test_case_and_underscores_make_no_difference() -> None:
    loaded = load_config(CONFIG, again("Memory_Time", groups=4))
    check_meaning(loaded, read_model(loaded.config.model.file).system, constants_of(loaded.config.model))
    loaded = load_config(CONFIG, again("External_scenario"))
    check_meaning(loaded, read_model(loaded.config.model.file).system, constants_of(loaded.config.model))
