"""The shipped crosswalk of taakvelden: what is known of the three vintages, and no more than that."""

from __future__ import annotations

from pathlib import Path

from sdopt.config.budget_lines import read_budget_lines
from sdopt.config.iv3 import read_accounts

MODELS = Path(__file__).resolve().parents[2] / "models"
ACCOUNTS = {account.code: account for account in read_accounts(MODELS / "iv3_taakvelden.csv")}
YOUTH_CARE = ("6.751", "6.752", "6.753", "6.761", "6.762", "6.763", "6.792")
LETTERED_YOUTH = {*(f"6.72{x}" for x in "abcd"), *(f"6.73{x}" for x in "abc"), *(f"6.74{x}" for x in "abc")}


def test_every_line_of_the_budget_is_in_it() -> None:
    lines = read_budget_lines(MODELS / "taakvelden.csv")
    assert {line.account for line in lines} <= ACCOUNTS.keys()
    assert {line.account: line.name for line in lines}.items() <= {
        c: a.name for c, a in ACCOUNTS.items()
    }.items()


def test_no_youth_code_of_2023_is_said_to_be_one_of_2025() -> None:
    for code in YOUTH_CARE:
        older, relation = ACCOUNTS[code].older[0], ACCOUNTS[code].relations[0]
        assert relation == "mixed", code
        assert set(older) <= LETTERED_YOUTH, code
    assert {code for one in YOUTH_CARE for code in ACCOUNTS[one].older[0]} == LETTERED_YOUTH


def test_what_was_renumbered_as_a_whole() -> None:
    renumbered = {
        code: account.older[0][0]
        for code, account in ACCOUNTS.items()
        if account.relations[0] == "renumbered"
    }
    assert renumbered == {"6.811": "6.81a", "6.812": "6.81b", "6.821": "6.82a", "6.822": "6.82b"}


def test_access_was_one_taakveld_before() -> None:
    for code in ("6.21", "6.22", "6.23"):
        assert ACCOUNTS[code].older == (("6.2",), ("6.2",))
        assert ACCOUNTS[code].relations == ("part", "part")


def test_what_is_from_memory_says_so() -> None:
    for account in ACCOUNTS.values():
        if account.source.startswith("memory"):
            assert account.status == "memory", account.code
        if account.relations[0] == "mixed":
            assert account.status == "judgement", account.code
