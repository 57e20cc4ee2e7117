"""The look that all figures share, on a light and on a dark background, and numbers by language."""

from __future__ import annotations

from typing import Any

FONT = "Sdopt Sans, DejaVu Sans, Verdana, sans-serif"
"""The first is our own copy of the second, see fonts/LICENCE.txt; the third is as wide, where neither is."""
LIGHT = {"ink": "#1A1A1A", "soft": "#555555", "line": "#DDDDDD", "ground": "#FFFFFF"}
DARK = {"ink": "#F2F2F2", "soft": "#BDBDBD", "line": "#3D4248", "ground": "#16191D"}


def theme(dark: bool) -> dict[str, Any]:
    """The Vega-Lite config: colours of text, axes and lines; the background is that of the page."""
    ink = DARK if dark else LIGHT
    text = {"labelColor": ink["soft"], "titleColor": ink["ink"]}
    return {
        "background": None,
        "font": FONT,
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": ink["line"],
            "domainColor": ink["soft"],
            "tickColor": ink["soft"],
            "labelOverlap": True,
        },
        "header": {
            **text,
            "labelFontSize": 11,
            "labelFontWeight": "bold",
            "labelLineHeight": 13,
            "labelColor": ink["ink"],
            "title": None,
        },
        "legend": {
            **text,
            "labelColor": ink["ink"],
            "orient": "bottom",
            "direction": "horizontal",
            "columns": 3,
            "layout": {"bottom": {"direction": "vertical", "anchor": "start", "margin": 4}},
            "labelFontSize": 11,
            "labelLimit": 260,
            "symbolSize": 120,
            "symbolStrokeWidth": 2,
            "symbolOpacity": 1,
            "title": None,
        },
        "title": {"color": ink["ink"], "subtitleColor": ink["soft"], "anchor": "start", "fontSize": 15},
        "text": {"color": ink["ink"], "fontSize": 11},
        "rule": {"color": ink["soft"], "strokeWidth": 1},
        "line": {"strokeWidth": 2.5},
        "bar": {"stroke": ink["soft"], "strokeWidth": 0.5},
        "facet": {"spacing": 18},
    }


def number_locale(language: str) -> dict[str, Any]:
    """How d3 writes numbers in a language: for `vega.formatLocale`, and for pictures."""
    marks = {"nl": (",", "."), "en": (".", ",")}[language]
    return {"decimal": marks[0], "thousands": marks[1], "grouping": [3], "currency": ["€\u00a0", ""]}
