"""Grammars by runs of characters: PySD's own grammars say the same of every text."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import parsimonious
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysd.translators.vensim import vensim_utils
from pysd.translators.vensim.vensim_file import VensimFile
from pysd.translators.vensim.vensim_section import SectionElementsVisitor

from sdopt.source_model.vensim_grammar import ONE_BY_ONE, Grammar, by_runs

OWN = vensim_utils.Grammar
MODELS = sorted((Path(__file__).parents[1] / "models").glob("*.mdl"))


def parsed(path: Path, grammars: Any) -> str:
    with grammars:
        try:
            file = VensimFile(path, encoding="utf-8-sig")
            file.parse()
            return repr(file.get_abstract_model())
        except Exception as error:  # some models are there to be refused: by both in the same way
            return type(error).__name__


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_model_reads_as_with_pysds_own_grammars(path: Path) -> None:
    assert parsed(path, by_runs()) == parsed(path, nullcontext())
    assert vensim_utils.Grammar is OWN


def test_every_rule_is_still_in_pysds_grammars() -> None:
    text = OWN._read_grammar("section_elements")
    assert [rule for rule in ONE_BY_ONE if rule not in text] == []


def split(grammar: Any, text: str) -> Any:
    try:
        return [
            vars(one) for one in SectionElementsVisitor(grammar.get("section_elements").parse(text)).entries
        ]
    except (parsimonious.ParseError, parsimonious.VisitationError) as error:
        return type(error)


@given(st.text("a1é_ \"\\~|=[],\n'$-", max_size=40))
def test_any_text_is_split_into_the_same_elements(text: str) -> None:
    assert split(Grammar, text) == split(OWN, text)
    whole = f"a = {text} ~ unit ~ {text} |"
    assert split(Grammar, whole) == split(OWN, whole)


@given(st.text("a1é_ \"\\~|=[],\n'$-:", max_size=20))
def test_any_name_ends_at_the_same_place(text: str) -> None:
    def name(grammar: Any) -> Any:
        try:
            return grammar.get("element_object")["name"].match(text).text
        except parsimonious.ParseError:
            return None

    assert name(Grammar) == name(OWN)
