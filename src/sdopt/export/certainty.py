"""How sure the answer is, in sentences built from status, figures and audit."""

from __future__ import annotations

from math import ceil, floor, log10

from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.views import fact, has
from sdopt.result import Result, Status

SEEN = 5e-5
"""A limit that is passed by less than this part of its size is called kept: it shows as 0.00 %."""
LITTLE = 0.5
"""A proof that leaves more than this part of its bound open says little: the best may gain twice as much."""


def certainty_lines(result: Result, labels: Labels) -> list[str]:
    """What the status means, what the bound leans on, and what else to know before trusting the advice."""
    return [
        status_line(result, labels),
        *bound_lines(result, labels),
        *_between_bounds(result, labels),
        *_uncertain(result, labels),
        *negative_lines(result, labels),
        *skipped_lines(result, labels),
    ]


def status_line(result: Result, labels: Labels) -> str:
    """The status and what it means."""
    return f"{labels(f'status.{result.status.key}')}. {meaning(result, labels)}"


def meaning(result: Result, labels: Labels) -> str:
    """What the status means; a local answer may still have a bound, or a proof under way."""
    if result.status is Status.LOCAL and proof_tells(result):
        return labels("meaning.local_certified")
    with_bound = result.status is Status.LOCAL and bound_holds(result)
    return labels("meaning.local_bound" if with_bound else f"meaning.{result.status.key}")


def bound_lines(result: Result, labels: Labels) -> list[str]:
    """What the bound assumes and how that was audited; why there is no gap; how far starts lie apart."""
    lines = []
    if bound_holds(result):
        names = leaning(result)
        lines.append(labels("certain.bound", limits=labels("certain.also", names="; ".join(names)))
                     if names else labels("certain.bound", limits=""))  # fmt: skip
        if where := fact(result, "programmes_bound"):
            lines.append(labels(f"certain.programmes_{where}"))
        lines += _audited(result, labels)
        if not _known(result, "gap"):
            lines.append(labels("certain.no_better"))
    lines += certified_lines(result, labels)
    spread = to_python(fact(result, "starts_spread"))
    if is_number(spread) and has(result, "starts"):
        share, count = labels.share(spread), len(result.tables["starts"])
        lines.append(labels("certain.starts", count=count, spread=share))
    return lines


def proof_tells(result: Result) -> bool:
    """Whether a bound was proved without any assumption on shapes, and it is low enough to be of use."""
    return _known(result, "certified_bound") and not says_little(to_python(fact(result, "certified_gap")))


def says_little(gap: float | None) -> bool:
    """Whether a proved gap (part of the bound) leaves room for more than twice the improvement.

    A gap of one or more, or none: nothing is gained, and only the amount that may be gained has a meaning.
    """
    return is_number(gap) and LITTLE < gap < 1


def certified_lines(result: Result, labels: Labels) -> list[str]:
    """What was proved without any assumption on shapes, and what that proof trusts."""
    if fact(result, "certified_reached") is None:
        return []
    amount, gap = (to_python(fact(result, key)) for key in ("certified_gap_amount", "certified_gap"))
    if not is_number(amount):
        return [labels("certain.certified_none")]
    if says_little(gap):
        return [labels("certain.certified_little")]
    key = "certain.certified" if fact(result, "certified_reached") else "certain.certified_so_far"
    share = ""
    if is_number(gap) and gap < 1:  # otherwise nothing can be gained for sure, and a part of it says nothing
        share = labels("certain.certified_share", part=labels.share(rounded_up(gap, 4)))
    digits = max(2 - floor(log10(amount)), 0) if amount > 0 else 0
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    euros = to_python(fact(result, "certified_gap_euro"))
    if is_number(euros) and euros >= 1:
        amount, digits, unit = euros, 0, labels("unit.eur")
    said = labels.number(rounded_up(amount, digits), digits)
    return [labels(key, amount=said, unit=unit, share=share), labels("certain.certified_trusts")]


def rounded_up(value: float, digits: int) -> float:
    """Rounded up, so that `at most` stays true; what is over by rounding alone is left."""
    return ceil(value * 10.0**digits - 1e-6) / 10.0**digits


def bound_holds(result: Result) -> bool:
    """Whether there is a bound, so one that was not withdrawn."""
    return _known(result, "bound")


def leaning(result: Result) -> list[str]:
    """Names of the constraints that must be concave for the bound to hold."""
    return list(fact(result, "bound_leans_on") or ())


def leans_on(result: Result, check: str) -> bool:
    """Whether the bound leans on what a check of the audit is about (`return: pairs`)."""
    subject = check.rpartition(": ")[0]
    return bound_holds(result) and (subject == "return" or subject in leaning(result))


def _audited(result: Result, labels: Labels) -> list[str]:
    """How many points were tried against what the bound leans on."""
    if not has(result, "audit"):
        return []
    table = result.tables["audit"]
    chosen = table[[leans_on(result, check) for check in table["check"]]]
    sums = {key: int(chosen[key].sum()) for key in ("points", "violations")}
    tried, found = (labels.number(n, 0, of=("audit", key, chosen.index, "sum")) for key, n in sums.items())
    key = "certain.violated" if sums["violations"] else "certain.audited"
    return [labels(key, tried=tried, found=found)] if sums["points"] else []


def _between_bounds(result: Result, labels: Labels) -> list[str]:
    """Whether the model or the chosen bounds decide."""
    keys = ("decisions_between_bounds", "decisions", "model_constraints_binding")
    inside, count, binding = (to_python(fact(result, key)) for key in keys)
    if not (is_number(inside) and is_number(count) and is_number(binding)):
        return []
    key = "certain.corner" if inside < count / 2 and not binding else "certain.inside"
    return [labels(key, inside=inside, count=count, binding=binding)]


def _uncertain(result: Result, labels: Labels) -> list[str]:
    """How many assumptions are uncertain."""
    if not has(result, "assumptions"):
        return []
    table = result.tables["assumptions"]
    count = int(table["uncertain"].astype(bool).sum())
    return [labels("advice.uncertain", count=count, total=len(table))] if count else []


def negative_lines(result: Result, labels: Labels) -> list[str]:
    """Stocks that turn negative with the advice, and those that do so as well when all stays as now."""
    found = fact(result, "negative_stocks") or {}
    keys = {"advice": "certain.negative_advice", "null": "certain.negative_null"}
    return [labels(key, names="; ".join(found[run])) for run, key in keys.items() if found.get(run)]


def skipped_lines(result: Result, labels: Labels) -> list[str]:
    """What was asked for and is not there, because the run was stopped before it."""
    asked = ("forms", "certificate", "explanation")
    return [labels(f"skipped.{key}") for key in asked if fact(result, f"{key}_stopped")]


def half_step_lines(result: Result, labels: Labels) -> list[str]:
    """What half the time step does to the return, at most to the advice, and to the limits it must keep."""
    keys = ("half_step", "half_step_return_change", "half_step_regret_at_most", "half_step_smallest_slack")
    step, change, regret, slack = (to_python(fact(result, key)) for key in keys)
    if not (is_number(step) and is_number(change)):
        return []
    texts = {
        "step": labels.number(step, len(f"{step:g}".partition(".")[2])),
        "change": labels.share(change, sign=True),
    }
    if is_number(regret):
        lines = [labels("certain.half_step_regret", **texts, regret=labels.share(regret))]
    else:
        lines = [labels("certain.half_step", **texts)]
    passed = is_number(slack) and slack < -SEEN
    return [*lines, *([labels("certain.half_step_passed", passed=labels.share(-slack))] if passed else [])]


def _known(result: Result, key: str) -> bool:
    return is_number(to_python(fact(result, key)))
