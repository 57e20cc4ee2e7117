"""The table of mechanisms at the end of the tests' output.

A plugin named by tests/conftest.py: where several processes share the tests, the one that reports loads no
conftest.py below that folder.
"""

from __future__ import annotations

import re

import pytest
from mechanism import MODES, mechanisms

TEST = re.compile(r"test_mechanisms\.py::test_mechanism\[(.+)-(\w+)\]$")


def _outcomes(reporter: pytest.TerminalReporter) -> dict[tuple[str, str], str]:
    """Mode and mechanism -> how its test ended, from the reports themselves."""
    reports = [
        (report, name) for name in ("passed", "failed", "error") for report in reporter.getreports(name)
    ]
    found = ((TEST.search(report.nodeid), name) for report, name in reports)
    return {(match[1], match[2]): name for match, name in found if match}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Mechanism -> variables -> test -> passed, whenever the tests of mechanisms ran."""
    outcomes = _outcomes(terminalreporter)
    if not outcomes:
        return
    terminalreporter.section("mechanisms: test holds as it is, fails switched off, fails reversed")
    for row in mechanisms():
        ended = [outcomes.get((mode, row.id), "not run") for mode in MODES]
        verdict = "passed" if set(ended) == {"passed"} else ", ".join(ended)
        terminalreporter.write_line(f"{row.id:4} {verdict:7} {row.test}")
        terminalreporter.write_line(f"{'':13}{', '.join(row.variables)}")
    whole = sum(all(outcomes.get((mode, row.id)) == "passed" for mode in MODES) for row in mechanisms())
    terminalreporter.write_line(f"{whole} of {len(mechanisms())} mechanisms passed")
