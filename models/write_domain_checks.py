"""Write docs/domain-checks.md: what the field expects, and what the model answers, also where it says no.

    python models/write_domain_checks.py

Takes some minutes: every answer is an optimisation or a run. The page names the files it was made
from; a test fails when one of them changed since.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain_questions import FIRST, Question, at, centre, improvement, question, raised, shifts

from sdopt.config.constants import read_constants

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "domain-checks.md"
SOURCES = (
    "models/social_domain.mdl",
    "models/social_domain.csv",
    "models/departures.csv",
    "configs/herverdelen-100k.yaml",
    "configs/vrij-pad-20-jaar.yaml",
)
SHIPPED = "herverdelen-100k"
SKETCH = "\\\\\\---///"
MILLION = "million EUR a year"
SHORT = {
    "prevention spending": "prevention",
    "social base spending": "social base",
    "access spending": "access",
    "reablement spending": "reablement",
    "reintegration spending": "re-integration",
    "participation spending": "participation",
    "organisation spending": "organisation",
    "learning spending": "learning",
    "earning capacity spending": "earning capacity",
}


@dataclass(frozen=True)
class Check:
    """One expectation and the model's answer: `holds` is None where only the figures speak."""

    title: str
    hope: str
    answer: str
    holds: bool | None

    def lines(self) -> str:
        """As Markdown."""
        verdict = {True: "**It does.**", False: "**It does not.**", None: ""}[self.holds]
        return f"## {self.title}\n\n*Expected:* {self.hope}\n\n{verdict} {self.answer}\n".replace("\n ", "\n")


def fingerprint() -> list[str]:
    """A line per source file with the hash of its text without a sketch, the same on Windows."""
    texts = ((name, (ROOT / name).read_text(encoding="utf-8").split(SKETCH)[0]) for name in SOURCES)
    return [f"- `{name}` {hashlib.sha256(text.encode()).hexdigest()[:16]}" for name, text in texts]


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    head = [columns, ["---"] + ["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in head + rows)


def shift_table(answers: dict[str, dict[str, float]], returns: dict[str, float]) -> str:
    """Decisions by row, variants by column: mean change of the decision years."""
    names = list(next(iter(answers.values())))
    rows = [
        [SHORT.get(name, name), *(f"{answer[name]:+.2f}" for answer in answers.values())] for name in names
    ]
    rows.append(["return, million EUR", *(f"{returns[variant]:+.2f}" for variant in answers)])
    return table([f"change in 2027-2030, {MILLION}", *answers], rows)


def variants(asked: dict[str, Question]) -> tuple[str, dict[str, dict[str, float]]]:
    """Answer every variant: the table, and the changes by variant."""
    results = {name: one.answer() for name, one in asked.items()}
    changes = {name: shifts(result) for name, result in results.items()}
    return shift_table(changes, {name: improvement(result) for name, result in results.items()}), changes


def prevention_first() -> Check:
    """Early prevention, later treatment."""
    result = question("vrij-pad-20-jaar").answer()
    years = {name: centre(result, name) for name in SHORT}
    listed = sorted((year, SHORT[name]) for name, year in years.items() if year is not None)
    text = "; ".join(f"{name} {year:.1f}" for year, name in listed)
    never = ", ".join(SHORT[name] for name, year in years.items() if year is None)
    early = years["prevention spending"]
    late = [y for name in ("access spending", "reablement spending") if (y := years[name]) is not None]
    answer = f"Mean year of the money beyond today's in `vrij-pad-20-jaar` (2027-2046): {text}." + (
        f" Never above today: {never}." if never else ""
    )
    return Check(
        "Early prevention, later treatment",
        "extra money for prevention comes earlier than extra money for access and reablement, "
        "because it works later.",
        answer,
        early is not None and bool(late) and early < min(late),
    )


def worse_before_better() -> Iterator[Check]:
    """A visible social base and access find need first."""
    problem = question(SHIPPED).problem()
    for name in ("access spending", "social base spending"):
        effect = raised(problem, name, 0.3)
        years = (2028, 2030, 2034, 2038, 2042)
        rows = [
            [label, *(f"{at(problem, effect[key], year):+.2f}" for year in years)]
            for label, key in (
                ("clients of household help", "light_clients"),
                ("need without help, people", "unmet_need"),
                (f"individual provisions, {MILLION}", "spending_on_individual_provisions"),
                (f"social return, {MILLION}", "social_return"),
            )
        ]
        cost = [at(problem, effect["spending_on_individual_provisions"], year) for year in years]
        yield Check(
            f"Worse before better: 30 % more {SHORT[name]} from {FIRST} on",
            "individual provisions cost more first, because hidden need is found (boeggolf), "
            "and less of that later.",
            "What lasts of it:\n\n" + table(["change from the null alternative", *map(str, years)], rows),
            cost[0] > 0 and max(cost) > cost[-1],
        )


def horizon() -> Check:
    """What a short and a long horizon ask for (S3a)."""
    asked = {str(end - 1): question(SHIPPED).until(end, end_value=False) for end in (2031, 2035, 2042, 2052)}
    text, changes = variants(asked)
    short, long = changes["2030"], changes["2051"]
    holds = (
        long["social base spending"] > short["social base spending"]
        and short["reintegration spending"] > long["reintegration spending"]
    )
    return Check(
        "Short and long horizon (S3a)",
        "a short horizon moves money to re-integration and debt help, a long one to the social base.",
        "Return counted up to and including the year named, nothing for what is left at the end:\n\n"
        f"{text}\n\nRe-integration stays low at every horizon: at 3 points net and 4,500 EUR a trajectory an "
        "extra exit costs 150,000 EUR, and the benefit saved is a transfer. What a longer "
        "horizon adds goes to "
        f"prevention ({long['prevention spending'] - short['prevention spending']:+.2f}) and the social base "
        f"({long['social base spending'] - short['social base spending']:+.2f}).",
        holds,
    )


def objectives() -> Check:
    """Whose money counts."""
    base = question(SHIPPED).until(2042, end_value=False)
    text, changes = variants(
        {
            "society": base,
            "municipality": base.maximising("fiscal result of the municipality"),
            "government": base.maximising("fiscal result of government"),
        }
    )
    moved = abs(
        changes["society"]["participation spending"] - changes["municipality"]["participation spending"]
    )
    return Check(
        "Whose return: society, municipality, all public purses",
        "a municipality that looks at its own purse spends differently from one that looks at society "
        "(the wrong pocket).",
        f"Stocks left at the end are not counted here:\n\n{text}",
        moved > 0.05,
    )


def discounting() -> Check:
    """The two Dutch presets."""
    base = question(SHIPPED)
    old = base.loaded.config.objective.model_copy(update={"discount_rate": "2020"})
    text, _ = variants({"2025 (2.8 %)": base, "2020 (2.25 %)": base.with_changes(objective=old)})
    return Check("Discount rate", "the preset does not decide the advice.", text, None)


def social_base() -> Check:
    """What would have to be true for the social base."""
    base = question(SHIPPED)
    found = {
        "central": base,
        "hours per EUR 0.15 (top)": base.with_constants({"hours per EUR of social base": 0.15}),
        "and elasticity -0.25 (top)": base.with_constants(
            {"hours per EUR of social base": 0.15, "network elasticity of light need": -0.25}
        ),
        "and no finding of need": base.with_constants(
            {
                "hours per EUR of social base": 0.15,
                "network elasticity of light need": -0.25,
                "visibility effect": 0.0,
            }
        ),
    }
    text, changes = variants(found)
    last = list(changes.values())[-1]["social base spending"]
    return Check(
        "What would have to be true for the social base",
        "with the strongest effects the evidence allows, the advice raises the social base.",
        f"From left to right one more effect at the end of its range:\n\n{text}",
        last > 0,
    )


def departures() -> Check:
    """The advice without each departure from the priors of the evidence."""
    base = question(SHIPPED)
    with (ROOT / "models" / "departures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = {row["constant"]: prior(row["prior"]) for row in rows}
    moved = {name: value for name, value in asked.items() if value != used(name)}
    text, _ = variants(
        {"as shipped": base, **{name: base.with_constants({name: value}) for name, value in moved.items()}}
    )
    listed = "\n".join(
        f"- **{row['constant']}**: {row['prior']} became {row['used']}. {row['reason']}" for row in rows
    )
    return Check(
        "Departures from the priors of the evidence, and the advice without them",
        "no departure decides the advice.",
        f"{listed}\n\nWhere the central value differs, the advice at the prior's (the middle "
        f"of its range where "
        f"it has no centre):\n\n{text}",
        None,
    )


def prior(text: str) -> float:
    """Centre of `0.023 [0.01, 0.04]`, or the middle where it is `open [2, 7]`."""
    centre_text, low, high = re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", text).groups()  # type: ignore[union-attr]
    return (float(low) + float(high)) / 2 if centre_text == "open" else float(centre_text)


def used(name: str) -> float:
    """The value of the shipped table."""
    table_of_constants = read_constants(ROOT / "models" / "social_domain.csv")
    return next(row.value for row in table_of_constants if row.name == name)


def gain_of_rule(constants: dict[str, float]) -> float:
    """What spending by tightness adds to the return of the null alternative, in a cycle."""
    cycle = question(SHIPPED).with_constants({"cycle amplitude": 0.3, **constants})
    ruled = cycle.with_constants({"tightness rule of reintegration": 1.0})
    return ruled.problem().null_objective - cycle.problem().null_objective


def tightness() -> Check:
    """Spend by tightness, in a cycle (S1b)."""
    no_start_up = {"start up cost share": 0.0}
    gain, smooth = gain_of_rule({}), gain_of_rule(no_start_up)
    uneven = gain_of_rule({**no_start_up, "tightness elasticity of reintegration": 0.0})
    return Check(
        "Labour-market spending that moves with the economy (S1b)",
        "the same money does more when it is spent in slack years.",
        "In a cycle of 8 years with a swing of 30 %, the rule `spend by tightness` changes the social return "
        f"by {gain:+.2f} million EUR against the same mean spending every year. Of that "
        f"{gain - smooth:+.2f} is the start-up cost of growing again and again, {uneven:+.2f} is that "
        "uneven spending reaches fewer different people, and only the rest, "
        f"{smooth - uneven:+.2f}, is what slack years add.",
        gain > 0,
    )


def page() -> str:
    """The whole page."""
    checks = [
        prevention_first(),
        *worse_before_better(),
        horizon(),
        objectives(),
        discounting(),
        social_base(),
        departures(),
        tightness(),
    ]
    intro = (
        "# Domain checks\n\n"
        "What people in the field expect of such a model, and what this one answers: also where it "
        f"contradicts the hope. The question is `{SHIPPED}` (today's total, divided differently in "
        "2027-2030) unless said otherwise; every figure is the difference with the null "
        "alternative, in 2024 prices. "
        "Written by `python models/write_domain_checks.py` from:\n\n"
    )
    return intro + "\n".join(fingerprint()) + "\n\n" + "\n".join(check.lines() for check in checks)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
