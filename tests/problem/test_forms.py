"""A form's choice, its path per year, and the limits on both say the same thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.config.forms import Form
from sdopt.config.load import load_config
from sdopt.errors import ConfigError, OptimisationError
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.form_decisions import LinearDecisions, RuleDecisions
from sdopt.problem.forms import FormProblem, form_problem
from sdopt.source_model.read import SourceModel, read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "forms"
LINEAR = (
    "Een keer kiezen",
    "Twee raden",
    "Vaste verhouding van nu",
    "Vaste verhouding van het plafond",
    "Genoemd",
)
CURVED = ("Vaste verhouding", "Meebewegen", "Meebewegen start")


@pytest.fixture(scope="module")
def wijk() -> SourceModel:
    return read_model(DATA.parent / "wijk.mdl")


@pytest.fixture(scope="module")
def problem(wijk: SourceModel) -> Problem:
    return build_problem(load_config(DATA / "wijk_vormen.yaml"), wijk.system)


@pytest.fixture(scope="module")
def asked(problem: Problem) -> dict[str, FormProblem]:
    best = np.array([2.0, 2.05, 2.04, 1.58, 1.5, 1.45, 1.46, 1.92])
    return {name: form_problem(problem, name, form, best) for name, form in problem.config.forms.items()}


def drawn(form: FormProblem, parts: list[float]) -> np.ndarray:
    low, high = form.problem.decisions.lower(), form.problem.decisions.upper()
    return low + np.array(parts[: len(low)]) * (high - low)


PARTS = st.lists(st.floats(0, 1), min_size=8, max_size=8)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(LINEAR), parts=PARTS)
def test_linear_rules_of_a_choice_are_those_of_its_path(
    problem: Problem, asked: dict[str, FormProblem], name: str, parts: list[float]
) -> None:
    form = asked[name]
    choice = drawn(form, parts)
    path = form.allocation(choice)
    decisions = form.decisions
    assert isinstance(decisions, LinearDecisions)
    assert path == pytest.approx(decisions.matrix @ choice)
    for ours, theirs in zip(form.problem.rules, problem.rules, strict=False):
        assert ours.weights @ choice == pytest.approx(theirs.weights @ path)
        assert (ours.name, ours.year, ours.limit) == (theirs.name, theirs.year, theirs.limit)
    assert (path >= problem.decisions.lower() - 1e-12).all()
    assert (path <= problem.decisions.upper() + 1e-12).all()
    for key, values in decisions.expand(choice[None]).items():
        assert values[:, 0] == pytest.approx(problem.decisions.expand(path[None])[key][:, 0])


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(CURVED), parts=PARTS)
def test_constraints_of_a_curved_form_are_the_rules_of_its_path(
    problem: Problem, asked: dict[str, FormProblem], name: str, parts: list[float]
) -> None:
    form = asked[name]
    choice = drawn(form, parts)
    path = form.allocation(choice)
    value = form.problem.evaluator.values(choice[None]).value[0]
    own = problem.evaluator.values(path[None]).value[0]
    assert value[: len(own)] == pytest.approx(own, rel=1e-12)
    rules = {(rule.name, rule.year): rule for rule in problem.rules}
    checked = 0
    for limit in form.problem.constraints[len(problem.constraints) :]:
        rule = rules.get((limit.functional.name, limit.functional.year))
        if rule is not None:
            assert value[limit.row] == pytest.approx(rule.weights @ path, abs=1e-9)
            assert limit.limit == pytest.approx(rule.limit, abs=2e-7)
            checked += 1
    straight = [rule for rule in form.problem.rules if rule.name in {r.name for r in problem.rules}]
    assert checked + len(straight) == len(problem.rules)


@pytest.mark.parametrize("name", CURVED)
def test_derivatives_agree_with_differences(asked: dict[str, FormProblem], name: str) -> None:
    form = asked[name]
    choice = drawn(form, [0.41, 0.52, 0.37, 0.55, 0.48, 0.44, 0.5, 0.5])
    found = form.problem.evaluator.with_gradients(choice[None]).gradient
    assert found is not None
    for column in range(len(choice)):
        step = np.zeros_like(choice)
        step[column] = 1e-6
        two = form.problem.evaluator.values(np.array([choice + step, choice - step])).value
        assert (two[0] - two[1]) / 2e-6 == pytest.approx(found[0, :, column], rel=1e-4, abs=1e-4)


def by_hand(level: float, response: float) -> tuple[list[float], list[float]]:
    """Spending per year and people in care, by a loop of our own: care is 2 and prevention follows it."""
    known, care, step = 60.0, 200.0, 0.125
    spending, held, cares = [], 1.0, []
    for k in range(80):
        year, begins = 2026 + k * step, k % 8 == 0
        if begins and 2027 <= year < 2031:
            if year == 2027:
                reference = care
            held = min(max(level + response * (care - reference) / reference, 0.5), 4.0)
            spending.append(held)
        prevention = held if 2027 <= year < 2031 else 1.0
        cares.append(care)
        reach = 60 * (1 - np.exp(-prevention / 2))
        exits = care * 0.2 + 25 * (1 - np.exp(-1.0))
        inflow = 70 - 0.3 * known
        known, care = known + step * (reach - known / 2), care + step * (inflow - exits)
    return spending, [*cares, care]


@pytest.mark.parametrize(("level", "response"), [(1.5, 20.0), (2.0, -30.0), (1.0, 100.0)])
def test_a_rule_is_what_a_loop_by_hand_makes_of_it(problem: Problem, level: float, response: float) -> None:
    form = form_problem(
        problem,
        "rule",
        Form(follows={"voorkomen": "People in care"}, relative_to="start"),
        problem.decisions.null_vector(),
    )
    decisions = form.decisions
    assert isinstance(decisions, RuleDecisions)
    width = decisions.followers[0].width
    choice = np.array([level, response * width, 2.0, 2.0, 2.0, 2.0])
    spending, _ = by_hand(level, response)
    changed = np.r_[spending, 2.0, 2.0, 2.0, 2.0]
    assert form.allocation(choice)[:4] == pytest.approx(changed[:4], rel=1e-9)


def test_what_is_followed_must_be_there_and_change(wijk: SourceModel, tmp_path: Path) -> None:
    text = (
        (DATA / "wijk_vormen.yaml")
        .read_text(encoding="utf-8")
        .replace("../wijk.mdl", str(DATA.parent / "wijk.mdl"))
    )
    text = text.replace("{voorkomen: People in care}", "{voorkomen: People in caer, uitstroom: memory time}")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        build_problem(load_config(tmp_path / "a.yaml"), wijk.system)
    assert 'has no variable "People in caer". Did you mean "People in care"?' in str(refused.value)
    assert '"memory time" is a constant; follow what changes' in str(refused.value)


@pytest.mark.parametrize("variable", ["reach", "total budget"])
def test_nothing_can_follow_what_it_decides_at_the_same_moment(
    wijk: SourceModel, tmp_path: Path, variable: str
) -> None:
    text = (
        (DATA / "wijk_vormen.yaml")
        .read_text(encoding="utf-8")
        .replace("../wijk.mdl", str(DATA.parent / "wijk.mdl"))
    )
    text = text.replace("{voorkomen: People in care}", f"{{voorkomen: {variable}}}")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="depends on what is decided at the same moment"):
        build_problem(load_config(tmp_path / "a.yaml"), wijk.system)


def test_a_share_that_fits_no_year_is_refused(problem: Problem) -> None:
    with pytest.raises(OptimisationError, match="voorkomen: no constant share of the total"):
        form_problem(
            problem, "steep", Form(shares_of=(0.6, 60.0, 60.0, 60.0)), problem.decisions.null_vector()
        )
