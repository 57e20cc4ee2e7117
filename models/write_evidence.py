"""Copy what the constants rest on from the evidence table to `evidence.csv`, beside the model.

    python models/write_evidence.py path/to/evidence.csv

Ids, sources and figures are copied as they stand. `range` is `spread` where low and high span groups,
places or years: such a range is not an uncertainty and is never sampled.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

HERE = Path(__file__).parent
FROM = {"title": "source_title", "url": "source_url"}
COLUMNS = ("id", "quantity", "value", "low", "high", "unit", "year", "title", "url", "status", "range")
SPREAD = "[low/high = spread"


def copied(row: dict[str, str]) -> list[str]:
    """One row of our table from one of the evidence."""
    given = row | {"range": "spread" if row["note"].startswith(SPREAD) else ""}
    return [given[FROM.get(column, column)] for column in COLUMNS]


def main(evidence: Path) -> None:
    """Write the copy."""
    with evidence.open(encoding="utf-8-sig", newline="") as file:
        rows = [copied(row) for row in csv.DictReader(file)]
    with (HERE / "evidence.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
