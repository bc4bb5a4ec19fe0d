"""Rates from counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rate", "rate_of_change"]


def rate(time_s: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per-second rate of a monotonic counter.

    Parameters
    ----------
    time_s : (n,) float64
        Strictly increasing sample times, seconds.
    count : (n,) float64
        Counter readings; NaN where the reading is missing.

    Returns
    -------
    (n,) float64
        Units of `count` per second. The first value, every value beside a missing reading,
        every value across a counter reset, and every value whose time does not lie after
        the time before it is NaN.

    Raises
    ------
    ValueError
        If the two arrays differ in shape.
    """
    if time_s.shape != count.shape:
        msg = f"time_s has shape {time_s.shape}, count has {count.shape}"
        raise ValueError(msg)
    return rate_of_change(np.diff(time_s, prepend=np.nan), np.diff(count, prepend=np.nan))


def rate_of_change(
    elapsed_s: NDArray[np.float64], change: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Per-second rate of a monotonic counter between two readings; NaN where it is not known."""
    # After a reset the true increase is unknowable; equal times have no rate at all.
    known = (change >= 0) & (elapsed_s > 0)
    result = np.full(change.shape, np.nan)
    np.divide(change, elapsed_s, out=result, where=known)
    return result
