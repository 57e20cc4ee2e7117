"""The runner over public models: it passes on them, and it fails where it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).parent / "run.py"
MODEL = """{UTF-8}
region: north, south ~ ~ |
Stock A[region] = INTEG( 1, start[region] ) ~ ~ |
start[region] = 1, 2 ~ ~ |
INITIAL TIME = 0 ~ ~ |
FINAL TIME = 2 ~ ~ |
TIME STEP = 1 ~ ~ |
SAVEPER = 1 ~ ~ |
"""
OUTPUT = 'Time\t"Stock A[north]"\t"Stock A[south]"\tstart[north]\n0\t1\t2\t1\n1\t2\t3.0001\t\n2\t3\t4\t\n'


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "utf8", str(RUNNER), *arguments],
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def models(folder: Path, model: str = MODEL, output: str | None = OUTPUT, pysd: str = "agrees") -> Path:
    """A folder as the public one, with one model."""
    place = folder / "tests" / "one"
    place.mkdir(parents=True)
    (place / "test_one.mdl").write_text(model, encoding="utf-8")
    if output is not None:
        (place / "output.tab").write_text(output, encoding="utf-8")
    (folder / "pysd.csv").write_text(f"model,pysd\none/test_one.mdl,{pysd}\n", encoding="utf-8")
    return folder


def test_a_model_that_agrees(tmp_path: Path) -> None:
    done = run("--models", str(models(tmp_path)), "--write", str(tmp_path / "list.md"))
    assert done.returncode == 0, done.stdout + done.stderr
    listed = (tmp_path / "list.md").read_text(encoding="utf-8")
    assert "| one/test_one.mdl | agrees | agrees (3) | agrees |  |" in listed


@pytest.mark.parametrize(
    ("model", "output", "status"),
    [
        (MODEL, OUTPUT.replace("\t3.0001", "\t3.1"), "MISMATCH"),
        (MODEL, "Time\tother\n0\t1\n", "agrees"),
        (MODEL, None, "agrees"),
        (MODEL.replace("INTEG( 1,", "FIND ZERO( 1,"), OUTPUT, "refused"),
    ],
)
def test_what_does_not_agree_with_published_output_fails(
    tmp_path: Path, model: str, output: str | None, status: str
) -> None:
    done = run("--models", str(models(tmp_path, model, output)))
    assert done.stdout.startswith(status), done.stdout + done.stderr
    assert done.returncode == 1


def test_a_model_pysd_cannot_read_may_be_refused(tmp_path: Path) -> None:
    model = MODEL.replace("INTEG( 1,", "FIND ZERO( 1,")
    done = run(SDOPT_TEST_MODELS=str(models(tmp_path, model, OUTPUT, "fails")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FIND ZERO is not supported" in done.stdout
    assert str(tmp_path) not in done.stdout


def test_an_absent_folder_is_reported(tmp_path: Path) -> None:
    done = run(SDOPT_TEST_MODELS=str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "There are no test models in" in done.stdout


@pytest.mark.models
@pytest.mark.slow
def test_the_public_models_conform_and_the_list_is_of_today(tmp_path: Path) -> None:
    done = run("--write", str(tmp_path / "list.md"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISMATCH" not in done.stdout
    written = (tmp_path / "list.md").read_text(encoding="utf-8")
    published = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert without_digits(written) == without_digits(published)


def without_digits(text: str) -> str:
    """The list without how large a difference is, which may depend on the machine."""
    return re.sub(r"differs by \S+", "differs", text)
