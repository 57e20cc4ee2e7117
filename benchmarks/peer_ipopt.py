"""IPOPT through CasADi with exact derivatives: single shooting, and every stock at every step a variable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np

from casadi_model import Transcription
from peers import STARTS, Answer, Recorder, places

OPTIONS = {
    "ipopt.print_level": 0,
    "print_time": False,
    "ipopt.sb": "yes",
    "ipopt.tol": 1e-9,
    "ipopt.constr_viol_tol": 1e-9,
    "ipopt.max_iter": 3000,
    "ipopt.bound_relax_factor": 0.0,
}
"""Defaults but for tolerances as tight as everyone's, and no room beyond a bound. Second derivatives are
exact where they are sparse (full transcription). By single shooting they are dense, and were slower here than
IPOPT's limited-memory approximation (12 s against more than 60 on the shipped example)."""
DENSE = {"ipopt.hessian_approximation": "limited-memory"}


@dataclass(frozen=True)
class Program:
    """A nonlinear program: CasADi's dictionary, bounds of variables and rows, and how a start is laid out."""

    parts: dict[str, Any]
    bounds: dict[str, Any]
    start: ca.Function


def single_shooting(model: Transcription) -> Program:
    """The decisions are the only variables; the model runs inside the objective."""
    size = len(model.question.lower)
    x = ca.SX.sym("x", size) if model.steps * len(model.program.loop) < SMALL else ca.MX.sym("x", size)
    improvement, slacks = model.outcome(_outputs(model, x))
    rows, limits = model.question.rules
    held = ca.vertcat(slacks, ca.DM(limits) - ca.mtimes(ca.sparsify(ca.DM(rows)), x))
    bounds = {"lbx": 0.0, "ubx": 1.0, "lbg": 0.0, "ubg": np.inf}
    return Program(
        {"x": x, "f": -improvement / model.question.size, "g": held}, bounds, ca.Function("start", [x], [x])
    )


SMALL = 20_000
"""Elementary operations up to which the whole simulation is one expanded expression: faster to evaluate."""


def _outputs(model: Transcription, x: Any) -> Any:
    return model.trajectories(x)[1]


def full_transcription(model: Transcription) -> Program:
    """Decisions and stocks at every step are variables, each in units of its largest value without policy."""
    question, steps = model.question, model.steps
    size, stocks = len(question.lower), len(model.program.stocks)
    x, held = ca.MX.sym("x", size), ca.MX.sym("stocks", stocks, steps + 1)
    simulated = ca.Function("simulated", [x], [model.trajectories(x)[0]])
    scale = np.maximum(np.abs(np.array(simulated(question.null))).max(axis=1), 1e-6)
    at = ca.mtimes(ca.diag(ca.DM(scale)), held)
    inputs, times = model.inputs(x), ca.DM(model.times).T
    moved, outputs = model.step.map(steps + 1)(at, inputs, times)
    gaps = ca.mtimes(ca.diag(ca.DM(1 / scale)), at[:, 1:] - moved[:, :-1])
    begin = (at[:, 0] - model.start(inputs[:, 0])) / ca.DM(scale)
    improvement, slacks = model.outcome(outputs)
    rows, limits = question.rules
    rules = ca.DM(limits) - ca.mtimes(ca.sparsify(ca.DM(rows)), x)
    every = ca.vertcat(begin, ca.vec(gaps), slacks, rules)
    equalities = stocks * (steps + 1)
    free = np.full(equalities, np.inf)
    bounds = {
        "lbx": np.r_[np.zeros(size), -free],
        "ubx": np.r_[np.ones(size), free],
        "lbg": 0.0,
        "ubg": np.r_[np.zeros(equalities), np.full(every.numel() - equalities, np.inf)],
    }
    start = ca.Function("start", [x], [ca.vertcat(x, ca.vec(simulated(x) / ca.DM(scale)))])
    parts = {"x": ca.vertcat(x, ca.vec(held)), "f": -improvement / question.size, "g": every}
    return Program(parts, bounds, start)


class Clock(ca.Callback):
    """Stops IPOPT between two iterations when the time is up."""

    def __init__(self, recorder: Recorder, program: Program) -> None:
        ca.Callback.__init__(self)
        self.recorder, self.widths = recorder, (program.parts["x"].numel(), 1, program.parts["g"].numel())
        self.construct("clock", {})

    def get_n_in(self) -> int:
        return int(ca.nlpsol_n_out())

    def get_n_out(self) -> int:
        return 1

    def get_sparsity_in(self, place: int) -> Any:
        shapes = {
            "x": self.widths[0],
            "lam_x": self.widths[0],
            "f": 1,
            "g": self.widths[2],
            "lam_g": self.widths[2],
        }
        return ca.Sparsity.dense(shapes.get(ca.nlpsol_out(place), 0), 1)

    def eval(self, _: Any) -> list[int]:
        return [int(self.recorder.seconds > self.recorder.limit)]


def ipopt(name: str, recorder: Recorder, *, full: bool) -> Answer:
    """IPOPT from several starts, each simulated first, so that every stock starts where the model puts it."""
    model = Transcription(recorder.question)
    program = full_transcription(model) if full else single_shooting(model)
    clock = Clock(recorder, program)
    options = {**OPTIONS, **({} if full else DENSE), "iteration_callback": clock}
    solver = ca.nlpsol("solver", "ipopt", program.parts, options)
    with recorder.clock():
        for start in places(recorder.question, STARTS):
            recorder.check_time()
            found = solver(x0=program.start(start), **program.bounds)
            recorder.elsewhere += int(solver.stats()["iter_count"])
            recorder.end(np.clip(np.array(found["x"]).ravel()[: len(start)], 0.0, 1.0))
    return recorder.answer(name)
