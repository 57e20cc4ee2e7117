"""Does sdopt install and run from a folder of wheels alone?

    python .ci/offline.py

Has start.py make the folder, installs from it in a fresh virtual environment with no index and no way out,
and runs `sdopt optimise` there on a small question whose answer is known. Exit status 1 when a step fails.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = ROOT / "tests" / "data" / "optimise"
RETURN = 24.948165857803  # of linear.yaml, as in tests/test_cli.py
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing answers there


def closed_in() -> dict[str, str]:
    """Give an environment without settings of pip and Python, and with every way out blocked."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    return {**kept, **proxies, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}


def step(*command: str | Path, folder: Path, environment: dict[str, str] | None = None) -> None:
    """Run one command in a folder; its failure ends the check."""
    print("$", *(Path(part).name if isinstance(part, Path) else part for part in command), flush=True)
    subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=True)


def main() -> int:
    """Take the steps; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="geen internet ") as name:
        place = Path(name)
        step(sys.executable, ROOT / "start.py", "wheels", place / "wheels één", folder=ROOT)
        for suffix in ("mdl", "yaml"):
            shutil.copy(QUESTION / f"linear.{suffix}", place)
        step(sys.executable, "-m", "venv", place / "env", folder=place)
        programs = place / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        step(
            programs / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile",
            "--no-index", "--find-links", place / "wheels één", "sdopt[fast]",
            folder=place, environment=closed_in(),
        )  # fmt: skip
        asked = ("optimise", "linear.yaml", "--output", "results")
        step(programs / "sdopt", *asked, folder=place, environment=closed_in())
        (summary,) = (place / "results").glob("*/summary.json")
        found = json.loads(summary.read_text(encoding="utf-8"))["objective"]
    print(f"return {found:.9f}, expected {RETURN:.9f}")
    return int(abs(found - RETURN) > 1e-9 * RETURN)


if __name__ == "__main__":
    sys.exit(main())
