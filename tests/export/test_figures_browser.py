"""Figures in a real browser: they fit a phone and a projector, and the keyboard reaches their choices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from sdopt.export.figures import figures_of, number_locale, theme
from sdopt.export.figures.figure import VEGA_LITE
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
const told = JSON.parse(document.getElementById("told").textContent);
Promise.all(told.specs.map((spec, number) => {
  const place = document.createElement("div");
  document.body.append(place);
  const look = {config: told.config, formatLocale: told.locale};
  const options = {renderer: "svg", actions: false, ast: true, ...look};
  return vegaEmbed(place, fitFigure(spec, place.clientWidth), options);
})).then(() => { document.title = "drawn"; });
"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every figure of the worked example on one page, with nothing but the library and fit.js."""
    labels = Labels("nl")
    figures = figures_of(read_results(ROOT / "results" / "voorbeeld"), labels)
    told = {"specs": [one.spec for one in figures], "config": theme(dark=True), "locale": number_locale("nl")}
    library = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    fit = files("sdopt.export.figures").joinpath("fit.js").read_text(encoding="utf-8")
    data = json.dumps(told).replace("<", "\\u003c")
    script = f"{library}\n{fit}\n{SCRIPT}".replace("</script", "<\\/script")
    path = tmp_path_factory.mktemp("één map") / "figures.html"
    path.write_text(
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<style>body{margin:10px;background:#16191d}body>div{width:100%}</style>"
        f'<script type="application/json" id="told">{data}</script><script type="module">{script}</script>',
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield opened
        opened.close()


def opened_page(browser: Any, path: Path, width: int) -> tuple[Any, list[str]]:
    page, said = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda request: said.append(request.url) if "figures.html" not in request.url else None
    )
    page.goto(path.as_uri())
    page.wait_for_function("document.title === 'drawn'", timeout=30_000)
    return page, said


@pytest.mark.desktop
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_figures_fit_their_place_and_say_nothing_on_the_console(
    browser: Any, page_file: Path, width: int
) -> None:
    page, said = opened_page(browser, page_file, width)
    assert said == []
    sizes = page.evaluate("[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().right)")
    assert len(sizes) == len(figures_of(read_results(ROOT / "results" / "voorbeeld"), Labels("nl")))
    assert max(sizes) <= width
    assert max(sizes) >= 0.8 * width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.desktop
def test_the_keyboard_chooses_a_decision(browser: Any, page_file: Path) -> None:
    page, said = opened_page(browser, page_file, 900)
    bars = "document.querySelectorAll('div:nth-of-type(1) .mark-rect.role-mark path').length"
    before = page.evaluate(bars)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SELECT":
            break
    assert page.evaluate("document.activeElement.tagName") == "SELECT"
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(500)
    after = page.evaluate(bars)
    assert 0 < after < before
    assert page.evaluate("document.activeElement.selectedOptions[0].textContent") == "Preventie"
    assert said == []
