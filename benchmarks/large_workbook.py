"""A large sweep as .xlsx: prints seconds, megabytes and the peak of memory.

    python benchmarks/large_workbook.py results/SWEEP [--rows 100000] [--format xlsx-runs]

The rows of a small sweep are repeated until there are so many; its scenarios likewise, in proportion.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import pyarrow
import pyarrow.parquet

from memory import peak_memory

MB = 10**6
AT_ONCE = 4096
MAIN = {"xlsx-runs": "runs", "xlsx-trajectories": "trajectories"}


def main() -> None:
    """Make the large sweep, then export it in a process of its own: making it takes memory too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sweep", type=Path, help="results folder of `sdopt sweep`")
    parser.add_argument("--rows", type=int, default=100_000, help="how many rows")
    parser.add_argument("--format", choices=MAIN, default="xlsx-runs", help="what to write")
    parser.add_argument("--only-export", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only_export:
        export(asked.sweep, asked.format)
        return
    with TemporaryDirectory() as made:
        enlarge(asked.sweep, Path(made), MAIN[asked.format], asked.rows)
        again = [sys.executable, __file__, made, "--format", asked.format, "--only-export"]
        subprocess.run(again, check=True)


def enlarge(sweep: Path, folder: Path, main_table: str, rows: int) -> None:
    """Tables of a sweep with their rows repeated, so that the main one has `rows`."""
    known = pyarrow.parquet.ParquetFile(sweep / f"{main_table}.parquet").metadata.num_rows
    for name in ("runs", "scenarios", "allocations", "trajectories"):
        if (name == "trajectories") != (main_table == "trajectories"):
            continue
        table = pyarrow.parquet.read_table(sweep / f"{name}.parquet", partitioning=None)
        wanted = table.num_rows if name == "allocations" else round(table.num_rows * rows / known)
        with pyarrow.parquet.ParquetWriter(folder / f"{name}.parquet", table.schema) as writer:
            for start in range(0, wanted, table.num_rows):
                writer.write_table(table.slice(0, wanted - start), row_group_size=AT_ONCE)
        print(f"{name}: {wanted:,} rows of {table.num_columns} columns", flush=True)


def export(folder: Path, form: str) -> None:
    """Write the workbook, and print what it took."""
    from sdopt.export.formats import export_results

    before, begun, worked = peak_memory(), perf_counter(), process_time()
    target = export_results(folder, form, None)
    seconds, busy = perf_counter() - begun, process_time() - worked
    print(
        f"{form}: {seconds:.1f} s, of the processor {busy:.1f} s; {target.stat().st_size / MB:.1f} MB on disk"
    )
    print(f"peak memory: {_mb(peak_memory())}; before it was {_mb(before)}")


def _mb(size: int | None) -> str:
    return "not known here" if size is None else f"{size / MB:.0f} MB"


if __name__ == "__main__":
    main()
