"""Write `docs/fiscal-rules.md`, the reference of the library `fiscal_rules.yaml`.

    python models/write_fiscal_rules.py

A test fails when the two differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sdopt.config.fiscal_library import FiscalRule, Library, Parameter, RelativeLimit, RuleLimit, read_library

HERE = Path(__file__).parent
LIBRARY = HERE / "fiscal_rules.yaml"
TARGET = HERE.parent / "docs" / "fiscal-rules.md"

INTRODUCTION = """\
# Fiscal rules

<!-- Made by models/write_fiscal_rules.py from models/fiscal_rules.yaml: change the library, not this. -->

A library of rules stands beside a model: `models/fiscal_rules.yaml` beside `models/social_domain.mdl`. A
config chooses rules by name and may change their settings:

```yaml
fiscal_rules:
  file: ../models/fiscal_rules.yaml
  apply:
    structural balance: {when: last year}
    realistic savings: {booked share: 50%}
    general reserve floor: {floor: 20}
    subsidy run-down: {decisions: [prevention, social base]}
    resilience ratio: {as: check}
```

`{}` takes every setting as the library has it. `as: check` reports a rule without imposing it. `decisions`
(for rules on decisions) lists those it holds for; `all` when absent.

## The multi-year budget

A library may name the lines of a budget (`budget: {lines: taakvelden.csv, price_index: price index}`). Then
come `tables/multi_year_budget.csv` and the sheet Meerjarenbegroting: income and spending by Iv3 taakveld,
structural and incidental apart, from two years before the decisions (where the run has them) to the last, in
prices of the year itself. A line is a share of a model variable (of an array: of all its elements together).
Income less spending is the model's balance; a line with side `reserves` (0.10) says what of it goes to the
reserves.

With `accounts: iv3_taakvelden.csv` beside them come `tables/taakvelden.csv` and the sheet Taakvelden: every
account in the codes of up to 2022, of 2023-2024 and of 2025-2026, and what the model puts on it. A relation
is `same`, `renumbered`, `part` (of one older account) or `mixed` (parts of several: there is no crosswalk, as
for youth care). An older code may be claimed as one account by one row only.

## Kinds of rules

| kind | what it does when chosen |
|---|---|
| constraint | imposed, as a constraint of the config would be; every decision year is reported |
| decision_limit | imposed on the change of decisions from year to year (`largest_rise`, `largest_fall`) |
| equation | carried out by the model; settings change its constants; it bites where it makes a difference |
| check | only reported |

The results have a table `fiscal_rules` and a sheet of that name: every rule of the library, chosen or not,
with per year the value in the null alternative and in the advice, the limit, the slack, whether the rule
binds, and a verdict. Real prices are those of the model's year, current prices those of the year itself.

A limit relative to another sum of the null alternative is how savings are booked in part. With `share`
booked, the structural balance less the part of a saving that may not be booked has to stay above zero:

    structural balance + (1 - share) * entitlement spending
      >= (1 - share) * entitlement spending of the null alternative

For a saving this is stricter than the structural balance itself, for a setback looser; the two rules together
book a saving in part and a setback in full.

Another model brings its own library in the same format; the program knows no rule by name.

## The rules

Grades: V read in the source (often its opening or summary only), S read in a secondary source, I our own
proposal, M from memory. Statuses of settings are those of a table of constants.
"""


def markdown(library: Library) -> str:
    """The page as text."""
    return "\n".join([INTRODUCTION, *(line for rule in library.rules for line in _rule(rule))]) + "\n"


def _rule(rule: FiscalRule) -> Iterator[str]:
    yield f"### {rule.id} {rule.name}\n"
    yield f"*{rule.name_nl}*, {rule.kind}. {rule.text}\n"
    for limit in rule.limits:
        yield f"- {_limit(limit)}"
    for word, share in (("rise", rule.largest_rise), ("fall", rule.largest_fall)):
        if share is not None:
            yield f"- largest {word} of each decision from year to year: {_amount(share)}"
    if rule.variables:
        yield f"- carried by {', '.join(f'`{name}`' for name in rule.variables)}"
    if rule.bites:
        yield f"- bites where this does not hold: {_limit(rule.bites)}"
    yield ""
    if rule.parameters:
        yield "| setting | value | allowed | unit | status | source | note |\n|---|---|---|---|---|---|---|"
        yield from (_parameter(name, parameter) for name, parameter in rule.parameters.items())
        yield ""
    yield f"Grade {rule.grade}. Source: {rule.source}\n"


def _parameter(name: str, parameter: Parameter) -> str:
    value = "the model's" if parameter.value is None else _amount(parameter.value)
    allowed = ", ".join(parameter.options) or f"{parameter.low:g} to {parameter.high:g}"
    unit = "" if parameter.options else parameter.unit
    note = parameter.note
    if parameter.constant:
        note = f"Sets `{parameter.constant}`. {note}".strip()
    return f"| {name} | {value} | {allowed} | {unit} | {parameter.status} | {parameter.source} | {note} |"


def _limit(limit: RuleLimit) -> str:
    """A limit in one line."""
    weights = {"each decision": limit.each_decision} if limit.each_decision is not None else {}
    terms = " + ".join(_term(n, w) for n, w in {**limit.variables, **limit.facts, **weights}.items())
    sides = [
        f"{word} {_side(side)}"
        for word, side in (("at most", limit.at_most), ("at least", limit.at_least))
        if side is not None
    ]
    facts = {
        limit.measure.replace("_", " "): bool(limit.variables),
        f"in {limit.prices} prices": limit.prices is not None,
        f"imposed in {limit.years}": limit.years != "every year",
        "only reported": not limit.imposed,
        f"classes from {', '.join(f'{k} {v:g}' for k, v in limit.classes.items())}": bool(limit.classes),
    }
    about = [text for text, holds in facts.items() if holds]
    part = f"{limit.part}: " if limit.part else ""
    return f"{part}{terms} {' and '.join(sides)}" + (f" ({'; '.join(about)})" if about else "")


def _term(name: str, weight: float | str) -> str:
    return f"`{name}`" if weight == 1 else f"({_amount(weight)}) × `{name}`"


def _side(side: float | str | RelativeLimit) -> str:
    if not isinstance(side, RelativeLimit):
        return _amount(side)
    share = side.null_alternative
    listed = share if isinstance(share, dict) else {"": share}
    terms = " + ".join(f"{_term(n, w)} of the null alternative" if n else _null(w) for n, w in listed.items())
    return terms if side.plus == 0 else f"{terms} + {_amount(side.plus)}"


def _null(share: float | str) -> str:
    return "the null alternative" if share == 1 else f"{_amount(share)} × the null alternative"


def _amount(written: float | str) -> str:
    return written if isinstance(written, str) else f"{written:g}"


if __name__ == "__main__":
    TARGET.write_text(markdown(read_library(LIBRARY)), encoding="utf-8", newline="\n")
