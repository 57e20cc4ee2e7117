"""The figure of a fit: observed points as given, and lines that are the true run where that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdopt.calibrate.fit import Fit
from sdopt.export.figures import draw
from sdopt.export.figures.calibration import calibration_figures
from sdopt.export.labels import Labels

Make, Points = Callable[..., Path], Callable[..., list[str]]
NL = Labels("nl")


def of_kind(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["kind"] == NL(f"calibrate.{key}")]


def test_points_and_lines_of_every_series(make: Make, points: Points, fitted: Callable[[Path], Fit]) -> None:
    """A fit without noise finds the true constants, so its lines go through the points."""
    lines = points()
    (figure,) = calibration_figures(fitted(make(lines)), NL)
    rows = figure.spec["data"]["values"]
    given = [line.split(",") for line in lines]
    drawn = {use: of_kind(rows, f"dot_{use}") for use in ("fit", "test")}
    for use, own in drawn.items():
        assert [row["value"] for row in own] == [float(one[3]) for one in given if one[8] == use]
    assert len(drawn["fit"]) + len(drawn["test"]) == len(lines)
    after = {(row["head"], row["year"]): row["value"] for row in of_kind(rows, "line_after")}
    (clients,) = {head for head, _ in after if head.startswith("clients")}
    for row in drawn["fit"]:
        if row["head"] == clients:
            assert row["year"] == int(row["year"])  # a moment
            assert after[clients, row["year"]] == pytest.approx(row["value"], rel=1e-4)
        else:
            assert row["year"] % 1 == 0.5  # in the middle of its year
    before = {(row["head"], row["year"]): row["value"] for row in of_kind(rows, "line_before")}
    assert before.keys() == after.keys()
    assert before != after
    assert figure.key == "calibration"
    svg = draw.svg(figure, NL)
    assert all(NL(f"calibrate.{key}") in svg for key in ("line_before", "line_after", "dot_fit", "dot_test"))


def test_many_series_take_several_figures(make: Make, points: Points, fitted: Callable[[Path], Fit]) -> None:
    lines = points()
    more = [line.replace("clients", f"clients {k} <b>", 1) for k in range(8) for line in lines[:3]]
    first, second = calibration_figures(fitted(make([*lines, *more])), NL)
    assert (first.key, second.key) == ("calibration", "calibration_2")
    heads = [{row["head"] for row in one.spec["data"]["values"]} for one in (first, second)]
    assert [len(own) for own in heads] == [9, 2]
    assert "<b>" not in draw.svg(second, NL)
