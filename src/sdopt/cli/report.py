"""The command that brings the runs on one question together."""

from __future__ import annotations

from pathlib import Path

import click

from sdopt.cli.group import FILE, main


@main.command()
@click.argument("results", type=FILE, nargs=-1, required=True)
@click.option("--output", type=FILE, help="Folder that gets the new folder [the one that holds RESULTS].")
def report(results: tuple[Path, ...], output: Path | None) -> None:
    """Bring RESULTS on one question together: one workbook, one report, all pictures.

    RESULTS are folders of optimise, sweep and robust, at most one of each. They must be about the same
    model and the same advice, and are not changed. The new folder is called report-TITLE-NNN.
    """
    from sdopt.export.report_folder import write_report

    click.echo(str(write_report(results, output)))
