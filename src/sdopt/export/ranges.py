"""The tables on the sheets by name, so that formulas, macros and other programs find them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# What a spreadsheet takes for a cell (`nu1`, `r1c1`), which a name may not look like.
_CELL = re.compile(r"[a-z]{1,3}\d+|r\d*|c\d*|r\d+c\d+")


@dataclass
class Block:
    """A table on a sheet, from its header (or its first row) to its last row; rows and columns count from 0.

    `key` tells what it is called: the label `range.KEY`, or the key itself, a name of a table in the results;
    without one it is called by its sheet. `rows` counts those with values; `whole` is that nothing else
    stands between them.
    """

    key: str
    title: str
    first: int
    last: int
    columns: int
    rows: int = 0
    whole: bool = True


@dataclass(frozen=True)
class Named:
    """A table by its name, and where it stands."""

    name: str
    sheet: str
    block: Block

    @property
    def cells(self) -> str:
        """The cells, such as `A5:H19`."""
        from xlsxwriter.utility import xl_range

        return str(xl_range(*self._corners))

    @property
    def reference(self) -> str:
        """What the name stands for, as a formula."""
        from xlsxwriter.utility import quote_sheetname, xl_range_abs

        return f"={quote_sheetname(self.sheet)}!{xl_range_abs(*self._corners)}"

    @property
    def _corners(self) -> tuple[int, int, int, int]:
        return self.block.first, 0, self.block.last, self.block.columns - 1


def safe_name(text: str) -> str:
    """Text as a name of [a-z0-9_] that is not a cell."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    name = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")
    return f"t_{name}" if not name or name[0].isdigit() or _CELL.fullmatch(name) else name


def free_name(base: str, used: set[str]) -> str:
    """The name, with a number behind it when it is taken."""
    number, name = 1, base
    while name in used:
        number += 1
        name = f"{base}_{number}"
    return name
