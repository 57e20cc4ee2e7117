"""Conclusions by rule: the words follow from the distribution over the futures, never from the central value.

Dutch practice for cost-benefit analyses: where the balance changes sign but stays small, benefits and costs
are roughly equal; where its size swings as well, it is uncertain whether it is worth it. The numbers on which
the words turn are in `config/thresholds.csv`; all words are in `words.csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sdopt.config.thresholds import known_thresholds
from sdopt.sweep.contrasts import Contrast
from sdopt.sweep.information import Probability, probability
from sdopt.sweep.rounding import (
    EXACT,
    half_away,
    is_calendar,
    known_decimals,
    level_decimals,
    own_decimals,
    range_decimals,
)
from sdopt.sweep.statistics import quantiles
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]
Kind = Literal[
    "clearly better", "probably better", "roughly equal", "uncertain", "probably worse", "clearly worse"
]
POINTS = ("q10", "q90", "from", "to")
"""Points of a distribution in a conclusion."""
SAME = 1e-9
"""Chances that differ by less are the same."""
EVEN = 0.01
"""Part of all money moved below which what it costs net is called nothing."""


@dataclass(frozen=True)
class Conclusion:
    """What may be said: `kind`, full sentences in `words`, and the `figures` that they follow from.

    Figures: probability (of a gain), probability_low, probability_high, worse, worse_low, worse_high (of a
    loss), small, small_low, small_high (of less than a small part of the money moved), mean, mean_low,
    mean_high, error (standard error of the mean), q10, q90, from, to (between which the threshold `spread` of
    the futures lies), size, failed (share).
    """

    kind: Kind
    words: str
    figures: Mapping[str, float]


def conclude(
    improvements: Floats,
    weights: Floats,
    size: float,
    thresholds: Mapping[str, float],
    language: str,
    *,
    draws: int | None = None,
    unit: str = "",
    subject: str | None = None,
    against: str | None = None,
) -> Conclusion:
    """What may be concluded from a distribution of improvements.

    Parameters
    ----------
    improvements : (scenario,); nan where a run failed: it may be a gain or a loss
    weights : (scenario,) probabilities
    size : the money moved, in the unit of the improvements; with nan nothing counts as small
    thresholds : as `sdopt.config.thresholds.thresholds` gives
    language : `nl` or `en`
    draws : scenarios that are independent of each other; all when None. Those in other external scenarios
        are not; a sample that is spread evenly (Latin hypercube, Sobol) makes the interval too wide, not
        too narrow
    unit, subject, against : in words; the objective's unit, what is judged, and what with
    """
    figures = _figures(improvements, weights, size, thresholds, draws or len(improvements))
    kind = kind_of(figures, thresholds)
    words = _words(kind, figures, thresholds, language, (unit, subject, against))
    return Conclusion(kind, words, figures)


def kind_of(figures: Mapping[str, float], thresholds: Mapping[str, float]) -> Kind:
    """The rule, from the figures of a conclusion. Every condition holds at both ends of its interval.

    1. `clearly` of the futures gain, and so does their mean: clearly better. For a loss: clearly worse.
    2. Else, in `spread` of the futures gain or loss is small: roughly equal.
    3. Else, `probably` of the futures gain, and so does their mean: probably better. For a loss: worse.
    4. Else it is uncertain.
    """
    gains, loses = figures["mean_low"] > 0, figures["mean_high"] < 0
    if gains and figures["probability_low"] >= thresholds["clearly"]:
        return "clearly better"
    if loses and figures["worse_low"] >= thresholds["clearly"]:
        return "clearly worse"
    if figures["small_low"] >= thresholds["spread"]:
        return "roughly equal"
    if gains and figures["probability_low"] >= thresholds["probably"]:
        return "probably better"
    if loses and figures["worse_low"] >= thresholds["probably"]:
        return "probably worse"
    return "uncertain"


def other_kinds(
    improvements: Floats,
    weights: Floats,
    size: float,
    thresholds: Mapping[str, float],
    draws: int | None = None,
) -> dict[str, Kind]:
    """What the words would be with one threshold at an end of its disputed range, where they differ.

    By `name = value`; empty when the words do not hang on a threshold. Arguments as for `conclude`.
    """
    count = draws or len(improvements)
    usual = kind_of(_figures(improvements, weights, size, thresholds, count), thresholds)
    found: dict[str, Kind] = {}
    for one in known_thresholds().values():
        for value in (one.low, one.high):
            changed = {**thresholds, one.name: value}
            kind = kind_of(_figures(improvements, weights, size, changed, count), changed)
            if kind != usual:
                found[f"{one.name} = {value:g}"] = kind
    return found


def worth_table(
    contrasts: Sequence[Contrast],
    gains: Floats,
    moved: Sequence[tuple[float, float]],
    scenarios: Scenarios,
    thresholds: Mapping[str, float],
) -> DataFrame:
    """Is every decision worth it, with all that is uncertain at once? For the words: `worth_words`.

    Parameters
    ----------
    contrasts, gains : (contrast,) and (contrast, scenario), of `contrast_gains`
    moved : (contrast,), the money that each moves, of `money_moved`: net, and all moves
    thresholds : as for `conclude`

    Returns
    -------
    table with columns contrast, decision, kind, hangs_on (thresholds that would give other words), spent (net
    money), draws, and the figures of `Conclusion`.
    """
    import pandas as pd

    rows, weights, draws = [], scenarios.weights, len(np.unique(scenarios.draw))
    for one, values, (spent, size) in zip(contrasts, gains, moved, strict=True):
        figures = _figures(values, weights, size, thresholds, draws)
        hangs_on = said_changes(other_kinds(values, weights, size, thresholds, draws))
        row = {"contrast": one.kind, "decision": one.decision, "kind": kind_of(figures, thresholds)}
        rows.append({**row, "hangs_on": hangs_on, "spent": spent, "draws": draws, **figures})
    return pd.DataFrame(rows)


def said_changes(others: Mapping[str, Kind]) -> str:
    """What `other_kinds` found, as one text."""
    return "; ".join(f"{change}: {kind}" for change, kind in others.items())


def worth_words(
    row: Mapping[str, Any], thresholds: Mapping[str, float], language: str, unit: str, decision: str
) -> str:
    """What may be said of a row of `worth_table`: its kind, how sure, how much, and for how much money.

    `unit` and `decision` are what readers see for the objective's unit and for the decision.
    """
    spent, size = float(row["spent"]), float(row["size"])
    money = np.isfinite(spent)
    which = row["contrast"] if money else f"{row['contrast']} without money"
    subject, against = (
        _text(f"{part} of {which}", language, decision=decision) for part in ("subject", "against")
    )
    said = _words(row["kind"], row, thresholds, language, (unit, subject, against))
    if not money:
        return said
    way = "shifts" if abs(spent) < EVEN * size else "costs" if spent > 0 else "saves"
    amount = size if way == "shifts" else abs(spent)
    return f"{said} {_text(way, language, money=number(amount, language), unit=unit)}"


def _figures(
    improvements: Floats, weights: Floats, size: float, thresholds: Mapping[str, float], draws: int
) -> dict[str, float]:
    known, confidence = np.isfinite(improvements), thresholds["confidence"]
    small = np.abs(improvements) <= thresholds["small"] * size
    found = {"failed": float(weights[~known].sum() / weights.sum()), "size": size}
    for name, yes in (("probability", improvements > 0), ("worse", improvements < 0), ("small", small)):
        found |= _named(name, probability(yes, known, weights, draws, confidence))
    sound = round(draws * float(known.mean()))  # draws that failed tell nothing of the mean
    return found | _amounts(improvements[known], weights[known], thresholds, sound)


def _named(name: str, found: Probability) -> dict[str, float]:
    return {name: found.share, f"{name}_low": found.low, f"{name}_high": found.high}


def _amounts(
    values: Floats, weights: Floats, thresholds: Mapping[str, float], draws: int
) -> dict[str, float]:
    """The mean with its interval, and between which values most of the futures lie."""
    from scipy.special import ndtri

    if not len(values):
        return dict.fromkeys(("mean", "mean_low", "mean_high", "error", *POINTS), np.nan)
    mean = float(np.average(values, weights=weights))
    variance = float(np.average((values - mean) ** 2, weights=weights))
    error = float(np.sqrt(variance / max(draws - 1, 1)))
    half = float(ndtri((1 + thresholds["confidence"]) / 2)) * error
    tail = (1 - thresholds["spread"]) / 2
    points = zip(POINTS, quantiles(values, weights, [0.1, 0.9, tail, 1 - tail]), strict=True)
    return {"mean": mean, "mean_low": mean - half, "mean_high": mean + half, "error": error, **dict(points)}


def turning(rows: DataFrame) -> dict[str, Any] | None:
    """The break-even value that is likeliest to turn a decision round; None when nothing does in its range.

    Parameters
    ----------
    rows : those of one contrast and one decision in the table of `break_even`

    Returns
    -------
    that row of the table, with `chance_turns`: how much of the distribution lies on its other side, and is
    worth it, or not, as the central value is not. Of equal chances the place nearest to the central value.
    """
    inside = rows[rows["inside"] & rows["break_even"].notna()]
    worth = bool((rows["gain_central"] > 0).any())
    below = inside["break_even"] <= inside["central"]  # a place that the central value has passed already
    inside = inside[(inside["worth"] == "above") == (below == worth)]  # is none that turns it round
    if inside.empty:
        return None
    lost = inside["share_below"].where(inside["worth"] == "above", 1 - inside["share_below"])
    whole = inside["chance_not_worth"] if worth else 1 - inside["chance_not_worth"]
    alone = lost if worth else 1 - lost  # of each end alone: a constant may have others
    chances = alone.where(~(whole < alone), whole)  # beyond an end it may turn back
    likeliest = inside[chances >= chances.max() - SAME]
    place = (likeliest["break_even"] - likeliest["central"]).abs().idxmin()
    return {**inside.loc[place].to_dict(), "chance_turns": float(chances[place])}


def condition(rows: DataFrame, language: str, names: Mapping[str, str] | None = None) -> str:
    """What would have to be true, in words; nothing when no constant was looked at.

    Parameters
    ----------
    rows : as for `turning`
    language : `nl` or `en`
    names : what readers see for the names of constants
    """
    if rows.empty:
        return ""
    worth, found = float(rows["gain_central"].iloc[0]) > 0, turning(rows)
    if found is None:
        return _turns_nothing(rows, worth, language, names or {})
    said = _text(
        f"{'stays' if worth else 'becomes'} worth {found['worth']}",
        language,
        constant=(names or {}).get(found["constant"], found["constant"]),
        chance=times(found["chance_turns"], language),
        **_level_said(found, language),
    )
    if found.get("no_number", 0.0) > 0:
        said = f"{said} {_text('no number', language, share=times(found['no_number'], language))}"
    return said.replace("  ", " ").replace(" .", ".")


def _turns_nothing(rows: DataFrame, worth: bool, language: str, names: Mapping[str, str]) -> str:
    """What is known where no place is known that turns it round."""

    def listed(chosen: Any) -> str:
        return "; ".join(names.get(name, name) for name in dict.fromkeys(rows[chosen]["constant"]))

    if rows["inside"].any():
        return _text("worth unseen", language, constants=listed(rows["inside"]))
    said, silent = _text("worth everywhere" if worth else "worth nowhere", language), rows["no_number"] > 0
    more = f" {_text('no number of', language, constants=listed(silent))}" if silent.any() else ""
    return said + more


def _level_said(found: Mapping[str, Any], language: str) -> dict[str, str]:
    """A break-even value with the range and the value used; years of the calendar as they are written."""
    low, high, unit = found["low"], found["high"], str(found["unit"])
    calendar, decimals = is_calendar(unit, low, high), level_decimals(low, high, unit)
    said = {"value": number(found["break_even"], language, decimals, marks=not calendar)}
    for key, column in {"central": "central", "from": "low", "to": "high"}.items():
        own = own_decimals(found[column], decimals)
        said[key] = number(found[column], language, own, marks=not calendar)
    return {**said, "unit": "" if calendar or unit.lower() == "dmnl" else unit}


def _words(
    kind: Kind,
    figures: Mapping[str, float],
    thresholds: Mapping[str, float],
    language: str,
    said: tuple[str, str | None, str | None],
) -> str:
    unit, subject, against = said
    subject, against = subject or _text("subject", language), against or _text("against", language)
    if figures["failed"] >= 1.0:
        inside = subject[:1].lower() + subject[1:]
        doubt = _text("uncertain", language, subject_inside=inside, against=against)
        return f"{doubt} {_text('nothing', language)}"
    named = {
        "subject": subject[:1].upper() + subject[1:],
        "subject_inside": subject[:1].lower() + subject[1:],
    }
    sentences = [
        _text(kind, language, against=against, **named),
        _text("probability", language, **_sampled(figures, language)),
        _text(
            "amount",
            language,
            unit=unit,
            spread=times(thresholds["spread"], language),
            **_amounts_said(figures, language),
        ),
    ]
    if figures["failed"] > 0:
        sentences.append(_text("failed", language, failed=times(figures["failed"], language)))
    return " ".join(sentences)


def _sampled(figures: Mapping[str, float], language: str) -> dict[str, str]:
    keys = {"times": "probability", "low": "probability_low", "high": "probability_high"}
    return {name: times(figures[key], language) for name, key in keys.items()}


def _amounts_said(figures: Mapping[str, float], language: str) -> dict[str, str]:
    """The mean and the ends with at most three digits, and no more than the sample can tell."""
    amounts = {key: figures[key] for key in ("mean", "from", "to")}
    decimals = range_decimals(0.0, max(map(abs, amounts.values())))
    known = known_decimals(figures["error"])
    decimals = decimals if known is None else min(decimals, known)
    return {key: number(value, language, decimals) for key, value in amounts.items()}


def times(share: float, language: str) -> str:
    """A share as a number out of 100; never 0 or 100 for what is not quite so."""
    times = 100 * share
    if EXACT < share < 0.01 or 0.99 < share < 1 - EXACT:
        return _text("hardly any" if times < 1 else "nearly all", language)
    return f"{half_away(times, 0):.0f}"


def number(value: float, language: str, decimals: int | None = None, *, marks: bool = True) -> str:
    """A number with so many decimals, or three digits that count, with the language's own separators.

    Without `marks` thousands are not marked.
    """
    if value == 0 or not np.isfinite(value):
        return f"{value:.0f}".replace("-", "")
    places = max(0, 2 - int(np.floor(np.log10(abs(value))))) if decimals is None else decimals
    text = f"{half_away(value, places):,.{places}f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    text = text if marks else text.replace(",", "")
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


@cache
def _table() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("words.csv").read_text(encoding="utf-8")
    return {row["key"]: row for row in csv.DictReader(text.splitlines())}


def _text(key: str, language: str, **values: str) -> str:
    """The text of a key, with values filled in; values are data and are never expanded again."""
    return _table()[key][language].format(**values)


def threshold_table(thresholds: Mapping[str, float]) -> DataFrame:
    """What the words turn on: name, value (used), usual, low, high, unit, source, status, note."""
    import pandas as pd

    rows = [
        {"name": one.name, "value": thresholds[one.name], "usual": one.value, "low": one.low,
         "high": one.high, "unit": one.unit, "source": one.source, "status": one.status, "note": one.note}
        for one in known_thresholds().values()
    ]  # fmt: skip
    return pd.DataFrame(rows)
