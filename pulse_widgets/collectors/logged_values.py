"""What `pulse_widgets.log` accepts as a name, a number and a step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.errors import ArgumentError
from pulse_widgets.metrics.masked import is_masked
from pulse_widgets.series.columns import LOGGED_NAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "PLAIN",
    "STEP_LIMIT",
    "NoNumberError",
    "accepted",
    "as_logged",
    "describe",
    "flatten",
    "floats",
    "number_of",
    "short",
    "whole",
]

KEY_LENGTH: Final = 512
STEP_LIMIT: Final = 2**63
SHOWN: Final = 80
"""Letters of a name that a message repeats."""
PLAIN: Final = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32, np.bool_})
"""Types of which every value is a number, and never changes."""


class NoNumberError(Exception):
    """A value cannot be a number."""


def flatten(data: Mapping[str, Any], prefix: str, flat: dict[str, Any]) -> None:
    """Put the values of a nested mapping into `flat`, their names joined with ``/``.

    Raises
    ------
    ArgumentError
        If it is no mapping, or a key cannot be a name or stands for two values.
    """
    if not isinstance(data, Mapping):
        raise ArgumentError(
            f"pw.log takes a mapping of names to numbers, not {type(data).__name__}",
            remedy='Write pw.log({"loss": loss}, step=step).',
        )
    for key, value in data.items():
        name = f"{prefix}{key}"
        if not isinstance(key, str) or not key or len(name) > KEY_LENGTH or not _is_text(name):
            raise ArgumentError(
                f"{short(key)} cannot be the name of a metric",
                remedy=f"Use text of 1 to {KEY_LENGTH} characters, such as 'train/loss'.",
            )
        if isinstance(value, Mapping):
            flatten(value, f"{name}/", flat)
        elif name in flat:
            raise ArgumentError(
                f"{short(name)} stands for two values in one call",
                remedy='Names are joined with "/": {"a": {"b": 1}} and {"a/b": 1} are the same.',
            )
        else:
            flat[name] = value


def short(name: object) -> str:
    """Return a name as it is shown in a message, where it may be thousands of letters long."""
    shown = repr(name)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


def _is_text(name: str) -> bool:
    """Return whether a name can be written to a file; half a surrogate pair cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def accepted(value: Any) -> Any:
    """Return what to queue for a value: a number, None, or an object to be read on another thread.

    Raises
    ------
    NoNumberError
        If it is neither a number nor one element that can become one.
    """
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, np.generic | np.ndarray):
        return _of_numpy(value)
    if getattr(value, "shape", ()) != () or not hasattr(type(value), "__float__"):
        raise NoNumberError
    if hasattr(value, "detach"):
        # Copying on the device does not wait for it; reading the number would.
        return value.detach().clone()
    if hasattr(value, "shape"):
        # Of another library: it may live on a device, and it may be changed after the call.
        return value.copy() if callable(getattr(value, "copy", None)) else value
    return _as_number(value)


def _of_numpy(value: Any) -> float | None:
    if value.shape != () or value.dtype.kind not in "biufO":
        raise NoNumberError
    if is_masked(value):
        return None
    return _as_number(value[()])


def _as_number(value: Any) -> float:
    try:
        return number_of(value)
    except (TypeError, ValueError, ArithmeticError) as exc:
        raise NoNumberError from exc


def describe(value: Any) -> str:
    """Return what a value is, where it is no number."""
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"{kind} of shape {tuple(shape)}" if shape is not None else f"of type {kind}"


def whole(step: Any) -> int:
    """Return a step as an integer.

    Raises
    ------
    ArgumentError
        If it is no whole number, or one beyond 63 bits.
    """
    try:
        number = int(step)
        # True equals 1 in Python, but nobody means a step by it.
        same = bool(number == step) and not isinstance(step, bool | np.bool_)
    except (TypeError, ValueError, OverflowError):
        same = False
    if not same or abs(number) >= STEP_LIMIT:
        raise ArgumentError(
            f"step={step!r} is not a whole number", remedy="Pass an integer, such as step=epoch."
        )
    return number


def as_logged(number: float | None) -> float:
    """Return a value as it is stored: a NaN that was logged is not a missing value."""
    if number is None:
        return math.nan
    return LOGGED_NAN if number != number else number  # noqa: PLR0124  quicker than math.isnan


def number_of(value: Any) -> float:
    """Return a value as a float; it may have to wait for the device that the value is on."""
    try:
        return float(value)
    except OverflowError:
        # An integer too large for a float becomes infinity.
        return math.inf if value > 0 else -math.inf


def floats(given: Sequence[Any]) -> NDArray[np.float64]:
    """Return numbers as they are stored; None is missing.

    Parameters
    ----------
    given : sequence of n
        Each is None, or of a type in `PLAIN`.

    Returns
    -------
    (n,) float64
    """
    try:
        value = np.fromiter(given, np.float64, len(given))
    except OverflowError:
        return np.array([as_logged(None if v is None else number_of(v)) for v in given])
    absent = np.flatnonzero(np.isnan(value)).tolist()
    logged = [place for place in absent if given[place] is not None]
    if logged:
        value[logged] = LOGGED_NAN
    return value
