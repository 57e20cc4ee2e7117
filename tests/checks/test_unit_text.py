"""Texts of units: which are the same, what they are multiplied and divided to, and how they are shown."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.checks.unit_text import DIMENSIONLESS, Units, over, raised, times

SAME = [
    ("Person", "people"),
    ("million EUR/Year", "Million  EUR / jaar"),
    ("million_EUR/Year", "million EUR per year"),
    ("1/Year", "/Years"),
    ("1/Year", "Dmnl/yr"),
    ("Year [0,?]", "year"),
    ("Year [0,10,0.5]", "year"),
    ("EUR/Person/Year", "EUR/(Person*Year)"),
    ("EUR/Person/Year", "EUR/Year/Person"),
    ("EUR/Person*Year", "EUR*Year/Person"),
    ("million EUR/Year/Year", "million EUR/Year^2"),
    ("EUR*EUR", "EUR^2"),
    ("Person*Year/Year", "Person"),
    ("EUR/EUR", "Dmnl"),
    ("fraction", "dimensionless"),
    ("((EUR))^1", "eur"),
    ("m^-1", "1/m"),
]
DIFFERENT = [
    ("EUR", "million EUR"),
    ("Month", "Year"),
    ("EUR/million EUR", "Dmnl"),
    ("QALY/Person/Year", "QALY*Person/Year"),
    ("Household", "Households"),
    ("EUR/Person*Year", "EUR/Person/Year"),
]
SHOWN = {
    "dmnl": "Dmnl",
    "1/Year": "1/Year",
    "million  EUR/Year/Year": "million EUR/Year/Year",
    "hour/Person/Year": "hour/Person/Year",
    "Person*Year": "Person*Year",
    "million EUR^3/Year^3": "(million EUR)^3/Year^3",
}


@pytest.mark.parametrize(("one", "two"), SAME)
def test_the_same_unit(one: str, two: str) -> None:
    units = Units()
    assert units.read(one) == units.read(two) is not None


@pytest.mark.parametrize(("one", "two"), DIFFERENT)
def test_different_units(one: str, two: str) -> None:
    units = Units()
    assert units.read(one) != units.read(two)


@pytest.mark.parametrize("text", SHOWN)
def test_how_a_unit_is_shown(text: str) -> None:
    units = Units()
    unit = units.read(text)
    assert unit is not None
    assert units.show(unit) == SHOWN[text]


def test_roots_and_words_as_first_written() -> None:
    units = Units()
    root = raised(units.read("Person"), Fraction(1, 2))
    assert root is not None
    assert units.show(root) == "Person^(1/2)"
    assert times(root, root) == units.read("people")
    assert units.show(units.read("people") or DIMENSIONLESS) == "Person"


def test_no_text_is_no_unit() -> None:
    units = Units()
    assert units.read("") is units.read(" ") is units.read("[0,?]") is None
    assert times(None, DIMENSIONLESS) is over(DIMENSIONLESS, None) is raised(None, Fraction(2)) is None
    assert raised(None, Fraction(0)) == DIMENSIONLESS


@pytest.mark.parametrize(
    "text", ["EUR//Year", "EUR/", "(EUR", "EUR)", "EUR^", "EUR^x", "*", "EUR (x)", "EUR^(1/0)", "EUR^(1"]
)
def test_what_is_no_unit(text: str) -> None:
    with pytest.raises(ValueError):
        Units().read(text)


def test_synonyms_of_a_model() -> None:
    units = Units([("Household", "Households", "hh")])
    assert units.read("EUR/hh") == units.read("EUR/Households")


@given(st.lists(st.tuples(st.sampled_from(["EUR", "million EUR", "Year", "q"]), st.booleans()), min_size=1))
def test_what_is_shown_reads_back(factors: list[tuple[str, bool]]) -> None:
    units = Units()
    text = "1" + "".join(("*" if above else "/") + word for word, above in factors)
    unit = units.read(text)
    assert unit is not None
    assert units.read(units.show(unit)) == unit
