"""sdopt: the best budget allocation for a stock-and-flow model, with proof.

From Python: `load`, `optimise`, `simulate` and more; see docs/python.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdopt.api import (
        Answer,
        Model,
        Question,
        Robust,
        Sweep,
        load,
        load_model,
        optimise,
        pyomo_model,
        robust,
        simulate,
        simulate_model,
        sweep,
    )

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Model",
    "Question",
    "Robust",
    "Sweep",
    "load",
    "load_model",
    "optimise",
    "pyomo_model",
    "robust",
    "simulate",
    "simulate_model",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """The public names, when they are asked for: `import sdopt` alone loads nothing heavy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("sdopt.api"), name)


def __dir__() -> list[str]:
    """Public names, before they are loaded too."""
    return [*__all__, "__version__"]
