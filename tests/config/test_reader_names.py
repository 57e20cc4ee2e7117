"""A table of names for readers as people save it; every fault with its row and column."""

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.config.load import load_config
from sdopt.config.reader_names import ReaderName, read_names
from sdopt.errors import ConfigError

HEADER = "variable,nl,en\n"
BROKEN = Path(__file__).parent / "broken" / "no_names_file.yaml"


def names(folder: Path, text: str) -> tuple[ReaderName, ...]:
    path = folder / "names.csv"
    path.write_bytes(text.encode("utf-8"))
    return read_names(path)


def announced(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        names(folder, text)
    return [line.removeprefix("  * ") for line in str(refused.value).splitlines()[1:]]


def test_a_table_of_names(tmp_path: Path) -> None:
    """An empty cell gives no name in that language; rows are counted as a spreadsheet does."""
    rows = names(tmp_path, HEADER + '"hours, per EUR",Uren per euro,Hours per euro\n\nPeople,Mensen,\n')
    assert rows == (
        ReaderName(2, "hours, per EUR", {"nl": "Uren per euro", "en": "Hours per euro"}),
        ReaderName(4, "People", {"nl": "Mensen"}),
    )


def test_a_table_as_dutch_spreadsheets_save_it(tmp_path: Path) -> None:
    text = "﻿Variable;NL;EN\r\nPeople;Cliënten, alle;\r\n"
    assert names(tmp_path, text) == (ReaderName(2, "People", {"nl": "Cliënten, alle"}),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,nl,en\na,b,c\n", "column variable: missing."),
        ("variable,nl\na,b\n", "column en: missing."),
        ("variable,nl,en,nl\na,b,c,d\n", "column nl: given twice."),
        (HEADER + ",Mensen,People\n", "row 2, column variable: empty; fill it in"),
        (HEADER + "a,b\n", "row 2: 2 cells where the first row has 3; put text that contains"),
        (
            HEADER + "People,Mensen,\n\nPEOPLE,Personen,\n",
            'row 4, column variable: "PEOPLE" stands in row 2 too; keep one of the two',
        ),
        (
            HEADER + "a,Mensen,\nb,mensen,\n",
            'row 3, column nl: "mensen" stands in row 2 too; give every variable its own name',
        ),
        (
            HEADER + "a,,People\nb,Mensen,People\n",
            'row 3, column en: "People" stands in row 2 too; give every variable its own name',
        ),
    ],
)
def test_one_thing_that_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    (found,) = announced(tmp_path, text)
    assert found.startswith(complaint)


def test_every_fault_at_once(tmp_path: Path) -> None:
    found = announced(tmp_path, HEADER + "a,X,Y\na,X,Y\n")
    assert [line.partition(":")[0] for line in found] == [
        "row 3, column variable",
        "row 3, column nl",
        "row 3, column en",
    ]


@given(
    st.lists(
        st.text("abcé, ;\"'=-", min_size=1).filter(str.strip),
        unique_by=lambda s: " ".join(s.split()).casefold(),
    )
)
def test_what_is_written_is_read(found: list[str]) -> None:
    """Whatever stands in the cells: text of any kind is data."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "names.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [["variable", "nl", "en"], *([f"v{k}", "", t] for k, t in enumerate(found))]
            )
        assert [row.names["en"] for row in read_names(path)] == [text.strip() for text in found]


def test_the_path_is_that_of_the_config(tmp_path: Path) -> None:
    """Relative to the folder of the config, wherever the command runs."""
    for name in ("model.mdl", BROKEN.name):
        (tmp_path / name).write_bytes((BROKEN.parent / name).read_bytes())
    (tmp_path / "model.names.csv").write_text(HEADER, encoding="utf-8")
    config = load_config(tmp_path / BROKEN.name).config
    assert config.output.names == (tmp_path / "model.names.csv").resolve()
