"""The folder of wheels: what pip cannot see from here is named, and what cannot be made is refused.

That an install from such a folder works is shown by .ci/offline.py, which needs an index to fill it.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = runpy.run_path(str(ROOT / "offline.py"))
WINDOWS = {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}
MACOS = {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"}
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
MACHINES = {"windows": WINDOWS, "linux": LINUX}


def needed(machine: Mapping[str, str]) -> set[str]:
    """Names of all libraries that sdopt needs on a machine, by what the installed ones say of themselves."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["fast"]]
    found: set[tuple[str, str]] = set()
    queue = [Requirement(line) for line in lines]
    while queue:
        one = queue.pop()
        for extra in ("", *one.extras):
            name = re.sub(r"[-_.]+", "-", one.name).lower()
            if (name, extra) not in found:
                found.add((name, extra))
                queue += asked_by(name, extra, machine)
    return {name for name, _ in found}


def asked_by(name: str, extra: str, machine: Mapping[str, str]) -> Iterator[Requirement]:
    """What one library asks for on a machine; nothing is known of one that is not installed here."""
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return
    for line in lines:
        one = Requirement(line)
        here = {**default_environment(), "platform_machine": "AMD64", **machine, "extra": extra}
        if one.marker is None or one.marker.evaluate(here):
            one.marker = None
            yield one


def test_what_only_windows_needs_is_named() -> None:
    """For another machine pip resolves with the markers of this one, so these would be forgotten."""
    assert needed(WINDOWS) - needed(LINUX) <= set(OFFLINE["WINDOWS_ONLY"])
    asked = {
        machine: {one.name for one in asked_by("pandas", "", platform)}
        for machine, platform in MACHINES.items()
    }
    assert asked["windows"] - asked["linux"] == {"tzdata"}
    assert OFFLINE["needed_beside"]("windows") == OFFLINE["WINDOWS_ONLY"]


def test_macos_needs_nothing_that_linux_does_not() -> None:
    assert needed(MACOS) - needed(LINUX) == set()
    assert OFFLINE["needed_beside"]("macos-arm64") == ()


def test_the_pythons_are_those_of_the_project() -> None:
    start = runpy.run_path(str(ROOT / "start.py"), run_name="start")
    (major, oldest), (_, newest) = start["OLDEST"], start["NEWEST"]
    assert OFFLINE["VERSIONS"] == tuple(f"{major}.{minor}" for minor in range(oldest, newest + 1))


def test_this_machine_is_one_of_the_platforms() -> None:
    assert OFFLINE["this_platform"]() in OFFLINE["PLATFORMS"]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "offline.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_that_exists_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    done = run("there", folder=tmp_path)
    assert done.returncode == 1
    assert "there: cannot be made (File exists); give a new folder." in done.stderr
    assert (tmp_path / "there").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("new", "--platform", "solaris"), "invalid choice: 'solaris'"),
        (("new", "--python", "3.10"), "invalid choice: '3.10'"),
        ((), "the following arguments are required: folder"),
    ],
)
def test_what_is_not_known_is_refused(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_half_a_folder_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index nothing can be fetched."""
    for name, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    done = run("new", folder=tmp_path)
    assert done.returncode == 1
    assert "Not made; the reason stands above." in done.stderr
    assert list(tmp_path.iterdir()) == []
