"""Make a folder of wheels from which sdopt installs where there is no internet.

    python start.py wheels FOLDER
    python start.py wheels FOLDER --platform windows --python 3.12 3.13

Without options: for this machine and this Python. The folder holds sdopt, all it needs, and INSTALL.txt. What
holds a compiler's work is fetched ready made; only plain Python is built here. pip weighs markers such as
`sys_platform` for the machine it runs on, so what is needed on Windows only is named here.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VERSIONS = ("3.11", "3.12", "3.13")
MACOS = range(11, 15)
PLATFORMS = {
    "windows": ("win_amd64",),
    "macos-arm64": tuple(f"macosx_{major}_0_{arch}" for major in MACOS for arch in ("arm64", "universal2")),
    "macos-x86-64": (
        *(f"macosx_{major}_0_{arch}" for major in MACOS for arch in ("x86_64", "universal2")),
        *(f"macosx_10_{minor}_{arch}" for minor in range(9, 16) for arch in ("x86_64", "universal2")),
    ),
    "linux": (
        *(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17, 12, 5)),
        *(f"manylinux{name}_x86_64" for name in ("2014", "2010", "1")),
    ),
}
WINDOWS_ONLY = ("colorama", "tzdata")  # click and pandas ask for these on Windows
SOURCE_ONLY = ("odfpy",)  # plain Python, wanted by PySD through pandas[excel]; published as source only
INSTALL = """sdopt without internet, for {platforms}

Copy this folder to the computer, and beside it the folders models and configs of the project. Python
{versions} has to be there already. In the folder that holds them:

Windows:
    py -m venv sdopt-env
    sdopt-env\\Scripts\\python -m pip install --no-index --find-links "{name}" "sdopt[fast]"
    sdopt-env\\Scripts\\sdopt optimise configs\\voorbeeld-100k.yaml

macOS, Linux:
    python3 -m venv sdopt-env
    sdopt-env/bin/python -m pip install --no-index --find-links "{name}" "sdopt[fast]"
    sdopt-env/bin/sdopt optimise configs/voorbeeld-100k.yaml
"""


def target(platform: str, version: str) -> list[str]:
    """Give pip's options that choose wheels for another machine."""
    tags = [f"--platform={tag}" for tag in PLATFORMS[platform]]
    return ["--implementation=cp", f"--python-version={version}", *tags]


def needed_beside(platform: str) -> tuple[str, ...]:
    """Name what pip does not see from here that this platform needs."""
    return WINDOWS_ONLY if platform == "windows" else ()


def pip(*arguments: str | Path) -> None:
    """Run this Python's pip; its complaints pass to the screen, and end this program."""
    command = [sys.executable, "-m", "pip", *arguments, "-qq", "--no-input", "--disable-pip-version-check"]
    if subprocess.call(command):
        raise SystemExit("Not made; the reason stands above. Is there an internet connection?")


def fill(folder: Path, platforms: list[str], versions: list[str]) -> None:
    """Build what is plain Python, and fetch the rest for every machine and Python."""
    pip("wheel", "--no-deps", f"--wheel-dir={folder}", ROOT, *SOURCE_ONLY)
    (own,) = folder.glob("sdopt-*.whl")
    # By address: an index may know something else by the name of sdopt.
    wanted = f"sdopt[fast] @ {own.resolve().as_uri()}"
    fetch = ["download", "--only-binary=:all:", f"--dest={folder}", f"--find-links={folder}"]
    if not platforms and not versions:
        pip(*fetch, wanted)
    for platform in platforms or ([this_platform()] if versions else []):
        for version in versions or ["{}.{}".format(*sys.version_info)]:
            print(f"fetching for {platform}, Python {version} ...", file=sys.stderr, flush=True)
            pip(*fetch, *target(platform, version), wanted, *needed_beside(platform))


def this_platform() -> str:
    """Name the platform that this program runs on."""
    import platform

    arm = platform.machine().lower() in ("arm64", "aarch64")
    if sys.platform == "darwin":
        return "macos-arm64" if arm else "macos-x86-64"
    return "windows" if sys.platform == "win32" else "linux"


def main(arguments: list[str]) -> int:
    """Make the folder; return the exit status."""
    parser = argparse.ArgumentParser(prog="start.py wheels", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--platform", nargs="+", choices=PLATFORMS, default=[], help="[this machine]")
    parser.add_argument("--python", nargs="+", choices=VERSIONS, default=[], help="[this Python]")
    asked = parser.parse_args(arguments)
    try:
        asked.folder.mkdir(parents=True)
    except OSError as error:
        raise SystemExit(f"{asked.folder}: cannot be made ({error.strerror}); give a new folder.") from None
    try:
        fill(asked.folder, asked.platform, asked.python)
    except BaseException:
        shutil.rmtree(asked.folder)  # half a folder looks like a whole one
        raise
    versions = " or ".join(asked.python or ["{}.{}".format(*sys.version_info)])
    platforms = " and ".join(asked.platform or [this_platform()])
    text = INSTALL.format(name=asked.folder.resolve().name, versions=versions, platforms=platforms)
    (asked.folder / "INSTALL.txt").write_text(text, encoding="utf-8")
    wheels = list(asked.folder.glob("*.whl"))
    size = sum(path.stat().st_size for path in wheels) / 1e6
    print(f"{asked.folder}: {len(wheels)} wheels, {size:.0f} MB. How to install from it: INSTALL.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
