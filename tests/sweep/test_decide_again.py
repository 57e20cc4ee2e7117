"""Deciding again as a user asks for it: `sdopt robust`, its tables, words and sheet."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.errors import ConfigError
from sdopt.export.decide_again import again_lines
from sdopt.export.labels import Labels
from sdopt.export.robust import find_robust
from sdopt.export.tables import read_parquet
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.stopping import STOPPED
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result, Status
from sdopt.source_model.read import read_model
from sdopt.sweep.stages import learn_external
from sdopt.uncertainty.sample import draw_scenarios
from sdopt.uncertainty.scenarios import External, Scenarios

DATA = Path(__file__).parents[1] / "data" / "robust"
FUTURES = {
    "good": {"constants": {"price": 4}, "weight": 2},
    "bad": {"constants": {"price": 1.5}, "weight": 1},
}


def written(folder: Path, again: dict[str, Any], **changes: Any) -> Path:
    """The question of how much to order, in two years, with deciding again in the second."""
    data = yaml.safe_load((DATA / "orders.yaml").read_text(encoding="utf-8")) | changes
    data["model"]["file"] = str(DATA / "orders.mdl")
    data["decision_years"] = {"first": 2027, "last": 2028}
    data["robust"] = {"measures": ["expected"], "scenarios": 30, "gap": 1e-6, **data["robust_changes"]}
    data["robust"]["decide_again"] = {"year": 2028, "scenarios": 30, **again}
    del data["robust_changes"]
    path = folder / "config.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def found(
    folder: Path, again: dict[str, Any], robust: dict[str, Any] | None = None, **changes: Any
) -> Result:
    config = written(folder, again, robust_changes=robust or {}, **changes)
    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    return find_robust(loaded, model, build_problem(loaded, model.system))


def question(folder: Path, **changes: Any) -> Problem:
    loaded = load_config(written(folder, {"learn": "demand"}, robust_changes={}, **changes))
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def most(price: np.ndarray, demand: np.ndarray, weight: np.ndarray) -> float:
    """The highest weighted sum of a year's return over what can be ordered: at a demand, or an end."""
    orders = np.array([1.0, 12.0, *demand])[:, None]
    return float((weight * (price * np.minimum(orders, demand) - orders)).sum(axis=1).max())


def by_hand(problem: Problem, group: np.ndarray) -> float:
    """What knowing the group of every scenario is worth, from the draws alone."""
    scenarios = draw_scenarios(problem, "latin hypercube", 30, problem.config.search.seed)
    values = scenarios.constants({"price": 3.0})
    price = np.broadcast_to(values.get("price", np.float64(3.0)), scenarios.count)
    demand, weight = values["demand"], scenarios.weights
    apart = [most(price[group == g], demand[group == g], weight[group == g]) for g in np.unique(group)]
    return sum(apart) - most(price, demand, weight)


@pytest.mark.parametrize("groups", [2, 3])
def test_knowing_demand_is_worth_what_the_draws_say(tmp_path: Path, groups: int) -> None:
    problem = question(tmp_path)
    scenarios = draw_scenarios(problem, "latin hypercube", 30, problem.config.search.seed)
    rank = scenarios.values[0].argsort().argsort()
    worth = by_hand(problem, rank * groups // 30)
    table = found(tmp_path, {"learn": "demand", "groups": groups}).tables["robust_adaptive_value"]
    gained = table.set_index("what").loc["gained"]
    assert gained["value"] == pytest.approx(worth, rel=1e-4)
    assert gained["least"] - 1e-9 <= worth <= gained["bound"] + 1e-9


def test_knowing_the_external_scenario_is_worth_what_the_draws_say(tmp_path: Path) -> None:
    problem = question(tmp_path, external_scenarios=FUTURES)
    scenarios = draw_scenarios(problem, "latin hypercube", 30, problem.config.search.seed)
    result = found(tmp_path, {"learn": "external scenario"}, external_scenarios=FUTURES)
    gained = result.tables["robust_adaptive_value"].set_index("what").loc["gained"]
    assert gained["value"] == pytest.approx(by_hand(problem, scenarios.world), rel=1e-4)
    table = result.tables["robust_adaptive"]
    assert list(table["external"].unique()) == ["all", "good", "bad"]
    assert "Later, by group (good; bad): spending a in 2028" in again_lines(result, Labels("en"))[2]
    more = table[(table["variable"] == "spending a") & (table["stage"] == "later")]["adaptive"]
    assert more.iloc[0] > more.iloc[1] + 1


def test_other_draws_search_the_fixed_path_anew_and_the_same_draws_do_not(tmp_path: Path) -> None:
    same = found(tmp_path, {"learn": "demand"})
    other = found(tmp_path, {"learn": "demand", "scenarios": 40})
    expected = same.tables["robust_proof"].set_index("measure").loc["expected", "value"]
    fixed = [one.tables["robust_adaptive_value"]["value"].iloc[0] for one in (same, other)]
    assert fixed[0] == expected
    assert fixed[1] != expected
    assert fixed[1] == pytest.approx(expected, rel=0.2)


def test_the_command_writes_tables_words_and_a_block_on_the_sheet(tmp_path: Path) -> None:
    config = written(tmp_path, {"learn": "Demand"}, robust_changes={})
    said = CliRunner().invoke(main, ["robust", str(config), "--output", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert 'Decide again in 2028, having learnt in which group "demand" lies (divided at' in said.output
    assert "Later, by group (from the lowest values to the highest): spending a in 2028" in said.output
    (folder,) = tmp_path.glob("robust-*-001")
    for name in ("robust_adaptive", "robust_adaptive_value"):
        exact, plain = (folder / "tables" / f"{name}.{form}" for form in ("parquet", "csv"))
        read = pd.read_csv(plain, keep_default_na=False, na_values=[""])
        pd.testing.assert_frame_equal(read_parquet(exact), read, check_dtype=False)
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    cells = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "Deciding again later" in cells or "Later opnieuw besluiten" in cells


def test_no_more_is_said_than_the_bounds_do(tmp_path: Path) -> None:
    """Without a bound there is no `at most`; what is not proved is called so; ends are rounded outwards."""
    result = found(tmp_path, {"learn": "demand"})
    values = result.tables["robust_adaptive_value"]
    row = values["what"] == "gained"

    def told(language: str, **changes: object) -> str:
        table = values.copy()
        for column, value in changes.items():
            table.loc[row, column] = value
        return again_lines(result.with_tables(robust_adaptive_value=table), Labels(language))[0]

    assert "at most" in told("en") and "hold if" in told("en")
    assert "at least nothing" in told("en", least=0.0)
    assert "minstens niets" in told("nl", least=0.0)
    withdrawn = told("en", bound=np.nan, least=0.0, status="local")
    assert "there is no bound" in withdrawn and "at least" not in withdrawn and "hold if" not in withdrawn
    assert "Not proved" in told("en", status="local") and "hold if" not in told("en", status="local")
    for status in (Status.ITERATION_LIMIT, *STOPPED):
        assert "stopped before" in told("en", status=status.key)
    rounded = told("en", least=0.1299, value=0.2, bound=0.3411)
    assert "at least 0.129 and at most 0.342" in rounded


def test_a_future_without_scenarios_is_no_group() -> None:
    worlds = tuple(External(name, {}, {}) for name in ("good", "failed", "bad"))
    left = Scenarios((), np.empty((0, 4)), worlds, np.array([0, 2, 0, 2]), np.array([0, 0, 1, 1]))
    learned = learn_external(left)
    assert learned.names == ("good", "bad")
    assert learned.count == 2
    np.testing.assert_array_equal(learned.groups(left), [0, 1, 0, 1])
    with pytest.raises(ConfigError, match="nothing is learned of which one holds"):
        learn_external(left.part(np.array([1, 3])))


def test_too_few_draws_for_the_groups_are_refused_before_any_search(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too few different values for 3 groups"):
        found(tmp_path, {"learn": "demand", "groups": 3, "scenarios": 2})


def test_without_the_key_nothing_is_said(tmp_path: Path) -> None:
    data = json.loads(written(tmp_path, {"learn": "demand"}, robust_changes={}).read_text(encoding="utf-8"))
    del data["robust"]["decide_again"]
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(data), encoding="utf-8")
    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    result = find_robust(loaded, model, build_problem(loaded, model.system))
    assert "robust_adaptive" not in result.tables
    assert again_lines(result, Labels("nl")) == []


def test_the_sheet_gives_a_column_per_group(tmp_path: Path) -> None:
    result = found(tmp_path, {"learn": "demand", "groups": 3})
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(result)))
    rows = [[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()]
    (head,) = (row for row in rows if "Fixed path" in row or "Vast pad" in row)
    start = rows.index(head)
    table = result.tables["robust_adaptive"]
    later = table[(table["variable"] == "spending a") & (table["stage"] == "later")]["adaptive"]
    assert [row[3:6] for row in rows[start + 1 : start + 3]][1] == pytest.approx(list(later))
