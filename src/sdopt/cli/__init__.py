"""The command line: thin commands over the rooms; heavy libraries are imported where they are used."""

from sdopt.cli import compare, files, looks, report, searches, template
from sdopt.cli.group import main

__all__ = ["compare", "files", "looks", "main", "report", "searches", "template"]
