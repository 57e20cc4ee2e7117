"""A ledger, perspectives and conventions that do not fit the model or the config are refused."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import load_config
from sdopt.errors import ConfigError
from sdopt.problem.build import Problem, build_problem, constant_values
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "ledger"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def build(folder: Path, **changes: Any) -> Problem:
    """The question of the folder with the values at some dotted places (`a__b`) replaced."""
    data = yaml.safe_load((folder / "pot.yaml").read_text(encoding="utf-8"))
    for place, value in changes.items():
        *above, last = place.split("__")
        inside = data
        for part in above:
            inside = inside.setdefault(part, {})
        inside[last] = value
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    loaded = load_config(path)
    return build_problem(loaded, read_model(loaded.config.model.file).system)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def announced(refused: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    """The complaints, without lines of the config."""
    lines = [line.removeprefix("  * ") for line in str(refused.value).splitlines()[1:]]
    return [re.sub(r" \(line [0-9]+\)", "", line) for line in lines]


def value(problem: Problem, name: str) -> float:
    return constant_values(problem.system)[name.lower().replace(" ", "_")]


def test_a_ledger_that_fits(folder: Path) -> None:
    ledger = build(folder).ledger
    assert ledger is not None
    assert ledger.pockets == ("gemeente", "Rijk", "inwoners")
    assert [entry.effect for entry in ledger.entries] == [
        "Care", "Benefits", "Taxes", "Health", "What is left",
    ]  # fmt: skip
    assert [(p.name, p.key, p.counts_rest) for p in ledger.perspectives] == [
        ("gemeente-fiscaal", "fiscal_result_of_the_municipality", False),
        ("overheid-fiscaal", "fiscal_result_of_government", False),
        ("maatschappelijk", "social_return", True),
    ]
    assert ledger.unit == "million EUR"


def test_without_the_keys_there_is_neither(folder: Path) -> None:
    replace(folder / "pot.yaml", "ledger: {file: pot.ledger.csv}\n", "")
    replace(folder / "pot.yaml", "valuation: {file: valuation.csv}\n", "")
    problem = build(folder)
    assert problem.ledger is None
    assert problem.methods == ()
    assert value(problem, "value of a QALY") == 70000


def test_names_and_units_of_a_ledger_all_at_once(folder: Path) -> None:
    with (folder / "pot.ledger.csv").open("a", encoding="utf-8") as file:
        file.write("Helth,helth,0,0,1,no,effect,\nPeople,people,0,0,1,no,effect,\n")
        file.write(
            "Stock,Skills,1,0,0,no,effect,\nHeads,people,0,0,1,no,end "
            "value,\nMoved,taxes,1,0,0,no,transfer,\n"
        )
    with pytest.raises(ConfigError) as refused:
        build(folder)
    assert announced(refused) == [
        "row 11: a transfer only moves money, so its weights sum to 0; these sum to 1: mend them, or "
        "make the "
        "kind effect",
        'row 7, variable: pot.mdl has no variable "helth". Did you mean "health"? '
        "List all: sdopt variables pot.mdl",
        'row 8, variable: unit "Person" of people is not an amount per year; choose a variable whose '
        "unit ends "
        'with "/Year", or make the kind end value',
        'row 9, variable: unit "million EUR" of Skills is not an amount per year; choose a variable '
        "whose unit "
        'ends with "/Year", or make the kind end value',
        'row 10, variable: "people" counts in "Person", the ledger in "million EUR" (its first row); a sum '
        "needs one unit: convert it in the model",
    ]


def test_a_perspective_with_an_unknown_variable(folder: Path) -> None:
    replace(folder / "perspectives.csv", ",social return,", ",social retrun,")
    with pytest.raises(ConfigError) as refused:
        build(folder)
    assert announced(refused) == [
        'row 4, variable: pot.mdl has no variable "social retrun". Did you mean "social return"? '
        "List all: sdopt variables pot.mdl"
    ]


def test_perspectives_of_another_file(folder: Path) -> None:
    text = "perspective,pockets,cash only,variable,note\nState,rijk,no,taxes,\n"
    (folder / "mine.csv").write_text(text, encoding="utf-8")
    ledger = build(folder, ledger__perspectives="mine.csv").ledger
    assert ledger is not None
    assert [(p.name, p.pockets, p.key) for p in ledger.perspectives] == [("State", ("Rijk",), "taxes")]


def test_an_end_value_that_the_objective_does_not_count_is_left_out(folder: Path) -> None:
    replace(folder / "pot.yaml", "  end_value: {variable: end value of stocks, weight: 0.5}\n", "")
    ledger = build(folder).ledger
    assert ledger is not None
    assert [entry.kind for entry in ledger.entries] == ["effect", "transfer", "effect", "effect"]


def test_an_end_value_that_the_ledger_lacks_gets_a_row_of_its_own(folder: Path) -> None:
    replace(folder / "pot.ledger.csv", "What is left,end value of stocks,0,0,0,no,end value,\n", "")
    ledger = build(folder).ledger
    assert ledger is not None
    entry = ledger.entries[-1]
    assert (entry.effect, entry.kind, dict(entry.weights)) == (
        "end value of stocks", "end value", {"not split": 1.0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "expected"), [(None, 80000), ("low", 50000), ("High", 100000), ("middle", 80000)]
)
def test_a_method_sets_its_constant(folder: Path, method: str | None, expected: float) -> None:
    changes = {} if method is None else {"valuation__qaly": method}
    problem = build(folder, **changes)
    assert value(problem, "value of a QALY") == expected
    assert problem.changed_constants["value_of_a_qaly"] == expected  # so PySD gets it too
    (row,) = [row for row in problem.constants if row.name == "value of a QALY"]
    assert (row.low, row.high, row.source, row.uncertain) == (50000, 100000, "H17", False)


def test_an_uncertainty_is_held_against_the_chosen_method(folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        build(folder, uncertainties=[{"constant": "value of a QALY", "low": 60000, "high": 75000}])
    assert announced(refused) == [
        "uncertainties.0: 80000, the value used, is outside [60000, 75000]; widen the range"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"valuation__QALI": "low"},
            'valuation.QALI: there is no such convention. Did you mean "QALY"? Allowed: price level, QALY',
        ),
        (
            {"valuation__QALY": "mid"},
            'valuation.QALY: there is no method "mid". Did you mean "middle"? Allowed: low, middle, high',
        ),
        (
            {"valuation__QALY": "low", "valuation__qaly": "high"},
            "valuation.qaly: chosen already; keep one of the two",
        ),
        (
            {"model__changes": {"Value of a QALY": 1000}},
            'row 4, constant: "value of a QALY" is set by QALY (middle) and by model.changes; remove it '
            "there, "
            "or choose another method",
        ),
        (
            {"decisions__b": {"variable": "value of a QALY", "bounds": [0, 90000]}},
            'row 4, constant: "value of a QALY" is set by QALY (middle) and chosen by decision b; remove '
            "one of "
            "the two",
        ),
    ],
)
def test_a_choice_that_does_not_fit(folder: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build(folder, **changes)
    assert announced(refused) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "QALY,middle,yes,value of a QALY,80000,EUR/QALY",
            "QALY,middle,yes,value of a QALY,80000,EUR",
            'row 4, constant: unit "EUR" differs from "EUR/QALY" in pot.mdl; make them equal',
        ),
        (
            "80000,EUR/QALY",
            "8000000,EUR/QALY",
            "row 4, constant: 8e+06 is outside the range of value of a QALY in pot.mdl; mend one of the two",
        ),
    ],
)
def test_a_method_that_does_not_fit_the_model(folder: Path, old: str, new: str, expected: str) -> None:
    replace(folder / "valuation.csv", old, new)
    with pytest.raises(ConfigError) as refused:
        build(folder)
    assert announced(refused) == [expected]


def test_a_method_for_no_constant(folder: Path) -> None:
    text = (
        (folder / "valuation.csv").read_text(encoding="utf-8").replace("value of a QALY", "value of a QALI")
    )
    (folder / "valuation.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        build(folder)
    assert announced(refused) == [
        'row 4, constant: "value of a QALI" is not a constant of pot.mdl. Did you mean "value of a '
        'QALY"? Mend '
        "the name or remove the row. List all: sdopt variables pot.mdl"
    ]
