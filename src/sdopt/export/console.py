"""What the command line prints."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdopt.equations.system import EquationSystem
from sdopt.export.cells import to_python
from sdopt.export.certainty import says_little
from sdopt.export.fiscal import fiscal_line
from sdopt.export.progress import TerminalLine
from sdopt.export.views import decision_years, full_names
from sdopt.result import Result

if TYPE_CHECKING:
    from sdopt.problem.build import Problem


NAMES = {"null": "the null alternative", "advice": "the advice"}


class Progress(TerminalLine):
    """How far the search is."""

    def __call__(self, iteration: int, best: float | None, bound: float, gap: float | None) -> None:
        """Show a round."""
        if self.shown:
            found = "none yet" if best is None else f"{best:+,.4f}"
            most = "none" if isnan(bound) else f"{bound:+,.4f}"
            part = "" if gap is None else f"  gap {gap:.3%}"
            click.echo(f"\rround {iteration + 1:4d}  best {found}  bound {most}{part}   ", nl=False, err=True)

    def proof(self, seconds: float, gap: float, boxes: int) -> None:
        """Show how far the certificate is."""
        if self.shown:
            little = gap > 1  # of the improvement: more than that again may be gained
            said = "says little yet" if little else f"gap {gap:.3%}"
            click.echo(f"\rproof {seconds:5.0f} s  {said}  boxes left {boxes}          ", nl=False, err=True)


def print_result(result: Result, folder: Path) -> None:
    """The advice, how good it is, and where the rest is."""
    figures = result.figures
    unit = figures["objective_unit"]
    click.echo(f"\n{result.title}\n")
    click.echo(_advice(result))
    click.echo(f"\nreturn   {figures['improvement']:+,.3f} {unit} over the null alternative")
    if figures.get("bound") is None:
        click.echo(f"bound    none: {figures['gap_reason']}")
    else:
        most = figures["bound"] - figures["null_objective"]
        euros = "" if figures["gap_euro"] is None else f", {figures['gap_euro']:,.0f} EUR"
        gap = figures["gap_reason"] if figures["gap"] is None else f"gap {figures['gap']:.4%}{euros}"
        click.echo(f"bound    {most:+,.3f} {unit} ({gap}), if {figures['bound_assumes']}")
    for line in _on_request(result):
        click.echo(line)
    for line in _perspectives(result):
        click.echo(line)
    for line in _forms(result):
        click.echo(line)
    if "programmes" in result.tables:
        click.echo(f"programmes {', '.join(_starts(result))}")
    click.echo(f"status   {result.status.key}: {result.status.sentence}")
    if figures.get("starts_spread") is not None:
        click.echo(f"starts   {len(result.tables['starts'])}, spread {figures['starts_spread']:.2%}")
    click.echo(
        f"replay   PySD agrees: largest relative difference {figures['replay_max_relative_difference']:.1e}"
    )
    for allocation, stocks in figures["negative_stocks"].items():
        if stocks:
            click.echo(f"warning  negative in {NAMES[allocation]}: {', '.join(stocks)}")
    regret = figures["half_step_regret_at_most"]
    most = "unknown" if regret is None else f"at most {regret:.2%}"
    passed = abs(figures["half_step_smallest_slack"])
    click.echo(
        f"step     half as long: return {figures['half_step_return_change']:+.2%}, regret {most}, "
        f"limits passed by {passed:.2%} at most"
    )
    if fiscal := fiscal_line(result):
        click.echo(f"fiscal   {fiscal}")
    click.echo(f"results  {folder}")


def _on_request(result: Result) -> list[str]:
    """What --certify gave, and that it, the forms or --explain were stopped."""
    lines = [_proof(result)] if "certificate" in result.tables else []
    if result.figures.get("certificate_stopped"):
        lines.append("proof    none: the search was stopped before it; give it more time, or no --time-limit")
    if result.figures.get("forms_stopped"):
        lines.append(
            "forms    none: the search was stopped before them; give it more time, or no --time-limit"
        )
    if result.figures.get("explanation_stopped"):
        lines.append("explain  none: stopped before it was done; give it more time, or no --time-limit")
    return lines


def _proof(result: Result) -> str:
    """The bound that assumes nothing about shapes, as far as it was proved."""
    figures = result.figures
    if figures["certified_bound"] is None:
        return f"proof    none: {figures['certified_refusal']}"
    boxes = figures["certified_boxes_left"]
    noun = "box" if boxes == 1 else "boxes"
    left = "" if figures["certified_reached"] else f"; {boxes} {noun} left when it stopped"
    if says_little(figures["certified_gap"]):
        return f"proof    says little yet: more than twice the improvement is not excluded{left}"
    most = figures["certified_bound"] - figures["null_objective"]
    gained = figures["certified_gap"] is not None and figures["improvement"] > 0
    part = f"{figures['certified_gap']:.4%}" if gained else f"{figures['certified_gap_amount']:.3g}"
    gap = part if gained else f"{part} {figures['objective_unit']}"
    return f"proof    {most:+,.3f} {figures['objective_unit']} (gap {gap}), whatever the shapes{left}"


def _starts(result: Result) -> list[str]:
    """Every programme with the year in which it starts."""
    table = result.tables["programmes"]
    found = zip(table["programme"], map(to_python, table["starts"]), strict=True)
    return [f"{name} {'never' if year is None else f'from {year}'}" for name, year in found]


def _forms(result: Result) -> list[str]:
    """One line per simpler form of decision: what it costs, and between which amounts that is proved."""
    table = result.tables.get("forms")
    rows = [] if table is None else [row for row in table.itertuples() if row.kind != "free"]
    return [f"form     {row.form}: {_price(row)}" for row in rows]


def _price(row: Any) -> str:
    if row.status == "none":
        return f"no allocation: {row.reason.splitlines()[0].partition('. ')[0]} (more in tables/forms.csv)"
    most = to_python(row.price_at_most)
    proved = "" if most is None else f", by the bounds {row.price_at_least:,.3f} to {most:,.3f}"
    share = to_python(row.price_share)
    part = "" if share is None else f" ({share:.2%} of the improvement)"
    doubt = f"; {row.reason}" if row.reason else ""
    return f"costs {row.price:,.3f} {row.unit}{part}{proved}{doubt}"


def _perspectives(result: Result) -> list[str]:
    """One line per perspective: they overlap, so they are never added; and those that do not add up."""
    totals = result.tables.get("perspective_totals")
    rows = [] if totals is None else list(totals.itertuples())
    width = max((len(row.perspective) for row in rows), default=0)
    lines = [_perspective(row, width) for row in rows]
    warning = 'warning  ledger: the rows of {} do not add up to "{}"'
    return lines + [warning.format(row.perspective, row.variable) for row in rows if not row.agrees]


def _perspective(row: Any, width: int) -> str:
    """What one perspective gains over the horizon, and how much of that while the council decides."""
    soon = f"{row.of_which_decision_years:+,.3f} in the decision years"
    return f"ledger   {row.perspective:<{width}} {row.difference:+,.3f} {row.unit}, of which {soon}"


def _advice(result: Result) -> str:
    """Decisions by year: the null alternative in the first year shown, and the advice."""
    allocation, years = result.tables["allocation"], decision_years(result)
    chosen = allocation[allocation["time"].isin(years)]
    chosen = chosen.assign(variable=full_names(chosen))
    unit = "" if chosen["unit"].nunique() > 1 else chosen["unit"].iloc[0]
    if not unit:  # then each decision shows its own
        chosen = chosen.assign(variable=chosen["variable"] + " (" + chosen["unit"] + ")")
    wide = chosen.pivot_table(index="variable", columns=["allocation", "time"], values="value", sort=False)
    names = list(dict.fromkeys(chosen["variable"]))
    shown = years if len(years) <= 8 else years[:: max(1, len(years) // 7)]
    width = max(len(name) for name in [*names, unit]) + 2
    head = f"{unit:<{width}}{'null':>8}" + "".join(f"{int(year):>8}" for year in shown)
    rows = [
        f"{name:<{width}}{wide.loc[name, ('null', shown[0])]:>8.2f}"
        + "".join(f"{wide.loc[name, ('advice', year)]:>8.2f}" for year in shown)
        for name in names
    ]
    left_out = [] if len(shown) == len(years) else [f"({len(shown)} of {len(years)} years shown)"]
    return "\n".join([head, *rows, *left_out])


def describe_problem(problem: Problem) -> str:
    """Size of the question, and the limits that the null alternative breaks."""
    from sdopt.optimise.tables import constraint_table

    null, stocks = problem.decisions.null_vector(), len(problem.system.of_kind("stock"))
    limits = constraint_table(problem, problem.null_values, null, None, None)
    broken = sorted(
        {f"{limit.constraint} ({limit.year})" for limit in limits.itertuples() if limit.null_breaks}
    )
    lines = [
        problem.config.title,
        f"model        {len(problem.system.visible)} variables, {stocks} stocks",
        f"time         {problem.grid.start:g} to {problem.grid.end:g} in {problem.grid.steps} steps",
        f"decisions    {problem.decisions.size} values: {', '.join(p.id for p in problem.decisions.paths)}",
        f"limits       {len(problem.rules)} between decisions, {len(problem.constraints)} on the model",
        f"objective    {problem.null_objective:,.3f} {problem.objective_unit} for the null alternative",
        f"null breaks  {', '.join(broken) if broken else 'no limit'}",
    ]
    if (ledger := problem.ledger) is not None:
        names = ", ".join(perspective.name for perspective in ledger.perspectives)
        lines.append(f"ledger       {len(ledger.entries)} effects, {len(ledger.pockets)} pockets: {names}")
    if problem.fiscal is not None:
        rules = [one.rule.id + (" (check)" if not one.imposed else "") for one in problem.fiscal.chosen]
        lines.append(f"fiscal rules {', '.join(rules) or 'none of the library'}")
    if problem.methods:
        chosen = dict.fromkeys(f"{row.convention} {row.method}" for row in problem.methods)
        lines.append(f"valuation    {', '.join(chosen)}")
    return "\n".join(lines)


def describe_variables(system: EquationSystem, kind: str | None) -> str:
    """A table of variables: name, kind, unit, range and description."""
    chosen = [v for v in system.visible.values() if kind is None or v.kind == kind]
    width = max((len(v.name) for v in chosen), default=0) + 2
    units = max((len(v.unit) for v in chosen), default=0) + 2
    return "\n".join(
        f"{v.name:<{width}}{v.kind:<11}{v.unit:<{units}}{_range(v.low, v.high):<14}{v.description}"
        for v in chosen
    )


def _range(low: Any, high: Any) -> str:
    if low is None and high is None:
        return ""
    return f"[{'?' if low is None else f'{low:g}'}, {'?' if high is None else f'{high:g}'}]"
