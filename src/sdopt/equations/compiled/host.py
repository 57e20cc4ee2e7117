"""llvmlite: machine code for this processor out of the text of a module."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from typing import Any

from sdopt.equations.compiled.functions import C_FUNCTIONS, symbol_of
from sdopt.errors import SdoptError


def load_llvm() -> Any:
    """The binding of llvmlite, with code generator and the functions of the C library made known.

    Raises
    ------
    SdoptError
        When llvmlite is not installed.
    """
    try:
        from llvmlite import binding
    except ImportError as error:
        raise SdoptError(
            "the compiled backend needs llvmlite, which is not installed: pip install sdopt[fast]"
        ) from error
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    for name, symbol in C_FUNCTIONS.items():
        binding.add_symbol(symbol_of(name), _address(library, symbol))
    binding.add_symbol("fma", _address(library, "fma"))  # for processors without the instruction
    return binding


def _address(library: ctypes.CDLL, symbol: str) -> int:
    return ctypes.cast(library[symbol], ctypes.c_void_p).value or 0


class MachineCode:
    """A compiled module; its functions live as long as it does."""

    def __init__(self, text: str) -> None:
        binding = load_llvm()
        target = binding.Target.from_default_triple()
        features = binding.get_host_cpu_features().flatten()
        machine = target.create_target_machine(
            cpu=binding.get_host_cpu_name(), features=features, opt=OPTIMISATION, jit=True
        )
        module = binding.parse_assembly(text)
        module.triple, module.data_layout = machine.triple, str(machine.target_data)
        self._engine = binding.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()

    def function(self, name: str, *arguments: Any) -> Any:
        """A function without an answer; other threads run while it does."""
        return ctypes.CFUNCTYPE(None, *arguments)(self._engine.get_function_address(name))


OPTIMISATION = 1
"""Of LLVM's levels 0 to 3. Higher ones take longer and find nothing: the tape is tidy already."""
