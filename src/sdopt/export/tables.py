"""Tables as .parquet (exact) and .csv (for people and scripts), and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import without_formulas

if TYPE_CHECKING:
    import pandas as pd


def write_parquet(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """One .parquet per table, without metadata that would differ between machines."""
    import pyarrow
    import pyarrow.parquet

    for name, table in tables.items():
        plain = pyarrow.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
        with (folder / f"{name}.parquet").open("xb") as file:  # not every path is one to pyarrow
            pyarrow.parquet.write_table(plain, file)


def read_parquet(path: Path) -> pd.DataFrame:
    """The table that `write_parquet` wrote."""
    import pyarrow.parquet

    with path.open("rb") as file:
        read = pyarrow.parquet.read_table(file, partitioning=None)
    whole = [f.name for f in read.schema if pyarrow.types.is_integer(f.type) and read[f.name].null_count]
    table: pd.DataFrame = read.to_pandas().astype(dict.fromkeys(whole, "Int64"))  # else 2027 becomes 2027.0
    return table


def write_csv(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """One .csv per table for programs: comma, decimal point, UTF-8, all digits."""
    for name, table in tables.items():
        text = without_formulas(table).to_csv(index=False, lineterminator="\n")
        (folder / f"{name}.csv").write_bytes(text.encode("utf-8"))


def write_dutch_csv(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """One .csv per table for Dutch Excel: semicolon, decimal comma, UTF-8 with BOM, all digits."""
    for name, table in tables.items():
        shown = without_formulas(table).apply(_with_commas)
        text = shown.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
        (folder / f"{name}.csv").write_bytes(text.encode("utf-8-sig"))


def _with_commas(column: pd.Series) -> pd.Series:
    """Numbers between texts as pandas writes others by itself: with a decimal comma."""
    return column.map(_with_comma) if column.dtype == object else column


def _with_comma(value: Any) -> Any:
    return repr(float(value)).replace(".", ",") if isinstance(value, float) and value == value else value
