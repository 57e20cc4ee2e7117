"""Decide now, learn, decide again: against one path that is fixed beforehand.

Decisions of the first years are the same for all futures. Then it is learned in which group of futures the
world is, and the later decisions are chosen for that group. All decisions together are one long vector, of
which each group uses a part; as a question it has the same shape as that of one robust allocation, so the
same search answers both, with bound and audit. Rules hold in each group, also those between the last year
that is decided now and the first that is decided later; limits on model variables hold at central values in
each group, as they do for the fixed path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.config.robust import Robust
from sdopt.errors import ConfigError
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.readings import Reader, without_failed
from sdopt.optimise.robust.run import weakest
from sdopt.optimise.robust.solve import RobustFound, share_work, solve
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.build import Problem
from sdopt.sweep.stages import Learned, Stages, long_ensemble
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

EVERY = "all"
"""In place of the name of an external scenario."""


@dataclass(frozen=True)
class Adaptive:
    """The best fixed path, and the best way to decide now and again later; improvements are expectations.

    `fixed` and `adaptive` are as `solve` gives them, the latter with the long vector of `stages`.
    """

    problem: Problem
    scenarios: Scenarios
    learned: Learned
    stages: Stages
    year: int
    fixed: RobustFound
    adaptive: RobustFound

    @property
    def gained(self) -> tuple[float, float, float]:
        """What deciding again is worth: as found, at least and at most.

        At least counts from the bound of the fixed path, at most up to that of the adaptive one; the ends are
        infinite where such a bound is withdrawn.
        """
        fixed = np.inf if self.fixed.bound is None else self.fixed.bound
        adaptive = np.inf if self.adaptive.bound is None else self.adaptive.bound
        found = self.adaptive.value - self.fixed.value
        return found, self.adaptive.value - fixed, adaptive - self.fixed.value

    def of_group(self, group: int) -> Floats:
        """The decision vector (decision,) that a group gets."""
        return np.asarray(self.adaptive.reading.point[self.stages.columns[group]])


def adapt(
    problem: Problem,
    scenarios: Scenarios,
    learned: Learned,
    year: int,
    robust: Robust,
    starts: Floats,
    left_out: set[int],
    progress: Progress = lambda *_: None,
    fixed: RobustFound | None = None,
    stop: Stop = NEVER,
) -> Adaptive:
    """The best fixed path, and the best allocation when the group is known from `year` on.

    Parameters
    ----------
    learned : what is learned before that year is decided on
    robust : gap and iterations of the search; its measures and limits in scenarios are not used
    starts : allocations (point, decision) that are known, such as the null alternative and the advice
    left_out : constraints (positions) that are known not to be concave
    fixed : the best fixed path over these scenarios, if it is known already
    stop : when to end with the best so far

    Raises
    ------
    ConfigError
        When nothing is decided before that year, or nothing from it on; or with programmes.
    OptimisationError, SimulationError
        When no allocation is allowed, or the model gives inf or nan for one that is.
    """
    stages = Stages.of(problem.decisions, year, learned.count)
    if stages.now.all() or not stages.now.any() or problem.decisions.programmes:
        first, last = problem.decisions.first_year + 1, problem.decisions.last_year
        raise ConfigError(
            f"learning in {year}: there must be a decision before and one from that year on "
            f"({first} to {last}), and no programmes"
        )
    asked = robust.model_copy(update={"limits": "central", "probability_limits": {}})
    ensemble = without_failed(build_ensemble(problem, scenarios))
    fixed = fixed or _best(ensemble, asked, starts, left_out, progress, stop)
    long = long_ensemble(ensemble, learned, stages)
    count = len(problem.constraints)
    known = {group * count + c for group in range(learned.count) for c in fixed.left_out}
    points = np.array([fixed.reading.point, *starts])[:, stages.origin]
    adaptive = _best(long, asked, points, known, progress, stop)
    return Adaptive(problem, ensemble.scenarios, learned, stages, year, fixed, adaptive)


def _best(
    ensemble: Ensemble, robust: Robust, starts: Floats, left_out: set[int], progress: Progress, stop: Stop
) -> RobustFound:
    shared = share_work(Reader(ensemble), robust, starts, left_out, stop)
    return solve(shared, Measure("expected", shared.probability), progress)


def adaptive_table(found: Adaptive) -> DataFrame:
    """What is decided now, and later in each group.

    Returns
    -------
    table with columns decision, variable, period (its first year), stage (`now`, `later`), group (1 has the
    lowest values of what is learned; 0 is all), from, to (values of what is learned in that group; nan: no
    end), external (the external scenario of the group; `all` where it is not learned), fixed (by the fixed
    path), adaptive, unit.
    """
    import pandas as pd

    paths = {path.id: path for path in found.problem.decisions.paths}
    rows = []
    for k, (decision, period) in enumerate(found.problem.decisions.labels()):
        now = bool(found.stages.now[k])
        for group in range(1 if now else found.learned.count):
            rows.append({
                "decision": decision, "variable": paths[decision].name, "period": period,
                "stage": "now" if now else "later", **_group(found.learned, None if now else group),
                "fixed": float(found.fixed.reading.point[k]), "adaptive": float(found.of_group(group)[k]),
                "unit": paths[decision].unit,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _group(learned: Learned, group: int | None) -> dict[str, float | str]:
    """What is known of a group; None is before anything is learned."""
    if group is None or learned.names:
        edges, number = (np.nan, np.nan), 0 if group is None else group + 1
        name = EVERY if group is None else learned.names[group]
        return {"group": number, "from": edges[0], "to": edges[1], "external": name}
    edge = [np.nan, *learned.edges, np.nan]
    return {"group": group + 1, "from": edge[group], "to": edge[group + 1], "external": EVERY}


def adaptive_value_table(found: Adaptive) -> DataFrame:
    """Expected improvement of both, with proof: what, value, least, bound, gap, status, unit.

    `what` is `fixed path`, `decide again`, and `gained` by it: bound is the most it can be, least what it is
    at least. Nan where the bounds that this rests on are withdrawn. Deciding again can always follow the
    fixed path, so that it gains at least nothing. The status of `gained` is the weaker of the two.
    """
    import pandas as pd

    rows = [
        (what, one.value, one.value, np.nan if one.bound is None else one.bound,
         np.nan if one.gap is None else one.gap, one.status.key)
        for what, one in (("fixed path", found.fixed), ("decide again", found.adaptive))
    ]  # fmt: skip
    value, least, most = found.gained
    status = weakest((found.fixed.status, found.adaptive.status)).key
    rows.append(("gained", value, max(least, 0.0), most if np.isfinite(most) else np.nan, np.nan, status))
    table = pd.DataFrame(rows, columns=["what", "value", "least", "bound", "gap", "status"])
    return table.assign(unit=found.problem.objective_unit)
