"""Every function of the registry in LLVM's assembly language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sdopt.equations.compiled.code import LANES, NUMBERS, TRUTHS, Code, function_text, intrinsic, number
from sdopt.equations.compiled.lookups import table_value
from sdopt.equations.compiled.math import FAR, exp, ln, power, sine
from sdopt.equations.functions import Function, Table
from sdopt.errors import SimulationError

INTRINSICS = {"fma": 3, "copysign": 2, "fabs": 1, "sqrt": 1, "trunc": 1}
"""LLVM's own functions, with their number of arguments."""
VECTOR_FUNCTIONS: dict[str, Callable[..., str]] = {"exp": exp, "ln": ln, "power": power}
"""Ours, for whole vectors."""
QUARTERS = {"sin": 0, "cos": 1}
"""Ours where angles are not large: quarters of a turn to add to an angle before taking its sine."""
C_FUNCTIONS = {
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "remainder": "fmod",
}
"""Functions that the C library computes, number by number."""


@dataclass
class Library:
    """Functions that the code calls, by name; each is written when first asked for."""

    texts: dict[str, str] = field(default_factory=dict)
    tables: dict[Table, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of them, with the declarations of LLVM's own."""
        own = [_declaration(NUMBERS, intrinsic(name), arity) for name, arity in INTRINSICS.items()]
        return "".join([*own, *self.texts.values()])

    def vector(self, name: str, arity: int) -> str:
        """A function of ours for whole vectors."""
        return self._add(f"vector_{name}", arity, VECTOR_FUNCTIONS[name])

    def circular(self, name: str) -> str:
        """Ours for sin or cos, but the C library's where an angle is large."""
        far = self.of_c(name, 1)
        return self._add(f"vector_{name}", 1, lambda code, a: _circular(code, a, far, QUARTERS[name]))

    def of_c(self, name: str, arity: int) -> str:
        """A function of the C library, for each number of the vector."""
        symbol = symbol_of(name)
        self.texts.setdefault(symbol, _declaration("double", symbol, arity))
        return self._add(f"each_{name}", arity, lambda code, *arguments: _each(code, symbol, arguments))

    def table(self, table: Table) -> str:
        """A graph function."""
        if table not in self.tables:
            name = self.tables[table] = f"table_{len(self.tables)}"
            constants: list[str] = []
            self._add(name, 1, lambda code, a: table_value(code, a, table, name, constants))
            self.texts[f"{name}_constants"] = "".join(constants)
        return self.tables[table]

    def _add(self, name: str, arity: int, body: Callable[..., str]) -> str:
        if name not in self.texts:
            self.texts[name] = function_text(name, arity, body)
        return name


def symbol_of(name: str) -> str:
    """What the code calls a function of the C library; a name nobody else uses."""
    return f"sdopt_{C_FUNCTIONS[name]}"


def _declaration(kind: str, name: str, arity: int) -> str:
    return f"declare {kind} @{name}({', '.join([kind] * arity)})\n"


def emit(code: Code, library: Library, function: Function, arguments: list[str]) -> str:
    """Write one instruction; return its value (truth values for a function that gives them).

    Raises
    ------
    SimulationError
        For a function that is not here; the tests hold this file against the registry.
    """
    if function.table is not None:
        return code.call(library.table(function.table), *arguments)
    if function.name not in EMITTERS:
        raise SimulationError(f'the compiled backend does not know the function "{function.name}".')
    return EMITTERS[function.name](code, library, *arguments)


def as_number(code: Code, truth: str) -> str:
    """A truth value as 0 or 1."""
    return code.select(truth, number(1.0), number(0.0))


def as_truth(code: Code, value: str) -> str:
    """A number as a condition: everything but 0 is true."""
    return code.compare("une", value, number(0.0))


Emitter = Callable[..., str]


def _operation(name: str, kind: str = NUMBERS) -> Emitter:
    return lambda code, _, a, b: code.binary(name, a, b, kind)


def _comparison(how: str) -> Emitter:
    return lambda code, _, a, b: code.compare(how, a, b)


def _own(name: str) -> Emitter:
    return lambda code, _, a: code.call(intrinsic(name), a)


def _vector(name: str) -> Emitter:
    return lambda code, library, *arguments: code.call(library.vector(name, len(arguments)), *arguments)


def _of_c(name: str) -> Emitter:
    return lambda code, library, *arguments: code.call(library.of_c(name, len(arguments)), *arguments)


def _angle(name: str) -> Emitter:
    return lambda code, library, a: code.call(library.circular(name), a)


def _choice(how: str) -> Emitter:
    """MIN or MAX: nan where either is."""

    def emitter(code: Code, _: Library, a: str, b: str) -> str:
        chosen = code.select(code.compare(how, a, b), a, b)
        return code.select(code.compare("uno", a, a), a, chosen)

    return emitter


def _remainder(code: Code, library: Library, a: str, b: str) -> str:
    """C's remainder has the sign of a; this one that of b, also where it is 0."""
    rest = code.call(library.of_c("remainder", 2), a, b)
    below, negative = (code.compare("olt", value, number(0.0)) for value in (rest, b))
    unlike = code.binary("xor", below, negative, TRUTHS)
    moved = code.select(unlike, code.binary("fadd", rest, b), rest)
    none = code.compare("oeq", rest, number(0.0))
    return code.select(none, code.call(intrinsic("copysign"), rest, b), moved)


def _circular(code: Code, a: str, far: str, quarters: int) -> str:
    """The C library is called only where a lane needs it."""
    value = sine(code, a, quarters)
    large = code.compare("oge", code.call(intrinsic("fabs"), a), number(FAR))
    mask = code.cast("bitcast", large, TRUTHS, f"i{LANES}")
    code.do(f"br i1 {code.value(f'icmp ne i{LANES} {mask}, 0')}, label %far, label %near")
    code.block("near")
    code.do(f"ret {NUMBERS} {value}")
    code.block("far")
    return code.select(large, code.call(far, a), value)


def _each(code: Code, symbol: str, arguments: tuple[str, ...]) -> str:
    """Take vectors apart, call a C function on each number, put the answers together."""
    whole = "poison"
    for lane in range(LANES):
        parts = [code.value(f"extractelement {NUMBERS} {argument}, i32 {lane}") for argument in arguments]
        one = code.value(f"call double @{symbol}({', '.join(f'double {part}' for part in parts)})")
        whole = code.value(f"insertelement {NUMBERS} {whole}, double {one}, i32 {lane}")
    return whole


EMITTERS: dict[str, Emitter] = {
    **{name: _of_c(name) for name in C_FUNCTIONS},
    **{name: _angle(name) for name in QUARTERS},
    "add": _operation("fadd"),
    "subtract": _operation("fsub"),
    "multiply": _operation("fmul"),
    "divide": _operation("fdiv"),
    "negative": lambda code, _, a: code.value(f"fneg {NUMBERS} {a}"),
    "less": _comparison("olt"),
    "less_equal": _comparison("ole"),
    "greater": _comparison("ogt"),
    "greater_equal": _comparison("oge"),
    "equal": _comparison("oeq"),
    "not_equal": _comparison("une"),
    "and": _operation("and", TRUTHS),
    "or": _operation("or", TRUTHS),
    "not": lambda code, _, a: code.binary("xor", a, "splat (i1 true)", TRUTHS),
    "min": _choice("olt"),
    "max": _choice("ogt"),
    "abs": _own("fabs"),
    "sqrt": _own("sqrt"),
    "integer": _own("trunc"),
    "exp": _vector("exp"),
    "ln": _vector("ln"),
    "power": _vector("power"),
    "remainder": _remainder,
    "if_then_else": lambda code, _, condition, yes, no: code.select(condition, yes, no),
    "as_number": lambda code, _, truth: as_number(code, truth),
    "as_truth": lambda code, _, value: as_truth(code, value),
}
"""What writes each function of the registry: code, library and arguments to a value."""
