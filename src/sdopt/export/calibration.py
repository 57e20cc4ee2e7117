"""`sdopt calibrate`: fit, and write a new folder with tables, report and picture; never over the input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite, isnan
from pathlib import Path
from typing import Any

from sdopt.calibrate.fit import Fit, fit
from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.question import build_question
from sdopt.config.sheets.source import source_of
from sdopt.export.calibration_tables import calibration_tables, grouped, named_weights
from sdopt.export.folder import as_json, check_writable, flush, write_found
from sdopt.export.labels import Labels
from sdopt.export.provenance import run_facts, table_hash, versions
from sdopt.export.tables import write_csv
from sdopt.source_model.read import SourceModel, read_model

NUMBERS = 4
"""Significant digits of a constant in a sentence."""
SENTENCES = {"no_effect": "say_no_effect", "at_bound": "say_at_bound"}
"""State of a constant -> label that says it in a sentence."""
USES = {"fit": "use_fit", "test": "use_test", "before": "use_before"}
"""Use of a group of points -> its label."""


def calibrate(path: Path, output: Path | None) -> tuple[Fit, Path]:
    """Fit what a calibration config asks, and write a new folder; returns both.

    Parameters
    ----------
    output : folder that gets a new folder; the one of the config when None

    Raises
    ------
    ConfigError
        If the config, the observed table or the constants table is wrong.
    ModelError, OptimisationError, ExportError
        If the model cannot be read, no start gives a run, or the folder cannot be written.
    """
    started = datetime.now(UTC)
    loaded = load_calibration(path)
    root = output or loaded.config.output.directory
    check_writable(root)
    model = read_model(loaded.config.model.file)
    found = fit(build_question(loaded, model.system), _progress)
    folder = write_found(
        root, loaded.config.title, lambda folder: _write_files(found, model, folder, started)
    )
    return found, folder


def _progress(done: int, total: int, squares: float) -> None:
    """One line on the terminal; silent when not a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\rstart {done} of {total}  sum of squares {squares:.6g}{end}")
        sys.stderr.flush()


def _write_files(found: Fit, model: SourceModel, folder: Path, started: datetime) -> None:
    from sdopt.export.figures.calibration import calibration_figures
    from sdopt.export.figures.pictures import draw_into

    loaded = found.question.loaded
    labels = Labels(loaded.config.output.language)
    write_csv(calibration_tables(found), folder)
    text = "\n".join(report_lines(found, labels)) + "\n"
    for name, content in (("report.txt", text), ("config.yaml", loaded.text)):
        (folder / name).write_bytes(content.encode("utf-8", "replace"))
    observed = source_of(loaded.config.observed.file).file
    (folder / f"observed{observed.suffix.lower()}").write_bytes(observed.read_bytes())
    draw_into(folder, calibration_figures(found, labels), labels)
    facts = as_json({**_facts(found, model), **run_facts(started)})
    (folder / "run.json").write_bytes(facts.encode("utf-8"))
    flush(folder)


def _facts(found: Fit, model: SourceModel) -> dict[str, Any]:
    """What run.json holds beside when and where."""
    loaded, table = found.question.loaded, found.question.loaded.config.model.constants
    return {
        "title": loaded.config.title,
        "model_file": model.path.name,
        "model_hash": model.sha256,
        "constants_hash": table_hash(table) if table else None,
        "observed_file": loaded.config.observed.file.name,
        "observed_hash": table_hash(loaded.config.observed.file),
        "config_hash": loaded.sha256,
        "seed": loaded.config.search.seed,
        "starts": len(found.starts),
        "starts_that_agree": found.agreeing,
        "sum_of_squares": found.squares,
        "degrees_of_freedom": found.identification.freedom,
        "versions": versions(),
    }


def report_lines(found: Fit, labels: Labels) -> Iterator[str]:
    """The fit in sentences, in the language of the labels: what was found, and what cannot be fitted."""
    question = found.question
    uses = [point.use for point in question.points]
    yield question.loaded.config.title
    yield ""
    yield labels(
        "calibrate.points",
        fit=uses.count("fit"),
        test=uses.count("test"),
        projection=len(question.projections),
        freedom=found.identification.freedom,
    )
    yield labels("calibrate.starts", agree=found.agreeing, starts=len(found.starts))
    yield ""
    yield labels("calibrate.constants")
    yield from (f"- {line}" for line in _constant_lines(found, labels))
    yield ""
    yield labels("calibrate.cannot")
    yield from (f"- {line}" for line in cannot_lines(found, labels) or [labels("calibrate.nothing")])
    yield ""
    yield labels("calibrate.errors")
    yield from (f"- {line}" for line in _error_lines(found, labels))
    if question.projections:
        yield ""
        yield labels("calibrate.projections")


def _constant_lines(found: Fit, labels: Labels) -> Iterator[str]:
    for k, one in enumerate(found.question.fitted):
        error = float(found.identification.standard_errors[k])
        yield labels(
            "calibrate.constant",
            name=one.name,
            value=_digits(found.values[k], labels),
            before=_digits(one.value, labels),
            unit=one.unit,
            error=labels("word.none") if isnan(error) else _digits(error, labels, 2),
            state=labels(f"calibrate.{found.identification.states[k]}"),
        )


def cannot_lines(found: Fit, labels: Labels) -> list[str]:
    """What cannot be fitted, in sentences: no effect, at a bound, or not to be told apart."""
    lines = []
    identification = found.identification
    for one, state in zip(found.question.fitted, identification.states, strict=True):
        if state in SENTENCES:
            lines.append(labels(f"calibrate.{SENTENCES[state]}", name=one.name))
    for direction in identification.directions:
        if direction.identified:
            continue
        parts = named_weights(found, direction)
        combination = " ".join(f"{labels.number(w, 2, sign=True)} x {name}" for name, w in parts)
        blind = "say_apart" if len(parts) > 1 else "say_alone"
        kind = "say_vague" if isfinite(direction.standard_error) else blind
        lines.append(
            labels(
                f"calibrate.{kind}",
                combination=combination,
                names=", ".join(name for name, _ in parts),
                error=_digits(direction.standard_error, labels, 2),
            )
        )
    if isnan(identification.deviation):
        lines.append(labels("calibrate.say_no_freedom"))
    return lines


def _error_lines(found: Fit, labels: Labels) -> Iterator[str]:
    """Per series: the measures, or below five points the error of each; fitted and test points apart."""
    for group in grouped(found):
        measures, use = group.measures, labels(f"calibrate.{USES[group.use]}")
        where = {"series": group.series, "use": use, "points": len(group.times)}
        if measures is None:
            pairs = zip(group.times, group.errors, strict=True)
            errors = ", ".join(
                f"{_digits(time, labels, 6)}: {_share(error, labels, sign=True)}" for time, error in pairs
            )
            yield labels("calibrate.few", errors=errors, **where)
            continue
        parts = {key: _share(getattr(measures, key), labels) for key in ("bias", "variance", "covariance")}
        mape, theil = _share(measures.mape, labels), labels.number(measures.theil_u, 4)
        yield labels("calibrate.many", mape=mape, theil=theil, **parts, **where)


def _digits(value: float, labels: Labels, digits: int = NUMBERS) -> str:
    """A number with some significant digits, with the decimal mark of the language."""
    text = f"{value:.{digits}g}"
    return text.replace(".", ",") if labels.language == "nl" else text


def _share(value: float, labels: Labels, *, sign: bool = False) -> str:
    """A share in words; none where there is no number."""
    return labels("word.none") if isnan(value) else labels.share(value, sign=sign)


def describe_fit(found: Fit, folder: Path) -> str:
    """What the command line prints."""
    return "\n".join([*report_lines(found, Labels("en")), "", f"results  {folder}"])
