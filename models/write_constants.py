"""Write the constants of `social_domain.csv` into the chapter "Constants" of `social_domain.mdl`.

    python models/write_constants.py

The table is where a number is changed; this puts the same number in the model file, so that it
also opens in Vensim. A test fails when the two differ.
"""

from __future__ import annotations

import csv
from pathlib import Path

HERE = Path(__file__).parent
STARS = "*" * 56
TITLE = "Every number with its source and status; ranges stand in social_domain.csv."
START = f"{STARS}\n\t.Constants\n{STARS}~\n\t\t{TITLE}\n\t|\n"
END = f"{STARS}\n\t.Control\n"


def equation(row: dict[str, str]) -> str:
    """One constant as Vensim writes it: value, unit, note with source, status and causal link."""
    link = f"link {row['link']}" if row.get("link") else ""
    confidence = f"confidence {row['confidence']}" if row.get("confidence") else ""
    origin = "; ".join(part for part in (row["source"], row["status"], link, confidence) if part)
    return f"{row['name']}=\n\t{row['value']}\n\t~\t{row['unit']}\n\t~\t{row['note']} [{origin}]\n\t|\n"


def main() -> None:
    """Replace the chapter."""
    model = HERE / "social_domain.mdl"
    with (HERE / "social_domain.csv").open(encoding="utf-8", newline="") as file:
        equations = "\n".join(equation(row) for row in csv.DictReader(file))
    text = model.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    model.write_text(f"{before}{START}\n{equations}\n{END}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
