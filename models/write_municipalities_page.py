"""Write the results in docs/municipalities.md: what is advised to each municipality and neighbourhood.

    python models/write_municipalities_page.py

Takes some minutes: every figure comes from an optimisation. What stands above the mark is written by hand.
The page names the files it was made from; a test fails when one of them changed since.
"""

from __future__ import annotations

import csv
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from domain_questions import improvement, question
from markdown_text import plain, table

from sdopt.problem.build import Problem
from sdopt.result import Result

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "municipalities.md"
MARK = "<!-- From here on: python models/write_municipalities_page.py -->\n"
NATIONAL, UNDIVIDED, WIJKEN = "voorbeeld-100k", "herverdelen-100k", "tien-wijken-100k"
MUNICIPALITIES = ("grote-stad", "middelgrote-gemeente", "kleine-plattelandsgemeente", "krimpregio")
SOURCES = (
    "models/social_domain.mdl",
    "models/social_domain.csv",
    "models/social_domain.ledger.csv",
    "models/municipalities.csv",
    "models/wijken.csv",
    "models/neighbourhoods.csv",
    *(f"configs/{name}.yaml" for name in (NATIONAL, *MUNICIPALITIES, UNDIVIDED, WIJKEN)),
)
WORTH = "Social return less the euro itself, mean of the years; below zero is a reason to spend less.\n\n"
PER_PLACE = """Euro per inhabitant of the neighbourhood a year; between brackets percent of today, and the net
return of one euro more at today's spending.

"""
PLACED = ("prevention", "social base", "access")


@dataclass(frozen=True)
class Answer:
    """One config with its best allocation.

    Decision -> `today`, `advice`: mean of the decision years in million EUR a year; `worth`: net return of
    one euro more at today's spending.
    """

    name: str
    problem: Problem
    result: Result
    seconds: float
    today: dict[str, float]
    advice: dict[str, float]
    worth: dict[str, float]

    @property
    def inhabitants(self) -> float:
        """How many people live there."""
        return next(row.value for row in self.problem.constants if row.name == "inhabitants")

    def per_head(self, million: float) -> float:
        """Euro per inhabitant."""
        return million * 1e6 / self.inhabitants


def answer(name: str) -> Answer:
    """Ask and answer a shipped config."""
    started = time.monotonic()
    problem = question(name).problem()
    result = question(name).answer()
    seconds = time.monotonic() - started
    best = result.tables["decisions"].groupby("decision")["value"].mean()
    null = problem.decisions.null_vector()
    gradient = slopes(problem, null)
    span = {
        path.id: slice(path.first_column, path.first_column + path.periods)
        for path in problem.decisions.paths
    }
    return Answer(
        name,
        problem,
        result,
        seconds,
        {identity: float(null[columns].mean()) for identity, columns in span.items()},
        {identity: float(best[identity]) for identity in span},
        {identity: float(gradient[columns].mean()) for identity, columns in span.items()},
    )


def slopes(problem: Problem, point: np.ndarray) -> np.ndarray:
    """Return of one euro more in each decision, its own cost counted."""
    gradient = np.asarray(problem.evaluator.with_gradients(point[None]).gradient)[0]
    return np.asarray(sum(weight * gradient[row] for row, weight in problem.objective_rows.items()))


def outcomes(answers: list[Answer]) -> str:
    """Return, proof and time of every config."""
    rows = []
    for one in answers:
        gap, gained = one.result.figures["gap"], improvement(one.result)
        proof = f"{100 * gap:.3f} %" if gap is not None else "-"
        size, seconds = f"{one.inhabitants:,.0f}", f"{10 * round(one.seconds / 10 + 0.5)}"
        money = [f"{gained:+.2f}", f"{one.per_head(gained):+.0f}"]
        rows.append([f"`{one.name}`", size, *money, one.result.status.key, proof, seconds])
    columns = (
        "config",
        "inhabitants",
        "return, million EUR",
        "EUR per inhabitant",
        "status",
        "audited gap",
        "seconds",
    )
    return table(columns, rows)


def shifts(answers: list[Answer]) -> str:
    """Change per decision: euro per inhabitant a year, and percent of today."""
    rows = []
    for identity in answers[0].today:
        cells = []
        for one in answers:
            change = one.advice[identity] - one.today[identity]
            cells.append(f"{one.per_head(change):+.1f} ({100 * change / one.today[identity]:+.0f} %)")
        rows.append([identity, *cells])
    totals = [one.per_head(sum(one.advice.values()) - sum(one.today.values())) for one in answers]
    rows.append(["all together", *(f"{total:+.1f}" for total in totals)])
    return table(("EUR per inhabitant a year", *(one.name for one in answers)), rows)


def worths(answers: list[Answer]) -> str:
    """Net return of one euro more at today's spending."""
    rows = [[identity, *(f"{one.worth[identity]:+.2f}" for one in answers)] for identity in answers[0].worth]
    return table(("net return of one euro more", *(one.name for one in answers)), rows)


def pockets(answers: list[Answer]) -> str:
    """Return per pocket in euro per inhabitant, transfers included; they sum to the return."""
    tables = [
        one.result.tables["ledger"].groupby("pocket", sort=False)["difference"].sum() for one in answers
    ]
    rows = [
        [
            pocket,
            *(f"{one.per_head(amounts[pocket]):+.1f}" for one, amounts in zip(answers, tables, strict=True)),
        ]
        for pocket in tables[0].index
    ]
    whole = [f"{one.per_head(improvement(one.result)):+.1f}" for one in answers]
    return table(
        ("EUR per inhabitant, present value", *(one.name for one in answers)), [*rows, ["**return**", *whole]]
    )


def neighbourhoods(one: Answer) -> str:
    """Change per neighbourhood of what is decided there."""
    with (ROOT / "models" / "wijken.csv").open(encoding="utf-8", newline="") as file:
        places = list(csv.DictReader(file))
    rows = []
    for place in places:
        cells = [place["wijk"], place["inhabitants"], place["poverty"], place["ageing"], place["network"]]
        for decision in PLACED:
            key = f"{decision} {place['wijk']}"
            change = one.advice[key] - one.today[key]
            per_head = change * 1e6 / float(place["inhabitants"])
            cells.append(f"{per_head:+.1f} ({100 * change / one.today[key]:+.0f} %; {one.worth[key]:+.2f})")
        rows.append(cells)
    return table(("wijk", "inhabitants", "poverty", "ageing", "network", *PLACED), rows)


def spread_evenly(undivided: Answer, one: Answer) -> str:
    """What the advice for the whole municipality returns when every neighbourhood gets its share of today."""
    best = undivided.result.tables["decisions"].set_index(["decision", "period"])["value"]
    point = one.problem.decisions.null_vector().copy()
    for path in one.problem.decisions.paths:
        whole = next(name for name in undivided.today if path.id == name or path.id.startswith(f"{name} "))
        factors = best[whole].to_numpy() / undivided.today[whole]
        point[path.first_column : path.first_column + path.periods] *= factors
    value = one.problem.evaluator.values(point[None]).value
    gained = one.problem.objective(value)[0] - one.problem.null_objective
    return (
        f"The advice of `{UNDIVIDED}`, which keeps today's total, returns {gained:+.2f} million EUR "
        f"when it is spread evenly; the one below, which may spend less, {improvement(one.result):+.2f}.\n\n"
    )


def figures() -> str:
    """The figures of every municipality with their sources."""
    with (ROOT / "models" / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["kind"] in ("value", "per inhabitant")]
    columns = ("figure", "unit", "national", *MUNICIPALITIES, "source", "note")
    return table(columns, [[plain(row[column]) for column in columns] for row in listed])


def fingerprint() -> list[str]:
    """A line per source file with the hash of its text, the same on Windows."""
    texts = ((name, (ROOT / name).read_text(encoding="utf-8")) for name in SOURCES)
    return [f"- `{name}` {hashlib.sha256(text.encode()).hexdigest()[:16]}" for name, text in texts]


def generated(answers: list[Answer], undivided: Answer, wijken: Answer) -> str:
    """What stands below the mark."""
    parts = {
        "## Figures of the four": figures(),
        "## Return, proof and time": outcomes([*answers, undivided, wijken]),
        "## Change of spending, mean of 2027-2030": shifts(answers),
        "## What one euro more returns at today's spending": WORTH + worths(answers),
        "## Who gains": pockets(answers),
        "## Ten neighbourhoods": spread_evenly(undivided, wijken) + PER_PLACE + neighbourhoods(wijken),
        "## Made from": "\n".join(fingerprint()) + "\n",
    }
    return MARK + "\n" + "\n".join(f"{title}\n\n{text}" for title, text in parts.items())


def main() -> None:
    """Replace what stands below the mark."""
    answers = [answer(name) for name in (NATIONAL, *MUNICIPALITIES)]
    below = generated(answers, answer(UNDIVIDED), answer(WIJKEN))
    above = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    PAGE.write_text(above + below, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
