"""Can sdopt be installed from wheels alone, without a compiler, on every supported machine?

    python .ci/wheels.py

Asks pip, without installing anything, to resolve the runtime dependencies, with those of the compiled
backend, per platform and Python version of offline.py, as `start.py wheels` does. Exit status 1 when a
supported combination fails.
"""

import runpy
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = runpy.run_path(str(ROOT / "offline.py"))  # which wheels go with which machine
PLATFORMS, VERSIONS, SOURCE_ONLY = OFFLINE["PLATFORMS"], OFFLINE["VERSIONS"], OFFLINE["SOURCE_ONLY"]
NOT_PROMISED = {"macos-x86-64"}  # Apple and several upstream projects have dropped it


def run_pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python's pip; never asks a question."""
    command = [
        sys.executable,
        "-m",
        "pip",
        *arguments,
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def last_error(text: str) -> str:
    """Give the line of pip's output that tells most."""
    errors = [line for line in text.splitlines() if line.startswith("ERROR:")]
    return (errors or text.splitlines() or ["pip failed without a word"])[0].removeprefix("ERROR: ")[:160]


def resolve(platform: str, version: str, requirements: list[str], own_wheels: Path) -> str:
    """Return 'ok', or the reason why pip finds no set of wheels."""
    with tempfile.TemporaryDirectory() as place:
        done = run_pip(
            "install", "--dry-run", "--ignore-installed", "--only-binary=:all:", f"--target={place}",
            f"--find-links={own_wheels}", *OFFLINE["target"](platform, version),
            *requirements, *OFFLINE["needed_beside"](platform),
        )  # fmt: skip
    return "ok" if done.returncode == 0 else last_error(done.stderr)


def main() -> int:
    """Print the table; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["fast"]]
    pairs = [(platform, version) for platform in PLATFORMS for version in VERSIONS]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        built = run_pip("wheel", "--no-deps", f"--wheel-dir={folder}", *SOURCE_ONLY)
        if built.returncode:
            print(f"cannot build {', '.join(SOURCE_ONLY)}: {last_error(built.stderr)}")
            return 1
        answers = list(pool.map(lambda pair: resolve(*pair, requirements, Path(folder)), pairs))
    for (platform, version), answer in zip(pairs, answers, strict=True):
        note = " (not promised)" if platform in NOT_PROMISED and answer != "ok" else ""
        print(f"{platform:<15} {version:<5} {answer}{note}")
    failed = [pair for pair, answer in zip(pairs, answers, strict=True) if answer != "ok"]
    return int(any(platform not in NOT_PROMISED for platform, _ in failed))


if __name__ == "__main__":
    sys.exit(main())
