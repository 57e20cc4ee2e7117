"""Scenarios: one draw of all uncertain constants each, in one of the named external scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CENTRAL = "central"
"""Name of the external scenario in which nothing is changed."""


@dataclass(frozen=True)
class External:
    """A named external scenario: what it fixes, in the model's units, and how much it counts.

    `constants`: key -> value; `paths`: key -> value at every grid time (time,). What it fixes is not drawn.
    """

    name: str
    constants: Mapping[str, float]
    paths: Mapping[str, Floats]
    weight: float = 1.0


@dataclass(frozen=True)
class Scenarios:
    """Draws, each in one external scenario.

    `keys` are the drawn constants and `values` (constant, scenario) what they are, in the model's units;
    `external` the external scenarios and `world` (scenario,) the position of the one that holds; `draw`
    (scenario,) the number of the draw, the same in every external scenario.
    """

    keys: tuple[str, ...]
    values: Floats
    external: tuple[External, ...]
    world: NDArray[np.intp]
    draw: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Number of scenarios."""
        return len(self.world)

    @property
    def weights(self) -> Floats:
        """Probability of every scenario, (scenario,), adding up to one."""
        weights = np.array([one.weight for one in self.external])[self.world]
        return np.asarray(weights / weights.sum())

    def part(self, chosen: slice | NDArray[np.intp]) -> Scenarios:
        """Some of the scenarios."""
        return Scenarios(
            self.keys, self.values[:, chosen], self.external, self.world[chosen], self.draw[chosen]
        )

    def path_keys(self) -> tuple[str, ...]:
        """Keys of the constants that some external scenario gives a path."""
        return tuple(dict.fromkeys(key for one in self.external for key in one.paths))

    def constants(self, central: Mapping[str, float]) -> dict[str, Floats]:
        """Every constant that differs, by key: (scenario,); `central` is what the others have."""
        fixed = dict.fromkeys(key for one in self.external for key in one.constants)
        found = {key: self.values[k].copy() for k, key in enumerate(self.keys)}
        found |= {key: np.full(self.count, central[key]) for key in fixed if key not in found}
        for place, one in enumerate(self.external):
            for key, value in one.constants.items():
                found[key][self.world == place] = value
        return {key: value for key, value in found.items() if key not in self.path_keys()}

    def paths(self, central: Mapping[str, float], times: int) -> dict[str, Floats]:
        """Every constant that has a path in some external scenario, by key: (time, scenario)."""
        found: dict[str, Floats] = {}
        for key in self.path_keys():
            drawn = self.values[self.keys.index(key)] if key in self.keys else np.float64(central[key])
            path = np.broadcast_to(drawn, (times, self.count)).copy()
            for place, one in enumerate(self.external):
                if key in one.paths:
                    path[:, self.world == place] = one.paths[key][:, None]
                elif key in one.constants:
                    path[:, self.world == place] = one.constants[key]
            found[key] = path
        return found


def central_scenarios(external: tuple[External, ...] | None = None) -> Scenarios:
    """One scenario per external scenario (central alone when absent), with nothing drawn."""
    worlds = external or (External(CENTRAL, {}, {}),)
    count = len(worlds)
    return Scenarios((), np.empty((0, count)), worlds, np.arange(count), np.zeros(count, dtype=np.intp))
