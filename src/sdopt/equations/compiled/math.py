"""exp, ln, power, sin and cos for whole vectors, each right within one unit in the last place or little more.

Ours rather than the C library's, which takes one number at a time. Steps that must not round carry
their error along as a second, small number, with fused multiply-add: so the value before it is rounded is
off by less than half a unit, and what is exact (10^2, 4^0.5) comes out exact.

Source: range reduction and series as in W. J. Cody and W. Waite, Software Manual for the Elementary
Functions (1980); coefficients are those of Taylor's series, long enough for double precision.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial, inf, nan

from sdopt.equations.compiled.code import INTEGERS, NUMBERS, TRUTHS, Code, bits, integer, intrinsic, number

Pair = tuple[str, str]
"""A number and what is to be added to it: together twice as precise."""

LN2 = (float.fromhex("0x1.62e42fefa0000p-1"), float.fromhex("0x1.cf79abc9e3b3ap-40"))
"""ln 2 in two parts; the first has 37 bits, so that it can be taken a whole number of times exactly."""
LOG2_E = float.fromhex("0x1.71547652b82fep+0")
PI_BY_2 = tuple(
    float.fromhex(part) for part in ("0x1.921fb544p+0", "0x1.0b4611a6p-34", "0x1.3198a2e037073p-69")
)
"""A quarter of a turn in three parts; the first two have 33 bits."""
TWO_BY_PI = float.fromhex("0x1.45f306dc9c883p-1")
ROUNDER = 1.5 * 2.0**52
"""Added to a number below 2^51 in size, it leaves the nearest whole number in the last bits."""
EXP_TERMS = 14
"""Terms of the series of exp on |r| <= ln(2)/2: the first left out is 2^-57 of the sum."""
LOG_TERMS = 11
"""Terms of the series of artanh(s) on |s| <= 0.1716: the first left out is 2^-60 of the sum."""
SINE_TERMS = 9
"""Terms of the series of sin and cos on |r| <= pi/4: the first left out is 2^-58 of the sum."""
ENDLESS = 800.0
"""exp of this is inf, and of minus this 0."""
FAR = 2.0**20
"""Beyond this the C library takes turns off an angle; up to it, three parts of pi do."""


def exp(code: Code, a: str) -> str:
    """The exponential function."""
    return _exp(code, a, number(0.0))


def ln(code: Code, a: str) -> str:
    """The natural logarithm of a."""
    value = code.binary("fadd", *_log(code, a))
    value = code.select(_is(code, a, inf), number(inf), value)
    value = code.select(_is(code, a, 0.0), number(-inf), value)
    return code.select(code.compare("ult", a, number(0.0)), number(nan), value)


def power(code: Code, a: str, b: str) -> str:
    """Value of a to the power b, in all special cases that of C's pow."""
    size = _size(code, a)
    high, low = _log(code, size)
    product = code.binary("fmul", b, high)
    rest = code.fma(b, low, code.fma(b, high, _minus(code, product)))
    within = code.compare("olt", _size(code, product), number(ENDLESS))
    value = _exp(code, product, code.select(within, rest, number(0.0)))
    value = _of_zero_or_infinity(code, size, b, value)
    value = _signed(code, a, b, value)
    value = code.select(code.compare("uno", a, b), number(nan), value)
    endless = _both(code, _is(code, size, 1.0), _is(code, _size(code, b), inf))
    one = code.binary("or", _is(code, a, 1.0), _is(code, b, 0.0), TRUTHS)
    return code.select(code.binary("or", one, endless, TRUTHS), number(1.0), value)


def sine(code: Code, a: str, quarters: int = 0) -> str:
    """The sine of a and some quarters of a turn (the cosine: one), where a is not `FAR`."""
    shifted = code.fma(a, number(TWO_BY_PI), number(ROUNDER))
    whole = code.binary("fsub", shifted, number(ROUNDER))
    r = a
    for part in PI_BY_2:
        r = code.fma(whole, number(-part), r)
    turn = code.binary("add", _last_bits(code, shifted), integer(quarters), INTEGERS)
    odd = code.value(f"trunc {INTEGERS} {turn} to {TRUTHS}")
    value = code.select(odd, _cosine_series(code, r), _sine_series(code, r))
    half = code.binary("and", turn, integer(2), INTEGERS)
    sign = code.binary("shl", half, integer(62), INTEGERS)
    pattern = code.binary("xor", code.cast("bitcast", value, NUMBERS, INTEGERS), sign, INTEGERS)
    return code.cast("bitcast", pattern, INTEGERS, NUMBERS)


def _exp(code: Code, x: str, low: str) -> str:
    """exp(x + low), low being much smaller; inf and 0 beyond the range, nan for nan."""
    x = code.select(code.compare("ogt", x, number(ENDLESS)), number(ENDLESS), x)
    x = code.select(code.compare("olt", x, number(-ENDLESS)), number(-ENDLESS), x)
    shifted = code.fma(x, number(LOG2_E), number(ROUNDER))
    whole = code.binary("fsub", shifted, number(ROUNDER))
    rest = code.fma(whole, number(-LN2[0]), x)
    small = code.fma(whole, number(-LN2[1]), low)
    r = code.binary("fadd", rest, small)
    lost = code.binary("fadd", code.binary("fsub", rest, r), small)
    # exp(r) = 1 + (r + (lost + r^2 (1/2 + r/6 + ...))): smallest first, so that 1 and r round last.
    series = _series(code, r, [1 / factorial(k) for k in range(2, EXP_TERMS)])
    tail = code.fma(code.binary("fmul", r, r), series, lost)
    value = code.binary("fadd", number(1.0), code.binary("fadd", r, tail))
    return _times_power_of_two(code, value, _last_bits(code, shifted))


def _last_bits(code: Code, shifted: str) -> str:
    """The whole number that was rounded by adding `ROUNDER`."""
    pattern = code.cast("bitcast", shifted, NUMBERS, INTEGERS)
    return code.binary("sub", pattern, integer(int(bits(ROUNDER), 16)), INTEGERS)


def _times_power_of_two(code: Code, value: str, exponent: str) -> str:
    """`value` times 2 to a whole number, in two factors that both exist."""
    half = code.binary("ashr", exponent, integer(1), INTEGERS)
    for part in (half, code.binary("sub", exponent, half, INTEGERS)):
        biased = code.binary("shl", code.binary("add", part, integer(1023), INTEGERS), integer(52), INTEGERS)
        value = code.binary("fmul", value, code.cast("bitcast", biased, INTEGERS, NUMBERS))
    return value


def _log(code: Code, x: str) -> Pair:
    """The natural logarithm for 0 < x < inf; what it says of other x is of no use."""
    exponent, mantissa = _split(code, x)
    s = _ratio(code, mantissa)
    square = _product(code, s, s)
    cube = _product(code, s, square)
    # ln(mantissa) = 2 artanh(s) = 2 s + s^3 (2/3 + s^2 (2/5 + ...)) with s = (mantissa - 1) / (mantissa + 1).
    series = _series(code, square[0], [2 / (2 * k + 1) for k in range(2, LOG_TERMS)])
    two_thirds = (number(2 / 3), number(float(Fraction(2, 3) - Fraction(2 / 3))))
    factor = _sum(code, two_thirds, (code.binary("fmul", square[0], series), number(0.0)))
    small = _product(code, cube, factor)
    doubled = (code.binary("fadd", s[0], s[0]), code.binary("fadd", s[1], s[1]))
    whole = (code.binary("fmul", exponent, number(LN2[0])), code.binary("fmul", exponent, number(LN2[1])))
    return _sum(code, _sum(code, whole, doubled), small)


def _ratio(code: Code, mantissa: str) -> Pair:
    """(mantissa - 1) / (mantissa + 1)."""
    f = code.binary("fsub", mantissa, number(1.0))
    above = code.binary("fadd", mantissa, number(1.0))
    lost = code.binary("fsub", mantissa, code.binary("fsub", above, number(1.0)))
    inverse = code.binary("fdiv", number(1.0), above)
    high = code.binary("fmul", f, inverse)
    minus = _minus(code, high)
    rest = code.fma(minus, lost, code.fma(minus, above, f))
    return high, code.binary("fmul", rest, inverse)


def _product(code: Code, a: Pair, b: Pair) -> Pair:
    high = code.binary("fmul", a[0], b[0])
    rest = code.fma(a[0], b[0], _minus(code, high))
    return high, code.fma(a[1], b[0], code.fma(a[0], b[1], rest))


def _sum(code: Code, a: Pair, b: Pair) -> Pair:
    """The sum, where a is 0 or the larger."""
    high = code.binary("fadd", a[0], b[0])
    rest = code.binary("fsub", b[0], code.binary("fsub", high, a[0]))
    return high, code.binary("fadd", code.binary("fadd", a[1], b[1]), rest)


def _split(code: Code, x: str) -> tuple[str, str]:
    """Exponent and mantissa: x is 2^exponent times a mantissa between the roots of 1/2 and 2."""
    tiny = code.compare("olt", x, number(2.0**-1022))
    x = code.select(tiny, code.binary("fmul", x, number(2.0**54)), x)
    pattern = code.cast("bitcast", x, NUMBERS, INTEGERS)
    # Counted from the bits of sqrt(1/2), a mantissa below it belongs to the exponent before.
    origin = integer(int(bits(0.5**0.5), 16))
    whole = code.binary("ashr", code.binary("sub", pattern, origin, INTEGERS), integer(52), INTEGERS)
    mantissa = code.binary("sub", pattern, code.binary("shl", whole, integer(52), INTEGERS), INTEGERS)
    exponent = code.cast("sitofp", whole, INTEGERS, NUMBERS)
    scaled = code.binary("fsub", exponent, number(54.0))
    return code.select(tiny, scaled, exponent), code.cast("bitcast", mantissa, INTEGERS, NUMBERS)


def _sine_series(code: Code, r: str) -> str:
    square = code.binary("fmul", r, r)
    series = _series(code, square, [(-1) ** k / factorial(2 * k + 1) for k in range(1, SINE_TERMS)])
    return code.fma(code.binary("fmul", r, square), series, r)


def _cosine_series(code: Code, r: str) -> str:
    square = code.binary("fmul", r, r)
    series = _series(code, square, [(-1) ** k / factorial(2 * k) for k in range(2, SINE_TERMS)])
    start = code.fma(square, number(-0.5), number(1.0))
    lost = code.fma(square, number(-0.5), code.binary("fsub", number(1.0), start))
    return code.binary("fadd", start, code.fma(code.binary("fmul", square, square), series, lost))


def _series(code: Code, x: str, coefficients: list[float]) -> str:
    """A polynomial, lowest coefficient first; in pairs, so that the processor has work side by side."""
    terms = [number(coefficient) for coefficient in coefficients]
    while len(terms) > 1:
        last = terms[-1:] if len(terms) % 2 else []
        terms = [code.fma(high, x, low) for low, high in zip(terms[::2], terms[1::2], strict=False)] + last
        x = code.binary("fmul", x, x) if len(terms) > 1 else x
    return terms[0]


def _of_zero_or_infinity(code: Code, size: str, b: str, value: str) -> str:
    """0 or inf where `size` is 0 or inf, whichever the power b makes of it."""
    rising = code.compare("ogt", b, number(0.0))
    of_zero = code.select(rising, number(0.0), number(inf))
    of_infinity = code.select(rising, number(inf), number(0.0))
    value = code.select(_is(code, size, 0.0), of_zero, value)
    return code.select(_is(code, size, inf), of_infinity, value)


def _signed(code: Code, a: str, b: str, value: str) -> str:
    """With the sign of a where b is odd; nan for a finite a below 0 with b not whole."""
    broken = code.compare("one", code.call(intrinsic("trunc"), b), b)
    half = code.binary("fmul", b, number(0.5))
    broken_half = code.compare("one", code.call(intrinsic("trunc"), half), half)
    odd = code.select(broken, "zeroinitializer", broken_half, TRUTHS)
    value = code.select(odd, code.call(intrinsic("copysign"), value, a), value)
    below = _both(code, code.compare("olt", a, number(0.0)), code.compare("ogt", a, number(-inf)))
    return code.select(_both(code, below, broken), number(nan), value)


def _is(code: Code, a: str, value: float) -> str:
    return code.compare("oeq", a, number(value))


def _both(code: Code, a: str, b: str) -> str:
    return code.binary("and", a, b, TRUTHS)


def _size(code: Code, a: str) -> str:
    return code.call(intrinsic("fabs"), a)


def _minus(code: Code, a: str) -> str:
    return code.value(f"fneg {NUMBERS} {a}")
