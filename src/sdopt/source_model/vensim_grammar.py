"""PySD's grammars for Vensim, made to match a run of characters at once where they go one by one.

They match the same texts, in the same parts: names, comments and texts in quotes become one part instead of
one for every character, which is most of what reading a model takes. A rule that another version of PySD
writes differently is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from pysd.translators.vensim import vensim_utils

ONE_BY_ONE = {
    r'( escape_group / ~r"[^~|]")*': r'( escape_group / ~r"[^~|\"]+" / ~r"[^~|]" )*',
    r'(~r"[^~|]")*': r'~r"[^~|]*"',
    r"id_start id_continue*": r'~r"\w[\w\'\$\s]*"IU',
    r'( "\\\"" / ~r"[^\"]" )*': r'( "\\\"" / ~r"[^\"\\]+" / ~r"[^\"]" )*',
}
"""Rules as PySD writes them, and the same by runs."""


class Grammar(vensim_utils.Grammar):  # type: ignore[misc]  # PySD ships no types
    """PySD's grammars by runs."""

    _common_grammar = None
    _grammar: ClassVar[dict[str, Any]] = {}

    @classmethod
    def _include_common_grammar(cls, source_grammar: str) -> str:
        text = str(super()._include_common_grammar(source_grammar))
        for one_by_one, by_runs in ONE_BY_ONE.items():
            text = text.replace(one_by_one, by_runs)
        return text


@contextmanager
def by_runs() -> Iterator[None]:
    """PySD's parser with these grammars; afterwards it has its own again."""
    own = vensim_utils.Grammar
    vensim_utils.Grammar = Grammar
    try:
        yield
    finally:
        vensim_utils.Grammar = own
