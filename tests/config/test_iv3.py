"""The table of taakvelden in three vintages: the shipped one, and each of its rules broken once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sdopt.config.fiscal_library import read_library
from sdopt.config.iv3 import Account, read_accounts
from sdopt.errors import ConfigError

MODELS = Path(__file__).resolve().parents[2] / "models"
HEAD = (
    "taakveld 2025-2026,name,taakveld 2023-2024,relation 2023-2024,taakveld <=2022,relation <=2022,"
    "pot,source,status,note\n"
)
GOOD = (
    "6.1,Samenkracht,6.1,same,6.1,same,social base,list,read,\n"
    "6.811,Beschermd wonen,6.81a,renumbered,6.81,part,care,list,read,\n"
    "6.91,Beleid,6.x,mixed,6.6; 6.71,mixed,other,list,judgement,x\n"
)


def read(tmp_path: Path, text: str) -> tuple[Account, ...]:
    path = tmp_path / "iv3.csv"
    path.write_text(text, encoding="utf-8")
    return read_accounts(path)


def test_a_good_table(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, HEAD + GOOD)
    relations = ("same", "same")
    assert first == Account(
        2, "6.1", "Samenkracht", (("6.1",), ("6.1",)), relations, "social base", "list", "read", ""
    )
    assert second.relations == ("renumbered", "part")
    assert third.older == (("6.x",), ("6.6", "6.71"))


def test_a_table_saved_by_a_dutch_spreadsheet(tmp_path: Path) -> None:
    """Semicolons between the columns: then a cell with several codes stands in double quotes."""
    text = (HEAD + GOOD).replace(",", ";").replace("6.6; 6.71", '"6.6; 6.71"')
    assert read(tmp_path, "\ufeff" + text) == read(tmp_path, HEAD + GOOD)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("6.811,B", "6,811,B", "row 3: 11 cells where the first row has 10"),
        ("6.811,B", "6-11,B", 'row 3, taakveld 2025-2026: found "6-11"; a code is written as 6.1'),
        ("6.811,B", ",B", "row 3, taakveld 2025-2026: empty; fill it in"),
        ("6.811,B", "6.1,B", 'row 3: "6.1" is on row 2 already'),
        ("Samenkracht", "", "row 2, name: empty"),
        ("6.81a,renumbered", ",renumbered", "row 3, taakveld 2023-2024: empty; write a code"),
        ("6.81a,renumbered", "jun-81,renumbered", 'row 3, taakveld 2023-2024: found "jun-81"'),
        ("6.81a,renumbered", "6.81a,moved", 'row 3, relation 2023-2024: found "moved"'),
        ("6.81a,renumbered", "6.81a,same", '"same" does not fit 6.81a and 6.811; use same for the same'),
        ("6.1,same,6.1", "6.1,renumbered,6.1", '"renumbered" does not fit 6.1 and 6.1'),
        (
            "6.81,part",
            "6.81,mixed",
            'row 3, relation <=2022: "mixed" needs several older codes, found "6.81"',
        ),
        ("6.6; 6.71,mixed", "6.6; 6.71,part", '"part" needs one older code, found "6.6; 6.71"'),
        ("6.x,mixed", "6.x,part", 'row 4, relation 2023-2024: "part" needs one older code, found "6.x"'),
        (
            "6.6; 6.71,mixed",
            "6.1,part",
            'row 2, relation <=2022: "same" says that 6.1 became this taakveld alone, but row 4 comes from',
        ),
        ("list,judgement", "list,sure", 'row 4, status: found "sure"'),
        ("care,list", "care,", "row 3, source: empty"),
        ("care,list", ",list", "row 3, pot: empty"),
        ("pot,source", "pots,source", "column pot: missing"),
        (GOOD, "", "has no rows; add one per taakveld"),
    ],
)
def test_a_broken_table(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert (HEAD + GOOD).count(old) == 1
    with pytest.raises(ConfigError, match=r"iv3\.csv") as error:
        read(tmp_path, (HEAD + GOOD).replace(old, new))
    assert message in str(error.value)


def library_with(tmp_path: Path, table: str, old: str, new: str) -> None:
    """Reads a copy of the shipped library in which a text of one table is replaced."""
    for name in ("fiscal_rules.yaml", "taakvelden.csv", "iv3_taakvelden.csv"):
        shutil.copy(MODELS / name, tmp_path)
    text = (tmp_path / table).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / table).write_text(text.replace(old, new, 1), encoding="utf-8")
    read_library(tmp_path / "fiscal_rules.yaml")


def test_every_line_of_a_budget_stands_on_an_account_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape('iv3_taakvelden.csv has no taakveld "6.59"')):
        library_with(tmp_path, "taakvelden.csv", "structural,6.5,", "structural,6.59,")
    wrong = 'in iv3_taakvelden.csv taakveld 6.5 is called "Arbeidsparticipatie": make them equal'
    with pytest.raises(ConfigError, match=re.escape(wrong)):
        library_with(tmp_path, "taakvelden.csv", "6.5,Arbeidsparticipatie", "6.5,Arbeid")


def test_the_hash_of_a_library_covers_its_accounts(tmp_path: Path) -> None:
    shipped = read_library(MODELS / "fiscal_rules.yaml")
    library_with(tmp_path, "iv3_taakvelden.csv", "Secondary sources; verify.", "Read.")
    changed = read_library(tmp_path / "fiscal_rules.yaml")
    assert changed.sha256 != shipped.sha256
    assert len(changed.accounts) == len(shipped.accounts)
