"""What a config may say. The docstrings below are the reference; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.explanation import Explanation
from sdopt.config.forms import Form
from sdopt.config.programmes import Choice, Programme
from sdopt.config.robust import Robust
from sdopt.config.strict import Strict
from sdopt.config.sweep import Sweep
from sdopt.config.uncertainty import Correlation, ExternalScenario, Uncertainty

SCHEMA_VERSION = 1

Share = Annotated[str, Field(pattern=r"^\d+(\.\d+)?%$")]
"""A percentage of the year before, such as `25%`."""


class ModelFiles(Strict):
    """The model and where its constants come from."""

    file: Path
    """The model (.mdl or .xmile), relative to this config file."""
    constants: Path | None = None
    """Table of constants; its values are used.

    A .csv or .xlsx (`FILE.xlsx#SHEET` for another sheet than the first) with the columns name, value, low,
    high, unit, source, status and note, and if wanted distribution, link and confidence.
    """
    municipality: Path | None = None
    """Table of what differs in one municipality: its rows replace those of `constants`; same columns."""
    changes: dict[str, float] = {}
    """Constants that differ for this question: name as written in the model -> value in the model's unit."""

    def with_paths(self, absolute: Callable[[Path], Path]) -> ModelFiles:
        """The same with every path as `absolute` makes it."""
        tables = {"constants": self.constants, "municipality": self.municipality}
        made = {name: absolute(path) if path is not None else None for name, path in tables.items()}
        return self.model_copy(update={"file": absolute(self.file), **made})


class LedgerFiles(Strict):
    """Who pays and who gains: the money flows and effects of the model, each with a weight per pocket."""

    file: Path
    """The ledger (.csv: effect, variable, a column per pocket, cash, kind, note)."""
    perspectives: Literal["default"] | Path = "default"
    """Which pockets are summed (.csv); `default` is perspectives.csv in the folder of the ledger."""
    not_valued: Literal["default"] | Path | None = "default"
    """Effects without an amount, which are described and never counted (.csv: effect, pocket, direction,
    source, status, note); `default` is not_valued.csv in the folder of the ledger, where there is one."""

    @property
    def perspectives_file(self) -> Path:
        """The table of perspectives."""
        return self.file.parent / "perspectives.csv" if self.perspectives == "default" else self.perspectives

    def with_paths(self, absolute: Callable[[Path], Path]) -> LedgerFiles:
        """The same with every path as `absolute` makes it, and the defaults filled in."""
        file, perspectives, not_valued = absolute(self.file), self.perspectives_file, self.not_valued
        if not_valued == "default":
            beside = file.parent / "not_valued.csv"
            not_valued = beside if beside.is_file() else None
        elif not_valued is not None:
            not_valued = absolute(not_valued)
        found = {"file": file, "perspectives": absolute(perspectives), "not_valued": not_valued}
        return self.model_copy(update=found)

    @property
    def not_valued_file(self) -> Path | None:
        """The table of what is not valued, once paths are absolute; None without one."""
        return self.not_valued if isinstance(self.not_valued, Path) else None


class Valuation(Strict, extra="allow"):
    """Conventions of valuation. Beside `file`: name of a convention -> method; its default when absent."""

    __pydantic_extra__: dict[str, str] = Field(init=False)
    file: Path
    """Conventions, their methods and what these set (.csv: convention, method, default, constant, ...)."""

    @property
    def methods(self) -> dict[str, str]:
        """The methods chosen, by convention."""
        return self.__pydantic_extra__


class Horizon(Strict):
    """The years that are simulated and counted."""

    start: float
    """Time at which the simulation starts."""
    end: float
    """Time up to which the return is counted."""
    time_step: float | None = None
    """Length of one step; the model's own when absent."""


class Years(Strict):
    """First and last year, both included."""

    first: int
    """First year."""
    last: int
    """Last year: it ends where the next one begins."""


class Decision(Strict):
    """One model constant the optimiser may choose, year by year."""

    variable: str
    """Name of the constant exactly as written in the model file."""
    bounds: tuple[float, float]
    """Lowest and highest value, in the model's own unit."""
    period: int = Field(default=1, ge=1)
    """Years that one chosen value stays in force."""
    largest_rise: float | Share | None = None
    """Largest rise from one year to the next: a number in the model's unit, or a share such as `25%`."""
    largest_fall: float | Share | None = None
    """Largest fall from one year to the next: a number in the model's unit, or a share such as `25%`."""
    after: Literal["null_alternative", "last"] = "null_alternative"
    """What holds after the last decision year: today's path again, or the last chosen value."""
    null_trend: float = 0.0
    """Growth per year of today's value in the null alternative (0.01 is 1 % a year)."""


class Limit(Strict):
    """A limit relative to the null alternative: a share of its value, or another sum of it, plus `plus`."""

    null_alternative: float | Annotated[dict[str, float], Field(min_length=1)] = 1.0
    """Share of the null alternative's value in the same year, or weights for the null alternative alone."""
    plus: float = 0.0
    """Added to it, in the unit of the constraint."""


class Constraint(Strict):
    """A limit on a weighted sum: of decisions (exactly linear), or of model variables over time."""

    decisions: dict[str, float] | None = None
    """Decision ids and their weights, for a limit between decisions (cap, floor, earmark)."""
    variables: dict[str, float] | None = None
    """Model variables and their weights, for a limit on what the model does."""
    at_most: float | Limit | None = None
    """Upper limit."""
    at_least: float | Limit | None = None
    """Lower limit."""
    years: Years | None = None
    """Years in which it holds; the decision years when absent."""
    measure: Literal["year_average", "year_start", "year_end", "every_step"] = "year_average"
    """What is compared in each year (for `variables`)."""


RuleSetting = float | str | tuple[str, ...]
"""A number, a share such as `50%`, an option such as `last year`, or a list of decisions."""


class FiscalRules(Strict):
    """Rules of public finance, chosen by name from a library; its parameters may be given another value."""

    file: Path
    """The library of rules (.yaml), relative to this config file."""
    apply: dict[str, dict[str, RuleSetting]] = {}
    """Name of a rule in the library -> settings: its parameters, `decisions`, `as: check` to only report."""


class EndValue(Strict):
    """What the stocks left at the end of the horizon are worth."""

    variable: str
    """Model variable that gives their value at the end, in the currency of the objective."""
    weight: float = Field(default=1.0, ge=0)
    """Share of it that is counted; the results show 0, 0.5 and 1.5 times as well."""


class Objective(Strict):
    """What is maximised: the present value of one variable over the horizon."""

    maximise: str
    """Model variable per time unit, for example million EUR/Year."""
    discount_rate: float | Literal["2020", "2025"] = "2025"
    """Real rate per year, or the name of a Dutch preset."""
    base_year: int | None = None
    """Year whose euros present values are in; the first decision year when absent."""
    end_value: EndValue | None = None
    """Value of the stocks left at the end; nothing when absent."""
    components: tuple[str, ...] = ()
    """Model variables whose present values are shown beside the objective, such as its parts."""


class Search(Strict):
    """How the optimiser works."""

    gap: float = Field(default=0.0001, gt=0)
    """Stop when bound and best are this close, relative to the improvement over the null alternative."""
    iterations: int = Field(default=300, ge=1)
    """Most rounds of the master problem."""
    seed: int = Field(default=1, ge=0)
    """Seed of everything random."""
    audit: int = Field(default=10_000, ge=100)
    """Number of points, and of pairs of points, with which concavity is audited."""
    starts: int = Field(default=8, ge=2)
    """Starts of the local search, used when concavity is disproved."""


class Output(Strict):
    """Where results go and in which language."""

    directory: Path = Field(default=Path("../results"), json_schema_extra={"default": "../results"})
    """Folder that gets one new folder per run, relative to this config file."""
    language: Literal["nl", "en"] = "nl"
    """Language of everything that is written."""
    show: tuple[str, ...] = ()
    """Model variables shown in the workbook; all stocks when absent."""
    labels: dict[str, Annotated[str, Field(min_length=1)]] = {}
    """Model variable -> name that readers of workbook and picture see; the model's own name when absent."""
    names: Path | None = None
    """Table of such names in more than one language (.csv: variable, nl, en); `labels` win over it."""


class Config(Strict):
    """One question put to one model."""

    schema_version: Literal[1]
    """Version of this format."""
    title: str = Field(min_length=1)
    """The question in one line; printed on every result."""
    model: ModelFiles
    """The model file, and what is changed in it."""
    horizon: Horizon
    """The years that are simulated and counted."""
    decision_years: Years
    """The years in which the optimiser chooses."""
    decisions: dict[str, Decision] = Field(min_length=1)
    """Short id -> decision."""
    programmes: dict[str, Programme] = {}
    """Short id -> programme that starts in some year or never."""
    choices: dict[str, Choice] = {}
    """Name in plain words -> how many of some programmes."""
    constraints: dict[str, Constraint] = {}
    """Name in plain words -> constraint."""
    fiscal_rules: FiscalRules | None = None
    """Rules of public finance that hold or are checked; none when absent."""
    forms: dict[str, Form] = {}
    """Name in plain words -> simpler form of decision, optimised too and compared with the free path."""
    objective: Objective
    """What is maximised."""
    ledger: LedgerFiles | None = None
    """Who pays and who gains; no such tables when absent."""
    valuation: Valuation | None = None
    """How effects without a price are valued; the table of constants decides when absent."""
    uncertainties: Literal["from_table"] | tuple[Literal["from_table"] | Uncertainty, ...] = "from_table"
    """`from_table`: every constant with status judgement or memory or confidence C or D, unless fixed.

    In a list, `from_table` stands for those, and what is listed beside it replaces them one by one.
    """
    correlations: tuple[Correlation, ...] = ()
    """Pairs of uncertain constants that are high or low together; others are independent."""
    external_scenarios: dict[str, ExternalScenario] = {}
    """Name in plain words -> future that nobody here chooses; an empty one is the model as it stands."""
    search: Search = Search()
    """How the optimiser works."""
    explanation: Explanation = Explanation()
    """What `optimise --explain` explains beside prices, ranges and contributions."""
    robust: Robust = Robust()
    """What `sdopt robust` optimises: one allocation for all scenarios."""
    sweep: Sweep = Sweep()
    """What `sdopt sweep` runs."""
    output: Output = Output()
    """Where results go and in which language."""
