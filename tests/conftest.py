"""What holds for every test: what is deselected where it cannot run, and the size of random searches."""

import gc
import os
import shutil
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Before NumPy is loaded, here and in the processes that run tests: they share the cores already.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["mechanism_table"]

# Derandomised: the same examples on every machine, so a failure is a failure of the change.
settings.register_profile("sdopt", derandomize=True, deadline=None)
settings.load_profile("sdopt")

SHARED = Path(__file__).resolve().parents[2] / "shared"
PUBLIC_MODELS = SHARED / "test-models"
NOT_RUN = pytest.StashKey[list[str]]()
"""Per test that was deselected for lack of something: its marker and its file."""


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
        "posix": (find_spec("resource") is not None, "file limits and signals: Linux or macOS"),
        "peers": (has_peers(), "CasADi and PySCIPOpt: pip install sdopt[benchmark]"),
        "models": (has_models(), "the public test models: set SDOPT_TEST_MODELS to their folder"),
    }
    return {marker: needed for marker, (there, needed) in needs.items() if not there}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect (and so count in the summary) what needs something this machine does not have."""
    without = absent()
    why = {item: next((one for one in without if item.get_closest_marker(one)), None) for item in items}
    dropped = [item for item in items if why[item]]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]
    config.stash[NOT_RUN] = [f"{why[item]} {item.nodeid.partition('::')[0]}" for item in dropped]


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay to the end: not looked at again and again for garbage.

    That took a tenth of the time of all tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist tells the one that writes the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["not_run"] = session.config.stash.get(NOT_RUN, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every process collects all tests, so that one of them is enough; one that crashed tells nothing."""
    told = getattr(node, "workeroutput", {}).get("not_run")
    if told is not None:
        node.config.stash[NOT_RUN] = told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Last of all, where it is seen: which tests did not run, and what they need."""
    counts = Counter(config.stash.get(NOT_RUN, []))
    for marker, needed in absent().items():
        files = {
            key.partition(" ")[2]: count for key, count in counts.items() if key.startswith(f"{marker} ")
        }
        if files:
            terminalreporter.write_line(
                f"NOT RUN: {sum(files.values())} tests marked {marker}; they need {needed}"
            )
        for file, count in sorted(files.items()):
            terminalreporter.write_line(f"    {count:3} in {file}")
