"""Every function of the registry is in the feature model, and its derivative is its slope."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sdopt.equations.expression import Call, Expression, Lookup
from sdopt.equations.functions import FUNCTIONS
from sdopt.equations.lookups import lookup_function
from sdopt.source_model.read import read_model

MODEL = Path(__file__).parents[1] / "models" / "every_function.mdl"


def _functions(expression: Expression) -> Iterator[str]:
    match expression:
        case Call(name, arguments):
            yield name
            for argument in arguments:
                yield from _functions(argument)
        case Lookup(_, _, argument):
            yield from _functions(argument)


def test_every_function_is_in_the_model_that_is_compared_with_pysd() -> None:
    variables = read_model(MODEL).system.variables.values()
    used = {name for variable in variables for name in _functions(variable.expression)}
    assert used == {*FUNCTIONS, "initial"}


SMOOTH = [f for f in FUNCTIONS.values() if not f.gives_truth and f.name not in ("integer", "if_then_else")]
TABLE = lookup_function((0.0, 0.3, 0.7, 1.0), (0.0, 2.0, 1.0, 5.0))


@pytest.mark.parametrize("function", [*SMOOTH, TABLE], ids=lambda f: f.name)
def test_partials_and_complex_form_are_the_slope(function: object) -> None:
    random = np.random.default_rng(7)
    arity = len(function.truth_arguments)
    arguments = random.uniform(0.1, 0.9, (arity, 50))
    value = np.empty(50)
    function.real(*arguments, value)
    partials = function.partials(*arguments, value)
    for position in range(arity):
        ends = np.empty((2, 50))
        for end, sign in zip(ends, (1, -1), strict=True):
            function.real(*(arguments + sign * 1e-7 * np.eye(arity)[position][:, np.newaxis]), end)
        slope = (ends[0] - ends[1]) / 2e-7
        moved, out = arguments.astype(complex), np.empty(50, complex)
        moved[position] += 1e-30j
        function.complex(*moved, out)
        assert partials[position] * np.ones(50) == pytest.approx(slope, rel=1e-5, abs=1e-6)
        assert out.imag / 1e-30 == pytest.approx(slope, rel=1e-5, abs=1e-6)
