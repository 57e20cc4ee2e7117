"""How sure the advice is and what could go wrong, by rule; what is not known is said, with its command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdopt.export.breach_words import OFTEN, anything_broken, broken_beside_now
from sdopt.export.cells import is_number, to_python
from sdopt.export.certainty import (
    bound_holds,
    certified_lines,
    negative_lines,
    proof_tells,
    rounded_up,
    skipped_lines,
    status_line,
)
from sdopt.export.findings_words import ADVICE, driver_names, failed_line, together
from sdopt.export.fiscal import fiscal_lines
from sdopt.export.labels import Labels
from sdopt.export.limits import limit_lines, limits_passed
from sdopt.export.precision import apart_decimals, known_decimals, range_decimals
from sdopt.export.sheets.robust import missing_lines, price_lines
from sdopt.export.views import fact, has
from sdopt.export.within import StepChange, step_beyond
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

CONDITIONS = 2
"""Decisions of which the summary says what would have to be true."""


def sure_lines(result: Result, labels: Labels) -> list[str]:
    """How often the advice is better, how far the outcomes lie apart, what that hangs on, and the proof."""
    swept = _swept(result, labels) or _not_swept(result, labels)
    return [*swept, *_searched(result, labels), *_robust(result, labels), *skipped_lines(result, labels)]


def _searched(result: Result, labels: Labels) -> list[str]:
    """What any other allocation could return more at most, or else what the status means."""
    if not has(result, "decisions"):
        return []
    euros, amount = (to_python(fact(result, key)) for key in ("gap_euro", "gap_amount"))
    if proof_tells(result):
        left = to_python(fact(result, "certified_gap_amount"))
        step = step_beyond(result, left, labels)
        return _stepped("answer.certified_step", step, labels) or certified_lines(result, labels)[:1]
    if not (bound_holds(result) and is_number(amount)):
        return [status_line(result, labels)]
    if step := step_beyond(result, amount, labels):
        return _stepped("answer.proved_step", step, labels)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    if is_number(euros):
        amount, unit = euros, labels.unit("EUR")
    decimals = range_decimals(0.0, amount) if amount < 1 else 0
    said = labels.number(rounded_up(amount, decimals), decimals)
    return [labels("answer.proved", amount=said, unit=unit)]


def _stepped(label: str, step: StepChange | None, labels: Labels) -> list[str]:
    """The same where half the time step does more to the return than the proof leaves open."""
    return [labels(label, amount=step.shown, unit=step.unit)] if step else []


def _robust(result: Result, labels: Labels) -> list[str]:
    """What robust allocations gain by their own measure, and give up when all goes as expected."""
    if not has(result, "robust_price"):
        return []
    found = [*missing_lines(result, labels), *price_lines(result, labels)]
    return [labels("answer.robust", lines=" ".join(found))] if found else []


def _swept(result: Result, labels: Labels) -> list[str]:
    """The conclusion about the advice, points of the distribution, the worlds, and what it hangs on."""
    own = advice_beside_null(result)
    if own is None:
        return []
    lines = [str(own["words"]), *_points(result, labels, own), *_worlds(result, labels)]
    return [*lines, *_drivers(result, labels), *failed_line(result, labels)]


def _drivers(result: Result, labels: Labels) -> list[str]:
    """What the improvement hangs on most, in the first external scenario; the sheet has the others."""
    for table, column in (("sobol_indices", "total"), ("explained_shares", "share")):
        if has(result, table):
            rows = result.tables[table]
            own = rows[(rows["allocation"] == ADVICE) & rows[column].notna()]
            first = own[own["external"] == own["external"].iloc[0]] if len(own) else own
            names = driver_names(first, column, labels) if len(first) else ""
            return [labels("answer.drivers", names=names)] if names else []
    return []


def advice_beside_null(result: Result) -> pd.Series | None:
    """The row of `conclusions` about the advice against going on as now; None when there is none."""
    if not has(result, "conclusions"):
        return None
    table = result.tables["conclusions"]
    own = table[(table["allocation"] == ADVICE) & (table["against"] == "null")]
    return own.iloc[0] if len(own) else None


def improvement_points(result: Result) -> dict[str, float]:
    """The improvement by the advice at 10, 50 and 90 % of all futures; {} when not known."""
    own = advice_beside_null(result)
    if own is None or not has(result, "distribution"):
        return {}
    whole = together(result)
    rows = whole[whole["allocation"] == ADVICE]
    if rows.empty or not is_number(float(own["q10"])):
        return {}
    return {"q10": float(own["q10"]), "q50": float(rows["q50"].iloc[0]), "q90": float(own["q90"])}


def point_decimals(result: Result) -> int:
    """Decimals of the improvement by the advice: the last is about as large as its standard error."""
    own = advice_beside_null(result)
    known = None if own is None else known_decimals(float(own["error"]))
    points = improvement_points(result)
    return range_decimals(points["q10"], points["q90"]) if known is None else known


def _points(result: Result, labels: Labels, own: pd.Series) -> list[str]:
    points = improvement_points(result)
    if not points:
        return []
    decimals = point_decimals(result)
    said = {key: labels.number(value, decimals, sign=True) for key, value in points.items()}
    central = to_python(fact(result, "improvement") or (fact(result, "advice") or {}).get("improvement"))
    if is_number(central):
        said["central"] = labels("answer.central", value=labels.number(central, max(decimals, 2), sign=True))
    return [labels("answer.points", unit=labels.unit(str(own["unit"])), **{"central": "", **said})]


def _worlds(result: Result, labels: Labels) -> list[str]:
    """In how many external scenarios the advice is better on average, and between what and what."""
    table = result.tables["distribution"] if has(result, "distribution") else None
    if table is None:
        return []
    rows = table[(table["allocation"] == ADVICE) & (table["external"] != "") & table["mean"].notna()]
    if len(rows) < 2:
        return []
    low, high = rows["mean"].min(), rows["mean"].max()
    decimals = apart_decimals(low, high)
    good = int((rows["mean"] > 0).sum())
    return [
        labels(
            "answer.worlds_all" if good == len(rows) else "answer.worlds",
            good=good,
            count=len(rows),
            low=labels.number(low, decimals, sign=True),
            high=labels.number(high, decimals, sign=True),
            unit=labels.unit(str(rows["unit"].iloc[0])),
        )
    ]


def _not_swept(result: Result, labels: Labels) -> list[str]:
    """That nobody knows how often the advice is better, because no sweep was run."""
    if has(result, "robust_measures"):
        return [_robust_chance(result, labels)]
    if not has(result, "assumptions"):
        return [labels("answer.not_swept")]
    table = result.tables["assumptions"]
    count = int(table["uncertain"].astype(bool).sum())
    return [labels("answer.not_swept_of", count=count, total=len(table))]


def _robust_chance(result: Result, labels: Labels) -> str:
    """Of the futures of a robust search, in how many the advice at expected values loses."""
    table = result.tables["robust_measures"]
    row = table[table["allocation"] == ADVICE].iloc[0]
    return labels(
        "answer.robust_chance",
        share=labels.share(float(row["probability_of_loss"])),
        count=labels.number(int(fact(result, "scenarios") or 0), 0),
    )


def wrong_lines(result: Result, labels: Labels) -> list[str]:
    """Limits that break, what would have to be true, and what hangs on choices in the computation."""
    swept = [*_broken(result, labels), *_conditions(result, labels)] or _robust_broken(result, labels)
    if not swept:
        swept = [labels("answer.wrong_not_swept"), *_kept_back(result, labels)]
    return [*swept, *_not_kept(result, labels), *negative_lines(result, labels), *_end_value(result, labels)]


def _not_kept(result: Result, labels: Labels) -> list[str]:
    """The fiscal rules that the advice does not keep."""
    if not has(result, "fiscal_rules") or "broken" not in set(result.tables["fiscal_rules"]["verdict"]):
        return []
    return fiscal_lines(result, labels)[1:2]


def _robust_broken(result: Result, labels: Labels) -> list[str]:
    """The same in the futures of a robust search, where there was no sweep."""
    if not has(result, "robust_measures"):
        return []
    table = result.tables["robust_measures"].set_index("allocation")["any_limit_broken"]
    shares = {key: labels.share(float(table[name])) for key, name in (("share", ADVICE), ("now", "null"))}
    return [labels("answer.robust_broken", **shares)]


def _kept_back(result: Result, labels: Labels) -> list[str]:
    """Which limits decide about the advice, and which it breaks."""
    return limit_lines(result, labels)[: 2 if limits_passed(result) else 1]


def _broken(result: Result, labels: Labels) -> list[str]:
    """How often a limit is broken; those that the advice breaks more often than now by name."""
    whole = anything_broken(result, ADVICE)
    if whole is None:
        return []
    said = [labels("answer.broken", share=broken_beside_now(whole, labels))]
    table = result.tables["limits"]
    own = table[(table["allocation"] == ADVICE) & (table["external"] == "") & (table["limit"] != "")]
    often = own[(own["broken"] >= OFTEN) & own["broken"].notna()]
    worse = often[often["broken"] > often["null_broken"]]
    better = often[often["broken"] <= often["null_broken"]]
    for key, rows in (("worse", worse), ("better", better)):
        if len(rows):
            said.append(labels(f"answer.broken_{key}", names=_shares(rows, labels)))
    return said


def _shares(rows: pd.DataFrame, labels: Labels) -> str:
    ordered = rows.sort_values("broken", ascending=False, kind="stable").to_dict("records")
    return "; ".join(f"{row['limit']} {broken_beside_now(row, labels)}" for row in ordered)


def _conditions(result: Result, labels: Labels) -> list[str]:
    """What would have to be true, of the decisions with most money at stake: by size and chance to turn."""
    if not (has(result, "worth_of_decisions") and has(result, "conditions")):
        return []
    worth = result.tables["worth_of_decisions"]
    own = worth[(worth["contrast"] == "as advised") & (worth["constant"] != "")]
    stake = own["chance_turns"].fillna(0.0) * own["size"].fillna(0.0)
    first = own.loc[stake.sort_values(ascending=False, kind="stable").index].head(CONDITIONS)
    table = result.tables["conditions"]
    said = table[table["contrast"] == "as advised"].set_index("decision")["words"]
    return [
        labels("answer.condition", name=row.decision, words=said[row.decision])
        for row in first.itertuples()
        if row.decision in said.index
    ]


def _end_value(result: Result, labels: Labels) -> list[str]:
    """Whether the advice hangs on the value of what is left at the end."""
    if not has(result, "end_value"):
        return []
    table = result.tables["end_value"]
    if "advice_changes" not in table or not table["advice_changes"].astype(bool).any():
        return []
    changed = table[table["advice_changes"].astype(bool)]
    weights = labels("word.or").join(f"{labels.number(100 * weight, 0)} %" for weight in changed["weight"])
    proved = "regret_at_most" in changed and bool(changed["regret_at_most"].notna().all())
    regret = float(changed["regret_at_most" if proved else "regret"].max())
    return [
        labels(
            "answer.end_value" if proved else "answer.end_value_found",
            weights=weights,
            regret=labels.number(rounded_up(regret, 2) if proved else regret, 2),
            unit=labels.unit(str(fact(result, "objective_unit") or "")),
        )
    ]
