"""The shipped library is complete and its page current; every mistake in a library has its complaint."""

from __future__ import annotations

import copy
import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.fiscal_library import amount, read_library
from sdopt.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models" / "fiscal_rules.yaml"
SMALL = ROOT / "tests" / "data" / "fiscal" / "rules.yaml"
NAMES = {
    "F1": "structural balance", "F2": "realistic savings", "F3": "incidental cover",
    "F4": "general reserve floor", "F5": "resilience ratio", "F6": "signal values",
    "F7": "open-ended entitlement", "F8": "BUIG", "F9": "safety net", "F10": "participation cluster",
    "F11": "earmarked grant (GALA)", "F12": "co-financing by insurers", "F13": "subsidy run-down",
    "F14": "growth limit", "F15": "horizons", "F16": "indexation of the general grant",
    "F17": "youth grant from the State", "F18": "pockets", "F19": "no change within the year",
}  # fmt: skip


def test_the_shipped_library_has_every_rule_once_and_in_order() -> None:
    rules = read_library(SHIPPED).rules
    assert {rule.id: rule.name for rule in rules} == NAMES
    assert len(rules) == len(NAMES)
    assert [rule.id for rule in rules] == list(NAMES)


def test_every_number_of_the_shipped_library_has_a_source_and_a_range() -> None:
    for rule in read_library(SHIPPED).rules:
        assert rule.text.endswith(".")
        for name, parameter in rule.parameters.items():
            assert parameter.source, (rule.id, name)
            assert parameter.options or parameter.low is not None, (rule.id, name)


def test_names_are_found_whatever_their_case(tmp_path: Path) -> None:
    library = read_library(SHIPPED)
    found = library.find("Structural_Balance")
    assert found is not None
    assert found.id == "F1"
    assert library.find("F1") is None


def test_the_page_is_current(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "docs").mkdir()
    for file in ("fiscal_rules.yaml", "taakvelden.csv", "iv3_taakvelden.csv", "write_fiscal_rules.py"):
        shutil.copy(ROOT / "models" / file, tmp_path / "models")
    runpy.run_path(str(tmp_path / "models" / "write_fiscal_rules.py"), run_name="__main__")
    page = (tmp_path / "docs" / "fiscal-rules.md").read_bytes()
    assert page == (ROOT / "docs" / "fiscal-rules.md").read_bytes(), "run models/write_fiscal_rules.py"
    for code, name in NAMES.items():
        assert f"### {code} {name}\n".encode() in page


@pytest.mark.parametrize(
    ("written", "value"), [(3.0, 3), ("{a}", 0.25), ("-{a}", -0.25), ("1-{a}", 0.75), ("{b c}", -2)]
)
def test_the_grammar_of_amounts(written: float | str, value: float) -> None:
    assert amount(written, {"a": 0.25, "b c": -2.0}) == value


def changed(*changes: tuple[str, Any]) -> Any:
    """The small library with the value at some dotted places replaced; None removes."""
    data = copy.deepcopy(yaml.safe_load(SMALL.read_text(encoding="utf-8")))
    for place, value in changes:
        *above, last = place.split(".")
        inside = data
        for part in above:
            inside = inside[int(part)] if part.isdigit() else inside[part]
        key: Any = int(last) if last.isdigit() else last
        if value is None:
            del inside[key]
        else:
            inside[key] = value
    return data


def complaints(folder: Path, data: Any) -> list[str]:
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_library(path)
    _, *lines = str(refused.value).splitlines()
    return [re.sub(r" \(line [0-9]+\)", "", line).removeprefix("  * ") for line in lines]


WHEN = "rules.0.parameters.when"
FLOOR = "rules.2.parameters.floor"
WRONG = [
    ("rules.1.id", "T1", 'rules.1.id: "T1" is used already; ids and names are given once'),
    ("rules.1.name", "Balance", 'rules.1.name: "Balance" is used already; ids and names are given once'),
    ("rules.0.kind", "limit", 'rules.0.kind: expected "constraint", "decision_limit", "equation" or "check"'),
    ("rules.0.knd", "x", 'rules.0.knd: unknown key. Did you mean "kind"?'),
    ("rules.0.source", None, "rules.0.source: missing; add it."),
    ("rules.2.kind", "decision_limit", "rules.2.kind: decision_limit needs largest_rise, largest_fall or"),
    ("rules.2.kind", "equation", "rules.2.kind: equation needs variables; add them or choose another kind"),
    (f"{WHEN}.value", "soon", f"{WHEN}: value must be one of its options: first year, last year, every year"),
    (f"{FLOOR}.low", None, f"{FLOOR}: a number needs low and high (low not above high); or give options"),
    (f"{FLOOR}.low", 60, f"{FLOOR}: a number needs low and high (low not above high); or give options"),
    (f"{FLOOR}.value", 60, f"{FLOOR}: 60 is outside [-50, 50]; mend the value or the range"),
    (f"{FLOOR}.value", "much", f"{FLOOR}: a number needs a value; only one that sets a constant"),
    (f"{FLOOR}.status", "rumour", f'{FLOOR}.status: expected "read", "derived", "memory" or "judgement"'),
    ("rules.2.parameters.as", {"value": 0, "low": 0, "high": 1, "source": "x", "status": "read"},
     'rules.2.parameters.as: "as" has a meaning in every rule; choose another name'),
    ("rules.2.limits.0.at_least", "{flor}",
     'rules.2.limits.0: "flor" is not a parameter of this rule with a number. Did you mean "floor"?'),
    ("rules.0.limits.0.at_least", "{when}",
     'rules.0.limits.0: "when" is not a parameter of this rule with a number.'),
    ("rules.2.limits.0.at_least", "2*{floor}", "rules.2.limits.0.at_least: expected a number or "),
    ("rules.2.limits.0.at_least", "__import__('os')", "rules.2.limits.0.at_least: expected a number or "),
    ("rules.2.limits.0.at_least", None, "rules.2.limits.0: limits nothing; give at_most, at_least or both"),
    ("rules.2.limits.0.facts", {"years counted": 1},
     "rules.2.limits.0: give one of variables, each_decision and facts"),
    ("rules.2.limits.0.years", "some years",
     "rules.2.limits.0.years: give no year, first year, last year, every year, or a parameter with such"),
    ("rules.2.limits.0.years", "{floor}",
     "rules.2.limits.0.years: give no year, first year, last year, every year, or a parameter with such"),
    ("rules.8.limits.0.facts", {"year counted": 1},
     'rules.8.limits.0.facts.year counted: there is no such fact. Did you mean "years counted"?'),
    ("rules.5.largest_rise", "{shar}",
     'rules.5.largest_rise: "shar" is not a parameter of this rule with a number. Did you mean "share"?'),
    ("rules.0.limits.1.part", "",
     "rules.0.limits: two have the same part; each becomes a constraint of its own name"),
    ("rules.5.parameters.share.low", -1,
     "rules.5.largest_rise: a share from 0 to 10 fits here, or a parameter with such a range"),
    ("rules.4.largest_fall", 1.5,
     "rules.4.largest_fall: a share from 0 to 1 fits here, or a parameter with such a range"),
    ("rules.4.largest_fall", "-{share}",
     "rules.4.largest_fall: a share from 0 to 1 fits here, or a parameter with such a range"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value", "announced"), WRONG, ids=[f"{w[0]}={w[1]}" for w in WRONG])
def test_a_wrong_library(place: str, value: Any, announced: str, tmp_path: Path) -> None:
    found = complaints(tmp_path, changed((place, value)))
    assert len(found) == 1, found
    assert found[0].startswith(announced)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    found = complaints(tmp_path, changed(("rules.1.id", "T1"), (f"{FLOOR}.value", 60)))
    assert len(found) == 2


def test_another_version_is_refused(tmp_path: Path) -> None:
    (found,) = complaints(tmp_path, changed(("schema_version", 2)))
    assert found.startswith("schema_version: found 2; this sdopt reads version 1.")
