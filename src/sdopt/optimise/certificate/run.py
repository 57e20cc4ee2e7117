"""The certificate of what a search found: worked out, and as figures and tables of the result."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from sdopt.equations.enclosure import algebra, operations
from sdopt.equations.enclosure.names import names_of_registers
from sdopt.optimise.archive import ALLOWED, Floats, View
from sdopt.optimise.certificate import linear_program
from sdopt.optimise.certificate.certify import Certificate, Told, certify
from sdopt.optimise.climb import Climber
from sdopt.optimise.cutting_planes import OBJECTIVE_NOISE, relative_gap
from sdopt.optimise.search import Found
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem
from sdopt.result import Status

SHOWN = 12
"""Most instructions that are listed with what the bound still owes to them."""
TRUSTED = (
    "double precision with margins (docs/certificate.md), and the translation of the equations, which "
    "the replay in PySD checks"
)

MARGINS = {
    "range": algebra.ROUNDING,
    "error": algebra.MARGIN,
    "bound": linear_program.MARGIN,
    "jump": operations.ROOM,
}
"""Parts by which what rounding may spoil is widened: ranges, errors, bounds; and how near a jump counts."""


@dataclass(frozen=True)
class Asked:
    """What `--certify` asks: how many seconds to spend on the proof, and who hears how far it is."""

    seconds: float
    told: Told


class _Until(Stop):
    """After some seconds from now, or when another stop was interrupted."""

    def __init__(self, seconds: float, other: Stop) -> None:
        super().__init__(time.time() + seconds)
        self.other = other

    def reason(self) -> Status | None:
        return Status.INTERRUPTED if self.other.interrupted else super().reason()


def certified(problem: Problem, found: Found, asked: Asked, stop: Stop) -> tuple[Found, Certificate]:
    """A certificate, and what was found; better, where the proof met a better allocation."""
    view = View(problem, problem.objective_rows)
    until = _Until(asked.seconds, stop)

    def improve(place: Floats, best: float) -> tuple[Floats, float] | None:
        if problem.decisions.programmes or not view.meets_rules(place[None])[0]:
            return None
        climber = Climber(view, found.point)
        end = climber.climb(place, until)
        if end.point is None or end.improvement is None or end.improvement <= best:
            return None
        end = climber.finish(end.point, until)
        if end.point is None or end.improvement is None or not view.meets_rules(end.point[None])[0]:
            return None
        return end.point, end.improvement

    settings = problem.config.search
    certificate = certify(problem, found.point, found.improvement, settings.gap, until, asked.told, improve)
    if certificate.improvement > found.improvement:
        found = _better(found, certificate, settings.gap)
    if certificate.reached:
        found = replace(found, status=Status.CERTIFIED)
    return found, certificate


def _better(found: Found, certificate: Certificate, tolerance: float) -> Found:
    """What was found, with the better allocation; a bound that it exceeds is disproved, and goes."""
    found = replace(found, point=certificate.point, improvement=certificate.improvement)
    if found.bound is None:
        return found
    scale = found.planes.scale
    if found.improvement > found.bound + OBJECTIVE_NOISE * abs(found.improvement):
        return replace(found, bound=None, gap=None, status=Status.LOCAL)
    gap = relative_gap(found.improvement, found.bound, scale)
    known = found.status is not Status.LOCAL
    return replace(found, gap=gap, status=Status.OPTIMAL if known and gap <= tolerance else found.status)


def certificate_figures(problem: Problem, certificate: Certificate) -> dict[str, Any]:
    """The proved bound and what it leans on; no figure claims more than was proved."""
    known = certificate.bound < float("inf")
    amount = max(certificate.bound - certificate.improvement, 0.0)
    return {
        "certified_bound": problem.null_objective + certificate.bound if known else None,
        "certified_gap": amount / certificate.bound if known and certificate.bound > 0 else None,
        "certified_gap_amount": amount if known else None,
        "certified_tolerance": problem.config.search.gap,
        "certified_allowance": ALLOWED,
        "certified_margins": dict(MARGINS),
        "certified_reached": certificate.reached,
        "certified_boxes": len(certificate.steps),
        "certified_boxes_left": len(certificate.left),
        "certified_assumes": f"nothing about shapes; trusts {TRUSTED}",
        "certified_refusal": None if known else _refusal(problem, certificate),
    }


def _refusal(problem: Problem, certificate: Certificate) -> str:
    """Which variable had no bounds, and what to do."""
    if certificate.refusal is None:
        return "no box was done in the time given: give more seconds"
    register, reason = certificate.refusal
    name = names_of_registers(problem.system, problem.evaluator.program).get(register, "")
    return f'"{name}" has no bounds over the whole range, {reason}: narrow the bounds of the decisions'


def certificate_tables(problem: Problem, certificate: Certificate) -> dict[str, pd.DataFrame]:
    """`certificate`: after every box the bound proved by then; `certificate_errors`: what holds it up."""
    steps = [
        (
            number,
            step.bound,
            certificate.improvement,
            step.bound - certificate.improvement,
            step.boxes,
            step.width,
        )
        for number, step in enumerate(certificate.steps, start=1)
    ]
    names = names_of_registers(problem.system, problem.evaluator.program)
    errors: dict[str, float] = {}
    for register, size in certificate.errors:
        errors[names[register]] = errors.get(names[register], 0.0) + size
    largest = sorted(errors.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    columns = ["box", "bound", "improvement", "gap_amount", "boxes_left", "mean_width"]
    return {
        "certificate": pd.DataFrame(steps, columns=columns),
        "certificate_errors": pd.DataFrame(largest, columns=["variable", "error"]),
    }
