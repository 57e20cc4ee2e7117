"""The site builds without a warning, asks nothing of a network, and its reference names all there is."""

from __future__ import annotations

import html
import os
import re
import runpy
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import pytest
from blocks import ROOT

from sdopt.calibrate.schema import CalibrationConfig
from sdopt.cli import main
from sdopt.config.schema import Config
from sdopt.config.strict import Strict
from sdopt.source_model.read import read_model

REFERENCE = runpy.run_path(str(ROOT / "docs" / "reference.py"))
ASKING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
ELSEWHERE = re.compile(r"^(https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `python start.py site` does: by `mkdocs build --strict`."""
    folder = tmp_path_factory.mktemp("site") / "site"
    settings = {"PYTHONPATH": str(ROOT / "src"), "NO_MKDOCS_2_WARNING": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, **settings}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Asks(HTMLParser):
    """Collects what a browser fetches by itself when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attributes if name == ASKING.get(tag)]


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")}
    pages |= {Path("reference") / f"{name}.md" for name in ("config", "commands", "variables")}
    made = {page.with_name(page.name.replace("README", "index")).with_suffix(".html") for page in pages}
    assert sorted(page for page in made if not (site / page).exists()) == []


def test_no_page_asks_anything_of_a_network(site: Path) -> None:
    asked = []
    for page in site.rglob("*.html"):
        asks = Asks()
        asks.feed(page.read_text(encoding="utf-8"))
        assert asks.found
        asked += [address for address in asks.found if ELSEWHERE.match(address)]
    for sheet in site.rglob("*.css"):
        asked += re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*", sheet.read_text(encoding="utf-8"))
    assert asked == []


@pytest.mark.browser
@pytest.mark.desktop
def test_pages_and_search_work_from_a_folder_without_network(site: Path) -> None:
    """Opened as a file, in a browser that is offline: no error, nothing asked elsewhere, and search finds."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    assert chromium, "Chromium is absent. Install it: apt-get install --no-install-recommends chromium"
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "tasks" / "sweep.html").as_uri())
        page.keyboard.press("/")
        page.keyboard.type("schaduwprijzen")
        page.locator(".md-search-result__item").first.wait_for(timeout=60_000)
        found = page.locator(".md-search-result__link").evaluate_all("links => links.map(link => link.href)")
        browser.close()
    assert any("/handleiding.html" in address for address in found)
    assert said == []
    assert [address for address in asked if not address.startswith(("file:", "data:", "blob:"))] == []


def keys(model: type[Strict], seen: set[type[Any]]) -> set[str]:
    """Every key of a config, by the classes themselves."""
    seen.add(model)
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for name in re.findall(r"\.(\w+)", str(field.annotation)):
            for inner in Strict.__subclasses__():
                if inner.__name__ == name and inner not in seen:
                    found |= keys(inner, seen)
    return found


def test_the_reference_has_every_key(site: Path) -> None:
    page = (site / "reference" / "config.html").read_text(encoding="utf-8")
    shown = set(re.findall(r"<tr>\s*<td><code>(\w+)</code></td>", page))
    expected = keys(Config, set()) | keys(CalibrationConfig, set())
    assert len(expected) > 90
    assert expected == shown


def test_the_reference_has_every_command_and_option(site: Path) -> None:
    page = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name, command in main.commands.items():
        start = page.index(f'id="{name}"')
        section = page[start : page.find("<h2", start)]
        for option in command.params:
            if isinstance(option, click.Option):
                assert f"<code>{option.opts[0]}</code>" in section
                assert (option.help or "").split("`")[0] in html.unescape(section)


def test_the_reference_has_every_variable_of_the_model(site: Path) -> None:
    page = html.unescape((site / "reference" / "variables.html").read_text(encoding="utf-8"))
    system = read_model(ROOT / "models" / "social_domain.mdl").system
    assert [one.name for one in system.visible.values() if f"<td>{one.name}</td>" not in page] == []


def test_a_number_without_a_unit_stops_the_build() -> None:
    kinds = {"New": {"properties": {"length": {"anyOf": [{"type": "number"}, {"type": "null"}]}}}}
    with pytest.raises(SystemExit, match=r"New\.length"):
        REFERENCE["_same_units"](kinds)


def test_text_of_a_model_is_text_in_a_table() -> None:
    shown = REFERENCE["table"](("a|b",), [("<script>alert(1)</script> `x|y`",)])
    assert "<script" not in shown
    assert shown.splitlines()[0] == r"| a\|b |"
    assert shown.splitlines()[2] == r"| &lt;script&gt;alert(1)&lt;/script&gt; `x\|y` |"
