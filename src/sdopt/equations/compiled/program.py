"""A layout as the text of a module of LLVM: the functions `ahead` and `run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sdopt.equations.compiled.code import BYTES, Code, number
from sdopt.equations.compiled.functions import Library, as_number, as_truth, emit
from sdopt.equations.compiled.layout import BY_SCENARIO, BY_TIME, Layout
from sdopt.equations.program import Instruction, StockRegisters

Load = Callable[[int], str]


def module_text(layout: Layout) -> str:
    """The module that computes a layout.

    `ahead(groups, given, made)`: arrays (register, moment), moments padded to whole vectors.
    `run(groups, last, constants, paths, strides, table, slots, result, by output, by slot, scratch)`:
    for every vector of scenarios `constants` has a vector per input; `paths` are addresses of arrays
    (moment, scenario) with `strides` in bytes from moment to moment; `table` is (moment, register);
    `slots` says at which place of `result` a moment is kept, or -1; `scratch` has a vector per stock
    and kept register.
    """
    library = Library()
    functions = [_ahead(layout, library), _run(layout, library)]
    return "\n".join([library.text, *functions])


@dataclass
class _Values:
    """The values of registers in a piece of code; `load` finds those that nothing has computed yet."""

    code: Code
    layout: Layout
    library: Library
    load: Load
    known: dict[int, str] = field(default_factory=dict)

    def of(self, register: int) -> str:
        """The value of a register: a number or a truth value, as the program has it."""
        if register not in self.known:
            self.known[register] = self._found(register)
        return self.known[register]

    def as_number(self, register: int) -> str:
        """The same, a truth value as 0 or 1: so it is kept in memory."""
        value = self.of(register)
        return as_number(self.code, value) if register in self.layout.program.truths else value

    def _found(self, register: int) -> str:
        numbers = self.layout.program.numbers
        value = number(float(numbers[register])) if register in numbers else self.load(register)
        return as_truth(self.code, value) if register in self.layout.program.truths else value

    def compute(self, instructions: Iterable[Instruction]) -> None:
        """Write instructions, in their order."""
        for i in instructions:
            arguments = [self.of(register) for register in i.inputs]
            self.known[i.output] = emit(self.code, self.library, i.function, arguments)


def _ahead(layout: Layout, library: Library) -> str:
    """Lanes are moments here."""
    code = Code()
    row = BYTES * -(-(layout.program.grid.steps + 1) // (BYTES // 8))
    code.block("moments")
    code.do("%g = phi i64 [0, %entry], [%next_g, %moments]")
    offset = code.value(f"mul i64 %g, {BYTES}")

    def load(register: int) -> str:
        place = code.address("%given", str(row * layout.moments[register]))
        return code.load(code.address(place, offset))

    values = _Values(code, layout, library, load)
    values.compute(layout.ahead)
    for register, place in layout.table.items():
        code.store(values.as_number(register), code.address(code.address("%made", str(row * place)), offset))
    _next(code, "g", "%groups", "moments", "done")
    code.block("done")
    return _function("ahead", "i64 %groups, ptr %given, ptr %made", code, "moments")


def _run(layout: Layout, library: Library) -> str:
    code = Code()
    code.block("group")
    code.do("%g = phi i64 [0, %entry], [%next_g, %group_done]")
    code.do(f"%lane = mul i64 %g, {BYTES}")
    _open(layout, library, code)
    code.do("br label %step")
    code.block("step")
    code.do("%t = phi i64 [0, %group], [%next_t, %moved]")
    _step(layout, library, code)
    code.block("group_done")
    _next(code, "g", "%groups", "group", "done")
    code.block("done")
    arguments = (
        "i64 %groups, i64 %moments, ptr noalias %constants, ptr noalias %paths, ptr noalias %strides, "
        "ptr noalias %table, ptr noalias %slots, ptr noalias %result, i64 %by_output, i64 %by_slot, "
        "ptr noalias %scratch"
    )
    return _function("run", arguments, code, "group")


def _open(layout: Layout, library: Library, code: Code) -> None:
    """Before the steps of one vector of scenarios: what stays the same, and the stocks."""
    own = code.address("%constants", code.value(f"mul i64 %g, {BYTES * len(layout.program.inputs)}"))

    def load(register: int) -> str:
        return code.load(code.address(own, str(BYTES * layout.columns[register])))

    values = _Values(code, layout, library, load)
    values.compute(layout.opening)
    for place, stock in enumerate(layout.stocks):
        code.store(values.of(stock.initial), _stock(code, place))
    for register, place in layout.kept.items():
        code.store(values.as_number(register), _kept(code, layout, place))


def _stock(code: Code, place: int) -> str:
    return code.address("%scratch", str(BYTES * place))


def _kept(code: Code, layout: Layout, place: int) -> str:
    return code.address("%scratch", str(BYTES * (len(layout.stocks) + place)))


def _step(layout: Layout, library: Library, code: Code) -> None:
    """One step of one vector of scenarios: compute, write what is saved, move the stocks."""
    code.do(f"%row = mul i64 %t, {8 * len(layout.table)}")
    table = code.address("%table", "%row")
    places = {stock.stock: place for place, stock in enumerate(layout.stocks)}

    def load(register: int) -> str:
        if register in places:
            return code.load(_stock(code, places[register]))
        if layout.varies[register] == BY_TIME:
            place = code.address(table, str(8 * layout.table[register]))
            return code.spread(code.value(f"load double, ptr {place}, align 8"))
        if layout.varies[register] == BY_SCENARIO:
            return code.load(_kept(code, layout, layout.kept[register]))
        return _path(code, layout.paths[register])

    values = _Values(code, layout, library, load)
    values.compute(layout.step)
    moved = [_moved(values, stock) for stock in layout.stocks]
    _save(layout, values)
    for place, value in enumerate(moved):
        code.store(value, _stock(code, place))
    _next(code, "t", "%moments", "step", "group_done")


def _path(code: Code, place: int) -> str:
    """An input over time and scenarios, at this moment."""
    base = code.value(f"load ptr, ptr {code.address('%paths', str(8 * place))}, align 8")
    stride = code.value(f"load i64, ptr {code.address('%strides', str(8 * place))}, align 8")
    row = code.address(base, code.value(f"mul i64 %t, {stride}"))
    return code.load(code.address(row, "%lane"))


def _moved(values: _Values, stock: StockRegisters) -> str:
    source = values.of(stock.source)
    if stock.assigned:
        return source
    width = values.of(values.layout.program.time_step)
    return values.code.binary("fadd", values.of(stock.stock), values.code.binary("fmul", source, width))


def _save(layout: Layout, values: _Values) -> None:
    """Write the outputs when this moment is kept."""
    code = values.code
    slot = code.value(f"load i64, ptr {code.value('getelementptr i64, ptr %slots, i64 %t')}, align 8")
    code.do(f"br i1 {code.value(f'icmp sge i64 {slot}, 0')}, label %save, label %moved")
    code.block("save")
    values.compute(layout.report)
    base = code.address("%result", code.value(f"mul i64 {slot}, %by_slot"))
    base = code.address(base, "%lane")
    for place, register in layout.written:
        offset = code.value(f"mul i64 %by_output, {place}")
        code.store(values.as_number(register), code.address(base, offset))
    code.do("br label %moved")
    code.block("moved")


def _next(code: Code, counter: str, end: str, again: str, done: str) -> None:
    """Count on, and jump back until the end."""
    code.do(f"%next_{counter} = add i64 %{counter}, 1")
    code.do(f"%more_{counter} = icmp slt i64 %next_{counter}, {end}")
    code.do(f"br i1 %more_{counter}, label %{again}, label %{done}")


def _function(name: str, arguments: str, code: Code, first: str) -> str:
    body = "\n".join(code.lines)
    return f"define void @{name}({arguments}) {{\nentry:\n  br label %{first}\n{body}\n  ret void\n}}\n"
