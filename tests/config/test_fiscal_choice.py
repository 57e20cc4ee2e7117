"""What a config may say of fiscal rules; each mistake gives its own complaint, and all come at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import LoadedConfig, load_config
from sdopt.errors import ConfigError

DATA = Path(__file__).resolve().parents[1] / "data" / "fiscal"
NAMES = (
    "balance, realistic savings, reserve floor, resilience, run-down, growth limit, open end, grant, "
    "horizon, earmark"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in ("treasury.mdl", "rules.yaml"):
        shutil.copy(DATA / file, tmp_path)
    return tmp_path


def load(folder: Path, apply: Any, **more: Any) -> LoadedConfig:
    """The question with these rules; `more` replaces values at dotted places (`decisions__a__bounds`)."""
    data = yaml.safe_load((DATA / "treasury.yaml").read_text(encoding="utf-8"))
    data["fiscal_rules"]["apply"] = apply
    for place, value in more.items():
        *above, last = place.split("__")
        inside = data
        for part in above:
            inside = inside.setdefault(part, {})
        inside[last] = value
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_config(path)


def complaints(folder: Path, apply: Any, **more: Any) -> list[str]:
    """What is said, without line numbers; every complaint has one."""
    with pytest.raises(ConfigError) as refused:
        load(folder, apply, **more)
    heading, *lines = str(refused.value).splitlines()
    assert f": {len(lines)} error" in heading
    assert all(re.search(r" \(line [0-9]+\): ", line) for line in lines)
    return [re.sub(r" \(line [0-9]+\)", "", line).removeprefix("  * ") for line in lines]


def test_a_choice_with_its_defaults_and_in_the_order_of_the_library(folder: Path) -> None:
    fiscal = load(folder, {"Grant": {}, "realistic_savings": {"booked share": "30%"}, "balance": {}}).fiscal
    assert fiscal is not None
    balance, savings, grant = fiscal.chosen
    assert (balance.rule.id, savings.rule.id, grant.rule.id) == ("T1", "T2", "T8")
    assert balance.values == {"when": "last year", "smallest balance": 0}
    assert savings.values == {"booked share": 0.3}
    assert (balance.imposed, grant.imposed) == (True, False)
    assert grant.constants == {"grant share": 0.5}
    assert fiscal.library.path.name == "rules.yaml"


def test_decisions_of_a_rule(folder: Path) -> None:
    def decisions(settings: Any) -> tuple[str, ...]:
        fiscal = load(folder, {"run-down": settings}).fiscal
        assert fiscal is not None
        return fiscal.chosen[0].decisions

    assert decisions({}) == decisions({"decisions": "all"}) == ("prevention", "social base")
    assert decisions({"decisions": ["social base"]}) == ("social base",)


def test_no_rules(folder: Path) -> None:
    fiscal = load(folder, {}).fiscal
    assert fiscal is not None
    assert fiscal.chosen == ()


APPLY = "fiscal_rules.apply"
WRONG: list[tuple[Any, list[str]]] = [
    (
        {"balanse": {}},
        [f'{APPLY}.balanse: there is no such rule in rules.yaml. Did you mean "balance"? Rules: {NAMES}'],
    ),
    (
        {"T3": {}},
        [f'{APPLY}.T3: there is no such rule in rules.yaml. Did you mean "reserve floor"? Rules: {NAMES}'],
    ),
    (
        {"afbouw": {}},
        [f'{APPLY}.afbouw: there is no such rule in rules.yaml. Did you mean "run-down"? Rules: {NAMES}'],
    ),
    ({"xyz": {}}, [f"{APPLY}.xyz: there is no such rule in rules.yaml. Rules: {NAMES}"]),
    (
        {"reserve floor": {"flor": 3}},
        [f'{APPLY}.reserve floor.flor: unknown setting. Did you mean "floor"? Allowed here: floor, as'],
    ),
    (
        {"open end": {"decisions": ["prevention"]}},
        [f"{APPLY}.open end.decisions: unknown setting. Allowed here: as"],
    ),
    (
        {"reserve floor": {"floor": 51}},
        [
            f"{APPLY}.reserve floor.floor: 51 is outside [-50, 50] million EUR; choose a value inside it, or "
            "widen it in rules.yaml"
        ],
    ),
    (
        {"reserve floor": {"floor": "50%"}},
        [f'{APPLY}.reserve floor.floor: expected a number, found the text "50%"'],
    ),
    (
        {"realistic savings": {"booked share": "half"}},
        [
            f'{APPLY}.realistic savings.booked share: expected a number or a share such as "50%", found the '
            'text "half"'
        ],
    ),
    (
        {"realistic savings": {"booked share": "120%"}},
        [
            f"{APPLY}.realistic savings.booked share: 1.2 is outside [0, 1] Dmnl; choose a value inside "
            "it, or widen it in rules.yaml"
        ],
    ),
    (
        {"realistic savings": {"booked share": ["a", "b"]}},
        [
            f'{APPLY}.realistic savings.booked share: expected a number or a share such as "50%", found a '
            "list of 2"
        ],
    ),
    (
        {"balance": {"when": "evry year"}},
        [
            f'{APPLY}.balance.when: found the text "evry year". Did you mean "every year"? Allowed: first '
            "year, last year, every year"
        ],
    ),
    (
        {"balance": {"when": 2030}},
        [f"{APPLY}.balance.when: found 2030. Allowed: first year, last year, every year"],
    ),
    (
        {"balance": {"as": "limit"}},
        [
            f'{APPLY}.balance.as: found the text "limit"; only `as: check` is allowed, which reports the '
            "rule and does not impose it"
        ],
    ),
    (
        {"horizon": {"as": "check"}},
        [f"{APPLY}.horizon.as: this rule is only reported already; remove `as`"],
    ),
    (
        {"grant": {"as": "check"}},
        [f"{APPLY}.grant.as: this rule is part of the model's equations; remove `as`"],
    ),
    (
        {"run-down": {"decisions": ["preventon"]}},
        [
            f'{APPLY}.run-down.decisions: there is no decision "preventon". Did you mean "prevention"? '
            "Decisions of this config: prevention, social base"
        ],
    ),
    (
        {"run-down": {"decisions": []}},
        [f"{APPLY}.run-down.decisions: expected a list of decisions or `all`, found a list of 0"],
    ),
    (
        {"run-down": {"decisions": "prevention"}},
        [f'{APPLY}.run-down.decisions: expected a list of decisions or `all`, found the text "prevention"'],
    ),
    (
        {"balance": {}, "Balance": {}},
        [f'{APPLY}.Balance: the same rule as "balance"; keep one of the two'],
    ),
    (
        {"balanse": {}, "reserve floor": {"floor": 99}, "run-down": {"share": "1%", "notice": 1}},
        [
            f"{APPLY}.balanse: there is no such rule",
            f"{APPLY}.reserve floor.floor: 99 is outside",
            f"{APPLY}.run-down.notice: unknown setting. Allowed here: share, no cut in, decisions, as",
        ],
    ),
]


@pytest.mark.parametrize(("apply", "announced"), WRONG, ids=[str(apply)[:50] for apply, _ in WRONG])
def test_a_wrong_setting(apply: Any, announced: list[str], folder: Path) -> None:
    found = complaints(folder, apply)
    assert len(found) == len(announced)
    for complaint, expected in zip(found, announced, strict=True):
        assert complaint.startswith(expected)


def test_a_limit_that_is_given_twice(folder: Path) -> None:
    constraint = {"variables": {"Reserve": 1}, "at_least": 0}
    more = {"constraints": {"T3 reserve floor": constraint}, "decisions__prevention__largest_fall": "10%"}
    found = complaints(folder, {"reserve floor": {}, "run-down": {}}, **more)
    assert found == [
        'decisions.prevention.largest_fall: rule "run-down" limits this too; remove it here, or list other '
        "decisions in fiscal_rules.apply.run-down",
        'constraints.T3 reserve floor: rule "reserve floor" makes a constraint of this name; rename this '
        "one, or remove it",
    ]
    load(folder, {"reserve floor": {"as": "check"}, "run-down": {"as": "check"}}, **more)
    load(folder, {"run-down": {"decisions": ["social base"]}}, decisions__prevention__largest_fall="10%")


def test_the_name_of_a_constraint_is_in_the_language_of_the_config(folder: Path) -> None:
    constraint = {"variables": {"Reserve": 1}, "at_least": 0}
    constraints = {"T3 reserve floor": constraint, "T3 ondergrens": {**constraint, "variables": {"ratio": 1}}}
    (found,) = complaints(folder, {"reserve floor": {}}, constraints=constraints, output__language="nl")
    assert found.startswith("constraints.T3 ondergrens: ")


def test_a_constant_that_is_set_twice(folder: Path) -> None:
    found = complaints(folder, {"grant": {"saving": 1}}, model__changes={"Saving_per_million": 1})
    assert found == [
        'fiscal_rules.apply.grant: sets "saving per million", which model.changes sets too; keep one of '
        "the two"
    ]
    decision = {"variable": "grant share", "bounds": [0, 1]}
    (found_too,) = complaints(folder, {"grant": {}}, decisions__share=decision)
    assert found_too.endswith('sets "grant share", which decision share sets too; keep one of the two')


@pytest.mark.parametrize(
    ("section", "announced"),
    [
        ({"file": "ruls.yaml"}, "fiscal_rules.file: there is no file ruls.yaml in the folder of this config"),
        ({"apply": {}}, "fiscal_rules.file: missing; add it."),
        (
            {"file": "rules.yaml", "apply": {"balance": None}},
            "fiscal_rules.apply.balance: expected a mapping",
        ),
        ({"file": "rules.yaml", "applies": {}}, 'fiscal_rules.applies: unknown key. Did you mean "apply"?'),
    ],
)
def test_a_section_that_is_not_right(section: Any, announced: str, folder: Path) -> None:
    found = complaints(folder, {}, fiscal_rules=section)
    assert len(found) == 1
    assert found[0].startswith(announced)


def test_faults_elsewhere_are_found_with_those_of_the_rules(folder: Path) -> None:
    found = complaints(folder, {"balanse": {}}, decisions__prevention__bounds=[9, 0], title="")
    assert [complaint.split(": ")[0] for complaint in found] == [
        "title",
        "decisions.prevention.bounds",
        "fiscal_rules.apply.balanse",
    ]


def test_weights_for_the_null_alternative_are_of_decisions_in_a_limit_between_decisions(folder: Path) -> None:
    limit = {"null_alternative": {"social bass": 1}}
    constraint = {"own": {"decisions": {"prevention": 1}, "at_most": limit}}
    assert complaints(folder, {}, constraints=constraint) == [
        "constraints.own.at_most.null_alternative.social bass: there is no such decision. Did you mean "
        '"social base"? Decisions of this config: prevention, social base'
    ]
    nothing = {"own": {"decisions": {"prevention": 1}, "at_most": {"null_alternative": {}}}}
    (found,) = complaints(folder, {}, constraints=nothing)
    assert found.startswith("constraints.own.at_most.null_alternative: expected ")
