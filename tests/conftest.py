"""What holds for every test: what is deselected where it cannot run, and the size of random searches."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["mechanism_table"]

# Derandomised: the same examples on every machine, so a failure is a failure of the change.
settings.register_profile("sdopt", derandomize=True, deadline=None)
settings.load_profile("sdopt")

SHARED = Path(__file__).resolve().parents[2] / "shared"
PUBLIC_MODELS = SHARED / "test-models"


def required() -> bool:
    """Whether desktop programs must be there: then tests that need them fail without."""
    return os.environ.get("SDOPT_REQUIRE_DESKTOP") == "1"


def has_desktop() -> bool:
    return required() or shutil.which("soffice") is not None


def has_browser() -> bool:
    """Whether a page can be opened as a reader does, and checked for accessibility."""
    parts = (find_spec(name) is not None for name in ("playwright", "axe_playwright_python"))
    return required() or (shutil.which("chromium") is not None and all(parts))


def has_models() -> bool:
    """Whether the public models are there, or are said to be (then a wrong path is a failure)."""
    return "SDOPT_TEST_MODELS" in os.environ or PUBLIC_MODELS.is_dir()


def has_peers() -> bool:
    """Whether the other optimisers of the benchmark are there."""
    return all(find_spec(name) is not None for name in ("casadi", "pyscipopt"))


def absent() -> dict[str, str]:
    """Markers of tests that cannot run on this machine, and what it takes to run them."""
    needs = {
        "desktop": (has_desktop(), "LibreOffice"),
        "browser": (has_browser(), "Chromium, and pip install sdopt[browser]"),
        "domain": ((SHARED / "domain").is_dir(), "the evidence beside the repository: ../shared/domain"),
        "peers": (has_peers(), "CasADi and PySCIPOpt: pip install sdopt[benchmark]"),
        "models": (has_models(), "the public test models: set SDOPT_TEST_MODELS to their folder"),
    }
    return {marker: needed for marker, (there, needed) in needs.items() if not there}


def pytest_report_header() -> list[str]:
    return [f"NOT RUN: tests marked {marker}; they need {needed}" for marker, needed in absent().items()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect (and so count in the summary) what needs something this machine does not have."""
    without = absent()
    dropped = [item for item in items if any(item.get_closest_marker(marker) for marker in without)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]
