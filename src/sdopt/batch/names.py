"""Names as people write them -> variables of a model; an element of an array is `Price[north,old]`."""

from __future__ import annotations

from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import Complaints, did_you_mean
from sdopt.source_model.parse import canonical


def key_of(name: str) -> str:
    """The key of a name as written: case, and blanks around brackets and commas, make no difference."""
    base, bracket, inside = name.strip().removesuffix("]").partition("[")
    if not bracket or not name.strip().endswith("]"):
        return canonical(name)
    return f"{canonical(base)}[{','.join(canonical(element) for element in inside.split(','))}]"


def elements_of(name: str, system: EquationSystem) -> list[Variable]:
    """The variable of this name, or all elements of the array of this name; empty when there is none."""
    key, visible = key_of(name), system.visible
    if key in visible:
        return [visible[key]]
    return [v for v in visible.values() if v.subscripts and v.key.startswith(f"{key}[")]


def find_constant(name: str, where: str, system: EquationSystem, complaints: Complaints) -> str | None:
    """The key of a constant, or None after a complaint."""
    found = elements_of(name, system)
    if len(found) == 1 and found[0].key == key_of(name):
        if found[0].key in system.fixed:
            complaints.add(
                where, "decides the time settings or the order of a delay; change it in the model."
            )
            return None
        if found[0].kind == "constant":
            return found[0].key
        complaints.add(where, f"is of kind {found[0].kind}; only constants can be given.")
    elif found:
        complaints.add(where, f'is an array; give its elements, such as "{found[0].name}".')
    else:
        constants = [variable.name for variable in system.of_kind("constant")]
        complaints.add(where, f"the model has no such constant.{did_you_mean(name, constants)}")
    return None


def find_outputs(name: str, where: str, system: EquationSystem, complaints: Complaints) -> list[str]:
    """Keys of the variable or array of this name; empty after a complaint."""
    found = elements_of(name, system)
    if not found:
        every = [v.name for v in system.visible.values()]
        every += [v.name.rpartition("[")[0] for v in system.visible.values() if v.subscripts]
        complaints.add(where, f'the model has no variable "{name}".{did_you_mean(name, every)}')
    return [variable.key for variable in found]
