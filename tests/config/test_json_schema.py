"""The JSON Schema for editors is current, valid, and agrees with what is loaded."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sdopt.config.json_schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
BROKEN = Path(__file__).parent / "broken"


def test_the_copy_beside_the_configs_is_current() -> None:
    copy = (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert copy == json_schema(), "write sdopt.config.json_schema.json_schema() to configs/schema.json"


def test_it_is_a_schema_in_which_every_key_is_described() -> None:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    bare = [
        f"{name}.{key}"
        for name, model in {"Config": schema, **schema["$defs"]}.items()
        for key, value in model["properties"].items()
        if not value.get("description") and "$ref" not in value  # a section is described where its keys are
    ]
    assert not bare


@pytest.mark.parametrize(
    "name", ["unknown_key", "missing_key", "text_for_number", "unknown_choice", "not_a_share"]
)
def test_it_refuses_what_loading_refuses(name: str) -> None:
    data: Any = yaml.safe_load((BROKEN / f"{name}.yaml").read_text(encoding="utf-8"))
    assert not jsonschema.Draft202012Validator(json.loads(json_schema())).is_valid(data)


@pytest.mark.parametrize("name", ["bounds_order", "no_model_file"])
def test_it_allows_a_right_shape(name: str) -> None:
    data: Any = yaml.safe_load((BROKEN / f"{name}.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(json.loads(json_schema())).validate(data)
