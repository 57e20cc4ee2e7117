"""The command that sets results beside each other."""

from __future__ import annotations

from pathlib import Path

import click

from sdopt.cli.group import FILE, main


@main.command("compare")
@click.argument("results", nargs=-1, required=True, type=FILE)
@click.option(
    "--output", type=FILE, default=Path("results"), show_default=True, help="Folder that gets a new folder."
)
def compare_(results: tuple[Path, ...], output: Path) -> None:
    """Set two or more RESULTS folders beside each other: inputs, allocation, return, who gains.

    Writes a new folder with a workbook, a page and tables. Differences are from the first; what makes returns
    hard to compare (another objective, horizon, discount rate, model) is said first.
    """
    from sdopt.export.compare.run import compare

    click.echo(compare(results, output))
