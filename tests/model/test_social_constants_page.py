"""docs/constants.md lists every constant with its sources, is current, and shows text as text."""

from __future__ import annotations

import re
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import SocialDomain

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "constants.md"
Script = Callable[..., dict[str, Any]]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Runs the script on a copy of models/, in which `change` (old, new) was made in one table."""
    monkeypatch.syspath_prepend(str(ROOT / "models"))

    def run(table: str = "", old: str = "", new: str = "") -> dict[str, Any]:
        shutil.copytree(ROOT / "models", tmp_path / "models")
        (tmp_path / "docs").mkdir()
        if table:
            path = tmp_path / "models" / table
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1
            path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")
        return runpy.run_path(str(tmp_path / "models" / "write_constants_page.py"), run_name="__main__")

    return run


def test_the_page_is_current(script: Script, tmp_path: Path) -> None:
    script()
    written = (tmp_path / "docs" / "constants.md").read_bytes()
    assert written == PAGE.read_bytes(), "run: python models/write_constants_page.py"


def test_every_constant_stands_there_once_with_its_sources(social: SocialDomain) -> None:
    chapters = PAGE.read_text(encoding="utf-8").split("## Departures")[0]
    rows = [re.split(r" (?<!\\)\| ", line[2:-2]) for line in chapters.splitlines() if line.startswith("| ")]
    found = {cells[0]: cells for cells in rows if cells[0] not in ("Constant", "---")}
    assert len(found) == sum(cells[0] not in ("Constant", "---") for cells in rows)
    assert found.keys() == {row.name for row in social.table.values()}
    for row in social.table.values():
        assert len(found[row.name]) == 9
        assert float(found[row.name][1]) == pytest.approx(row.value, rel=1e-9)
        for source in filter(None, row.source.split("; ")):
            assert source in found[row.name][7], row.name


def test_text_of_a_table_is_text_on_the_page(script: Script, tmp_path: Path) -> None:
    script("social_domain.csv", "Conversion of units.", "<img src=x> | [a](javascript:b) `c` *d*")
    page = (tmp_path / "docs" / "constants.md").read_text(encoding="utf-8")
    assert r"\<img src=x\> \| \[a\](javascript:b) \`c\` \*d\*" in page


ACTIVE = "\\`*_[]<>|&~$#"


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_nothing_in_plain_text_is_active(text: str) -> None:
    plain = runpy.run_path(str(ROOT / "models" / "markdown_text.py"))["plain"]
    written = plain(text)
    assert not re.search(rf"(?<!\\)[{re.escape(ACTIVE[1:])}]", re.sub(r"\\\\", "", written))
    assert written.isprintable() or not written
    assert (
        re.sub(r"\\(.)", r"\1", written).split()
        == "".join(sign if sign.isprintable() else " " for sign in text).split()
    )


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "", "https://a.nl/ b", "data:text/html,x", " https://a.nl", "https://a.nl\n"],
)
def test_an_address_that_is_none_is_no_link(address: str) -> None:
    linked = runpy.run_path(str(ROOT / "models" / "markdown_text.py"))["linked"]
    assert linked("a", address) == "a"


def test_an_address_cannot_end_its_link() -> None:
    linked = runpy.run_path(str(ROOT / "models" / "markdown_text.py"))["linked"]
    assert linked("t]", "https://a.nl/b)|<c>") == r"[t\]](https://a.nl/b%29%7C%3Cc%3E)"
