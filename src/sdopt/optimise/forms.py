"""The same question under every form of decision of the config, and the price of each simplification.

A form is never better than the free path, as each of its paths is one; so the bound of the free path is an
upper limit for every form. A form that is linear in what it chooses has a bound of its own as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from sdopt.errors import FormError, OptimisationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.forms_climb import allowed_starts, climb
from sdopt.optimise.infeasible.explain import ClashError
from sdopt.optimise.infeasible.said import Clashing, Said
from sdopt.optimise.search import Found, search
from sdopt.problem.build import Problem
from sdopt.problem.forms import FormProblem, form_problem
from sdopt.result import Status

FREE, NONE = "free", "none"
"""Name of the free path in the tables; status of a form that no allocation was found for."""
AUDIT = 1000
"""Most points and pairs with which concavity is audited again for a form: the free path's audit holds too."""
DISPROVED = "the return is not concave in this form, so neither on the free path: its bound does not hold"
NOISE = 1e-7
"""A price below this part of the improvement is rounding."""

FORM_COLUMNS = (
    *("form", "kind", "detail", "relative_to", "values"),
    *("objective", "improvement", "bound", "gap", "status"),
    *("price", "price_share", "price_at_least", "price_at_most", "certain", "unit", "reason"),
    *("reason_key", "reason_about"),
)
ALLOCATION_COLUMNS = ("form", "decision", "variable", "year", "value", "unit")
CHOICE_COLUMNS = (
    *("form", "decision", "variable", "what", "follows", "year", "value", "lower", "upper", "unit"),
)
SAID = ("entry", "years", "sense", "limit", "unit", "share", "now", "more")
CLASH_COLUMNS = (
    *("form", "repair", *SAID),
    *("found", "count", "sure", "sure_names", "repaired"),
)


@dataclass(frozen=True)
class Answer:
    """The best that was found under one form: choice (choice,), path (decision,), and what is known of it.

    Improvements are over the null alternative; `bound` is None where nothing bounds them. `doubt` is what
    the search found against the bound of the free path, or "".
    """

    problem: FormProblem
    choice: Floats
    path: Floats
    improvement: float
    bound: float | None
    status: Status
    doubt: str = ""


def form_tables(problem: Problem, found: Found, progress: Progress) -> dict[str, pd.DataFrame]:
    """Tables `forms`, `forms_allocation` and `forms_choices`; `found` is the answer for the free path.

    And `forms_clashes` where the limits of a form clash.
    """
    rows = [_free_row(problem, found)]
    allocations, choices = _allocations(problem, FREE, found.point), []
    clashes: list[tuple[object, ...]] = []
    for name, form in problem.config.forms.items():
        compared = form.relative_to if form.follows else ""
        said = {"form": name, "kind": form.kind, "detail": form.detail, "relative_to": compared}
        try:
            answer = _answer(form_problem(problem, name, form, found.point), found, progress)
        except OptimisationError as error:
            rows.append({**said, "status": NONE, "certain": False, "reason": str(error), **_why(error)})
            clashes += _clash_rows(name, error.clashing) if isinstance(error, ClashError) else []
            continue
        rows.append({**said, **_price(problem, found, answer)})
        allocations += _allocations(problem, name, answer.path)
        choices += _choices(answer)
    clashing = {"forms_clashes": _clash_table(clashes)} if clashes else {}
    return {
        **clashing,
        "forms": pd.DataFrame(rows, columns=list(FORM_COLUMNS)).astype({"values": "Int64"}),
        "forms_allocation": pd.DataFrame(allocations, columns=list(ALLOCATION_COLUMNS)),
        "forms_choices": pd.DataFrame(choices, columns=list(CHOICE_COLUMNS)),
    }


def _why(error: OptimisationError) -> dict[str, str]:
    """Why a form has no allocation, as a key for outputs in other languages; `other` where there is none."""
    if isinstance(error, ClashError):
        return {"reason_key": "clash", "reason_about": ""}
    if isinstance(error, FormError):
        return {"reason_key": error.key, "reason_about": error.about}
    return {"reason_key": "other", "reason_about": ""}


def _clash_rows(form: str, why: Clashing) -> list[tuple[object, ...]]:
    """What clashes (repair 0) and the changes that repair it (1, 2, ...): a row per entry; or one, empty."""
    about = why.found, why.count, why.sure, "; ".join(why.names), why.repaired
    groups = [why.members or (Said("", "", "", math.nan, ""),), *why.repairs]
    return [
        (form, number, *(getattr(said, key) for key in SAID), *about)
        for number, group in enumerate(groups)
        for said in group
    ]


def _clash_table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(CLASH_COLUMNS)).astype({"now": float, "more": float})


def _answer(asked: FormProblem, free: Found, progress: Progress) -> Answer:
    """Search under one form; its return is that of its path in the question itself."""
    if asked.within is None:
        return _proved(asked, free, progress)
    within = _proved(asked.within, free, progress)
    choice = climb(asked, within.path, progress)
    path = asked.allocation(choice)
    bound = None if within.doubt else free.bound
    return Answer(asked, choice, path, improvement_of(asked.base, path), bound, Status.LOCAL, within.doubt)


def _proved(asked: FormProblem, free: Found, progress: Progress) -> Answer:
    """The answer for a linear form: by cutting planes, as for the free path."""
    view, archive = View(asked.problem, asked.problem.objective_rows), Archive(asked.problem)
    archive.add(allowed_starts(asked.problem, asked.starts))
    settings = asked.base.config.search
    settings = settings.model_copy(update={"audit": min(settings.audit, AUDIT)})
    found = search(view, archive, settings, progress)
    path = asked.allocation(found.point)
    own = found.bound if _still_holds(found, free) else None
    bounds = [bound for bound in (own, free.bound) if bound is not None and found.bound is not None]
    status = Status.LOCAL if own is None else found.status
    doubt = DISPROVED if found.bound is None and free.bound is not None else ""
    improvement = improvement_of(asked.base, path)
    return Answer(asked, found.point, path, improvement, min(bounds, default=None), status, doubt)


def improvement_of(problem: Problem, path: Floats) -> float:
    """Return of a decision vector (decision,) over that of the null alternative."""
    value = problem.evaluator.values(path[None]).value
    return float(problem.objective(value)[0]) - problem.null_objective


def _still_holds(found: Found, free: Found) -> bool:
    """Whether a form's own bound assumes nothing that the search for the free path disproved."""
    disproved = free.audit.disproved | free.planes.left_out | free.planes.disproved
    return free.bound is not None and not found.planes.carriers() & disproved


def _free_row(problem: Problem, found: Found) -> dict[str, object]:
    unpriced: dict[str, object] = dict.fromkeys(
        ("price", "price_share", "price_at_least", "price_at_most"), 0.0
    )
    return {
        **dict.fromkeys(("form", "kind"), FREE),
        **dict.fromkeys(("detail", "relative_to", "reason", "reason_key", "reason_about"), ""),
        **unpriced,
        **_worth(problem, found.improvement, found.bound),
        "values": problem.decisions.size,
        "status": found.status.key,
        "certain": False,
    }


def _worth(problem: Problem, improvement: float, bound: float | None) -> dict[str, object]:
    gap = None if bound is None else max(bound - improvement, 0.0) / max(abs(bound), abs(improvement), NOISE)
    return {
        "objective": problem.null_objective + improvement,
        "improvement": improvement,
        "bound": bound,
        "gap": gap,
        "unit": problem.objective_unit,
    }


def _price(problem: Problem, free: Found, answer: Answer) -> dict[str, object]:
    """What a form is worth, and what it costs: the price lies between two amounts that the bounds prove."""
    price, size = free.improvement - answer.improvement, abs(free.improvement)
    least = 0.0 if answer.bound is None else max(free.improvement - answer.bound, 0.0)
    most = None if free.bound is None or answer.doubt else max(free.bound - answer.improvement, 0.0)
    return {
        "values": answer.problem.decisions.size,
        **_worth(problem, answer.improvement, answer.bound),
        "status": answer.status.key,
        "price": price,
        "price_share": price / size if size > 0 else None,
        "price_at_least": least,
        "price_at_most": most,
        "certain": least > NOISE * size,
        "reason": answer.doubt,
        "reason_key": "not_concave" if answer.doubt else "",
        "reason_about": "",
    }


def _allocations(problem: Problem, form: str, path: Floats) -> list[tuple[object, ...]]:
    """A path per year: one row per decision and value."""
    labels = problem.decisions.labels()
    by_id = {one.id: one for one in problem.decisions.paths}
    return [
        (form, identity, by_id[identity].name, year, float(value), by_id[identity].unit)
        for (identity, year), value in zip(labels, path, strict=True)
        if identity in by_id
    ]


def _choices(answer: Answer) -> list[tuple[object, ...]]:
    """Every value that a form chooses, with the range it was chosen from."""
    decisions, follows = answer.problem.decisions, answer.problem.form.follows or {}
    names = {path.id: path.name for path in decisions.paths}
    rows: list[tuple[object, ...]] = []
    for one, *numbers in zip(decisions.choices, answer.choice, decisions.low, decisions.high, strict=True):
        whose = one.decision or ""
        about = (answer.problem.name, whose, names.get(whose, ""), one.what, follows.get(whose, ""), one.year)
        rows.append((*about, *(float(number) * one.shown for number in numbers), one.unit))
    return rows
