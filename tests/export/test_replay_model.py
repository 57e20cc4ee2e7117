"""The filled model, read and run by PySD, gives what PySD gives when it is handed the paths."""

from pathlib import Path

import numpy as np
import pandas as pd
import pysd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.errors import ExportError
from sdopt.export.replay_model import Grid, _lookup, _points, fill_in

MODEL = r"""{UTF-8}
clients= INTEG (
	inflow - outflow,
		100)
	~	Person
	~	How many, "quoted once
		|

inflow=
	20 - 2 * prevention budget \
		- "Größe & rest"
	~	Person/Year
	~		|

outflow= clients * exit fraction
	~	Person/Year
	~		|

Prevention  Budget =
	1
	~	million EUR/Year [0,10]
	~	What the municipality spends on prevention. = a note
	|

"Größe & rest"= 0.5
	~	Person/Year
	~		|

exit fraction= 0.1
	~	1/Year
	~	Fraction that leaves
	|

********************************************************
	.Control
********************************************************~
		Simulation Control Parameters
	|

FINAL TIME  = 2031
	~	Year
	~	The final time for the simulation.
	|

INITIAL TIME  = 2026
	~	Year
	~	The initial time for the simulation.
	|

SAVEPER  =
        TIME STEP
	~	Year [0,?]
	~	The frequency with which output is stored.
	|

TIME STEP  = 0.0625
	~	Year [0,?]
	~	The time step for the simulation.
	|

\\\---/// Sketch information - do not modify anything except names
V300  Do not put anything below this section - it will be ignored
*View 1
10,1,prevention budget = 1,100,100,40,20,8,3,0,0,0,0,0,0
""".replace('How many, "quoted once', "How many").replace("= a note", "= a note")

PATHS = {
    "prevention budget": [(2026.0, 1.0), (2027.0, 3.25), (2028.0, 3.25), (2029.0, 0.0), (2030.0, 1.0)],
    '"größe & REST"': [(2025.0, 0.5), (2028.5, 0.125), (2028.5625, 2.0)],
}


def held(path: list[tuple[float, float]], time: float) -> float:
    """The value that a step path holds at a time, rounding noise of time aside."""
    return [value for start, value in path if start <= time + 1e-6][-1]


def run_text(text: str, folder: Path, name: str, steps: dict[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """All variables as PySD computes them, with some constants replaced by step paths."""
    path = folder / f"{name}.mdl"
    path.write_bytes(text.encode("utf-8"))
    model = pysd.read_vensim(str(path))
    params = {key: lambda steps=path: held(steps, model.time()) for key, path in steps.items()}
    return model.run(params=params)


@pytest.mark.filterwarnings("ignore:Replacing a constant value with a callable")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("step", [0.0625, 0.1])
def test_pysd_agrees_with_callables(tmp_path: Path, newline: str, step: float) -> None:
    changes = {"EXIT_FRACTION": 0.25} if step == 0.0625 else {"EXIT_FRACTION": 0.25, "Time Step": step}
    text = MODEL.replace("\n", newline)
    filled = fill_in(text, PATHS, step, changes)
    original = text.replace("exit fraction= 0.1", "exit fraction= 0.25").replace("= 0.0625", f"= {step}")
    steps = {"prevention budget": PATHS["prevention budget"], '"Größe & rest"': PATHS['"größe & REST"']}
    expected = run_text(original, tmp_path, "original", steps)
    found = run_text(filled, tmp_path, "filled", {})
    columns = ["clients", "inflow", "outflow", "Prevention Budget", '"Größe & rest"', "exit fraction"]
    assert len(expected) > 50
    assert expected["clients"].nunique() > 50
    np.testing.assert_array_equal(found[columns].to_numpy(), expected[columns].to_numpy())


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_all_else_stays(newline: str) -> None:
    text = MODEL.replace("\n", newline)
    filled = fill_in(text, PATHS, 0.0625, {"exit fraction": 0.25})
    marker = "\\\\\\---///"
    assert filled.partition(marker)[2] == text.partition(marker)[2]
    assert filled.count("\r") == (filled.count("\n") if newline == "\r\n" else 0)
    changed = [line for line in text.split(newline) if line not in filled.split(newline)]
    assert [line.strip() for line in changed] == [
        "Prevention  Budget =",
        "1",
        '"Größe & rest"= 0.5',
        "exit fraction= 0.1",
    ]


def test_nothing_to_fill_in_changes_nothing() -> None:
    assert fill_in(MODEL, {}, 0.0625, {}) == MODEL


def test_the_same_value_throughout_is_a_flat_lookup() -> None:
    filled = fill_in(MODEL, {"prevention budget": [(2000, 2.5), (2028, 2.5)]}, 0.0625, {})
    assert "[(2026,2.5)-(2031,2.5)],\\\n\t\t(2026,2.5),(2031,2.5) ))" in filled


def test_macros_keep_their_own_names() -> None:
    macro = (
        ":MACRO: TWICE(x)\nTWICE = x * exit fraction\n\t~\t~|\nexit fraction = 2\n\t~\t~|\n:END OF MACRO:\n"
    )
    filled = fill_in(MODEL.replace("{UTF-8}\n", "{UTF-8}\n" + macro), {}, 0.0625, {"exit fraction": 0.3})
    assert macro in filled
    assert "exit fraction= 0.3\n" in filled


@pytest.mark.parametrize(
    ("paths", "step", "constants", "message"),
    [
        ({"prevention bugdet": [(2026, 1)]}, 0.0625, {}, 'equation. Did you mean "Prevention  Budget"'),
        ({}, 0.0625, {"nothing": 1.0}, '"nothing": the model has no such equation'),
        ({}, 0.0625, {"exit fraction": float("nan")}, "found nan; a finite number is needed"),
        ({"prevention budget": [(2026, float("inf"))]}, 0.0625, {}, "found inf; a finite number is needed"),
        ({"prevention budget": [(2027, 1)]}, 0.0625, {}, r"before the start of the run \(2026\)"),
        ({"prevention budget": []}, 0.0625, {}, "must start at or before the start"),
        ({"prevention budget": [(2026, 1), (2028, 2), (2027, 3)]}, 0.0625, {}, "in order of time"),
        ({"prevention budget": [(2026, 1)]}, 0.0625, {"PREVENTION_BUDGET": 2.0}, "given twice"),
        ({}, 0.25, {}, "TIME STEP is 0.0625 in the model, but the allocation was made for 0.25"),
        ({}, 0.25, {"saveper": 1.0}, "TIME STEP is 0.0625"),
    ],
)  # fmt: skip
def test_errors(
    paths: dict[str, list[tuple[float, float]]], step: float, constants: dict[str, float], message: str
) -> None:
    with pytest.raises(ExportError, match=message):
        fill_in(MODEL, paths, step, constants)


AREAS = "area: North, South ~ ~ |\nmix[area]= 0.1, 0.2\n\t~ 1\n\t~ How money is split. |\n"
SEPARATE = (
    "area: North, South ~ ~ |\nmix[North]= 0.1 ~~|\nmix[South]= 0.2\n\t~ 1\n\t~ How money is split. |\n"
)


EXCEPTION = AREAS.replace("mix[area]= 0.1, 0.2", "mix[area] :EXCEPT: [South] = 0.1 ~~|\nmix[South]= 0.2")


@pytest.mark.filterwarnings("ignore:(?s).*extrapolating data")
@pytest.mark.parametrize("entries", [AREAS, SEPARATE, EXCEPTION])
def test_elements_of_an_array_are_written_one_by_one(tmp_path: Path, entries: str) -> None:
    text = MODEL.replace("{UTF-8}\n", "{UTF-8}\n" + entries)
    paths = {"Mix[South]": [(2026.0, 0.5), (2028.0, 0.75)], "mix[North]": [(2026.0, 0.3)]}
    filled = fill_in(text, paths, 0.0625, {})
    assert "How money is split." in filled
    found = run_text(filled, tmp_path, "filled", {})
    times = found.index.to_numpy()
    np.testing.assert_array_equal(found["mix[North]"], 0.3)
    np.testing.assert_array_equal(found["mix[South]"], np.where(times < 2028, 0.5, 0.75))


def test_subscripts_and_odd_time_settings_are_refused() -> None:
    with pytest.raises(ExportError, match="name its elements alike"):
        fill_in(
            MODEL.replace("exit fraction= 0.1", "exit fraction[area]= 0.1"),
            {},
            0.0625,
            {"exit fraction": 1.0},
        )
    with pytest.raises(ExportError, match="FINAL TIME is not a plain number"):
        fill_in(MODEL.replace("= 2031", "= INITIAL TIME + 5"), {}, 0.0625, {})
    assert "FINAL TIME  = 2040" in fill_in(
        MODEL.replace("= 2031", "= INITIAL TIME + 5"), {}, 0.0625, {"final time": 2040}
    )


def test_all_errors_at_once() -> None:
    with pytest.raises(ExportError, match="3 errors"):
        fill_in(MODEL, {"a": [(2026, 1)], "b": [(2026, 1)]}, 0.0625, {"c": 1.0})


@settings(max_examples=200)
@given(
    start=st.sampled_from([0.0, 2026.0, 2026.5]),
    step=st.sampled_from([0.0625, 0.1, 0.25, 1.0, 1 / 3]),
    changes=st.lists(st.tuples(st.floats(0, 12), st.floats(-1e6, 1e6)), max_size=8),
    first=st.floats(-1e6, 1e6),
)
def test_lookup_equals_the_path_at_every_moment(
    start: float, step: float, changes: list[tuple[float, float]], first: float
) -> None:
    grid = Grid(start, start + 10, step)
    path = [(start, first), *((start + time, value) for time, value in sorted(changes, key=lambda c: c[0]))]
    points = _points(path, grid)
    x, y = np.array(points).T
    assert (np.diff(x) > 0).all()
    assert x[0] == start
    assert x[-1] >= start + grid.last * step
    for index in range(grid.last + 1):
        time = start + index * step
        expected = [value for moment, value in path if grid.index(moment) <= index][-1]
        # Also when Time is off by as much as Vensim's single precision makes it.
        for noise in (-2e-4, 0.0, 2e-4):
            assert np.interp(time + noise, x, y) == expected


def test_lookup_reads_the_same_digits() -> None:
    from sdopt.errors import Complaints

    text = _lookup([(0.0, 0.1 + 0.2), (1.0, -1e-7)], Grid(0.0, 2.0, 0.5), "x", Complaints("x", ExportError))
    assert "(0,0.30000000000000004)" in text
    assert "(2,-1e-07)" in text
