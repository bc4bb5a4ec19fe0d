"""Numbers as people read them: ``0.37`` of unit ``1`` is ``37 %``.

This module and ``js/core/vocabulary/format.ts`` are the only places that know percent, GiB
or minutes. They follow the same rules, and one table of examples holds both to them.

**Rounding** is half away from zero, of the exact binary value: what ``Number.toFixed`` does in
JavaScript. Scaling is one division by the size of the unit (for percent one multiplication by
100), so that both languages round the same number.

**Fixed text** of a number x >= 0 with d decimals: the rounded digits, then trailing zeros after
the point (and the point) dropped; from 10 000 up the digits before the point are set in groups of
three with U+202F between. Where x > 0 rounds to 0, the text is ``<`` and the smallest step:
``<0.01``. From 10^15 up it is exponent text with 2 digits after the point. A negative number is
``-`` and the text of its absolute value (``>-0.01`` where that would begin with ``<``).

**Scaled text** has 2 decimals below 10, 1 below 100 and none from there. On a ladder of units the
first (smallest) unit is taken in which the rounded number stays below the next unit's size:
1023.7 MiB is ``1 GiB``. Zero takes the unit of size 1: ``0 s``.

=============  ====================================================================
unit           text
=============  ====================================================================
``1``          percent: x * 100, 1 decimal below 10, else none: ``0.4 %``, ``37 %``
``B``          ladder of 1024: B KiB MiB GiB TiB PiB
``B/s``        the same, each with ``/s``
``W`` ``J``    ladder of 1000: W kW MW; J kJ MJ GJ
``Hz``         ladder of 1000: Hz kHz MHz GHz
``s``          ladder of 1000: ns µs ms s; from 60 s up (after rounding) two parts:
               ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``; a second part of 0 is left
               out; the smaller part is rounded: floor(x / size + 0.5); from
               10^9 s up plain text and ``s``
``degC``       scaled, ``°C``
``cores``      scaled, ``cores``; ``1 core``
``count``      scaled, nothing after it
``count/s``    scaled, ``/s`` without a space
empty          plain text: four significant digits
another        plain text, a space and the unit as it stands
=============  ====================================================================

**Plain text** has four significant digits: none after the point from 1000 up, 1 from 100, 2 from
10, 3 from 1, and so on to 7 from 0.0001. From 10^9 up and below 0.0001 it is exponent text with 3
digits after the point, trailing zeros dropped: ``1.5e-5``, ``1e+9``.

A missing value (None, NaN) is an en dash; infinity is ``∞`` or ``-∞``, without a unit.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

__all__ = ["MISSING", "axis_unit", "format_value"]

MISSING: Final = "\N{EN DASH}"
"""The text of a value that is not there."""

_GAP: Final = "\N{NARROW NO-BREAK SPACE}"
_GROUPED_FROM: Final = 10_000
_EXPONENT_FROM: Final = 1e15
_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e9
_PLAIN_DECIMALS: Final = (
    (1000.0, 0), (100.0, 1), (10.0, 2), (1.0, 3), (0.1, 4), (0.01, 5), (0.001, 6), (0.0, 7),
)  # fmt: skip
# Wide enough for the digits of any double.
_EXACT: Final = Context(prec=800, rounding=ROUND_HALF_UP)

_Ladder = tuple[int, tuple[tuple[float, str], ...]]
_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
# Unit: how much larger each step is than the one before, and the steps, each its size and suffix.
_LADDERS: Final[dict[str, _Ladder]] = {
    "B": (1024, tuple((1024.0**k, f" {name}") for k, name in enumerate(_BYTES))),
    "B/s": (1024, tuple((1024.0**k, f" {name}/s") for k, name in enumerate(_BYTES))),
    "W": (1000, ((1.0, " W"), (1e3, " kW"), (1e6, " MW"))),
    "J": (1000, ((1.0, " J"), (1e3, " kJ"), (1e6, " MJ"), (1e9, " GJ"))),
    "Hz": (1000, ((1.0, " Hz"), (1e3, " kHz"), (1e6, " MHz"), (1e9, " GHz"))),
    "s": (1000, ((1e-9, " ns"), (1e-6, " µs"), (1e-3, " ms"), (1.0, " s"))),
    "degC": (1, ((1.0, " °C"),)),
    "cores": (1, ((1.0, " cores"),)),
    "count": (1, ((1.0, ""),)),
    "count/s": (1, ((1.0, "/s"),)),
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def format_value(value: float | None, unit: str) -> str:
    """Return `value`, given in a unit of the catalog, as text with the unit people use.

    Parameters
    ----------
    value : float or None
        In base units: a fraction for ``1``, bytes, seconds, hertz.
    unit : str
        A unit of the catalog; any other is written after the number as it stands.

    Returns
    -------
    str
        `MISSING` when there is no value.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = _magnitude(abs(float(value)), unit)
    if value >= 0:
        return text
    return f">-{text[1:]}" if text.startswith("<") else f"-{text}"


def _magnitude(x: float, unit: str) -> str:
    if unit == "1":
        percent = x * 100
        return f"{_fixed(percent, 1 if percent < 10 else 0)} %"  # noqa: PLR2004
    ladder = _LADDERS.get(unit)
    if ladder is None:
        return f"{_plain(x)} {unit}" if unit else _plain(x)
    if unit == "s" and x >= 1 and _rounded(x, _decimals(x)) >= _MINUTE:
        return _clock(x) if x < _PLAIN_BELOW else f"{_plain(x)} s"
    text = _scaled(x, ladder)
    return "1 core" if text == "1 cores" else text


def _scaled(x: float, ladder: _Ladder) -> str:
    step, units = ladder
    for size, suffix in units[:-1]:
        if not x and size < 1:
            continue
        number = x / size
        if _rounded(number, _decimals(number)) < step:
            return _fixed(number, _decimals(number)) + suffix
    size, suffix = units[-1]
    number = x / size
    return _fixed(number, _decimals(number)) + suffix


def _clock(x: float) -> str:
    """Return 60 seconds or more in two parts, the smaller one rounded."""
    seconds, minutes = math.floor(x + 0.5), math.floor(x / _MINUTE + 0.5)
    if seconds < _HOUR:
        return _two_parts(seconds, 60, "min", "s")
    if minutes * _MINUTE < _DAY:
        return _two_parts(minutes, 60, "h", "min")
    return _two_parts(math.floor(x / _HOUR + 0.5), 24, "d", "h")


def _two_parts(small: int, per: int, large_name: str, small_name: str) -> str:
    large, rest = divmod(small, per)
    text = f"{_grouped(str(large))} {large_name}"
    return f"{text} {rest} {small_name}" if rest else text


def _plain(x: float) -> str:
    if x and not _PLAIN_FROM <= x < _PLAIN_BELOW:
        return _exponent(x, 3)
    return _fixed(x, next(d for bound, d in _PLAIN_DECIMALS if x >= bound))


def _decimals(x: float) -> int:
    return 2 if x < 10 else 1 if x < 100 else 0  # noqa: PLR2004  two digits after 0-9, ...


def _rounded(x: float, decimals: int) -> Decimal:
    """Return x with so many digits after the point; fewer than 0 rounds tens, hundreds, ..."""
    return Decimal(x).quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def _fixed(x: float, decimals: int) -> str:
    if math.isinf(x):  # a percentage beyond the largest number
        return "∞"
    if x >= _EXPONENT_FROM:
        return _exponent(x, 2)
    rounded = _rounded(x, decimals)
    if x and not rounded:
        return f"<{Decimal(1).scaleb(-decimals):f}"
    return _grouped(_trimmed(f"{rounded:f}"))


def _exponent(x: float, decimals: int) -> str:
    power = Decimal(x).adjusted()
    digits = _rounded(x, decimals - power)
    if digits.adjusted() > power:  # 9.9996 became 10.000
        power += 1
    mantissa = digits.scaleb(-power, context=_EXACT)
    return f"{_trimmed(f'{mantissa:f}')}e{power:+d}"


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _grouped(digits: str) -> str:
    whole, point, rest = digits.partition(".")
    if len(whole) < len(str(_GROUPED_FROM)):
        return digits
    return f"{int(whole):,}".replace(",", _GAP) + point + rest


def axis_unit(largest: float, unit: str) -> tuple[float, str]:
    """Return the unit of an axis: by what to divide values in `unit`, and what to write after them.

    Parameters
    ----------
    largest : float
        The greatest absolute value on the axis.
    unit : str
        A unit of the catalog; any other is written as it stands.
    """
    if unit == "1":
        return 0.01, " %"
    if unit == "s" and math.isfinite(largest) and largest >= 2 * _MINUTE:
        return (_HOUR, " h") if largest >= 2 * _HOUR else (_MINUTE, " min")
    if unit not in _LADDERS:
        return 1.0, f" {unit}" if unit else ""
    steps = _LADDERS[unit][1]
    if not largest > 0:
        return next(step for step in steps if step[0] == 1)
    return [step for step in steps if step[0] <= largest or step is steps[0]][-1]
