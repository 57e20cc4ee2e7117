"""The lines of a multi-year budget: each rule of the table broken once, with its message."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdopt.config.budget_lines import BudgetLine, read_budget_lines
from sdopt.errors import ConfigError

HEAD = "variable,share,side,term,taakveld 2025-2026,name,note\n"
GOOD = (
    "care spending,0.25,spending,structural,6.1,Samenkracht,\n"
    "Care spending,0.75,spending,structural,6.2,Toegang,x\n"
)


def read(tmp_path: Path, text: str) -> tuple[BudgetLine, ...]:
    path = tmp_path / "lines.csv"
    path.write_text(text, encoding="utf-8")
    return read_budget_lines(path)


def test_a_good_table(tmp_path: Path) -> None:
    first, second = read(tmp_path, HEAD + GOOD)
    assert first == BudgetLine(2, "care spending", 0.25, "spending", "structural", "6.1", "Samenkracht")
    assert second.share == 0.75


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + GOOD.replace("0.75", "0.7"), 'row 3, share: the shares of "Care spending" add up to 0.95'),
        (HEAD + GOOD.replace("0.25", "a quarter"), 'row 2, share: expected a number, found "a quarter"'),
        (
            HEAD + GOOD.replace("spending,structural,6.1", "lasten,structural,6.1"),
            'row 2, side: found "lasten"',
        ),
        (HEAD + GOOD.replace("structural,6.1", "once,6.1"), 'row 2, term: found "once"'),
        (HEAD + GOOD.replace("6.1", ""), "row 2, taakveld 2025-2026: empty"),
        (HEAD + GOOD.replace("Samenkracht", ""), "row 2, name: empty"),
        (HEAD.replace("side", "kant") + GOOD, "column side: missing"),
    ],
)
def test_a_broken_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert message in str(error.value)
