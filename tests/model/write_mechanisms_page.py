"""Write docs/mechanisms.md: each mechanism, its variables, how to switch it off, its test, and what it found.

Run it after a change of the model or of models/mechanisms.csv: `python tests/model/write_mechanisms_page.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from experiments import finding
from mechanism import MODES, Mechanism, Settings, mechanisms
from social_model import ROOT

PAGE = ROOT / "docs" / "mechanisms.md"
INTRODUCTION = """# Mechanisms of the social domain model

What the five source documents claim, where it stands in `models/social_domain.mdl`, how to switch it off,
and the test that shows it. S0 is the blog on earning beside distributing, S1 VNG on investing, S2 the dinner
debate on participation, S3 Platform31, S4 BMC on the social base; F and B are the open-ended right and the
budget. Written from `models/mechanisms.csv` by `python tests/model/write_mechanisms_page.py`; a test keeps
it current.

Passed: the behaviour shows as it is, and is gone with the mechanism switched off and with its sign reversed.
A test shows that the model does what the claim says, not that the claim is true: how sure each effect is
stands in [constants.md](constants.md).
"""
COLUMNS = ("id", "mechanism (claim)", "variables", "switched off by", "test", "passed")


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _set(settings: Settings) -> str:
    return ", ".join(f"`{name}` = {value:g}" for name, value in settings.items())


def passed(row: Mechanism) -> str:
    """Whether the test holds as it is, and fails otherwise."""
    holds = [finding(row.id, mode).holds for mode in MODES]
    return "yes" if holds == [True, False, False] else f"NO: holds {dict(zip(MODES, holds, strict=True))}"


def _details(row: Mechanism) -> Iterator[str]:
    yield f"### {row.id}: {row.claim}"
    yield ""
    yield f"*{row.claim_nl}.* {row.test}."
    if row.note:
        yield ""
        yield f"{row.note}."
    yield ""
    yield _cells("run", "with", "test holds", "measured")
    yield "|---|---|---|---|"
    for mode in MODES:
        found = finding(row.id, mode)
        changed = _set(row.settings(mode)) or "-"
        yield _cells(mode, changed, "yes" if found.holds else "no", found.text())
    yield ""


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION, _cells(*COLUMNS), "|---" * len(COLUMNS) + "|"]
    for row in mechanisms():
        lines.append(_cells(row.id, row.claim, _names(row.variables), _set(row.off), row.test, passed(row)))
    lines += ["", "## What the three runs measured", ""]
    for row in mechanisms():
        lines += _details(row)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
