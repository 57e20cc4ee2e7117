"""Can sdopt be installed from wheels alone, without a compiler, on every supported machine?

    python .ci/wheels.py

Asks pip, without installing anything, to resolve the runtime dependencies, with those of the compiled
backend, per platform and Python version.
pip weighs markers such as `sys_platform` for the machine it runs on, so what is needed on Windows only is
listed here. Exit status 1 when a supported combination fails.
"""

import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
MACOS = range(11, 15)
PLATFORMS = {
    "Windows x86-64": ("win_amd64",),
    "macOS arm64": tuple(f"macosx_{major}_0_{arch}" for major in MACOS for arch in ("arm64", "universal2")),
    "macOS x86-64": (
        *(f"macosx_{major}_0_{arch}" for major in MACOS for arch in ("x86_64", "universal2")),
        *(f"macosx_10_{minor}_{arch}" for minor in range(9, 16) for arch in ("x86_64", "universal2")),
    ),
    "Linux x86-64": (
        *(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17, 12, 5)),
        *(f"manylinux{name}_x86_64" for name in ("2014", "2010", "1")),
    ),
}
NOT_PROMISED = {"macOS x86-64"}  # Apple and several upstream projects have dropped it
WINDOWS_ONLY = ("colorama", "tzdata")  # click and pandas ask for these on Windows
SOURCE_ONLY = ("odfpy",)  # plain Python, wanted by PySD through pandas[excel]; published as source only


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
    extra = WINDOWS_ONLY if platform.startswith("Windows") else ()
    with tempfile.TemporaryDirectory() as target:
        done = run_pip(
            "install", "--dry-run", "--ignore-installed", "--only-binary=:all:", f"--target={target}",
            "--implementation=cp", f"--python-version={version}", f"--find-links={own_wheels}",
            *(f"--platform={tag}" for tag in PLATFORMS[platform]), *requirements, *extra,
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
