"""The page of domain checks belongs to the model and the configs that are shipped."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_was_made_from_todays_files() -> None:
    """Answers take minutes, so the page names the files it was made from; each must be as it was."""
    sys.path.insert(0, str(ROOT / "models"))
    try:
        spec = importlib.util.spec_from_file_location(
            "domain_checks", ROOT / "models" / "write_domain_checks.py"
        )
        assert spec is not None and spec.loader is not None
        script = importlib.util.module_from_spec(spec)
        sys.modules["domain_checks"] = script
        spec.loader.exec_module(script)
    finally:
        sys.path.remove(str(ROOT / "models"))
    page = (ROOT / "docs" / "domain-checks.md").read_text(encoding="utf-8")
    assert [line for line in script.fingerprint() if line not in page] == []
