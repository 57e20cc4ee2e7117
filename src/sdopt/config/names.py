"""When two names in a config, a table and a model mean the same variable."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=2**14)  # a name is looked for among all names of a model, many times
def same_name(name: str) -> str:
    """What `name` is compared by: case, spaces, underscores and Vensim's quotes make no difference."""
    plain = " ".join(name.replace('"', " ").replace("_", " ").split()).casefold()
    return re.sub(r" ?([\[\],]) ?", r"\1", plain)
