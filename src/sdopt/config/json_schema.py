"""The format of a config as a JSON Schema, with which editors complete keys and show what they mean."""

from __future__ import annotations

import json

from sdopt.config.schema import Config


def json_schema() -> str:
    """The schema as text that ends in a line feed; `configs/schema.json` holds a copy of it.

    A config uses it with `# yaml-language-server: $schema=schema.json` as its first line.
    """
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
