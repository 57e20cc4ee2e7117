"""What holds for every test: the desktop marker, and the size of random searches."""

import os
import shutil

import pytest
from hypothesis import settings

# Derandomised: the same examples on every machine, so a failure is a failure of the change.
settings.register_profile("sdopt", derandomize=True, deadline=None)
settings.load_profile("sdopt")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect (and so count in the summary) what needs LibreOffice on a machine that has none."""
    if os.environ.get("SDOPT_REQUIRE_DESKTOP") == "1" or shutil.which("soffice"):
        return
    desktop = [item for item in items if item.get_closest_marker("desktop")]
    if desktop:
        config.hook.pytest_deselected(items=desktop)
        items[:] = [item for item in items if item not in desktop]
