"""What `optimise --explain` explains beside what it always does: mechanisms and trade-offs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.strict import Strict


class TradeOff(Strict):
    """Another aim beside the return: a model variable of which more, or less, is better."""

    variable: str
    """Model variable, as written in the model."""
    measure: Literal["present_value", "average", "end"] = "present_value"
    """Over the counted years: discounted sum, or average; or the value at the end of the horizon."""
    better: Literal["higher", "lower"] = "higher"
    """What is wished."""
    label: Annotated[str, Field(min_length=1)] | None = None
    """Name for readers; that of the variable when absent."""


class Explanation(Strict):
    """Settings of `optimise --explain`."""

    mechanisms: Literal["default"] | dict[str, Annotated[dict[str, float], Field(min_length=1)]] = "default"
    """Name -> constants with the values that switch it off; `default`: mechanisms.csv beside the model."""
    frontier: Literal["default"] | tuple[TradeOff, ...] = "default"
    """Aims set against the return, each in a frontier; `default`: the cash perspectives of the ledger."""
