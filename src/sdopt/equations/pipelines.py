"""Pipelines among the stocks of a program: rows of stocks that do nothing but hand on their value."""

from __future__ import annotations

from collections import Counter

from sdopt.equations.program import Program, StockRegisters


def pipelines(program: Program) -> list[tuple[StockRegisters, ...]]:
    """Each pipeline from its end, which others may read, to its entrance, whose source is what goes in.

    Two places or more; all places start from the same value. The stocks between them are read by
    nothing but the next place.
    """
    stocks = {stock.stock: stock for stock in program.stocks}
    readers = Counter(register for i in program.loop for register in set(i.inputs))
    readers += Counter(stock.source for stock in program.stocks) + Counter(program.output_registers)

    def before(stock: StockRegisters) -> StockRegisters | None:
        """The stock whose value this one takes over, if it serves for nothing else."""
        source = stocks.get(stock.source)
        if source is None or not (stock.assigned and source.assigned):
            return None
        return source if readers[source.stock] == 1 and source.initial == stock.initial else None

    inner = {source.stock for stock in program.stocks if (source := before(stock)) is not None}
    found = []
    for end in program.stocks:
        if end.stock in inner or before(end) is None:
            continue
        chain = [end]
        while (source := before(chain[-1])) is not None:
            chain.append(source)
        found.append(tuple(chain))
    return found
