"""One small equation per rule, right and wrong, with what must be said of the wrong one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdopt.checks.report import ModelCheck
from sdopt.checks.unit_text import Units

ROOT = Path(__file__).resolve().parents[2]
Checked = Callable[..., ModelCheck]

GIVEN = """
a = 4 ~ Person ~ |
b = 2 ~ Person ~ |
money = 3 ~ EUR ~ |
rate = 0.1 ~ 1/Year ~ |
lag = 2 ~ Year ~ |
share = 0.5 ~ Dmnl ~ |
flow = a * rate ~ Person/Year ~ |
effect((0,0),(1,1)) ~ EUR ~ |
"""
CASES = """
sum
  right  Person | a + b
  wrong  a + money
  says   money | EUR | Person | multiply by a constant in Person/EUR
difference
  right  Person | a - b - a
  wrong  a - b - money
  says   money | EUR | Person | correct a unit
whole sum
  right  EUR | money - money
  wrong  a - b
  says   a - b | Person | EUR | correct a unit
sum inside
  right  1/Year | (a + b) / a / lag
  wrong  (a + money) / a / lag
  says   money | EUR | Person
sign
  right  Person | -a
  wrong  -money
  says   -money | EUR | Person
number in a sum
  right  Person | a + 0
  wrong  a + 1
  says   1 | Dmnl | Person | constant of the model, in Person
number less a share
  right  Dmnl | 1 - share
  wrong  1 - a
  says   a | Person | Dmnl
factor
  right  Person | 2 * a
  wrong  2 * money
  says   2 * money | EUR | Person
product
  right  Person | flow * lag
  wrong  flow * rate
  says   flow * rate | Person/Year/Year | Person
quotient
  right  EUR/Person | money / a
  wrong  a / money
  says   a / money | Person/EUR | EUR/Person
comparison
  right  Dmnl | IF THEN ELSE(a > b, 1, 0)
  wrong  IF THEN ELSE(a > money, 1, 0)
  says   money | EUR | Person
compared with 0
  right  Person | IF THEN ELSE(a > 0, a, b)
  wrong  IF THEN ELSE(a > 5, a, b)
  says   5 | Dmnl | Person | make the number a constant of the model
compared with a time
  right  Person | IF THEN ELSE(Time > 2030, a, b)
  wrong  IF THEN ELSE(Time > a, a, b)
  says   a | Person | Year
logic
  right  Dmnl | IF THEN ELSE(a > b :AND: :NOT: share > 1, 1, 0)
  wrong  IF THEN ELSE(a > b :AND: :NOT: share > a, 1, 0)
  says   a | Person | Dmnl
outcomes
  right  Person | IF THEN ELSE(share > 1, a, 0)
  wrong  IF THEN ELSE(share > 1, a, money)
  says   money | EUR | Person
outcomes inside
  right  Person | 2 * IF THEN ELSE(share > 1, a, b)
  wrong  2 * IF THEN ELSE(share > 1, a, money)
  says   money | EUR | Person
written outcomes
  right  Person | IF THEN ELSE(share > 1, 5, 3)
  wrong  2 * IF THEN ELSE(share > 1, a, 3)
  says   3 | Dmnl | Person | make the number a constant of the model
minimum
  right  Person | MIN(a, MAX(0, b))
  wrong  MIN(a, MAX(0, money))
  says   MAX(0, money) | EUR | Person
maximum
  right  Person | MAX(a, b) / share
  wrong  MAX(a, money) / share
  says   money | EUR | Person
whole power
  right  Person*Person | a ^ 2
  wrong  a ^ 3
  says   a ^ 3 | Person^3 | Person^2
power below zero
  right  1/Person | a ^ (-1)
  wrong  a ^ (-2)
  says   a ^ (-2) | 1/Person/Person | 1/Person
root
  right  Person | (a * b) ^ 0.5
  wrong  (a * b) ^ (1/4)
  says   (a * b) ^ (1 / 4) | Person^(1/2) | Person
square root
  right  Person | SQRT(a * b)
  wrong  SQRT(a)
  says   SQRT(a) | Person^(1/2) | Person
power
  right  Dmnl | (a / b) ^ share
  wrong  a ^ share
  says   a | Person | Dmnl | a power takes numbers without unit
exponent
  right  Dmnl | share ^ (a / b)
  wrong  share ^ a
  says   a | Person | Dmnl | a power takes numbers without unit
exponential
  right  Dmnl | EXP(rate * lag)
  wrong  EXP(-rate)
  says   -rate | 1/Year | Dmnl | this function takes a number without unit
logarithm
  right  Dmnl | LN(a / b)
  wrong  LN(a)
  says   a | Person | Dmnl | this function takes a number without unit
logarithm with base
  right  Dmnl | LOG(share, 10)
  wrong  LOG(money, 10)
  says   money | EUR | Dmnl | this function takes a number without unit
sine
  right  Dmnl | SIN(2 * 3.14 * Time / lag)
  wrong  SIN(Time)
  says   Time | Year | Dmnl | this function takes a number without unit
absolute
  right  Person | ABS(a - b)
  wrong  ABS(money)
  says   ABS(money) | EUR | Person
stock
  right  Person | INTEG(flow - a * rate, b)
  wrong  INTEG(flow - a, b)
  says   a | Person | Person/Year
whole net flow
  right  Person | INTEG(flow, b)
  wrong  INTEG(a - b, b)
  says   a - b | Person | Person/Year | constant in 1/Year
start
  right  Person | INTEG(flow, 100)
  wrong  INTEG(flow, money)
  says   money | EUR | Person
lookup
  right  EUR | effect(share)
  wrong  a + effect(share)
  says   a | Person | EUR
lookup inside
  right  EUR/Person | effect(share) / a
  wrong  effect(share) * a
  says   lookup(share) * a | EUR*Person | EUR/Person
inline lookup
  right  EUR | WITH LOOKUP(share, ((0,0),(1,1)))
  wrong  WITH LOOKUP(a + money, ((0,0),(1,1)))
  says   money | EUR | Person
delay
  right  Person/Year | DELAY1(flow, lag)
  wrong  DELAY1(flow, share)
  says   (flow - x (delay 1) / share) * 1 | Person/Year | Person/Year/Year | the time of a delay
delay with a number
  right  Person/Year | DELAY3(flow, 4)
  wrong  DELAY3(a, 4)
  says   x (delay 3) / 4 | Person | Person/Year
delay from a start
  right  Person/Year | DELAY1I(flow, lag, flow * 2)
  wrong  DELAY1I(flow, lag, a)
  says   x (delay 1) / lag | Person | Person/Year | the time of a delay
delay from a number
  right  Person/Year | DELAY3I(flow, lag, 3)
  wrong  DELAY3I(a, lag, 3)
  says   x (delay 3) / lag | Person | Person/Year
delay of order n
  right  Person/Year | DELAY N(flow, lag, 1, 2)
  wrong  DELAY N(flow, share, flow, 1)
  says   (flow - x (delay 1) / share) * 1 | Person/Year | Person/Year/Year | the time of a delay
fixed delay
  right  Person | DELAY FIXED(a, lag, 0)
  wrong  DELAY FIXED(a, share, 0)
  says   share | Dmnl | Year | the time of a delay
smooth
  right  Person | SMOOTH(a, lag)
  wrong  SMOOTH(a, share)
  says   (a - x (smooth 1)) * 1 / share | Person | Person/Year | the time of a delay
smooth from a start
  right  Person | SMOOTH3I(a + b, 2, b)
  wrong  SMOOTH3I(a, 2, money)
  says   x (smooth 1) | EUR | Person
trend
  right  1/Year | TREND(a, lag, 0.1)
  wrong  lag * TREND(a, 2, rate)
  says   - | Dmnl | 1/Year
forecast
  right  Person | FORECAST(a, lag, 3)
  wrong  FORECAST(money, lag, lag)
  says   - | EUR | Person
sample
  right  Person | SAMPLE IF TRUE(Time > 2030, a, 0)
  wrong  SAMPLE IF TRUE(Time > 2030, money, 0)
  says   IF THEN ELSE(Time > 2030, money, x (sample 1)) | EUR | Person
guarded quotient
  right  EUR/Person | ZIDZ(money, a)
  wrong  ZIDZ(a, money)
  says   a / money | Person/EUR | EUR/Person
guard
  right  Dmnl | XIDZ(a, b, 1)
  wrong  XIDZ(a, money, 1)
  says   a / money | Person/EUR | Dmnl
step
  right  Person | a + STEP(b, 2030)
  wrong  a + STEP(money, 2030)
  says   money * (Time + TIME STEP / 2 > 2030) | EUR | Person
ramp
  right  Person | a + RAMP(flow, 2030, 2035)
  wrong  a + RAMP(b, 2030, 2035)
  says   - | Person*Year | Person
ramp with a written slope
  right  Person | 50 + RAMP(2, 2030, 2035)
  wrong  money + RAMP(2, 2030, 2035)
  says   money | EUR | Person
ramp without a unit
  right  Dmnl | share * RAMP(0.1, 2030, 2035)
  wrong  lag * RAMP(0.1, 2030, 2035)
  says   - | Year | Dmnl
height per step
  right  Person/Year | IF THEN ELSE(Time > 2030, 5 / TIME STEP, 0)
  wrong  a * PULSE(2030, 1) / TIME STEP / lag
  says   - | Person/Year/Year | Person/Year
pulse
  right  Person | a * PULSE(2030, 1)
  wrong  a * PULSE(a, 1)
  says   a - 1e-06 | Person | Year
remainder
  right  Year | MODULO(Time, 3)
  wrong  MODULO(a, b)
  says   - | Person | Year
time
  right  Year | Time - 2026
  wrong  (Time - 2026) * rate
  says   (Time - 2026) * rate | Dmnl | Year
time settings
  right  Person/Year | a / TIME STEP
  wrong  a / INITIAL TIME / FINAL TIME
  says   - | Person/Year/Year | Person/Year
at the start
  right  Person | INITIAL(a)
  wrong  INITIAL(money)
  says   money | EUR | Person
one value at the start
  right  Person | ACTIVE INITIAL(a, b)
  wrong  ACTIVE INITIAL(a, money)
  says   money | EUR | Person
written numbers
  right  EUR/Person | 12 * 3 / 4
  wrong  12 * a
  says   12 * a | Person | EUR/Person
test input
  right  EUR | 10 + STEP(5, 2030)
  wrong  money + STEP(5, 2030)
  says   5 * (Time + TIME STEP / 2 > 2030) | Dmnl | EUR | make the number a constant of the model
"""
"""Unit of x with a right equation, a wrong one, and what is said of it: part, found, expected and advice."""


def cases(line: str) -> dict[str, list[str]]:
    """Right or wrong equation, or what is said, of every rule."""
    parts = re.findall(rf"^(\S.*)(?:\n  .*)*?\n  {line} +(.*)$", CASES, re.M)
    return {rule: text.split(" | ") for rule, text in parts}


RIGHT, WRONG, SAID = cases("right"), cases("wrong"), cases("says")


@pytest.mark.parametrize("rule", RIGHT)
def test_what_is_right(rule: str, checked: Checked) -> None:
    unit, equation = RIGHT[rule]
    found = checked(f"{GIVEN}x = {equation} ~ {unit} ~ |").units
    assert found.errors == found.warnings == found.without == ()


@pytest.mark.parametrize("rule", RIGHT)
def test_what_is_wrong(rule: str, checked: Checked) -> None:
    errors = checked(f"{GIVEN}x = {WRONG[rule][0]} ~ {RIGHT[rule][0]} ~ |").units.errors
    part, found, expected, *advice = SAID[rule]
    alike = [e for e in errors if same(e.found, found) and same(e.expected, expected)]
    assert [e for e in alike if part in ("-", e.part) and "".join(advice) in e.advice], errors
    assert {e.variable for e in errors} == {"x"}


REFEREE_DIFFERS = ("delay of order n", "forecast", "height per step")
"""What pysimlin cannot read, and where it lets no number fit."""
REFEREE_LETS_PASS = {
    *("number in a sum", "compared with 0", "written outcomes", "test input"),  # numbers fit anywhere
    *("comparison", "compared with a time", "logic", "root", "power", "exponent"),
    *("inline lookup", "step", "ramp", "pulse", "one value at the start"),
}

if sys.platform != "win32":  # pysimlin has no Windows wheels

    @pytest.mark.parametrize("rule", [rule for rule in RIGHT if rule not in REFEREE_DIFFERS])
    def test_another_checker_agrees(rule: str, checked: Checked) -> None:
        """Another program finds no fault in what is right, and one in what is wrong if it looks at it."""
        import simlin

        unit, equation = RIGHT[rule]
        for written, faulty in ((equation, False), (WRONG[rule][0], rule not in REFEREE_LETS_PASS)):
            path = checked(f"{GIVEN}x = {written} ~ {unit} ~ |").path
            faults = simlin.load(str(path)).check()
            assert bool(faults) == faulty, faults


def same(one: str, two: str) -> bool:
    """Whether two texts are one unit."""
    units = Units()
    return units.read(one) == units.read(two)
