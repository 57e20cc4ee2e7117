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
from sdopt.sweep.break_even import Contrast
from sdopt.sweep.information import Probability, probability
from sdopt.sweep.statistics import quantile
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]
Kind = Literal[
    "clearly better", "probably better", "roughly equal", "uncertain", "probably worse", "clearly worse"
]


@dataclass(frozen=True)
class Conclusion:
    """What may be said: `kind`, full sentences in `words`, and the `figures` that they follow from.

    Figures: probability (of a gain), probability_low, probability_high, worse, worse_low, worse_high (of a
    loss), small, small_low, small_high (of less than a small part of the money moved), mean, mean_low,
    mean_high, from, to (between which the threshold `spread` of the futures lies), size, failed (share).
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
    sizes: Sequence[float],
    scenarios: Scenarios,
    thresholds: Mapping[str, float],
    language: str,
    unit: str,
    names: Mapping[str, str] | None = None,
) -> DataFrame:
    """Is every decision worth it, with all that is uncertain at once?

    Parameters
    ----------
    contrasts, gains : (contrast,) and (contrast, scenario), of `contrast_gains`
    sizes : (contrast,), the money moved by each
    thresholds, language, unit : as for `conclude`
    names : what readers see for the names of decisions

    Returns
    -------
    table with columns contrast, decision, kind, words, hangs_on (thresholds that would give other words), and
    the figures of `Conclusion`.
    """
    import pandas as pd

    rows, weights, draws = [], scenarios.weights, len(np.unique(scenarios.draw))
    for one, values, size in zip(contrasts, gains, sizes, strict=True):
        decision = (names or {}).get(one.decision, one.decision)
        subject, against = (
            _text(f"{part} of {one.kind}", language, decision=decision) for part in ("subject", "against")
        )
        found = conclude(values, weights, size, thresholds, language,
                         draws=draws, unit=unit, subject=subject, against=against)  # fmt: skip
        others = other_kinds(values, weights, size, thresholds, draws)
        hangs_on = "; ".join(f"{change}: {kind}" for change, kind in others.items())
        row = {"contrast": one.kind, "decision": one.decision, "kind": found.kind, "words": found.words}
        rows.append({**row, "hangs_on": hangs_on, **found.figures})
    return pd.DataFrame(rows)


def _figures(
    improvements: Floats, weights: Floats, size: float, thresholds: Mapping[str, float], draws: int
) -> dict[str, float]:
    known, confidence = np.isfinite(improvements), thresholds["confidence"]
    small = np.abs(improvements) <= thresholds["small"] * size
    found = {"failed": float(weights[~known].sum() / weights.sum()), "size": size}
    for name, yes in (("probability", improvements > 0), ("worse", improvements < 0), ("small", small)):
        found |= _named(name, probability(yes, known, weights, draws, confidence))
    return found | _amounts(improvements[known], weights[known], thresholds, draws)


def _named(name: str, found: Probability) -> dict[str, float]:
    return {name: found.share, f"{name}_low": found.low, f"{name}_high": found.high}


def _amounts(
    values: Floats, weights: Floats, thresholds: Mapping[str, float], draws: int
) -> dict[str, float]:
    """The mean with its interval, and between which values most of the futures lie."""
    from scipy.special import ndtri

    if not len(values):
        return dict.fromkeys(("mean", "mean_low", "mean_high", "from", "to"), np.nan)
    mean = float(np.average(values, weights=weights))
    variance = float(np.average((values - mean) ** 2, weights=weights))
    half = float(ndtri((1 + thresholds["confidence"]) / 2)) * np.sqrt(variance / max(draws - 1, 1))
    tail = (1 - thresholds["spread"]) / 2
    ends = quantile(values, weights, tail), quantile(values, weights, 1 - tail)
    return {"mean": mean, "mean_low": mean - half, "mean_high": mean + half, "from": ends[0], "to": ends[1]}


def condition(rows: DataFrame, language: str, names: Mapping[str, str] | None = None) -> str:
    """What would have to be true, in words: the break-even value that is likeliest to turn a decision round.

    Parameters
    ----------
    rows : those of one contrast and one decision in the table of `break_even`
    language : `nl` or `en`
    names : what readers see for the names of constants
    """
    inside = rows[rows["inside"]]
    worth = float(rows["gain_central"].iloc[0]) > 0
    if inside.empty:
        return _text("worth everywhere" if worth else "worth nowhere", language)
    turning = inside["chance_not_worth"] if worth else 1 - inside["chance_not_worth"]
    row: dict[str, Any] = inside.loc[_nearest(inside, turning)].to_dict()
    outside = row["share_below"] if row["worth"] == "above" else 1 - row["share_below"]
    chance = outside if worth else 1 - outside  # of this end alone: there may be others
    numbers = {"value": row["break_even"], "central": row["central"], "from": row["low"], "to": row["high"]}
    return (
        _text(
            f"{'stays' if worth else 'becomes'} worth {row['worth']}",
            language,
            constant=(names or {}).get(row["constant"], row["constant"]),
            unit="" if row["unit"] == "Dmnl" else row["unit"],
            chance=_times(chance, language),
            **{key: number(value, language) for key, value in numbers.items()},
        )
        .replace("  ", " ")
        .replace(" .", ".")
    )


def _nearest(inside: DataFrame, turning: Any) -> Any:
    """Of the constants with the largest chance of turning: the place nearest to the central value."""
    likeliest = inside[turning == turning.max()]
    return (likeliest["break_even"] - likeliest["central"]).abs().idxmin()


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
            spread=_times(thresholds["spread"], language),
            **{key: number(figures[key], language) for key in ("mean", "from", "to")},
        ),
    ]
    if figures["failed"] > 0:
        sentences.append(_text("failed", language, failed=_times(figures["failed"], language)))
    return " ".join(sentences)


def _sampled(figures: Mapping[str, float], language: str) -> dict[str, str]:
    keys = {"times": "probability", "low": "probability_low", "high": "probability_high"}
    return {name: _times(figures[key], language) for name, key in keys.items()}


def _times(share: float, language: str) -> str:
    """A share as a number out of 100; never 0 or 100 for what is not quite so."""
    times = 100 * share
    if 0 < times < 1 or 99 < times < 100:
        return _text("hardly any" if times < 1 else "nearly all", language)
    return f"{times:.0f}"


def number(value: float, language: str) -> str:
    """Three digits that count, with the language's own separators."""
    if value == 0 or not np.isfinite(value):
        return f"{value:.0f}".replace("-", "")
    decimals = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
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
