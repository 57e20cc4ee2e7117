"""The text of a config for another municipality: that of the national one, with the amounts in proportion."""

from __future__ import annotations

import re
from dataclasses import dataclass

CONFIG = "voorbeeld-100k.yaml"
TITLES = {
    "grote-stad": "Grote stad",
    "middelgrote-gemeente": "Middelgrote gemeente",
    "kleine-plattelandsgemeente": "Kleine vergrijzende plattelandsgemeente",
    "krimpregio": "Gemeente in een krimpregio",
}
DECISION = re.compile(r"(\n *variable: )([^\n]+)((?:\n +(?:bounds|largest_\w+):[^\n]*)+)")
BALANCE = re.compile(
    r"(\n    (?:structural balance|realistic savings): \{[^}]*?)(?:, smallest balance: ([-\d.]+))?\}"
)
AMOUNT = re.compile(r"(?<=[\[ ])[\d.]+(?=[,\]\n]|$)")


@dataclass(frozen=True)
class Size:
    """How a municipality compares to the national one of 100,000 inhabitants.

    `share`: constant -> its value relative to that one's; `spending`: decided spending relative to that
    one's; `shortfall`: structural shortfall in the last decision year without new policy, here and there
    (million EUR/Year).
    """

    place: str
    inhabitants: float
    share: dict[str, float]
    spending: float
    shortfall: float
    national_shortfall: float

    def smallest_balance(self, national: float) -> float:
        """Structural balance to reach: the same share of decided spending is closed as nationally, or all."""
        return min(0.0, self.spending * (self.national_shortfall + national) - self.shortfall)


def config(text: str, size: Size) -> str:
    """The config of the national municipality, with the amounts of another."""
    head, body = text.split("schema_version", 1)
    body = DECISION.sub(lambda m: m[1] + m[2] + scaled(m[3], size.share[m[2]]), body)
    for key, factor in (
        ("largest withdrawal", size.spending),
        ("floor", size.share["initial general reserve"]),
    ):
        body = re.sub(rf"({key}: )([\d.]+)\b", lambda m, f=factor: m[1] + times(m[2], f), body)
    body = BALANCE.sub(
        lambda m: f"{m[1]}, smallest balance: {size.smallest_balance(float(m[2] or 0)):.3g}}}", body
    )
    body = re.sub(r"\n(#[^\n]*\n)+fiscal_rules:", f"\n{_about(size)}\nfiscal_rules:", body)
    inhabitants = f"{size.inhabitants:,.0f}".replace(",", ".")
    title = f"{TITLES.get(size.place, size.place)} met {inhabitants} inwoners"
    body = re.sub(r"(\ntitle: )[^,\n]+", rf"\g<1>{title}", body)
    table = f"models/municipalities/{size.place}.csv"
    body = re.sub(r"(\n  constants: [^\n]+)", rf"\g<1>\n  municipality: ../{table}", body)
    return f"""{head.splitlines()[0]}
# Written by models/write_municipalities.py from {CONFIG}: the same question for another municipality.
# What differs stands in {table}; bounds and limits are in proportion to today's.
# The municipality is illustrative. Money is in million EUR at 2024 prices.
schema_version{body}"""


def _about(size: Size) -> str:
    """What the amounts of the fiscal rules are, in words."""
    return (
        f"# Fiscal rules by name (models/fiscal_rules.yaml, docs/fiscal-rules.md). Without new policy\n"
        f"# {size.shortfall:.2g} million EUR a year is short in 2030. To be closed by then: as much of what\n"
        f"# the council decides on as in {CONFIG}, or all of it when that is less."
    )


def scaled(lines: str, factor: float) -> str:
    """Amounts of a decision in proportion; shares of the year before stay."""
    return AMOUNT.sub(lambda match: times(match[0], factor), lines)


def times(amount: str, factor: float) -> str:
    """An amount in proportion, in three digits."""
    return f"{float(amount) * factor:.3g}"
