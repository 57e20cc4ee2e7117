"""What a finished sweep says, as tidy tables: how the improvement is distributed, and what it hangs on.

Runs that failed count in no figure but their own number. Probabilities are those of the scenarios drawn,
with intervals for what other draws would have given; a design that is no sample has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sweep import ADVICE, Design
from sdopt.config.uncertainty import asked as asked_uncertainties
from sdopt.problem.uncertainties import left_out
from sdopt.sweep.asked import CONFIDENCE, RANDOM, Asked
from sdopt.sweep.break_even import break_even
from sdopt.sweep.chances import NO_SAMPLE, Sample
from sdopt.sweep.contrasts import contrasts_of
from sdopt.sweep.information import information_table, probability_table
from sdopt.sweep.options import option_tables
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome, limit_names
from sdopt.sweep.statistics import quantile
from sdopt.sweep.worth import advised_table, always_listed, worth_of_decisions
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import Uncertain
from sdopt.uncertainty.sensitivity.analyse import analyse, failing_futures, tornado_scenarios, tornado_table

if TYPE_CHECKING:
    from pandas import DataFrame

    from sdopt.uncertainty.discovery import Discovery

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHARES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
"""Points of a distribution: the value with at least this share of the weight at or below it."""
POINTS = dict(sorted({**SHARES, "q10": 0.1, "q90": 0.9}.items()))
"""Those of what an allocation gives: P10 and P90 too, over all futures and in every external scenario."""
CURVE = np.round(np.linspace(0.005, 0.995, 100), 3)
"""Shares at which the whole distribution is given."""
SEARCHED, SHARED = 5_000, 10_000
"""Most draws of a random design that are searched for boxes of failure, and of which it is told what every
constant explains: the first. More take long, and change little.
"""
MOST_PAIRS = 2_000
"""Most pairs of a contrast and a constant that a break-even value is looked for, each with some 17 runs."""
ALWAYS = 24
"""Most constants that are listed whatever they do: of more, those with most swing in the tornado."""
LOSES, BREAKS = "loses", "breaks"
"""How an allocation fails: it does not beat the null alternative; it breaks a limit."""


def find(plan: Plan, outcome: Outcome) -> dict[str, DataFrame]:
    """All tables of a finished sweep, by name; those that a design does not allow are left out.

    distribution: allocation, external ("" for all together), scenarios, failed, mean, error (standard error
    of the mean), q05 ... q95, positive and keeps (probability of an improvement above 0; that every limit
    holds), each with _low and _high (95 % interval), unit
    curve: allocation, share, value (of the improvement, below which that share of the weight lies), unit
    pairs, information, break_even: see `probability_table`, `information_table`, `break_even`
    options, information_options: see `option_tables`
    failures: allocation, reason, runs
    drawn: constant, unit, low, central, high, distribution, external (where it is fixed instead), looked_at
    (whether break-even values were looked for), listed (why break-even values are listed also when it turns
    nothing, "" otherwise: see `always_listed`)
    not_drawn: constant, reason (`chosen` by a decision; `fixed` when the model was read)
    tornado: external, allocation, factor, low, central_value, high (of the factor), factor_unit, central,
    at_low, at_high, swing, reason, unit
    failing, failing_boxes: see `failing_tables`
    advised, worth_of_decisions: see `advised_table`, `worth_of_decisions`
    and those of `analyse`, in which output is the allocation
    """
    asked = Asked(plan, outcome)
    tables = {
        "failures": failure_table(asked),
        "drawn": drawn_table(asked),
        "not_drawn": not_drawn_table(asked),
    }
    if plan.design not in NO_SAMPLE:
        tables |= {
            "distribution": distribution_table(asked),
            "curve": curve_table(asked),
            "pairs": probability_table(*asked.everything, CONFIDENCE),
            "information": information(asked),
            **option_tables(asked),
            **failing_tables(asked),
        }
    tables |= sensitivity_tables(asked)
    return tables | _decision_tables(asked, tables)


def _decision_tables(asked: Asked, tables: Mapping[str, DataFrame]) -> dict[str, DataFrame]:
    """What the advice changes, whether that is worth it, and what would have to be true."""
    problem, advice = asked.problem, asked.plan.allocations[ADVICE]
    contrasts = contrasts_of(problem, advice, asked.numbers["little more"])
    why = always_listed(problem, asked.drawn)
    always = [one.name for one in influential([o for o in asked.drawn if o.name in why], tables, ALWAYS)]
    looked = influential(asked.drawn, tables, MOST_PAIRS // max(len(contrasts), 1), always)
    breaks = break_even(problem, contrasts, looked, asked.numbers, asked.backend, always)
    found = {
        "drawn": tables["drawn"].assign(
            looked_at=[one in looked for one in asked.drawn],
            listed=[why[one.name] if one.name in always else "" for one in asked.drawn],
        ),
        "break_even": breaks,
        "advised": advised_table(problem, advice),
    }
    if asked.plan.design not in NO_SAMPLE and contrasts:
        found["worth_of_decisions"] = worth_of_decisions(asked, contrasts, breaks)
    return found


def influential(
    constants: Sequence[Uncertain], tables: Mapping[str, DataFrame], most: int, first: Collection[str] = ()
) -> list[Uncertain]:
    """At most so many constants: all, or those named `first` and then those with most swing (tornado)."""
    if len(constants) <= most:
        return list(constants)
    swings = tables["tornado"].groupby("factor")["swing"].max()
    known = {one.name for one in constants}
    order = [*first, *swings.sort_values(ascending=False, kind="stable").index]
    names = list(dict.fromkeys(name for name in order if name in known))[:most]
    return [one for one in constants if one.name in set(names)]


def information(asked: Asked) -> DataFrame:
    """What knowing each uncertainty is worth, for a choice between the allocations that are one for all."""
    plan, problem = asked.plan, asked.problem
    to_choose = [place for place, name in enumerate(plan.names) if plan.allocations[name].ndim == 1]
    names, seed = [one.name for one in asked.drawn], problem.config.search.seed
    improvement = asked.outcome.improvement[to_choose][:, asked.apart]
    scenarios = plan.scenarios.part(asked.apart)
    return information_table(improvement, scenarios, names, problem.objective_unit, seed)


def distribution_table(asked: Asked) -> DataFrame:
    """How the improvement of every allocation is distributed, over all scenarios and in each external one."""
    import pandas as pd

    rows = [
        {"allocation": name, "external": world, **_distribution(asked, name, inside)}
        for name in asked.compared
        for world, inside in asked.worlds()
    ]
    return pd.DataFrame(rows).assign(unit=asked.problem.objective_unit)


def _distribution(asked: Asked, name: str, inside: Flags) -> dict[str, float | int]:
    improvement, sample = asked.improvement(name)[inside], asked.sample.part(inside)
    sound = np.isfinite(improvement)
    values, weights = improvement[sound], sample.weights[sound]
    mean, error = sample.part(sound).mean(values)
    points = {key: quantile(values, weights, q) if len(values) else np.nan for key, q in POINTS.items()}
    chances = {"positive": improvement > 0, "keeps": ~asked.breaks(name)[inside]}
    return {
        "scenarios": len(sound),
        "failed": int((~sound).sum()),
        "mean": mean,
        "error": error,
        **points,
        **{key: value for one in chances for key, value in _chance(one, sample, chances[one], sound).items()},
    }


def _chance(name: str, sample: Sample, yes: Flags, known: Flags) -> dict[str, float]:
    """A probability and the ends of its interval, which counts what is not known both ways."""
    found = sample.probability(yes, known, CONFIDENCE)
    return {name: found.share, f"{name}_low": found.low, f"{name}_high": found.high}


def curve_table(asked: Asked) -> DataFrame:
    """The whole distribution of the improvement of every allocation, over all scenarios."""
    import pandas as pd

    rows = []
    for name in asked.compared:
        sound = np.isfinite(asked.improvement(name))
        values, weights = asked.improvement(name)[sound], asked.sample.weights[sound]
        if len(values):
            order = np.argsort(values, kind="stable")
            reached = np.cumsum(weights[order]) * (1 + 1e-12) / weights.sum()
            at = np.minimum(np.searchsorted(reached, CURVE), len(order) - 1)
            rows += list(zip([name] * len(at), CURVE.tolist(), values[order][at].tolist(), strict=True))
    table = pd.DataFrame(rows, columns=["allocation", "share", "value"])
    return table.assign(unit=asked.problem.objective_unit)


def failure_table(asked: Asked) -> DataFrame:
    """How many runs gave inf or nan, by allocation and reason, most first."""
    import pandas as pd

    names = asked.plan.names
    counted = Counter((place, why) for (place, _), why in asked.outcome.failed.items())
    rows = [
        (names[place], why, runs)
        for (place, why), runs in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    ]
    return pd.DataFrame(rows, columns=["allocation", "reason", "runs"])


def drawn_table(asked: Asked) -> DataFrame:
    """What was drawn, and from what; low and high of normal and lognormal are the 2.5 and 97.5 % points."""
    import pandas as pd

    columns = ["constant", "unit", "low", "central", "high", "distribution", "external"]
    worlds = asked.plan.scenarios.external
    rows = [
        (one.name, one.unit, one.low, one.central, one.high, one.kind,
         "; ".join(w.name for w in worlds if one.key in w.constants or one.key in w.paths))
        for one in asked.drawn
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def not_drawn_table(asked: Asked) -> DataFrame:
    """What the table of constants calls uncertain and was not drawn, and why."""
    import pandas as pd

    problem = asked.problem
    named = asked_uncertainties(problem.config.uncertainties, problem.constants)
    found = left_out(problem.config, problem.constants, problem.system)
    rows = [(named[name].constant, why) for name, why in found.items()]
    return pd.DataFrame(rows, columns=["constant", "reason"])


def sensitivity_tables(asked: Asked) -> dict[str, DataFrame]:
    """What the improvement of every allocation hangs on: `analyse`, and a tornado from some runs more."""
    plan, factors = asked.plan, [one.name for one in asked.drawn]
    few = asked.first(SHARED)
    found = analyse(
        plan.scenarios.part(few),
        cast("Design", plan.design),
        asked.problem.config.search.seed,
        asked.problem.config.sweep.levels,
        asked.outcome.improvement[1:, few].T,
        factors,
        asked.compared,
    )
    tables = {name: table.rename(columns={"output": "allocation"}) for name, table in found.items()}
    return {**tables, **({"tornado": tornado(asked)} if factors else {})}


def tornado(asked: Asked) -> DataFrame:
    """Improvement with one constant at an end of its range, all others at the values used."""
    import pandas as pd

    plan, drawn = asked.plan, asked.drawn
    low, central, high = (
        np.array([getattr(one, end) for one in drawn]) for end in ("low", "central", "high")
    )
    keys = [one.key for one in drawn]
    scenarios = tornado_scenarios(keys, low, central, high, plan.scenarios.external)
    ensemble = build_ensemble(asked.problem, scenarios, asked.backend)
    names = [name for name in asked.compared if plan.allocations[name].ndim == 1]
    values = [ensemble.improvement(ensemble.values(plan.allocations[name])) for name in names]
    table = tornado_table(scenarios, np.array(values).T, [one.name for one in drawn], names)
    ranges = pd.DataFrame(
        [(one.name, one.low, one.central, one.high, one.unit) for one in drawn],
        columns=["factor", "low", "central_value", "high", "factor_unit"],
    )
    shown = table.rename(columns={"output": "allocation"}).merge(ranges, on="factor", how="left")
    return shown.assign(unit=asked.problem.objective_unit)


def failing_tables(asked: Asked) -> dict[str, DataFrame]:
    """In which futures the advice loses to the null alternative, or breaks a limit; for random designs.

    `failing`: failure, external, scenarios (searched), failures, left_out, boxes, coverage, density, reason;
    `failing_boxes`: failure, external, box, factor, low, high, p_value, box_coverage, box_density, ..., unit
    """
    import pandas as pd

    if asked.plan.design not in RANDOM:
        return {}
    units = {one.name: one.unit for one in asked.drawn}
    rows: list[dict[str, Any]] = []
    boxes = []
    for failure, external, found in _searches(asked):
        row = {key: value for key, value in vars(found).items() if key != "boxes"}
        rows.append({"failure": failure, "external": external, "boxes": len(found.boxes), **row})
        boxes.append(found.table().assign(failure=failure, external=external))
    table = pd.concat(boxes, ignore_index=True)
    table = table.assign(unit=[units[name] for name in table["factor"]])
    table = table.astype({"low": float, "high": float})
    first = ["failure", "external", "box"]
    order = [*first, *(column for column in table.columns if column not in first)]
    return {"failing": pd.DataFrame(rows), "failing_boxes": table[order]}


def _searches(asked: Asked) -> Iterator[tuple[str, str, Discovery]]:
    scenarios, improvement = asked.plan.scenarios, asked.improvement(ADVICE)
    failed = ~np.isfinite(improvement)
    kinds = {LOSES: improvement <= 0}
    if limit_names(asked.plan):
        kinds[BREAKS] = asked.breaks(ADVICE)
    few = asked.first(SEARCHED)
    part, factors = scenarios.part(few), [one.name for one in asked.drawn]
    for failure, fails in kinds.items():
        known = np.where(failed, np.nan, fails.astype(np.float64))[few]
        seed = asked.problem.config.search.seed
        for external, found in failing_futures(part, known, factors, seed).items():
            yield failure, external, found
