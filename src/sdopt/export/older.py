"""Results folders that another version wrote: what an older one lacks is filled in, a newer one refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.errors import ExportError

if TYPE_CHECKING:
    import pandas as pd

RESULTS_VERSION = 1
"""Form of a results folder (`results_version` in summary.json; absent means 1). It is raised when something
that is already there gets another meaning or place; a table or column more does not raise it."""

ADDED = {"assumptions": ("distribution", "link", "confidence")}
"""Columns that tables got later. In a folder from before they are empty: it is not known."""


def check_results_version(results_dir: Path, summary: Mapping[str, Any]) -> None:
    """Refuse what a newer sdopt wrote, which may mean something else by the same names.

    Raises
    ------
    ExportError
        Saying which version was found, which is read, and what to do.
    """
    found = summary.get("results_version", RESULTS_VERSION)
    if type(found) is not int or not 1 <= found <= RESULTS_VERSION:
        versions = summary.get("versions")
        writer = versions.get("sdopt", "unknown") if isinstance(versions, dict) else "unknown"
        raise ExportError(
            f"{results_dir}: found results_version {found!r} in summary.json, of sdopt {writer}; this sdopt "
            f"reads versions up to {RESULTS_VERSION}. Use the sdopt that wrote it, or run its config.yaml "
            "with this one."
        )


def with_added_columns(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with every column that was added since, empty where a table lacks it."""
    return {
        name: table.assign(**{column: None for column in ADDED.get(name, ()) if column not in table})
        for name, table in tables.items()
    }
