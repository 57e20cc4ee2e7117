"""How long a report takes to make and to show, and its size: `python benchmarks/report.py RESULTS ...`.

The first paint needs Chromium and the extra `browser`; without them only making it is measured.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sdopt.export.formats import read_results
from sdopt.export.report import report_html

TIMES = 3


def made(folder: Path) -> tuple[str, float]:
    """The page of a results folder, and the least seconds of a few times."""
    result, least, page = read_results(folder), float("inf"), ""
    for _ in range(TIMES):
        begun = perf_counter()
        page = report_html(result)
        least = min(least, perf_counter() - begun)
    return page, least


def shown(browser: Any, path: Path) -> tuple[float, float]:
    """Seconds until something is to be seen, and until the last chart is there."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    while page.locator("figure.chart:not([data-drawn])").count():
        page.wait_for_timeout(20)
    paint, now = page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]"
    )
    page.close()
    return paint / 1000, now / 1000


def measure(folders: list[Path], browser: Any = None) -> None:
    """Print a line per results folder."""
    with TemporaryDirectory() as place:
        for folder in folders:
            page, seconds = made(folder)
            path = Path(place) / "report.html"
            size = path.write_bytes(page.encode()) / 1e6
            said = f"{folder.name}: made in {seconds:.2f} s, {size:.2f} MB"
            if browser is not None:
                paint, charts = shown(browser, path)
                said += f", first paint after {paint:.2f} s, all charts after {charts:.2f} s"
            print(said)


def main(folders: list[Path]) -> None:
    """Measure with a browser where there is one."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        measure(folders)
        return
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        measure(folders, browser)
        browser.close()


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or [Path(__file__).parents[1] / "results" / "voorbeeld"])
