"""Every expected failure. One stage collects all that is wrong and raises once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

MOST_TOLD, LONGEST_TOLD = 200, 4_000
"""Complaints that one error tells, of more it tells how many; and characters of one complaint."""
LONGEST_NAME = 1_000
"""Characters of a name that others are compared with."""


class SdoptError(Exception):
    """A failure a user can mend: the command line shows its message, never a traceback."""


class ConfigError(SdoptError):
    """The YAML file does not ask a valid question."""


class ModelError(SdoptError):
    """The model file cannot be read, or holds something that is not supported."""


class SimulationError(SdoptError):
    """A run gave no usable numbers: inf or nan, named by variable and time."""


class ReplayError(SdoptError):
    """PySD, the referee, disagrees with our own equations."""


class OptimisationError(SdoptError):
    """No allocation can be given: infeasible limits or a solver that failed."""


class FormError(OptimisationError):
    """A form of decision that cannot be; `key` and `about` say why, for outputs in other languages."""

    def __init__(self, key: str, about: str, message: str) -> None:
        """`about` is the name that the message is about, or ""."""
        super().__init__(message)
        self.key, self.about = key, about


class ExportError(SdoptError):
    """Results cannot be written or read."""


@dataclass
class Complaints:
    """All that is wrong in one stage, raised together by `raise_if_any`."""

    stage: str
    error: type[SdoptError]
    items: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set, repr=False)

    def add(self, where: str, message: str) -> None:
        """Note one problem, once: where it is, and what was found, allowed and to be done."""
        item = f"{where}: {message}" if where else message
        item = item if len(item) <= LONGEST_TOLD else f"{item[:LONGEST_TOLD]}…"
        if item not in self._known:  # a table may have very many wrong rows
            self._known.add(item)
            self.items.append(item)

    def raise_if_any(self) -> None:
        """Raise `error` with every complaint, or do nothing when there is none."""
        if not self.items:
            return
        count = f"{len(self.items)} error" + ("s" if len(self.items) > 1 else "")
        told = [f"  * {item}" for item in self.items[:MOST_TOLD]]
        more = [f"  * and {len(self.items) - MOST_TOLD} more"] if len(self.items) > MOST_TOLD else []
        raise self.error("\n".join([f"{self.stage}: {count}", *told, *more]))


def closest(found: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that looks most like `found`, or None when none comes near; case is ignored."""
    if len(found) > LONGEST_NAME:
        return None
    names = {name.lower(): name for name in allowed if len(name) <= LONGEST_NAME}
    match = get_close_matches(found.lower(), list(names), n=1, cutoff=0.6)
    return names[match[0]] if match else None


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """A suggestion sentence (with a leading space) for a name that does not exist, or ''."""
    name = closest(found, allowed)
    return f' Did you mean "{name}"?' if name else ""
