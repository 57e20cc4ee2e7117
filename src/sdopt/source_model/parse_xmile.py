"""XMILE, read with PySD; what its reader would mend, skip or misread without a word is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

from sdopt.equations.system import Method
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.syntax import canonical, one_line

METHODS: dict[str, Method] = {"euler": "euler", "rk4": "rk4"}

NOT_READ = {
    "module": "PySD reads no modules: put everything in one model",
    "macro": "PySD reads no XMILE macros: write the macro out, or save the model as .mdl",
    "conveyor": "PySD would read a conveyor as an ordinary stock: use DELAY",
    "queue": "PySD would read a queue as an ordinary stock",
    "oven": "PySD would read an oven as an ordinary stock",
    "init_eqn": "PySD ignores a separate initial equation",
    "import": "PySD ignores imported data: write the values in the model",
}
CONTROLS = {"initial_time": "start", "final_time": "stop", "time_step": "dt", "saveper": "dt"}
"""Names PySD keeps for the time settings, and where it takes them from."""

VARIABLES = ("aux", "flow", "stock", "gf")
HARMLESS = (*VARIABLES, "group")

_NAME_NOT = re.compile(r"(?:^|[(,]|\b(?:and|or|if|then|else)\b)\s*not\w", re.IGNORECASE | re.MULTILINE)


def parse_xmile(path: Path, content: bytes) -> tuple[Any, dict[str, str], Method]:
    """The abstract model, the text of its equations by key, and the integration method."""
    from pysd.translators.xmile.xmile_file import XmileFile

    root = _root(path, content)
    method = _check_model(path, root)
    variables = root.findall("{*}model/{*}variables/*")
    complaints = Complaints(str(path), ModelError)
    for node in variables:
        for reason in _misread(node, root):
            complaints.add(f'variable "{_name(node)}"', reason)
    complaints.raise_if_any()
    try:
        file = XmileFile(path)
        file.parse(parse_all=False)
        file.sections[0].parse(parse_all=False)
        _parse_elements(file.sections[0], complaints)
        complaints.raise_if_any()
        return file.get_abstract_model(), {canonical(_name(n)): _equation(n) for n in variables}, method
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{path}: is not a model PySD can read ({one_line(error)}).") from None


def _root(path: Path, content: bytes) -> Any:
    """The document, without anything that refers outside it."""
    from lxml import etree

    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: is not UTF-8 text ({error}); PySD reads no other encoding.") from None
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ModelError(f"{path}: a model file holds no document type definition; remove it.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, encoding="utf-8")
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ModelError(f"{path}: is not valid XML ({one_line(error)}).") from None
    # Stella writes prefixes it does not declare, and relative namespaces; those are harmless.
    errors = [e for e in parser.error_log if e.domain_name != "NAMESPACE" or e.level_name == "FATAL"]
    if errors or root is None:
        raise ModelError(f"{path}: is not valid XML ({errors[0].message if errors else 'empty'}).")
    return root


def _check_model(path: Path, root: Any) -> Method:
    """Refuse parts PySD's reader skips; the integration method."""
    parts = ("{*}model/{*}variables", "{*}sim_specs/{*}start", "{*}sim_specs/{*}stop", "{*}sim_specs/{*}dt")
    missing = [part.replace("{*}", "") for part in parts if root.find(part) is None]
    if root.nsmap.get(None) is None or missing:
        raise ModelError(f"{path}: is not an XMILE model (no {', '.join(missing) or 'XMILE namespace'}).")
    for tag, reason in NOT_READ.items():
        if root.find(f".//{{*}}{tag}") is not None:
            raise ModelError(f"{path}: <{tag}> is not supported: {reason}.")
    for part in ("model", "sim_specs"):
        if len(root.findall(f".//{{*}}{part}")) > 1:
            raise ModelError(f"{path}: holds more than one <{part}>; only one is supported.")
    for dimension in root.iterfind("{*}dimensions/{*}dim"):
        if "name" not in dimension.attrib or dimension.find("{*}elem") is None:
            name = dimension.attrib.get("name", "")
            raise ModelError(f'{path}: dimension "{name}" has no <elem>; PySD reads no other kind.')
    written = root.find("{*}sim_specs").attrib.get("method", "Euler").strip()
    if written.lower() not in METHODS:
        raise ModelError(f'{path}: integration method "{written}" is not supported, only Euler and RK4.')
    return METHODS[written.lower()]


def _name(node: Any) -> str:
    return str(node.attrib.get("name", "")).replace("\\n", " ")


def _equation(node: Any, *parts: str) -> str:
    """The text of its equations, one a line; with `parts` also that of other children."""
    paths = ("{*}eqn", "{*}element/{*}eqn", *(f"{{*}}{part}" for part in parts))
    return "\n".join(found.text or "" for found in chain(*(node.iterfind(path) for path in paths)))


def _misread(node: Any, root: Any) -> Iterator[str]:
    """Why PySD would read a variable wrongly, or not at all."""
    tag = node.tag.rpartition("}")[2]
    if node.tag == f"{{{root.nsmap[None]}}}{tag}" and tag not in HARMLESS:
        yield f"<{tag}> is not supported"
    if tag in VARIABLES and node.nsmap.get(node.prefix) != root.nsmap[None]:
        yield "is in another XML namespace than the model, so that PySD skips it"
    if tag in VARIABLES and not _name(node).strip():
        yield f"a <{tag}> has no name"
    if tag in ("aux", "flow", "stock") and not _equation(node).strip():
        yield "has no equation (<eqn>)"
    if _differs_from_settings(node, root.find("{*}sim_specs")):
        yield "PySD takes its value from <sim_specs> instead; give it another name"
    if node.find("{*}element/{*}gf") is not None:
        yield "PySD ignores a graph function (<gf>) of one element"
    for graph in [node] if tag == "gf" else node.findall("{*}gf"):
        yield from _misread_graph(graph)
        if tag != "gf" and graph.attrib.get("type", "continuous") != "continuous":
            kind = graph.attrib["type"]
            yield f"PySD reads its {kind} graph function as continuous: make it a <gf> of its own"
    if _NAME_NOT.search(re.sub(r'"[^"]*"', '""', _equation(node, "inflow", "outflow"))):
        yield "PySD reads a name that begins with not as NOT: write it in quotes"


def _differs_from_settings(node: Any, settings: Any) -> bool:
    """Whether a variable has the name of a time setting but not its value."""
    setting = CONTROLS.get(canonical(_name(node)))
    text = _equation(node).strip()
    if setting is None or canonical(text) in CONTROLS:
        return False
    try:
        stated = float(settings.findtext(f"{{*}}{setting}") or "nan")
        reciprocal = settings.find(f"{{*}}{setting}").attrib.get("reciprocal", "").lower() == "true"
        return (1 / stated if reciprocal else stated) != float(text)
    except (ValueError, ZeroDivisionError):
        return True


def _misread_graph(graph: Any) -> Iterator[str]:
    """Why a graph function has no definite points."""
    ys, xs, scale = (graph.find(f"{{*}}{tag}") for tag in ("ypts", "xpts", "xscale"))
    if ys is None or (xs is None and scale is None):
        yield "a graph function needs <ypts>, and <xscale> or <xpts>"
        return
    try:
        heights = _points(ys)
        places = _points(xs) if scale is None else [float(scale.attrib[k]) for k in ("min", "max")]
    except (ValueError, KeyError):
        yield "a point of its graph function is not a number"
        return
    if scale is None and len(places) != len(heights):
        yield f"its graph function has {len(places)} x points and {len(heights)} y points"
    if not all(isfinite(value) for value in (*heights, *places)):
        yield "a point of its graph function is not finite"


def _points(node: Any) -> list[float]:
    text = (node.text or "").strip()
    return [float(part) for part in text.split(node.attrib.get("sep", ","))]


def _parse_elements(section: Any, complaints: Complaints) -> None:
    """Parse every equation, as PySD's `Section.parse` does, noting all that fail."""
    for element in section.components:
        try:
            element.parse(section.behaviors)
        except Exception as error:
            complaints.add(f'variable "{element.name}"', f"cannot be read ({one_line(error)})")
    section.elements = section.subscripts + section.components
