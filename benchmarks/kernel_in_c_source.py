"""A program as C: one function that simulates a range of scenarios, in either of two designs.

A keeps a vector of scenarios in local variables through a straight-line step; B goes through the step
operation by operation, each a loop over a row of scenarios that the compiler turns into vectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.functions import Table
from sdopt.equations.program import Instruction, Program

Design = Literal["A", "B"]
Floats = NDArray[np.float64]
SCANNED = 16
"""Points of a graph up to which a vector is compared with each."""
ROW = 64
"""Scenarios in a row of design B: with some hundred rows, about what the first caches hold."""

OPERATIONS = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "less": "{} < {}",
    "less_equal": "{} <= {}",
    "greater": "{} > {}",
    "greater_equal": "{} >= {}",
    "equal": "{} == {}",
    "not_equal": "{} != {}",
    "and": "{} & {}",
    "or": "{} | {}",
}
SCALAR = {"not": "!{}", "as_truth": "{} != 0", "as_number": "(double){}", "if_then_else": "{} ? {} : {}"}
VECTOR = {
    "not": "~{}",
    "as_truth": "{} != (v){{0}}",
    "as_number": "choose({}, (v){{0}} + 1, (v){{0}})",
    "if_then_else": "choose({}, {}, {})",
    "min": "choose(({0} < {1}) | ({0} != {0}), {0}, {1})",
    "max": "choose(({0} > {1}) | ({0} != {0}), {0}, {1})",
}
C_NAMES = {"ln": "log", "power": "pow", "abs": "fabs", "integer": "trunc"}
C_NAMES |= {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan")}
MATHEMATICS = {
    name: C_NAMES.get(name, name)
    for name in (*C_NAMES, *("exp", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"))
}
OF_MVEC = ("exp", "log", "pow", "sin", "cos")
"""Functions of GNU's library of vector mathematics."""

HEAD = """
#include <math.h>
#if defined(__AVX512F__)
#define LANES 8
#define MVEC(n, f) _ZGVeN8##n##_##f
#elif defined(__AVX2__)
#define LANES 4
#define MVEC(n, f) _ZGVdN4##n##_##f
#else
#define LANES 2
#define MVEC(n, f) _ZGVbN2##n##_##f
#endif
typedef double v __attribute__((vector_size(8 * LANES)));
typedef long long m __attribute__((vector_size(8 * LANES)));
typedef double loose __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
static inline v load(const double *p) { return *(const loose *)p; }
static inline void store(double *p, v a) { *(loose *)p = a; }
static inline v choose(m c, v a, v b) { return (v)((c & (m)a) | (~c & (m)b)); }
static inline double f_min(double a, double b) { return a < b || a != a ? a : b; }
static inline double f_max(double a, double b) { return a > b || a != a ? a : b; }
static inline double f_remainder(double a, double b) {
  double r = fmod(a, b);
  return r == 0 ? copysign(r, b) : (r < 0) != (b < 0) ? r + b : r;
}
static inline v v_remainder(v a, v b) {
  v r;
  for (int i = 0; i < LANES; i++) r[i] = f_remainder(a[i], b[i]);
  return r;
}
static inline double column(double a, const double *x, long n, int after, const double *y) {
  long low = 0, high = n;
  while (low < high) {
    long middle = (low + high) / 2;
    if (after ? x[middle] < a : x[middle] <= a) low = middle + 1; else high = middle;
  }
  return y[low];
}
long lanes(void) { return LANES; }
double peak(long repeats) {
  v sums[12], a = (v){0} + 0.999999, b = (v){0} + 1e-6;
  for (int k = 0; k < 12; k++) sums[k] = (v){0} + k;
  for (long i = 0; i < repeats; i++)
#pragma GCC unroll 12
    for (int k = 0; k < 12; k++) sums[k] = sums[k] * a + b;
  for (int k = 1; k < 12; k++) sums[0] += sums[k];
  return sums[0][0];
}
"""
RUN_HEAD = """
void run(long first, long end, long moments, const double *const *own, const double *const *path, long width,
         const double *table, const long *slots, double *result, long by_output, long by_slot,
         const double *const *start) {"""
PEAK_OPERATIONS = 24
"""Of `peak`, per repeat and lane."""


@dataclass(frozen=True)
class Places:
    """Where registers known before the loop are: literals, or a place among rows of each kind."""

    literals: dict[int, float]
    over_time: dict[int, int]
    over_scenarios: dict[int, int]
    over_both: dict[int, int]


def source(program: Program, loop: list[Instruction], places: Places, design: Design, *, mvec: bool) -> str:
    """The file; `mvec` says whether exp and the like come from GNU's library of vector mathematics."""
    tables = list(dict.fromkeys(i.function.table for i in loop if i.function.table is not None))
    numbered = {table: k for k, table in enumerate(tables)}
    parts = [HEAD, *_mathematics(mvec=mvec), *(_graph(table, k) for table, k in numbered.items())]
    writer = _Vectors if design == "A" else _Rows
    return "\n".join([*parts, writer(program, loop, places, numbered).text()])


def _mathematics(*, mvec: bool) -> Iterable[str]:
    for name in sorted(set(MATHEMATICS.values())):
        arity = 2 if name == "pow" else 1
        given = ", ".join(f"v {letter}" for letter in "ab"[:arity])
        lane = ", ".join(f"{letter}[i]" for letter in "ab"[:arity])
        body = f"v r; for (int i = 0; i < LANES; i++) r[i] = {name}({lane}); return r;"
        if mvec and name in OF_MVEC:
            kind = "v" * arity
            yield f"v MVEC({kind}, {name})({given});"
            body = f"return MVEC({kind}, {name})({', '.join('ab'[:arity])});"
        yield f"static inline v v_{name}({given}) {{ {body} }}"


def _array(name: str, values: Iterable[float]) -> str:
    literals = [_literal(value) for value in values]
    return f"static const double {name}[{len(literals)}] = {{{', '.join(literals)}}};"


def _literal(value: float) -> str:
    if np.isnan(value):
        return "NAN"
    return value.hex() if np.isfinite(value) else f"({np.sign(value):g} * INFINITY)"


def _graph(table: Table, k: int) -> str:
    """A graph function of one number, and of a vector."""
    x, y = np.array(table.x), np.array(table.y)
    if table.kind in ("interpolate", "extrapolate"):
        slopes = np.diff(y) / np.diff(x)
        ends = slopes[[0, -1]] if table.kind == "extrapolate" and len(slopes) else np.zeros(2)
        columns = [np.r_[x[0], x], np.r_[ends[0], slopes, ends[1]], np.r_[y[0], y]]
        if table.kind == "interpolate":  # flat beyond the ends, also for an infinite argument
            columns[0][[0, -1]] = columns[1][[0, -1]] = 0.0
        body = "(isinf(a) && AT(0, 1) == 0 ? 0 : (a - AT(0, 0)) * AT(0, 1)) + AT(0, 2)"
    else:
        nan = [np.nan]
        columns, body = {
            "hold_backward": ([np.r_[y[0], y]], "isnan(a) ? a : AT(0, 0)"),
            "look_forward": ([np.r_[y, y[-1]]], "isnan(a) ? a : AT(1, 0)"),
            "raw": ([np.r_[nan, x], np.r_[nan, y]], "AT(0, 0) == a ? AT(0, 1) : NAN"),
        }[table.kind]
    for c in range(len(columns)):
        for after in (0, 1):
            body = body.replace(f"AT({after}, {c})", f"column(a, x{k}, {len(x)}, {after}, y{k}_{c})")
    vector = f"v r; for (int i = 0; i < LANES; i++) r[i] = f_table{k}(a[i]); return r;"
    if table.kind == "interpolate" and len(x) <= SCANNED:
        vector = _scan(x, columns)
    return "\n".join(
        [
            _array(f"x{k}", x),
            *(_array(f"y{k}_{c}", column) for c, column in enumerate(columns)),
            f"static inline double f_table{k}(double a) {{ return {body}; }}",
            f"static inline v v_table{k}(v a) {{ {vector} }}",
        ]
    )


def _scan(x: Floats, columns: list[Floats]) -> str:
    """Interpolation by comparing a vector with each point, which a few points are worth."""
    low, high = (f"((v){{0}} + {_literal(end)})" for end in x[[0, -1]])
    lines = [f"a = choose(a < {low}, {low}, a); a = choose(a > {high}, {high}, a); m c;"]
    lines += [f"v k{c} = (v){{0}} + {_literal(column[0])};" for c, column in enumerate(columns)]
    for piece, point in enumerate(x, 1):
        lines.append(f"c = a >= (v){{0}} + {_literal(point)};")
        lines += [
            f"k{c} = choose(c, (v){{0}} + {_literal(column[piece])}, k{c});"
            for c, column in enumerate(columns)
        ]
    return " ".join([*lines, "return (a - k0) * k1 + k2;"])


class _Vectors:
    """Design A."""

    step = "LANES"
    width = "LANES"

    def __init__(
        self, program: Program, loop: list[Instruction], places: Places, tables: dict[Table, int]
    ) -> None:
        self.program, self.loop, self.places, self.tables = program, loop, places, tables

    def text(self) -> str:
        p = self.program
        outputs = [(k, r) for k, r in enumerate(p.output_registers) if r not in self.places.literals]
        return "\n".join(
            [
                RUN_HEAD,
                f"  for (long g = first; g < end; g += {self.step}) {{",
                *self.opening(),
                "    for (long t = 0; t < moments; t++) {",
                f"      const double *row = table + t * {len(self.places.over_time)};",
                *(self.instruction(i) for i in self.loop),
                "      if (slots[t] >= 0) {",
                "        double *out = result + slots[t] * by_slot + g;",
                *(self.output(k, register) for k, register in outputs),
                "      }",
                *self.updates(),
                "    }",
                "  }",
                "}",
            ]
        )

    def opening(self) -> Iterable[str]:
        for register, place in self.places.over_scenarios.items():
            yield f"    const v r{register} = load(own[{place}] + g);"
        for k, stock in enumerate(self.program.stocks):
            yield f"    v r{stock.stock} = load(start[{k}] + g);"

    def value(self, register: int) -> str:
        places, truth = self.places, register in self.program.truths
        if register in places.literals:
            text = f"((v){{0}} + {_literal(places.literals[register])})"
        elif register in places.over_time:
            text = f"((v){{0}} + row[{places.over_time[register]}])"
        elif register in places.over_both:
            text = f"load(path[{places.over_both[register]}] + t * width + g)"
        else:
            text = f"r{register}"
            truth = truth and register in places.over_scenarios
        return f"({text} != (v){{0}})" if truth else text

    def operation(self, instruction: Instruction) -> str:
        function, arguments = instruction.function, [self.value(r) for r in instruction.inputs]
        if function.table is not None:
            return f"v_table{self.tables[function.table]}({arguments[0]})"
        template = (OPERATIONS | VECTOR).get(function.name)
        if template is not None:
            return template.format(*arguments)
        return f"v_{MATHEMATICS.get(function.name, function.name)}({', '.join(arguments)})"

    def instruction(self, instruction: Instruction) -> str:
        kind = "m" if instruction.function.gives_truth else "v"
        return f"      const {kind} r{instruction.output} = {self.operation(instruction)};"

    def output(self, place: int, register: int) -> str:
        return f"        store(out + {place} * by_output, {self.value(register)});"

    def updates(self) -> Iterable[str]:
        width = self.value(self.program.time_step)
        for k, stock in enumerate(self.program.stocks):
            source = self.value(stock.source)
            moved = source if stock.assigned else f"r{stock.stock} + {source} * {width}"
            yield f"      const v n{k} = {moved};"
        for k, stock in enumerate(self.program.stocks):
            yield f"      r{stock.stock} = n{k};"


class _Rows(_Vectors):
    """Design B."""

    step = str(ROW)

    def opening(self) -> Iterable[str]:
        truths = self.program.truths
        for instruction in self.loop:
            kind = "long long" if instruction.output in truths else "double"
            yield f"    {kind} r{instruction.output}[{ROW}] __attribute__((aligned(64)));"
        for k, stock in enumerate(self.program.stocks):
            yield f"    double r{stock.stock}[{ROW}] __attribute__((aligned(64))), n{k}[{ROW}];"
            yield f"    for (int i = 0; i < {ROW}; i++) r{stock.stock}[i] = start[{k}][g + i];"

    def value(self, register: int) -> str:
        places, truth = self.places, register in self.program.truths
        if register in places.literals:
            text = _literal(places.literals[register])
        elif register in places.over_time:
            text = f"row[{places.over_time[register]}]"
        elif register in places.over_both:
            text = f"path[{places.over_both[register]}][t * width + g + i]"
        elif register in places.over_scenarios:
            text = f"own[{places.over_scenarios[register]}][g + i]"
        else:
            return f"r{register}[i]"
        return f"({text} != 0)" if truth else text

    def operation(self, instruction: Instruction) -> str:
        function, arguments = instruction.function, [self.value(r) for r in instruction.inputs]
        if function.table is not None:
            return f"f_table{self.tables[function.table]}({arguments[0]})"
        template = (OPERATIONS | SCALAR).get(function.name)
        if template is not None:
            return template.format(*arguments)
        name = MATHEMATICS.get(function.name, f"f_{function.name}")
        return f"{name}({', '.join(arguments)})"

    def _each(self, text: str) -> str:
        return f"      for (int i = 0; i < {ROW}; i++) {text};"

    def instruction(self, instruction: Instruction) -> str:
        return self._each(f"r{instruction.output}[i] = {self.operation(instruction)}")

    def output(self, place: int, register: int) -> str:
        return self._each(f"out[{place} * by_output + i] = {self.value(register)}")

    def updates(self) -> Iterable[str]:
        width = self.value(self.program.time_step)
        for k, stock in enumerate(self.program.stocks):
            source = self.value(stock.source)
            moved = source if stock.assigned else f"r{stock.stock}[i] + {source} * {width}"
            yield self._each(f"n{k}[i] = {moved}")
        for k, stock in enumerate(self.program.stocks):
            yield self._each(f"r{stock.stock}[i] = n{k}[i]")
