"""The model file with the advice filled in, so that anyone can replay it in Vensim."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sdopt.errors import Complaints, ExportError, did_you_mean

SKETCH = "\\\\\\---///"
"""Vensim's mark between equations and drawing; all behind it stays as it is."""

_QUOTED = r'"(?:\\.|[^"\\])*"'
# One equation up to its bar. Macros have names of their own and are stepped over whole.
_ENTRY = re.compile(
    rf'(?P<macro>:MACRO:.*?:END OF MACRO:)|(?P<equation>(?:{_QUOTED}|(?!:MACRO:)[^~|"])+)~[^|]*\|', re.S
)
_EQUATION = re.compile(
    rf'(?P<before>(?:\s|\{{[^}}]*\}})*)(?P<name>{_QUOTED}|[^=\[\]("~:]+?)\s*(?P<subscript>\[[^\]]*\]\s*(?::EXCEPT:[^=]*)?)?'
    r"(?P<sign>==?)(?P<right>.*?)(?P<after>\s*)",
    re.S,
)


@dataclass(frozen=True)
class Grid:
    """The moments at which the model computes: `start`, `start + step`, ... up to `end`, in model time."""

    start: float
    end: float
    step: float

    def index(self, time: float) -> int:
        """Number of the first moment at or after `time`; rounding noise does not count as later."""
        return max(0, math.ceil((time - self.start) / self.step - 1e-6))

    @property
    def last(self) -> int:
        """Number of the last moment."""
        return math.floor((self.end - self.start) / self.step + 1e-6)


def fill_in(
    model_text: str,
    paths: Mapping[str, Sequence[tuple[float, float]]],
    step: float,
    constants: Mapping[str, float],
) -> str:
    """The text of a .mdl in which decisions follow their paths and constants have their values.

    Each decision becomes a WITH LOOKUP of Time that equals the step path at every moment of the
    model's own time grid; units, comments, groups, macros, line ends and the drawing stay as they are.

    Parameters
    ----------
    model_text : text of the model file, with any line ends
    paths : name as written -> (time, value from then on), the first at or before the start, in order of time
    step : time step of the model, in its time unit; must be the TIME STEP of the filled model
    constants : name as written -> value; INITIAL TIME, FINAL TIME and TIME STEP may be among them

    A name may be an element of an array, "Budget[North]"; then all elements of that array must be given.

    Raises
    ------
    ExportError
        When a name is not an equation of the model, a value is not finite, or a path does not fit the grid.
    """
    equations, mark, drawing = model_text.partition(SKETCH)
    complaints = Complaints("allocation model", ExportError)
    found = _right_hand_sides(equations)
    grid = _grid(found, constants, step)
    new = {name: _number(value, name, complaints) for name, value in constants.items()}
    new |= {name: _lookup(path, grid, name, complaints) for name, path in paths.items()}
    _complain_about_names([*constants, *paths], found, complaints)
    complaints.raise_if_any()
    newline = "\r\n" if "\r\n" in equations else "\n"
    by_base: dict[str, dict[str, str]] = {}
    for name, text in new.items():
        base, element = _split(name)
        by_base.setdefault(_key(base), {})[element] = text.replace("\n", newline)
    counts = {key: len(entries) for key, entries in found.items()}
    return _ENTRY.sub(_Replacer(by_base, counts, newline), equations) + mark + drawing


def _split(name: str) -> tuple[str, str]:
    """Base name and elements in brackets ("" without)."""
    base, bracket, rest = name.partition("[")
    return (base.strip(), bracket + rest.strip()) if not name.startswith('"') else (name, "")


def _key(name: str) -> str:
    """A name as Vensim compares it: case, quotes, and the kind and number of blanks do not matter."""
    return re.sub(r'[\s_"\\]+', " ", name).strip().lower()


def _right_hand_sides(equations: str) -> dict[str, list[tuple[str, str]]]:
    """Key -> (name as written, right-hand side) of every equation that has that name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for entry in _ENTRY.finditer(equations):
        parts = _EQUATION.fullmatch(entry["equation"] or "")
        if parts:
            written = parts["name"].strip() + (parts["subscript"] or "")
            found.setdefault(_key(parts["name"]), []).append((written, parts["right"].strip()))
    return found


def _complain_about_names(
    names: Sequence[str], found: Mapping[str, Sequence[tuple[str, str]]], complaints: Complaints
) -> None:
    """Every name must be an equation, and an array must be named by its elements."""
    written = [equations[0][0] for equations in found.values()]
    for name in names:
        base, element = _split(name)
        equations = found.get(_key(base), [])
        if not equations:
            complaints.add(f'"{name}"', f"the model has no such equation.{did_you_mean(name, written)}")
        elif bool(element) != ("[" in equations[0][0]):
            complaints.add(
                f'"{name}"', f'stands in the model as "{equations[0][0]}"; name its elements alike.'
            )
    if len({_key(name) for name in names}) < len(names):
        complaints.add("names", "the same variable is given twice; give each decision and constant once.")


def _grid(
    found: Mapping[str, Sequence[tuple[str, str]]], constants: Mapping[str, float], step: float
) -> Grid:
    """The time grid of the filled model; its step must be the step the paths were made for."""
    given = {_key(name): value for name, value in constants.items()}
    start, end, own_step = (
        _setting(found, given, name) for name in ("INITIAL TIME", "FINAL TIME", "TIME STEP")
    )
    if not math.isclose(own_step, step, rel_tol=1e-9):
        raise ExportError(
            f"allocation model: TIME STEP is {own_step:g} in the model, but the allocation "
            f"was made for {step:g}. "
            'Pass "TIME STEP" among the changed constants.'
        )
    return Grid(start, end, step)


def _setting(found: Mapping[str, Sequence[tuple[str, str]]], given: Mapping[str, float], name: str) -> float:
    """A time setting: the changed value, or the number in the model file."""
    if _key(name) in given:
        return float(given[_key(name)])
    for _, right in found.get(_key(name), []):
        try:
            return float(right)
        except ValueError:
            break
    raise ExportError(
        f"allocation model: {name} is not a plain number in the model file; pass it among the constants."
    )


def _number(value: float, name: str, complaints: Complaints) -> str:
    """A finite number as Vensim reads it, with all its digits."""
    if not math.isfinite(value):
        complaints.add(f'"{name}"', f"found {value}; a finite number is needed.")
    text = repr(float(value))
    return text.removesuffix(".0")


def _lookup(path: Sequence[tuple[float, float]], grid: Grid, name: str, complaints: Complaints) -> str:
    """WITH LOOKUP of Time through the points of a step path."""
    if not path or grid.index(path[0][0]) > 0:
        complaints.add(
            f'"{name}"', f"its path must start at or before the start of the run ({grid.start:g})."
        )
        return ""
    if any(later[0] < sooner[0] for sooner, later in pairwise(path)):
        complaints.add(f'"{name}"', "its path must be in order of time.")
    points = [(_number(x, name, complaints), _number(y, name, complaints)) for x, y in _points(path, grid)]
    values = [value for _, value in path]
    low, high = (_number(value, name, complaints) for value in (min(values), max(values)))
    pairs = [f"({x},{y})" for x, y in points]
    lines = [",".join(pairs[at : at + 4]) for at in range(0, len(pairs), 4)]
    box = f"[({points[0][0]},{low})-({points[-1][0]},{high})]"
    body = ",\\\n\t\t".join([box, *lines])
    return f" WITH LOOKUP (\n\t\tTime,\n\t\t({body} ))"


def _points(path: Sequence[tuple[float, float]], grid: Grid) -> list[tuple[float, float]]:
    """Points of a lookup that is flat around every moment of the grid and jumps in between.

    A jump runs from a quarter to three quarters of the step before the moment at which the new value
    holds, so that rounding of Time (Vensim's is single precision) never meets the slope.
    """
    held = {grid.index(time): value for time, value in path if grid.index(time) <= grid.last}
    points, now = [(grid.start, held[0])], held[0]
    for index, value in sorted(held.items()):
        if value != now:
            points += [
                (grid.start + (index - 0.75) * grid.step, now),
                (grid.start + (index - 0.25) * grid.step, value),
            ]
            now = value
    return [*points, (max(grid.end, grid.start + grid.last * grid.step), now)]


class _Replacer:
    """Replaces the right-hand side of the equations in `new` (base key -> elements -> text), nothing else.

    The elements of an array are written in the place of its last equation, which has the unit and comment.
    """

    def __init__(self, new: Mapping[str, Mapping[str, str]], counts: Mapping[str, int], newline: str) -> None:
        self.new, self.left, self.newline = new, dict(counts), newline

    def __call__(self, entry: re.Match[str]) -> str:
        parts = _EQUATION.fullmatch(entry["equation"] or "")
        if not parts or _key(parts["name"]) not in self.new:
            return entry[0]
        key, equation = _key(parts["name"]), entry["equation"]
        self.left[key] -= 1
        if self.left[key]:
            return parts["before"]
        texts = self.new[key]
        if list(texts) == [""]:
            filled = f"{equation[: parts.start('right')]} {texts[''].lstrip()}"
        else:
            name, sign = parts["name"].strip(), parts["sign"]
            lines = [f"{name}{element}{sign} {text.lstrip()}" for element, text in texts.items()]
            filled = parts["before"] + f" ~~|{self.newline}".join(lines)
        return filled + parts["after"] + entry[0][len(equation) :]
