"""When two names in a config, a table and a model mean the same variable."""

from __future__ import annotations


def same_name(name: str) -> str:
    """What `name` is compared by: case, spaces, underscores and Vensim's quotes make no difference."""
    return " ".join(name.replace('"', " ").replace("_", " ").split()).casefold()
