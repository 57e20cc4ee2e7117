"""The report in a real browser, as readers open it: from a file, wide and narrow, light and dark, printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.desktop]

KINDS = ("example", "explained", "sweep", "robust")
NOT_DRAWN = "figure.chart:not([data-drawn])"
EVERY_LOOK = [*product((1280, 390), ("light", "dark"))]
Pages = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    assert chromium, "Chromium is absent. Install it: apt-get install --no-install-recommends chromium"
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def opened(browser: Any, path: Path, width: int = 1280, theme: str = "light", **more: Any) -> Iterator[Any]:
    """A page with all its charts, without an error on the console, that asked for nothing but itself."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **more)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    if more.get("java_script_enabled", True):
        for _ in range(page.locator(NOT_DRAWN).count()):
            page.locator(NOT_DRAWN).first.wait_for(state="detached", timeout=20_000)
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]


@pytest.mark.parametrize(("kind", "language"), [*product(KINDS, ("nl",)), ("example", "en")])
def test_it_opens_in_silence_and_is_accessible(browser: Any, pages: Pages, kind: str, language: str) -> None:
    with opened(browser, pages(kind, language)) as page:
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"{kind} {language}: first contentful paint after {paint:.0f} ms")
        for width, theme in EVERY_LOOK if kind == "example" else EVERY_LOOK[::3]:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(500)  # charts are drawn again for another width
            if (width, theme) in EVERY_LOOK[::3]:  # both widths and both themes
                assert serious(page) == [], (width, theme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def serious(page: Any) -> list[tuple[str, str]]:
    """What axe finds that keeps people out: rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], node["html"][:200]) for one in bad for node in one["nodes"]]


@pytest.mark.parametrize("kind", ("explained", "sweep"))
def test_what_is_folded_is_accessible_too(browser: Any, pages: Pages, kind: str) -> None:
    with opened(browser, pages(kind, "nl"), 390, "dark") as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("kind", ["explained", "sweep"])
def test_hostile_names_do_nothing(browser: Any, pages: Pages, kind: str) -> None:
    with opened(browser, pages(kind, "nl")) as page:
        assert page.evaluate("window.hacked") is None
        marks = page.locator("svg path, svg text, svg rect")
        for place in range(0, min(marks.count(), 40), 5):
            marks.nth(place).dispatch_event("mousemove")
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 0


def test_the_keyboard_reaches_the_contents_and_every_wide_table(browser: Any, pages: Pages) -> None:
    with opened(browser, pages("example", "nl"), 390) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        wide = page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth + 1)"
            ".every(one => one.tabIndex === 0)"
        )
        assert wide


def test_charts_follow_the_theme_and_are_light_on_paper(browser: Any, pages: Pages) -> None:
    ink = "getComputedStyle(document.querySelector('figure.chart svg .role-axis-title text')).fill"
    with opened(browser, pages("example", "nl"), theme="light") as page:
        light = page.evaluate(ink)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(ink) != light
        page.emulate_media(color_scheme="dark", media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(17, 24, 32)"
        assert page.evaluate(ink) == "rgb(17, 24, 32)"


def test_numbers_in_charts_are_written_as_in_the_language(browser: Any, pages: Pages) -> None:
    for language, mark in (("nl", ","), ("en", ".")):
        with opened(browser, pages("example", language)) as page:
            texts = page.locator("figure#figure-pockets svg text").all_text_contents()
            numbers = [text for text in texts if re.fullmatch(r"[-+\u2212]?\d[\d.,]*", text)]
            assert [text for text in numbers if mark in text]
            assert not [text for text in numbers if {",": ".", ".": ","}[mark] in text]


@pytest.mark.parametrize("kind", KINDS)
def test_printing_gives_a_document_with_all_of_it(
    browser: Any, pages: Pages, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "report.pdf"
    with opened(browser, pages(kind, "nl")) as page:
        heading = page.locator("#advice .lead, #advice .quoted, #robust li").first.inner_text()
        titles = page.locator("section h2").all_inner_texts()
        page.pdf(path=target, prefer_css_page_size=True)
        assert page.locator("details[open]").count() == 0  # as it was before printing
    done = subprocess.run(["pdftotext", "-layout", target, "-"], capture_output=True, check=True)
    text = " ".join(done.stdout.decode("utf-8").split())
    assert all(" ".join(title.split()) in text for title in titles)
    words = " ".join(heading.split())[:60]
    assert words.replace("\u00a0", " ") in text
    folded = {"example": "What the municipality spends today", "robust": "Startgetal van het toeval"}
    assert folded.get(kind, "Startgetal van het toeval") in text  # stands in what is folded on the screen
    info = subprocess.run(["pdfinfo", target], capture_output=True, text=True, check=True).stdout
    assert "A4" in info


def test_without_scripts_all_words_and_tables_are_there(browser: Any, pages: Pages) -> None:
    with opened(browser, pages("example", "nl"), java_script_enabled=False) as page:
        assert page.locator("section").count() > 8
        assert page.locator("figure.chart details table").count() == page.locator("figure.chart").count()
