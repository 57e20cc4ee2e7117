"""Four municipalities: tables and configs that are current, in balance, within the evidence, and that run."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from model_scripts import rows, script
from social_model import MODELS, ROOT, SocialDomain

from sdopt.config.constants import Constant, read_constants
from sdopt.config.load import load_config
from sdopt.export.console import Progress
from sdopt.optimise.run import optimise
from sdopt.problem.build import build_problem
from sdopt.result import Status

CONFIGS = ROOT / "configs"
PLACES = ("grote-stad", "middelgrote-gemeente", "kleine-plattelandsgemeente", "krimpregio")
ROUNDING = 1e-4
"""The tables hold six digits."""


def table(place: str) -> dict[str, Constant]:
    return {row.name: row for row in read_constants(MODELS / "municipalities" / f"{place}.csv")}


def copy_of_the_inputs(folder: Path) -> None:
    for name in ("models/municipalities.csv", "models/social_domain.csv", "models/social_domain.mdl"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "configs").mkdir()
    shutil.copy(CONFIGS / "voorbeeld-100k.yaml", folder / "configs")


def test_the_tables_and_configs_are_those_of_todays_figures(tmp_path: Path) -> None:
    """When this fails: python models/write_municipalities.py."""
    copy_of_the_inputs(tmp_path)
    script("write_municipalities").main(tmp_path)
    for place in PLACES:
        for name in (f"models/municipalities/{place}.csv", f"configs/{place}.yaml"):
            assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8")


def test_a_column_more_is_a_municipality_more(tmp_path: Path) -> None:
    copy_of_the_inputs(tmp_path)
    figures = tmp_path / "models" / "municipalities.csv"
    with figures.open(encoding="utf-8", newline="") as file:
        listed = [row | {"mijn-gemeente": row["national"]} for row in csv.DictReader(file)]
    with figures.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, listed[0].keys())
        writer.writeheader()
        writer.writerows(listed)
    script("write_municipalities").main(tmp_path)
    mine = read_constants(tmp_path / "models" / "municipalities" / "mijn-gemeente.csv")
    national = {row.name: row.value for row in read_constants(MODELS / "social_domain.csv")}
    near = {"other general grant": 0.001, "reference participation share": 0.002}
    for row in mine:  # with the national figures it is the national municipality
        assert row.value == pytest.approx(national[row.name], rel=near.get(row.name, 1e-5)), row.name
    assert "municipality: ../models/municipalities/mijn-gemeente.csv" in (
        tmp_path / "configs" / "mijn-gemeente.yaml"
    ).read_text(encoding="utf-8")


def test_chosen_figures_lie_within_the_spread_over_municipalities() -> None:
    evidence = {row["id"]: row for row in rows("evidence")}
    checked = 0
    for figure in rows("municipalities"):
        source = evidence.get(figure["source"].split(";")[0])
        if (
            figure["kind"] == "per inhabitant"
            and source
            and source["unit"] == "EUR/inh"
            and figure["source"] != "G01"
        ):
            assert float(figure["national"]) == float(source["value"])
            values = [float(figure[place]) for place in PLACES]
            assert float(source["low"]) <= min(values) and max(values) <= float(source["high"]), figure[
                "figure"
            ]
            checked += 1
    assert checked >= 4


def test_the_figures_differ_as_the_municipalities_do() -> None:
    found = {
        figure["figure"]: [float(figure[place]) for place in PLACES]
        for figure in rows("municipalities")
        if figure["grote-stad"]
    }
    city, middle, small, shrinking = (
        dict(zip(found, column, strict=True)) for column in zip(*found.values(), strict=True)
    )
    assert small["inhabitants"] < 15_000 < shrinking["inhabitants"]
    bijstand = "bijstand and wage subsidies per inhabitant (6.3)"
    assert city[bijstand] > shrinking[bijstand] > middle[bijstand] > small[bijstand]
    ageing = "growth of people who lean on informal care"
    assert min(small[ageing], shrinking[ageing]) > max(city[ageing], middle[ageing])
    assert shrinking["growth of need for youth care"] < 0 > shrinking["growth of potential carers"]


@pytest.mark.parametrize("place", PLACES)
def test_what_has_no_source_is_a_judgement(place: str) -> None:
    for row in table(place).values():
        assert row.status == "judgement" or row.source == "definition", row.name
        assert row.status != "judgement" or row.note, row.name


@pytest.mark.parametrize("place", PLACES)
def test_today_is_in_balance_with_its_own_flows_and_budget(place: str) -> None:
    social = SocialDomain(end=2028)
    own = social.run({name: row.value for name, row in table(place).items()})
    national = social.run()
    assert abs(own["structural_balance"][0]) < ROUNDING * own["structural_income"][0]
    assert abs(own["change_in_participation"][0]) < ROUNDING * own["people_participating"][0]
    for stock in ("people_on_bijstand", "problem_debt_households", "people_participating", "bottom_jobs"):
        grown = [run[stock][8] / run[stock][0] - 1 for run in (own, national)]
        assert abs(grown[0] - grown[1]) < 0.002, stock
    for clients, need in (
        ("light_clients", "growth of light need"),
        ("youth_clients", "growth of youth need"),
    ):
        assert own[clients][8] / own[clients][0] - 1 == pytest.approx(table(place)[need].value, abs=0.003)
    weight = {"kleine-plattelandsgemeente": 0.0}.get(place, 1.0)
    assert own["objective_weight_of_buig"][0] == weight


@pytest.mark.parametrize("place", PLACES)
def test_bounds_are_in_proportion_to_todays_spending(place: str) -> None:
    national, own = (load_config(CONFIGS / f"{name}.yaml").config for name in ("voorbeeld-100k", place))
    today = {row.name: row.value for row in read_constants(MODELS / "social_domain.csv")}
    assert own.decisions.keys() == national.decisions.keys()
    for identity, decision in own.decisions.items():
        other = national.decisions[identity]
        share = table(place)[other.variable].value / today[other.variable]
        assert decision.bounds == pytest.approx([bound * share for bound in other.bounds], rel=0.006)


@pytest.mark.parametrize("place", PLACES)
def test_every_municipality_gets_a_proven_advice(place: str, social: SocialDomain) -> None:
    """Quickly: 1 % of the improvement, with a small audit; the page has the shipped settings."""
    loaded = load_config(CONFIGS / f"{place}.yaml")
    problem = build_problem(loaded, social.model.system)
    search = problem.config.search.model_copy(update={"gap": 0.01, "audit": 400})
    object.__setattr__(problem, "config", problem.config.model_copy(update={"search": search}))
    with Progress() as progress:
        result = optimise(problem, "test", progress)
    assert result.status is Status.OPTIMAL
    assert result.figures["gap"] <= 0.01
    assert result.figures["improvement"] > 0


def test_the_page_was_made_from_todays_files() -> None:
    """When this fails: python models/write_municipalities_page.py (some minutes)."""
    page = (ROOT / "docs" / "municipalities.md").read_text(encoding="utf-8")
    assert [line for line in script("write_municipalities_page").fingerprint() if line not in page] == []
