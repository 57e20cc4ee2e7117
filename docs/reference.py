"""The pages of reference, made while the site is built: they cannot fall behind what they describe.

mkdocs calls `on_files` (mkdocs.yml, hooks). Keys come from the schema, commands from click, variables from
the model. Units of keys stand here; a key with a number but without a unit stops the build.
"""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "models" / "social_domain.mdl"
OWN = "that of the variable"
MONEY_A_YEAR = "money of the model per year"
UNITS = {
    "CalibrationConfig.schema_version": "",
    "Choice.at_least": "programmes",
    "Choice.at_most": "programmes",
    "Config.schema_version": "",
    "Constraint.at_least": OWN,
    "Constraint.at_most": OWN,
    "Constraint.decisions": "weight",
    "Constraint.variables": "weight",
    "Correlation.rank": "from -1 to 1",
    "DecideAgain.groups": "groups",
    "DecideAgain.scenarios": "draws",
    "DecideAgain.year": "calendar year",
    "Decision.bounds": OWN,
    "Decision.largest_fall": "that of the variable, or %",
    "Decision.largest_rise": "that of the variable, or %",
    "Decision.null_trend": "share per year",
    "Decision.period": "years",
    "EndValue.weight": "share",
    "Explanation.mechanisms": "that of the constant",
    "ExternalScenario.constants": "that of the constant",
    "ExternalScenario.weight": "relative",
    "FiscalRules.apply": "as the rule says",
    "FitSearch.seed": "",
    "FitSearch.starts": "starts",
    "Fitted.bounds": "that of the constant",
    "Form.periods": "years",
    "Form.shares_of": MONEY_A_YEAR,
    "Horizon.end": "calendar year",
    "Horizon.start": "calendar year",
    "Horizon.time_step": "years",
    "Limit.null_alternative": "share or weight",
    "Limit.plus": "that of the constraint",
    "ModelFiles.changes": "that of the constant",
    "Objective.base_year": "calendar year",
    "Objective.discount_rate": "share per year, or a preset",
    "Programme.amount": OWN,
    "Programme.lasts": "years",
    "Programme.start_cost": "money of the model",
    "Programme.yearly_cost": MONEY_A_YEAR,
    "ReOptimise.gap": "share of the improvement",
    "ReOptimise.scenarios": "draws",
    "Robust.gap": "share of the improvement",
    "Robust.iterations": "rounds",
    "Robust.scenarios": "draws",
    "Search.audit": "points",
    "Search.gap": "share of the improvement",
    "Search.iterations": "rounds",
    "Search.seed": "",
    "Search.starts": "starts",
    "Span.end": "time of the model",
    "Span.start": "time of the model",
    "Span.time_step": "time of the model",
    "StartYears.first": "calendar year",
    "StartYears.last": "calendar year",
    "Sweep.levels": "values",
    "Sweep.scenarios": "draws",
    "Sweep.thresholds": "as the threshold says",
    "Uncertainty.high": "that of the constant",
    "Uncertainty.low": "that of the constant",
    "Uncertainty.values": "that of the constant",
    "Uncertainty.weights": "relative",
    "Years.first": "calendar year",
    "Years.last": "calendar year",
}
TOPS = {"Config": "", "CalibrationConfig": "calibration: "}
HEADINGS = {"Config": "The file", "CalibrationConfig": "A calibration config"}
WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "nothing"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, as mkdocs asks."""
    from mkdocs.structure.files import File

    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def pages() -> dict[str, str]:
    """Every page of reference: name -> Markdown."""
    return {"config": config_page(), "commands": commands_page(), "variables": variables_page()}


def cell(text: object) -> str:
    """Text as one cell of a table; text between backticks stays code, nothing becomes HTML."""
    parts = re.split(r"(`[^`]*`)", " ".join(str(text).split()))
    safe = [part if part.startswith("`") else html.escape(part, quote=False) for part in parts]
    return "".join(safe).replace("|", r"\|")


def table(headers: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [headers, tuple("---" for _ in headers), *rows]
    return "\n".join("| " + " | ".join(cell(one) for one in line) + " |" for line in lines) + "\n"


# --- keys of a config ---


def config_page() -> str:
    """Every key of a config and of a calibration config: type, default, unit, meaning."""
    from sdopt.calibrate.schema import CalibrationConfig
    from sdopt.config.json_schema import json_schema

    schemas = {
        "Config": json.loads(json_schema()),
        "CalibrationConfig": CalibrationConfig.model_json_schema(),
    }
    kinds = {name: kind for one in schemas.values() for name, kind in one["$defs"].items()} | schemas
    _same_units(kinds)
    said = [
        "# Every key of a config\n",
        "Made from the schema of this version (`sdopt schema`; editors use it by the first line of the "
        "examples). A key without a default has to be given, within its section. A key that is not here is "
        "refused.\n",
    ]
    for name, places in _places(kinds).items():
        heading = HEADINGS.get(name) or f"`{places[0]}`"
        also = "".join(f" Also: `{place}`." for place in places[1:])
        said.append(f"## {heading} {{ #{name.lower()} }}\n\n{kinds[name].get('description', '')}{also}\n")
        rows = [_key_row(name, key, kinds[name]) for key in kinds[name].get("properties", {})]
        said.append(table(("key", "type", "default", "unit", "meaning"), rows) if rows else "")
    return "\n".join(said)


def _same_units(kinds: Mapping[str, Any]) -> None:
    """Stop when a number has no unit here, or a unit stands here for a key that is gone."""
    numbers = {
        f"{name}.{key}"
        for name, kind in kinds.items()
        for key, value in kind.get("properties", {}).items()
        if _holds_number(value)
    }
    if wrong := numbers ^ set(UNITS):
        raise SystemExit(f"docs/reference.py, UNITS: lacks, or has too many: {', '.join(sorted(wrong))}")


def _holds_number(value: Any) -> bool:
    """Whether a number can stand in this key itself; not in the keys below it."""
    if isinstance(value, Mapping):
        if value.get("type") in ("number", "integer") or isinstance(value.get("const"), int):
            return True
        return any(
            _holds_number(value.get(word))
            for word in ("anyOf", "items", "prefixItems", "additionalProperties")
        )
    return isinstance(value, list) and any(_holds_number(one) for one in value)


def _places(kinds: Mapping[str, Any]) -> dict[str, list[str]]:
    """Where in a file every kind of section stands, from the top down: kind -> paths of keys."""
    found: dict[str, list[str]] = {}
    for top, start in TOPS.items():
        found[top], queue = [], [(top, start)]
        while queue:
            owner, path = queue.pop(0)
            for key, value in kinds[owner].get("properties", {}).items():
                place = f"{path}{key}" + (".NAME" if value.get("type") == "object" else "")
                for name in dict.fromkeys(re.findall(r'"#/\$defs/(\w+)"', json.dumps(value))):
                    queue += [] if name in found else [(name, f"{place}.")]
                    found.setdefault(name, []).append(place)
    return found


def _key_row(name: str, key: str, kind: Mapping[str, Any]) -> tuple[object, ...]:
    """One row of a table of keys."""
    value = kind["properties"][key]
    needed = key in kind.get("required", ())
    default = (
        "" if needed or "default" not in value else f"`{json.dumps(value['default'], ensure_ascii=False)}`"
    )
    if isinstance(value.get("default"), Mapping) and value["default"]:
        default = "see its keys"
    return (f"`{key}`", _type(value), default, UNITS.get(f"{name}.{key}", ""), _meaning(value))


def _meaning(value: Mapping[str, Any]) -> str:
    """What the schema says of a key; of a section, that its keys say it."""
    return value.get("description") or "See its keys."


def _type(value: Mapping[str, Any]) -> str:
    """A type in words, with a link to the keys of a section."""
    if "anyOf" in value:
        return " or ".join(_type(one) for one in value["anyOf"])
    if "enum" in value or "const" in value:
        return " or ".join(f"`{one}`" for one in value.get("enum") or [value["const"]])
    if "pattern" in value:
        return "share such as `25%`"
    return _COMPOUND.get(value.get("type", "$ref"), _plain)(value)


def _plain(value: Mapping[str, Any]) -> str:
    return WORDS.get(value["type"], value["type"])


def _section(value: Mapping[str, Any]) -> str:
    name = value["$ref"].rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def _list(value: Mapping[str, Any]) -> str:
    if "prefixItems" in value:
        return ", ".join(_type(one) for one in value["prefixItems"])
    return f"list of {_type(value['items'])}"


def _map(value: Mapping[str, Any]) -> str:
    inside = value.get("additionalProperties")
    return "name -> " + (_type(inside) if isinstance(inside, Mapping) else "text")


_COMPOUND = {"$ref": _section, "array": _list, "object": _map}


# --- commands ---


def commands_page() -> str:
    """Every command with its arguments and options, as `--help` says it."""
    from sdopt.cli import main

    said = [
        "# Every command\n",
        "As `sdopt COMMAND --help` says it. In a folder of the project `python start.py` stands for `sdopt`. "
        "Exit codes: 0 done, 1 refused or failed with one message, 2 wrong option, 130 stopped by Ctrl-C.\n",
        "`sdopt --version` prints the version; with `sdopt --debug COMMAND` a failure shows its traceback.\n",
    ]
    for name, command in sorted(main.commands.items()):
        context = click.Context(command, info_name=f"sdopt {name}")
        usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
        said.append(f"## sdopt {name} {{ #{name} }}\n\n```text\n{usage}\n```\n\n{_help(command)}\n")
        rows = [_option_row(one, context) for one in command.params if isinstance(one, click.Option)]
        if rows:
            said.append(table(("option", "value", "default", "meaning"), rows))
    return "\n".join(said)


def _help(command: click.Command) -> str:
    """The help of a command; what click leaves as it stands becomes a block of text."""
    parts = [part for part in (command.help or "").replace("\r", "").split("\n\n") if part.strip()]
    return "\n\n".join(
        f"```text\n{part.strip().removeprefix(chr(8)).strip(chr(10))}\n```" if chr(8) in part else cell(part)
        for part in parts
    )


def _option_row(option: click.Option, context: click.Context) -> tuple[object, ...]:
    """One row of a table of options."""
    value = "" if option.is_flag else f"`{option.make_metavar(context)}`"
    default = option.get_default(context)
    shown = "" if option.is_flag or default is None or option.multiple else f"`{default}`"
    names = ", ".join(f"`{one}`" for one in option.opts)
    return (names, value, shown if not str(default).startswith("Sentinel") else "", option.help or "")


# --- variables of the shipped model ---


def variables_page() -> str:
    """Every variable of the model of the social domain: unit, range, what it is, and its Dutch name."""
    from sdopt.source_model.read import read_model

    system = read_model(MODEL).system
    with MODEL.with_suffix(".names.csv").open(encoding="utf-8", newline="") as file:
        dutch = {row["variable"]: row["nl"] for row in csv.DictReader(file)}
    said = [
        "# Variables of the model of the social domain\n",
        "`models/social_domain.mdl`, as `sdopt variables` lists it. Values and sources of the constants are "
        "in [constants and sources](../constants.md); how they work together in "
        "[mechanisms](../mechanisms.md).\n",
    ]
    for kind, heading in (
        ("stock", "Stocks"),
        ("flow", "Flows"),
        ("auxiliary", "Auxiliaries"),
        ("constant", "Constants"),
    ):
        rows = [
            (one.name, one.unit, _range(one.low, one.high), one.description, dutch.get(one.name, ""))
            for one in system.visible.values()
            if one.kind == kind
        ]
        said.append(f"## {heading}\n\n" + table(("name", "unit", "range", "what it is", "in Dutch"), rows))
    return "\n".join(said)


def _range(low: float | None, high: float | None) -> str:
    """The range that the model file states; empty when it states none."""
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}"
