"""What every fiscal rule of a library says of the null alternative and the advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.fiscal_choice import ChosenRule, FiscalChoice
from sdopt.config.fiscal_library import FACTS, FiscalRule, RuleLimit, amount
from sdopt.config.schema import Constraint
from sdopt.optimise.tables import BINDING, BROKEN, TOUCHING
from sdopt.problem.build import Problem
from sdopt.problem.fiscal import imposed_years, part_name, reported
from sdopt.problem.functionals import Functional
from sdopt.problem.limits import sum_over_time
from sdopt.problem.meaning import resolve
from sdopt.problem.rules import limit_value, other_weights, sides

Run = Mapping[str, NDArray[np.float64]]
"""key -> (time,)."""

FISCAL_COLUMNS = (
    *(
        "id",
        "rule",
        "title",
        "part",
        "kind",
        "chosen",
        "imposed",
        "year",
        "measure",
        "sense",
        "limit",
        "null",
    ),
    *("advice", "null_slack", "slack", "binds", "null_verdict", "verdict", "null_class", "class", "prices"),
    "unit",
)
KEPT, BROKEN_RULE, BITES, BITES_NOT, REPORTED = "kept", "broken", "bites", "does_not_bite", "reported"
NOT_CHOSEN, MODEL_DECIDES = "not_chosen", "model_decides"
YES, NO, DOES_NOT_APPLY = "yes", "no", "not_applicable"

Row = dict[str, object]


@dataclass(frozen=True)
class _Compared:
    """One value against one limit in one year, in both runs; `sign * (limit - value) >= 0` keeps it."""

    sense: str
    sign: float
    limit: float
    null_limit: float
    null: float
    advice: float

    @property
    def size(self) -> float:
        """What the slack is compared with."""
        size = max(abs(self.limit), abs(self.null), abs(self.advice))
        return size if size > BROKEN else 1.0

    @property
    def slack(self) -> float:
        """How far the advice is from the limit; below zero it passes it."""
        return self.sign * (self.limit - self.advice)

    @property
    def null_slack(self) -> float:
        """The same of the null alternative, and its own limit."""
        return self.sign * (self.null_limit - self.null)

    @property
    def passed(self) -> tuple[bool, bool]:
        """Whether the null alternative and the advice pass the limit."""
        null, advice = (slack < -BINDING * self.size for slack in (self.null_slack, self.slack))
        return null, advice


def fiscal_tables(problem: Problem, null: Run, advice: Run) -> dict[str, pd.DataFrame]:
    """Table `fiscal_rules`, for a question that names a library; per year what each rule says, chosen or not.

    Columns: id, rule (its plain name), title (in the result's language), part (of the rule), kind, chosen,
    imposed (in that year), year, measure, sense, limit, null, advice, null_slack, slack, binds (yes, no or
    not_applicable), null_verdict and verdict (kept, broken, bites, does_not_bite, reported; not_chosen and
    model_decides where it was not chosen), null_class and class, prices (real or current), unit.
    """
    if problem.fiscal is None:
        return {}
    listed = list(_Rows(problem, null, advice).of(problem.fiscal))
    frame = pd.DataFrame(listed, columns=list(FISCAL_COLUMNS))
    numbers = {column: float for column in ("limit", "null", "advice", "null_slack", "slack")}
    return {"fiscal_rules": frame.astype({**numbers, "year": "Int64"})}


@dataclass(frozen=True)
class _Rows:
    """Makes the rows of the table from a problem and its two runs."""

    problem: Problem
    null: Run
    advice: Run

    def of(self, fiscal: FiscalChoice) -> Iterator[Row]:
        """All rows, in the order of the library."""
        chosen = {one.rule.id: one for one in fiscal.chosen}
        for rule in fiscal.library.rules:
            if rule.id in chosen:
                yield from self._chosen(chosen[rule.id])
            else:
                yield self._row(rule, verdict=MODEL_DECIDES if rule.kind == "equation" else NOT_CHOSEN)

    def _row(self, rule: FiscalRule, **more: object) -> Row:
        """A row of a rule; what is not given is empty."""
        language = self.problem.config.output.language
        words = dict.fromkeys(
            ("part", "measure", "sense", "null_verdict", "verdict", "null_class", "class", "prices", "unit"),
            "",
        )
        title = rule.name_nl if language == "nl" else rule.name
        name: Row = {"id": rule.id, "rule": rule.name, "title": title, "kind": rule.kind}
        return {**words, **name, "chosen": False, "imposed": False, "binds": DOES_NOT_APPLY, **more}

    def _chosen(self, one: ChosenRule) -> Iterator[Row]:
        for limit in one.rule.limits:
            yield from self._facts(one, limit) if limit.facts else self._limit(one, limit)
        yield from self._changes(one)
        bites = one.rule.bites
        for name in one.rule.variables:
            if bites is None or name not in bites.variables:
                yield from self._carrier(one, name)
        if bites:
            yield from (
                {**row, "part": row["part"] or " + ".join(bites.variables)} for row in self._limit(one, bites)
            )

    def _facts(self, one: ChosenRule, limit: RuleLimit) -> Iterator[Row]:
        """A limit on the question itself, which is the same for both runs."""
        config = self.problem.config
        value = sum(amount(weight, one.values) * FACTS[name](config) for name, weight in limit.facts.items())
        for sense, written, sign in (("at_most", limit.at_most, 1.0), ("at_least", limit.at_least, -1.0)):
            if isinstance(written, (float, str)):
                level = amount(written, one.values)
                compared = _Compared(sense, sign, level, level, value, value)
                yield self._compared_row(one, limit, compared, None, imposed=False)

    def _limit(self, one: ChosenRule, limit: RuleLimit) -> Iterator[Row]:
        """A limit on model variables in every decision year, at its tightest moment."""
        imposed = imposed_years(limit, one, self.problem.config)
        if imposed is None:
            return
        for part, constraint in reported(limit, one, self.problem.config):
            for year, unit, compared in self._by_year(constraint):
                inside = imposed.first <= year <= imposed.last
                if not inside and limit.reported == "imposed years":
                    continue
                holds = inside and one.imposed and limit.imposed
                more: Row = {"measure": constraint.measure, "unit": unit}
                if part:
                    more["part"] = part
                yield {**self._compared_row(one, limit, compared, year, imposed=holds), **more}

    def _by_year(self, constraint: Constraint) -> Iterator[tuple[int, str, _Compared]]:
        """Per side and year the moment with the least slack: year, unit, and the comparison."""
        sums = self._sums(constraint)
        for sense, limit, sign in sides(constraint):
            weights = other_weights(limit)
            others = self._sums(constraint.model_copy(update={"variables": weights})) if weights else sums
            tightest: dict[int, tuple[str, _Compared]] = {}
            for one, other in zip(sums, others, strict=True):
                null = _value(one, self.null)
                level = limit_value(limit, null, _value(other, self.null))
                found = _Compared(sense, sign, level, level, null, _value(one, self.advice))
                year = int(one.year or 0)
                if year not in tightest or found.slack < tightest[year][1].slack:
                    tightest[year] = (one.unit, found)
            years = self.problem.config.decision_years
            for year in range(years.first, years.last + 1):
                yield year, *tightest[year]

    def _sums(self, constraint: Constraint) -> list[Functional]:
        return sum_over_time("", constraint, self.problem.config, self.problem.system, self.problem.grid)

    def _changes(self, one: ChosenRule) -> Iterator[Row]:
        """Limits on change: each decision, in each year, against how far it could go from the year before."""
        for key, sense, sign in (("largest_rise", "at_most", 1.0), ("largest_fall", "at_least", -1.0)):
            written = getattr(one.rule, key)
            if written is None:
                continue
            factor = 1 + sign * amount(written, one.values)
            for path in self.problem.decisions.paths:
                if path.id not in one.decisions:
                    continue
                for year, null, advice in self._steps(path.key):
                    levels = factor * advice[0], factor * null[0]
                    compared = _Compared(sense, sign, *levels, null[1], advice[1])
                    more: Row = {
                        "part": path.name,
                        "measure": "decisions",
                        "prices": one.rule.prices or "",
                        "unit": path.unit,
                    }
                    yield {**self._compared_row(one, None, compared, year, imposed=one.imposed), **more}

    def _steps(self, key: str) -> Iterator[tuple[int, tuple[float, float], tuple[float, float]]]:
        """Year, and a decision the year before and in that year, in both runs; also the way back after."""
        path = next(path for path in self.problem.decisions.paths if path.key == key)
        decisions, times = self.problem.decisions, self.problem.grid.times
        returns = path.rule.after == "null_alternative" and int(path.column[-1]) < 0
        before = (path.null_by_year[decisions.first_year - 1],) * 2
        for year in range(decisions.first_year, decisions.last_year + 1 + returns):
            k = int(np.argmin(np.abs(times - year)))
            now = (float(self.null[key][k]), float(self.advice[key][k]))
            yield year, (before[0], now[0]), (before[1], now[1])
            before = now

    def _carrier(self, one: ChosenRule, name: str) -> Iterator[Row]:
        """A model variable that carries the rule, in every decision year."""
        constraint = Constraint(variables={name: 1.0})
        found = resolve(name, self.problem.system)
        for functional in self._sums(constraint):
            yield self._row(
                one.rule,
                part=found.name if found else name,
                chosen=True,
                year=functional.year,
                measure=constraint.measure,
                null=_value(functional, self.null),
                advice=_value(functional, self.advice),
                verdict=REPORTED,
                null_verdict=REPORTED,
                prices=one.rule.prices or "",
                unit=functional.unit,
            )

    def _compared_row(
        self,
        one: ChosenRule,
        limit: RuleLimit | None,
        compared: _Compared,
        year: int | None,
        *,
        imposed: bool,
    ) -> Row:
        """A comparison with its verdicts."""
        equation = one.rule.kind == "equation"
        words = (BITES_NOT, BITES) if equation else (KEPT, BROKEN_RULE)
        null, advice = (words[passed] for passed in compared.passed)
        binding = compared.passed[1] if equation else compared.slack <= TOUCHING * compared.size
        classes = limit.classes if limit else {}
        return self._row(
            one.rule,
            part=part_name(limit, self.problem.config.output.language) if limit else "",
            chosen=True,
            imposed=imposed,
            year=year,
            sense=compared.sense,
            limit=compared.limit,
            null=compared.null,
            advice=compared.advice,
            null_slack=compared.null_slack + 0.0,  # never -0.0
            slack=compared.slack + 0.0,
            binds=(YES if binding else NO) if imposed or equation else DOES_NOT_APPLY,
            null_verdict=null,
            verdict=advice,
            null_class=_class(compared.null, classes),
            **{"class": _class(compared.advice, classes)},
            prices=(limit.prices or "") if limit else "",
        )


def _value(functional: Functional, run: Run) -> float:
    return float(sum(weights @ run[key] for key, weights in functional.weights.items()))


def _class(value: float, classes: Mapping[str, float]) -> str:
    """The first class whose lowest value is reached, else the last."""
    reached = [name for name, lowest in classes.items() if value >= lowest - BINDING * max(abs(lowest), 1)]
    return (reached or list(classes)[-1:] or [""])[0]
