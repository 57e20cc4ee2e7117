"""The commands that look: simulate, check, and lists of what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sdopt.cli.group import FILE, is_config, main, read


@main.command()
@click.argument("source", type=FILE)
@click.option(
    "--engine",
    type=click.Choice(["batch", "pysd"]),
    default="batch",
    show_default=True,
    help="Whose numbers to give: sdopt's own or PySD's.",
)
@click.option(
    "--allocation", type=FILE, help="Table (.csv, .xlsx, file.xlsx#Sheet) with decision, year, value."
)
@click.option(
    "--runs", type=FILE, help="Table (.csv, .parquet) of runs: a row per run, a column per constant."
)
@click.option("--show", multiple=True, metavar="NAME", help="With --runs: variable to keep [all stocks].")
@click.option("--objective", metavar="NAME", help="With --runs: variable that ranks them [first kept].")
@click.option(
    "--every",
    type=float,
    metavar="TIME",
    help="With --runs: time between values, in the model's unit [SAVEPER].",
)
@click.option(
    "--backend",
    type=click.Choice(["numpy", "compiled"]),
    default="numpy",
    show_default=True,
    help="With --runs: how; compiled is faster (pip install sdopt[fast]).",
)
@click.option(
    "--output", type=FILE, help="CSV file to write [a summary on screen]; with --runs, the folder to make."
)
def simulate(
    source: Path, engine: str, allocation: Path | None, runs: Path | None, output: Path | None, **job: Any
) -> None:
    """Simulate SOURCE: the null alternative or an allocation of a config, or a model file.

    A bare model runs once with its own settings; PySD runs it too, every variable is compared, and half
    the time step shows how much the step matters.

    With --runs a bare model runs once per row of a table, such as:

    \b
        birth rate, Price[north]
        0.02,       1.5
        0.03,       1.5

    Constants without a column keep the model's value. PySD repeats at least 32 runs: those with the
    lowest, median and highest objective (its value at the end), and a sample of the others. The new folder
    holds trajectories.parquet (run, variable, subscript, time, value, unit), runs.parquet (a row per run)
    and run.json. Runs that give inf or nan are kept and counted.
    """  # noqa: D301
    _check_options(source, allocation, runs, output, job)
    if runs is not None and engine == "pysd":
        raise click.UsageError("--engine does not go with --runs; PySD repeats some of them anyway.")
    if is_config(source):
        from sdopt.export.simulation import simulate_config

        click.echo(simulate_config(*read(source), engine, allocation, output))
        return
    from sdopt.source_model.read import read_model

    model = read_model(source)
    if runs is not None and output is not None:
        from sdopt.export.runs import simulate_runs

        click.echo(simulate_runs(model, runs, output, **job))
    else:
        from sdopt.export.model_run import simulate_model

        click.echo(simulate_model(model, engine, output))


def _check_options(
    source: Path, allocation: Path | None, runs: Path | None, output: Path | None, job: dict[str, Any]
) -> None:
    """Refuse options that do nothing together."""
    if allocation is not None and not is_config(source):
        raise click.UsageError("--allocation needs a config, not a bare model.")
    if runs is not None and is_config(source):
        raise click.UsageError("--runs needs a bare model, not a config.")
    if runs is not None and output is None:
        raise click.UsageError("--runs needs --output, the folder to make.")
    if runs is None and any(value not in ((), None, "numpy") for value in job.values()):
        raise click.UsageError("--show, --objective, --every and --backend go with --runs.")


@main.command()
@click.argument("source", type=FILE)
def check(source: Path) -> None:
    """Check SOURCE: whether a config fits its model, or the units and structure of a model file.

    A config runs the null alternative and allocations that it gives; told is what sweep and robust would do.
    In a model all equations must agree with their units; notes tell what nothing uses. Exit code 1 if wrong.
    """
    if is_config(source):
        from sdopt.export.check import describe_check

        loaded, _, problem = read(source)
        click.echo(describe_check(loaded, problem))
        return
    from sdopt.checks.report import check_model
    from sdopt.source_model.read import read_model

    checked = check_model(read_model(source))
    click.echo(checked.text())
    checked.raise_if_wrong()


@main.command()
@click.argument("source", type=FILE)
@click.option(
    "--kind",
    type=click.Choice(["stock", "flow", "auxiliary", "constant"]),
    help="Only variables of this kind [all].",
)
def variables(source: Path, kind: str | None) -> None:
    """List what a model, or the model of a config (SOURCE), offers: name, kind, unit, range, description."""
    from sdopt.export.console import describe_variables
    from sdopt.source_model.read import read_model

    if is_config(source):
        from sdopt.config.load import load_config

        source = load_config(source).config.model.file
    click.echo(describe_variables(read_model(source).system, kind))


@main.command()
def functions() -> None:
    """List what a Vensim or XMILE model may use, and what is refused and why."""
    from sdopt.source_model.supported import supported_markdown

    click.echo(supported_markdown(), nl=False)


@main.command()
def schema() -> None:
    """Print the JSON Schema of a config, for editors."""
    from sdopt.config.json_schema import json_schema

    click.echo(json_schema(), nl=False)
