"""Which taakvelden (Iv3) the money of the social domain belongs to: shares add up, codes have their form."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from math import fsum
from pathlib import Path

import pytest

from sdopt.problem.meaning import resolve
from sdopt.source_model.read import read_model

MODELS = Path(__file__).resolve().parents[2] / "models"
DECISIONS = (
    *("prevention", "social base", "access", "reablement", "reintegration", "participation"),
    *("organisation", "learning", "earning capacity"),
)
OTHERS = ("Wmo", "youth care", "benefits", "operation")
CODE = re.compile(r"[0-9]\.[0-9]{1,3}")

with (MODELS / "taakvelden.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def test_the_shares_of_every_variable_add_up_to_one() -> None:
    shares: dict[str, list[float]] = defaultdict(list)
    for row in ROWS:
        shares[row["variable"]].append(float(row["share"]))
    assert {name: fsum(found) for name, found in shares.items()} == pytest.approx(dict.fromkeys(shares, 1))
    assert min(min(found) for found in shares.values()) > 0
    wanted = [*(f"{name} spending" for name in DECISIONS), *(f"spending on {name}" for name in OTHERS)]
    spent = {row["variable"] for row in ROWS if row["side"] == "spending" and row["term"] == "structural"}
    assert spent == {*wanted, "risk cost of less accountability"}


def test_every_variable_is_in_the_model() -> None:
    system = read_model(MODELS / "social_domain.mdl").system
    missing = [row["variable"] for row in ROWS if resolve(row["variable"], system) is None]
    assert not missing


def test_every_code_has_its_form_one_name_and_a_source() -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for row in ROWS:
        assert CODE.fullmatch(row["taakveld 2025-2026"]), row
        names[row["taakveld 2025-2026"]].add(row["name"])
        assert row["status"] in ("read", "derived", "memory", "judgement")
        assert row["source"]
        assert row["note"]
    assert {code: len(found) for code, found in names.items()} == dict.fromkeys(names, 1)
    assert len({(row["variable"], row["taakveld 2025-2026"]) for row in ROWS}) == len(ROWS)
