"""Reading: what the file says arrives, and what is not supported is named."""

from pathlib import Path

import pytest

from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.errors import ModelError
from sdopt.source_model.read import read_model
from sdopt.source_model.replay import compare, replay

MODELS = Path(__file__).parents[1] / "models"


def test_everything_the_file_says_of_a_variable() -> None:
    system = read_model(MODELS / "every_function.mdl").system
    budget = system.variables["budget"]
    assert (budget.name, budget.kind, budget.unit, budget.low, budget.high, budget.description) == (
        *("budget", "constant", "million EUR/Year", 0.0, 10.0),
        "What is spent each year.",
    )
    assert system.variables["échelle_&_été"].name == "échelle & été"
    assert {v.key for v in system.of_kind("flow")} == {"arrivals", "departures"}
    assert {v.key for v in system.of_kind("stock")} == {"people", "échelle_&_été"}
    assert "effect_of_budget" not in system.variables
    assert (system.time.start, system.time.end, system.time.step, system.time.unit) == (
        0.0,
        20.0,
        0.125,
        "Year",
    )


def test_all_that_is_unsupported_is_named_at_once() -> None:
    path = MODELS / "unsupported.mdl"
    with pytest.raises(ModelError) as error:
        read_model(path)
    assert str(error.value) == "\n".join(
        [
            f"{path}: 4 errors",
            '  * variable "Slow Answer" = SMOOTH N( input, 4, 0, input - input ): the order of a '
            "delay or smooth is 1 to 1000, not 0",
            '  * variable "found" = FIND ZERO( input, 4 ): FIND ZERO is not supported',
            '  * variable "typo" = inptu * 2: there is no variable "inptu". Did you mean "input"?',
            '  * variable "odd" = (-2) ^ input: PySD reads (-2)^x as -(2^x): write the negative number '
            "as a variable",
        ]
    )


@pytest.mark.parametrize("base", ["(-2)", "((-2))", "(-(2))", "( + -2. )", "2 * (-2e-1)"])
def test_a_negative_number_to_a_power_is_refused_however_it_is_written(tmp_path: Path, base: str) -> None:
    with pytest.raises(ModelError, match="write the negative number as a variable"):
        read_model(_write(tmp_path, f"x = {base} ^ 3 ~ ~ |\n"))


@pytest.mark.parametrize(
    ("equation", "value"), [("ABS( -2 ) ^ 2", 4), ("-(2) ^ 2", -4), ("(-(2) ^ 2)", -4), ("(1 - 3) ^ 2", 4)]
)
def test_other_powers_are_read(tmp_path: Path, equation: str, value: float) -> None:
    model, grid = read_model(_write(tmp_path, f"x = {equation} ~ ~ |\n")), TimeGrid(0, 1, 1)
    ours = simulate_all(model.system, grid)
    assert ours["x"][0, 0] == value
    assert compare(ours, replay(model, {}, {}, grid)).largest == 0


def test_a_circular_definition_names_all_its_variables() -> None:
    with pytest.raises(ModelError, match='circular definition: "Demand" needs "Price" needs "Demand"'):
        read_model(MODELS / "circular.mdl")


def test_circular_starting_values(tmp_path: Path) -> None:
    path = _write(tmp_path, "a = INTEG(1, b) ~ ~ |\nb = INTEG(1, a) ~ ~ |\n")
    with pytest.raises(ModelError, match='circular starting values: "a" needs "b" needs "a"'):
        read_model(path)


def test_a_syntax_error_names_the_equation() -> None:
    with pytest.raises(ModelError, match=r'variable "cost": cannot read = 3 \* \(4 \+'):
        read_model(MODELS / "syntax_error.mdl")


def test_a_lost_separator_does_not_lose_equations(tmp_path: Path) -> None:
    path = _write(tmp_path, "a = 1 ~ ~ |\nb = 2 ~ ~ \nc = 3 ~ ~ |\n")
    with pytest.raises(ModelError, match="cannot read from here on"):
        read_model(path)


@pytest.mark.parametrize("name", ["absent.mdl", "model.txt"])
def test_a_wrong_path_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no such file|a model file ends in"):
        read_model(tmp_path / name)


def test_the_range_of_a_lookup_is_never_run_as_code(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = f"__import__('pathlib').Path({str(trace)!r}).touch() or (0,0)"
    path = _write(tmp_path, f"a = WITH LOOKUP(Time, ([{code},(1,1)],(0,0),(1,1))) ~ ~ |\n")
    with pytest.raises(ModelError, match="a lookup range holds numbers only"):
        read_model(path)
    assert not trace.exists()


def test_line_ends_and_odd_paths_change_nothing(tmp_path: Path) -> None:
    text = (MODELS / "every_function.mdl").read_text(encoding="utf-8")
    folder = tmp_path / "map met spaties en é"
    folder.mkdir()
    other = folder / "mödel 2.mdl"
    other.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode("utf-8"))
    assert read_model(other).system == read_model(MODELS / "every_function.mdl").system


def test_bytes_that_are_not_text_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    path.write_bytes("{UTF-8}\nété = 1 ~ ~ |".encode("latin-1"))
    with pytest.raises(ModelError, match="is not text"):
        read_model(path)


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    head, *entries = (MODELS / "every_function.mdl").read_text(encoding="utf-8").strip().split("|")
    first = head.removeprefix("{UTF-8}")
    path = tmp_path / "reversed.mdl"
    path.write_text(
        "{UTF-8}" + "|".join([*reversed([e for e in entries if e.strip()]), first]) + "|", encoding="utf-8"
    )
    grid = TimeGrid(0, 20, 0.125)
    there, back = (simulate_all(read_model(p).system, grid) for p in (MODELS / "every_function.mdl", path))
    assert set(there) == set(back)
    assert all((there[key] == back[key]).all() for key in there)


def _write(folder: Path, equations: str) -> Path:
    path = folder / "model.mdl"
    times = (
        "".join(f"{n} = 1 ~ ~ |\n" for n in ("FINAL TIME", "TIME STEP", "SAVEPER"))
        + "INITIAL TIME = 0 ~ ~ |\n"
    )
    path.write_text("{UTF-8}\n" + equations + times, encoding="utf-8")
    return path


XMILE = """<?xml version="1.0" encoding="utf-8"?>
<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">
<sim_specs method="Euler" time_units="Year"><start>0</start><stop>8</stop><dt>0.25</dt></sim_specs>
<model><variables>
<stock name="Cliënten in zorg"><eqn>10</eqn><inflow>in</inflow><outflow>out</outflow></stock>
<flow name="in"><eqn>IF (TIME &gt; 3) AND (TIME &lt; 5) THEN 2 ELSE SAFEDIV(Cliënten_in_zorg, 4)</eqn></flow>
<flow name="out"><eqn>TIME</eqn><gf><xscale min="0" max="6"/><ypts>1,4,2,3</ypts></gf></flow>
</variables></model></xmile>
"""


def test_xmile_agrees_with_pysd(tmp_path: Path) -> None:
    path = tmp_path / "model.xmile"
    path.write_text(XMILE, encoding="utf-8")
    model, grid = read_model(path), TimeGrid(0, 8, 0.25)
    assert compare(simulate_all(model.system, grid), replay(model, {}, {}, grid)).largest < 1e-12


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<outflow>out</outflow>", "<outflow>out</outflow><conveyor/>", "<conveyor> is not supported"),
        ("</variables></model>", "</model>", "is not valid XML"),
        ("<dt>0.25</dt>", '<dt reciprocal="true">0</dt>', "all must be finite numbers"),
        ("<model>", '<model/><model name="m">', "more than one <model>"),
        (
            'encoding="utf-8"?>',
            'encoding="utf-8"?><!DOCTYPE a [<!ENTITY b "c">]>',
            "document type definition",
        ),
    ],
)
def test_xmile_that_would_be_read_wrongly_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "model.xmile"
    path.write_text(XMILE.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read_model(path)
