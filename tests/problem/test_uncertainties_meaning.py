"""Uncertainties and futures that do not fit the model: one complaint each, and all at once."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdopt.config.load import load_config
from sdopt.config.municipality import constants_of
from sdopt.errors import ConfigError
from sdopt.problem.meaning import check_meaning
from sdopt.source_model.read import read_model

CONFIG = Path(__file__).parents[1] / "data/uncertainty/wijk_onzeker.yaml"
UNLISTED = {"correlations": []}


def complaints(changes: dict[str, Any], fixed: tuple[str, ...] = ()) -> list[str]:
    loaded = load_config(CONFIG, changes)
    system = replace(read_model(loaded.config.model.file).system, fixed=frozenset(fixed))
    with pytest.raises(ConfigError) as refused:
        check_meaning(loaded, system, constants_of(loaded.config.model))
    told = re.sub(r" \(line [0-9]+\)", "", str(refused.value))  # of the file, in which other values stand
    return [line.removeprefix("  * ") for line in told.splitlines()[1:]]


def listed(**given: Any) -> dict[str, Any]:
    return {"uncertainties": ["from_table", given]}


def future(**constants: Any) -> dict[str, Any]:
    return {"external_scenarios": {"weak economy": {"constants": constants}}}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (
        listed(constant="memory tyme", low=1, high=3),
        'uncertainties.1.constant: wijk.mdl has no constant "memory tyme". Did you mean "memory',
    ),
    "no constant": (
        listed(constant="reach", low=1, high=3),
        'uncertainties.1.constant: "reach" is a flow of wijk.mdl; only a constant fits here',
    ),
    "decided": (
        listed(constant="Care_budget", low=1, high=3),
        "uncertainties.1.constant: chosen by decision uitstroom; what is chosen is not uncertain. "
        "Remove it here, or that one",
    ),
    "value used outside": (
        listed(constant="turning point", low=86, high=90),
        "uncertainties.1: 85, the value used, is outside [86, 90]; widen the range",
    ),
    "value used at the end": (
        listed(constant="turning point", low=85, high=90, distribution="normal"),
        "uncertainties.1: 85, the value used, is at the end of [85, 90], while half of a normal",
    ),
    "value used outside the values": (
        listed(constant="turning point", distribution="discrete", values=[90, 100]),
        "uncertainties.1: 85, the value used, is outside [90, 100]; widen the range",
    ),
    "correlated but not drawn": (
        {"correlations": [{"between": ["memory time", "turning point"], "rank": 0.5}]},
        'correlations.0.between.1: "turning point" is not drawn, so nothing goes together with it;',
    ),
    "correlated but decided": (
        {"correlations": [{"between": ["prevention budget", "memory time"], "rank": 0.5}]},
        'correlations.0.between.0: "prevention budget" is chosen by decision voorkomen, so it is',
    ),
    "correlated but unknown": (
        {"correlations": [{"between": ["memory time", "exit"], "rank": 0.5}]},
        'correlations.0.between.1: wijk.mdl has no constant "exit".',
    ),
    "future of the unknown": (
        future(inflation=3),
        'external_scenarios.weak economy.constants.inflation: wijk.mdl has no constant "inflation"',
    ),
    "future of a variable": (
        future(reach=3),
        'external_scenarios.weak economy.constants.reach: "reach" is a flow of wijk.mdl',
    ),
    "future of what is decided": (
        future(**{"care budget": {"2030": 3}}),
        "external_scenarios.weak economy.constants.care budget: chosen by decision uitstroom; a "
        "future cannot fix it. Remove it here, or that one",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_thing_that_does_not_fit(name: str) -> None:
    changes, announced = BROKEN[name]
    (complaint,) = complaints({**UNLISTED, **changes})
    assert complaint.startswith(announced)


@pytest.mark.parametrize(
    "changes",
    [
        listed(constant="turning point", low=80, high=90),
        {"correlations": [{"between": ["memory time", "turning point"], "rank": 0.5}],
         **listed(constant="turning point", low=80, high=90)},
        future(**{"turning point": 3}),
    ],
)  # fmt: skip
def test_what_decided_the_time_or_an_order_cannot_vary(changes: dict[str, Any]) -> None:
    found = complaints({**UNLISTED, **changes}, fixed=("turning_point",))
    assert found
    assert all('"turning point" decides the time settings or the order of a delay' in one for one in found)


def test_outside_the_range_that_the_model_states(tmp_path: Path) -> None:
    model = (CONFIG.parent.parent / "wijk.mdl").read_text(encoding="utf-8")
    model = model.replace("turning point= 85\n\t~\tPerson", "turning point= 85\n\t~\tPerson [50,100]")
    (tmp_path / "wijk.mdl").write_text(model, encoding="utf-8")
    files = {"file": str(tmp_path / "wijk.mdl"), "constants": str(CONFIG.with_suffix(".csv"))}
    path = {"2026": 60, "2030": 101}
    found = complaints(
        {**UNLISTED, "model": files, **listed(constant="turning point", low=40, high=90)}
        | future(**{"turning point": path})
    )
    start = 'is outside the range of "turning point" in wijk.mdl, [50, 100] Person; stay inside it'
    assert [one.split(": ", 1)[1].startswith(f"{value} {start}") for one, value in
            zip(found, (40, 101), strict=True)] == [True, True]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column", "announced"),
    [
        ("uitstroom\n0.1\n0.3\n", "instroom", 'column: there is no "instroom". Did you mean "uitstroom"?'),
        ("a,b\n0.1,2\n", None, "column: the table has several: a, b; name one in the config"),
        ("a\n0.1\nveel\n0.3\n", None, 'row 3, a: expected a number, found "veel"'),
        ("a\n0.2\n0.2\n", None, "1 different observations; a distribution needs at least 2"),
        ("0,2\n0,3\n", None, "column: the table has several: 0, 2; name one in the config"),
        ("0.2\n0.3\n0.4\n", None, 'row 1: found "0.2"; write the name of the column above the'),
        ("", None, 'row 1: found ""; write the name of the column above the observations'),
    ],
)
def test_observations_that_cannot_be_used(
    tmp_path: Path, text: str, column: str | None, announced: str
) -> None:
    (tmp_path / "seen.csv").write_text(text, encoding="utf-8")
    more = {"column": column} if column else {}
    changes = listed(constant="exit fraction", distribution="data", file=str(tmp_path / "seen.csv"), **more)
    (found,) = complaints({**UNLISTED, **changes})
    assert found.startswith("uncertainties.1.file: ")
    assert announced in found


def test_everything_at_once() -> None:
    changes = {"correlations": [{"between": ["memory time", "exit"], "rank": 0.5}]}
    changes |= listed(constant="turning point", low=86, high=90) | future(inflation=3, reach=4)
    assert len(complaints(changes)) == 4
