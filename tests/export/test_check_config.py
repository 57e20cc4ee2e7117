"""`sdopt check CONFIG` of what is uncertain: the numbers of the sweep itself, and all faults at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from sdopt.cli import main

DATA = Path(__file__).parents[1] / "data"
HEAD = "decision,year,value\n"


def place(folder: Path, name: str = "sweep/zorg.yaml", **changes: Any) -> Path:
    """A config of the tests with other sections, elsewhere."""
    shutil.copytree(DATA, folder / "data", ignore=shutil.ignore_patterns("fiscal", "ledger"))
    config = folder / "data" / name
    said = yaml.safe_load(config.read_text(encoding="utf-8"))
    for section, value in changes.items():
        said[section] = {**said[section], **value} if isinstance(said.get(section), dict) else value
    config.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return config


def run(*asked: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in asked])


def check(config: Path) -> str:
    done = run("check", config)
    assert done.exit_code == 0, done.output
    return done.output


def allocation(folder: Path, name: str, values: dict[str, list[float]]) -> None:
    rows = [f"{d},{2027 + k},{v}\n" for d, row in values.items() for k, v in enumerate(row)]
    (folder / name).write_text(HEAD + "".join(rows), encoding="utf-8")


def test_the_sweep_is_as_large_as_was_said(tmp_path: Path) -> None:
    config = place(
        tmp_path, sweep={"scenarios": 7, "allocations": {"advice": "advies.csv", "later": "re-optimised"}}
    )
    said = check(config)
    done = run("sweep", config, "--output", tmp_path / "uit", "--workers", 1)
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "uit").iterdir()
    design = json.loads((folder / "design.json").read_text(encoding="utf-8"))
    assert f"7 draws x 2 external scenarios x 2 allocations = {design['runs']} runs" in said
    assert f"{len(pd.read_parquet(folder / 'trajectories.parquet')):,} values" in said
    assert f"uncertain    {len(design['uncertainties'])} of 12 constants are drawn" in said
    assert "external     2 scenarios: as now 75 %, more care 25 %" in said
    assert f"the best of each of the first {len(pd.read_csv(folder / 're_optimised.csv'))} scenarios" in said
    assert "optimised first" not in said
    assert "warning" not in said


def test_what_is_not_drawn_is_named_with_the_reason(tmp_path: Path) -> None:
    config = place(
        tmp_path,
        "uncertainty/wijk_onzeker.yaml",
        external_scenarios={
            name: {"constants": {"price of care": 0.05}}
            for name in ("zoals nu", "slappe economie", "dure zorg")
        },
        robust={"measures": ["worst_case"], "scenarios": 9},
    )
    said = check(config)
    assert "not drawn    prevention budget (chosen by a decision or programme)" in said
    assert "(fixed in every external scenario)" in said
    assert "robust       worst_case: 9 draws x 3 external scenarios = 27 scenarios" in said
    assert "the advice is optimised first" in said


def test_a_range_without_width_is_named(tmp_path: Path) -> None:
    listed = [
        {"constant": "effect of knowing", "low": 0.3, "high": 0.3},
        {"constant": "price of care", "low": 0, "high": 1},
    ]
    said = check(place(tmp_path, uncertainties=listed))
    assert "uncertain    1 of 12 constants" in said
    assert "not drawn    effect of knowing (range without width)" in said


def test_an_allocation_that_breaks_limits_is_told(tmp_path: Path) -> None:
    """A bound of 4, a rise of at most 50 % of `uitstroom`, in total at most half a million more than now."""
    config = place(
        tmp_path, sweep={"allocations": {"advice": "advies.csv", "groot": "groot.csv", "gek": "gek.csv"}}
    )
    allocation(config.parent, "groot.csv", {"voorkomen": [2, 3, 4, 4.5], "uitstroom": [1, 1, 1, 2]})
    allocation(config.parent, "gek.csv", {"voorkomen": [-1e4] * 4, "uitstroom": [-1e4] * 4})
    said = check(config)
    assert 'warning      allocation "gek" gives no numbers at central values: ' in said
    lines = {line.split('"')[1]: line for line in said.splitlines() if "breaks at" in line}
    assert set(lines) == {"groot", "gek"}
    assert "bounds of voorkomen (2030)," in lines["groot"]
    assert "bounds of uitstroom (2027, 2028, 2029, 2030)" in lines["gek"]
    assert "uitstroom: largest rise (2030)" in lines["groot"]
    assert "Niet meer geld dan nu met een half erbij (2028, 2029, 2030)" in lines["groot"]


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    config = place(
        tmp_path,
        sweep={
            "design": "saltelli",
            "scenarios": 10,
            "allocations": {"advice": "advies.csv", "plan": "plan.csv", "ander": "ander.csv"},
        },
        robust={"decide_again": {"year": 2029, "learn": "memory time", "groups": 4, "scenarios": 20}},
    )
    (config.parent / "plan.csv").write_text("decision,wanneer,value\nvoorkomen,2027,1\n", encoding="utf-8")
    allocation(config.parent, "ander.csv", {"voorkomen": [1, 1, 1, 1], "uitstrom": [1, 1, 1, 1]})
    done = run("check", config)
    assert done.exit_code == 1
    for said in (
        "zorg.yaml: 4 errors",
        "sweep (line",
        "10 base points for Sobol indices",
        "robust.decide_again (line",
        "too few different values for 4 groups",
        "sweep.allocations.plan (line",
        "column year: missing. Needed: decision, year, value",
        "sweep.allocations.ander (line",
        'no decision "uitstrom" that starts in 2027. Did you mean "uitstroom"?',
    ):
        assert said in done.output


def test_a_range_that_leaves_out_the_value_used_is_said_with_the_others(tmp_path: Path) -> None:
    """The table gives the effect of knowing 0 to 0.5; the config puts another value."""
    config = place(
        tmp_path,
        "uncertainty/wijk_onzeker.yaml",
        model={"changes": {"effect of knowing": 0.6}},
        sweep={"allocations": {"plan": "plan.csv"}},
    )
    (config.parent / "plan.csv").write_text("besluit,jaar,bedrag\n", encoding="utf-8")
    done = run("check", config)
    assert done.exit_code == 1
    assert "wijk_onzeker.yaml: 2 errors" in done.output
    assert '"effect of knowing": 0.6, the value used, is outside [0, 0.5]' in done.output
    assert "sweep.allocations.plan" in done.output


@pytest.mark.parametrize("asked", [False, True])
def test_with_nothing_uncertain(tmp_path: Path, asked: bool) -> None:
    """An error when the config asks for a sweep; else just said."""
    config = place(tmp_path, "wijk.yaml", **({"sweep": {"scenarios": 5}} if asked else {}))
    done = run("check", config)
    assert done.exit_code == asked
    assert "nothing is uncertain" in done.output
    assert ("not possible, nor robust" in done.output) != asked


def test_robust_with_programmes_is_refused_before_the_search(tmp_path: Path) -> None:
    configs = sorted((DATA / "programmes").glob("*.yaml"))
    said = yaml.safe_load(configs[0].read_text(encoding="utf-8"))
    assert said["programmes"]
    config = place(tmp_path, f"programmes/{configs[0].name}", robust={"measures": ["expected"]})
    done = run("check", config)
    assert done.exit_code == 1
    assert "robust allocations cannot choose programmes" in done.output
