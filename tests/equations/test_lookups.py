"""The five kinds of lookup: on, between and beyond their points, in numbers and slopes."""

import numpy as np
import pytest

from sdopt.equations.expression import LookupKind
from sdopt.equations.lookups import lookup_function

X, Y = (0.0, 1.0, 3.0), (2.0, 4.0, -2.0)
AT = np.array([-np.inf, -2, 0, 0.5, 1, 2, 3, 5, np.inf, np.nan])
EXPECTED: dict[LookupKind, list[float]] = {
    "interpolate": [2, 2, 2, 3, 4, 1, -2, -2, -2, np.nan],
    "extrapolate": [-np.inf, -2, 2, 3, 4, 1, -2, -8, -np.inf, np.nan],
    "hold_backward": [2, 2, 2, 2, 4, 4, -2, -2, -2, np.nan],
    "look_forward": [2, 2, 2, 4, 4, -2, -2, -2, -2, np.nan],
    "raw": [np.nan, np.nan, 2, np.nan, 4, np.nan, -2, np.nan, np.nan, np.nan],
}
SLOPES: dict[LookupKind, list[float]] = {
    "interpolate": [0, 0, 2, 2, -3, -3, 0, 0, 0],
    "extrapolate": [2, 2, 2, 2, -3, -3, -3, -3, -3],
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_values(kind: LookupKind) -> None:
    out = np.empty(AT.shape)
    lookup_function(X, Y, kind).real(AT, out)
    assert np.array_equal(out, EXPECTED[kind], equal_nan=True)


@pytest.mark.parametrize("kind", EXPECTED)
def test_slopes_forward_and_backward(kind: LookupKind) -> None:
    function, at = lookup_function(X, Y, kind), AT[1:8]
    wanted = np.array(SLOPES.get(kind, [0.0] * 9))[1:8]
    value, out = np.empty(at.shape), np.empty(at.shape, complex)
    function.real(at, value)
    (partial,) = function.partials(at, value)
    assert np.array_equal(np.zeros(at.shape) if partial is None else partial, wanted)
    function.complex(at + 1e-30j, out)
    assert np.array_equal(out.real, value, equal_nan=True)
    assert out.imag / 1e-30 == pytest.approx(wanted)


@pytest.mark.parametrize("kind", EXPECTED)
def test_one_point(kind: LookupKind) -> None:
    out = np.empty(3)
    lookup_function((1.0,), (9.0,), kind).real(np.array([0.0, 1.0, 2.0]), out)
    assert list(out[1:2]) == [9.0]
    assert kind == "raw" or list(out) == [9.0, 9.0, 9.0]
