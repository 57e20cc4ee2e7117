"""What readers see of a variable: a label of the config, else the table's name, else the model's own."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdopt.config.load import LoadedConfig, load_config
from sdopt.equations.expression import Number
from sdopt.equations.system import EquationSystem, TimeAxis, Variable
from sdopt.errors import ConfigError
from sdopt.problem.meaning import check_meaning
from sdopt.problem.reader_names import decision_names, reader_names

TABLE = "variable,nl,en\n"


def variable(name: str, kind: Any, unit: str, subscripts: tuple[str, ...] = ()) -> Variable:
    return Variable(name.lower(), name, kind, Number(3.0), None, unit, "", subscripts=subscripts)


VARIABLES = (
    variable("care budget", "constant", "EUR/Year"),
    variable("youth budget", "constant", "EUR/Year"),
    variable("hours per EUR", "constant", "hour/EUR"),
    variable("People", "stock", "Person"),
    variable("Clients[north,old]", "stock", "Person", ("north", "old")),
    variable("Clients[south,old]", "stock", "Person", ("south", "old")),
    variable("return", "auxiliary", "EUR/Year"),
)
MODEL = EquationSystem(
    {one.key: one for one in VARIABLES}, (), (), TimeAxis(2026.0, 2040.0, 0.25, 1.0, "Year")
)


def load(folder: Path, table: str | None = None, **output: Any) -> LoadedConfig:
    """A question to that model, with a table of names or without."""
    (folder / "model.mdl").write_text("", encoding="utf-8")
    if table is not None:
        (folder / "names.csv").write_text(TABLE + table, encoding="utf-8")
        output["names"] = "names.csv"
    question = {
        "schema_version": 1,
        "title": "Test",
        "model": {"file": "model.mdl"},
        "horizon": {"start": 2026, "end": 2040},
        "decision_years": {"first": 2027, "last": 2030},
        "decisions": {
            "care": {"variable": "Care_budget", "bounds": [1, 6]},
            "youth": {"variable": "youth budget", "bounds": [1, 6]},
        },
        "objective": {"maximise": "return"},
        "output": output,
    }
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(question, sort_keys=False), encoding="utf-8")
    return load_config(path)


def complaints(loaded: LoadedConfig) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        check_meaning(loaded, MODEL, ())
    folder = f"{loaded.path.parent.resolve()}/"
    lines = [line.removeprefix("  * ").replace(folder, "") for line in str(refused.value).splitlines()[1:]]
    return [re.sub(r" \(line [0-9]+\)", "", line) for line in lines]


def test_labels_win_over_the_table_and_the_table_over_the_model(tmp_path: Path) -> None:
    rows = "people,Mensen,Persons\nHOURS_per_EUR,Uren per euro,\ncare budget,Zorg,Care\n"
    loaded = load(tmp_path, rows, language="nl", labels={"People": "Inwoners"})
    check_meaning(loaded, MODEL, ())
    assert reader_names(loaded.config, MODEL) == {
        "People": "Inwoners",
        "hours per EUR": "Uren per euro",
        "care budget": "Zorg",
    }
    assert decision_names(loaded.config, MODEL) == {"care": "Zorg"}  # youth has no other name


def test_the_language_of_output_decides(tmp_path: Path) -> None:
    loaded = load(tmp_path, "People,Mensen,Persons\nhours per EUR,Uren per euro,\n", language="en")
    assert reader_names(loaded.config, MODEL) == {"People": "Persons"}


def test_without_a_table_nothing_but_labels(tmp_path: Path) -> None:
    loaded = load(tmp_path, labels={"youth budget": "Jeugd"})
    check_meaning(loaded, MODEL, ())
    assert reader_names(loaded.config, MODEL) == {"youth budget": "Jeugd"}
    assert decision_names(loaded.config, MODEL) == {"youth": "Jeugd"}
    assert reader_names(load(tmp_path).config, MODEL) == {}


def test_a_row_for_an_array_names_all_elements_and_a_row_for_one_wins(tmp_path: Path) -> None:
    loaded = load(tmp_path, '"Clients[South, old]",Zuid,\nclients,Cliënten,\n')
    check_meaning(loaded, MODEL, ())
    assert reader_names(loaded.config, MODEL) == {
        "Clients[north,old]": "Cliënten (north, old)",
        "Clients[south,old]": "Zuid",
    }


@pytest.mark.parametrize(
    ("rows", "labels", "announced"),
    [
        (
            "People,Mensen,\nhours per euro,Uren,\n",
            {},
            'names.csv, row 3, column variable: model.mdl has no variable "hours per euro". '
            'Did you mean "hours per EUR"? List all: sdopt variables model.mdl',
        ),
        (
            "client,Cliënten,\n",
            {},
            'names.csv, row 2, column variable: model.mdl has no variable "client". Did you mean "Clients"?',
        ),
        (
            "People,return,\n",
            {},
            'names.csv, row 2, column nl: "return" is also what readers see for "return"; give every',
        ),
        (
            "People,Mensen,\n",
            {"youth budget": "Mensen"},
            'output.labels.youth budget: "Mensen" is also what readers see for "People"; give every',
        ),
    ],
)
def test_what_does_not_fit(tmp_path: Path, rows: str, labels: dict[str, str], announced: str) -> None:
    (complaint,) = complaints(load(tmp_path, rows, labels=labels))
    assert complaint.startswith(announced)


def test_names_may_trade_places(tmp_path: Path) -> None:
    check_meaning(load(tmp_path, "People,return,\nreturn,People,\n"), MODEL, ())


def test_a_table_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"names\.csv: 1 error\n  \* row 3, column nl"):
        check_meaning(load(tmp_path, "People,A,\nreturn,A,\n"), MODEL, ())
