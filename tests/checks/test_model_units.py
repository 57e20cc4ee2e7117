"""Whole models: arrays, macros, files of others, and faults planted at random in models that are right."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.checks.report import ModelCheck, check_model
from sdopt.checks.unit_rules import is_written
from sdopt.checks.unit_text import Units
from sdopt.checks.units import UnitReport, check_units
from sdopt.equations.expression import Call, Expression, Number, Reference
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import ModelError, SdoptError
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[2]
SOCIAL = ROOT / "models" / "social_domain.mdl"
SMALL = ROOT / "tests" / "data" / "wijken.mdl"
PUBLIC = Path(os.environ.get("SDOPT_TEST_MODELS", ROOT.parent / "shared" / "test-models")) / "tests"
Checked = Callable[..., ModelCheck]


@cache
def system_of(path: Path) -> EquationSystem:
    return read_model(path).system


def units_of(system: EquationSystem) -> UnitReport:
    return check_units(system, Units())


def test_the_social_domain_is_consistent() -> None:
    found = units_of(system_of(SOCIAL))
    assert found.errors == found.warnings == found.without == ()
    assert found.checked > 200


@pytest.mark.parametrize(
    "path", [SMALL, ROOT / "tests" / "models" / "logistic.mdl"], ids=lambda path: path.stem
)
def test_models_that_are_right(path: Path) -> None:
    assert units_of(system_of(path)).errors == ()


def test_all_errors_at_once_each_with_variable_part_units_and_advice(checked: Checked) -> None:
    found = checked(
        "a = 1 ~ Person ~ |\nb = 2 ~ EUR ~ |\nx = a + b + EXP(a) ~ Person ~ |\ny = a * b ~ EUR ~ |\n"
    )
    with pytest.raises(ModelError) as error:
        found.raise_if_wrong()
    lines = str(error.value).splitlines()
    assert lines[0].endswith("model.mdl: units: 4 errors")
    assert lines[1:] == [
        '  * variable "x": "a" is in Person, expected Dmnl: this function takes a number without unit: '
        "divide by a constant in Person.",
        '  * variable "x": "b" is in EUR, expected Person: correct a unit, or multiply by a constant in '
        "Person/EUR.",
        '  * variable "x": "EXP(a)" is in Dmnl, expected Person: correct a unit, or multiply by a constant '
        "in Person.",
        '  * variable "y": "a * b" is in EUR*Person, expected EUR: correct a unit, or multiply by a constant '
        "in 1/Person.",
    ]


def test_the_equation_is_shown_where_a_function_is_written_out(checked: Checked) -> None:
    found = checked("a = 1 ~ Person ~ |\nx = STEP(a, 2030) ~ EUR ~ |\n")
    with pytest.raises(
        ModelError, match=r'variable "x" = STEP\(a, 2030\): "a \* \(Time \+ TIME STEP / 2 > 2030'
    ):
        found.raise_if_wrong()


def test_an_array_is_named_once_with_the_number_of_elements(checked: Checked) -> None:
    found = checked(
        "region: north, south, east ~ ~ |\nprice[region] = 1, 2, 3 ~ EUR/Person ~ |\n"
        "people[region] = 4, 5, 6 ~ Person ~ |\n"
        "cost[region] = price[region] + people[region] ~ EUR ~ |\n"
        "total = SUM(price[region!] * people[region!]) ~ EUR ~ |\n"
        "wrong total = SUM(people[region!]) ~ EUR ~ |\n"
    ).units
    assert [(e.variable, e.part, e.found, e.elements) for e in found.errors] == [
        ("cost", "price[north]", "EUR/Person", 3),
        ("cost", "people[north]", "Person", 3),
        ("wrong total", "people[north] + people[south] + people[east]", "Person", 1),
    ]
    assert "(so in 3 elements)" in found.errors[0].sentence()


def test_one_element_of_an_array_may_be_wrong(checked: Checked) -> None:
    found = checked(
        "region: north, south ~ ~ |\na = 1 ~ Person ~ |\nb = 1 ~ EUR ~ |\n"
        "x[north] = a * 2 ~~|\nx[south] = b * 2 ~ Person ~ |\n"
    ).units
    assert [(e.variable, e.part, e.elements) for e in found.errors] == [("x", "b * 2", 1)]


MACRO = """:MACRO: FILLING(inflow, lag)
FILLING = INTEG(inflow - FILLING / lag, inflow * lag) ~ inflow * lag ~ |
drain = FILLING / lag ~ inflow ~ |
:END OF MACRO:
flow = 2 ~ Person/Year ~ |
years = 3 ~ Year ~ |
share = 0.5 ~ Dmnl ~ |
"""


def test_a_macro_in_units_of_its_parameters(checked: Checked) -> None:
    assert checked(MACRO + "x = FILLING(flow, years) ~ Person ~ |\n").units.errors == ()
    wrong = checked(MACRO + "x = FILLING(flow, share) ~ Person ~ |\n").units.errors
    assert ("x", "Person/Year", "Person") in {(e.variable, e.found, e.expected) for e in wrong}
    literal = MACRO + "x = FILLING(flow, 4) ~ Person ~ |\n"
    assert checked(literal).units.errors == ()


def test_a_delay_of_many_stages_from_nothing(checked: Checked) -> None:
    equations = "flow = 2 ~ Person/Year ~ |\nx = DELAY N(flow, 900, 0, 900) ~ {} ~ |\n"
    assert checked(equations.format("Person/Year")).units.errors == ()
    assert {e.variable for e in checked(equations.format("Person")).units.errors} == {"x"}


def test_no_unit_fits_anywhere_and_is_a_warning(checked: Checked) -> None:
    found = checked(
        "a = 1 ~ Person ~ |\nb = 2 ~ ~ |\nx = a + b * 3 ~ Person ~ |\ny = EXP(b) + b ^ b ~ ~ |\n"
        "z = DELAY1(b, b) + 5 ~ ~ |\n"
    )
    assert found.units.errors == ()
    assert found.units.without == ("b", "y", "z")
    assert "warning      no unit given: 3: b, y, z" in found.text()


def test_no_unit_of_time_is_a_warning(checked: Checked) -> None:
    times = "INITIAL TIME = 0 ~~|\nFINAL TIME = 4 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n"
    found = checked("x = INTEG(a, a) ~ Person ~ |\na = 1 ~ Person ~ |\n", times)
    assert found.units.errors == ()
    assert "TIME STEP has no unit" in found.text()


def test_what_is_no_unit_is_an_error(checked: Checked) -> None:
    found = checked("a = 1 ~ EUR//Year ~ |\nx = a ~ Person ~ |\n").units
    assert [e.sentence() for e in found.errors] == [
        '"EUR//Year" is in no readable unit, expected a product of words such as EUR/Person/Year: '
        "correct the unit in the model file."
    ]


def test_the_unit_of_time_is_that_of_the_model(checked: Checked) -> None:
    times = "INITIAL TIME = 0 ~~|\nFINAL TIME = 4 ~~|\nTIME STEP = 1 ~ Months ~|\nSAVEPER = 1 ~~|\n"
    stock = "a = 1 ~ Person/{0} ~ |\nx = INTEG(a, 0) ~ Person ~ |\n"
    assert checked(stock.format("Month"), times).units.errors == ()
    (error,) = checked(stock.format("Year"), times).units.errors
    assert (error.found, error.expected) == ("Person/Year", "Person/Months")


def test_the_input_of_a_lookup_with_a_unit_is_a_warning(checked: Checked) -> None:
    found = checked(
        "a = 1 ~ Person ~ |\nf((0,0),(1,1)) ~ EUR ~ |\nx = f(a) ~ EUR ~ |\ny = f(Time) ~ EUR ~ |\n"
    )
    assert found.units.errors == ()
    assert found.units.warnings == (
        '"x": the input "a" of a lookup is in Person; divide it by a reference value, so that the lookup '
        "holds in any unit",
    )
    bad = checked("f((0,0),(1,1)) ~ EUR/ ~ |\nx = f(0.5) ~ EUR ~ |\n").units
    assert [e.variable for e in bad.errors] == ["x"]


def test_words_that_look_alike_are_asked_about(checked: Checked) -> None:
    (error,) = checked("a = 1 ~ Households ~ |\nx = a ~ Household ~ |\n").units.errors
    assert 'are "Households" and "Household" one unit?' in error.advice


def test_synonyms_in_the_settings_of_the_file(checked: Checked) -> None:
    settings = "\\\\\\---/// Sketch\n///---\\\\\\\n:L\x7f<%^E!@\n22:Household,Households,hh\n15:0,0,0,0,0,0\n"
    assert checked("a = 1 ~ hh ~ |\nx = a ~ Household ~ |\n", settings=settings).units.errors == ()


def test_an_xmile_model(tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="utf-8"?>
<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">
<header><product>x</product><vendor>x</vendor></header>
<sim_specs method="Euler" time_units="Year"><start>0</start><stop>4</stop><dt>1</dt></sim_specs>
<model><variables>
<stock name="people"><eqn>10</eqn><inflow>born</inflow><units>person</units></stock>
<flow name="born"><eqn>people * rate</eqn><units>person per year</units></flow>
<aux name="rate"><eqn>0.1</eqn><units>UNIT</units></aux>
</variables></model></xmile>"""
    path = tmp_path / "model.xmile"
    path.write_text(text.replace("UNIT", "1/year"), encoding="utf-8")
    assert check_model(read_model(path)).units.errors == ()
    path.write_text(text.replace("UNIT", "person"), encoding="utf-8")
    assert [e.variable for e in check_model(read_model(path)).units.errors] == ["born"]


@pytest.mark.models
def test_every_public_model_can_be_checked() -> None:
    """They are small and many have no or sloppy units; what is said of them must be of their variables."""
    count = 0
    for path in sorted(p for p in PUBLIC.rglob("*") if p.suffix in (".mdl", ".xmile", ".stmx")):
        try:
            model = read_model(path)
        except SdoptError:
            continue  # what cannot be read is told elsewhere
        found = check_model(model)
        names = {v.parts[0] for v in model.system.visible.values()}
        assert {e.variable for e in found.units.errors} <= names, path
        assert str(path) in found.text()
        count += 1
    assert count > 100


WRONG = Variable("wrong", "wrong", "constant", Number(2.0), None, "Wrong", "")


def spoiled(system: EquationSystem, key: str, expression: Expression) -> EquationSystem:
    variable = replace(system.variables[key], expression=expression)
    return replace(system, variables={**system.variables, key: variable, "wrong": WRONG})


def checkable(system: EquationSystem) -> list[str]:
    """Variables with an equation: a number alone has no unit that could be wrong."""
    return [key for key, v in system.visible.items() if not is_written(v.expression)]


@settings(max_examples=25)
@given(st.data())
@pytest.mark.parametrize("path", [SMALL, SOCIAL], ids=lambda path: path.stem)
def test_a_wrong_factor_is_always_found(path: Path, data: st.DataObject) -> None:
    system = system_of(path)
    key = data.draw(st.sampled_from(checkable(system)))
    function = data.draw(st.sampled_from(["multiply", "divide", "add", "max"]))
    before = system.variables[key].expression
    found = units_of(spoiled(system, key, Call(function, (before, Reference("wrong")))))
    assert found.errors
    assert {e.variable for e in found.errors} == {system.variables[key].parts[0]}


@settings(max_examples=25)
@given(st.data())
def test_a_wrong_unit_of_a_variable_is_found_where_it_is_used(data: st.DataObject) -> None:
    system = system_of(SMALL)
    key = data.draw(st.sampled_from(checkable(system)))
    variable = replace(system.variables[key], unit="Wrong")
    found = units_of(replace(system, variables={**system.variables, key: variable}))
    assert variable.parts[0] in {e.variable for e in found.errors}


@settings(max_examples=25)
@given(st.data())
def test_units_that_are_left_out_never_make_an_error(data: st.DataObject) -> None:
    system = system_of(SMALL)
    chosen = data.draw(st.sets(st.sampled_from(sorted(system.variables))))
    variables = {k: replace(v, unit="") if k in chosen else v for k, v in system.variables.items()}
    found = units_of(replace(system, variables=variables))
    assert found.errors == ()
    assert len(found.without) == len({k for k in chosen if not system.variables[k].hidden})
