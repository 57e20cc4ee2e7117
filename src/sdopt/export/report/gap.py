"""How much better the advice could be: the larger of what a proof leaves open and what half a step does."""

from __future__ import annotations

from math import copysign

from sdopt.export.explanation import short
from sdopt.export.report.parts import Case, Cell
from sdopt.export.report.sources import PERCENT, Traced
from sdopt.export.views import has
from sdopt.export.within import StepChange, step_beyond, two_digits
from sdopt.result import Status


def best_lines(case: Case) -> list[str]:
    """How much better another allocation can be, or that nothing was optimised or proved."""
    labels, result = case.labels, case.result
    if result.status is Status.SIMULATED and has(result, "allocation"):
        return [labels("report.best.simulated")]
    if case.figure("objective") is None:
        return []
    if case.figure("gap") is None or case.figure("gap_amount") is None:
        return [labels("report.best.unknown")]
    if step := _step(case):
        shown = case.sources.mark(Traced(step.amount, step.source, step.shown, step.scale))
        return [labels("report.best.step", amount=shown, unit=step.unit)]
    amount, unit = _amount(case)
    return [labels("report.best.within", amount=amount, unit=unit)]


def gap_facts(case: Case) -> list[tuple[str, Cell, str, str]]:
    """The same as a part of the improvement, among the numbers that are read first."""
    labels, gap, change = case.labels, case.figure("gap"), case.figure("half_step_return_change")
    if gap is None or case.figure("objective") is None:
        return []
    name = labels("report.fact.gap")
    if change and _step(case):
        shown = case.plain.number(PERCENT * abs(change), two_digits(PERCENT * change))
        cell = Traced(change, "figure:half_step_return_change", shown, copysign(PERCENT, change))
        return [(name, cell, "%", labels("report.fact.gap_step"))]
    return [(name, case.shown(gap, "figure:gap", 3, scale=PERCENT), "%", labels("report.fact.gap_says"))]


def left_lines(case: Case) -> list[str]:
    """What the proof itself leaves to gain, where the advice tells of the time step instead."""
    gap = case.figure("gap")
    if gap is None or not _step(case):
        return []
    amount, unit = _amount(case)
    share = case.sources.mark(Traced(gap, "figure:gap", case.plain.number(PERCENT * gap, 3), PERCENT))
    return [case.labels("report.best.left", amount=amount, unit=unit, share=f"{share} %")]


def _step(case: Case) -> StepChange | None:
    return step_beyond(case.result, case.figure("gap_amount"), case.plain)


def _amount(case: Case) -> tuple[str, str]:
    """What the proof leaves to gain, and its unit: in whole euros where that is one or more."""
    euros, amount = case.figure("gap_euro"), case.figure("gap_amount") or 0.0
    if euros is not None and euros >= 1:
        traced, unit = Traced(euros, "figure:gap_euro", case.plain.number(euros, 0)), case.plain.unit("EUR")
    else:
        traced, unit = Traced(amount, "figure:gap_amount", short(case.plain, amount)), case.unit
    return case.sources.mark(traced), unit
