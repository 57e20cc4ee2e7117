"""Templates filled in: everything in one file, and a policy that lets it run nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from sdopt.export.labels import Labels
from sdopt.export.report.sources import Sources, Traced
from sdopt.export.report.traced import data, said, unmarked

# What ends a script, opens a comment or is a line end to a browser, and to JSON is a character like others.
_ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&'\u2028\u2029"}


def render(template: str, labels: Labels, title: str, sources: Sources, **values: Any) -> str:
    """A page from a template that extends `base.html.j2`.

    Parameters
    ----------
    template : file in `templates`
    labels : words in the language of the page
    title : of the page; text, as all that comes from a model or config
    sources : those of the numbers in marked sentences
    values : what the template itself wants; `sections` and their blocks in the report
    """
    scripts = {name: asset(f"{name}.js") for name in ("vega", "report")}
    scripts["fit"] = asset("fit.js", "sdopt.export.figures")
    style = asset("report.css")
    page = _environment().get_template(template)
    text = page.render(
        labels=labels,
        title=title,
        said=lambda text: said(text, sources),
        plain=unmarked,
        shown=lambda cell: data(cell) if isinstance(cell, Traced) else said(str(cell), sources),
        script=json_script,
        style=Markup(style),  # noqa: S704
        scripts={name: Markup(text) for name, text in scripts.items()},  # noqa: S704
        policy=_policy(style, scripts),
        **values,
    )
    return text if text.endswith("\n") else f"{text}\n"


@cache
def asset(name: str, package: str = "sdopt.export.report") -> str:
    """A file of ours, with plain line ends."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n").strip("\n")


def _policy(style: str, scripts: Mapping[str, str]) -> str:
    """Nothing from anywhere: only these scripts and this style run, and no text is ever made code."""
    allowed = " ".join(_hash(text) for text in scripts.values())
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def json_script(value: Any) -> Markup:
    """JSON that can stand inside a script element whatever text it holds; numbers in it carry no mark."""
    text = unmarked(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    return Markup(text.translate(_ESCAPED))  # noqa: S704


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sdopt.export.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
