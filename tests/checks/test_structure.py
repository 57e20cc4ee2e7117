"""What is used nowhere, one-way stocks, loops and time constants of small models."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sdopt.checks.report import ModelCheck
from sdopt.checks.structure import Feedback

Checked = Callable[..., ModelCheck]
CONTROLS = """
INITIAL TIME = start ~ Year ~ |
FINAL TIME = 2040 ~ Year ~ |
TIME STEP = 0.5 ~ Year ~ |
SAVEPER = 1 ~ Year ~ |
start = 2026 ~ Year ~ |
"""


def test_what_is_used_nowhere(checked: Checked) -> None:
    found = checked(
        "region: north, south ~ ~ |\nidle = 1 ~ ~ |\nidle list[region] = 1, 2 ~ ~ |\n"
        "half used[region] = 1, 2 ~ ~ |\nresult = half used[north] * lag ~ ~ |\n"
        "lag = 3 ~ Year ~ |\nlate = DELAY1(delayed, lag) ~ ~ |\ndelayed = 5 ~ ~ |\n"
        "first = 7 ~ ~ |\nStock = INTEG(0, first) ~ ~ |\n",
        CONTROLS,
    ).structure
    assert found.unused_constants == ("idle", "idle list", "half used[south]")
    assert found.unused_variables == ("result", "late")


@pytest.mark.parametrize(
    ("flow", "without_inflow", "without_outflow"),
    [
        ("gain - loss", False, False),
        ("gain", False, True),
        ("-loss", True, False),
        ("gain + gain", False, True),
        ("-(loss - gain)", False, False),
        ("net", False, False),
        ("gain * 2 - 0", False, True),
        ("-Stock * rate", True, False),
        ("(rate - 1) * Stock", False, False),
        ("0", True, True),
        ("MAX(0, gain)", False, True),
        ("EXP(gain)", False, True),
        ("SIN(gain)", False, False),
        ("fall", False, False),
    ],
)
def test_stocks_that_go_one_way(
    flow: str, without_inflow: bool, without_outflow: bool, checked: Checked
) -> None:
    found = checked(
        f"Stock = INTEG({flow}, 10) ~ ~ |\ngain = Stock * rate ~ ~ |\nloss = Stock * rate ~ ~ |\n"
        "rate = 0.1 ~ ~ |\nnet = aim - Stock ~ ~ |\naim = 20 ~ ~ |\n"
        "fall = Stock * below ~ ~ |\nbelow = -2 ~ ~ |\n"
    ).structure
    assert found.without_inflow == (("Stock",) if without_inflow else ())
    assert found.without_outflow == (("Stock",) if without_outflow else ())


@pytest.mark.parametrize(
    ("equations", "feedback"),
    [
        ("x = y ~~|\ny = 2 ~~|", Feedback(0, 0, 0)),
        ("s = INTEG(f, 1) ~~|\nf = s * 2 ~~|", Feedback(2, 1, 1)),
        ("s = INTEG(-s, 1) ~~|", Feedback(1, 1, 1)),
        ("s = INTEG(f - g, 1) ~~|\nf = s * 2 ~~|\ng = s * 3 ~~|", Feedback(3, 1, 2)),
        ("s = INTEG(1, x) ~~|\nx = 3 ~~|\ny = s ~~|", Feedback(0, 0, 0)),
        ("s = INTEG(f, 1) ~~|\nf = DELAY3(s, 4) ~~|", Feedback(2, 1, 1)),
        ("x = SMOOTH(y, 4) ~~|\ny = 3 + STEP(1, 2030) ~~|", Feedback(0, 0, 0)),
        ("s = INTEG(t - s, 1) ~~|\nt = INTEG(s - t, 1) ~~|\nu = INTEG(-u, 1) ~~|", Feedback(3, 2, 4)),
    ],
)
def test_feedback(equations: str, feedback: Feedback, checked: Checked) -> None:
    assert checked(equations).structure.feedback == feedback


@pytest.mark.parametrize(
    ("equation", "time", "name"),
    [
        ("x = INTEG(-x / life, 1)", 4, "life"),
        ("x = INTEG(-rate * x, 1)", 2, "rate"),
        ("x = INTEG(-x / life - x * rate, 1)", 2, "rate"),
        ("x = DELAY3(flow, 0.9)", 0.3, "x"),
        ("x = SMOOTH3(flow, life)", 4 / 3, "life"),
        ("x = SMOOTH(flow, life)", 4, "life"),
        ("x = life / flow", None, ""),
    ],
)
def test_the_shortest_time_constant(equation: str, time: float | None, name: str, checked: Checked) -> None:
    found = checked(
        f"{equation} ~ Person ~ |\nlife = 4 ~ Years ~ |\nrate = 0.5 ~ 1/yr ~ |\nflow = 2 ~ Person ~ |\n"
    )
    shortest = found.shortest
    assert (shortest and (shortest.time, shortest.name)) == (time and (pytest.approx(time), name))
    too_long = time is not None and time < 0.5
    assert ("TIME STEP is longer than a time constant, 0.3" in found.text()) == too_long


def test_the_text(checked: Checked) -> None:
    found = checked(
        "Stock = INTEG(gain, 10) ~ Person ~ |\ngain = Stock * rate ~ Person/Year ~ |\n"
        "rate = 0.1 ~ 1/Year ~ |\nidle = 1 ~ ~ |\n"
    )
    path, *lines = found.text().splitlines()
    assert path.endswith("model.mdl")
    assert lines == [
        "variables    1 stock, 1 flow, 0 auxiliaries, 2 constants",
        "units        3 of 4 variables have one; equations: 2, all consistent",
        "feedback     independent loops: 1, variables in them: 2, groups of linked loops: 1; "
        "none is without a stock",
        'time step    0.5 Year; shortest time constant that can be read off: 10 ("rate")',
        "warning      no unit given: 1: idle",
        "warning      constants that change nothing: 1: idle",
        "note         stocks without outflow: 1: Stock",
    ]


def test_long_lists_are_cut(checked: Checked) -> None:
    found = checked("".join(f"idle {i} = 1 ~ Dmnl ~ |\n" for i in range(20))).text()
    assert "constants that change nothing: 20: idle 0, idle 1, " in found
    assert "idle 11 and 8 more" in found
