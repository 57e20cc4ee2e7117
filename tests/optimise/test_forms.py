"""Forms of decision with optima that follow by hand, brute force where they do not, and PySD as referee.

In `weights.mdl` spending a returns 2 w sqrt(a) - a in a year with weight w, and b the same with weight 1: the
best amounts are w^2 and 1. In 2027 and 2028 w^2 is 1 and 4, so the free path returns 1 + 4 + 1 + 1 = 7.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.errors import ReplayError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.forms import DISPROVED, form_tables
from sdopt.optimise.run import optimise, verify
from sdopt.optimise.search import search
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.forms import form_problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel, read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "forms"
Answer = tuple[Problem, SourceModel, Result]


def answer(path: Path) -> Answer:
    loaded = load_config(path)
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    return problem, model, optimise(problem, "run", lambda *_: None)


@pytest.fixture(scope="module")
def weights() -> Answer:
    return answer(DATA / "weights.yaml")


@pytest.fixture(scope="module")
def wijk() -> Answer:
    return answer(DATA / "wijk_vormen.yaml")


def row(result: Result, form: str) -> pd.Series:
    return result.tables["forms"].set_index("form").loc[form]


def chosen(result: Result, form: str, what: str) -> list[float]:
    table = result.tables["forms_choices"]
    return [float(v) for v in table["value"][(table["form"] == form) & (table["what"] == what)]]


@pytest.mark.parametrize(
    ("form", "objective"),
    [
        ("free", 7.0),
        # One a for both years: 2 (1 + 2) sqrt(a) - 2 a is largest at a = 2.25, and gives 4.5.
        ("one", 6.5),
        ("each year", 7.0),
        # Totals 4 and 9, s to 1 - s: 2 (8 sqrt(s) + 5 sqrt(1 - s)) - 13, with top 2 sqrt(8^2 + 5^2) - 13.
        ("stated", 2 * sqrt(89) - 13),
        # Totals 2 and 2: 2 sqrt(2) (3 sqrt(s) + 2 sqrt(1 - s)) - 4.
        ("now", 2 * sqrt(2) * sqrt(13) - 4),
        # Totals chosen too: the largest eigenvalue of [[5, 3], [3, 2]], as s = x^2 in (x, y) with norm one.
        ("shares", (7 + sqrt(45)) / 2),
        # Two years, two values of the pressure: a straight line goes through any two amounts.
        ("rule", 7.0),
    ],
)
def test_optima_by_hand(weights: Answer, form: str, objective: float) -> None:
    found = row(weights[2], form)
    assert found["objective"] == pytest.approx(objective, abs=2e-6)
    assert found["price"] == pytest.approx(7.0 - objective, abs=2e-6)
    assert found["price_share"] == pytest.approx(7.0 - objective, abs=4e-6)  # the improvement is 7 - 6


def test_what_the_optima_by_hand_choose(weights: Answer) -> None:
    result = weights[2]
    assert chosen(result, "one", "amount") == pytest.approx([2.25, 1.0], abs=2e-3)
    assert chosen(result, "stated", "share") == pytest.approx([64 / 89, 25 / 89], abs=1e-3)
    top = (7 + sqrt(45)) / 2
    share = 9 / (9 + (top - 5) ** 2)  # the eigenvector is (3, top - 5)
    assert chosen(result, "shares", "share") == pytest.approx([share, 1 - share], abs=2e-3)
    totals = [(w * sqrt(share) + sqrt(1 - share)) ** 2 for w in (1, 2)]
    assert chosen(result, "shares", "total") == pytest.approx(totals, abs=5e-3)
    # From 1 to 4 while the pressure falls by 10 percent.
    assert chosen(result, "rule", "level") == pytest.approx([1.0, 1.0], abs=5e-3)
    assert chosen(result, "rule", "response") == pytest.approx([-0.3, 0.0], abs=2e-3)


def test_linear_forms_have_their_own_bound_and_a_certain_price(weights: Answer) -> None:
    for form in ("one", "stated", "now"):
        found = row(weights[2], form)
        assert found["status"] == "optimal"
        assert found["gap"] < 1e-6
        assert found["certain"]
        assert found["price_at_least"] <= found["price"] <= found["price_at_most"]
    for form in ("each year", "rule"):
        assert not row(weights[2], form)["certain"]


def test_curved_forms_have_the_bound_of_the_free_path_and_are_never_certain(weights: Answer) -> None:
    bound = row(weights[2], "free")["bound"]
    for form in ("shares", "rule"):
        found = row(weights[2], form)
        assert (found["status"], found["bound"]) == ("local", bound)
        assert found["price_at_least"] == 0.0
        assert not found["certain"]


def test_a_form_is_never_better_than_what_contains_it(wijk: Answer) -> None:
    result = wijk[2]
    table = result.tables["forms"].set_index("form").dropna(subset=["price"])
    room = table.loc["free", "bound"] - table.loc["free", "improvement"]
    assert (table["price"] >= -room).all()
    assert (table["improvement"] <= table["bound"] + 1e-9).all()
    # One amount for all years is also: two periods, a constant share of a total, a rule without response.
    least = table.loc["Een keer kiezen", "improvement"]
    for form in ("Twee raden", "Vaste verhouding", "Meebewegen"):
        assert table.loc[form, "improvement"] >= least - 1e-6
    assert table.loc["Meebewegen start", "improvement"] >= least - 1e-6


def test_a_form_that_limits_exclude_is_said_to_be_impossible(wijk: Answer) -> None:
    found = row(wijk[2], "Vaste verhouding van nu")
    assert found["status"] == "none"
    assert "Mensen in zorg onder het plafond" in found["reason"]
    assert pd.isna(found["price"])
    assert "Vaste verhouding van nu" not in set(wijk[2].tables["forms_allocation"]["form"])


def test_every_path_keeps_bounds_rules_and_constraints(wijk: Answer) -> None:
    problem, _, result = wijk
    for form, table in result.tables["forms_allocation"].groupby("form"):
        path = table["value"].to_numpy()
        assert (path >= problem.decisions.lower() - 2e-7).all()
        assert (path <= problem.decisions.upper() + 2e-7).all()
        assert all(rule.weights @ path <= rule.limit + 3e-7 for rule in problem.rules), form
        slacks = problem.slacks(problem.evaluator.values(path[None]).value)
        assert slacks.min() >= -1e-9, form


def test_a_rule_is_as_good_as_any_of_many_random_ones(wijk: Answer) -> None:
    """Levels and responses of both decisions, over their whole ranges and near what was found."""
    problem, _, result = wijk
    best = result.tables["decisions"]["value"].to_numpy(dtype=float)
    form = form_problem(problem, "Meebewegen", problem.config.forms["Meebewegen"], best)
    random = np.random.default_rng(5)
    low, high = form.problem.decisions.lower(), form.problem.decisions.upper()
    found = chosen(result, "Meebewegen", "level"), chosen(result, "Meebewegen", "response")
    percent = [choice.shown for choice in form.decisions.choices if choice.what == "response"]
    centre = np.array([found[0][0], found[1][0] / percent[0], found[0][1], found[1][1] / percent[1]])
    far = low + random.random((20_000, 4)) * (high - low)
    near = centre + random.normal(size=(20_000, 4)) * 0.02 * (high - low)
    points = np.clip(np.vstack([far, near]), low, high)
    value = form.problem.evaluator.values(points).value
    allowed = (form.problem.slacks(value) >= 0).all(axis=1)
    assert allowed.sum() > 20
    top = (form.problem.objective(value[allowed]) - problem.null_objective).max()
    assert row(result, "Meebewegen")["improvement"] >= top - 1e-4


def test_pysd_repeats_every_form(wijk: Answer, weights: Answer) -> None:
    for problem, model, result in (wijk, weights):
        figures = verify(result, problem, model).figures
        assert figures["forms_replay_max_relative_difference"] < 1e-9


def tampered(result: Result, table: str, form: str, what: str | None, change: float) -> Result:
    frame = result.tables[table].copy()
    rows = frame["form"] == form
    if what is not None:
        rows &= frame["what"] == what
    first = frame.index[rows][0]
    frame.loc[first, "value"] += change
    return result.with_tables(**{table: frame})


@pytest.mark.parametrize(
    ("table", "form", "what", "message"),
    [
        ("forms_allocation", "one", None, 'form "one": PySD finds a return of'),
        ("forms_choices", "rule", "response", "the rule for a gives another path on PySD's Pressure"),
        ("forms_choices", "rule", "level", "the rule for a gives another path on PySD's Pressure"),
    ],
)
def test_the_referee_sees_what_was_tampered_with(
    weights: Answer, table: str, form: str, what: str | None, message: str
) -> None:
    problem, model, result = weights
    with pytest.raises(ReplayError, match=message):
        verify(tampered(result, table, form, what, 1e-4), problem, model)


def test_paths_follow_from_choices(weights: Answer) -> None:
    result = weights[2]
    paths = result.tables["forms_allocation"].pivot(
        index=["form", "decision"], columns="year", values="value"
    )
    shares, totals = chosen(result, "shares", "share"), chosen(result, "shares", "total")
    for decision, share in zip("ab", shares, strict=True):
        assert list(paths.loc[("shares", decision)]) == pytest.approx([share * total for total in totals])
    for decision, level, response in zip(
        "ab", chosen(result, "rule", "level"), chosen(result, "rule", "response"), strict=True
    ):
        # The pressure is as at the start, and then 10 percent lower.
        assert list(paths.loc[("rule", decision)]) == pytest.approx([level, level - 10 * response])


def test_the_advice_is_the_same_with_and_without_forms(weights: Answer, tmp_path: Path) -> None:
    lines = (
        (DATA / "weights.yaml").read_text(encoding="utf-8").replace("weights.mdl", str(DATA / "weights.mdl"))
    )
    before, _, after = lines.partition("forms:\n")
    without = before + after[after.index("objective:") :]
    (tmp_path / "a.yaml").write_text(without, encoding="utf-8")
    plain = answer(tmp_path / "a.yaml")[2]
    assert "forms" not in plain.tables
    pd.testing.assert_frame_equal(plain.tables["decisions"], weights[2].tables["decisions"])


def bent(tmp_path: Path) -> Problem:
    """Two decisions whose return is convex: no bound holds."""
    text = (DATA.parent / "optimise" / "curved.yaml").read_text(encoding="utf-8")
    model = DATA.parent / "optimise" / "curved.mdl"
    text = text.replace("{file: curved.mdl}", f"{{file: {model.as_posix()}, changes: {{bend: 0.05}}}}")
    (tmp_path / "a.yaml").write_text(
        text + "forms: {same: {periods: 1}, half: {shares_of: [8]}}\n", encoding="utf-8"
    )
    return build_problem(load_config(tmp_path / "a.yaml"), read_model(model).system)


def test_without_a_bound_of_the_free_path_no_form_has_one(tmp_path: Path) -> None:
    table = optimise(bent(tmp_path), "run", lambda *_: None).tables["forms"].set_index("form")
    assert (table["status"] == "local").all()
    assert table[["bound", "gap"]].isna().all().all()
    assert table["price_at_most"].drop("free").isna().all()
    assert not table["certain"].any()
    # The form that is the free path is as good; of a total of 8, all goes to a:
    # 8 + 0.05 * 8^2 in 2027, and 1.3 in each of the two years after it.
    assert table.loc["same", "price"] == pytest.approx(0.0, abs=1e-6)
    assert table.loc["half", "objective"] == pytest.approx(11.2 + 2 * 1.3)


def test_a_form_that_disproves_what_the_free_bound_assumes_says_so(tmp_path: Path) -> None:
    """Negative control: a bound that the free path should not have is not passed on."""
    problem = bent(tmp_path)
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search(view, archive, problem.config.search, lambda *_: None)
    assert found.bound is None
    claimed = replace(found, bound=found.improvement + 1.0)
    table = form_tables(problem, claimed, lambda *_: None)["forms"].set_index("form")
    assert table.loc["same", "reason"] == DISPROVED
    assert table.loc[["same"], ["bound", "price_at_most"]].isna().all().all()
    assert not table.loc["same", "certain"]
