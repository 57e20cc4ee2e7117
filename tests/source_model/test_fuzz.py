"""Spoiled and hostile model files: always a model or one clear error, quickly, and never code."""

from __future__ import annotations

import faulthandler
import importlib.util
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdopt.equations.time_grid import TimeGrid
from sdopt.errors import ModelError, ReplayError
from sdopt.source_model.read import SourceModel, read_model
from sdopt.source_model.replay import replay

HERE = Path(__file__).parent
FEATURES = HERE.parent / "features"
CASES = sorted(p for p in (HERE / "fuzz_cases").iterdir() if p.suffix in (".mdl", ".xmile"))
SEEDS = ("kitchen.mdl", "kitchen.xmile", "data.mdl")
MUTANTS = 1200
LONGEST = 10.0
"""Seconds for one file; a hundred times what these small files need."""

specification = importlib.util.spec_from_file_location("mutations", HERE / "mutations.py")
assert specification is not None
assert specification.loader is not None
mutations = importlib.util.module_from_spec(specification)
specification.loader.exec_module(mutations)


@pytest.fixture(autouse=True)
def never_hang() -> Iterator[None]:
    """End the tests, with a traceback, rather than wait for ever."""
    faulthandler.dump_traceback_later(240, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run where hostile texts would leave their trace."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "fuzz_seeds" / "numbers.csv", tmp_path)


def read_or_refuse(path: Path) -> SourceModel | ModelError:
    """What reading gives; any other exception, a warning or a file left behind is a failure."""
    before = {p.name for p in path.parent.iterdir()}
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found: SourceModel | ModelError = read_model(path)
        except ModelError as error:
            found = error
    assert time.perf_counter() - start < LONGEST
    assert {p.name for p in path.parent.iterdir()} == before
    return found


def complaint(error: ModelError, path: Path) -> str:
    """Its message, which names the file, is not endless, and is no traceback."""
    message = str(error)
    assert path.name in message
    assert len(message) < 20_000
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_are_sound(name: str) -> None:
    assert isinstance(read_model(HERE / "fuzz_seeds" / name), SourceModel)


@pytest.mark.parametrize("part", range(8))
def test_a_spoiled_file_gives_a_model_or_an_error(tmp_path: Path, part: int) -> None:
    refused = 0
    for number in range(part, MUTANTS, 8):
        name = SEEDS[number % len(SEEDS)]
        path = tmp_path / f"spoiled_{number}{Path(name).suffix}"
        path.write_bytes(mutations.mutant(number, (HERE / "fuzz_seeds" / name).read_bytes()))
        found = read_or_refuse(path)
        if isinstance(found, ModelError):
            complaint(found, path)
            refused += 1
        path.unlink()
    assert not (tmp_path / "trace").exists()
    assert refused > MUTANTS / 8 / 2  # most spoiled files are no models


@pytest.mark.parametrize("part", range(4))
def test_a_spoiled_feature_model_gives_a_model_or_an_error(tmp_path: Path, part: int) -> None:
    sources = sorted(p for p in FEATURES.rglob("*.*") if p.suffix in (".mdl", ".xmile"))[part::4]
    assert sources
    for number, source in enumerate(sources):
        path = tmp_path / f"spoiled{source.suffix}"
        path.write_bytes(mutations.mutant(10_000 + 4 * number + part, source.read_bytes()))
        found = read_or_refuse(path)
        if isinstance(found, ModelError):
            complaint(found, path)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_kept_case_is_refused(tmp_path: Path, case: Path) -> None:
    path = tmp_path / case.name
    shutil.copy(case, path)
    found = read_or_refuse(path)
    assert isinstance(found, ModelError)
    complaint(found, path)
    assert not (tmp_path / "trace").exists()


PLACES = """{{UTF-8}}
:MACRO: {macro}( x )
{macro} = x ~ ~ |
:END OF MACRO:
{range}: {element}, north ~ ~ |
copy <-> {range} ~ ~ |
{variable} = 3 ~ {unit} ~ {comment} |
array[{range}] = 1, 2 ~ ~ |
one = array[{element}] ~ ~ |
total = SUM( array[{range}!] ) ~ ~ |
stock[{range}] = INTEG( array[{range}], SMOOTH( {macro}( 2 ), 3 ) ) ~ ~ |
line( (0,0),(1,2) ) ~ ~ |
y = line( Time ) + one + total ~ ~ |
k = GET DIRECT CONSTANTS( '{file}', '{tab}', '{cell}' ) ~ ~ |
INITIAL TIME = 0 ~ ~ |
FINAL TIME = 2 ~ ~ |
TIME STEP = 1 ~ ~ |
SAVEPER = 1 ~ ~ |
"""
PLAIN = {
    "macro": "DOUBLE",
    "range": "region",
    "element": "south",
    "variable": "speed",
    "unit": "km",
    "comment": "how fast",
    "file": "numbers.csv",
    "tab": ",",
    "cell": "B2",
}
CODE = mutations.CODE
HOSTILE = (
    *(CODE, f"'+{CODE}+'", f"'] + {CODE} + _['", f"', {CODE}, '", f"'); {CODE}; ('"),
    *(f"''' + {CODE} + '''", f'""" + {CODE} + """', f"\\x27+{CODE}+\\x27", f"\\'+{CODE}+\\'"),
    *(f"{{{CODE}}}", f"%({CODE})s", f"\\\n{CODE}\n"),
)
ODD = ("o'clock", "50%", "a.b", "a/b", "{0}", "%(0)s", "été", "名前", "__import__", "self", "np", "component")


def hostile_models() -> Iterator[tuple[str, str, str]]:
    for place in PLAIN:
        for text in (*HOSTILE, *ODD):
            bare = text.replace('"', "")
            yield place, text, PLACES.format(**PLAIN | {place: text})
            if place in ("macro", "range", "element", "variable"):
                yield place, text, PLACES.format(**PLAIN | {place: f'"{bare}"'})


@pytest.mark.parametrize("place", PLAIN)
def test_a_text_in_a_model_never_becomes_code(tmp_path: Path, place: str) -> None:
    path = tmp_path / "model.mdl"
    for where, text, model in hostile_models():
        if where != place:
            continue
        path.write_text(model, encoding="utf-8")
        found = read_or_refuse(path)
        if isinstance(found, SourceModel) and text in HOSTILE:
            try:
                frame = replay(found, {}, {}, TimeGrid(0, 2, 1))
                assert frame["total"].tolist() == [3, 3, 3]
            except ReplayError:
                pass  # PySD cannot run every name; it must only not run it as code
        assert not (tmp_path / "trace").exists(), text


def test_the_plain_model_of_these_texts_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    path.write_text(PLACES.format(**PLAIN), encoding="utf-8")
    assert replay(read_model(path), {}, {}, TimeGrid(0, 2, 1))["k"].tolist() == [1, 1, 1]
