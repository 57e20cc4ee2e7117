"""Ten neighbourhoods: with equal ones it is the same model; the shipped ones add up to the municipality."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_scripts import rows, script
from social_model import MODELS, ROOT, Array, SocialDomain

from sdopt.config.constants import read_constants
from sdopt.config.load import load_config
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import run, simulate_all
from sdopt.export.console import Progress
from sdopt.optimise.run import optimise
from sdopt.problem.build import build_problem
from sdopt.result import Status
from sdopt.source_model.read import SourceModel, read_model
from sdopt.source_model.replay import compare, replay

CONFIGS = ROOT / "configs"
CONFIG = CONFIGS / "tien-wijken-100k.yaml"
WRITTEN = ("models/social_domain_wijken.mdl", "models/social_domain_wijken.csv", f"configs/{CONFIG.name}")
INPUTS = ("social_domain.mdl", "social_domain.csv", "neighbourhoods.csv", "wijken.csv")
ROUNDING = 1e-11
DIGITS = 2e-5
"""The tables hold six digits per neighbourhood."""


@pytest.fixture(scope="module")
def wijken() -> SourceModel:
    return read_model(MODELS / "social_domain_wijken.mdl")


def test_model_table_and_config_are_those_of_today(tmp_path: Path) -> None:
    """When this fails: python models/write_neighbourhoods.py."""
    for folder, names in (("models", INPUTS), ("configs", ("herverdelen-100k.yaml",))):
        (tmp_path / folder).mkdir()
        for name in names:
            shutil.copy(ROOT / folder / name, tmp_path / folder)
    script("write_neighbourhoods").main(tmp_path)
    for name in WRITTEN:
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8"), (
            name
        )


def furthest(social: SocialDomain, rules: list[dict[str, str]], file: Path) -> tuple[float, str]:
    """Largest relative difference between ten equal neighbourhoods and the municipality, and where."""
    text = (MODELS / "social_domain.mdl").read_text(encoding="utf-8")
    equal = [
        place | {column: "1" for column in place if place[column].replace(".", "").isdigit()}
        for place in rows("wijken")
    ]
    file.write_text(
        script("write_neighbourhoods").generate(
            text.split(script("write_neighbourhoods").SKETCH)[0], rows("social_domain"), rules, equal
        )[0],
        encoding="utf-8",
    )
    divided = read_model(file)
    keys = tuple(divided.system.variables)
    paths = {social.key(name): path for name, path in social.random_allocation(1).items()}
    parts = {
        key: [k for k in keys if k == key or k.startswith(f"{key}[")] for key in social.model.system.variables
    }
    local: dict[str, Array] = {
        part: path / len(parts[key]) for key, path in paths.items() for part in parts[key]
    }
    whole = social.run({}, paths)
    found = run(compile_program(divided.system, social.grid, keys, sorted(local)), {}, local)
    ours = dict(zip(keys, np.squeeze(found), strict=True))
    sizes = {
        v.name: v.extensive
        for _, _, body in script("write_neighbourhoods").chapters(text)[1]
        for v in script("write_neighbourhoods").equations("", body)
    }
    differences = []
    for key, variable in social.model.system.variables.items():
        if variable.name in sizes:
            total = sum(ours[part] for part in parts[key])
            total = total if sizes[variable.name] else total / len(parts[key])
            scale = max(float(np.abs(whole[key]).max()), 1e-6)
            differences.append((float(np.abs(total - whole[key]).max()) / scale, variable.name))
    assert len(differences) > 400
    return max(differences)


def test_ten_equal_neighbourhoods_are_the_municipality(social: SocialDomain, tmp_path: Path) -> None:
    """Every variable at every step, with decisions that change every year."""
    largest, where = furthest(social, rows("neighbourhoods"), tmp_path / "equal.mdl")
    assert largest < ROUNDING, where


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("chance missed by lock in", None),
        ("participation spending", {"shared by": ""}),
        ("exits by reablement", {"shared by": ""}),
    ],
)
def test_the_proof_notices_a_rule_that_is_wrong(
    social: SocialDomain, tmp_path: Path, rule: str, change: dict[str, str] | None
) -> None:
    kept = [row | (change or {}) if row["name"] == rule else row for row in rows("neighbourhoods")]
    rules = kept if change else [row for row in kept if row["name"] != rule]
    assert furthest(social, rules, tmp_path / "wrong.mdl")[0] > 1e-3


def test_neighbourhoods_add_up_to_the_municipality() -> None:
    table = {row.name: row.value for row in read_constants(MODELS / "social_domain_wijken.csv")}
    people = {row["wijk"]: float(row["inhabitants"]) for row in rows("wijken")}
    national = {row.name: row for row in read_constants(MODELS / "social_domain.csv")}
    divided = [row for row in rows("neighbourhoods") if row["divided by"]]
    assert len(divided) > 15
    for row in divided:
        values = {place: table[f"{row['name']}[{place}]"] for place in people}
        rate = national[row["name"]].unit == "1/Year"
        total = (
            sum(v * people[p] for p, v in values.items()) / sum(people.values())
            if rate
            else sum(values.values())
        )
        assert total == pytest.approx(national[row["name"]].value, rel=DIGITS if rate else 1e-9), row["name"]


def test_todays_spending_is_that_of_the_reference_in_every_neighbourhood() -> None:
    table = {row.name: row.value for row in read_constants(MODELS / "social_domain_wijken.csv")}
    references = [name for name in table if name.startswith("reference ") and "spending[" in name]
    assert len(references) == 30
    for name in references:
        assert table[name] == table[name.removeprefix("reference ")]


def test_our_engine_agrees_with_pysd_on_neighbourhoods(wijken: SourceModel) -> None:
    grid = TimeGrid(2026, 2030, 0.125)
    key = "social_base_spending[noord]"
    paths = {key: np.where(grid.times < 2028, 0.793, 1.4)}
    found = compare(simulate_all(wijken.system, grid, {}, paths), replay(wijken, {}, paths, grid))
    assert found.largest < 1e-9, found


def test_the_config_asks_the_question_of_the_municipality_per_neighbourhood() -> None:
    national, own = (load_config(path).config for path in (CONFIGS / "herverdelen-100k.yaml", CONFIG))
    for identity, decision in national.decisions.items():
        parts = [
            d for name, d in own.decisions.items() if name == identity or name.startswith(f"{identity} ")
        ]
        assert len(parts) == (10 if identity in ("prevention", "social base", "access") else 1)
        for k in (0, 1):
            assert sum(part.bounds[k] for part in parts) == pytest.approx(decision.bounds[k], rel=1e-3)
    assert (own.horizon, own.decision_years, own.objective) == (
        national.horizon, national.decision_years, national.objective,
    )  # fmt: skip


def test_the_best_allocation_is_found_and_proven(wijken: SourceModel) -> None:
    """Quickly: two years to decide on, a shorter horizon, a wider gap; the page has the shipped settings."""
    loaded = load_config(CONFIG)
    assert len(build_problem(loaded, wijken.system).decisions.null_vector()) == 144
    asked = loaded.config
    shorter = asked.model_copy(
        update={
            "horizon": asked.horizon.model_copy(update={"end": 2036}),
            "decision_years": asked.decision_years.model_copy(update={"last": 2028}),
            "search": asked.search.model_copy(update={"gap": 0.05, "audit": 100}),
        }
    )
    with Progress() as progress:
        result = optimise(build_problem(replace(loaded, config=shorter), wijken.system), "test", progress)
    assert result.status is Status.OPTIMAL
    assert result.figures["gap"] <= 0.05
    best = result.tables["decisions"].groupby("decision")["value"].mean()
    noord, park = (
        best[f"prevention {place}"] / today for place, today in (("Noord", 0.39), ("Parkbuurt", 0.24))
    )
    assert noord > 1.1 > 0.9 > park  # where debts are, prevention pays
