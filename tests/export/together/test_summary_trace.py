"""Every number on the summary sheet, in cells and in sentences, is worked out again from the tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from sdopt.export.folder import write_results
from sdopt.export.formats import read_results
from sdopt.export.names import with_shown_names
from sdopt.export.together import together
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

ROOT = Path(__file__).resolve().parents[3]
EXPORT = ROOT / "src" / "sdopt" / "export"
KINDS = ("example", "advice", "sweep", "both")
NUMBER = re.compile(r"(?<![\w.,])[+-]?\d[\d.,]*(?<![.,])")
Fields = Mapping[str, Iterable[float]]
Rule = Callable[["Source"], Fields]


class Source:
    """A result with the names of readers, and the sums that the sentences are about, by pandas alone."""

    def __init__(self, result: Result, language: str) -> None:
        self.result, self.tables, self.figures = result, result.tables, result.figures
        self.words = {row["key"]: row[language] for row in words()}

    def has(self, table: str) -> bool:
        return len(self.tables.get(table, ())) > 0

    def moves(self) -> tuple[pd.DataFrame, list[int]]:
        """Decision by null, advice, on average over the decision years; largest change first."""
        if self.has("allocation"):
            table = self.tables["allocation"]
            years = sorted(set(self.tables["decisions"]["period"].astype(int)))
            table = table[table["time"].isin(years)]
            wide = table.pivot_table(index="variable", columns="allocation", values="value", sort=False)
        else:
            table = self.tables["advised"]
            years = list(range(int(table["first_year"].min()), int(table["last_year"].max()) + 1))
            wide = table.set_index("decision")[["today", "advised"]]
            wide = wide.set_axis(["null", "advice"], axis=1)
        wide["change"] = wide["advice"] - wide["null"]
        return wide.loc[wide["change"].abs().sort_values(ascending=False, kind="stable").index], years

    def spent(self) -> Fields:
        wide, years = self.moves()
        today, advised = (len(years) * wide[key].sum() for key in ("null", "advice"))
        known = self.tables.get("conventions", pd.DataFrame({"convention": [], "value": []}))
        level = known.loc[known["convention"] == "price level", "value"].tolist()
        level = level or [float(self.figures["price_level"])] if self.figures.get("price_level") else level
        return {
            "years": [years[0], years[-1]] if len(years) > 1 else years,
            "today": [today], "advised": [advised], "change": [abs(advised - today)], "prices": level,
        }  # fmt: skip

    def balance(self) -> Fields:
        table = self.tables["multi_year_budget"]
        net = {side: table[table["side"] == side].groupby("year")["difference"].sum() for side in SIDES}
        change = net["income"].sub(net["spending"], fill_value=0.0)
        pairs = [(year, value) for year, value in change.items() if abs(value) >= 0.05]
        return {"years": [number for pair in pairs for number in pair]}

    def cash(self) -> Fields:
        table = self.tables["perspective_totals"]
        return {"names": table.loc[table["cash_only"].astype(bool), "difference"]}

    def summed(self) -> pd.Series:
        if self.has("pay_back_years"):
            table = self.tables["pay_back_years"]
            own = table[table["perspective"] == "return"].set_index("year")
            return own["cumulative_discounted"]
        return self.tables["ledger_years"].groupby("year")["difference"].sum().cumsum()

    def pay_back(self) -> Fields:
        """By hand: the first year from which the sum never again is below zero."""
        summed = self.summed()
        years = [int(year) for year in summed.index]
        kept = [year for year in years if (summed.loc[year:] >= 0).all()]
        return {"year": kept[:1] or [years[-1]], "last": years[-1:]}

    def pay_back_futures(self) -> Fields:
        """By hand: the first year from which the median stays above zero, and how many have by the last."""
        own = self.tables["cumulative_band"].query("allocation == 'advice' and external == ''")
        middle = own.set_index("year")["q50"]
        kept = [year for year in middle.index if (middle.loc[year:] > 0).all()]
        return {"year": kept[:1], "last": own["year"].tail(1), "share": 100 * own["paid_back"].tail(1)}

    def pockets(self) -> pd.Series:
        return self.tables["ledger"].groupby("pocket", sort=False)["difference"].sum()

    def gains(self, sign: int) -> Fields:
        sums = sign * self.pockets().drop("not split", errors="ignore")
        own = sums[sums > 5e-4 * sums.abs().max()].sort_values(ascending=False)
        return {"names": sign * own}

    def points(self) -> Fields:
        table = self.tables["conclusions"]
        own = table[(table["allocation"] == "advice") & (table["against"] == "null")].iloc[0]
        middle = self.tables["distribution"].query("allocation == 'advice' and external == ''")["q50"]
        gain = self.figures.get("improvement") or self.figures.get("advice", {}).get("improvement")
        central = [] if gain is None else [gain]
        return {"q10": [own["q10"]], "q50": middle, "q90": [own["q90"]], "central": central}

    def worlds(self) -> Fields:
        rows = self.tables["distribution"].query("allocation == 'advice' and external != ''")["mean"]
        good = int((rows > 0).sum())
        return {"good": [good], "count": [len(rows)], "low": [rows.min()], "high": [rows.max()]}

    def drivers(self) -> Fields:
        table, column = (
            ("sobol_indices", "total") if self.has("sobol_indices") else ("explained_shares", "share")
        )
        rows = self.tables[table].query("allocation == 'advice'").dropna(subset=[column])
        first = rows[rows["external"] == rows["external"].iloc[0]]
        return {"names": 100 * first.sort_values(column, ascending=False)[column]}

    def proved(self) -> Fields:
        return {"amount": [ceil(self.figures["gap_euro"] - 1e-6)]}

    def stepped(self) -> Fields:
        """What half the time step does, in thousands of euros: more than the gap."""
        apart = abs(self.figures["half_step_improvement"] - self.figures["improvement"])
        assert apart > self.figures["gap_amount"]
        return {"amount": [1000 * apart]}

    def unknown(self) -> Fields:
        table = self.tables["assumptions"]
        return {"count": [table["uncertain"].sum()], "total": [len(table)]}

    def broken(self) -> Fields:
        row = self.tables["limits"].query("allocation == 'advice' and external == '' and limit == ''").iloc[0]
        return {"share": [100 * row["broken"], 100 * row["null_broken"]]}

    def broken_by(self, *, worse: bool) -> Fields:
        rows = self.tables["limits"].query("allocation == 'advice' and external == '' and limit != ''")
        rows = rows[(rows["broken"] >= 0.05) & ((rows["broken"] > rows["null_broken"]) == worse)]
        rows = rows.sort_values("broken", ascending=False, kind="stable")
        return {"names": [100 * row[key] for _, row in rows.iterrows() for key in ("broken", "null_broken")]}

    def end_value(self) -> Fields:
        rows = self.tables["end_value"]
        rows = rows[rows["advice_changes"].astype(bool)]
        most = rows["regret_at_most"].max()
        return {"weights": 100 * rows["weight"], "regret": [ceil(100 * most - 1e-6) / 100]}

    def returned(self) -> Fields:
        best, null = (self.figures[key] for key in ("objective", "null_objective"))
        return {"improvement": [best - null], "objective": [best], "null": [null]}

    def binding(self) -> Fields:
        """Limits of the question itself: those on change have a sentence of their own."""
        rows = self.tables["constraints"]
        ends = tuple(self.words[f"limit.{key}"].partition("{name}")[2] for key in ("rise", "fall"))
        own = rows[rows["binding"].astype(bool) & ~rows["constraint"].str.endswith(ends)]
        return {"names": runs(own.groupby("constraint", sort=False)["year"])}

    def sure(self) -> str:
        """Who gains and who pays in at least 95 of 100 futures, and of whom neither holds."""
        own = self.tables["gains"].query(
            "allocation == 'advice' and kind == 'pocket' and party != 'not split'"
        )
        said = []
        wins, pays = own["wins"] >= 0.95, own["pays"] >= 0.95
        for key, rows in (
            ("wins_sure", own[wins]), ("pays_sure", own[pays]),
            ("unsure", own[~wins & ~pays & (own["wins"] + own["pays"] > 0)]),
        ):  # fmt: skip
            names = [self.words.get(f"pocket.{party.lower()}", party) for party in rows["party"]]
            said += [self.words[f"answer.{key}"].format(names=", ".join(names))] if names else []
        return " ".join(said)

    def rules_broken(self) -> Fields:
        rows = self.tables["fiscal_rules"].query("verdict == 'broken'")
        return {"names": runs(rows.groupby("id", sort=False)["year"])}

    def below_zero(self, run: str) -> Fields:
        """The year in which a stock passes zero: that before the first of a yearly table, or that itself."""
        told = " ".join(self.figures["negative_stocks"][run])
        rows = self.tables["trajectories"].query(f"allocation == '{run}' and value < 0")
        first = rows.groupby("variable", sort=False)["time"].min()
        named = [int(year) for name, year in first.items() if f"{name} (" in told]
        return {"names": [year - (str(year) not in told) for year in named]}


SIDES = ("income", "spending")
RULES: Mapping[str, Rule] = {
    "advice.better": Source.returned,
    "answer.unknown.advice": lambda _: {},
    "answer.spent_less": Source.spent,
    "answer.spent_more": Source.spent,
    "answer.spent_same": Source.spent,
    "answer.balance": Source.balance,
    "answer.cash": Source.cash,
    "answer.pay_back": Source.pay_back,
    "answer.pay_back_at_once": Source.pay_back,
    "answer.pay_back_never": Source.pay_back,
    "answer.pay_back_half": Source.pay_back_futures,
    "answer.pay_back_not_half": Source.pay_back_futures,
    "answer.gains": lambda source: source.gains(1),
    "answer.pays": lambda source: source.gains(-1),
    "answer.points": Source.points,
    "answer.worlds": Source.worlds,
    "answer.worlds_all": Source.worlds,
    "answer.drivers": Source.drivers,
    "answer.proved": Source.proved,
    "answer.proved_step": Source.stepped,
    "answer.not_swept_of": Source.unknown,
    "answer.broken": Source.broken,
    "answer.broken_worse": lambda source: source.broken_by(worse=True),
    "answer.broken_better": lambda source: source.broken_by(worse=False),
    "answer.end_value": Source.end_value,
    "limits.binding": Source.binding,
    "fiscal.broken": Source.rules_broken,
    "certain.negative_advice": lambda source: source.below_zero("advice"),
    "certain.negative_null": lambda source: source.below_zero("null"),
}  # fmt: skip


def runs(years: Any) -> list[float]:
    """First and last of each run of years, name after name."""
    found: list[float] = []
    for _, own in years:
        kept = sorted({int(year) for year in own.dropna()})
        starts = [year for year in kept if year - 1 not in kept]
        ends = [year for year in kept if year + 1 not in kept]
        found += [year for pair in zip(starts, ends, strict=True) for year in dict.fromkeys(pair)]
    return found


def words() -> Iterable[dict[str, str]]:
    for path in sorted(EXPORT.glob("labels*.csv")):
        yield from csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True))


def fields(template: str, text: str) -> dict[str, str] | None:
    """What stands at the places of a template in a text that was made of it."""
    parts = re.split(r"\{(\w+)\}", template)
    places = [
        f"(?P<{name}>{'.*?' if after else '[^ ;]+'})"
        for name, after in zip(parts[1::2], parts[2::2], strict=True)
    ]
    places[-1:] = [place.replace("[^ ;]+", ".*?") for place in places[-1:]]
    literal = [re.escape(part) for part in parts[::2]]
    pattern = literal[0] + "".join(place + text for place, text in zip(places, literal[1:], strict=True))
    match = re.fullmatch(pattern, text, re.DOTALL)
    return None if match is None else match.groupdict()


def numbers(text: str, language: str) -> list[tuple[float, float]]:
    """Every number in a text, as its reader reads it, with half of its last digit."""
    apart = re.sub(r"(\d{4})-(?=\d{4})", r"\1 ", text)
    mark, other = (",", ".") if language == "nl" else (".", ",")
    found = [token.replace(other, "").replace(mark, ".") for token in NUMBER.findall(apart)]
    return [(float(token), 0.5 * 10.0 ** -len(token.partition(".")[2])) for token in found]


@pytest.fixture(scope="module", params=KINDS)
def result(request: pytest.FixtureRequest, results: Mapping[str, Result]) -> Result:
    if request.param == "example":
        return read_results(ROOT / "results" / "voorbeeld")
    if request.param == "both":
        return together([results["advice"], results["sweep"]])
    return results[request.param]


@pytest.fixture(scope="module")
def summary(result: Result) -> list[list[Any]]:
    """The rows of the summary in Dutch; read_only: of all sheets this one alone is read."""
    content = io.BytesIO(workbook_bytes(Result(**{**vars(result), "language": "nl"})))
    sheet = openpyxl.load_workbook(content, data_only=True, read_only=True).worksheets[1]
    return [list(row) for row in sheet.iter_rows(min_row=3, values_only=True)]


def quoted(source: Source) -> set[str]:
    """Sentences that stand in a table as they are."""
    found = set(source.tables["conclusions"]["words"]) if source.has("conclusions") else set()
    if source.has("conditions"):
        found |= {f"{row.decision}. {row.words}" for row in source.tables["conditions"].itertuples()}
    return found | ({source.sure()} if source.has("gains") else set())


def test_every_number_in_a_sentence_comes_from_a_table(result: Result, summary: list[list[Any]]) -> None:
    language = "nl"
    source, seen = Source(with_shown_names(result), language), 0
    said = [row[0] for row in summary if all(cell is None for cell in row[1:])]
    as_they_are = quoted(source)
    for text in filter(None, said):
        if text in as_they_are:
            continue
        keys = [key for key in RULES if fields(source.words[key], text) is not None]
        if not keys:
            assert not numbers(text, language), f"no rule says where this comes from: {text}"
            continue
        found = fields(source.words[keys[0]], text) or {}
        expected = RULES[keys[0]](source)
        for name, part in found.items():
            shown, values = numbers(part, language), [float(one) for one in expected.get(name, ())]
            if keys[0] == "answer.drivers":  # the first few, as many as are named
                values = values[: len(shown)]
            assert len(shown) == len(values), (keys[0], name, part, values)
            for (value, half), meant in zip(shown, values, strict=True):
                assert abs(value - meant) <= half * (1 + 1e-9), (keys[0], name, part, values)
                seen += 1
    assert seen >= 5


def test_every_number_in_a_cell_comes_from_a_table(result: Result, summary: list[list[Any]]) -> None:
    """Decisions on average a year, largest changes first; then the parties; in this order, and no more."""
    source = Source(with_shown_names(result), "nl")
    wide, _ = source.moves()
    shown = wide[["null", "advice"]].head(8)
    rest = wide.iloc[8:]
    rows = [*shown.itertuples(index=False, name=None)]
    rows += [(rest["null"].sum(), rest["advice"].sum())] if len(rest) else []
    rows.append((wide["null"].sum(), wide["advice"].sum()))
    expected = [number for null, best in rows for number in (null, best, best - null, (best - null) / null)]
    chances = pd.DataFrame()
    if source.has("gains"):
        chances = source.tables["gains"].query("allocation == 'advice' and kind == 'pocket'")
        chances = chances.set_index("party")
    sums = source.pockets() if source.has("ledger") else chances["mean"]
    for pocket, value in sums.items():
        expected += [value, *([chances.at[pocket, "wins"]] if len(chances) else [])]
    expected.append(sums.sum())
    listed = [cell for row in summary for cell in row if isinstance(cell, (int, float))]
    assert listed == pytest.approx(expected, rel=1e-9, abs=6e-4)
    if source.has("ledger"):
        assert sums.sum() == pytest.approx(source.figures["improvement"], rel=1e-6)


def test_key_figures_are_those_of_the_summary_file(results: Mapping[str, Result], tmp_path: Path) -> None:
    """The sheet with key figures, and the file that machines read, hold the same numbers."""
    import json

    both = together([results["advice"], results["sweep"]])
    folder = write_results(both, tmp_path, "", {}, None)
    facts = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    content = io.BytesIO((folder / "workbook.xlsx").read_bytes())
    book = openpyxl.load_workbook(content, data_only=True, read_only=True)
    texts = {row["key"]: row["nl"] for row in words()}
    sheet = {row[0]: row[1] for row in book[texts["sheet.figures"]].iter_rows(values_only=True)}
    for key in ("objective", "null_objective", "improvement", "bound", "gap"):
        assert sheet[texts[f"key_figure.{key}"]] == pytest.approx(facts[key], rel=1e-12, abs=1e-12), key
