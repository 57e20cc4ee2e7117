"""docs/mechanisms.md says what the tests find today."""

from __future__ import annotations

from mechanism import mechanisms
from write_mechanisms_page import PAGE, page


def test_the_page_is_current() -> None:
    """When this fails: python tests/model/write_mechanisms_page.py."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_mechanism_has_passed_on_the_page() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.endswith("| yes |")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [row.id for row in mechanisms()]
