"""Names for readers: labels of the config for the model's names, and limits on change in words."""

from __future__ import annotations

import re
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
    "taakvelden": "variable",
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
    "empty_stocks": "variable",
    "drawn": "constant",
    "not_drawn": "constant",
    "tornado": "factor",
    "sobol_indices": "factor",
    "explained_shares": "factor",
    "morris_screening": "factor",
    "failing_boxes": "factor",
    "break_even": "constant",
    "worth_of_decisions": "constant",
    "advised": "variable",
    "information": "uncertainty",
    "information_options": "uncertainty",
    "robust_allocations": "variable",
    "robust_adaptive": "variable",
}
"""Table -> the column with names of model variables."""
WHOLE_ARRAYS = ("causal_decisions", "causal_path")
"""Tables with names of model variables in `variable`, an array once."""
DECISION_TABLES = ("advised", "break_even", "conditions", "options", "worth_of_decisions")
"""Tables whose column `decision` readers see: ids of the config."""
LIMIT_COLUMNS = {"constraints": "constraint", "limits": "limit", "robust_limits": "constraint"}
"""Table -> the column with names of limits."""
NAMED = ("decide_again_learnt", "objective_name", "replay_worst_variable")
"""Figures that are the name of a model variable."""
CHANGES = ("rise", "fall")
_NO_NUMBER = re.compile(r'"(.+)" is (-?inf|nan) at time (\S+)')


def with_shown_names(result: Result) -> Result:
    """The result as readers see it: `provenance["labels"]` filled in, limits on change in its language.

    The tables on disk keep the model's names, so that programs find them.
    """
    shown = dict(result.provenance.get("labels") or {})
    tables = _tables(result, shown)
    if "failures" in result.tables:
        table = result.tables["failures"]
        said = [failure_words(str(reason), shown, Labels(result.language)) for reason in table["reason"]]
        tables["failures"] = table.assign(reason=said)
    if shown:
        tables["names"] = _names(shown)
    provenance = {**result.provenance, "shown": _each(result.provenance.get("shown"), shown)}
    named = {key: shown.get(name, name) for key in NAMED if (name := result.figures.get(key)) is not None}
    figures = {**result.figures, **named, "negative_stocks": _negative(result, shown)}
    return Result(**{**vars(result), "provenance": provenance, "figures": figures}).with_tables(**tables)


def _tables(result: Result, shown: Mapping[str, str]) -> dict[str, Any]:
    """All tables that hold names, with those for readers."""
    decisions = dict(result.provenance.get("decision_names") or {})
    effects, limits = {**shown, **_effects(result)}, _limits(result, shown, decisions)
    columns = {table: {one: effects if one == "effect" else shown} for table, one in NAME_COLUMNS.items()}
    perspectives = _perspectives(result)
    for name in [name for name, table in result.tables.items() if "perspective" in table]:
        columns.setdefault(name, {})["perspective"] = perspectives
    columns["gains"] = {"party": perspectives}
    columns["stock_flows"] = {"stock": shown, "flow": shown}
    columns |= {table: {"variable": {**array_names(shown), **shown}} for table in WHOLE_ARRAYS}
    for table in DECISION_TABLES:
        columns.setdefault(table, {})["decision"] = decisions
    for table, column in LIMIT_COLUMNS.items():
        columns[table] = {column: limits}
    return {
        table: _renamed(result.tables[table], names)
        for table, names in columns.items()
        if table in result.tables
    }


def array_names(shown: Mapping[str, str]) -> dict[str, str]:
    """Name of an array -> what the names for readers of its elements have in common, before the element."""
    found: dict[str, set[str]] = {}
    for name, text in shown.items():
        whole, _, element = name.removesuffix("]").partition("[")
        said = element.replace(",", ", ")
        bare = text.removesuffix(f"({said})").removesuffix(said).strip()
        if element and bare != text:
            found.setdefault(whole, set()).add(bare)
    return {whole: texts.pop() for whole, texts in found.items() if len(texts) == 1 and all(texts)}


def failure_words(reason: str, shown: Mapping[str, str], labels: Labels) -> str:
    """Why a run gave no number, with the name for readers; other reasons as they are."""
    found = _NO_NUMBER.fullmatch(reason)
    if found is None:
        return reason
    name, value, time = found.groups()
    return labels("found.no_number", name=shown.get(name, name), value=value, time=time)


def change_limits(result: Result, labels: Labels) -> dict[str, tuple[str, str]]:
    """Name of every limit on change as shown -> (decision as shown, `rise` or `fall`)."""
    if "decisions" not in result.tables:
        return {}
    variables = dict.fromkeys(result.tables["decisions"]["variable"])
    return {labels(f"limit.{kind}", name=v): (v, kind) for v in variables for kind in CHANGES}


def _limits(result: Result, shown: Mapping[str, str], decisions: Mapping[str, str]) -> dict[str, str]:
    """Name of a limit in the tables -> name for readers, of those that a decision or programme gives.

    `id: largest rise` limits a change; `rule: id` is a rule that limits one decision.
    """
    labels, variables = Labels(result.language), {}
    if "decisions" in result.tables:
        table = result.tables["decisions"]
        variables = dict(zip(table["decision"], table["variable"], strict=True))
    return {
        **_programme_limits(result, labels),
        **_rules_of_decisions(result, decisions),
        **{
            f"{decision}: largest {kind}": labels(f"limit.{kind}", name=shown.get(variable, variable))
            for decision, variable in variables.items()
            for kind in CHANGES
        },
    }


def _rules_of_decisions(result: Result, decisions: Mapping[str, str]) -> dict[str, str]:
    columns = [
        result.tables[table][column] for table, column in LIMIT_COLUMNS.items() if table in result.tables
    ]
    parts = {str(name): str(name).rpartition(": ") for column in columns for name in column.unique()}
    return {
        name: f"{rule}: {decisions[identity]}"
        for name, (rule, _, identity) in parts.items()
        if rule and identity in decisions
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


def _perspectives(result: Result) -> dict[str, str]:
    """The perspectives that come with the models, in the language of the result; others keep their name."""
    labels, names = Labels(result.language), set[str]()
    for table in result.tables.values():
        names |= set(table["perspective"].astype(str)) if "perspective" in table else set()
    return {name: labels.find(f"perspective.{name}", name) for name in names}


def _names(shown: Mapping[str, str]) -> Any:
    """The table of names: name for readers, and the model's own."""
    import pandas as pd

    rows = sorted((name.casefold(), name, variable) for variable, name in shown.items())
    return pd.DataFrame([row[1:] for row in rows], columns=["name", "variable"])


def _renamed(frame: Any, columns: Mapping[str, Mapping[str, str]]) -> Any:
    """The table with the names of some columns replaced; a subscript becomes part of the name."""
    for column, names in columns.items():
        if "subscript" in frame:
            frame = frame.assign(**{column: full_names(frame), "subscript": ""})
        frame = frame.assign(**{column: frame[column].map(lambda name, names=names: names.get(name, name))})
    return frame


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
