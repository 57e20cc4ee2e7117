"""What `sdopt init` writes loads as it is, whatever the names in the model."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdopt.config.load import load_config
from sdopt.config.starting_point import starting_point, yaml_text
from sdopt.equations.expression import Call, Number, Reference
from sdopt.equations.system import EquationSystem, TimeAxis, Variable
from sdopt.errors import ConfigError


def system(*variables: Variable, start: float = 2026, end: float = 2040) -> EquationSystem:
    return EquationSystem({v.key: v for v in variables}, (), (), TimeAxis(start, end, 0.25, 1, "Year"))


def constant(
    name: str, value: float, unit: str, low: float | None = None, high: float | None = None
) -> Variable:
    return Variable(name.lower(), name, "constant", Number(value), None, unit, f"About {name}.", low, high)


BUDGET = constant("budget", 3, "million EUR/Year", 1, 6)
EFFECT = constant("effect", -0.5, "1/Year")
PEOPLE = Variable("people", "People", "stock", Reference("net_flow"), Number(1), "Person", "")
NET_FLOW = Variable("net_flow", "net flow", "flow", Reference("effect"), None, "Person/Year", "")
COST = Variable("cost", "cost", "auxiliary", Reference("people"), None, "EUR/Year", "")
RETURN = Variable(
    "return", "social return", "auxiliary", Call("negative", (Reference("cost"),)), None, "EUR/Year", ""
)


def load(folder: Path, text: str, file: str = "model.mdl"):  # type: ignore[no-untyped-def]
    (folder / file).write_text("", encoding="utf-8")
    path = folder / "new.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path).config


def test_it_offers_what_the_model_has(tmp_path: Path) -> None:
    text = starting_point(system(BUDGET, EFFECT, PEOPLE, NET_FLOW, COST, RETURN), "model.mdl")
    config = load(tmp_path, text)
    assert config.decisions["budget"].variable == "budget"
    assert config.decisions["budget"].bounds == (1, 6)
    assert config.objective.maximise == "social return"  # money per year that nothing else needs
    assert (config.horizon.start, config.horizon.end) == (2026, 2040)
    assert (config.decision_years.first, config.decision_years.last) == (2026, 2029)
    assert "#   People  # Person" in text
    assert "effect" not in text  # a range says what may be chosen; this one has none
    assert "`sdopt schema > schema.json`" in text
    assert not re.search(r"^#\s*yaml-language-server", text, re.M), "points at a file that is not there"


def test_candidates_can_be_uncommented(tmp_path: Path) -> None:
    other = constant("ander: budget #2", 1e-7, "EUR/Year", 0, 1)
    text = starting_point(system(BUDGET, other, PEOPLE, COST), "model.mdl")
    # Take the comment sign away from the candidates, and from the example of a constraint.
    lines = text.splitlines()
    first = lines.index("  # Other constants of the model that may be decided on:") + 1
    last = lines.index("# constraints:")
    stop = lines.index("# Stocks of the model:")
    lines[first : first + 3] = [line.replace("  # ", "  ", 1) for line in lines[first : first + 3]]
    lines[last:stop] = [line.removeprefix("# ") for line in lines[last:stop]]
    config = load(tmp_path, "\n".join(lines))
    assert config.decisions["ander: budget #2"].variable == "ander: budget #2"
    assert config.constraints["Not more than in the null alternative"].variables == {"People": 1}


@pytest.mark.parametrize(("start", "end"), [(0, 0.5), (2026.5, 2027), (-3, 100), (0, 1)])
def test_any_time_axis(tmp_path: Path, start: float, end: float) -> None:
    config = load(tmp_path, starting_point(system(EFFECT, COST, start=start, end=end), "model.mdl"))
    assert config.horizon.start == start
    assert config.decisions["effect"].bounds == (-1, 0)


def test_a_model_with_nothing_to_choose_or_to_maximise() -> None:
    with pytest.raises(ConfigError, match=r"m\.mdl: the model has no constants"):
        starting_point(system(COST), "m.mdl")
    with pytest.raises(ConfigError, match="no flows or auxiliaries to maximise"):
        starting_point(system(BUDGET, PEOPLE), "m.mdl")


@given(st.text())
def test_text_is_one_line_of_yaml_that_reads_back(text: str) -> None:
    written = yaml_text(text)
    assert len(written.splitlines()) == 1
    assert yaml.safe_load(f"{{{written}: [{written}]}}") == {text: [text]}


# What a Vensim name may hold; line breaks and other control characters it may not.
NAMES = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1).filter(
    lambda name: name.strip()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.text(), st.text())
def test_names_and_descriptions_are_only_data(tmp_path: Path, name: str, unit: str, description: str) -> None:
    variable = Variable(name, name, "constant", Number(1), None, unit, description)
    other = Variable(f"{name} 2", f"{name} 2", "auxiliary", Number(1), None, unit, description)
    config = load(tmp_path, starting_point(system(variable, other), "model.mdl"))
    assert [decision.variable for decision in config.decisions.values()] == [name]
    assert config.objective.maximise == f"{name} 2"
    assert config.constraints == {}
