"""Why no allocation is allowed: what clashes, how sure that is, what would repair it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import SLACK_NOISE, Archive, View, tangent_excess
from sdopt.optimise.infeasible.clash import Clash, find_clash, first_contradiction
from sdopt.optimise.infeasible.limits import Limit, all_limits
from sdopt.optimise.infeasible.oracle import Oracle
from sdopt.optimise.infeasible.repair import Repair, least_repair, repairs_alone
from sdopt.optimise.infeasible.said import ROUNDING, Clashing, Said


class ClashError(OptimisationError):
    """Limits cannot all hold; which, and what would repair it, is worked out when it is asked for."""

    def __init__(self, view: View, archive: Archive, doubtful: Collection[int] = ()) -> None:
        super().__init__()
        self.asked = view, archive, tuple(doubtful)
        self.known: Clashing | None = None

    @property
    def clashing(self) -> Clashing:
        """What clashes, and what would repair it."""
        if self.known is None:
            self.known = clash(*self.asked)
        return self.known

    def __str__(self) -> str:
        """The message."""
        return str(self.clashing)


def clash(view: View, archive: Archive, doubtful: Collection[int] = ()) -> Clashing:
    """Why a question's limits cannot all hold; tangents are added to the archive.

    `doubtful` are model constraints (positions) whose room is not concave: no contradiction leans on them.
    """
    problem = view.problem
    oracle = Oracle(problem, archive, all_limits(problem))
    found = find_clash(oracle, doubtful)
    if found is None:
        return Clashing(ROUNDING)
    asked = [(_asked(oracle.limits[k]), oracle.limits[k].year) for k in found.members]
    sure, names = _sureness(view, archive, oracle.limits, found)
    count = len(found.members)
    return Clashing(_headline(found), count, _years_together(asked), sure, names, *_repairs(oracle, found))


def proves_clash(view: View, archive: Archive, doubtful: Collection[int] = ()) -> bool:
    """Whether there is a contradiction that is more than rounding, and does not lean on `doubtful`."""
    oracle = Oracle(view.problem, archive, all_limits(view.problem))
    return first_contradiction(oracle, doubtful) is not None


def _headline(found: Clash) -> str:
    if len(found.members) == 1:
        return "one"
    return "smallest" if found.smallest else "irreducible" if found.irreducible else "several"


def _sureness(
    view: View, archive: Archive, limits: Sequence[Limit], found: Clash
) -> tuple[str, tuple[str, ...]]:
    """What the contradiction rests on, and on whose room."""
    names = tuple(sorted({limits[k].entry for k in found.members if not limits[k].linear}))
    if not names:
        return "linear", ()
    _, above = tangent_excess(view, archive, archive.points, archive.values)
    positions = [c for k in found.members for c in limits[k].constraints]
    return "likely" if above[positions].max(initial=0.0) > SLACK_NOISE else "concave", names


def _repairs(oracle: Oracle, found: Clash) -> tuple[str, tuple[tuple[Said, ...], ...]]:
    """What one change, or else the least, would repair it."""
    alone = repairs_alone(oracle, found.members)
    if alone:
        return "alone", tuple(_changed(oracle.limits, repair) for repair in alone)
    together = least_repair(oracle)
    return ("none", ()) if together is None else ("together", (_changed(oracle.limits, together),))


def _asked(limit: Limit) -> Said:
    """What a limit asks, its year left out."""
    if limit.share and not limit.share.endswith("%"):
        return Said(limit.entry, "", "at_most", float(limit.share.split()[0]), limit.unit)
    return Said(limit.entry, "", limit.sense, limit.limit, limit.unit, limit.share)


def _changed(limits: Sequence[Limit], repair: Repair) -> tuple[Said, ...]:
    """What the limits of a repair would ask."""
    pairs = []
    for k, amount in zip(repair.members, repair.amounts, strict=True):
        now, limit = _asked(limits[k]), limits[k]
        if now.share:
            changed = replace(now, more=amount)
        elif limit.share:
            changed = replace(now, limit=now.limit + amount, now=now.limit)
        else:
            changed = replace(now, limit=limit.relaxed(amount).limit, now=now.limit)
        pairs.append((changed, limit.year))
    return _years_together(pairs)


def _years_together(pairs: Iterable[tuple[Said, int]]) -> tuple[Said, ...]:
    """One per entry and what it asks, with the years in which it counts."""
    years: dict[tuple[str, str], list[int]] = {}
    first: dict[tuple[str, str], Said] = {}
    for said, year in pairs:
        key = said.entry, said.asked
        years.setdefault(key, []).append(year)
        first.setdefault(key, said)
    return tuple(replace(said, years=_span(years[key])) for key, said in first.items())


def _span(years: Sequence[int]) -> str:
    """Years as 2027 or 2027-2030 or 2027, 2029."""
    ordered = sorted(set(years))
    if len(ordered) > 1 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]}-{ordered[-1]}"
    return ", ".join(map(str, ordered))
