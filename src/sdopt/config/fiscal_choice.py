"""Which rules of a library a config chooses, with which settings; and all that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdopt.config.document import Complain, Place
from sdopt.config.fiscal_library import FiscalRule, Library, Parameter, read_library
from sdopt.config.names import same_name
from sdopt.config.rules import Parts
from sdopt.config.schema import FiscalRules, RuleSetting
from sdopt.config.text_file import is_file, similar_file
from sdopt.errors import did_you_mean

SECTION = ("fiscal_rules", "apply")
EVERY_DECISION = "all"
_SHARE = re.compile(r"([0-9]+(\.[0-9]+)?)%")


@dataclass(frozen=True)
class ChosenRule:
    """A rule as a config applies it.

    `values`: parameter -> number or option; `constants`: constant of the model -> value it gets;
    `decisions`: ids of the decisions it limits; not `imposed`: only reported; `place`: where it stands.
    """

    rule: FiscalRule
    place: Place
    imposed: bool
    values: Mapping[str, float | str]
    constants: Mapping[str, float]
    decisions: tuple[str, ...]


@dataclass(frozen=True)
class FiscalChoice:
    """A library and what a config chooses of it, in the order of the library."""

    library: Library
    chosen: tuple[ChosenRule, ...]


def choose_rules(parts: Parts, folder: Path, complain: Complain) -> FiscalChoice | None:
    """The library that a config names, looked up from `folder`, and what it chooses; None if it has none.

    Raises
    ------
    ConfigError
        If the library itself is wrong; `complain` hears of what is wrong in the config.
    """
    asked = parts.fiscal_rules
    if asked is None:
        return None
    path = folder / asked.file
    if not is_file(path):
        complain(
            ("fiscal_rules", "file"),
            f"there is no file {asked.file} in the folder of this config (paths are relative to it)."
            f"{similar_file(path)}",
        )
        return None
    return _choose(asked, parts, read_library(path), complain)


def _choose(asked: FiscalRules, parts: Parts, library: Library, complain: Complain) -> FiscalChoice:
    found: dict[str, ChosenRule] = {}
    written: dict[str, str] = {}
    for name, settings in asked.apply.items():
        rule = library.find(name)
        if rule is None:
            complain((*SECTION, name), _no_such_rule(name, library))
        elif rule.id in found:
            first = written[rule.id]
            complain((*SECTION, name), f'the same rule as "{first}"; keep one of the two')
        else:
            written[rule.id] = name
            found[rule.id] = _Settings(parts, library, rule, (*SECTION, name), settings, complain).chosen()
    _check_constants(parts, list(found.values()), complain)
    return FiscalChoice(library, tuple(found[rule.id] for rule in library.rules if rule.id in found))


def _no_such_rule(name: str, library: Library) -> str:
    """The rule that was meant may also be known by its code or its Dutch name."""
    other = [r.name for r in library.rules if same_name(name) in (same_name(r.id), same_name(r.name_nl))]
    names = [rule.name for rule in library.rules]
    hint = f' Did you mean "{other[0]}"?' if other else did_you_mean(name, names)
    return f"there is no such rule in {library.path.name}.{hint} Rules: {', '.join(names)}"


def _check_constants(parts: Parts, chosen: Sequence[ChosenRule], complain: Complain) -> None:
    """A constant that a rule sets is set nowhere else."""
    changes = parts.model.changes if parts.model else {}
    owners = {same_name(name): "model.changes" for name in changes}
    owners |= {same_name(d.variable): f"decision {identity}" for identity, d in parts.decisions.items()}
    for one in chosen:
        for constant in one.constants:
            other = owners.setdefault(same_name(constant), f'rule "{one.rule.name}"')
            if other != f'rule "{one.rule.name}"':
                complain(one.place, f'sets "{constant}", which {other} sets too; keep one of the two')


@dataclass(frozen=True)
class _Settings:
    """The settings of one rule, to be read."""

    parts: Parts
    library: Library
    rule: FiscalRule
    place: Place
    written: Mapping[str, RuleSetting]
    complain: Complain

    def chosen(self) -> ChosenRule:
        """The rule with its settings; where one is wrong a complaint is made and its default is used."""
        self._check_names()
        imposed, in_force = self._imposed(), "as" not in self.written
        values = {name: self._value(name, parameter) for name, parameter in self.rule.parameters.items()}
        constants = {
            parameter.constant: float(values[name] or 0.0)
            for name, parameter in self.rule.parameters.items()
            if parameter.constant and values[name] is not None and (in_force or name in self.written)
        }
        known = {name: value for name, value in values.items() if value is not None}
        one = ChosenRule(self.rule, self.place, imposed, known, constants, self._decisions())
        self._check_once(one)
        return one

    def _check_names(self) -> None:
        allowed = [*self.rule.parameters, *(["decisions"] if self.rule.on_decisions else []), "as"]
        for name in self.written:
            if name not in allowed:
                self.complain(
                    (*self.place, name),
                    f"unknown setting.{did_you_mean(name, allowed)} Allowed here: {', '.join(allowed)}",
                )

    def _imposed(self) -> bool:
        """Whether the rule holds, or is only reported."""
        if "as" not in self.written:
            return self.rule.kind in ("constraint", "decision_limit")
        place = (*self.place, "as")
        if self.rule.kind in ("check", "equation"):
            why = "only reported already" if self.rule.kind == "check" else "part of the model's equations"
            self.complain(place, f"this rule is {why}; remove `as`")
        elif self.written["as"] != "check":
            self.complain(place, f"found {_shown(self.written['as'])}; only `as: check` is allowed, which "
                          "reports the rule and does not impose it")  # fmt: skip
        return False

    def _value(self, name: str, parameter: Parameter) -> float | str | None:
        if name not in self.written:
            return parameter.value
        found, place = self.written[name], (*self.place, name)
        if parameter.options:
            return self._option(place, found, parameter)
        number = _number(found, share=parameter.unit == "Dmnl")
        low, high = parameter.low or 0.0, parameter.high or 0.0
        if number is None:
            share = ' or a share such as "50%"' if parameter.unit == "Dmnl" else ""
            self.complain(place, f"expected a number{share}, found {_shown(found)}")
        elif not low <= number <= high:
            self.complain(place, f"{number:g} is outside [{low:g}, {high:g}] {parameter.unit}; choose a "
                          f"value inside it, or widen it in {self.library.path.name}")  # fmt: skip
        else:
            return number
        return parameter.value

    def _option(self, place: Place, found: RuleSetting, parameter: Parameter) -> str:
        if found in parameter.options:
            return str(found)
        hint = did_you_mean(found, parameter.options) if isinstance(found, str) else ""
        self.complain(place, f"found {_shown(found)}.{hint} Allowed: {', '.join(parameter.options)}")
        return str(parameter.value)

    def _decisions(self) -> tuple[str, ...]:
        """The decisions that the rule limits: those listed, or all."""
        ids = self.parts.decision_ids if self.rule.on_decisions else ()
        found, place = self.written.get("decisions", EVERY_DECISION), (*self.place, "decisions")
        if found == EVERY_DECISION or not ids:
            return ids
        if not isinstance(found, tuple) or not found:
            self.complain(place, f"expected a list of decisions or `{EVERY_DECISION}`, found {_shown(found)}")
            return ids
        for identity in found:
            if identity not in ids:
                self.complain(place, f'there is no decision "{identity}".{did_you_mean(identity, ids)} '
                              f"Decisions of this config: {', '.join(ids)}")  # fmt: skip
        return tuple(identity for identity in ids if identity in found)

    def _check_once(self, one: ChosenRule) -> None:
        """What the rule imposes is not in the config already."""
        if not one.imposed:
            return
        title = self.rule.title(self.parts.language)
        for name in self.parts.constraints:
            if name == title or name.startswith(f"{title}: "):
                self.complain(("constraints", name), f'rule "{self.rule.name}" makes a constraint of this '
                              "name; rename this one, or remove it")  # fmt: skip
        for identity, key in _limited_already(self.parts, one):
            self.complain(
                ("decisions", identity, key),
                f'rule "{self.rule.name}" limits this too; remove it here, or list other decisions in '
                f"{'.'.join(SECTION)}.{self.rule.name}",
            )


def _limited_already(parts: Parts, one: ChosenRule) -> Iterator[tuple[str, str]]:
    """Decisions, with the key, that limit the same change themselves."""
    for key in ("largest_rise", "largest_fall"):
        for identity in one.decisions if getattr(one.rule, key) is not None else ():
            if getattr(parts.decisions.get(identity), key, None) is not None:
                yield identity, key


def _number(found: RuleSetting, *, share: bool) -> float | None:
    """The number that was written, if it is one; a percentage only where a share fits."""
    if isinstance(found, float):
        return found
    match = _SHARE.fullmatch(found) if share and isinstance(found, str) else None
    return float(match[1]) / 100 if match else None


def _shown(found: Any) -> str:
    if isinstance(found, tuple):
        return f"a list of {len(found)}"
    return f'the text "{found[:80]}"' if isinstance(found, str) else f"{found:g}"
