"""Names as models write them, and PySD's syntax tree: what every file of this room needs."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

with warnings.catch_warnings():
    # PySD imports a part of chardet that moved; nothing a user can mend.
    warnings.filterwarnings("ignore", message="chardet", category=DeprecationWarning)
    from pysd.translators.structures import abstract_expressions as pysd_tree

__all__ = ["canonical", "negative_base", "one_line", "pysd_tree", "unquoted"]

_RAISED = re.compile(r"\)\s*\^")
_NEGATIVE_NUMBER = re.compile(r"[-+(\s]*-[-+(\s]*[\d.]+(?:[eE][+-]?\d+)?[\s)]*")
_CALLED = re.compile(r"(?:[\w$'\"\]])\s*$")
_NOT_CALLED = re.compile(r"(?i)\b(?:if|then|else|and|or|not|mod)\s*$")


@lru_cache(maxsize=100_000)  # a large array asks for the same few names millions of times
def canonical(name: str) -> str:
    """The key of a name as written: lower case, underscores, without quotes around it."""
    return re.sub(r"[\s_]+", "_", unquoted(name).lower())


def unquoted(name: str) -> str:
    """A name as written, without the quotes Vensim puts around special characters."""
    name = name.strip()
    return name[1:-1].strip() if len(name) > 2 and name[0] == name[-1] == '"' else name


def negative_base(equation: str) -> bool:
    """Whether a negative number in parentheses is raised to a power; the parser forgets the parentheses."""
    for end in _RAISED.finditer(equation):
        depth, start = 1, end.start()
        while depth and start:
            start -= 1
            depth += {")": 1, "(": -1}.get(equation[start], 0)
        before = equation[:start]
        called = _CALLED.search(before) and not _NOT_CALLED.search(before)
        if not called and _NEGATIVE_NUMBER.fullmatch(equation[start + 1 : end.start()]):
            return True
    return False


PLAINLY = {
    "RecursionError": "brackets are nested too deep",
    "maximum recursion depth": "brackets are nested too deep",
    "positional argument": "a function has the wrong number of arguments",
    "KeyError: ": "a function has the wrong number of arguments",
    "IndexError: too many indices": "a lookup needs two or more points",
    "'NoneType' object": "something is left empty",
    "leading zeros": "a number begins with 0",
}
"""What PySD's parser stumbles over, in its words and in ours."""


def one_line(error: Exception) -> str:
    """The first line of what an exception says, or its kind where it says nothing."""
    said = str(error).strip()
    plain = next((ours for theirs, ours in PLAINLY.items() if theirs in said), "")
    return plain or (said.splitlines()[0][:200] if said else type(error).__name__)
