"""Who pays and who gains, against present values worked out by hand; sums, transfers and perspectives."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.config.load import load_config
from sdopt.optimise.run import optimise, simulate_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel, read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "ledger"
ROOT = Path(__file__).resolve().parents[2]
RATE, STEP = 0.03, 0.25
QUARTERS = np.arange(2027, 2031, STEP)
"""Grid times from the first decision year to the end of the horizon."""
WEIGHTS = 1.03 ** -(QUARTERS - 2027) * STEP
"""Present value of one million EUR a year during each quarter."""


@pytest.fixture(scope="session")
def model() -> SourceModel:
    return read_model(DATA / "pot.mdl")


@pytest.fixture(scope="session")
def pot(model: SourceModel) -> Problem:
    return build_problem(load_config(DATA / "pot.yaml"), model.system)


@pytest.fixture
def changed(tmp_path: Path, model: SourceModel) -> Callable[..., Problem]:
    """The question with pieces of its files replaced: `changed(("pot.yaml", old, new), ...)`."""

    def problem(*changes: tuple[str, str, str]) -> Problem:
        folder = tmp_path / "data"
        shutil.copytree(DATA, folder)
        for file, old, new in changes:
            text = (folder / file).read_text(encoding="utf-8")
            assert old in text
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return build_problem(load_config(folder / "pot.yaml"), model.system)

    return problem


def spent(first: float, second: float) -> Any:
    """Spending (quarter,) with one amount in 2027 and one in 2028, and 1 after."""
    return np.select([QUARTERS < 2028, QUARTERS < 2029], [first, second], 1.0)


def worth(flow: Any) -> float:
    return float(np.sum(WEIGHTS * flow))


def differences(result: Result) -> dict[tuple[str, str], float]:
    table = result.tables["ledger"]
    return {(r.effect, r.pocket): r.difference for r in table.itertuples() if r.difference}


def test_present_values_by_hand(pot: Problem) -> None:
    table = (
        simulate_allocation(pot, np.array([3.0, 2.0]), "run").tables["ledger"].set_index(["effect", "pocket"])
    )
    now, then = spent(1, 1), spent(3, 2)
    skills = {"null": 10.0, "advice": 13.0}  # 2 more in 2027, 1 more in 2028
    for column, spending in (("null", now), ("advice", then)):
        expected = {
            ("Care", "gemeente"): -worth(spending),
            ("Benefits", "gemeente"): -worth(3 - 0.5 * spending),
            ("Benefits", "inwoners"): worth(3 - 0.5 * spending),
            ("Taxes", "Rijk"): worth(0.3 * spending),
            ("Health", "inwoners"): worth(10 * 80_000 / 1e6 * spending),
            ("What is left", "not split"): 0.5 * 0.1 * skills[column] * 1.03**-4,
        }
        for place, value in expected.items():
            assert table.loc[place, column] == pytest.approx(value, rel=1e-12)
        others = table[column].drop(list(expected))
        assert not others.any()
        assert len(others) == 4 * 3 - 5
    assert (table["difference"] == table["advice"] - table["null"]).all()
    assert set(table["unit"]) == {"million EUR"}


def test_who_pays_when_by_hand(pot: Problem) -> None:
    table = simulate_allocation(pot, np.array([3.0, 2.0]), "run").tables["ledger_years"]
    care = table[(table["effect"] == "Care") & (table["pocket"] == "gemeente")]
    assert list(care["year"]) == [2027, 2028, 2029, 2030]
    assert list(care["difference"]) == pytest.approx([-2, -1, 0, 0])
    assert list(care["null"]) == pytest.approx([-1, -1, -1, -1])
    health = table[(table["effect"] == "Health") & (table["pocket"] == "inwoners")]
    assert list(health["difference"]) == pytest.approx([1.6, 0.8, 0, 0])
    assert "end value" not in set(table["kind"])


def test_perspectives_by_hand(pot: Problem) -> None:
    totals = simulate_allocation(pot, np.array([3.0, 2.0]), "run").tables["perspective_totals"]
    more = spent(3, 2) - 1
    left = 0.5 * 0.1 * 3 * 1.03**-4
    assert list(totals["perspective"]) == ["gemeente-fiscaal", "overheid-fiscaal", "maatschappelijk"]
    assert list(totals["difference"]) == pytest.approx(
        [worth(-0.5 * more), worth(-0.2 * more), worth(0.1 * more) + left]
    )
    assert list(totals["of_which_end_value"]) == pytest.approx([0, 0, left])
    years = QUARTERS < 2029  # the decision years
    assert list(totals["of_which_decision_years"]) == pytest.approx(
        [worth(share * more * years) for share in (-0.5, -0.2, 0.1)]
    )
    assert list(totals["maximised"]) == [False, False, True]
    assert totals["agrees"].all()


@given(st.tuples(st.floats(0, 4), st.floats(0, 4)))
def test_transfers_net_to_zero_and_pockets_add_up(pot: Problem, amounts: tuple[float, float]) -> None:
    result = simulate_allocation(pot, np.array(amounts), "run")
    ledger, years = result.tables["ledger"], result.tables["ledger_years"]
    for column in ("null", "advice", "difference"):
        transfers = ledger[ledger["kind"] == "transfer"].groupby("effect")[column].sum()
        assert transfers.abs().max() < 1e-12
        moved = years[years["kind"] == "transfer"].groupby(["effect", "year"])[column].sum()
        assert moved.abs().max() < 1e-12
    assert ledger["difference"].sum() == pytest.approx(result.figures["improvement"], abs=1e-12)
    assert result.tables["perspective_totals"]["agrees"].all()


@pytest.mark.parametrize("more", [0.0, 1e-15, 1e-13, 1e-9])
def test_rounding_is_no_disagreement(pot: Problem, more: float) -> None:
    totals = simulate_allocation(pot, np.array([1 + more, 1 - more]), "run").tables["perspective_totals"]
    assert totals["agrees"].all()


def test_perspectives_are_subsets_of_the_ledger(pot: Problem) -> None:
    result = simulate_allocation(pot, np.array([3.0, 2.0]), "run")
    found = differences(result)
    for total in result.tables["perspective_totals"].itertuples():
        rows = result.tables["perspectives"]
        rows = rows[rows["perspective"] == total.perspective]
        assert rows["difference"].sum() == pytest.approx(total.difference)
        if total.cash_only:
            assert rows["cash"].all()
        for row in rows.itertuples():
            pockets = [*total.pockets.split("; "), *(["not split"] if total.maximised else [])]
            parts = [found.get((row.effect, pocket), 0.0) for pocket in pockets]
            assert row.difference == pytest.approx(sum(parts), abs=1e-12)


@pytest.mark.parametrize(
    ("variable", "perspective", "best"),
    [
        ("social return", "maatschappelijk", 4.0),
        ("fiscal result of the municipality", "gemeente-fiscaal", 0.0),
        ("fiscal result of government", "overheid-fiscaal", 0.0),
    ],
)
def test_all_perspectives_are_shown_whichever_is_maximised(
    changed: Callable[..., Problem], variable: str, perspective: str, best: float
) -> None:
    problem = changed(("pot.yaml", "maximise: social return", f"maximise: {variable}"))
    result = optimise(problem, "run", lambda *_: None)
    totals = result.tables["perspective_totals"].set_index("perspective")
    assert list(result.tables["decisions"]["value"]) == pytest.approx([best, best], abs=1e-6)
    assert list(totals.index) == ["gemeente-fiscaal", "overheid-fiscaal", "maatschappelijk"]
    assert totals["maximised"].to_dict() == {name: name == perspective for name in totals.index}
    assert totals.loc[perspective, "difference"] == pytest.approx(result.figures["improvement"])
    assert totals["agrees"].all()


def test_a_ledger_that_lacks_a_row_does_not_agree(changed: Callable[..., Problem]) -> None:
    problem = changed(("pot.ledger.csv", "Taxes,taxes,0,1,0,yes,effect,\n", ""))
    totals = simulate_allocation(problem, np.array([3.0, 2.0]), "run").tables["perspective_totals"]
    assert list(totals["agrees"]) == [True, False, False]


def test_a_row_that_is_wrong_at_times_but_not_in_total_does_not_agree(
    changed: Callable[..., Problem],
) -> None:
    """Care in 2027 more and in 2028 as much less, in present value: the sum hides it, the years do not."""
    problem = changed(("perspectives.csv", "maatschappelijk,all,no,social return,", "m,Rijk,no,health,"))
    first, second = (
        1 + 1.0,
        1
        - worth(spent(1, 0) * (QUARTERS < 2028))
        / worth(spent(0, 1) * ((QUARTERS >= 2028) & (QUARTERS < 2029))),
    )
    totals = simulate_allocation(problem, np.array([first, second]), "run").tables["perspective_totals"]
    assert totals["difference"].iloc[2] == pytest.approx(0, abs=1e-12)
    assert list(totals["agrees"]) == [True, True, False]


def test_an_end_value_with_pockets_goes_to_them(changed: Callable[..., Problem]) -> None:
    problem = changed(("pot.ledger.csv", "stocks,0,0,0,no,end value", "stocks,0.25,0,0.75,yes,end value"))
    result = simulate_allocation(problem, np.array([3.0, 2.0]), "run")
    found, left = differences(result), 0.5 * 0.1 * 3 * 1.03**-4
    assert found["What is left", "gemeente"] == pytest.approx(0.25 * left)
    assert found["What is left", "inwoners"] == pytest.approx(0.75 * left)
    totals = result.tables["perspective_totals"]
    assert list(totals["of_which_end_value"]) == pytest.approx([0.25 * left, 0.25 * left, left])
    assert totals["agrees"].all()


def test_without_advice_nothing_differs(pot: Problem) -> None:
    result = simulate_allocation(pot, None, "run")
    assert not result.tables["ledger"]["difference"].any()
    assert result.tables["ledger"]["null"].any()


def test_conventions_are_stated_by_name(changed: Callable[..., Problem]) -> None:
    problem = changed(
        ("pot.yaml", "{file: valuation.csv}", "{file: valuation.csv, qaly: high}"),
        ("pot.yaml", "discount_rate: 0.03", 'discount_rate: "2025"'),
    )
    result = simulate_allocation(problem, None, "run")
    rows = [
        tuple(row)
        for row in result.tables["conventions"][["convention", "method", "constant", "value"]].values
    ]
    assert rows[:2] == [("price level", "2024", "", 2024.0), ("QALY", "high", "value of a QALY", 100_000.0)]
    assert [row[:2] for row in rows[2:]] == [("discount rate", "2025")] * 2
    assumption = result.tables["assumptions"].set_index("name").loc["value of a QALY"]
    assert (assumption["value"], assumption["source"], assumption["status"]) == (100_000, "H17", "read")
    assert not assumption["uncertain"]
    assert assumption["note"] == "QALY: high."


def test_without_the_keys_there_are_no_such_tables(changed: Callable[..., Problem]) -> None:
    problem = changed(
        ("pot.yaml", "ledger: {file: pot.ledger.csv}\n", ""),
        ("pot.yaml", "valuation: {file: valuation.csv}\n", ""),
    )
    tables = simulate_allocation(problem, None, "run").tables
    assert not {"ledger", "ledger_years", "perspectives", "perspective_totals", "conventions"} & set(tables)
