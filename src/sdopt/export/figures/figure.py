"""What a figure is, and what all figures share: words, numbers, colours, names that fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from sdopt.export.cells import is_number, plain_text, to_python
from sdopt.export.labels import Labels
from sdopt.export.precision import level_unit
from sdopt.export.views import ADVICE_COLOUR, NULL_COLOUR
from sdopt.sweep.rounding import is_calendar, level_decimals, own_decimals, quite

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the language of the specs; it is never fetched."""
VEGA_LITE = "6.4"
"""Version of Vega-Lite that draws them."""

LIGHT_BLUE = "#8CC4E8"
"""The lighter of two shades of the advice."""
GAIN, LOSS = "#009E73", "#D55E00"
"""More and less money or return; the sign always stands beside it."""
OTHERS = ("#C98500", "#CC79A7", "#2F9488", "#8A8A2E", "#8C6BB1", "#A6761D")
"""Other allocations than null and advice, in their order: lines to be seen on paper and in the dark."""
PARTS = (
    "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#44AA99", "#8C6BB1", "#999933", "#C7766B", "#6699CC",
)  # fmt: skip
"""Parts of one sum, such as decisions; a number inside every part says the same."""
REST = "#BBBBBB"
"""All other parts together."""
NULL, ADVICE = NULL_COLOUR, ADVICE_COLOUR
LETTERS, LINES = 30, 2
"""Room for a name beside a row."""

Row = Mapping[str, Any]
Spec = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure: what is drawn, the same in words, and the same as a table.

    key: identifies the figure in a report, and is the name of its file (a-z and _).
    title: what there is to see, in one sentence.
    description: text alternative, with the main numbers.
    spec: Vega-Lite with its data inline, under field names that are fixed; no title, theme or locale. It
        takes the width of its container, but for panels (`facet` with `columns`): `fit.js` sets theirs.
    headers, rows: the data as a table; cells are text, plain numbers or None.
    source: names of the tables of the result that it is made from.
    """

    key: str
    title: str
    description: str
    spec: Mapping[str, Any]
    headers: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: tuple[str, ...]


def figure(
    key: str,
    words: tuple[str, str],
    spec: Mapping[str, Any],
    table: tuple[Sequence[str], Iterable[Sequence[Any]]],
    source: Sequence[str],
) -> Figure:
    """A figure from (title, description), its spec and (headers, rows); texts and numbers made plain."""
    title, description = (text[:1].upper() + text[1:] for text in map(one_line, words))
    rows = tuple(tuple(plain(value) for value in row) for row in table[1])
    whole = {"$schema": SCHEMA, "description": description, **spec}
    return Figure(key, title, description, whole, tuple(map(one_line, table[0])), rows, tuple(source))


def plain(value: Any) -> Any:
    """A value as JSON knows it: text that any file can hold, a finite number, a bool or None."""
    value = to_python(value)
    if value is None or isinstance(value, bool) or is_number(value):
        return value
    return None if isinstance(value, float) else plain_text(value)


def one_line(value: object) -> str:
    """Text from the model or config on one line."""
    return " ".join(plain_text(value).split())


def short_names(names: Iterable[object], letters: int = LETTERS, lines: int = LINES) -> dict[str, str]:
    """Name -> what fits beside a row, with line ends; no two alike."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(map(str, names)):
        text = _wrapped(one_line(name), letters, lines)
        alike = sum(other == text or other.startswith(f"{text} (") for other in found.values())
        found[name] = f"{text} ({alike + 1})" if text in found.values() else text
    return found


def _wrapped(text: str, letters: int, most: int) -> str:
    lines = title_lines(text, letters)
    kept = [*lines[: most - 1], f"{lines[most - 1]} …"] if len(lines) > most else lines
    return "\n".join(kept).strip() or "—"


def title_lines(text: str, letters: int) -> list[str]:
    """A title in lines, all of it."""
    return wrap(text, letters, break_on_hyphens=False) or [""]


def decimals(values: Iterable[Any]) -> int:
    """Decimals that tell such values apart: about three digits of the largest."""
    largest = max((abs(float(value)) for value in values if is_number(value)), default=0.0)
    if largest == 0:
        return 0
    return next((count for count, limit in enumerate((100.0, 10.0, 0.1, 0.01)) if largest >= limit), 4)


def said(labels: Labels, value: float, *, sign: bool = False) -> str:
    """A number inside a sentence."""
    return labels.number(value, decimals([value]), sign=sign)


def given(labels: Labels, value: float, low: float, high: float, unit: str) -> str:
    """A value of a constant with this range as it was given, inside a sentence."""
    places = own_decimals(value, level_decimals(low, high, unit))
    return labels.number(value, places, marks=not is_calendar(unit, low, high))


def with_range(labels: Labels, low: float, high: float, unit: str) -> str:
    """The range of a constant with its unit, such as `0 … 0,6`."""
    first, last = (given(labels, end, low, high, unit) for end in (low, high))
    return f"{first} … {last} {level_unit(labels, low, high, unit)}".strip()


def drawn(labels: Labels, value: float, *, sign: bool = True) -> str:
    """A number inside a drawing, with a real minus as the axes have."""
    return said(labels, value, sign=sign).replace("-", "\u2212")


def allocation_word(name: str, labels: Labels) -> str:
    """An allocation as readers know it."""
    known = name in ("null", "advice")
    return labels(f"word.{name}") if known else labels.find(f"robust.{name}", one_line(name))


def in_hundred(labels: Labels, share: float) -> str:
    """A chance as so many of a hundred; never 0 or 100 for what is not quite so."""
    side = quite(share)
    return labels.shown(100 * share, ">99" if side > 0 else "<1") if side else labels.number(100 * share, 0)


def allocation_colours(names: Iterable[str]) -> dict[str, str]:
    """Name in the tables -> colour, the same in every figure."""
    rest = [name for name in dict.fromkeys(names) if name not in ("null", "advice")]
    own = {name: OTHERS[place % len(OTHERS)] for place, name in enumerate(rest)}
    return {"null": NULL, "advice": ADVICE, **own}
