"""Not only dividing but earning (S0b): the shipped ledger adds up to the model's own three results."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from sdopt.config.load import LoadedConfig, load_config
from sdopt.config.valuation import chosen_methods, read_valuation
from sdopt.optimise.ledger import ledger_tables
from sdopt.optimise.run import simulate_allocation
from sdopt.optimise.tables import paths_of, simulate
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.valuation import check_methods
from sdopt.source_model.read import SourceModel, read_model

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
REQUIRED = ("schema_version", "title", "model", "horizon", "decision_years", "decisions", "objective")
METHODS = {
    "QALY": ("low", "middle", "high"),
    "informal care": ("opportunity", "wellbeing", "replacement"),
    "volunteering": ("opportunity", "replacement", "market"),
}


@pytest.fixture(scope="module")
def model() -> SourceModel:
    return read_model(MODELS / "social_domain.mdl")


def loaded(folder: Path, **methods: str) -> LoadedConfig:
    """The example question with ledger and valuation, whatever it says of them itself."""
    data = yaml.safe_load((ROOT / "configs" / "voorbeeld-100k.yaml").read_text(encoding="utf-8"))
    for key in ("file", "constants"):
        data["model"][key] = str(MODELS / Path(data["model"][key]).name)
    for key in [key for key in data if key not in REQUIRED]:
        del data[key]
    data["ledger"] = {"file": str(MODELS / "social_domain.ledger.csv")}
    data["valuation"] = {"file": str(MODELS / "valuation.csv"), **methods}
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_config(path)


def question(folder: Path, model: SourceModel) -> Problem:
    return build_problem(loaded(folder), model.system)


def test_the_ledger_adds_up_to_all_three_results_for_any_allocation(
    tmp_path: Path, model: SourceModel
) -> None:
    problem = question(tmp_path, model)
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    draws = np.random.default_rng(4).random((4, len(lower)))
    for share in [*draws, np.ones(len(lower))]:
        tables = simulate_allocation(problem, lower + share * (upper - lower), "run").tables
        totals = tables["perspective_totals"]
        assert list(totals["perspective"]) == ["gemeente-fiscaal", "overheid-fiscaal", "maatschappelijk"]
        assert totals["agrees"].all()
        assert totals["difference"].abs().min() > 0.01  # so that agreeing says something


def test_transfers_net_to_zero_over_the_pockets(tmp_path: Path, model: SourceModel) -> None:
    problem = question(tmp_path, model)
    tables = simulate_allocation(problem, problem.decisions.upper(), "run").tables
    transfers = tables["ledger"][tables["ledger"]["kind"] == "transfer"]
    sizes = transfers.groupby("effect")["null"].apply(lambda values: values.abs().max())
    assert transfers.groupby("effect")[["null", "advice", "difference"]].sum().abs().max().max() < 1e-9
    assert (sizes > 1).sum() >= 4  # benefits, BUIG, general grant, own contributions: real money


def test_health_and_production_count_for_society_and_not_for_the_municipality(
    tmp_path: Path, model: SourceModel
) -> None:
    problem = question(tmp_path, model)
    table = simulate_allocation(problem, problem.decisions.upper(), "run").tables["perspectives"]
    effects = table.groupby("perspective")["effect"].apply(set)
    social = {"Health of people on bijstand", "Work: residents", "Work: employers"}
    assert social <= effects["maatschappelijk"]
    assert not social & effects["gemeente-fiscaal"]


@pytest.mark.parametrize(
    ("convention", "method"), [(c, method) for c, methods in METHODS.items() for method in methods]
)
def test_every_method_can_be_chosen(tmp_path: Path, model: SourceModel, convention: str, method: str) -> None:
    asked = loaded(tmp_path, **{convention: method})
    methods = chosen_methods(asked)
    check_methods(asked, model.system, methods)
    assert {row.convention: row.method for row in methods}[convention] == method


def test_conventions_name_evidence_that_exists() -> None:
    with (MODELS / "evidence.csv").open(encoding="utf-8", newline="") as file:
        known = {row["id"] for row in csv.DictReader(file)}
    rows = read_valuation(MODELS / "valuation.csv")
    assert {row.source for row in rows if row.constant} <= known
    offered = {c: tuple(row.method for row in rows if row.convention == c) for c in METHODS}
    assert offered == METHODS
    assert {row.convention: row.method for row in rows if row.default} == {
        "null alternative": "going on as now",
        "price level": "2024",
        "QALY": "middle",
        "informal care": "opportunity",
        "volunteering": "opportunity",
    }


def test_the_default_methods_are_what_the_table_of_constants_says(tmp_path: Path, model: SourceModel) -> None:
    """So that a question without `valuation` has the same central values."""
    with (MODELS / "social_domain.csv").open(encoding="utf-8", newline="") as file:
        table = {row["name"]: float(row["value"]) for row in csv.DictReader(file)}
    for row in question(tmp_path, model).methods:
        if row.constant:
            assert table[row.constant] == row.value


def test_a_row_with_the_wrong_sign_or_left_out_is_noticed(tmp_path: Path, model: SourceModel) -> None:
    """Every row that the advice moves matters: turned around, or absent, some perspective does not agree."""
    problem = question(tmp_path, model)
    point = problem.decisions.upper()
    runs = [simulate(problem, p) for p in (problem.decisions.null_paths(), paths_of(problem, point))]
    ledger = problem.ledger
    assert ledger is not None
    moved = [
        e for e in ledger.entries if e.kind != "end value" and not np.allclose(*(r[e.key] for r in runs))
    ]
    assert len(moved) > 12
    for entry in moved:
        others = tuple(other for other in ledger.entries if other is not entry)
        turned = replace(entry, weights={pocket: -weight for pocket, weight in entry.weights.items()})
        for entries in (others, (*others, turned)):
            wrong = replace(problem, ledger=replace(ledger, entries=entries))
            assert not ledger_tables(wrong, *runs)["perspective_totals"]["agrees"].all(), entry.effect
