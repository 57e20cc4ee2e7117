"""Both forms of .csv, chosen by name, read back by pandas: nothing lost, and nothing that runs."""

import csv
import io
import math
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.export.folder import write_results
from sdopt.export.formats import export_results
from sdopt.export.tables import write_csv, write_dutch_csv
from sdopt.result import Result

WRITERS = {"csv-nl": write_dutch_csv, "csv-machine": write_csv}
FORMS: dict[str, dict[str, Any]] = {
    "csv-nl": {"sep": ";", "decimal": ",", "encoding": "utf-8-sig"},
    "csv-machine": {"sep": ",", "decimal": ".", "encoding": "utf-8"},
}
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain(text: str) -> str:
    """A text as it was, by the rule of docs/files.md: take one apostrophe off what would run behind it."""
    return text[1:] if re.match("'+[-=+@\t\r\n]", text) else text


def read(content: bytes, form: str) -> pd.DataFrame:
    """What pandas makes of it; only an empty cell is missing."""
    return pd.read_csv(
        io.BytesIO(content),
        **FORMS[form],
        dtype={"text": str},
        keep_default_na=False,
        na_values={"number": [""], "whole": [""], "text": [""]},
    )


def written(table: pd.DataFrame, form: str) -> bytes:
    with TemporaryDirectory() as folder:
        WRITERS[form]({"table": table}, Path(folder))
        return (Path(folder) / "table.csv").read_bytes()


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12) | st.builds(
    "".join,
    st.lists(
        st.sampled_from(["=", "'", '"', ";", ",", "\n", "\r", "\t", "-", "@", "1,5", "NA", "nul ", "é"])
    ),
)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=200)
@given(rows=st.lists(st.tuples(TEXTS, NUMBERS, st.integers(-(2**53), 2**53)), min_size=1, max_size=6))
def test_whatever_is_written_is_read_back(form: str, rows: list[tuple[str, float, int]]) -> None:
    table = pd.DataFrame(rows, columns=["text", "number", "whole"])
    back = read(written(table, form), form)
    # Line ends become those of the file; a text of nothing is the same as no text.
    expected = [text.replace("\r\n", "\n").replace("\r", "\n") for text, _, _ in rows]
    assert [plain(text) for text in back["text"].fillna("")] == expected
    np.testing.assert_array_equal(back["number"].to_numpy(float), table["number"].to_numpy(float))
    assert back["whole"].tolist() == table["whole"].tolist()


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=200)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_no_text_can_run(form: str, texts: list[str]) -> None:
    content = written(pd.DataFrame({"text": texts, "=head": "x"}), form).decode(FORMS[form]["encoding"])
    rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=FORMS[form]["sep"]))
    assert len(rows) == len(texts) + 1
    assert not [cell for row in rows for cell in row if cell.startswith(RUNS)]


@pytest.mark.parametrize("form", FORMS)
def test_extreme_numbers_keep_all_their_digits(form: str) -> None:
    numbers = [
        math.pi,
        1e-300,
        5e-324,
        1.7976931348623157e308,
        0.1 + 0.2,
        -0.0,
        123456789.123456789,
        math.nan,
    ]
    back = read(written(pd.DataFrame({"number": numbers, "text": "x"}), form), form)["number"]
    assert [math.copysign(1, one) for one in back[:-1]] == [math.copysign(1, one) for one in numbers[:-1]]
    np.testing.assert_array_equal(back, numbers)


def test_numbers_between_texts_have_a_comma_too() -> None:
    mixed = pd.DataFrame({"mixed": pd.Series([1.5, "n.v.t.", None, 2], dtype=object)})
    content = written(mixed, "csv-nl").decode("utf-8-sig")
    assert content.split("\r\n")[1:-1] == ["1,5", "n.v.t.", '""', "2"]


def test_the_forms_are_chosen_by_name(result: Result, tmp_path: Path) -> None:
    few = replace(result, tables={"allocation": result.tables["allocation"]})
    folder = write_results(few, tmp_path / "results", "", {}, None)
    made = {form: export_results(folder, form, None) for form in ("csv", "csv-nl", "csv-machine")}
    assert {form: path.name for form, path in made.items()} == {
        form: f"{folder.name}-{form}" for form in made
    }
    content = {form: (path / "allocation.csv").read_bytes() for form, path in made.items()}
    assert content["csv"] == content["csv-nl"]
    assert content["csv-nl"].startswith(b"\xef\xbb\xbfrun;scenario;")
    assert b";2,1;" in content["csv-nl"]
    assert b"\r\n" in content["csv-nl"]
    assert content["csv-machine"].startswith(b"run,scenario,")
    assert b",2.1," in content["csv-machine"]
    assert b"\r" not in content["csv-machine"]
    for form in FORMS:
        back = pd.read_csv(made[form] / "allocation.csv", **FORMS[form])
        assert back["value"].tolist() == result.tables["allocation"]["value"].tolist()
