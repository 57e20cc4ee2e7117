"""The page of domain checks belongs to the model and the configs that are shipped."""

from __future__ import annotations

from model_scripts import script
from social_model import ROOT


def test_the_page_was_made_from_todays_files() -> None:
    """Answers take minutes, so the page names the files it was made from; each must be as it was."""
    page = (ROOT / "docs" / "domain-checks.md").read_text(encoding="utf-8")
    assert [line for line in script("write_domain_checks").fingerprint() if line not in page] == []
