"""What `pulse_widgets.log_batch` is given: columns of numbers, steps and times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.collectors.calls import READY
from pulse_widgets.collectors.logged_values import (
    STEP_LIMIT,
    NoNumberError,
    accepted,
    floats,
    number_of,
)
from pulse_widgets.errors import ArgumentError
from pulse_widgets.series.columns import mark_logged
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["column", "length_of", "microseconds", "pieces", "steps_of"]

PIECE_SAMPLES: Final = 250_000
"""So many samples are handed on at once."""


def column(given: Any) -> NDArray[np.float64]:
    """Return a copy of a column of numbers as it is stored.

    Parameters
    ----------
    given : (n,) array, sequence of n, or tensor
        A masked element, and None in a sequence, is missing. A tensor on a device is read here.

    Returns
    -------
    (n,) float64

    Raises
    ------
    NoNumberError
        If it is not one row of numbers.
    """
    if isinstance(given, list | tuple):
        return _of_sequence(given)
    array = _as_array(given)
    if array.ndim != 1 or array.dtype.kind not in "biufO":
        raise NoNumberError
    if array.dtype.kind == "O":
        return _of_sequence(array.tolist())
    value = np.array(array, np.float64, subok=False)
    mask = np.ma.getmaskarray(array)
    mark_logged(value, ~mask)
    value[mask] = math.nan
    return value


def _as_array(given: Any) -> NDArray[Any]:
    if isinstance(given, np.ndarray):
        return given
    if hasattr(given, "detach"):
        given = given.detach().cpu()
    if not hasattr(given, "__array__"):
        raise NoNumberError
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as exc:
        if not hasattr(given, "float"):
            raise NoNumberError from exc
        # A type that numpy does not have, such as bfloat16.
        return np.asarray(given.float())


def _of_sequence(given: Sequence[Any]) -> NDArray[np.float64]:
    if READY.issuperset(map(type, given)):
        return floats(given)
    try:
        numbers = [accepted(value) for value in given]
        return floats([None if value is None else number_of(value) for value in numbers])
    except NoNumberError:
        raise
    except Exception as exc:
        # A device's own error, found on reading.
        raise NoNumberError from exc


def length_of(
    columns: Mapping[str, NDArray[Any]], others: Mapping[str, NDArray[Any] | None]
) -> int:
    """Return how many rows all columns have; 0 where there are none.

    Raises
    ------
    ArgumentError
        If they differ.
    """
    given = {**columns, **{name: one for name, one in others.items() if one is not None}}
    lengths = {name: len(one) for name, one in given.items()}
    if len(set(lengths.values())) > 1:
        (first, its), *rest = lengths.items()
        other, different = next((name, n) for name, n in rest if n != its)
        raise ArgumentError(
            f"pw.log_batch takes columns of equal length: {first[:80]!r} has {its}, "
            f"{other[:80]!r} has {different}",
            remedy="Pass one value of each column for each row; None is a missing value.",
        )
    return next(iter(lengths.values()), 0)


def steps_of(given: Any) -> NDArray[np.int64] | None:
    """Return a copy of steps; None where there are none.

    Raises
    ------
    ArgumentError
        If they are not one row of whole numbers of at most 63 bits.
    """
    if given is None:
        return None
    try:
        array = _as_array(given) if not isinstance(given, list | tuple | range) else np.array(given)
        whole = array.ndim == 1 and array.dtype.kind in "iuf" and not np.ma.is_masked(array)
        if whole and array.dtype.kind == "f":
            whole = bool((np.isfinite(array) & (np.floor(array) == array)).all())
        if whole and len(array):
            whole = int(array.min()) > -STEP_LIMIT and int(array.max()) < STEP_LIMIT
        if whole or not len(array):
            return np.array(array, np.int64, subok=False).reshape(-1)
    except (NoNumberError, TypeError, ValueError, OverflowError):
        pass
    raise ArgumentError(
        "steps= are not whole numbers", remedy="Pass one integer a row, such as np.arange(n)."
    )


def microseconds(given: Any) -> NDArray[np.int64]:
    """Return Unix times, seconds or datetime64, as microseconds; what is no time is -2**63.

    Raises
    ------
    ArgumentError
        If they are not one row of times.
    """
    try:
        array = np.array(given) if isinstance(given, list | tuple) else _as_array(given)
        if array.dtype.kind == "O" and hasattr(given, "__array__"):
            # Of pandas, with a zone.
            array = np.asarray(given, "datetime64[us]")
    except (NoNumberError, TypeError, ValueError):
        array = np.empty((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "iufM" or np.ma.is_masked(array):
        raise ArgumentError(
            "times= are not one row of times",
            remedy="Pass Unix seconds, such as time.time(), or numpy's datetime64, one a row.",
        )
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]").astype(np.int64)
    seconds = array.astype(np.float64)
    sound = np.abs(seconds) < 1e12  # noqa: PLR2004  beyond every year that there is
    return np.where(sound, np.rint(np.where(sound, seconds, 0.0) * 1e6), -(2.0**63)).astype(
        np.int64
    )


def pieces(
    columns: Mapping[int, NDArray[np.float64]],
    steps: NDArray[np.int64] | None,
    times: NDArray[np.int64] | int,
    length: int,
) -> Iterator[Rows]:
    """Yield the rows of columns by series, so many at once: first the first rows of all.

    Parameters
    ----------
    columns : mapping of int to (n,) float64
    steps : (n,) int64, or None
    times : (n,) int64, or int
        Session time, microseconds; a number is that of all rows.
    length : int
    """
    ids = np.array([*columns], np.int32)
    height = max(PIECE_SAMPLES // max(len(ids), 1), 1)
    for first in range(0, length, height):
        part = slice(first, min(first + height, length))
        rows = part.stop - first
        time = np.full(rows, times, np.int64) if isinstance(times, int) else times[part]
        step = np.full(rows, NO_STEP, np.int64) if steps is None else steps[part]
        yield Rows(
            np.repeat(ids, rows),
            np.tile(time, len(ids)),
            np.tile(step, len(ids)),
            np.concatenate([value[part] for value in columns.values()]),
        )
