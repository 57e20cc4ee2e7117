"""What a user reads when no allocation is allowed: what clashes, how sure that is, what would repair it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import SLACK_NOISE, Archive, View, tangent_excess
from sdopt.optimise.infeasible.clash import Clash, find_clash, first_contradiction
from sdopt.optimise.infeasible.limits import Limit, all_limits
from sdopt.optimise.infeasible.oracle import Oracle
from sdopt.optimise.infeasible.repair import Repair, least_repair, repairs_alone

SHOWN = 12
"""Most lines of one list."""


class ClashError(OptimisationError):
    """Limits cannot all hold; which, and what would repair it, is worked out when its text is asked for."""

    def __init__(self, view: View, archive: Archive, doubtful: Collection[int] = ()) -> None:
        super().__init__()
        self.asked = view, archive, tuple(doubtful)
        self.message: str | None = None

    def __str__(self) -> str:
        """The message."""
        if self.message is None:
            self.message = clash(*self.asked)
        return self.message


def clash(view: View, archive: Archive, doubtful: Collection[int] = ()) -> str:
    """The message for a question whose limits cannot all hold; tangents are added to the archive.

    `doubtful` are model constraints (positions) whose room is not concave: no contradiction leans on them.
    """
    problem = view.problem
    oracle = Oracle(problem, archive, all_limits(problem))
    found = find_clash(oracle, doubtful)
    if found is None:
        return (
            "no allocation meets all limits, but by so little that it cannot be told from rounding: "
            "give a limit some more room."
        )
    lines = ["the limits cannot all hold. " + _headline(found)]
    lines += _shown(_described(oracle.limits, found.members))
    lines.append(_sureness(view, archive, oracle.limits, found))
    return "\n".join(lines + _repair_lines(oracle, found))


def proves_clash(view: View, archive: Archive, doubtful: Collection[int] = ()) -> bool:
    """Whether there is a contradiction that is more than rounding, and does not lean on `doubtful`."""
    oracle = Oracle(view.problem, archive, all_limits(view.problem))
    return first_contradiction(oracle, doubtful) is not None


def _headline(found: Clash) -> str:
    count = len(found.members)
    if count == 1:
        return "This one can never be met:"
    if found.smallest:
        return f"These {count} clash, and no smaller set does:"
    if found.irreducible:
        return f"These {count} clash; without any one of them the others can hold:"
    return f"These {count} clash:"


def _sureness(view: View, archive: Archive, limits: Sequence[Limit], found: Clash) -> str:
    """What the contradiction rests on."""
    names = sorted({limits[k].entry for k in found.members if not limits[k].linear})
    if not names:
        return "This is proved: limits between decisions are linear."
    _, above = tangent_excess(view, archive, archive.points, archive.values)
    positions = [c for k in found.members for c in limits[k].constraints]
    named = ", ".join(names)
    if above[positions].max(initial=0.0) > SLACK_NOISE:
        return f"This is likely, not proved: the room on a limit is not concave in the decisions: {named}."
    return f"This is proved if the room is concave in the decisions, as it was wherever tried: {named}."


def _repair_lines(oracle: Oracle, found: Clash) -> list[str]:
    alone = repairs_alone(oracle, found.members)
    if alone:
        lines = ["Any one of these changes repairs it (checked):"]
        return lines + _shown(_changed(oracle.limits, repair) for repair in alone)
    together = least_repair(oracle)
    if together is None:
        return ["No relaxation was found that repairs it."]
    lines = ["No change of one of them is enough. The least, as parts of the limits, that is (checked):"]
    return lines + _shown([_changed(oracle.limits, together)])


def _described(limits: Sequence[Limit], members: Iterable[int]) -> list[str]:
    """One line per entry and value, with the years in which it counts."""
    years: dict[str, list[int]] = {}
    heads: dict[str, str] = {}
    for k in members:
        limit = limits[k]
        text = f"at most {limit.share}" if limit.share else _value(limit)
        key = f"{limit.entry}\n{text}"
        years.setdefault(key, []).append(limit.year)
        heads[key] = text
    return [f"{key.split(chr(10))[0]} ({_span(years[key])}): {text}" for key, text in heads.items()]


def _changed(limits: Sequence[Limit], repair: Repair) -> str:
    """The changes of one repair, such as `total (2028): at most 41.2 million EUR/Year (now 40)`."""
    years: dict[tuple[str, str], list[int]] = {}
    for k, amount in zip(repair.members, repair.amounts, strict=True):
        limit = limits[k]
        if limit.share.endswith("%"):
            text = f"{limit.share} and {amount:.6g} {limit.unit}"
        elif limit.share:
            now = float(limit.share.split()[0])
            text = f"at most {now + amount:.6g} {limit.unit} (now {now:g})"
        else:
            text = f"{_value(limit.relaxed(amount))} (now {limit.limit:.6g})"
        years.setdefault((limit.entry, text), []).append(limit.year)
    return "; ".join(f"{entry} ({_span(found)}): {text}" for (entry, text), found in years.items())


def _value(limit: Limit) -> str:
    return f"{limit.sense.replace('_', ' ')} {limit.limit:.6g} {limit.unit}".rstrip()


def _span(years: Sequence[int]) -> str:
    """Years as 2027 or 2027-2030 or 2027, 2029."""
    ordered = sorted(set(years))
    if len(ordered) > 1 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]}-{ordered[-1]}"
    return ", ".join(map(str, ordered))


def _shown(lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    more = [f"  * and {len(listed) - SHOWN} more"] if len(listed) > SHOWN else []
    return [f"  * {line}" for line in listed[:SHOWN]] + more
