"""Decisions on elements of arrays: two neighbourhoods that share nothing are two separate questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdopt.cli import main
from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem

Ask = Callable[..., Problem]
DATA = Path(__file__).resolve().parents[1] / "data"


def test_two_neighbourhoods_are_two_questions(ask: Ask) -> None:
    no_limit: dict[str, Any] = {"constraints.Mensen in zorg onder het plafond": None}
    apart = [
        ask("wijk", {"model.changes": {"base inflow": 70}}, base=DATA),
        ask("wijk", {"model.changes": {"base inflow": 90}, **no_limit}, base=DATA),
    ]
    together = optimise(ask("wijken", base=DATA), "t", lambda *_: None)
    found = [optimise(problem, "t", lambda *_: None) for problem in apart]
    assert together.status.key == "optimal"
    total = sum(r.figures["objective"] for r in found)
    slack = sum(r.figures["bound"] - r.figures["objective"] for r in [together, *found])
    assert together.figures["objective"] == pytest.approx(total, abs=max(slack, 1e-9))


@pytest.mark.filterwarnings("ignore:(?s).*extrapolating data")
def test_the_whole_way_with_arrays(tmp_path: Path) -> None:
    main(["optimise", str(DATA / "wijken.yaml"), "--output", str(tmp_path)], standalone_mode=False)
    (folder,) = tmp_path.iterdir()
    table = pd.read_csv(folder / "tables" / "trajectories.csv", keep_default_na=False)
    assert set(table.loc[table["variable"] == "People in care", "subscript"]) == {"Noord", "Zuid"}
    filled = (folder / "allocation.mdl").read_text(encoding="utf-8")
    assert "care budget[Noord]= WITH LOOKUP" in filled
    assert "care budget[Zuid]= WITH LOOKUP" in filled
    assert "#" not in "".join(table["variable"])
