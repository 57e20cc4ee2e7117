"""Run sdopt, or its tests, from this folder with a plain Python and nothing else.

    python start.py optimise configs/voorbeeld-100k.yaml
    python start.py test
    python start.py wheels FOLDER    (all that is needed to install without internet: see offline.py)
    python start.py site             (the documentation, in the folder site)

The first time this makes a virtual environment in `.venv`, beside this file, and installs there what
pyproject.toml asks for; later only when pyproject.toml asks for something new. The Python that runs this
file is left as it was. Arguments, exit status and Ctrl-C are passed on.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)

# Before anything that an older Python would stumble over.
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    oldest, newest, found = ("{}.{}".format(*version) for version in (OLDEST, NEWEST, sys.version_info))
    sys.exit(
        f"sdopt needs Python {oldest} to {newest}; this is Python {found}.\n"
        f"Install Python {newest} and use it:  py -{newest} start.py ... (Windows)  or  "
        f"python{newest} start.py ... (macOS, Linux)"
    )

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
INSTALLED = ENVIRONMENT / "sdopt-installed.txt"  # the requirements that are met, one per line
UTF8 = {**os.environ, "PYTHONUTF8": "1"}  # for venv and pip: they write the name of this folder


def requirements(extras: tuple[str, ...]) -> list[str]:
    """List what pyproject.toml asks for, with the given optional extras."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return project["dependencies"] + [line for extra in extras for line in optional[extra]]


def make_environment() -> None:
    """Make `.venv` with pip in it, or complete one that was interrupted."""
    try:
        import ensurepip  # noqa: F401  (Debian ships it apart; without it, venv fails with a riddle)
        import venv  # noqa: F401
    except ImportError:
        sys.exit(
            "This Python cannot make virtual environments. On Debian or Ubuntu, add the part that can:\n"
            "    sudo apt install python3-venv"
        )
    clear = [] if PYTHON.exists() else ["--clear"]
    if subprocess.call([sys.executable, "-m", "venv", *clear, ENVIRONMENT], env=UTF8):
        sys.exit("Cannot make the virtual environment .venv; the reason stands above.")


def link_source() -> None:
    """Make `src` importable in `.venv`, so that edits count at once.

    The path is relative, hence plain ASCII: Python 3.11 and 3.12 read .pth files in the machine's own
    encoding, and an accent in an absolute path (C:/Users/Zoë) would make `.venv` useless.
    """
    import sysconfig

    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(ENVIRONMENT)}))
    up = "../" * len(packages.relative_to(ROOT).parts)
    (packages / "sdopt-source.pth").write_text(f"{up}src\n", encoding="ascii")


def install(needed: list[str]) -> None:
    """Install what is needed in `.venv`, unless that was done before."""
    ready = PYTHON.exists() and INSTALLED.exists()
    if ready and set(needed) <= set(INSTALLED.read_text(encoding="utf-8").splitlines()):
        return
    what = "Adding to .venv what this needs" if ready else "Preparing .venv: about a minute"
    print(f"{what}, and only this time ...", file=sys.stderr, flush=True)
    if not ready:
        make_environment()
        link_source()
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
    if subprocess.call([*pip, "--prefer-binary", *needed], env=UTF8):
        sys.exit(
            "Installing failed; the reason stands above. Is there an internet connection, and does it need "
            "a proxy (HTTPS_PROXY)?\nTo begin anew, delete the folder .venv and run this again."
        )
    INSTALLED.write_text("\n".join(needed) + "\n", encoding="utf-8")


def run(arguments: list[str], folder: Path | None = None) -> int:
    """Run `.venv`'s Python; give its exit status. Ctrl-C is left to the program, which may end tidily."""
    signal.signal(signal.SIGINT, lambda *_: None)
    status = subprocess.Popen([PYTHON, *arguments], cwd=folder).wait()
    return status if status >= 0 else 128 - status


def main(arguments: list[str]) -> int:
    """Install what the command needs, then run it."""
    if arguments[:1] == ["test"]:
        desktop = os.environ.get("SDOPT_REQUIRE_DESKTOP") == "1"  # then pages open in a real browser
        install(requirements(extras=("test", "docs", *(("browser",) if desktop else ()))))
        return run(["-m", "pytest", "--numprocesses=auto", *arguments[1:]], folder=ROOT)
    if arguments[:1] == ["site"]:
        install(requirements(extras=("docs",)))
        return run(["-m", "mkdocs", "build", "--strict", *arguments[1:]], folder=ROOT)
    install(requirements(extras=()))
    if arguments[:1] == ["wheels"]:
        return run([str(ROOT / "offline.py"), *arguments[1:]])
    return run(["-m", "sdopt", *arguments])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Stopped while preparing .venv; the next run goes on from there.")
