"""How much more another allocation can return, said no more precisely than the model's own time step."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

from sdopt.config.units import plain_unit
from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.views import fact
from sdopt.result import Result

MILLION, THOUSAND = 1e6, 1e3
SOURCE = ("improvement", "half_step_improvement")
"""Figures of which the difference is what half the time step does."""


@dataclass(frozen=True)
class StepChange:
    """What half the time step does to the return, in about two digits.

    amount: in the unit of the objective, at least 0; `scale` times that is shown, as `shown` and `unit`.
    source: where it stands, as `export.report.sources` writes it.
    """

    amount: float
    source: str
    scale: float
    shown: str
    unit: str


def step_beyond(result: Result, gap: float | None, labels: Labels) -> StepChange | None:
    """What half the time step does to the return, where that is more than `gap`, what a proof leaves to gain.

    None where the proof leaves as much or more, where there is no gap, and where no half step was made.
    """
    whole, half = (to_python(fact(result, key)) for key in SOURCE)
    if not (is_number(gap) and is_number(whole) and is_number(half)) or abs(whole - half) <= gap:
        return None
    names = SOURCE if whole > half else SOURCE[::-1]
    amount = abs(whole - half)
    scale, unit = _told_in(amount, str(fact(result, "objective_unit") or ""), labels)
    shown = labels.number(amount * scale, two_digits(amount * scale))
    return StepChange(amount, " - ".join(f"figure:{name}" for name in names), scale, shown, unit)


def _told_in(amount: float, unit: str, labels: Labels) -> tuple[float, str]:
    """The factor to the unit in which an amount is told, and its words: euros, or thousands of them."""
    plain = plain_unit(unit)
    if plain != "million eur" or amount >= 1:
        return 1.0, labels.unit(unit)
    thousands = amount * MILLION >= THOUSAND
    return (THOUSAND, labels("unit.thousand_eur")) if thousands else (MILLION, labels("unit.eur"))


def two_digits(value: float) -> int:
    """Decimals that leave two digits to see; 0 for nothing."""
    return max(1 - floor(log10(abs(value))), 0) if value else 0
