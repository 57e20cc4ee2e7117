"""A config that fits its model passes; every way in which it may not fit gives its own complaint."""

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.constants import Constant
from sdopt.config.load import LoadedConfig, load_config
from sdopt.equations.expression import Call, Number, Reference
from sdopt.equations.system import EquationSystem, TimeAxis, Variable
from sdopt.errors import ConfigError
from sdopt.problem.meaning import changed_constants, check_meaning, resolve


def variable(name: str, kind: Any, unit: str, expression: Any = None, **more: Any) -> Variable:
    value = Number(0.0) if expression is None else expression
    return Variable(name.lower().replace(" ", "_"), name, kind, value, None, unit, "", **more)


VARIABLES = (
    variable("prevention spending", "constant", "million EUR/Year", Number(3.0), low=0.0, high=10.0),
    variable("access spending", "constant", "million EUR/Year", Number(6.0)),
    variable(
        "effect of prevention", "constant", "Dmnl", Call("negative", (Number(0.5),)), low=-1.0, high=0.0
    ),
    variable("People", "stock", "Person", Reference("effect_of_prevention")),
    variable("Waiting people", "stock", " person "),
    variable("social return", "auxiliary", "million EUR/Year"),
    variable("saved care", "auxiliary", "million EUR / year"),
    variable("assets", "auxiliary", "Million EUR"),
    variable("debts", "auxiliary", "EUR"),
)


def model(**time: Any) -> EquationSystem:
    axis = {"start": 2026.0, "end": 2040.0, "step": 0.25, "save_step": 1.0, "unit": "Year", **time}
    return EquationSystem({v.key: v for v in VARIABLES}, (), (), TimeAxis(**axis))


QUESTION: dict[str, Any] = {
    "schema_version": 1,
    "title": "Test",
    "model": {"file": "model.mdl", "changes": {"Effect_of_Prevention": -0.25}},
    "horizon": {"start": 2026, "end": 2040},
    "decision_years": {"first": 2027, "last": 2030},
    "decisions": {
        "prevention": {"variable": "Prevention_Spending", "bounds": [1, 6]},
        "access": {"variable": "access spending", "bounds": [6, 6]},
    },
    "constraints": {
        "budget": {"decisions": {"prevention": 1, "access": 1}, "at_most": {}},
        "people": {"variables": {"people": 1, "waiting people": 1}, "at_most": 900},
    },
    "objective": {
        "maximise": "social return",
        "end_value": {"variable": "assets"},
        "components": ["saved care"],
    },
    "uncertainties": [{"constant": "effect of prevention", "low": -1, "high": 0}],
    "output": {"show": ["People"], "labels": {"people": "Mensen", "Waiting_people": "Wachtenden"}},
}

TABLE = (
    Constant("Prevention spending", 3, 1, 5, "million EUR / year", "", "judgement", ""),
    Constant("effect of prevention", -0.3, -0.5, 0, "dmnl", "", "judgement", ""),
)


def load(folder: Path, *changes: tuple[str, Any]) -> LoadedConfig:
    """`QUESTION` with the value at some dotted places replaced."""
    data = copy.deepcopy(QUESTION)
    for place, value in changes:
        *above, last = place.split(".")
        inside = data
        for part in above:
            inside = inside.setdefault(part, {})
        inside[last] = value
    (folder / "model.mdl").write_text("", encoding="utf-8")
    (folder / "table.csv").write_text("", encoding="utf-8")
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_config(path)


def complaints(loaded: LoadedConfig, system: EquationSystem, table: tuple[Constant, ...] = ()) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        check_meaning(loaded, system, table)
    lines = [line.removeprefix("  * ") for line in str(refused.value).splitlines()[1:]]
    assert all(" (line " in line or "table.csv" in line for line in lines)
    return [re.sub(r" \(line [0-9]+\)", "", line) for line in lines]


def test_a_question_that_fits(tmp_path: Path) -> None:
    check_meaning(load(tmp_path), model(), ())
    check_meaning(load(tmp_path, ("model.constants", "table.csv")), model(), TABLE)
    check_meaning(load(tmp_path, ("horizon.time_step", 0.125), ("horizon.end", 2035)), model(), ())


@pytest.mark.parametrize(
    ("place", "value", "announced"),
    [
        (
            "decisions.prevention.variable",
            "prevention spendng",
            'decisions.prevention.variable: model.mdl has no constant "prevention spendng". '
            'Did you mean "prevention spending"? List all: sdopt variables model.mdl',
        ),
        (
            "decisions.access.variable",
            "people",
            'decisions.access.variable: "people" is a stock of',
        ),
        (
            "decisions.prevention.bounds",
            [1, 11],
            'decisions.prevention.bounds: 11 is outside the range of "prevention spending" in '
            "model.mdl, [0, 10] million EUR/Year",
        ),
        (
            "decisions.prevention.bounds",
            [4, 6],
            "decisions.prevention.bounds: [4, 6] leaves out the null",
        ),
        (
            "decisions.access.null_trend",
            0.01,
            "decisions.access.bounds: [6, 6] leaves out the null alternati"
            "ve (6.06 to 6.24362 million EUR/Year)",
        ),
        ("horizon.start", 2025, "horizon.start: 2025 is not INITIAL TIME of model.mdl (2026)"),
        ("horizon.end", 2041, "horizon.end: 2041 is after FINAL TIME of model.mdl (2040)"),
        ("horizon.time_step", 0.3, "horizon.time_step: a step of 0.3 does not divide a year"),
        (
            "horizon.time_step",
            1e-5,
            "horizon.time_step: 1e-05 gives 1,400,000 steps; at most 50,000 are allowed",
        ),
        ("horizon.time_step", 0.5, "horizon.time_step: 0.5 is above the step of model.mdl (0.25)"),
        (
            "horizon.end",
            2039.9,
            "horizon: horizon.end (2039.9) is not a whole number of steps of 0.25",
        ),
        (
            "model.changes",
            {"effect": 1},
            'model.changes.effect: model.mdl has no constant "effect".',
        ),
        ("model.changes", {"people": 1}, 'model.changes.people: "people" is a stock of model.mdl'),
        (
            "model.changes",
            {"ACCESS spending": 6},
            "model.changes.ACCESS spending: chosen by decision access",
        ),
        (
            "constraints.people.variables",
            {"peple": 1},
            'constraints.people.variables.peple: model.mdl has no variable "peple". Did you mean "People"?',
        ),
        (
            "constraints.people.variables",
            {"people": 1, "assets": 2},
            'constraints.people: adds different units: "Person" (People), "Million EUR" (assets)',
        ),
        (
            "objective.maximise",
            "returns",
            'objective.maximise: model.mdl has no variable "returns".',
        ),
        (
            "objective.components",
            ["assets"],
            'objective.components.0: unit "Million EUR" of assets is not an amount per year',
        ),
        (
            "objective.end_value.variable",
            "debts",
            'objective.end_value.variable: unit "EUR" of debts cannot be added to a present value',
        ),
        ("output.show", ["nothing"], 'output.show.0: model.mdl has no variable "nothing".'),
        (
            "output.labels",
            {"waiting peple": "Wachtenden"},
            'output.labels.waiting peple: model.mdl has no variable "waiting peple". '
            'Did you mean "Waiting people"? List all: sdopt variables model.mdl',
        ),
        (
            "output.labels",
            {"People": "Mensen", "waiting people": "Mensen"},
            'output.labels.waiting people: "Mensen" is also what readers see for "People"; give every',
        ),
        (
            "output.labels",
            {"People": "Waiting people"},
            'output.labels.People: "Waiting people" is also what readers see for "Waiting people"',
        ),
        (
            "output.labels",
            {"People": "Mensen", "people": "Personen"},
            'output.labels.people: "People" is the same variable; keep one of the two',
        ),
        (
            "uncertainties",
            [{"constant": "effect of prevention", "low": -0.2, "high": 0}],
            "uncertainties.0: -0.25, the value used, is outside [-0.2, 0]",
        ),
        (
            "uncertainties",
            [{"constant": "effect of prevention", "low": -2, "high": 0}],
            'uncertainties.0: -2 is outside the range of "effect of prevention"',
        ),
    ],
)
def test_one_thing_that_does_not_fit(tmp_path: Path, place: str, value: Any, announced: str) -> None:
    (complaint,) = complaints(load(tmp_path, (place, value)), model())
    assert complaint.startswith(announced)


def test_labels_may_trade_places(tmp_path: Path) -> None:
    swapped = {"People": "Waiting people", "Waiting people": "People"}
    check_meaning(load(tmp_path, ("output.labels", swapped)), model(), ())


def test_decisions_in_different_units_cannot_be_added(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ("decisions.access", {"variable": "effect of prevention", "bounds": [-1, 0]}),
        ("model.changes", {}),
        ("uncertainties", "from_table"),
    )
    (complaint,) = complaints(loaded, model())
    assert 'adds different units: "million EUR/Year" (prevention spending), "Dmnl"' in complaint


def test_objective_that_is_no_amount_per_year(tmp_path: Path) -> None:
    (complaint,) = complaints(load(tmp_path, ("objective.maximise", "People")), model())
    assert complaint.startswith('objective.maximise: unit "Person" of People is not an amount per year')


@pytest.mark.parametrize("unit", ["Month", "", "Dmnl"])
def test_a_model_that_is_not_in_years(tmp_path: Path, unit: str) -> None:
    (complaint,) = complaints(load(tmp_path), model(unit=unit))
    assert complaint.startswith(f'model.file: the time unit of model.mdl is "{unit}", not Year')


def test_what_decided_an_order_or_the_time_is_left_alone(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    system = model()
    (complaint,) = complaints(loaded, replace(system, fixed=frozenset({"prevention_spending"})))
    assert "decides the time settings or the order of a delay; change it in" in complaint


def test_a_time_step_that_changes_is_refused(tmp_path: Path) -> None:
    (complaint,) = complaints(load(tmp_path), model(times=(2026.0, 2026.5, 2027.0)))
    assert "changes over time; a question needs a fixed one" in complaint


def test_first_decision_year_off_the_time_grid(tmp_path: Path) -> None:
    system = model(start=2026.1, end=2040.1)
    (complaint,) = complaints(load(tmp_path, ("horizon", {"start": 2026.1, "end": 2040.1})), system)
    assert "first decision year (2027) is not a whole number of steps of 0.25" in complaint


def test_everything_at_once(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ("decisions.prevention.variable", "a"),
        ("horizon.start", 2027),
        ("objective.maximise", "b"),
        ("output.show", ["c", "d"]),
    )
    assert len(complaints(loaded, model())) == 5


def test_table_against_the_model(tmp_path: Path) -> None:
    table = (
        Constant("effect of preventoin", 1, 0, 2, "Dmnl", "", "judgement", ""),
        Constant("People", 1, 0, 2, "Person", "", "judgement", ""),
        Constant("prevention spending", 11, 1, 12, "EUR/Year", "", "judgement", ""),
    )
    loaded = load(tmp_path, ("model.constants", "table.csv"), ("decisions.prevention.bounds", [0, 10]))
    # the table's value is today's value, so the null alternative (11) is outside the bounds as well
    found = complaints(loaded, model(), table)
    file = (tmp_path / "table.csv").resolve()
    announced = [
        "decisions.prevention.bounds: [0, 10] leaves out the null alternative (11 million EUR/Year)",
        f'{file}, "effect of preventoin": is not a constant of model.mdl. Did you mean "effect of prev',
        f'{file}, "People": is not a constant of model.mdl.',
        f'{file}, "prevention spending": unit "EUR/Year" differs from "million EUR/Year" in model.mdl',
        f'{file}, "prevention spending": 11 is outside the range of "prevention spending" in model.mdl',
        f'{file}: no row for "effect of prevention", a constant of model.mdl',
    ]
    assert len(found) == len(announced)
    assert all(line.startswith(start) for line, start in zip(found, announced, strict=True)), found


def test_names_are_found_however_they_are_written() -> None:
    for written in ("Waiting people", "waiting_people", " WAITING  people ", '"Waiting people"'):
        found = resolve(written, model())
        assert found is not None
        assert found.key == "waiting_people"
    assert resolve("waitingpeople", model()) is None


def test_changes_of_the_config_go_before_the_table(tmp_path: Path) -> None:
    config = load(tmp_path).config
    assert changed_constants(config, model(), TABLE) == {
        "prevention_spending": 3,
        "effect_of_prevention": -0.25,
    }
