"""Vensim's .mdl, read with PySD's grammar; what that grammar would skip or run is refused.

PySD evaluates the numbers of a lookup's range as Python, skips what it cannot parse at the end of a
file, and drops an entry that has one ~ too few; all are checked here before it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdopt.equations.system import Method
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.syntax import canonical, one_line, unquoted

INTEGRATION = {
    0: "Euler",
    1: "RK4 Auto",
    2: "Difference",
    3: "RK2 Auto",
    4: "RK2 Fixed",
    5: "RK4 Fixed",
}
"""Integration types by their number in the settings at the end of the file."""
METHODS: dict[int, Method] = {0: "euler", 5: "rk4"}
LONGEST_RANGE = 10_000
"""More elements than this in a range such as (age1-age99) are taken for a mistake."""

_SKETCH = re.compile(r"\\+---///")
_SETTINGS = "///---\\\\\\"
_INTEGRATION_LINE = re.compile(r"^15:(?:\s*-?\d+\s*,){3}\s*(-?\d+)", re.MULTILINE)
_RANGE_START = re.compile(r"\(\s*\[")
_RANGE_CONTENT = re.compile(r"[\d\s().,+\-eE]*")
_NUMERIC_RANGE = re.compile(r"(\d+)\s*-[^()\-]*?(\d+)\s*\)")
_LEFT_SIDE = re.compile(r'[\w"\]]\s*(?::=|==?|:\s*[\w(]|\(\s*[\[(])')


def parse_vensim(path: Path, content: bytes) -> tuple[Any, dict[str, str], Method]:
    """The abstract model, the text of its equations by key, and the integration method."""
    from sdopt.source_model.vensim_grammar import by_runs

    with by_runs():
        return _parse(path, content)


def _parse(path: Path, content: bytes) -> tuple[Any, dict[str, str], Method]:
    from pysd.translators.vensim.vensim_file import VensimFile

    encoding = _encoding(path, content)
    method = _method(path, content.decode(encoding))
    try:
        file = VensimFile(path, encoding=encoding)
        file.parse(parse_all=False)
    except Exception as error:
        raise ModelError(f"{path}: is not a Vensim model ({one_line(error)}).") from None
    if file.sections[0] is None:
        raise ModelError(f"{path}: is not a Vensim model (it holds no equations besides macros).")
    complaints = Complaints(str(path), ModelError)
    for section in file.sections:
        _split(path, section)
        _parse_elements(section, complaints)
    complaints.raise_if_any()
    return _abstract(path, file), _equations(file.sections), method


def _encoding(path: Path, content: bytes) -> str:
    """The encoding a Vensim file states in its first line, UTF-8 when it states none."""
    stated = re.match(rb"(?:\xef\xbb\xbf)?\s*\{([^}]*)\}", content)
    encoding = stated.group(1).decode("ascii", "replace").strip() if stated else "utf-8"
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        content.decode(encoding)
    except (LookupError, ValueError) as error:
        raise ModelError(f"{path}: is not text in the encoding it states, or UTF-8 ({error}).") from None
    return encoding


def _method(path: Path, text: str) -> Method:
    """The integration type of the settings after the sketch; Euler where there are none."""
    found = _INTEGRATION_LINE.search(text.partition(_SETTINGS)[2].replace("\r", "\n"))
    number = int(found.group(1)) if found else 0
    if number in METHODS:
        return METHODS[number]
    name = INTEGRATION.get(number, f"number {number}")
    raise ModelError(
        f"{path}: integration type {name} is not supported, only Euler and RK4 Fixed. "
        "Choose one of them in the model's settings."
    )


def _split(path: Path, section: Any) -> None:
    """Split a section into its elements; refuse text that PySD would skip, and ranges it would run."""
    from pysd.translators.vensim.vensim_section import SectionElementsVisitor
    from pysd.translators.vensim.vensim_utils import Grammar

    try:
        tree = Grammar.get("section_elements").parse(section.content)
        _check_entries(path, tree)
        section.elements = SectionElementsVisitor(tree).entries
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{path}: is not a Vensim model ({one_line(error)}).") from None
    for element in section.elements:
        _check_equation(path, element.equation)


def _check_entries(path: Path, tree: Any) -> None:
    """Refuse what the grammar takes for a comment, a group or a sketch but may be an equation."""
    skipped = tree.children[-1].text.strip()
    if skipped and not _SKETCH.match(skipped):
        raise ModelError(f'{path}: cannot read from here on: "{skipped[:80]}". Is a ~ or | missing?')
    for either in tree.children[0].children:
        node = either.children[0]
        first = node.children[0].text.strip()
        if node.expr_name == "section" and not first.startswith("*"):
            raise ModelError(f'{path}: an entry has one ~ instead of two: "{first[:80]}".')
        if node.expr_name == "entry":
            comment, rest = node.children[4].text, node.children[5].text.lstrip("~ ")
            if rest and not rest.startswith(":") and _LEFT_SIDE.search(comment):
                raise ModelError(f'{path}: a | is missing before or within "{comment.strip()[:80]}".')


def _check_equation(path: Path, equation: str) -> None:
    """Refuse a lookup range that is not numbers, and a numeric subscript range that never ends."""
    if "=" not in equation:
        for first, last in _NUMERIC_RANGE.findall(equation):
            if max(len(first), len(last)) > 9 or int(last) - int(first) >= LONGEST_RANGE:
                raise ModelError(f"{path}: {equation[:80]}: more than {LONGEST_RANGE} elements.")
    text = equation.replace("\\", " ")
    for start in _RANGE_START.finditer(text):
        found = text[start.end() :].partition("]")[0]
        if not _RANGE_CONTENT.fullmatch(found):
            raise ModelError(
                f"{path}: in {equation[:80]}: a lookup range holds numbers only, not {found[:80]}."
            )


def _parse_elements(section: Any, complaints: Complaints) -> None:
    """Parse every equation of a section, as PySD's `Section.parse` does, noting all that fail."""
    from pysd.translators.vensim.vensim_element import Component, Constraint, SubscriptRange, TestInput

    parsed = []
    for element in section.elements:
        try:
            parsed.append(_parse_element(element))
        except Exception as error:
            name, _, equation = element.equation.partition("=")
            where = f'variable "{unquoted(name)[:80]}"'
            complaints.add(where, f"cannot read = {equation.strip()[:120]}  ({one_line(error)})")
    section.subscripts = [p for p in parsed if isinstance(p, SubscriptRange)]
    section.components = [p for p in parsed if isinstance(p, Component)]
    section.constraints = [p for p in parsed if isinstance(p, Constraint)]
    section.test_inputs = [p for p in parsed if isinstance(p, TestInput)]
    section.elements = section.subscripts + section.components + section.constraints + section.test_inputs


def _parse_element(element: Any) -> Any:
    """One equation or subscript range.

    Raises
    ------
    ValueError
        For a mapping that lists elements: PySD would add those to the range itself.
    """
    component = element.parse()
    if hasattr(component, "parse"):
        component.parse()
        # A third limit is the step of a slider, which changes no value.
        component.limits = component.limits and (*component.limits, None)[:2]
    elif "(" in element.equation.partition("->")[2]:
        raise ValueError("a subscript mapping that lists elements is not supported: map range to range")
    return component


def _abstract(path: Path, file: Any) -> Any:
    try:
        return file.get_abstract_model()
    except Exception as error:
        raise ModelError(f"{path}: is not a Vensim model ({one_line(error)}).") from None


def _equations(sections: Any) -> dict[str, str]:
    """The texts of all equations by key; those of the model win over those of a macro."""
    found: dict[str, str] = {}
    for section in reversed(sections):
        found |= _joined((canonical(c.name), c.expression or "") for c in section.components)
    return found


def _joined(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for key, text in pairs:
        found.setdefault(key, []).append(text)
    return {key: "\n".join(texts) for key, texts in found.items()}
