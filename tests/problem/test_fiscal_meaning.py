"""A fiscal rule whose model lacks something is refused by name; others become ordinary limits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.config.schema import Limit
from sdopt.errors import ConfigError
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.fiscal import with_fiscal_rules
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "fiscal"


def build(folder: Path, apply: Any, model: dict[str, str] | None = None, **more: Any) -> Problem:
    """The question with these rules on the model with some of its text replaced."""
    shutil.copy(DATA / "rules.yaml", folder)
    text = (DATA / "treasury.mdl").read_text(encoding="utf-8")
    for old, new in (model or {}).items():
        assert old in text
        text = text.replace(old, new)
    (folder / "treasury.mdl").write_text(text, encoding="utf-8")
    data = {**yaml.safe_load((DATA / "treasury.yaml").read_text(encoding="utf-8")), **more}
    data["fiscal_rules"] = {"file": "rules.yaml", "apply": apply}
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return build_problem(load_config(path), read_model(folder / "treasury.mdl").system)


def complaints(folder: Path, apply: Any, model: dict[str, str] | None = None, **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        build(folder, apply, model, **more)
    _, *lines = str(refused.value).splitlines()
    assert all(re.search(r" \(line [0-9]+\): ", line) for line in lines)
    return [re.sub(r" \(line [0-9]+\)", "", line).removeprefix("  * ") for line in lines]


def test_variables_that_the_model_lacks_are_named(tmp_path: Path) -> None:
    renamed = {"structural balance": "structual balance", "price index": "deflator"}
    found = complaints(tmp_path, {"balance": {}, "open end": {}}, renamed)
    assert found == [
        'fiscal_rules.apply.balance: rule T1 needs "structural balance", "price index", which '
        "treasury.mdl does not have; add what is missing to the model, or leave the rule out. List all: "
        "sdopt variables treasury.mdl"
    ]


def test_a_constant_and_a_variable_of_an_equation_that_the_model_lacks(tmp_path: Path) -> None:
    renamed = {"grant share": "part paid", "grant= ": "gift= ", "earmarked gift": "earmarked grant"}
    found = complaints(tmp_path, {"grant": {"saving": 3}}, renamed)
    assert found == [
        'fiscal_rules.apply.grant: rule T8 needs "grant", "grant share", which treasury.mdl does not '
        "have; add what is missing to the model, or leave the rule out. List all: sdopt variables "
        "treasury.mdl",
        'fiscal_rules.apply.grant: 3 is outside the range of "saving per million" in treasury.mdl; choose '
        "another value",
    ]


def test_units_that_do_not_add_up(tmp_path: Path) -> None:
    model = {"~ million EUR/Year ~ Prevention saves at once": "~ EUR/Year ~ Prevention saves at once"}
    (found,) = complaints(tmp_path, {"realistic savings": {}}, model)
    assert found == (
        'fiscal_rules.apply.realistic savings: rule T2 adds different units: "million EUR/Year" (structural '
        'balance), "EUR/Year" (entitlement spending); give these variables one unit in the model'
    )


def test_a_rule_sets_constants_only(tmp_path: Path) -> None:
    model = {"grant share= 0 ~": "grant share= income / 1000 ~"}
    (found,) = complaints(tmp_path, {"grant": {}}, model)
    assert found == (
        'fiscal_rules.apply.grant: "grant share" of treasury.mdl is no constant but auxiliary, so no rule '
        "can set it"
    )


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    own = {"own": {"variables": {"Reserv": 1}, "at_least": 0}}
    found = complaints(tmp_path, {"open end": {}}, {"people waiting": "queue"}, constraints=own)
    assert [complaint.split(": ")[0] for complaint in found] == [
        "constraints.own.variables.Reserv",
        "fiscal_rules.apply.open end",
    ]


def test_weights_for_the_null_alternative_are_of_model_variables_in_one_unit(tmp_path: Path) -> None:
    limit = {"null_alternative": {"entitlement spendings": 1, "Reserve": 1}}
    own = {"own": {"variables": {"structural balance": 1}, "at_least": limit}}
    found = complaints(tmp_path, {}, constraints=own)
    assert found[0].startswith(
        "constraints.own.at_least.null_alternative.entitlement spendings: treasury.mdl has no variable "
        '"entitlement spendings". Did you mean "entitlement spending"?'
    )
    assert found[1].startswith("constraints.own: adds different units: ")
    assert len(found) == 2


def test_rules_become_ordinary_limits(tmp_path: Path) -> None:
    apply = {
        "balance": {"when": "first year"},
        "realistic savings": {"booked share": 0.2},
        "run-down": {"decisions": ["prevention"], "share": "29%"},
        "grant": {},
        "horizon": {},
    }
    problem = build(tmp_path, apply)
    config = problem.config
    assert list(config.constraints) == ["T1 balance", "T2 realistic savings"]
    balance, savings = config.constraints.values()
    assert balance.variables == {"structural balance": 1}
    assert (balance.at_least, balance.at_most) == (0, None)
    assert balance.years is not None
    assert (balance.years.first, balance.years.last) == (2027, 2027)
    assert savings.variables == {"structural balance": 1, "entitlement spending": 0.8}
    assert savings.at_least == Limit(null_alternative={"entitlement spending": 0.8}, plus=0)
    assert config.decisions["prevention"].largest_fall == "29%"
    assert config.decisions["social base"].largest_fall is None
    assert config.model.changes == {"grant share": 0.5}
    assert [rule.name for rule in problem.rules] == ["prevention: largest fall"] * 3
    assert len(problem.constraints) == 3


def test_without_a_library_the_config_is_as_it_was(tmp_path: Path) -> None:
    config = build(tmp_path, {}).config
    assert with_fiscal_rules(config, None) is config
