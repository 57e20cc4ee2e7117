"""A clash of limits as data, and the message in English that a user reads of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 12
"""Most lines of one list."""
ROUNDING = "rounding"
FOUND = {
    "one": "This one can never be met:",
    "smallest": "These {count} clash, and no smaller set does:",
    "irreducible": "These {count} clash; without any one of them the others can hold:",
    "several": "These {count} clash:",
}
SURE = {
    "linear": "This is proved: limits between decisions are linear.",
    "concave": "This is proved if the room is concave in the decisions, as it was wherever tried: {names}.",
    "likely": "This is likely, not proved: the room on a limit is not concave in the decisions: {names}.",
}
REPAIRED = {
    "alone": "Any one of these changes repairs it (checked):",
    "together": "No change of one of them is enough. The least, as parts of the limits, that is (checked):",
    "none": "No relaxation was found that repairs it.",
}


@dataclass(frozen=True)
class Said:
    """What an entry of the config asks in some years (as 2027-2029), or would ask after a change.

    `share` is a change limit such as 30%, "" for others, whose `limit` is in `unit`. After a change, `now` is
    what the limit was, and `more` what a share gets on top, in `unit`.
    """

    entry: str
    years: str
    sense: str
    limit: float
    unit: str
    share: str = ""
    now: float | None = None
    more: float | None = None

    @property
    def asked(self) -> str:
        """What it asks, without entry and years."""
        if self.share:
            return (
                f"at most {self.share}"
                if self.more is None
                else f"{self.share} and {self._with_unit(self.more)}"
            )
        asked = f"{self.sense.replace('_', ' ')} {self._with_unit(self.limit)}"
        return asked if self.now is None else f"{asked} (now {self.now:.6g})"

    def _with_unit(self, value: float) -> str:
        return f"{value:.6g} {self.unit}".rstrip()

    def __str__(self) -> str:
        """Such as `total (2028): at most 41.2 million EUR/Year (now 40)`."""
        return f"{self.entry} ({self.years}): {self.asked}"


@dataclass(frozen=True)
class Clashing:
    """Why limits cannot all hold. `found`, `sure` and `repaired` are keys of `FOUND`, `SURE` and `REPAIRED`.

    `found` is `rounding`, without the rest, where nothing clashes by more than that. `count` limits, each in
    one year, are in `members`, years together; `names` are the entries that `sure` is about. Each of the
    `repairs` is enough by itself.
    """

    found: str
    count: int = 0
    members: tuple[Said, ...] = ()
    sure: str = ""
    names: tuple[str, ...] = ()
    repaired: str = ""
    repairs: tuple[tuple[Said, ...], ...] = ()

    def __str__(self) -> str:
        """The message."""
        if self.found == ROUNDING:
            return (
                "no allocation meets all limits, but by so little that it cannot be told from rounding: "
                "give a limit some more room."
            )
        lines = ["the limits cannot all hold. " + FOUND[self.found].format(count=self.count)]
        lines += _shown(map(str, self.members))
        lines += [SURE[self.sure].format(names=", ".join(self.names)), REPAIRED[self.repaired]]
        return "\n".join(lines + _shown("; ".join(map(str, repair)) for repair in self.repairs))


def _shown(lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    more = [f"  * and {len(listed) - SHOWN} more"] if len(listed) > SHOWN else []
    return [f"  * {line}" for line in listed[:SHOWN]] + more
