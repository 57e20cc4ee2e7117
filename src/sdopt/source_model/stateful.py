"""DELAY, SMOOTH, TREND, FORECAST, SAMPLE IF TRUE and DELAY FIXED as hidden stocks.

The equations are those of Vensim's reference manual, in the form PySD computes them
(`pysd.py_backend.statefuls`), which is the referee.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdopt.equations.expression import Expression, Number, Reference, Time
from sdopt.source_model.formulas import ONE, ZERO, call, xidz
from sdopt.source_model.parse import pysd_tree
from sdopt.source_model.ranges import Scope
from sdopt.source_model.translator import Translator
from sdopt.source_model.unsupported import UnsupportedError

LARGEST_ORDER = 1000
"""More stages than this is taken for a mistake."""


def _short(to: Translator, expression: Expression, role: str, scope: Scope) -> Expression:
    """The expression itself when it is a leaf, else a hidden auxiliary that holds it."""
    if isinstance(expression, Number | Reference | Time):
        return expression
    return to.hidden.auxiliary(scope, role, expression)


def _length(to: Translator, node: Any, role: str, scope: Scope) -> Expression:
    """A delay or smooth time; as `_short`."""
    return _timed(_short(to, to.translate(node, scope), role, scope))


def _timed(expression: Expression, power: int = 1) -> Expression:
    """The same, with its unit if it is a written time (or rate, with power -1)."""
    return Number(expression.value, power) if isinstance(expression, Number) else expression


def _order(to: Translator, node: Any, scope: Scope) -> int:
    value = to.number(to.translate(node, scope), "the order of a delay or smooth")
    if not 1 <= value <= LARGEST_ORDER:
        raise UnsupportedError(f"the order of a delay or smooth is 1 to {LARGEST_ORDER}, not {value:g}")
    return int(value)


def _delay(to: Translator, node: Any, scope: Scope) -> Expression:
    """Stages hold material; each loses it at order / delay time.

    Vensim keeps all stages of DELAY1 and DELAY3 however short the delay; PySD takes some out, as both do
    with DELAY N.
    """
    order, (inflow, time, initial) = _order(to, node.order, scope), _parts(to, node, scope)
    content = call("multiply", initial, time)
    leaving = inflow
    for _ in range(order):
        stage = to.hidden.reserve(scope, "delay")
        entering, leaving = leaving, call("divide", Reference(stage), time)
        flow = call("multiply", call("subtract", entering, leaving), Number(float(order)))
        to.hidden.stock(stage, flow, content)
    return leaving


def _delay_n(to: Translator, node: Any, scope: Scope) -> Expression:
    """As DELAY, but material keeps the delay time it met: stage k uses the time of k steps ago."""
    order = to.stages(_order(to, node.order, scope), to.translate(node.delay_time, scope))
    inflow, time, initial = _parts(to, node, scope)
    if isinstance(time, Number):
        return _delay(to, pysd_tree.DelayStructure(node.input, node.delay_time, node.initial, order), scope)
    content = call("multiply", initial, time)
    entering, stage_time = inflow, time
    first: str | None = None
    stage = ""
    for _ in range(order):
        stage = to.hidden.reserve(scope, "delay")
        leaving = call("divide", Reference(stage), stage_time)
        to.hidden.stock(
            stage, call("multiply", call("subtract", entering, leaving), Number(float(order))), content
        )
        earlier = to.hidden.reserve(scope, "delay time")
        to.hidden.stock(earlier, stage_time, time, assigned=True)
        first = first or earlier
        entering, stage_time = leaving, Reference(earlier)
    return call("divide", Reference(stage), Reference(first or stage))


def _parts(to: Translator, node: Any, scope: Scope) -> tuple[Expression, Expression, Expression]:
    """Input, time and initial value of a delay."""
    inflow = _short(to, to.translate(node.input, scope), "input", scope)
    time = _length(to, node.delay_time, "delay time now", scope)
    return inflow, time, to.translate(node.initial, scope)


def _smooth(to: Translator, node: Any, scope: Scope) -> Expression:
    """A chain of stocks that each approach the one before."""
    order = _order(to, node.order, scope)
    time = _length(to, node.smooth_time, "smooth time", scope)
    target: Expression = to.translate(node.input, scope)
    initial = to.translate(node.initial, scope)
    for _ in range(order):
        stage = to.hidden.reserve(scope, "smooth")
        gap = call("multiply", call("subtract", target, Reference(stage)), Number(float(order)))
        to.hidden.stock(stage, call("divide", gap, time), initial)
        target = Reference(stage)
    return target


def _averaged(
    to: Translator, node: Any, scope: Scope, per_trend: Callable[[Expression], Expression]
) -> tuple[Expression, Expression, Expression]:
    """Input, averaging time, and the stock that averages the input."""
    value = _short(to, to.translate(node.input, scope), "input", scope)
    time = _length(to, node.average_time, "average time", scope)
    trend = _timed(to.translate(node.initial_trend, scope), -1)
    average = to.hidden.reserve(scope, "average")
    start = call("divide", value, call("add", ONE, call("multiply", trend, per_trend(time))))
    to.hidden.stock(average, call("divide", call("subtract", value, Reference(average)), time), start)
    return value, time, Reference(average)


def _trend(to: Translator, node: Any, scope: Scope) -> Expression:
    value, time, average = _averaged(to, node, scope, lambda time: time)
    size = call("multiply", time, call("abs", average))
    return xidz(call("subtract", value, average), size, ZERO)


def _forecast(to: Translator, node: Any, scope: Scope) -> Expression:
    value, time, average = _averaged(to, node, scope, lambda _: _timed(ONE))
    growth = xidz(call("subtract", value, average), call("multiply", time, average), ZERO)
    ahead = call("multiply", growth, _timed(to.translate(node.horizon, scope)))
    return call("multiply", value, call("add", ONE, ahead))


def _sample_if_true(to: Translator, node: Any, scope: Scope) -> Expression:
    kept = to.hidden.reserve(scope, "sample")
    condition, value = to.translate(node.condition, scope), to.translate(node.input, scope)
    now = _short(to, call("if_then_else", condition, value, Reference(kept)), "sampled now", scope)
    to.hidden.stock(kept, now, to.translate(node.initial, scope), assigned=True)
    return now


def _delay_fixed(to: Translator, node: Any, scope: Scope) -> Expression:
    pipeline = to.hidden.reserve(scope, "pipeline")
    to.hidden.stock(
        pipeline,
        to.translate(node.input, scope),
        to.translate(node.initial, scope),
        assigned=True,
        delay=to.translate(node.delay_time, scope),
    )
    return Reference(pipeline)


def _stock_inside(to: Translator, node: Any, scope: Scope) -> Expression:
    """INTEG as a part of an expression."""
    stock = to.hidden.reserve(scope, "stock")
    to.hidden.stock(stock, to.translate(node.flow, scope), to.translate(node.initial, scope))
    return Reference(stock)


STATEFUL: Mapping[type, Callable[[Translator, Any, Scope], Expression]] = {
    pysd_tree.IntegStructure: _stock_inside,
    pysd_tree.DelayStructure: _delay,
    pysd_tree.DelayNStructure: _delay_n,
    pysd_tree.DelayFixedStructure: _delay_fixed,
    pysd_tree.SmoothStructure: _smooth,
    pysd_tree.SmoothNStructure: _smooth,
    pysd_tree.TrendStructure: _trend,
    pysd_tree.ForecastStructure: _forecast,
    pysd_tree.SampleIfTrueStructure: _sample_if_true,
}
"""Constructs with a memory, and what writes them as stocks."""
