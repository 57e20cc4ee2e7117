"""Every number of the social domain comes from where its row says: evidence, causal link, prior."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sdopt.config.constants import CONFIDENCES, Constant

if TYPE_CHECKING:
    from conftest import SocialDomain

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
EVIDENCE = ROOT.parent / "shared" / "domain" / "evidence.csv"

Row = dict[str, str]
Range = tuple[float | None, float | None, float | None]


def rows_of(name: str) -> list[Row]:
    with (MODELS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SOURCES = {row["id"]: row for row in rows_of("evidence.csv")}
FISCAL_RULES = {f"F{number}" for number in range(1, 20)}
LINKS = rows_of("links.csv")
DEPARTURES = {row["constant"]: row for row in rows_of("departures.csv")}


def sources(row: Constant) -> list[str]:
    return [part.strip() for part in row.source.split(";") if part.strip()]


# Evidence


@pytest.mark.domain
def test_the_evidence_beside_the_model_is_a_current_copy(tmp_path: Path) -> None:
    shutil.copy(MODELS / "write_evidence.py", tmp_path)
    subprocess.run([sys.executable, str(tmp_path / "write_evidence.py"), str(EVIDENCE)], check=True)
    assert (tmp_path / "evidence.csv").read_bytes() == (MODELS / "evidence.csv").read_bytes()


def test_the_evidence_names_every_source_once() -> None:
    assert len(SOURCES) == len(rows_of("evidence.csv")) > 150
    assert sum(row["range"] == "spread" for row in SOURCES.values()) == 28
    assert not [row["id"] for row in SOURCES.values() if not row["title"] and row["status"] != "judgement"]


def test_every_source_exists(social: SocialDomain) -> None:
    """A row of the evidence, a fiscal rule by its number, or a definition."""
    known = {"definition", *SOURCES, *FISCAL_RULES}
    for row in social.table.values():
        unknown = [source for source in sources(row) if source not in known]
        assert not unknown, f"{row.name}: {unknown}"


def is_spread(row: Constant, source: Row) -> bool:
    """Whether a range is that of a row of the evidence, but for its scale."""
    try:
        given = [float(source[key]) for key in ("value", "low", "high")]
    except ValueError:  # no number, such as "fades out" or ">1"
        return False
    if row.low is None or row.high is None or not row.value or not given[0]:
        return False
    return [row.low / row.value, row.high / row.value] == pytest.approx(
        [given[1] / given[0], given[2] / given[0]], rel=0.01
    )


def test_a_spread_over_groups_is_never_the_origin_of_a_sampled_range(social: SocialDomain) -> None:
    """Between places or years lies no uncertainty about one place in one year.

    With nothing but such rows as sources, the range is a judgement of its own, and not the spread.
    """
    wrong = []
    for row in (row for row in social.table.values() if row.uncertain):
        known = [SOURCES[source] for source in sources(row) if source in SOURCES]
        only_spread = bool(known) and all(source["range"] == "spread" for source in known)
        own = row.status == "judgement" and not any(is_spread(row, source) for source in known)
        if only_spread and not own:
            wrong.append(row.name)
    assert not wrong


# Links


def test_the_links_rest_on_rows_of_the_evidence() -> None:
    assert len({row["number"] for row in LINKS}) == 24  # 1-23 and 14b
    for row in LINKS:
        assert set(row["rows"].split("; ")) <= SOURCES.keys(), row["number"]
        assert row["confidence"] in CONFIDENCES, row["number"]
        numbers = [float(row[key]) for key in ("low", "central", "high") if row[key]]
        assert numbers == sorted(numbers), row["number"]


@pytest.mark.domain
def test_the_links_are_those_of_the_evidence() -> None:
    """Number and confidence of every line of the table in its section 2."""
    text = (EVIDENCE.parent / "evidence.md").read_text(encoding="utf-8")
    section = text.split("\n## 2.")[1].split("\n## 3.")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    assert [line[0] for line in lines] == list(dict.fromkeys(row["number"] for row in LINKS))
    for number, *_, confidence in lines:
        ours = {row["confidence"] for row in LINKS if row["number"] == number}
        assert ours == set(re.findall(r"\b[A-D]\b-?", confidence)), number


def test_every_link_of_a_constant_exists(social: SocialDomain) -> None:
    linked = {row.link for row in social.table.values() if row.link}
    assert linked <= {row["number"] for row in LINKS}


def test_confidence_is_that_of_the_link(social: SocialDomain) -> None:
    grades = {(row["number"], row["confidence"]) for row in LINKS} | {("", "")}
    wrong = [row for row in social.table.values() if (row.link, row.confidence) not in grades]
    assert not [(row.name, row.link, row.confidence) for row in wrong]


# Priors


def prior_of(link: Row) -> Range:
    """Central, low and high of a link in the unit of its constant; a fall may be written as a fall."""
    central, low, high = (
        float(link[key]) * float(link["factor"]) if link[key] else None for key in ("central", "low", "high")
    )
    return central, low, high


def has_prior(row: Constant, prior: Range) -> bool:
    """Whether a constant is a prior or its negative, but for rounding; what the prior leaves open is free."""
    turned = (-row.value, *(None if end is None else -end for end in (row.high, row.low)))
    return any(
        all(p is None or n == pytest.approx(p, rel=0.015) for n, p in zip(numbers, prior, strict=True))
        for numbers in ((row.value, row.low, row.high), turned)
    )


def written(numbers: Range) -> str:
    """`0.06 [0, 0.15]`."""
    central, low, high = ("open" if number is None else f"{number:.4g}" for number in numbers)
    return f"{central} [{low}, {high}]"


def with_prior(social: SocialDomain) -> dict[str, tuple[Constant, Range]]:
    """The constants that stand for the strength or the delay of a link, by name."""
    named = [link for link in LINKS if link["constant"]]
    return {link["constant"]: (social.table[social.key(link["constant"])], prior_of(link)) for link in named}


def test_every_prior_is_a_constant_or_says_why_not(social: SocialDomain) -> None:
    for link in LINKS:
        if link["central"] or link["low"]:
            assert link["constant"] or link["remark"], link["number"]
        if link["constant"]:
            assert social.key(link["constant"]) in social.table, link["constant"]


def test_a_constant_with_a_prior_names_its_link(social: SocialDomain) -> None:
    named = {link["constant"]: link for link in LINKS if link["constant"]}
    assert len(named) == sum(bool(link["constant"]) for link in LINKS) > 20
    for name, link in named.items():
        row = social.table[social.key(name)]
        assert (row.link, row.confidence) == (link["number"], link["confidence"]), name


def test_central_effects_are_the_priors_or_stand_among_the_departures(social: SocialDomain) -> None:
    missing = [
        f'{name},"{written(prior)}","{written((row.value, row.low, row.high))}",'
        for name, (row, prior) in with_prior(social).items()
        if not has_prior(row, prior) and name not in DEPARTURES
    ]
    assert not missing, "\n".join(["add to departures.csv, each with its reason:", *missing])


def test_every_departure_is_one_and_is_current(social: SocialDomain) -> None:
    assert len(DEPARTURES) == len(rows_of("departures.csv"))
    for name, departure in DEPARTURES.items():
        row, prior = with_prior(social)[name]
        assert not has_prior(row, prior), f"{name} has the prior of its link: take it out"
        assert departure["prior"] == written(prior), name
        assert departure["used"] == written((row.value, row.low, row.high)), name
        assert len(departure["reason"]) > 10, name


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0.1, 0.0, 0.25), True),
        ((-0.1, -0.25, 0.0), True),
        ((0.1, 0.0, 0.3), False),
        ((0.2, 0.0, 0.25), False),
        ((0.1, -0.25, 0.0), False),
    ],
)
def test_what_counts_as_the_prior(numbers: tuple[float, float, float], *, expected: bool) -> None:
    row = Constant("effect", *numbers, "Dmnl", "N14", "judgement", "")
    assert has_prior(row, (-0.1, -0.25, 0.0)) is expected
