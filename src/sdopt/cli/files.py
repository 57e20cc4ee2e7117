"""The commands that write a file or folder: a first config, and results in another form."""

from __future__ import annotations

from pathlib import Path

import click

from sdopt.cli.group import FILE, is_config, main, read


@main.command()
@click.argument("model", type=FILE)
@click.option(
    "--output", type=FILE, default=Path("question.yaml"), show_default=True, help="Config to write."
)
def init(model: Path, output: Path) -> None:
    """Write a commented config for MODEL, to start from."""
    import os

    from sdopt.config.starting_point import starting_point
    from sdopt.export.new_file import write_new_file
    from sdopt.source_model.read import read_model

    system = read_model(model).system
    where = Path(os.path.relpath(model.absolute(), output.absolute().parent)).as_posix()
    write_new_file(output, starting_point(system, where))
    click.echo(f"{output} written. Fill in what is marked, then: sdopt check {output}")


# As sdopt.export.formats has them, which is too slow to load for --help.
FORMATS = (
    *("xlsx", "ods", "csv", "csv-nl", "csv-machine", "parquet", "pictures"),
    *("xlsx-runs", "xlsx-trajectories"),
)


@main.command()
@click.argument("source", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), help="Format of the results.")
@click.option("--output", type=FILE, help="File or folder to write; beside the tables when absent.")
@click.option("--to", type=FILE, help="File for another solver to write (CONFIG): .nl, .lp or .mps.")
def export(source: Path, form: str | None, output: Path | None, to: Path | None) -> None:
    """Write SOURCE, a results folder, in another format; or the problem of a config for another solver.

    \b
    xlsx, ods             the workbook; .ods has no charts
    csv-nl (also csv)     a folder of tables for Dutch Excel: semicolon, decimal comma, BOM
    csv-machine           a folder of tables for programs: comma, decimal point
    parquet               a folder of tables, exactly
    pictures              a folder with every figure for slides, as .svg and .png
    xlsx-runs             of a sweep: every run, scenario and allocation, a row each
    xlsx-trajectories     of a sweep: every value per year; over several sheets

    An .nl file holds the whole problem, as does .lp or .mps when that is linear. Otherwise these hold the
    final linear master of a search, whose optimum is the bound. FILE.csv says what the names in it mean.
    """  # noqa: D301
    if to is not None:
        if form is not None or output is not None or not is_config(source):
            raise click.UsageError("--to needs a config, and goes without --format and --output.")
        from sdopt.export.console import Progress
        from sdopt.export.other_solver import write_problem

        with Progress() as progress:
            said = write_problem(read(source)[2], to, progress)
        click.echo(said)
        return
    if form is None:
        raise click.UsageError("give --format for a results folder, or --to for a config.")
    from sdopt.export.formats import export_results

    click.echo(str(export_results(source, form, output)))
