"""Each claim of the source documents: its test passes, and fails with the mechanism off or reversed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from experiments import EXPERIMENTS, finding
from mechanism import MODES, Mechanism, mechanisms
from social_model import ROOT, SocialDomain
from write_mechanisms_page import PAGE, page

CLAIMS = Path(ROOT).parent / "shared" / "domain" / "mechanisms.md"
IDS = [row.id for row in mechanisms()]
EXPECTED = "S0a S0b S1a S1b S1c S1d S2a S2b S2c S3a S3b S3c S3d S3e S3f S4a S4b F B"

each_mechanism = pytest.mark.parametrize("row", mechanisms(), ids=lambda row: row.id)


@each_mechanism
@pytest.mark.parametrize("mode", MODES)
def test_mechanism(row: Mechanism, mode: str) -> None:
    """The behaviour shows as it is, and is gone when the mechanism is switched off or reversed."""
    found = finding(row.id, mode)
    assert found.holds == (mode == "as it is"), f"{row.id} {mode}: {row.test}. Found: {found.text()}"


def test_the_page_is_current() -> None:
    """When this fails: python tests/model/write_mechanisms_page.py."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_mechanism_has_passed_on_the_page() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.endswith("| yes |")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == IDS


def test_no_mechanism_is_missing() -> None:
    assert EXPECTED.split() == IDS


@pytest.mark.domain
def test_the_table_holds_every_claim_of_the_source_documents() -> None:
    claims = re.findall(r"^\| (S\d[a-z]|[A-Z]) \|", CLAIMS.read_text(encoding="utf-8"), re.MULTILINE)
    assert claims == IDS


def test_every_experiment_belongs_to_one_mechanism() -> None:
    assert sorted(row.test_name for row in mechanisms()) == sorted(EXPERIMENTS)


@each_mechanism
def test_a_row_names_what_is_in_the_model(social: SocialDomain, row: Mechanism) -> None:
    names = {variable.name for variable in social.model.system.variables.values()}
    constants = {entry.name for entry in social.table.values()}
    assert len(row.variables) >= 4
    assert set(row.variables) <= names
    assert row.off
    assert row.reversed
    assert {*row.off, *row.reversed} <= constants | set(EXPERIMENTS[row.test_name].settings)
    assert row.claim
    assert row.claim_nl
    assert row.test


@each_mechanism
def test_reversed_is_as_far_from_off_as_today_on_the_other_side(social: SocialDomain, row: Mechanism) -> None:
    """Only the sign of the mechanism changes, not its size."""
    for name in row.off.keys() & row.reversed.keys() - set(EXPERIMENTS[row.test_name].settings):
        assert row.reversed[name] - row.off[name] == pytest.approx(row.off[name] - social.today(name)), name


def test_the_table_stands_in_the_test_output(tmp_path: Path) -> None:
    """A run of one mechanism: it is counted, and what did not run is not said to have passed."""
    command = [sys.executable, "-m", "pytest", str(Path(__file__)), "-k", "test_mechanism and S3d", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTEST_ADDOPTS": ""}
    cache = f"cache_dir={tmp_path}"
    ran = subprocess.run(
        [*command, "-o", cache], cwd=ROOT, env=environment, capture_output=True, check=False, encoding="utf-8"
    )
    assert ran.returncode == 0, ran.stdout
    lines = ran.stdout.splitlines()
    assert any(line.startswith("S3d") and " passed " in line for line in lines)
    assert sum("not run, not run, not run" in line for line in lines) == len(IDS) - 1
    assert f"1 of {len(IDS)} mechanisms passed" in lines
