"""What docs/spreadsheets.md shows and lists is what is read, refused and known."""

import csv
import re
from pathlib import Path

import pytest
from blocks import ROOT, blocks

from sdopt.calibrate.observed import COLUMNS as OBSERVED
from sdopt.config.constants import COLUMNS as CONSTANTS
from sdopt.config.constants import OPTIONAL
from sdopt.config.load import load_config
from sdopt.config.sheets import source
from sdopt.errors import ConfigError
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model

PAGE = ROOT / "docs" / "spreadsheets.md"
TEXT = PAGE.read_text(encoding="utf-8")
SHOWN = [block for block in blocks() if block.page == "docs/spreadsheets.md"]


def test_the_tables_are_read_or_refused_as_it_says(tmp_path: Path) -> None:
    config = load_config(ROOT / "tests" / "data" / "optimise" / "linear.yaml")
    problem = build_problem(config, read_model(config.config.model.file).system)
    tables = [block.text for block in SHOWN if block.language == "csv"]
    path = tmp_path / "begroting.csv"
    for text in (tables[0], tables[1], tables[3]):
        path.write_text(text + "\n", encoding="utf-8")
        assert read_allocation(path, problem).tolist() == [1.5, 1234.0, 3.0, 4.0]
    path.write_text(tables[2] + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_allocation(path, problem)
    (said,) = [block.text for block in SHOWN if block.language == "text"]
    assert str(refused.value).splitlines()[1:] == [said]
    assert len(tables) == 4


def test_every_other_name_of_a_column_is_listed() -> None:
    file = ROOT / "src" / "sdopt" / "config" / "sheets" / "headers.csv"
    with file.open(encoding="utf-8", newline="") as opened:
        known = {row["column"]: row["words"].replace(";", ",") for row in csv.DictReader(opened)}
    listed = dict(re.findall(r"^\| (\w+) \| ([\w, ]+) \|$", TEXT.partition("## Names of columns")[2], re.M))
    del listed["column"]
    assert listed == known


def test_every_column_is_listed_and_the_limits_are_those_of_the_code() -> None:
    assert f"| {', '.join(CONSTANTS)}; {', '.join(OPTIONAL)} if wanted |" in TEXT
    assert f"| {', '.join(OBSERVED)}; uncertainty if wanted |" in TEXT
    assert f"over {source.LARGEST / 1e6:.0f} MB" in TEXT
