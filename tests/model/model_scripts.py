"""The scripts of the folder of models, as modules."""

from __future__ import annotations

import csv
import importlib.util
import sys
from functools import cache
from types import ModuleType

from social_model import MODELS


@cache
def script(name: str) -> ModuleType:
    """A script of the folder of models; those that it imports stand beside it."""
    sys.path.insert(0, str(MODELS))
    try:
        spec = importlib.util.spec_from_file_location(f"script_{name}", MODELS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(MODELS))
    return module


def rows(name: str) -> list[dict[str, str]]:
    """A table of the folder of models."""
    with (MODELS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
