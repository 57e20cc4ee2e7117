"""Write the national back-test into docs/calibration.md, between its two marks.

    python models/write_backtest.py

Fits the four configs in configs/calibration, which takes about a minute. A test makes the same text again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sdopt.calibrate.fit import Fit, fit
from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.question import build_question
from sdopt.calibrate.schema import Fitted
from sdopt.export.calibration import cannot_lines
from sdopt.export.calibration_tables import grouped
from sdopt.export.labels import Labels
from sdopt.source_model.read import read_model

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "calibration.md"
CONFIGS = ("national-return", "national-bijstand", "national-wmo", "national-youth")
START, END = "<!-- back-test: written by models/write_backtest.py -->\n", "<!-- end of the back-test -->\n"
BOUNDS = {"short": (0.2, 0.8), "medium": (0.1, 0.5), "long": (0.03, 0.2)}
VARIANTS = (("short",), ("medium",), ("long",), ("short", "medium", "long"))


def national_fit(name: str, hazards: tuple[str, ...] = ()) -> Fit:
    """The fit of one config; with `hazards` these exit hazards are fitted beside the inflow."""
    loaded = load_calibration(ROOT / "configs" / "calibration" / f"{name}.yaml")
    if hazards:
        asked = {"total inflow at start": loaded.config.fit["total inflow at start"]}
        asked |= {f"exit hazard {group}": Fitted(bounds=BOUNDS[group]) for group in hazards}
        loaded = replace(loaded, config=loaded.config.model_copy(update={"fit": asked}))
    system = read_model(loaded.config.model.file).system
    return fit(build_question(loaded, system), lambda *_: None)


def page(text: str, fits: dict[str, Fit], variants: dict[tuple[str, ...], Fit]) -> str:
    """The text of the page with the back-test in it as these fits make it."""
    before, after = text.index(START) + len(START), text.index(END)
    parts = [line for name in CONFIGS for line in section(name, fits[name])]
    return text[:before] + "\n".join(["", *parts, *variant_lines(variants), ""]) + text[after:]


def section(name: str, found: Fit) -> Iterator[str]:
    """One config: what was fitted, what cannot be, the fitted points, and the test points apart."""
    yield f"### `configs/calibration/{name}.yaml`"
    yield ""
    yield from constants(found)
    yield ""
    said = cannot_lines(found, Labels("en"))
    yield "Cannot be fitted: " + ("; ".join(said) if said else "nothing that was asked") + "."
    for use, title in (("fit", "Fitted"), ("test", "Out of sample: no part in the fit")):
        yield ""
        yield f"**{title}**"
        yield ""
        yield from point_rows(found, use)
    yield ""
    yield from measure_rows(found)
    yield from projection_rows(found)


def constants(found: Fit) -> Iterator[str]:
    """The fitted constants with their 95 % interval."""
    known = found.identification
    fitted = sum(point.use == "fit" for point in found.question.points)
    yield f"{fitted} points fitted, {known.freedom} more than what they determine; {found.agreeing} of "
    yield f"{len(found.starts)} starts agree."
    yield ""
    yield "| Constant | Before | Fitted | 95 % interval | Unit | |"
    yield "|---|---:|---:|---|---|---|"
    for k, one in enumerate(found.question.fitted):
        half = known.quantile * float(known.standard_errors[k])
        value = float(found.values[k])
        interval = "none" if half != half else f"{number(value - half)} to {number(value + half)}"
        state = known.states[k].replace("_", " ")
        yield f"| {one.name} | {number(one.value)} | {number(value)} | {interval} | {one.unit} | {state} |"


def point_rows(found: Fit, use: str) -> Iterator[str]:
    """The points of one use: observed, and the error before and after the fit."""
    yield "| Series | Time | Observed | Error before the fit | Error | Rows | |"
    yield "|---|---:|---:|---:|---:|---|---|"
    for k, point in enumerate(found.question.points):
        if point.use != use:
            continue
        errors = [percent(float(values[k]) / point.target - 1) for values in (found.before, found.after)]
        cells = (point.series, f"{point.time:g}", number(point.value), *errors, point.source, point.note)
        yield f"| {' | '.join(cells)} |"


def measure_rows(found: Fit) -> Iterator[str]:
    """MAPE and Theil's U where a group has five points; a sentence where none has."""
    groups = [(group, group.measures) for group in grouped(found) if group.measures is not None]
    if not groups:
        yield "No group has five points, so there is no MAPE and no Theil's U."
        yield ""
        return
    yield "| Series | Points | MAPE | Theil's U | Bias | Variance | Covariance |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for group, m in groups:
        use = {"before": "all, before the fit", "fit": "fitted", "test": "out of sample"}[group.use]
        parts = " | ".join(f"{100 * part:.0f} %" for part in (m.bias, m.variance, m.covariance))
        yield f"| {group.series} | {m.points}, {use} | {100 * m.mape:.1f} % | {m.theil_u:.3f} | {parts} |"
    yield ""


def projection_rows(found: Fit) -> Iterator[str]:
    """Projections, which are not tested."""
    for point in found.question.projections:
        yield f"Projection, not tested: {point.series}, {point.time:g}: {point.value:g} ({point.source}; "
        yield f"{point.note})."
        yield ""


def variant_lines(variants: dict[tuple[str, ...], Fit]) -> Iterator[str]:
    """What comes of other choices of the hazard that is fitted: errors of some test points."""
    wanted = {
        "people on bijstand at the end of the year": 2025,
        "outflow from bijstand without state pension": 2023,
        "outflow in the first year": 2023,
        "outflow after one to five years": 2023,
        "outflow after five years or more": 2023,
    }
    yield "### Which exit hazard is fitted decides where the error shows"
    yield ""
    yield "Errors out of sample when another hazard is fitted beside the inflow, on the same four points."
    yield ""
    yield f"| Fitted hazards | {' | '.join(wanted)} | At a bound or not identified |"
    yield "|---|" + "---:|" * len(wanted) + "---|"
    for hazards, found in variants.items():
        errors = {(g.series, t): e for g in grouped(found) if g.use == "test"
                  for t, e in zip(g.times, g.errors, strict=True)}  # fmt: skip
        cells = [percent(errors[(series, time)]) for series, time in wanted.items()]
        states = zip(found.question.fitted, found.identification.states, strict=True)
        vague = ", ".join(one.name for one, state in states if state != "identified") or "none"
        yield f"| {', '.join(hazards)} | {' | '.join(cells)} | {vague} |"


def percent(share: float) -> str:
    """A relative error; what rounds to zero has no minus."""
    return f"{round(100 * share, 1) + 0.0:+.1f} %"


def number(value: float) -> str:
    """Four digits, with thousands separated."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def main() -> None:
    """Fit, and write the page."""
    fits = {name: national_fit(name) for name in CONFIGS}
    variants = {hazards: national_fit("national-bijstand", hazards) for hazards in VARIANTS}
    text = page(PAGE.read_text(encoding="utf-8"), fits, variants)
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
