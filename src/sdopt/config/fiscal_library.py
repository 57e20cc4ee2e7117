"""A library of fiscal rules beside a model: named rules as data, from which constraints are made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.budget_lines import BudgetLine, read_budget_lines
from sdopt.config.document import Complain, Place, line_of, read_document, where
from sdopt.config.iv3 import Account, check_lines, read_accounts
from sdopt.config.names import same_name
from sdopt.config.schema import Config
from sdopt.config.shape import check_shape, check_version, validate
from sdopt.config.strict import Strict
from sdopt.config.text_file import read_text
from sdopt.errors import Complaints, ConfigError, did_you_mean

REFERENCE = re.compile(r"(1-|-)?\{([^{}]+)\}")
"""All that a number of a limit may be beside a number: `{floor}`, `-{floor}` or `1-{floor}`."""
YEARS = ("no year", "first year", "last year", "every year")
"""Which of the decision years a limit is imposed in."""
RESERVED = ("as", "decisions")
"""Settings that every rule may have, so no parameter is called so."""

FACTS: Mapping[str, Callable[[Config], float]] = {
    "first decision year": lambda config: config.decision_years.first,
    "last decision year": lambda config: config.decision_years.last,
    "number of decision years": lambda config: config.decision_years.last - config.decision_years.first + 1,
    "years counted": lambda config: config.horizon.end - config.decision_years.first,
    "ledger given": lambda config: float(config.ledger is not None),
}
"""What a rule may limit of the question itself."""

Text = Annotated[str, Field(min_length=1)]
Amount = float | Annotated[str, Field(pattern=f"^{REFERENCE.pattern}$")]
"""A number, or a reference to a parameter of the rule."""


class Parameter(Strict):
    """A number or an option of a rule that a config may change."""

    value: float | str | None = None
    """Value when a config gives none; absent: the value that `constant` has in the model."""
    low: float | None = None
    """Lowest value that is allowed (for numbers)."""
    high: float | None = None
    """Highest value that is allowed (for numbers)."""
    options: tuple[str, ...] = ()
    """What may be chosen (for options)."""
    unit: str = "Dmnl"
    """Unit of a number; a share has Dmnl and may be given as a percentage."""
    constant: str | None = None
    """Constant of the model that gets the value."""
    source: Text
    """Where the value comes from."""
    status: Literal["read", "derived", "memory", "judgement"]
    """How well founded it is, as in a table of constants."""
    note: str = ""
    """What to know about it."""


class RelativeLimit(Strict):
    """A limit relative to the null alternative, as in a config."""

    null_alternative: Amount | dict[str, Amount] = 1.0
    """Share of the null alternative's value in the same year, or weights for the null alternative alone."""
    plus: Amount = 0.0
    """Added to it."""


class RuleLimit(Strict):
    """One limit of a rule: on model variables, on each decision, or on facts of the question itself."""

    part: str = ""
    """What it is about, when a rule has several."""
    part_nl: str = ""
    """The same in Dutch."""
    variables: dict[str, Amount] = Field(default_factory=dict)
    """Model variables and their weights."""
    each_decision: Amount | None = None
    """Weight of a decision: the limit holds for each of the rule's decisions."""
    facts: dict[str, Amount] = Field(default_factory=dict)
    """Facts of the question and their weights, such as `number of decision years`."""
    at_most: Amount | RelativeLimit | None = None
    """Upper limit."""
    at_least: Amount | RelativeLimit | None = None
    """Lower limit."""
    measure: Literal["year_average", "year_start", "year_end", "every_step"] = "year_average"
    """What is compared in each year (for `variables`)."""
    years: str = "every year"
    """Years in which it is imposed, or a reference to a parameter; in `no year` it is not even reported."""
    reported: Literal["every year", "imposed years"] = "every year"
    """Years that are reported."""
    imposed: bool = True
    """Whether it is imposed when the rule is; else it is only reported."""
    prices: Literal["real", "current"] | None = None
    """Prices that the amounts are in; absent for what is not money."""
    classes: dict[str, float] = Field(default_factory=dict)
    """Name of a class -> its lowest value, from high to low; shown with the value."""


class FiscalRule(Strict):
    """One rule of public finance."""

    id: Text
    """Short code, such as F1."""
    name: Text
    """Plain name, by which a config chooses it."""
    name_nl: Text
    """The same in Dutch."""
    kind: Literal["constraint", "decision_limit", "equation", "check"]
    """Imposed limit, limit on change of decisions, equations that the model has itself, or report only."""
    text: Text
    """The rule in one sentence."""
    source: Text
    """Where it was read."""
    grade: Text
    """How sure that is."""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    """Name -> number or option that a config may change."""
    limits: tuple[RuleLimit, ...] = ()
    """What is limited."""
    largest_rise: Amount | None = None
    """Largest rise of each decision from year to year, as a share."""
    largest_fall: Amount | None = None
    """Largest fall of each decision from year to year, as a share."""
    variables: tuple[str, ...] = ()
    """Model variables that carry the rule (for an equation)."""
    prices: Literal["real", "current"] | None = None
    """Prices of these variables, or of the decisions; absent for what is not money."""
    bites: RuleLimit | None = None
    """A limit that is passed in the years in which the equation makes a difference."""

    def title(self, language: str) -> str:
        """Code and name in `nl` or `en`."""
        return f"{self.id} {self.name_nl if language == 'nl' else self.name}"

    @property
    def all_limits(self) -> tuple[RuleLimit, ...]:
        """The limits, and that which is passed when an equation bites."""
        return (*self.limits, *([self.bites] if self.bites else []))

    @property
    def on_decisions(self) -> bool:
        """Whether it limits the decisions themselves."""
        limited = any(limit.each_decision is not None for limit in self.limits)
        return limited or self.largest_rise is not None or self.largest_fall is not None


class BudgetTable(Strict):
    """The multi-year budget that is shown with the rules."""

    lines: Path
    """Its lines (.csv: variable, share, side, term, taakveld 2025-2026, name), relative to the library."""
    price_index: Text
    """Model variable that turns the model's prices into those of the year itself."""
    accounts: Path | None = None
    """The accounts in three vintages of codes (.csv, config/iv3.py), relative to the library."""


class RuleSet(Strict):
    """What a library file holds."""

    schema_version: Literal[1]
    """Version of this format."""
    title: Text
    """What the rules are of."""
    rules: tuple[FiscalRule, ...] = Field(min_length=1)
    """The rules, in the order in which they are shown."""
    budget: BudgetTable | None = None
    """The multi-year budget; none when absent."""


@dataclass(frozen=True)
class Library:
    """A library that was read; `sha256` is of its text (and its budget's), without BOM, with line feeds.

    `price_index` is the model variable by which the budget's lines are brought to current prices;
    `accounts` are those the lines stand on and others, () without a table of them.
    """

    path: Path
    rules: tuple[FiscalRule, ...]
    sha256: str
    budget: tuple[BudgetLine, ...] = ()
    price_index: str = ""
    accounts: tuple[Account, ...] = ()

    def find(self, name: str) -> FiscalRule | None:
        """The rule with a plain name; case, spaces and underscores make no difference."""
        return next((rule for rule in self.rules if same_name(rule.name) == same_name(name)), None)


def amount(written: float | str, values: Mapping[str, float | str]) -> float:
    """The number behind an `Amount`; `values` are those of the rule's parameters."""
    match = REFERENCE.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return float(written)
    value = float(values[match[2]])
    return 1 - value if match[1] == "1-" else 0.0 - value if match[1] else value  # never -0.0


def years_word(limit: RuleLimit, values: Mapping[str, float | str]) -> str:
    """One of `YEARS`: in which decision years a limit is imposed."""
    match = REFERENCE.fullmatch(limit.years)
    return str(values[match[2]]) if match else limit.years


def read_library(path: Path) -> Library:
    """Read and check a library of fiscal rules.

    Raises
    ------
    ConfigError
        With every fault, its place and line.
    """
    text = read_text(path, "save the file as UTF-8")
    complaints = Complaints(str(path), ConfigError)
    document = read_document(text, complaints)
    check_version(document, complaints)
    found: list[tuple[Place, str]] = []
    document = check_shape(document, lambda *complaint: found.append(complaint), RuleSet)
    if not found:
        written = validate(RuleSet, document.data)
        rules, budget = written.rules, written.budget
        _check_library(rules, lambda *complaint: found.append(complaint))
    for place, message in sorted(found, key=lambda complaint: line_of(complaint[0], document.lines) or 0):
        complaints.add(where(place, document.lines), message)
    complaints.raise_if_any()
    library = Library(path, rules, hashlib.sha256(text.encode("utf-8")).hexdigest())
    return library if budget is None else _with_budget(library, budget)


def _with_budget(library: Library, budget: BudgetTable) -> Library:
    path = library.path.parent / budget.lines
    lines, paths, accounts = read_budget_lines(path), [path], tuple[Account, ...]()
    if budget.accounts is not None:
        paths.append(library.path.parent / budget.accounts)
        accounts = read_accounts(paths[-1])
        check_lines(lines, accounts, path, paths[-1].name)
    all_text = library.sha256 + "".join(read_text(one, "save the table as CSV UTF-8") for one in paths)
    sha256 = hashlib.sha256(all_text.encode("utf-8")).hexdigest()
    return replace(library, budget=lines, price_index=budget.price_index, accounts=accounts, sha256=sha256)


def _check_library(rules: tuple[FiscalRule, ...], complain: Complain) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        place = ("rules", number)
        for key, name in (("id", rule.id), ("name", rule.name)):
            if same_name(name) in seen:
                complain((*place, key), f'"{name}" is used already; ids and names are given once')
            seen.add(same_name(name))
        for name, parameter in rule.parameters.items():
            _check_parameter((*place, "parameters", name), name, parameter, complain)
        parts = [limit.part for limit in rule.limits]
        if len(set(parts)) < len(parts):
            complain((*place, "limits"), "two have the same part; each becomes a constraint of its own name")
        for part, limit in _limits(rule):
            _check_limit((*place, *part), limit, rule, complain)
        for key, share in (("largest_rise", rule.largest_rise), ("largest_fall", rule.largest_fall)):
            _check_references((*place, key), rule, [share], complain)
            _check_change((*place, key), rule, share, complain)
        _check_kind(place, rule, complain)


def _check_change(place: Place, rule: FiscalRule, share: float | str | None, complain: Complain) -> None:
    """A change is a share of the year before: never below 0, and nothing falls by more than all of it."""
    match = REFERENCE.fullmatch(share) if isinstance(share, str) else None
    parameter = rule.parameters.get(match[2]) if match else None
    ends = [parameter.low, parameter.high] if parameter else [share]
    most = 1.0 if place[-1] == "largest_fall" else 10.0
    plain = match is None or match[1] is None
    if not plain or any(isinstance(end, float) and not 0 <= end <= most for end in ends):
        complain(place, f"a share from 0 to {most:g} fits here, or a parameter with such a range")


def _limits(rule: FiscalRule) -> Iterator[tuple[Place, RuleLimit]]:
    for number, limit in enumerate(rule.limits):
        yield ("limits", number), limit
    if rule.bites:
        yield ("bites",), rule.bites


def _check_parameter(place: Place, name: str, parameter: Parameter, complain: Complain) -> None:
    value, low, high = parameter.value, parameter.low, parameter.high
    if name in RESERVED:
        complain(place, f'"{name}" has a meaning in every rule; choose another name')
    if parameter.options:
        if value not in parameter.options:
            complain(place, f"value must be one of its options: {', '.join(parameter.options)}")
    elif low is None or high is None or low > high:
        complain(place, "a number needs low and high (low not above high); or give options")
    elif isinstance(value, str) or (value is None and not parameter.constant):
        complain(place, "a number needs a value; only one that sets a constant of the model may go without")
    elif value is not None and not low <= value <= high:
        complain(place, f"{value:g} is outside [{low:g}, {high:g}]; mend the value or the range")


def _check_kind(place: Place, rule: FiscalRule, complain: Complain) -> None:
    """Every kind has what it needs to say whether it holds."""
    needed = {
        "constraint": (bool(rule.limits), "limits"),
        "decision_limit": (rule.on_decisions, "largest_rise, largest_fall or a limit on each_decision"),
        "equation": (bool(rule.variables), "variables"),
        "check": (bool(rule.limits), "limits"),
    }
    there, what = needed[rule.kind]
    if not there:
        complain((*place, "kind"), f"{rule.kind} needs {what}; add them or choose another kind")


def _check_limit(place: Place, limit: RuleLimit, rule: FiscalRule, complain: Complain) -> None:
    given = [bool(limit.variables), limit.each_decision is not None, bool(limit.facts)]
    if sum(given) != 1:
        complain(place, "give one of variables, each_decision and facts")
    if limit.at_most is None and limit.at_least is None:
        complain(place, "limits nothing; give at_most, at_least or both")
    for fact in limit.facts:
        if fact not in FACTS:
            complain((*place, "facts", fact), f"there is no such fact.{did_you_mean(fact, FACTS)} "
                     f"Facts: {', '.join(FACTS)}")  # fmt: skip
    if limit.years not in YEARS:
        match = REFERENCE.fullmatch(limit.years)
        options = rule.parameters[match[2]].options if match and match[2] in rule.parameters else ()
        if not options or not set(options) <= set(YEARS):
            complain((*place, "years"), f"give {', '.join(YEARS)}, or a parameter with such options")
    _check_references(place, rule, list(amounts(limit)), complain)


def amounts(limit: RuleLimit) -> Iterator[float | str | None]:
    """Every number of a limit as it was written."""
    yield limit.each_decision
    yield from limit.variables.values()
    yield from limit.facts.values()
    for side in (limit.at_most, limit.at_least):
        if isinstance(side, RelativeLimit):
            share = side.null_alternative
            yield from share.values() if isinstance(share, dict) else (share,)
            yield side.plus
        else:
            yield side


def _check_references(
    place: Place, rule: FiscalRule, written: list[float | str | None], complain: Complain
) -> None:
    for match in (REFERENCE.fullmatch(one) for one in written if isinstance(one, str)):
        name = match[2] if match else ""
        parameter = rule.parameters.get(name)
        if parameter is None or parameter.options or parameter.value is None:
            complain(place, f'"{name}" is not a parameter of this rule with a number.'
                     f"{did_you_mean(name, rule.parameters)}")  # fmt: skip
