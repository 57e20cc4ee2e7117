"""How every optimiser is set, and where that is advised; printed with the results."""

from __future__ import annotations

from textwrap import fill

WIDTH = 110

ALIKE = fill(
    "Alike for all: a fresh process each, and everything counts from its start: Python, imports, "
    "reading the model with sdopt's reader, translating it for the peer (PySD, CasADi, SCIP), the "
    "search. Decisions are scaled to 0..1 by their bounds; the same linear rules; constraints scaled "
    "by their limit. Slacks above -1e-6 are allowed. Starts are the null alternative and random "
    "points that the linear rules allow, the same for all. Every answer is evaluated again in sdopt's "
    "engine; an end that is not allowed is drawn towards the best allowed point of the same attempt, "
    "or the null alternative, until it is (halving, 30 times), and counts with what is left. One "
    "thread each; sdopt's NumPy may use more for batches above 16,384 runs, which none of these "
    "problems reaches. To target: seconds until an allowed point within 1e-4 of the improvement of "
    "the best value was known; of IPOPT only the ends of starts are seen.",
    WIDTH,
)

SETTINGS = {
    "sdopt": ("search with the settings of the question (gap, audit, starts); stops when its gap is closed"),
    "slsqp-exact": (
        "SciPy SLSQP on sdopt's engine with its exact gradients (a reference: the peer on our own "
        "engine); 4 starts, ftol 1e-9, maxiter 1000 (docs.scipy.org, optimize.minimize-slsqp)"
    ),
    "slsqp-pysd": (
        "the same on PySD; PySD has no derivatives: forward differences of 1e-6 of the scaled range"
    ),
    "de-pysd": (
        "SciPy differential evolution on PySD: best1bin, dithered mutation 0.5-1, recombination 0.7 "
        "(defaults, docs.scipy.org, optimize.differential_evolution), 72 members that the rules allow; "
        "until the time is up; points that break a linear rule cost no run; whole numbers by "
        "`integrality`"
    ),
    "ema": (
        "EMA Workbench optimize with its default eps-NSGA-II (Platypus; emaworkbench.readthedocs.io, "
        "directed search) on PySD: 72 members, first those that the rules allow, constraints as the "
        "workbench's, until the time is up; points that break a linear rule cost no run. Its PySD "
        "connector takes no path per year, so the model is called by a function"
    ),
    "ipopt-shooting": (
        "CasADi with IPOPT (MUMPS), single shooting: decisions only, exact gradients, limited-memory "
        "Hessian; 4 starts, tol 1e-9 (coin-or.github.io/Ipopt/OPTIONS.html; web.casadi.org/docs, direct "
        "single shooting)"
    ),
    "ipopt-full": (
        "CasADi with IPOPT (MUMPS), full transcription: stocks at every step are variables in units of "
        "their largest value, started from a simulation; exact gradients and Hessian; 4 starts, tol 1e-9 "
        "(web.casadi.org/docs, direct multiple shooting)"
    ),
    "scip": (
        "SCIP through PySCIPOpt on the full transcription, default settings (heuristics with its own "
        "IPOPT included), first solution: the run of the null alternative (scipopt.org/doc); a global "
        "solver: its bound on the improvement is in the note"
    ),
}
NOT_WHOLE = ("slsqp-exact", "slsqp-pysd", "ipopt-shooting", "ipopt-full")
"""These have no whole numbers; they do not take part where there are any."""
NEEDS = {"ema": "ema_workbench", "ipopt-shooting": "casadi", "ipopt-full": "casadi", "scip": "pyscipopt"}
"""What must be installed: `pip install sdopt[benchmark]`."""


def setting(peer: str) -> str:
    """One peer's settings, in lines."""
    return fill(f"{peer}: {SETTINGS[peer]}", WIDTH, subsequent_indent="  ")
