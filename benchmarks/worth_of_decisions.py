"""Is a decision worth it, and what would have to be true? The figures of docs/what-would-have-to-be-true.md.

    python benchmarks/worth_of_decisions.py [--decision "social base"] [--given "net share of informal hours"]
        [--config configs/onzeker-100k.yaml] [--advice results/voorbeeld] [--draws 400] [--adaptive 0]

Prints tables in Markdown; takes about a minute. Every draw is looked at in every external scenario of the
config. `--given` is a second constant: the break-even value of the one that is likeliest to turn the
decision round is worked out at its low, central and high value. `--adaptive 200` decides again in the third
decision year, once it is known whether that constant is low or high, in so many draws; it takes some minutes
more.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from sdopt.config.load import load_config
from sdopt.config.robust import Robust
from sdopt.config.thresholds import thresholds
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from sdopt.sweep.adaptive import adapt, adaptive_table, adaptive_value_table
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.break_even import break_even
from sdopt.sweep.conclusions import condition, number, worth_table, worth_words
from sdopt.sweep.contrasts import contrast_gains, contrasts_of, money_moved, objectives
from sdopt.sweep.information import information_table, probability_table, regret_table
from sdopt.sweep.options import options_of
from sdopt.sweep.stages import learn
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble
from sdopt.uncertainty.sample import Uncertain, draw_scenarios, uncertain_constants

ROOT = Path(__file__).resolve().parents[1]
SEED = 0
SHOWN = 8
"""Rows of a table that are printed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "onzeker-100k.yaml")
    parser.add_argument("--advice", type=Path, default=ROOT / "results" / "voorbeeld")
    parser.add_argument("--decision", default="social base")
    parser.add_argument("--given", default="net share of informal hours")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--adaptive", type=int, default=0)
    arguments = parser.parse_args()
    start = perf_counter()
    report(arguments)
    print(f"\n{perf_counter() - start:.0f} s")


def question(arguments: argparse.Namespace, **changes: float) -> Problem:
    folder = {"advice": str(arguments.advice.resolve())}
    overrides = {("sweep",): {"allocations": folder}, ("model", "changes"): changes}
    loaded = load_config(arguments.config, overrides)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def report(arguments: argparse.Namespace) -> None:
    problem, usual = question(arguments), thresholds()
    advice = given_advice(problem)
    assert advice is not None
    contrasts = contrasts_of(problem, advice.point, usual["little more"])
    constants = uncertain_constants(problem)
    scenarios = draw_scenarios(problem, "latin hypercube", arguments.draws, problem.config.search.seed)
    ensemble = build_ensemble(problem, scenarios)
    gains = contrast_gains(ensemble, contrasts)
    moved = [money_moved(problem, one.more, one.less) for one in contrasts]
    unit = problem.objective_unit
    print(f"{scenarios.count} futures, {len(constants)} uncertain constants, in {unit}\n")
    worth = worth_table(contrasts, gains, moved, scenarios, usual)
    show(worth[["contrast", "decision", "kind", "probability", "mean", "from", "to", "size", "hangs_on"]])
    found = break_even(problem, contrasts, constants, usual)
    columns = ["contrast", "constant", "low", "central", "high", "break_even", "share_below", "worth",
               "chance_not_worth", "gain_low", "gain_central", "gain_high", "spent"]  # fmt: skip
    for k, one in enumerate(contrasts):
        if one.decision == arguments.decision:
            rows = found[(found["decision"] == one.decision) & (found["contrast"] == one.kind)]
            words = worth_words(worth.iloc[k].to_dict(), usual, "en", unit, one.decision)
            print(f"\n{words}\n{condition(rows, 'en')}\n")
            show(rows[columns])
            print("\nWhat knowing is worth for this choice alone:\n")
            names = [constant.name for constant in constants]
            both = np.array([np.zeros(scenarios.count), gains[k]])
            show(information_table(both, scenarios, names, unit, SEED).head(SHOWN))
    first = of_second_constant(arguments, advice.point, found)
    options = options_of(problem, advice.point, usual["little more"])
    given = {"advice": advice.point, "null": problem.decisions.null_vector()}
    choices(problem, {**given, **{one.name: one.point for one in options}}, ensemble, constants)
    if arguments.adaptive:
        key = next(one.key for one in constants if one.name == first)
        decide_again(problem, advice.point, key, arguments.adaptive)


def of_second_constant(arguments: argparse.Namespace, advice: np.ndarray, found: pd.DataFrame) -> str:
    """The break-even value of the likeliest constant at other values of a second one; its name."""
    rows = found[(found["decision"] == arguments.decision) & found["inside"]]
    first = str(rows.sort_values("chance_not_worth")["constant"].iloc[0])
    given = {one.name: one for one in uncertain_constants(question(arguments))}[arguments.given]
    print(f"\nBreak-even value of {first}, a little more {arguments.decision}, given {given.name}:\n")
    listed = []
    for value in (given.low, given.central, given.high):
        problem = question(arguments, **{given.name: value})
        (contrast,) = [
            one
            for one in contrasts_of(problem, advice, thresholds()["little more"])
            if (one.kind, one.decision) == ("a little more", arguments.decision)
        ]
        constant = [one for one in uncertain_constants(problem) if one.name == first]
        table = break_even(problem, (contrast,), constant, {**thresholds(), "matters": 0.0})
        turns = table.to_dict("records") or [{"worth": "changes nothing"}]
        listed += [{given.name: value, **row} for row in turns]
    show(pd.DataFrame(listed)[[given.name, "break_even", "share_below", "worth", "gain_central"]])
    return first


def choices(
    problem: Problem,
    options: Mapping[str, np.ndarray],
    ensemble: Ensemble,
    constants: Sequence[Uncertain],
) -> None:
    """The advice against what else could be chosen, and what knowing is worth for that choice."""
    values = objectives(ensemble, np.array(list(options.values())))
    improvement, unit = values - values[0], problem.objective_unit
    print("\nThe advice against the others:\n")
    pairs = probability_table(list(options), improvement, ensemble.scenarios, unit, 0.95)
    show(pairs[pairs["allocation"] == "advice"].drop(columns=["allocation", "unit", "failed"]))
    show(regret_table(list(options), improvement, ensemble.scenarios.weights, unit))
    print("\nWhat knowing is worth for the choice between all of these:\n")
    names = [one.name for one in constants]
    show(information_table(improvement, ensemble.scenarios, names, unit, SEED).head(2 * SHOWN))


def decide_again(problem: Problem, advice: np.ndarray, key: str, count: int) -> None:
    """What it is worth to decide again in the third year, knowing whether a constant is low or high."""
    scenarios = draw_scenarios(problem, "latin hypercube", count, problem.config.search.seed)
    starts = np.array([advice, problem.decisions.null_vector()])
    year = problem.decisions.first_year + 2
    found = adapt(problem, scenarios, learn(scenarios, key, 2), year, Robust(), starts, set())
    print(f"\nDeciding again in {year}, once {key} is known to be low or high:\n")
    show(adaptive_value_table(found))
    show(adaptive_table(found))


def show(table: pd.DataFrame) -> None:
    """A table in Markdown."""
    print("| " + " | ".join(map(str, table.columns)) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        cells = (number(cell, "en") if isinstance(cell, float) else str(cell) for cell in row)
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
