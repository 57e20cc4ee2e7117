"""When two names in a config, a table and a model mean the same variable."""

from __future__ import annotations

import re


def same_name(name: str) -> str:
    """What `name` is compared by: case, spaces, underscores and Vensim's quotes make no difference."""
    plain = " ".join(name.replace('"', " ").replace("_", " ").split()).casefold()
    return re.sub(r" ?([\[\],]) ?", r"\1", plain)
