"""Shape: does the file have the right keys and kinds of values? Pydantic finds out; the words are ours."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from sdopt.config.document import Complain, Document, Place, where
from sdopt.config.schema import SCHEMA_VERSION, Config
from sdopt.errors import Complaints, closest, did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text",
    "path_type": "text",
    "string_pattern_mismatch": 'a share such as "25%"',
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "tuple_type": "a list (`[a, b]`)",
    "missing": "more values",
    "too_long": "fewer values",
    "too_short": "at least one entry",
    "string_too_short": "text that is not empty",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
}


def check_shape(document: Document, complain: Complain, kind: type[BaseModel] = Config) -> Document:
    """Complain about every unknown or missing key and wrong kind of value; return the document as read.

    `kind` is the schema of the whole document.

    In the document returned, an unknown key that looks like a known one stands under that one, and
    others are gone: one slip of the pen gives one complaint, and what stands under it is still checked.
    """
    mended = document
    while unknown := [e for e in _faults(mended.data, kind) if e["type"] == "extra_forbidden"]:
        places = dict.fromkeys(_place(error, mended.data) for error in unknown)
        for place in sorted(places, key=len, reverse=True):  # from the inside out
            complain(place, _unknown_key(place, kind))
            mended = _without_unknown_key(place, mended, kind)
    by_place: dict[Place, list[Mapping[str, Any]]] = {}
    for error in _faults(mended.data, kind):
        by_place.setdefault(_place(error, mended.data), []).append(error)
    for place, errors in by_place.items():
        # Where a number or a mapping is allowed and a mapping is found, only its inside matters.
        if not any(other[: len(place)] == place and other != place for other in by_place):
            complain(place, _message(place, errors, kind))
    return mended


def validate(model: type[Model], data: Any) -> Model:
    """Data as an instance of `model`, without guessing: text is no number and `true` is not 1."""
    return model.model_validate_json(json.dumps(data), strict=True)


def check_version(document: Document, complaints: Complaints) -> None:
    """Raise at once for another version: it has other keys, so other complaints would be noise."""
    if not isinstance(document.data, dict) or "schema_version" not in document.data:
        return
    found = document.data["schema_version"]
    if type(found) is not int or found != SCHEMA_VERSION:
        complaints.add(
            where(("schema_version",), document.lines),
            f"found {_found(found)}; this sdopt reads version {SCHEMA_VERSION}. Write `schema_version: "
            f"{SCHEMA_VERSION}` and follow the messages, or use the sdopt that belongs to this file",
        )
        complaints.raise_if_any()


def _faults(data: Any, kind: type[BaseModel]) -> list[Any]:
    try:
        validate(kind, data)
    except ValidationError as error:
        return list(error.errors(include_url=False))
    return []


def _place(error: Mapping[str, Any], data: Any) -> Place:
    """Where an error is in the file: its location without the union members pydantic puts in."""
    place: list[str | int] = []
    for part in error["loc"]:
        inside = dict(enumerate(data)) if isinstance(data, list) else data
        if isinstance(inside, dict) and part in inside:
            data = inside[part]
            place.append(part)
    absent_key = error["type"] == "missing" and isinstance(error["loc"][-1], str)
    return (*place, error["loc"][-1]) if absent_key else tuple(place)


def _inside_data(place: Place, data: Any) -> Any:
    for part in place:
        data = data[part]
    return data


def _known_keys(place: Place, kind: type[BaseModel]) -> list[str]:
    return [name for model in _models_at(place, kind) for name in model.model_fields]


def _unknown_key(place: Place, kind: type[BaseModel]) -> str:
    allowed = _known_keys(place[:-1], kind)
    return f"unknown key.{did_you_mean(str(place[-1]), allowed)} Allowed here: {', '.join(allowed)}"


def _without_unknown_key(place: Place, document: Document, kind: type[BaseModel]) -> Document:
    """Take the key at `place` out, or put it under the key that was meant if that one is absent."""
    data, lines = copy.deepcopy(document.data), dict(document.lines)
    siblings = _inside_data(place[:-1], data)
    value, meant = siblings.pop(place[-1]), closest(str(place[-1]), _known_keys(place[:-1], kind))
    if meant and meant not in siblings:
        siblings[meant] = value
        for known, line in document.lines.items():
            if known[: len(place)] == place:
                lines[(*place[:-1], meant, *known[len(place) :])] = line
    return Document(data, lines)


def _message(place: Place, errors: list[Mapping[str, Any]], kind: type[BaseModel]) -> str:
    description = _description(place, kind)
    if any(error["type"] == "missing" and isinstance(error["loc"][-1], str) for error in errors):
        return f"missing; add it.{description}"
    found = errors[0]["input"]
    expected = " or ".join(dict.fromkeys(_expected(error) for error in errors))
    return f"expected {expected}, found {_found(found)}.{_hint(found, errors)}{description}"


def _expected(error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    if error["type"] == "literal_error":
        return str(context["expected"]).replace("'", '"')
    return _EXPECTED.get(error["type"], "another value").format(**context)


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text {json.dumps(value[:80], ensure_ascii=False)}"
    if isinstance(value, dict):
        return "a mapping"
    return f"a list of {len(value)}" if isinstance(value, list) else json.dumps(value)


def _hint(found: Any, errors: list[Mapping[str, Any]]) -> str:
    """What to do, where the mistake is a common one."""
    if found is None:
        return " Fill it in or remove the key."
    options = [error["ctx"]["expected"] for error in errors if error["type"] == "literal_error"]
    if options:
        names = re.findall(r"'([^']*)'", options[0])
        if not isinstance(found, str) and str(found) in names:
            return f' Put it in quotes: "{found}".'
        return did_you_mean(str(found), names)
    return _number_hint(found) if isinstance(found, str) else ""


def _number_hint(found: str) -> str:
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", found):
        return f" Write a decimal point: {found.replace(',', '.')}."
    if re.fullmatch(r"[-+]?[0-9.]+", found):
        return " Write it without quotes and without thousands separators."
    return ""


def _description(place: Place, kind: type[BaseModel]) -> str:
    """What the key at `place` is for: the first lines of its docstring with a leading space, or ''."""
    for model in _models_at(place[:-1], kind) if place else ():
        known = model.model_fields.get(str(place[-1]))
        if known and known.description:
            summary = known.description.split("\n\n")[0]
            return f" ({summary})"
    return ""


def _models_at(place: Place, kind: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that the schema `kind` allows at a place."""
    kinds: list[Any] = [kind]
    for part in place:
        kinds = [inside for one in kinds for inside in _inside(one, part)]
    return [model for one in kinds for model in _models(one)]


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if _is_model(kind):
        yield kind
    elif get_origin(kind) not in (dict, tuple):
        for option in get_args(kind):
            yield from _models(option)


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    """The kinds of value allowed under key or position `part` of a value of one kind."""
    if _is_model(kind):
        if part in kind.model_fields:
            yield kind.model_fields[part].annotation
    elif get_origin(kind) in (dict, tuple):
        yield get_args(kind)[1 if get_origin(kind) is dict else 0]
    else:  # a union
        for option in get_args(kind):
            yield from _inside(option, part)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
