"""The report in a real browser, as readers open it: from a file, wide and narrow, light and dark, printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sdopt.export.report.render import asset

pytestmark = [pytest.mark.browser, pytest.mark.desktop]

KINDS = ("example", "explained", "sweep", "robust", "forms")
PHONE, DESK, WALL = 390, 1280, 1920
LOOKS = ((DESK, "light"), (PHONE, "dark"))
FIRST_LOOKS = [
    (kind, language, *LOOKS[(number + other) % 2])
    for (number, kind), (other, language) in product(enumerate(KINDS), enumerate(("nl", "en")))
]
"""Every kind in both languages, at both widths and in both themes: ten looks, and not forty."""
NOT_DRAWN = "figure.chart:not([data-drawn])"
FOLDED = "document.querySelectorAll('details').forEach(one => { one.open = %s; })"
Pages = Callable[[str, str], Path]
Reads = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    assert chromium, "Chromium is absent. Install it: apt-get install --no-install-recommends chromium"
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def reads(browser: Any, pages: Pages) -> Reads:
    """A report with all its charts, opened once; it says nothing on the console and asks for nothing else."""
    known: dict[tuple[str, str], tuple[Any, list[str]]] = {}
    context = browser.new_context()

    @contextmanager
    def opened(kind: str, language: str = "nl", width: int = DESK, theme: str = "light") -> Iterator[Any]:
        path = pages(kind, language)
        if (kind, language) not in known:
            page, said = context.new_page(), list[str]()
            page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on(
                "request", lambda request: said.append(request.url) if outside(request.url, path) else None
            )
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            page.goto(path.as_uri())
            known[kind, language] = page, said
        page, said = known[kind, language]
        page.bring_to_front()
        seen(page, width, theme)
        yield page
        page.emulate_media(color_scheme="light", media="null")
        page.evaluate(FOLDED % "false")
        assert said == []

    return opened


def outside(url: str, path: Path) -> bool:
    """Whether a page asks for something that it does not hold itself."""
    return not url.startswith("data:") and url.partition("#")[0] != path.as_uri()


def seen(page: Any, width: int, theme: str = "light") -> None:
    """The page at a width and in a theme, its charts drawn for that width."""
    page.emulate_media(color_scheme=theme)
    if page.viewport_size["width"] != width:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(250)  # charts are drawn again a fifth of a second after the last change
    page.wait_for_function(f"!document.querySelector('{NOT_DRAWN}')", timeout=20_000)


@pytest.mark.parametrize(("kind", "language", "width", "theme"), FIRST_LOOKS)
def test_it_opens_in_silence_and_is_accessible(
    reads: Reads, kind: str, language: str, width: int, theme: str
) -> None:
    with reads(kind, language, width, theme) as page:
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"{kind} {language}: first contentful paint after {paint:.0f} ms")
        assert serious(page) == []
        for wide in (width, WALL if width == DESK else PHONE - 70):
            seen(page, wide, theme)
            assert page.evaluate("document.documentElement.scrollWidth") <= wide


def serious(page: Any) -> list[tuple[str, str]]:
    """What axe finds that keeps people out: rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], node["html"][:200]) for one in bad for node in one["nodes"]]


@pytest.mark.parametrize(("kind", "language"), [("explained", "en"), ("sweep", "nl")])
def test_what_is_folded_is_accessible_too(reads: Reads, kind: str, language: str) -> None:
    with reads(kind, language, PHONE, "dark") as page:
        page.evaluate(FOLDED % "true")
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_a_comparison_opens_in_silence_and_is_accessible(reads: Reads) -> None:
    with reads("comparison") as page:
        assert page.locator("figure.chart svg").count() > 0
        page.evaluate(FOLDED % "true")
        assert serious(page) == []
        seen(page, PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("kind", ["explained", "sweep", "comparison"])
def test_hostile_names_do_nothing(reads: Reads, kind: str) -> None:
    with reads(kind) as page:
        assert page.evaluate("window.hacked") is None
        marks = page.locator("svg path, svg text, svg rect")
        for place in range(0, min(marks.count(), 40), 5):
            marks.nth(place).dispatch_event("mousemove")
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 0


def test_the_keyboard_reaches_the_contents_and_every_wide_table(reads: Reads) -> None:
    with reads("example", "nl", PHONE) as page:
        page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        wide = page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth + 1)"
            ".every(one => one.tabIndex === 0)"
        )
        assert wide


def test_charts_follow_the_theme_and_are_light_on_paper(reads: Reads) -> None:
    ink = "getComputedStyle(document.querySelector('figure.chart svg .role-axis-title text')).fill"
    with reads("example") as page:
        light = page.evaluate(ink)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(ink) != light
        page.emulate_media(color_scheme="dark", media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(17, 24, 32)"
        assert page.evaluate(ink) == "rgb(17, 24, 32)"


@pytest.mark.parametrize(("language", "mark"), [("nl", ","), ("en", ".")])
def test_numbers_in_charts_are_written_as_in_the_language(reads: Reads, language: str, mark: str) -> None:
    with reads("example", language) as page:
        texts = page.locator("figure#figure-pockets svg text").all_text_contents()
        numbers = [text for text in texts if re.fullmatch(r"[-+\u2212]?\d[\d.,]*", text)]
        assert [text for text in numbers if mark in text]
        assert not [text for text in numbers if {",": ".", ".": ","}[mark] in text]


FOLDS = {"nl": "Startgetal van het toeval", "en": "Seed of all that is random"}
"""What stands in what is folded on the screen."""


@pytest.mark.parametrize(("kind", "language"), list(zip(KINDS, ("nl", "en", "en", "nl", "en"), strict=True)))
def test_printing_gives_a_document_with_all_of_it(
    reads: Reads, tmp_path: Path, kind: str, language: str
) -> None:
    target = tmp_path / "report.pdf"
    with reads(kind, language) as page:
        heading = page.locator("#advice .lead, #advice .quoted, #robust li").first.inner_text()
        titles = page.locator("section h2").all_inner_texts()
        page.pdf(path=target, prefer_css_page_size=True)
        assert page.locator("details[open]").count() == 0  # as it was before printing
    done = subprocess.run(["pdftotext", "-layout", target, "-"], capture_output=True, check=True)
    text = " ".join(done.stdout.decode("utf-8").split())
    assert all(" ".join(title.split()) in text for title in titles)
    words = " ".join(heading.split())[:60]
    assert words.replace("\u00a0", " ") in text
    assert FOLDS[language] in text
    info = subprocess.run(["pdfinfo", target], capture_output=True, text=True, check=True).stdout
    assert "A4" in info


def test_no_head_of_a_table_stands_alone_at_the_foot_of_a_page(browser: Any, tmp_path: Path) -> None:
    """A table lower and lower on a page: its caption and head come with at least two rows, or go on."""
    row = "<tr><th scope='row'>row</th><td class='n'>1</td></tr>"
    table = f"<table><caption>CAPTION</caption><thead><tr><th>HEAD</th></tr></thead><tbody>{row * 40}</tbody>"
    page, target, seen_heads = browser.new_page(), tmp_path / "table.pdf", 0
    for height in range(205, 260, 4):
        body = (
            f"<section><div style='height: {height}mm'>above</div><div class='scroll'>{table}</table></div>"
        )
        page.set_content(f"<style>{asset('report.css')}</style><main>{body}</section></main>")
        page.pdf(path=target, prefer_css_page_size=True)
        done = subprocess.run(
            ["pdftotext", "-l", "1", target, "-"], capture_output=True, text=True, check=True
        )
        words = done.stdout.split()
        assert words.count("row") >= 2 or not {"CAPTION", "HEAD"} & set(words), height
        seen_heads += "HEAD" in words
    assert 0 < seen_heads < 14
    page.close()


def test_letters_in_charts_grow_with_the_page(reads: Reads) -> None:
    """From a projector they are read at the back of a room."""
    sizes = "[...document.querySelectorAll('figure.chart svg text')].filter(one => one.textContent.trim())"
    with reads("example", "nl", WALL) as page:
        heights = page.evaluate(f"{sizes}.map(one => one.getBoundingClientRect().height)")
        assert len(heights) > 50
        assert min(heights) > 14


def test_without_scripts_all_words_and_tables_are_there(browser: Any, pages: Pages) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages("example", "nl").as_uri())
    assert page.locator("section").count() > 8
    assert page.locator("figure.chart details table").count() == page.locator("figure.chart").count()
    context.close()
