"""Write the model of the social domain with ten neighbourhoods, its table of constants and its config.

    python models/write_neighbourhoods.py

Equations live in `social_domain.mdl` only; this puts [wijk] behind what `neighbourhoods.csv` puts at the
level of a neighbourhood and sums where the municipality uses it. `wijken.csv` divides today's figures over
the neighbourhoods. A test fails when the written files are not those of today's model.

Levels: a chapter of level wijk gets [wijk] where an equation uses something of a neighbourhood. A municipal
equation uses totals, but a term with a share or a rate of a neighbourhood in it is worked out per
neighbourhood and then summed. `shared by`: how a municipal sum is divided where a neighbourhood uses it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from neighbourhoods_config import CONFIG, config

HERE = Path(__file__).parent
RANGE = "wijk"
STARS = "*" * 56
CHAPTER = re.compile(r"\*{56}\n\t(\.[^\n]+)\n\*{56}~\n\t\t([^\n]*)\n\t\|\n")
SKETCH = "\\\\\\---/// Sketch information"
CONSTANTS, CONTROL = ".Constants", ".Control"
COUNTED = ("Person", "Household", "Job", "hour", "million EUR")
DIGITS = 6

Row = dict[str, str]


@dataclass(frozen=True)
class Equation:
    """One variable as the model file writes it."""

    chapter: str
    name: str
    expression: str
    unit: str
    text: str

    @property
    def extensive(self) -> bool:
        """Whether two neighbourhoods together have the sum: people, hours, money; no shares or prices."""
        counted, *per = self.unit.split("/")
        return counted in COUNTED and set(per) <= {"Year"}


def read(path: Path) -> list[Row]:
    """A table, row by row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def chapters(model: str) -> tuple[str, list[tuple[str, str, str]], str]:
    """What stands before the chapters, every chapter (title, remark, body), and Control with its heading."""
    before, *parts = CHAPTER.split(model)
    found = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    last = next(number for number, (title, _, _) in enumerate(found) if title == CONTROL)
    return before, found[:last], model[model.index(f"{STARS}\n\t{CONTROL}\n") :]


def equations(title: str, body: str) -> list[Equation]:
    """The variables of a chapter; a definition ends with a bar on a line of its own."""
    found = []
    for block in re.split(r"\n\t\|\n", body)[:-1]:
        definition, unit, text = block.strip().split("\n\t~\t")
        name, expression = definition.split("=", 1)
        found.append(Equation(title, name.strip(), expression.strip(), unit, text))
    return found


class Neighbourhoods:
    """Which variable is at which level, and how equations are written with neighbourhoods."""

    def __init__(self, variables: list[Equation], rules: list[Row]) -> None:
        self.variables = {variable.name: variable for variable in variables}
        self.rules = {row["name"]: row for row in rules}
        self.totals = [row["name"] for row in rules if row["level"] == "total"]
        longest = sorted(self.variables, key=len, reverse=True)
        names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in longest)
        self.pattern = re.compile(rf"(?<![\w\]])({names})(?![\w\[])")
        self._check(variables)
        self.local = {
            row["name"] for row in rules if row["level"] == RANGE and not row["name"].startswith(".")
        }
        self._spread()

    def _check(self, variables: list[Equation]) -> None:
        known = set(self.variables) | {variable.chapter for variable in variables}
        named = set(self.rules) | {row["shared by"] for row in self.rules.values() if row["shared by"]}
        if unknown := named - known:
            raise SystemExit(f"neighbourhoods.csv: not in the model: {', '.join(sorted(unknown))}")

    def _spread(self) -> None:
        """In a chapter of level wijk, what uses a variable of a neighbourhood is one of a neighbourhood."""
        while found := {name for name, variable in self.variables.items() if self._follows(variable)}:
            self.local |= found

    def _follows(self, variable: Equation) -> bool:
        rule = self.rules.get(variable.name, {"level": ""})["level"]
        level = (
            self.rules.get(variable.chapter, {"level": "municipality"})["level"]
            if rule in ("", "total")
            else rule
        )
        return (
            level == RANGE
            and variable.name not in self.local
            and bool(self.uses(variable.expression) & self.local)
        )

    def uses(self, expression: str) -> set[str]:
        """Names of the variables in an expression."""
        return {" ".join(found.split()) for found in self.pattern.findall(expression)}

    def written(self, variable: Equation) -> str:
        """The definition with neighbourhoods."""
        if variable.name in self.local:
            return definition(variable, f"{variable.name}[{RANGE}]", self._local(variable.expression))
        return definition(variable, variable.name, self._municipal(variable.expression))

    def _local(self, expression: str) -> str:
        def place(match: re.Match[str]) -> str:
            name = " ".join(match[1].split())
            by = self.rules.get(name, {"shared by": ""})["shared by"]
            if by and name not in self.local:
                return f"({name} * {by}[{RANGE}] / SUM ({by}[{RANGE}!]))"
            return f"{match[1]}[{RANGE}]" if name in self.local else match[1]

        return self.pattern.sub(place, expression)

    def _municipal(self, expression: str) -> str:
        return "".join(part if part in ("+", "-") else self._term(part) for part in terms(expression))

    def _term(self, term: str) -> str:
        """One term of a municipal equation: of totals, or summed as a whole where it has shares or rates."""
        used = self.uses(term) & self.local
        if all(self.variables[name].extensive for name in used):
            return self._subscripted(term, "SUM ({}[" + RANGE + "!])")
        space = term[: len(term) - len(term.lstrip())]
        return f"{space}SUM ({self._subscripted(term.strip(), '{}[' + RANGE + '!]')}) "

    def _subscripted(self, term: str, form: str) -> str:
        def place(match: re.Match[str]) -> str:
            return form.format(match[1]) if " ".join(match[1].split()) in self.local else match[1]

        return self.pattern.sub(place, term)

    def total(self, name: str) -> str:
        """The definition of a total that results show."""
        variable = self.variables[name]
        total = Equation(
            "", f"all {name}", f"SUM ({name}[{RANGE}!])", variable.unit, "Of all neighbourhoods together."
        )
        return definition(total, total.name, total.expression)


def definition(variable: Equation, name: str, expression: str) -> str:
    """As Vensim writes it."""
    return f"{name}=\n\t{expression.strip()}\n\t~\t{variable.unit}\n\t~\t{variable.text}\n\t|\n"


def terms(expression: str) -> list[str]:
    """An expression in terms and the signs between them; what stands in parentheses stays together."""
    parts, depth = [""], 0
    for character in expression:
        depth += {"(": 1, ")": -1}.get(character, 0)
        sign = depth == 0 and character in "+-" and not parts[-1].rstrip().endswith(("*", "/", "^"))
        parts += [character, ""] if sign else []
        parts[-1] += "" if sign else character
    return parts


def divide(row: Row, profile: str, extensive: bool, places: list[Row]) -> list[Row]:
    """A row of the table of constants for every neighbourhood; amounts add up, rates have the same mean."""
    weights = [weight(profile, place) for place in places]
    people = [1.0 if extensive else float(place["inhabitants"]) for place in places]
    whole = 1.0 if extensive else sum(people)
    total = sum(w * p for w, p in zip(weights, people, strict=True)) / whole

    def part(cell: str, w: float) -> float:
        return float(f"{float(cell) * w / total:.{DIGITS}g}")

    columns = {c: [part(row[c], w) for w in weights] for c in ("value", "low", "high")}
    if extensive:
        columns["value"][-1] = round(float(row["value"]) - sum(columns["value"][:-1]), 9)
    low, high, value = columns["low"], columns["high"], columns["value"]
    low[-1], high[-1] = min(low[-1], value[-1]), max(high[-1], value[-1])
    note = f"Illustrative division of {row['value']} by {profile} (wijken.csv). {row['note']}"
    status = "derived" if row["source"] == "definition" else "judgement"
    return [
        row
        | {column: f"{numbers[k]:.12g}" for column, numbers in columns.items()}
        | {"name": f"{row['name']}[{place[RANGE]}]", "status": status, "note": note}
        for k, place in enumerate(places)
    ]


def weight(profile: str, place: Row) -> float:
    """The product of the columns that a profile names."""
    product = 1.0
    for column in profile.split("*"):
        product *= float(place[column.strip()])
    return product


def table(constants: list[Row], model: Neighbourhoods, places: list[Row]) -> list[Row]:
    """The table of constants with a row per neighbourhood where they differ."""
    found: list[Row] = []
    for row in constants:
        profile = model.rules.get(row["name"], {"divided by": ""})["divided by"]
        extensive = model.variables[row["name"]].extensive
        found += divide(row, profile, extensive, places) if profile else [row]
    return found


def constant(variable: Equation, model: Neighbourhoods, values: dict[str, str], places: list[Row]) -> str:
    """The definition of a constant: one number, or one for every neighbourhood."""
    if variable.name not in model.local:
        return definition(variable, variable.name, variable.expression)
    numbers = ", ".join(values[f"{variable.name}[{place[RANGE]}]"] for place in places)
    return definition(variable, f"{variable.name}[{RANGE}]", numbers)


def generate(text: str, constants: list[Row], rules: list[Row], places: list[Row]) -> tuple[str, list[Row]]:
    """The model file and the table of constants with neighbourhoods."""
    before, found, after = chapters(text)
    listed = {title: equations(title, body) for title, _, body in found}
    model = Neighbourhoods([variable for group in listed.values() for variable in group], rules)
    rows = table(constants, model, places)
    values = {row["name"]: row["value"] for row in rows}
    names = ", ".join(place[RANGE] for place in places)
    parts = [
        before
        + f"{RANGE}:\n\t{names}\n\t~\n\t~\t\tNeighbourhoods; written by write_neighbourhoods.py.\n\t|\n"
    ]
    for title, remark, _ in found:
        if title == CONSTANTS:
            parts.append(
                chapter(".Totals", "Of all neighbourhoods.", [model.total(name) for name in model.totals])
            )
            written = [constant(variable, model, values, places) for variable in listed[title]]
            remark = remark.replace("social_domain.csv", "social_domain_wijken.csv")
        else:
            written = [model.written(variable) for variable in listed[title]]
        parts.append(chapter(title, remark, written))
    return "\n".join(parts) + f"\n{after}", rows


def chapter(title: str, remark: str, definitions: list[str]) -> str:
    """A chapter as Vensim writes it."""
    return f"{STARS}\n\t{title}\n{STARS}~\n\t\t{remark}\n\t|\n\n" + "\n".join(definitions)


def main(root: Path = HERE.parent) -> None:
    """Write the model file, its table and its config."""
    models, configs = root / "models", root / "configs"
    text = (models / "social_domain.mdl").read_text(encoding="utf-8").split(SKETCH)[0]
    constants, rules, places = (
        read(models / f"{name}.csv") for name in ("social_domain", "neighbourhoods", "wijken")
    )
    model, rows = generate(text, constants, rules, places)
    (models / "social_domain_wijken.mdl").write_text(model, encoding="utf-8", newline="\n")
    with (models / "social_domain_wijken.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    today = {row["name"]: float(row["value"]) for row in rows}
    totals = [row["name"] for row in rules if row["level"] == "total"]
    written = config((configs / CONFIG).read_text(encoding="utf-8"), today, local_names(text, rules), totals)
    (configs / "tien-wijken-100k.yaml").write_text(written, encoding="utf-8", newline="\n")


def local_names(text: str, rules: list[Row]) -> set[str]:
    """The variables that differ per neighbourhood."""
    _, found, _ = chapters(text)
    return Neighbourhoods([v for title, _, body in found for v in equations(title, body)], rules).local


if __name__ == "__main__":
    main()
