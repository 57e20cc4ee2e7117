"""The small problems once more: published equations in plain NumPy, solved by other means than sdopt's.

    python benchmarks/independent.py [NAME ...]

Nothing here comes from the model files or the engine. Each problem is solved exactly (by hand), by dynamic
programming, or by a full grid; where neither is possible by SciPy's SLSQP from many random starts. What this
prints stands in `problems/problems.csv` as the check of the best known values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Checked:
    """A value found without sdopt, and the decisions that give it, in the order of the config."""

    value: float
    point: Floats
    how: str


def discounted(rate: float, time: float) -> float:
    return float((1 + rate) ** -time)


# --- the equations: decisions (point, decision) -> objective (point,) -------------------------------------


def fishing(u: Floats) -> Floats:
    """Sager (2006); one published unit of time is four years."""
    prey, predators, total = np.full(len(u), 0.5), np.full(len(u), 0.7), np.zeros(len(u))
    for step in range(48 * 8):
        w, width = u[:, step // 8], 0.125 / 4
        total = total - width * ((prey - 1) ** 2 + (predators - 1) ** 2)
        grown = width * (prey - prey * predators - 0.4 * prey * w)
        predators = predators + width * (-predators + prey * predators - 0.2 * predators * w)
        prey = prey + grown
    return total


def harvest(u: Floats) -> Floats:
    """Lotka-Volterra with a ceiling; harvest in proportion to effort (Clark 1990)."""
    prey, predators, total = np.full(len(u), 60.0), np.full(len(u), 12.0), np.zeros(len(u))
    for step in range(80):
        e, f = u[:, step // 8], u[:, 10 + step // 8]
        catch, other = 0.1 * e * prey, 0.1 * f * predators
        gain = catch + 6 * other - 0.3 * (e**2 + f**2)
        total = total + 0.125 * discounted(0.05, step / 8) * gain
        eaten = prey * predators
        prey, predators = (
            prey + 0.125 * (0.9 * prey * (1 - prey / 100) - 0.02 * eaten - catch),
            predators + 0.125 * (0.01 * eaten - 0.4 * predators - other),
        )
    return total + discounted(0.05, 10) * (prey / 2 + 3 * predators)


def epidemic_year(
    infected: Floats, prevention: Floats, treatment: Floats, year: int
) -> tuple[Floats, Floats]:
    """Infected after a year, and the welfare of that year."""
    total = np.zeros(np.broadcast_shapes(infected.shape, prevention.shape))
    meeting = 1.2 * np.exp(-0.25 * prevention)
    leaving = 0.4 + 0.8 * (1 - np.exp(-treatment / 1.5))
    for step in range(8):
        total = total + 0.125 * discounted(0.03, year + step / 8) * (-40 * infected - prevention - treatment)
        infected = infected + 0.125 * (meeting * infected * (1 - infected) - leaving * infected)
    return infected, total


def epidemic(u: Floats) -> Floats:
    infected, total = np.full(len(u), 0.2), np.zeros(len(u))
    for year in range(8):
        infected, gain = epidemic_year(infected, u[:, year], u[:, 8 + year], year)
        total = total + gain
    return total - discounted(0.03, 8) * 160 * infected


def mini_world(u: Floats, pollution_at: list[Floats] | None = None) -> Floats:
    """Bossel's mini-world; `pollution_at` collects pollution at the end of the last ten years."""
    people, pollution, made, total = (np.full(len(u), v) for v in (1.0, 1.0, 1.0, 0.0))
    for step in range(240):
        births, aim = u[:, step // 40], u[:, 6 + step // 40]
        welfare = np.sqrt(people * made) - 0.2 * pollution**2 - (1 - births) ** 2 - 0.002 * (aim - 1) ** 2
        total = total + 0.25 * discounted(0.01, step / 4) * welfare
        born = 0.03 * people * births * made / pollution
        people, pollution, made = (
            people + 0.25 * (born - 0.01 * people * pollution),
            pollution + 0.25 * (0.02 * people * made - 0.1 * np.minimum(pollution, 1)),
            made + 0.25 * 0.05 * made * pollution * (1 - made * pollution / aim),
        )
        if pollution_at is not None and step >= 200 and step % 4 == 3:
            pollution_at.append(pollution)
    return total


def market(u: Floats, delay_at: list[Floats] | None = None) -> Floats:
    """Reduced from Forrester (1968); `delay_at` collects the remembered delay at every year's end."""
    men, backlog, capacity, delay, total = (np.full(len(u), v) for v in (4.0, 80.0, 300.0, 0.5, 0.0))
    for step in range(80):
        sales, invested = u[:, step // 8], u[:, 10 + step // 8]
        delivered = capacity * backlog / (backlog + 0.15 * capacity)
        ordered = 100 * men / (1 + (delay / 0.6) ** 4)
        total = total + 0.125 * discounted(0.06, step / 8) * (0.2 * delivered - sales - invested)
        men, backlog, capacity, delay = (
            men + 0.125 * (sales / 5 - men),
            backlog + 0.125 * (ordered - delivered),
            capacity + 0.125 * (invested / 0.4 - capacity / 8),
            delay + 0.125 * (backlog / delivered - delay) / 0.5,
        )
        if delay_at is not None and step % 8 == 7:
            delay_at.append(delay)
    return total + discounted(0.06, 10) * 0.15 * capacity


def lake_years(phosphorus: Floats, loading: Floats, period: int) -> tuple[Floats, Floats]:
    """Phosphorus after three years, and their utility (Maeler et al. 2003)."""
    total = np.zeros(np.broadcast_shapes(phosphorus.shape, loading.shape))
    for step in range(12):
        factor = 0.25 * discounted(0.03, 3 * period + step / 4)
        total = total + factor * (np.log(loading) - 0.5 * phosphorus**2)
        square = phosphorus**2
        phosphorus = phosphorus + 0.25 * (loading - 0.6 * phosphorus + square / (square + 1))
    return phosphorus, total


def lake(u: Floats) -> Floats:
    phosphorus, total = np.ones(len(u)), np.zeros(len(u))
    for period in range(10):
        phosphorus, gain = lake_years(phosphorus, u[:, period], period)
        total = total + gain
    return total


def s_shape(u: Floats) -> Floats:
    a, b, total = (np.zeros(len(u)) for _ in range(3))
    for step in range(12):
        more_a, more_b = (u[:, step // 2], u[:, 2 + step // 2]) if step < 4 else (0.0, 0.0)
        total = total + 0.5 * (6 * a**4 / (a**4 + 81) + 9 * b**4 / (b**4 + 625) - more_a - more_b)
        a, b = a + 0.5 * (more_a - a / 2), b + 0.5 * (more_b - b / 2)
    return total


def two_basins(u: Floats) -> Floats:
    place, total = np.zeros(len(u)), np.zeros(len(u))
    for step in range(12):
        pace = u[:, step // 2] if step < 6 else np.full(len(u), 0.5)
        hills = 5 * np.exp(-(((place - 3) / 2) ** 2)) + 12 * np.exp(-(((place - 9) / 1.2) ** 2))
        total = total + 0.5 * (hills - 0.2 * pace**2)
        place = place + 0.5 * (pace - 0.1 * place)
    return total


def centres(outreach: Floats, starts: Sequence[int | None]) -> Floats:
    """Outreach (point, year); the year, counted from the first, in which each centre opens, or None."""
    reach, total = np.zeros(len(outreach)), np.zeros(len(outreach))
    spending, power, opening = (1.0, 1.0, 2.0), (1.0, 0.8, 0.7), (3.5, 2.2, 1.0)
    for step in range(16):
        year = step // 2 - 1
        deciding = 0 <= year < 4
        more = outreach[:, year] if deciding else np.zeros(len(outreach))
        open_now = [deciding and s is not None and s <= year for s in starts]
        paid = sum(p for p, o in zip(spending, open_now, strict=True) if o)
        paid += sum(c for c, s in zip(opening, starts, strict=True) if deciding and s == year)
        if year >= 0:
            total = total + 0.5 * (14 * (1 - np.exp(-reach / 3)) - paid - more)
        built = sum(w * p for w, p, o in zip(power, spending, open_now, strict=True) if o)
        reach = reach + 0.5 * (built + 1.2 * np.sqrt(1 + more) - reach / 2)
    return total


# --- other ways to solve them ------------------------------------------------------------------------------


def from_many_starts(
    objective: Callable[[Floats], Floats],
    lower: Sequence[float],
    upper: Sequence[float],
    starts: int,
    slacks: Callable[[Floats], Floats] | None = None,
    first: Floats | None = None,
) -> tuple[float, Floats]:
    """SLSQP from random starts; `slacks(points) -> (point, row)` must be at least zero."""
    low, wide = np.array(lower), np.array(upper) - np.array(lower)
    size, random = len(low), np.random.default_rng(7)

    def slope(function: Callable[[Floats], Floats], x: Floats) -> Floats:
        steps = np.where(x < 0.5, 1e-7, -1e-7)
        values = function(low + wide * np.vstack([x, x + np.diag(steps)]))
        return np.asarray(((values[1:] - values[0]).T / steps).T)

    held = []
    if slacks is not None:
        held.append(
            {
                "type": "ineq",
                "fun": lambda x: slacks((low + wide * x)[None])[0],
                "jac": lambda x: slope(slacks, x).T,
            }
        )
    best: tuple[float, Floats] = (-np.inf, low)
    points = random.random((starts, size)) if first is None else ((first - low) / wide)[None]
    for start in points:
        with np.errstate(all="ignore"):
            found = minimize(
                lambda x: -objective((low + wide * x)[None])[0],
                start,
                jac=lambda x: -slope(objective, x),
                method="SLSQP",
                bounds=[(0, 1)] * size,
                constraints=held,
                options={"maxiter": 500, "ftol": 1e-12},
            )
        x = np.clip(found.x, 0, 1)
        allowed = slacks is None or slacks((low + wide * x)[None]).min() >= -1e-8
        if allowed and -found.fun > best[0]:
            best = (float(-found.fun), low + wide * x)
    return best


def programme(
    year: Callable[[Floats, Floats, int], tuple[Floats, Floats]],
    actions: Floats,
    periods: int,
    states: Floats,
    at_the_end: Callable[[Floats], Floats],
    begin: float,
) -> Floats:
    """Dynamic programming over one stock with actions (kind, action): the best of them, (period, kind)."""
    worth, chosen = at_the_end(states), []
    for period in reversed(range(periods)):
        after, gain = year(states[:, None], actions, period)
        totals = gain + np.interp(after, states, worth)
        chosen.append(totals.argmax(axis=1))
        worth = totals.max(axis=1)
    path, state = [], np.array([begin])
    for period, choice in enumerate(reversed(chosen)):
        action = actions[:, [choice[np.abs(states - state[0]).argmin()]]]
        path.append(action[:, 0])
        state = year(state, action, period)[0]
    return np.array(path)


def check_fishing() -> Checked:
    value, point = from_many_starts(fishing, [0] * 48, [1] * 48, 8)
    return Checked(value, point, "SLSQP from 8 starts; Sager's 1.34408 is in continuous time")


def check_harvest() -> Checked:
    value, point = from_many_starts(harvest, [0] * 20, [8] * 20, 40, lambda u: 9 - u[:, :10] - u[:, 10:])
    return Checked(value, point, "SLSQP from 40 starts")


def check_epidemic() -> Checked:
    grid = np.linspace(0, 4, 81)
    pairs = np.array([(p, t) for p, t in product(grid, grid) if p + t <= 4 + 1e-12]).T
    states = np.linspace(0, 0.7, 701)
    path = programme(
        lambda i, a, year: epidemic_year(i, a[0], a[1], year),
        pairs,
        8,
        states,
        lambda i: -discounted(0.03, 8) * 160 * i,
        0.2,
    )
    value, point = from_many_starts(
        epidemic, [0] * 16, [4] * 16, 1, lambda u: 4 - u[:, :8] - u[:, 8:], path.T.ravel()
    )
    return Checked(value, point, "dynamic programming on a grid, polished by SLSQP")


def check_mini_world() -> Checked:
    def slacks(u: Floats) -> Floats:
        kept: list[Floats] = []
        mini_world(u, kept)
        return np.asarray((1.5 - np.array(kept)).T)

    value, point = from_many_starts(mini_world, [0.3] * 6 + [1] * 6, [1.2] * 6 + [3] * 6, 30, slacks)
    return Checked(value, point, "SLSQP from 30 starts")


def check_market() -> Checked:
    def slacks(u: Floats) -> Floats:
        kept: list[Floats] = []
        market(u, kept)
        before = np.hstack([np.full((len(u), 1), 20.0), u[:, :10]])
        invested = np.hstack([np.full((len(u), 1), 15.0), u[:, 10:]])
        sales, capital = np.diff(before, axis=1), np.diff(invested, axis=1)
        return np.hstack([0.7 - np.array(kept).T, 15 - sales, 15 + sales, 40 - capital, 40 + capital])

    value, point = from_many_starts(market, [5] * 10 + [0] * 10, [150] * 20, 30, slacks)
    return Checked(value, point, "SLSQP from 30 starts")


def check_fishery() -> Checked:
    """J = sum of factor^t (G(x_t) - x_(t+1)) + worth of x_T: each x_t by itself, where G' = 1 + rate."""
    rate, fish = 0.05, [40.0, *[50 * (1 - 0.05 / 0.6)] * 11, 45.0]
    caught = np.array([x + 0.6 * x * (1 - x / 100) - after for x, after in pairwise(fish)])
    value = sum(discounted(rate, t) * c for t, c in enumerate(caught)) + discounted(rate, 12) * 0.5 * 45
    return Checked(float(value), caught, "by hand")


def check_resource() -> Checked:
    """Extraction falls by the discount rate; together it is all there is."""
    factors = 1.04 ** -np.arange(10.0)
    taken = 100 * factors / factors.sum()
    return Checked(float(factors @ np.log(taken)), taken, "by hand")


def check_lake() -> Checked:
    actions, states = np.linspace(0.01, 0.8, 1581), np.linspace(0, 3.5, 3501)
    path = programme(lambda p, a, k: lake_years(p, a[0], k), actions[None], 10, states, np.zeros_like, 1.0)
    value, point = from_many_starts(lake, [0.01] * 10, [0.8] * 10, 1, first=path.ravel())
    return Checked(value, point, "dynamic programming on a grid, polished by SLSQP")


def check_s_shape() -> Checked:
    line = np.linspace(0, 6, 41)
    grid = np.array(np.meshgrid(line, line, line, line)).reshape(4, -1).T
    grid = grid[(grid[:, 0] + grid[:, 2] <= 6 + 1e-9) & (grid[:, 1] + grid[:, 3] <= 6 + 1e-9)]
    best = grid[int(s_shape(grid).argmax())]
    value, point = from_many_starts(s_shape, [0] * 4, [6] * 4, 1, lambda u: 6 - u[:, :2] - u[:, 2:], best)
    return Checked(value, point, "every point of a grid of 41 per decision, polished by SLSQP")


def check_threshold() -> Checked:
    """Rewards in years 2 to 7 need capability 10 / 0.9^4 in year 3; early spending is lost most."""
    first = (10 / 0.9**4 - 6 - 0.9 * 6) / 0.81
    return Checked(6 * 4 - (first + 12), np.array([first, 6.0, 6.0]), "by hand")


def check_two_basins() -> Checked:
    line = np.linspace(0, 6, 121)
    grid = np.array(np.meshgrid(line, line, line)).reshape(3, -1).T
    best = grid[int(two_basins(grid).argmax())]
    value, point = from_many_starts(two_basins, [0] * 3, [6] * 3, 1, first=best)
    return Checked(value, point, "every point of a grid of 121 per decision, polished by SLSQP")


def check_centres() -> Checked:
    """Every choice of centres by itself; outreach is concave within each."""
    years = (None, 0, 1, 2, 3)
    best, found = -np.inf, np.zeros(28)
    for starts in product(years, repeat=3):
        if sum(s is not None for s in starts) > 2:
            continue
        value, outreach = from_many_starts(lambda u, s=starts: centres(u, s), [0] * 4, [3] * 4, 1)
        if value > best:
            running = [
                [spent * (s is not None and s <= year) for year in range(4)]
                for s, spent in zip(starts, (1, 1, 2), strict=True)
            ]
            begun = [[float(s == year) for year in range(4)] for s in starts]
            best, found = value, np.concatenate([outreach, *running, *begun]).astype(float)
    return Checked(best, found, "every choice of centres, each with SLSQP for the outreach")


CHECKS: dict[str, Callable[[], Checked]] = {
    "lotka-volterra-fishing": check_fishing,
    "predator-prey-harvest": check_harvest,
    "epidemic-budget": check_epidemic,
    "mini-world": check_mini_world,
    "market-growth": check_market,
    "fishery": check_fishery,
    "resource-depletion": check_resource,
    "shallow-lake": check_lake,
    "s-shape": check_s_shape,
    "threshold": check_threshold,
    "two-basins": check_two_basins,
    "centres": check_centres,
}


if __name__ == "__main__":
    for asked in sys.argv[1:] or CHECKS:
        checked = CHECKS[asked]()
        print(f"{asked:<24}{checked.value:>18.10f}  {checked.how}\n  {np.round(checked.point, 6).tolist()}")
