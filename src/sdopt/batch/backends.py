"""Who computes: NumPy, or machine code where llvmlite is installed and it is asked for.

NumPy unless asked: the last digits differ, and a result must not depend on what else is installed.
"""

from __future__ import annotations

from sdopt.equations.block import run_block
from sdopt.equations.workers import Backend


def find_backend(name: str) -> tuple[str, Backend]:
    """The name and function of a backend, "numpy" or "compiled".

    Raises
    ------
    SdoptError
        When the compiled backend is asked for and not installed.
    """
    if name == "numpy":
        return "numpy", run_block
    from sdopt.equations.compiled.host import load_llvm
    from sdopt.equations.compiled.run import run_compiled

    load_llvm()
    return "compiled", run_compiled
