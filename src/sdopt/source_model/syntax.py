"""Names as models write them, and PySD's syntax tree: what every file of this room needs."""

from __future__ import annotations

import re
from functools import lru_cache
import warnings

with warnings.catch_warnings():
    # PySD imports a part of chardet that moved; nothing a user can mend.
    warnings.filterwarnings("ignore", message="chardet", category=DeprecationWarning)
    from pysd.translators.structures import abstract_expressions as pysd_tree

__all__ = ["canonical", "one_line", "pysd_tree", "unquoted"]


@lru_cache(maxsize=100_000)  # a large array asks for the same few names millions of times
def canonical(name: str) -> str:
    """The key of a name as written: lower case, underscores, without quotes around it."""
    return re.sub(r"[\s_]+", "_", unquoted(name).lower())


def unquoted(name: str) -> str:
    """A name as written, without the quotes Vensim puts around special characters."""
    name = name.strip()
    return name[1:-1].strip() if len(name) > 2 and name[0] == name[-1] == '"' else name


def one_line(error: Exception) -> str:
    """The first line of what an exception says, or its kind where it says nothing."""
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
