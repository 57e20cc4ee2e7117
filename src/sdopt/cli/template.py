"""The command that writes a sheet to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from sdopt.cli.group import FILE, main


@main.command()
@click.argument("config", type=FILE)
@click.option("--output", type=FILE, help="Workbook (.xlsx) to write [CONFIG's name with -template].")
def template(config: Path, output: Path | None) -> None:
    """Write a workbook to fill in for CONFIG: an allocation and constants, or observations to calibrate on.

    It holds today's values; what is filled in is read by simulate --allocation and by a config.
    """
    from sdopt.export.template import write_template

    click.echo(write_template(config, output))
