"""Names for readers: labels of the config for the model's names, and limits on change in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdopt.export.labels import Labels
from sdopt.export.views import full_names
from sdopt.result import Result

NAME_COLUMNS = {
    "allocation": "variable",
    "trajectories": "variable",
    "decisions": "variable",
    "return": "component",
    "assumptions": "name",
    "fiscal_rules": "part",
    "multi_year_budget": "variable",
    "ledger": "effect",
    "ledger_years": "effect",
    "perspectives": "effect",
    "perspective_totals": "variable",
    "conventions": "constant",
    "near_optimal": "variable",
    "alternatives": "variable",
    "contributions": "variable",
    "frontier_decisions": "variable",
    "forms_allocation": "variable",
    "forms_choices": "variable",
    "certificate_errors": "variable",
    "programmes": "variable",
    "programme_years": "variable",
    "fan": "variable",
    "drawn": "constant",
    "not_drawn": "constant",
    "tornado": "factor",
    "sobol_indices": "factor",
    "explained_shares": "factor",
    "morris_screening": "factor",
    "failing_boxes": "factor",
    "break_even": "constant",
    "information": "uncertainty",
    "robust_allocations": "variable",
    "robust_adaptive": "variable",
}
"""Table -> the column with names of model variables."""
CHANGES = ("rise", "fall")


def with_shown_names(result: Result) -> Result:
    """The result as readers see it: `provenance["labels"]` filled in, limits on change in its language.

    The tables on disk keep the model's names, so that programs find them.
    """
    shown = dict(result.provenance.get("labels") or {})
    effects = {**shown, **_effects(result)}
    renamed = {
        table: _renamed(result, table, column, effects if column == "effect" else shown)
        for table, column in NAME_COLUMNS.items()
        if table in result.tables
    }
    if "constraints" in result.tables:
        renamed["constraints"] = _renamed(result, "constraints", "constraint", _limits(result, shown))
    provenance = {**result.provenance, "shown": _each(result.provenance.get("shown"), shown)}
    figures = {**result.figures, "negative_stocks": _negative(result, shown)}
    return Result(**{**vars(result), "provenance": provenance, "figures": figures}).with_tables(**renamed)


def change_limits(result: Result, labels: Labels) -> dict[str, tuple[str, str]]:
    """Name of every limit on change as shown -> (decision as shown, `rise` or `fall`)."""
    if "decisions" not in result.tables:
        return {}
    variables = dict.fromkeys(result.tables["decisions"]["variable"])
    return {labels(f"limit.{kind}", name=v): (v, kind) for v in variables for kind in CHANGES}


def _limits(result: Result, shown: Mapping[str, str]) -> dict[str, str]:
    """Name of a limit on change in the table (`id: largest rise`) -> name for readers."""
    if "decisions" not in result.tables:
        return {}
    table, labels = result.tables["decisions"], Labels(result.language)
    pairs = dict(zip(table["decision"], table["variable"], strict=True))
    return _programme_limits(result, labels) | {
        f"{decision}: largest {kind}": labels(f"limit.{kind}", name=shown.get(variable, variable))
        for decision, variable in pairs.items()
        for kind in CHANGES
    }


def _programme_limits(result: Result, labels: Labels) -> dict[str, str]:
    """The same for what limits a programme while it runs."""
    if "programmes" not in result.tables:
        return {}
    names = list(result.tables["programmes"]["programme"])
    sizes = {
        f"{name}: {kind} amount while it runs": labels(f"limit.{kind}_amount", name=name)
        for name in names
        for kind in ("largest", "smallest")
    }
    needs = {f"{a}: needs {b}": labels("limit.needs", name=a, other=b) for a in names for b in names}
    return {**sizes, **needs}


def _effects(result: Result) -> dict[str, str]:
    """Effects of the ledger that it gives another name for readers."""
    if "ledger" not in result.tables:
        return {}
    table = result.tables["ledger"]
    pairs = zip(table["effect"], table["label"], strict=True)
    return {effect: label for effect, label in pairs if effect != label}


def _renamed(result: Result, table: str, column: str, names: Mapping[str, str]) -> Any:
    frame = result.tables[table]
    if "subscript" in frame:
        frame = frame.assign(**{column: full_names(frame), "subscript": ""})
    return frame.assign(**{column: frame[column].map(lambda name: names.get(name, name))})


def _each(listed: Any, names: Mapping[str, str]) -> list[str]:
    return [names.get(name, name) for name in listed or ()]


def _negative(result: Result, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Stocks that turn negative, `name (from time)`, with the names and words for readers."""
    labels, found = Labels(result.language), result.figures.get("negative_stocks") or {}
    parts = {
        key: [text.removesuffix(")").rpartition(" (from ") for text in texts] for key, texts in found.items()
    }
    return {
        key: [
            labels("word.since", name=names.get(name, name), year=time.partition(".")[0])
            for name, _, time in texts
        ]
        for key, texts in parts.items()
    }
