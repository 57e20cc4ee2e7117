"""`report.txt` of robust allocations: what the sheet shows, as plain text in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdopt.export.cells import is_number
from sdopt.export.decide_again import again_lines
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.precision import range_decimals
from sdopt.export.sheets.robust import MEASURES, assumed_words, missing_lines, price_lines, robust_name
from sdopt.export.views import fact, has
from sdopt.result import Result


def robust_report(result: Result) -> str:
    """Title, every allocation by every measure, how sure that is, what robustness costs, deciding again."""
    result, labels = with_shown_names(result), Labels(result.language)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    count = labels.number(int(fact(result, "scenarios") or 0), 0)
    blocks = {
        "robust_measures": _measures(result, labels),
        "robust_proof": proof_lines(result, labels),
        "robust_price": price_lines(result, labels),
        "robust_adaptive": again_lines(result, labels),
    }
    lines = [result.title, "", labels("sign.robust", unit=unit, count=count)]
    for table, said in blocks.items():
        if has(result, table) and (told := list(said)):
            lines += ["", labels(f"robust.title.{table}"), *told]
    return "\n".join([*lines, *_ends(result, labels)]) + "\n"


def _measures(result: Result, labels: Labels) -> Iterator[str]:
    """A line per allocation: its improvement by every measure, and how likely it loses."""
    for row in result.tables["robust_measures"].to_dict("records"):
        values = {name: row[name] for name in MEASURES if is_number(row[name])}
        told = [f"{labels(f'column.by_{n}').lower()} {_amount(v, labels)}" for n, v in values.items()]
        loss = labels.number(100 * row["probability_of_loss"], 1)
        told.append(f"{labels('column.chance_of_loss').lower()} {loss} %")
        yield f"{robust_name(str(row['allocation']), labels)}: {'; '.join(told)}."


def proof_lines(result: Result, labels: Labels) -> Iterator[str]:
    """A line per measure: its value, the bound, the gap, and what that leans on."""
    for row in result.tables["robust_proof"].itertuples():
        told = [f"{_amount(row.value, labels)} ({labels(f'status.{row.status}')})"]
        if is_number(float(row.bound)):
            known = is_number(float(row.gap))
            gap = labels.share(float(row.gap)) if known else labels("word.none")
            told.append(labels("robust.report.bound", bound=_amount(row.bound, labels), gap=gap))
        yield f"{robust_name(str(row.measure), labels)}: {'; '.join(told)}. {assumed_words(row, labels)}"


def _amount(value: Any, labels: Labels) -> str:
    number = float(value)
    return labels.number(number, range_decimals(0.0, abs(number)), sign=True)


def _ends(result: Result, labels: Labels) -> Iterator[str]:
    """Limits that the bounds do without, what was stopped, and the referee."""
    yield ""
    if names := fact(result, "bound_leaves_out"):
        yield labels("robust.report.left_out", names="; ".join(names))
    yield from missing_lines(result, labels)
    if fact(result, "decide_again_stopped"):
        yield labels("robust.report.again_stopped")
    worst = fact(result, "replay_max_relative_difference")
    if is_number(worst):
        yield labels("robust.report.replay", difference=f"{worst:.1e}")
