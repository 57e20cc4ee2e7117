"""The command line: thin commands over the rooms; heavy libraries are imported where they are used."""

from sdopt.cli import files, looks, searches
from sdopt.cli.group import main

__all__ = ["files", "looks", "main", "searches"]
