"""Values of a config replaced before it is checked, for use from Python."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sdopt.config.document import Document, Place
from sdopt.errors import Complaints

Changes = Mapping["str | Place", Any]
"""Place -> value. A place is text such as `constraints.total.at_most`, or a tuple of keys and list positions
where a name holds a dot. None takes a key away."""


def with_changes(document: Document, changes: Changes, complaints: Complaints) -> Document:
    """The same document with some values replaced, and keys that were not there added.

    Raises
    ------
    The error of `complaints`
        If a place goes through something that is neither a mapping nor a list, or is empty.
    """
    data = copy.deepcopy(document.data)
    for written, value in changes.items():
        place: Place = tuple(written.split(".")) if isinstance(written, str) else tuple(written)
        try:
            _replace(data, place, _plain(value))
        except (TypeError, IndexError, KeyError, AttributeError):
            complaints.add(
                ".".join(map(str, place)), "this place cannot be changed; it is in no mapping or list"
            )
    complaints.raise_if_any()
    return Document(data, document.lines)


def _replace(data: Any, place: Place, value: Any) -> None:
    *above, last = place
    for part in above:
        # A mapping may grow; a list has what it has.
        data = data.setdefault(part, {}) if isinstance(data, dict) else data[part]
    if value is None:
        data.pop(last, None)
    else:
        data[last] = value


def _plain(value: Any) -> Any:
    """A value as YAML would give it: numbers of NumPy become Python's, tuples become lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.item() if hasattr(value, "item") else value
