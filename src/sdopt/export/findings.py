"""What follows from a sweep: a `Result` with all its tables; workbook, pictures and tables on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.config.load import LoadedConfig
from sdopt.config.thresholds import thresholds
from sdopt.export.conclusions import conclusion_table, condition_table
from sdopt.export.folder import summary
from sdopt.export.labels import Labels
from sdopt.export.provenance import with_provenance
from sdopt.export.tables import read_parquet, write_csv, write_parquet
from sdopt.export.views import has
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.sweep.allocations import Advice
from sdopt.sweep.chances import NO_SAMPLE
from sdopt.sweep.conclusions import threshold_table
from sdopt.sweep.fans import fan_table
from sdopt.sweep.findings import Asked, find
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


def sweep_result(
    loaded: LoadedConfig, model: SourceModel, plan: Plan, outcome: Outcome, advice: Advice, parts: Parts
) -> Result:
    """A finished sweep as a result: tables of `findings.find`, `fans.fan_table` and `conclusions`.

    `status` is that of the search for the advice; of an advice that was given, `SIMULATED`.
    """
    problem = plan.problem
    fan = {} if plan.design in NO_SAMPLE else {"fan": fan_table(plan, outcome, parts)}
    result = Result(
        status=next((one for one in Status if one.key == advice.status), Status.SIMULATED),
        title=problem.config.title,
        language=problem.config.output.language,
        figures=_figures(plan, outcome),
        tables={**find(plan, outcome), **fan},
    )
    result = with_provenance(result, loaded, model)
    return result.with_tables(**_in_words(result, Asked(plan, outcome)))


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
    tables = {}
    if has(result, "distribution"):
        tables["conclusions"] = conclusion_table(asked, numbers, labels)
        tables["thresholds"] = threshold_table(numbers)
    if has(result, "break_even"):
        names: Mapping[str, str] = result.provenance["labels"]
        tables["conditions"] = condition_table(result.tables["break_even"], labels, names)
    return tables


def write_findings(result: Result, folder: Path) -> None:
    """`tables/`, `workbook.xlsx`, the pictures as .png and .svg, and a file that says what is what."""
    from sdopt.export.findings_picture import picture_forms, pictures_of
    from sdopt.export.names import with_shown_names
    from sdopt.export.workbook import workbook_bytes

    labels, shown = Labels(result.language), with_shown_names(result)
    tables = folder / "tables"
    tables.mkdir()
    write_parquet(result.tables, tables)
    write_csv(result.tables, tables)
    drawn = {name: picture_forms(name, shown, labels, "png", "svg") for name in pictures_of(result)}
    for name, forms in drawn.items():
        for form, content in forms.items():
            (folder / f"{name}.{form}").write_bytes(content)
    known = {name: forms["png"] for name, forms in drawn.items()}
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result, known))
    text = labels("readme.sweep", title=result.title)
    (folder / labels("readme.name")).write_bytes(text.encode("utf-8", "replace"))


def findings_summary(result: Result) -> dict[str, Any]:
    """What summary.json of a sweep holds: that of any result, without the figures of an optimisation."""
    return {
        key: value for key, value in summary(result).items() if value is not None or key in result.figures
    }


def said_lines(folder: Path) -> list[str]:
    """For the terminal, from a written folder: conclusions, and what is uncertain but was not drawn."""
    lines = []
    if (conclusions := folder / "tables" / "conclusions.parquet").is_file():
        for row in read_parquet(conclusions).itertuples():
            lines.append(f"by rule  {row.allocation}: {row.kind}, against the null alternative")
    not_drawn = read_parquet(folder / "tables" / "not_drawn.parquet")
    lines += [f"left out {row.constant}: {NOT_DRAWN[row.reason]}" for row in not_drawn.itertuples()]
    return lines
