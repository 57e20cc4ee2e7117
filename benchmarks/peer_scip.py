"""SCIP on the full transcription of the model, started from the null alternative; it proves bounds too."""

from __future__ import annotations

from time import process_time
from typing import Any

import numpy as np
import pyscipopt as scip

from peers import Answer, Recorder
from scip_model import ScipModel

MEMORY = 4000
"""Megabytes."""


class Watch(scip.Eventhdlr):
    """Notes every new best solution."""

    def __init__(self, recorder: Recorder, made: ScipModel) -> None:
        self.recorder, self.made = recorder, made

    def eventinit(self) -> None:
        self.model.catchEvent(scip.SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexit(self) -> None:
        self.model.dropEvent(scip.SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexec(self, _: Any) -> None:
        best = self.model.getBestSol()
        found = np.array([self.model.getSolVal(best, x) for x in self.made.x])
        self.recorder.end(np.clip(found, 0.0, 1.0))


def solve(name: str, recorder: Recorder) -> Answer:
    """SCIP with its defaults, all its heuristics (IPOPT among them) and a first solution."""
    question = recorder.question
    made = ScipModel(question, question.null)
    model = made.model
    model.hideOutput()
    model.setParam("limits/time", max(recorder.limit - recorder.seconds, 0.1))
    model.setParam("limits/memory", MEMORY)
    model.setParam("timing/clocktype", 1 if recorder.now is process_time else 2)
    accepted = made.first_solution()
    watch = Watch(recorder, made)
    model.includeEventhdlr(watch, "watch", "notes every new best solution")
    model.optimize()
    recorder.elsewhere += int(model.getNTotalNodes())
    if model.getNSols():
        best = model.getBestSol()
        recorder.end(np.clip([model.getSolVal(best, x) for x in made.x], 0.0, 1.0))
    bound = model.getDualbound()
    start = "" if accepted else "; null alternative refused as first solution"
    recorder.note = f"{model.getStatus()}, bound {bound:.6g}{start}"
    return recorder.answer(name)
