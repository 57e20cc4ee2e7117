"""Models of any size as text for Vensim, from a seed, made of what the shipped model is made of.

A sector has 28 variables, of each kind about the part that the shipped model has: two stocks, five flows
(in, out, from one to the other and back), eight auxiliaries, thirteen constants. Auxiliaries are indices:
about 1, above 0, and none grows beyond bounds whatever the others do. Every loop goes through a stock, and
the outputs need every variable.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SECTOR = 28
AUXILIARIES = 8
WITH_CONSTANT = 6
"""Auxiliaries of a sector with a constant of the model; the others have a number."""
SMALLEST = SECTOR + 1

GRAPH = "(0,0.4),(0.5,0.7),(1,1),(1.5,1.2),(2,1.3),(3,1.35)"
FORMS = {
    "{c} * {u} + (1 - {c}) * {v}": 26,
    "(1 + {c}) * {u} / ({c} * {u} + {v})": 22,
    "({c} * {u} + {v} + {w}) / ({c} + 2)": 16,
    "2 * {u} * {v} / ({u} + {v}) * (1 + {c}) / (1 + {c} * {w})": 8,
    "MAX (0.4, MIN (2 - {c}, {u} * {v}))": 8,
    "EXP ({c} * (1 - {u})) / (1 + {c} * ABS ({v} - 1))": 6,
    "WITH LOOKUP ({c} * {u} + (1 - {c}) * {v}, ([(0,0)-(3,2)]," + GRAPH + "))": 6,
    "IF THEN ELSE ({u} > 0.5 + {c}, {c} * {v} + (1 - {c}) * {w}, {v})": 5,
    "{u} ^ {c} * EXP (- 0.01 * {c} * (Time - INITIAL TIME))": 3,
}
"""What an auxiliary may be, and how often in a hundred: {c} is from 0.2 to 0.8, the others are indices."""

FLOWS = {
    "inflow {s}": "start rate {s} * initial first stock {s} * {u}",
    "transfer {s}": "First stock {s} * transfer rate {s} * {u}",
    "outflow {s}": "First stock {s} * outflow rate of first {s} * {u} / (1 + {v}) * 2",
    "outflow of second {s}": "Second stock {s} * outflow rate of second {s} * {u}",
    "return {s}": "Second stock {s} * return rate {s} * {u}",
}
STOCKS = {
    "First stock {s}": "inflow {s} + return {s} - transfer {s} - outflow {s}, initial first stock {s}",
    "Second stock {s}": "transfer {s} - return {s} - outflow of second {s}, initial second stock {s}",
}
NUMBERS = {
    "initial first stock {s}": (50.0, 150.0),
    "initial second stock {s}": (50.0, 150.0),
    "start rate {s}": (0.15, 0.25),
    "transfer rate {s}": (0.08, 0.15),
    "outflow rate of first {s}": (0.08, 0.15),
    "outflow rate of second {s}": (0.08, 0.15),
    "return rate {s}": (0.02, 0.05),
}

CONTROL = """
FINAL TIME = {end} ~~|
INITIAL TIME = {start} ~~|
TIME STEP = {step} ~~|
SAVEPER = 1 ~~|
"""


@dataclass(frozen=True)
class Generated:
    """The text of a model, six outputs and all constants, by name as written."""

    text: str
    outputs: tuple[str, ...]
    constants: tuple[str, ...]


@dataclass
class _Writer:
    """Equations while they are written; `unused` are indices that nothing needs yet."""

    random: np.random.Generator
    sectors: int
    equations: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    indices: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def write(self, name: str, equation: str) -> None:
        joint = "" if equation.startswith("WITH LOOKUP") else "\n\t"
        self.equations.append(f"{name}={joint}{equation}\n\t~\tDmnl\n\t~\t\t|\n")

    def constant(self, name: str, low: float, high: float) -> str:
        self.write(name, f"{self.random.uniform(low, high):.4g}")
        self.constants.append(name)
        return name

    def index(self, sector: int) -> str:
        """One that nothing needs yet, a late one, or a stock relative to its start; most of this sector."""
        kind = self.random.random()
        if self.unused and kind < 0.5:
            return self.unused.pop(int(self.random.integers(len(self.unused))))
        if self.indices and kind < 0.8:
            back = int(self.random.exponential(10.0))
            return self.indices[max(len(self.indices) - 1 - back, 0)]
        if self.random.random() < 0.3:
            sector = int(self.random.integers(self.sectors))
        rank = self.random.choice(["first", "second"])
        return f"({rank.capitalize()} stock {sector} / initial {rank} stock {sector})"

    def filled(self, form: str, sector: int, **known: str | int) -> str:
        """An equation with an index for each of u, v and w that it has."""
        needed = {letter: self.index(sector) for letter in "uvw" if f"{{{letter}}}" in form}
        return form.format(**known, **needed)

    def auxiliary(self, name: str, sector: int, constant: str) -> None:
        chances = np.array(list(FORMS.values())) / sum(FORMS.values())
        form = str(self.random.choice(list(FORMS), p=chances))
        self.write(name, self.filled(form, sector, c=constant))
        self.indices.append(name)
        self.unused.append(name)

    def sector(self, number: int, auxiliaries: int) -> None:
        """Stocks and constants, then indices, then the flows that need them."""
        for name, equation in STOCKS.items():
            self.write(name.format(s=number), f"INTEG ({equation.format(s=number)})")
        for name, (low, high) in NUMBERS.items():
            self.constant(name.format(s=number), low, high)
        for place in range(auxiliaries):
            constant = (
                self.constant(f"weight {number} {place}", 0.25, 0.7)
                if place < WITH_CONSTANT
                else f"{self.random.uniform(0.2, 0.8):.3g}"
            )
            self.auxiliary(f"index {number} {place}", number, constant)
        for name, equation in FLOWS.items():
            self.write(name.format(s=number), self.filled(equation, number, s=number))


def generate(
    variables: int, *, seed: int = 1, start: int = 2025, years: int = 10, step: float = 0.125
) -> Generated:
    """A model of exactly so many variables (constants included, time settings not), at least `SMALLEST`."""
    sectors, more = divmod(variables - 1, SECTOR)
    writer = _Writer(np.random.default_rng(seed), sectors)
    for number in range(sectors):
        last = number == sectors - 1
        writer.sector(number, AUXILIARIES + (more if last else 0))
    left = [*writer.unused, writer.indices[-1]]
    writer.write("overall index", f"({' + '.join(left)}) / {len(left)}")
    stocks = [name.format(s=number) for number in range(sectors) for name in STOCKS]
    candidates = [*stocks, *writer.indices]
    chosen = candidates[:: len(candidates) // 5][:5]
    control = CONTROL.format(start=start, end=start + years, step=step)
    text = "\n".join(["{UTF-8}", *writer.equations, control])
    return Generated(text, (*chosen, "overall index"), tuple(writer.constants))
