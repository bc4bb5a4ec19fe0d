"""The curves of a saved picture: a pale band, the line of the mean, and spikes.

Every column of a curve has the smallest and the largest value and the mean of what was read
in it. The band lies between the extremes. A column that sticks out of the band around it is drawn
in full colour, so that a spike of one sample is seen. Where readings were missing nothing is drawn.
``js/core/still/curve.ts`` is the twin: both write the same paths for the same readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pulse_widgets.exchange.picture.chart import Trace

    _Ints = NDArray[np.int64]

__all__ = ["PX", "Scale", "Shape", "band_of", "shape_of"]

PX: Final = 2
"""Coordinates are whole numbers of half pixels, which keeps paths short."""
AROUND: Final = 16
"""Columns on either side that a spike is compared with."""
SPIKE: Final = 3
"""A spike is so many times as far from the mean as the columns around it are."""
LONE: Final = 2
"""The share of the step from one mean to the next that counts as spread is one in so many."""
LEAST_SPIKE: Final = 3
"""Half pixels; a shorter one hides under the line."""
UNDER_LINE: Final = 2
"""Half pixels of a band that the line of the mean covers."""
UNKNOWN: Final = -1
"""The height of a mean that is not known."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns times and values into half pixels of a plot.

    Attributes
    ----------
    span : (float, float)
        Unix times of the left and the right edge.
    values : (float, float)
        At the bottom and at the top.
    width, height : int
        Pixels of the plot.
    points : int
        Columns there are at most.
    """

    span: tuple[float, float]
    values: tuple[float, float]
    width: int
    height: int
    points: int

    def x(self, time: float) -> int:
        """Return the place of a moment."""
        start, end = self.span
        return int(np.floor((time - start) / (end - start) * self.width * PX + 0.5))

    def y(self, value: float) -> int:
        """Return the height of a value, from the top."""
        return int(self.heights(np.array([value]))[0])

    def heights(self, value: NDArray[np.float64]) -> _Ints:
        """Return the heights of values."""
        # Halves, because the difference of two numbers may be larger than the largest.
        bottom, top = self.values[0] / 2, self.values[1] / 2
        share = (value / 2 - bottom) / (top - bottom)
        return np.floor((1 - np.clip(share, 0, 1)) * self.height * PX + 0.5).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What lies between two gaps, a point for every column that has something."""

    x: _Ints
    top: _Ints
    bottom: _Ints
    mean: _Ints

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Shape:
    """The paths of one curve; each is empty where there is nothing of it.

    Attributes
    ----------
    band, line, spikes, dots : str
    """

    band: str
    line: str
    spikes: str
    dots: str


def shape_of(trace: Trace, scale: Scale, *, banded: bool = True) -> Shape:
    """Return how a trace is drawn, with its band or without."""
    band, line, spikes, dots = [], [], [], []
    for stretch in _stretches(trace, scale):
        if len(stretch) == 1:
            dots.append(_dot(stretch))
            continue
        band.append(_band(stretch) if banded else "")
        line.append(_line(stretch))
        spikes.append(_spikes(stretch))
    return Shape(*("".join(parts) for parts in (band, line, spikes, dots)))


def band_of(trace: Trace, scale: Scale) -> str:
    """Return the band of a trace alone."""
    return "".join(_band(stretch) for stretch in _stretches(trace, scale))


def _stretches(trace: Trace, scale: Scale) -> Iterator[_Stretch]:
    """Yield what lies between two gaps."""
    if not len(trace):
        return
    start, end = scale.span
    # The middle of the first bucket may lie before the session, that of the last after it.
    elapsed = np.clip(trace.time - start, 0.0, end - start)
    column = np.floor(elapsed / (end - start) * scale.points)
    first = np.flatnonzero(
        np.diff(column, prepend=-1.0).astype(np.bool_)
        | np.diff(trace.segment, prepend=trace.segment[0]).astype(np.bool_)
    )
    counts = np.diff(np.append(first, len(trace)))
    time = np.add.reduceat(elapsed, first) / counts
    x = np.floor(time / (end - start) * scale.width * PX + 0.5).astype(np.int64)
    top = scale.heights(np.maximum.reduceat(trace.high, first))
    bottom = scale.heights(np.minimum.reduceat(trace.low, first))
    # Shares first: the sum of large numbers may be too large for a number.
    whole = np.repeat(np.add.reduceat(trace.width, first), counts)
    value = np.add.reduceat(trace.mean * (trace.width / whole), first)
    known = ~np.isnan(value)
    mean = np.where(known, scale.heights(np.where(known, value, 0.0)), UNKNOWN)
    mean = np.where(known, np.clip(mean, top, bottom), UNKNOWN)
    for part in np.split(np.arange(len(x)), np.flatnonzero(np.diff(trace.segment[first])) + 1):
        yield _Stretch(x[part], top[part], bottom[part], mean[part])


def _dot(one: _Stretch) -> str:
    x, top, bottom = int(one.x[0]), int(one.top[0]), int(one.bottom[0])
    return f"M{x} {top}h0" if top == bottom else f"M{x} {top}V{bottom}"


def _band(one: _Stretch) -> str:
    """Return the outline where the band is wider than the line that covers its middle."""
    hidden = np.where(one.mean == UNKNOWN, 0, UNDER_LINE)
    wide = one.bottom - one.top > hidden
    shown = wide.copy()
    shown[1:] |= wide[:-1]
    shown[:-1] |= wide[1:]
    return "".join(_outline(one, part) for part in _runs(shown) if len(part) > 1)


def _outline(one: _Stretch, part: _Ints) -> str:
    upper = _corners(one.x[part], one.top[part])
    lower = _corners(one.x[part], one.bottom[part])
    return _steps(*np.concatenate([upper, lower[:, ::-1]], axis=1)) + "z"


def _line(one: _Stretch) -> str:
    parts = []
    for part in _runs(one.mean != UNKNOWN):
        if len(part) > 1:
            parts.append(_steps(*_corners(one.x[part], one.mean[part])))
        else:
            parts.append(f"M{one.x[part[0]]} {one.mean[part[0]]}h0")
    return "".join(parts)


def _spikes(one: _Stretch) -> str:
    """Return the way from the mean to every extreme that sticks out of the band around it."""
    parts = []
    for part in _runs(one.mean != UNKNOWN):
        mean = one.mean[part]
        ends = one.top[part], one.bottom[part]
        # Of lone samples the band has no width: they are spread by how far they move.
        steps = np.abs(np.diff(mean, prepend=mean[0]))
        spread = np.maximum(LONE * np.abs(np.array(ends) - mean).max(axis=0), steps)
        for end in ends:
            sticks = _sticks(LONE * np.abs(end - mean), spread)
            parts += [f"M{one.x[part[i]]} {mean[i]}V{end[i]}" for i in np.flatnonzero(sticks)]
    return "".join(parts)


def _sticks(far: _Ints, spread: _Ints) -> NDArray[np.bool_]:
    """Return which distances are beyond the spread that is usual around them.

    The median, because a fall of the whole curve nearby is no reason to overlook a spike.
    """
    outside = np.iinfo(np.int64).max
    around = sliding_window_view(np.pad(spread, AROUND, constant_values=outside), 2 * AROUND + 1)
    at = np.arange(len(far))
    count = np.minimum(at, AROUND) + 1 + np.minimum(at[::-1], AROUND)
    usual = np.take_along_axis(np.sort(around, axis=1), (count // 2)[:, None], axis=1)[:, 0]
    sticks: NDArray[np.bool_] = (far > SPIKE * usual) & (far >= LONE * LEAST_SPIKE)
    return sticks


def _runs(wanted: NDArray[np.bool_]) -> Iterator[_Ints]:
    """Yield the places of each stretch of true ones."""
    places = np.flatnonzero(wanted)
    if len(places):
        yield from np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)


def _corners(x: _Ints, y: _Ints) -> _Ints:
    """Return points without those that lie on the straight line between their neighbours."""
    dx, dy = np.diff(x), np.diff(y)
    keep = np.ones(len(x), np.bool_)
    keep[1:-1] = dx[:-1] * dy[1:] != dx[1:] * dy[:-1]
    return np.stack([x[keep], y[keep]])


def _steps(x: _Ints, y: _Ints) -> str:
    pairs = np.stack([np.diff(x), np.diff(y)], axis=1).ravel().tolist()
    steps = " ".join(map(str, pairs)).replace(" -", "-")
    return f"M{x[0]} {y[0]}l{steps}"
