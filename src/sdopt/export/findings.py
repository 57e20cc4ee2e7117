"""What follows from a sweep: a `Result` with all its tables; workbook, pictures and tables on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.config.load import LoadedConfig
from sdopt.config.sweep import NULL
from sdopt.config.thresholds import thresholds
from sdopt.export.conclusions import conclusion_table, condition_table
from sdopt.export.folder import summary
from sdopt.export.labels import Labels
from sdopt.export.measured import measured_facts
from sdopt.export.precision import percent
from sdopt.export.provenance import with_provenance
from sdopt.export.tables import read_parquet, write_csv, write_parquet
from sdopt.export.views import has
from sdopt.export.worth import worth_lines, worth_said
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.sweep.allocations import Advice
from sdopt.sweep.asked import Asked
from sdopt.sweep.breaches import empty_table, limit_table
from sdopt.sweep.chances import NO_SAMPLE
from sdopt.sweep.conclusions import threshold_table
from sdopt.sweep.fans import tables_over_years
from sdopt.sweep.findings import find
from sdopt.sweep.gains import gain_table
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome

if TYPE_CHECKING:
    from pandas import DataFrame

NOT_DRAWN = {
    "chosen": "a decision or programme gives it, so it is not uncertain",
    "fixed": "it decided the time settings or the order of a delay when the model was read",
}
"""Why a constant that the table calls uncertain is not drawn."""

SAID = {
    "conclusions": ("allocation", "against", "kind", "words"),
    "worth_of_decisions": ("decision", "contrast", "kind", "probability", "mean", "spent", "words"),
    "conditions": ("decision", "contrast", "words"),
}
"""Tables that summary.json repeats, and which of their columns."""


def sweep_result(
    loaded: LoadedConfig, model: SourceModel, plan: Plan, outcome: Outcome, advice: Advice, parts: Parts
) -> Result:
    """A finished sweep as a result: tables of `findings.find`, of `tables_over_years` and `conclusions`.

    `status` is that of the search for the advice; of an advice that was given, `SIMULATED`.
    """
    problem = plan.problem
    asked = Asked(plan, outcome)
    sampled = {} if plan.design in NO_SAMPLE else _of_a_sample(asked, parts)
    result = Result(
        status=next((one for one in Status if one.key == advice.status), Status.SIMULATED),
        title=problem.config.title,
        language=problem.config.output.language,
        figures={**_figures(plan, outcome), **measured_facts(loaded, model.system)},
        tables={**find(plan, outcome), **sampled},
    )
    result = with_provenance(result, loaded, model)
    result = result.with_tables(**_in_words(result, asked))
    return result.with_figures(**_said(result))


def _of_a_sample(asked: Asked, parts: Parts) -> dict[str, DataFrame]:
    """Tables that only a sample of futures has: outputs and return over the years, limits, and who gains."""
    return {
        **tables_over_years(asked, parts),
        "limits": limit_table(asked),
        "empty_stocks": empty_table(asked),
        "gains": gain_table(asked),
    }


def _figures(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What was run, in numbers that the words need."""
    scenarios, asked = plan.scenarios, plan.problem.config.sweep
    draws = int(scenarios.draw.max(initial=-1)) + 1
    uneven = plan.design == "sobol" and draws & (draws - 1)
    below = 2 ** (draws.bit_length() - 1)
    return {
        "objective_unit": plan.problem.objective_unit,
        "design": plan.design,
        "draws": draws,
        "better_draws": [below, 2 * below] if uneven else None,
        "external_scenarios": len(scenarios.external),
        "runs": plan.runs,
        "failed_runs": len(outcome.failed),
        "levels": asked.levels,
        "seed": plan.problem.config.search.seed,
    }


def _in_words(result: Result, asked: Asked) -> dict[str, DataFrame]:
    """Conclusions by rule and what would have to be true, in the reader's language."""
    labels, numbers = Labels(result.language), thresholds(asked.problem.config.sweep.thresholds)
    names: Mapping[str, str] = result.provenance["labels"]
    tables = {"thresholds": threshold_table(numbers)}
    if has(result, "distribution"):
        tables["conclusions"] = conclusion_table(asked, numbers, labels)
    if has(result, "worth_of_decisions"):
        decisions: Mapping[str, str] = result.provenance["decision_names"]
        worth = worth_said(result.tables["worth_of_decisions"], numbers, labels, decisions)
        tables["worth_of_decisions"] = worth
    if has(result, "break_even"):
        tables["conditions"] = condition_table(result.tables["break_even"], labels, names)
    return tables


def _said(result: Result) -> dict[str, Any]:
    """The same for programs that read summary.json: rows of these tables, without all their figures."""
    return {
        name: result.tables[name][[*columns]].to_dict("records")
        for name, columns in SAID.items()
        if has(result, name)
    }


def write_findings(result: Result, folder: Path) -> None:
    """`tables/`, `workbook.xlsx`, `report.html` and the pictures as .png and .svg."""
    from sdopt.export.figures.pictures import write_main_pictures
    from sdopt.export.report import report_html
    from sdopt.export.workbook import workbook_bytes

    tables = folder / "tables"
    tables.mkdir()
    write_parquet(result.tables, tables)
    write_csv(result.tables, tables)
    pictures = write_main_pictures(result, folder)
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result, pictures))
    (folder / "report.html").write_bytes(report_html(result).encode("utf-8", "replace"))


def findings_summary(result: Result) -> dict[str, Any]:
    """What summary.json of a sweep holds: that of any result, without the figures of an optimisation."""
    return {
        key: value for key, value in summary(result).items() if value is not None or key in result.figures
    }


def _broken_words(folder: Path) -> dict[str, str]:
    """By allocation, how often a limit is broken under it and under the null alternative; if ever."""
    if not (limits := folder / "tables" / "limits.parquet").is_file():
        return {}
    table = read_parquet(limits)
    anything = table[(table["limit"] == "") & (table["external"] == "")]
    return {
        row.allocation: f"; breaks a limit in {percent(row.broken)} of the futures, "
        f"that in {percent(row.null_broken)}"
        for row in anything.itertuples()
        if max(row.broken, row.null_broken) > 0
    }


def said_lines(folder: Path) -> list[str]:
    """For the terminal, from a written folder: conclusions, and what is uncertain but was not drawn."""
    lines, broken = [], _broken_words(folder)
    if (conclusions := folder / "tables" / "conclusions.parquet").is_file():
        for row in read_parquet(conclusions).itertuples():
            alone = row.against == NULL
            said = f"by rule  {row.allocation}: {row.kind}, against "
            said += "the null alternative" if alone else str(row.against)
            lines.append(said + (broken.get(row.allocation, "") if alone else ""))
    lines += worth_lines(folder)
    not_drawn = read_parquet(folder / "tables" / "not_drawn.parquet")
    names = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["provenance"]["labels"]
    return lines + [
        f"left out {names.get(row.constant, row.constant)}: {NOT_DRAWN[row.reason]}"
        for row in not_drawn.itertuples()
    ]
