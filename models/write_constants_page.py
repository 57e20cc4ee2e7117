"""Write docs/constants.md: every constant of the social domain with its range, origin and sources.

    python models/write_constants_page.py

It is made from social_domain.csv, social_domain.mdl, evidence.csv, links.csv and departures.csv.
"""

from __future__ import annotations

import csv
from pathlib import Path

from markdown_text import linked, plain, table
from structure import read_structure

from sdopt.config.constants import Constant, read_constants
from sdopt.config.names import same_name

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "constants.md"
ELSEWHERE = "Used nowhere"
INTRODUCTION = """# Every number of the social domain

Made by `python models/write_constants_page.py`; change the tables in `models/`, not this page. Of the
{count} constants {uncertain} are uncertain: known by judgement or from memory only, or with confidence
C or D in the causal link, and not fixed. Those are what is sampled unless a config says otherwise.

- **Status**: read (in the source), derived (computed from it), memory (not looked up again), judgement.
- **Link** is the number of the causal link (see the end of this page), with the **confidence** in it:
  A causal evidence, Dutch; B causal elsewhere, or good Dutch association; C plausible, weak or
  conflicting; D none found.
- A source with "spread" gives a range over groups, places or years: that is never used as an uncertainty.
- A constant stands in the first chapter of the model that uses it.
"""
DEPARTURES = """Priors are given in the unit of the constant; "open" is what the evidence leaves open.
"""
LINKS = """Priors are given as the evidence states them. Unless a source is named with a constant, a prior is
a judgement bounded by the sources. Where no constant carries a prior, the remark says why.
"""
HEADER = ("Constant", "Value", "Range", "Unit", "Distribution", "Status", "Link", "Sources", "Note")

Row = dict[str, str]


def rows_of(name: str) -> list[Row]:
    """A table beside the model."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def source(name: str, evidence: dict[str, Row]) -> str:
    """One source: its id, title with link, and year."""
    row = evidence.get(name)
    if row is None:
        return plain(name)
    year = f" ({plain(row['year'])})" if row["year"] else ""
    kind = ", spread" if row["range"] == "spread" else ""
    title = linked(row["title"] or "no source", row["url"])
    return f"{plain(name)}: {title}{year}, {plain(row['status'])}{kind}"


def constant_row(row: Constant, evidence: dict[str, Row]) -> list[str]:
    """The cells of one constant."""
    names = [name.strip() for name in row.source.split(";") if name.strip()]
    wide = row.low is not None and row.high is not None and row.low < row.high
    cells = [plain(row.name), f"{row.value:.10g}", f"{row.low:.10g} to {row.high:.10g}" if wide else ""]
    sampled = ", uncertain" if row.uncertain else ""
    cells += [
        plain(row.unit),
        f"{row.distribution}{sampled}",
        row.status,
        plain(f"{row.link} {row.confidence}".strip()),
    ]
    return [*cells, "<br>".join(source(name, evidence) for name in names), plain(row.note)]


def by_chapter(constants: tuple[Constant, ...]) -> dict[str, list[Constant]]:
    """The constants under the first chapter of the model that uses them."""
    model = read_structure(HERE / "social_domain.mdl")
    keys = {same_name(variable.name): key for key, variable in model.variables.items()}
    waiting = {keys[same_name(row.name)]: row for row in constants}
    grouped: dict[str, list[Constant]] = {}
    for chapter, users in model.chapters.items():
        used = {cause for user in users for cause in model.causes[user]}
        grouped[chapter] = [waiting.pop(key) for key in list(waiting) if key in used]
    grouped[ELSEWHERE] = list(waiting.values())
    return {chapter: rows for chapter, rows in grouped.items() if rows}


def prior(link: Row) -> str:
    """Central value, range and unit of a link as the evidence states it."""
    ends = f"{link['low']} to {link['high']}" if link["low"] else ""
    return plain(
        " ".join(part for part in (link["central"], f"({ends})" if ends else "", link["unit"]) if part)
    )


def links_table() -> str:
    """The causal links with their priors, and the constants that carry them."""
    header = ("Link", "What", "Sign", "Prior", "Delay", "Confidence", "Sources", "Constant", "Remark")
    rows = []
    for link in rows_of("links.csv"):
        cells = [
            link["number"],
            link["link"],
            link["sign"],
            "",
            link["delay"],
            link["confidence"],
            link["rows"],
        ]
        cells = [plain(cell) for cell in (*cells, link["constant"], link["remark"])]
        rows.append([*cells[:3], prior(link), *cells[4:]])
    return table(header, rows)


def departures_table() -> str:
    """The constants that are not the prior of their link."""
    header = ("Constant", "Prior", "Used", "Reason")
    columns = ("constant", "prior", "used", "reason")
    return table(header, [[plain(row[column]) for column in columns] for row in rows_of("departures.csv")])


def page() -> str:
    """The whole page."""
    constants = read_constants(HERE / "social_domain.csv")
    evidence = {row["id"]: row for row in rows_of("evidence.csv")}
    uncertain = sum(row.uncertain for row in constants)
    parts = [INTRODUCTION.format(count=len(constants), uncertain=uncertain)]
    for chapter, rows in by_chapter(constants).items():
        parts += [f"## {plain(chapter)}\n", table(HEADER, [constant_row(row, evidence) for row in rows])]
    parts += ["## Departures from the priors\n", DEPARTURES, departures_table()]
    parts += ["## Causal links\n", LINKS, links_table()]
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
