"""YAML values are those of the YAML 1.2 core schema, and every key has its line."""

from typing import Any

import pytest

from sdopt.config.document import Document, read_document, where
from sdopt.errors import Complaints, ConfigError


def read(text: str) -> Document:
    return read_document(text, Complaints("text", ConfigError))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"), ("1e3", 1000.0), ("010", 10), ("0o10", 8), ("0x1F", 31), ("-3", -3), ("+.5", 0.5),
        ("2.", 2.0), ("25%", "25%"), ("true", True), ("FALSE", False), ("~", None), ("", None),
        ("Null", None), ('"1"', "1"), ("'true'", "true"),
        ("|\n  two\n  lines", "two\nlines"), ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_values_of_the_core_schema(written: str, value: Any) -> None:
    found = read(f"key: {written}").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_written() -> None:
    assert read("no: 1\n2026: 2\ntrue: 3\n~: 4\n1e3: 5").data == {
        "no": 1,
        "2026": 2,
        "true": 3,
        "~": 4,
        "1e3": 5,
    }


def test_lines() -> None:
    document = read("a:\n  - b\n  -\n    c: 1\n\n'd e': {f: 2,\n  g: 3}\n")
    assert document.lines == {
        (): 1, ("a",): 1, ("a", 0): 2, ("a", 1): 4, ("a", 1, "c"): 4,
        ("d e",): 6, ("d e", "f"): 6, ("d e", "g"): 7,
    }  # fmt: skip


def test_places_in_words() -> None:
    assert where(("a", 0, "b c"), {("a",): 4}) == "a.0.b c (line 4)"
    assert where(("a.b", "c\nd", ""), {}) == '"a.b"."c\\nd".""'
