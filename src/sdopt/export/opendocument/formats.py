"""Number formats of Excel (US codes) as data styles of OpenDocument."""

from __future__ import annotations

import re
from typing import Any

from sdopt.export.opendocument.xml import odf

_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|[^;])+|(?<=;)(?=;|$)')
_PARTS = re.compile(r'"([^"]*)"|\\(.)|\[([^\]]*)\]|_(.)|\*.|([#0?][#0?,.]*(?:E[+-]0+)?)|(.)')
_COLOURS = {"red": "#ff0000", "blue": "#0000ff", "green": "#00ff00", "black": "#000000"}
_LIMIT = re.compile(r"\[([<>=]+)(-?\d+(?:\.\d+)?)\]")
# How many sections a code has -> which numbers all but the last are for, where the code does not say it.
_CONDITIONS = {1: (), 2: ("value()>=0",), 3: ("value()>0", "value()<0")}
TEXT = "@"


def data_styles(name: str, code: str) -> list[Any]:
    """The styles of one code, with the one called `name` last; none for `General`, text and dates."""
    if code in ("General", TEXT) or re.search(r"[ymdhs]", re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", code)):
        return []
    sections = _SECTIONS.findall(code)[:3]
    conditions = _CONDITIONS[len(sections)]
    volatile = {"style:volatile": "true"}
    parts = [_style(f"{name}P{place}", one, volatile) for place, one in enumerate(sections[:-1])]
    last = _style(name, sections[-1], {})
    for place, (section, otherwise) in enumerate(zip(sections, conditions, strict=False)):
        limit = _LIMIT.match(section)
        condition = f"value(){limit[1]}{limit[2]}" if limit else otherwise
        apply = {"style:condition": condition, "style:apply-style-name": f"{name}P{place}"}
        last.append(odf("style:map", apply))
    return [*parts, last]


def _style(name: str, section: str, more: dict[str, str]) -> Any:
    """One section: what stands before the number, the number, and what stands after it."""
    kind = "percentage" if "%" in re.sub(r'"[^"]*"', "", section) else "number"
    style = odf(f"number:{kind}-style", {"style:name": name, **more})
    literal = ""
    for quoted, escaped, bracket, space, digits, other in _PARTS.findall(section):
        if bracket.lower() in _COLOURS:
            style.append(odf("style:text-properties", {"fo:color": _COLOURS[bracket.lower()]}))
        elif digits:
            _text(style, literal)
            style.append(_number(digits))
            literal = ""
        else:
            literal += quoted or escaped or (" " if space else other)
    _text(style, literal)
    return style


def _text(style: Any, literal: str) -> None:
    if literal:
        style.append(odf("number:text", text=literal))


def _number(digits: str) -> Any:
    """The digits of a code: decimals, separators, thousands left out, powers of ten."""
    mantissa, exponential, power = digits.partition("E")
    whole, _, decimals = mantissa.partition(".")
    scaled = len(mantissa) - len(mantissa.rstrip(","))
    attributes: dict[str, object] = {
        "number:decimal-places": len(decimals.rstrip(",")),
        "number:min-decimal-places": decimals.count("0"),
        "number:min-integer-digits": whole.count("0"),
        "number:grouping": "true" if "," in whole.rstrip(",") else None,
        "number:display-factor": 1000**scaled if scaled else None,
    }
    if exponential:
        attributes["number:min-exponent-digits"] = power.count("0")
        return odf("number:scientific-number", attributes)
    return odf("number:number", attributes)
