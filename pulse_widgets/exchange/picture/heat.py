"""Many lines as rows of colours, in a small image inside the picture.

A row has two lines of pixels, its largest values above its smallest, so that a spike and a dip of
one sample both show. ``js/core/still/heat.ts`` is the twin, and because a page cannot compress at
once the image is not compressed: both write the same bytes.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.exchange.picture.curve import PX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.exchange.picture.chart import Trace
    from pulse_widgets.exchange.picture.curve import Scale

    _Ints = NDArray[np.int64]

__all__ = ["heat_image", "ramp_stops"]

RAMP: Final = (
    "#e9f0f6", "#b0d0e2", "#5ea5c8", "#2170a8", "#14427e", "#0c1c4a",
)  # fmt: skip
"""Low to high, as the dashboard has them on light ground."""
LEVELS: Final = 15
"""Colours of an image; one more is for what is missing."""
HEAT_BYTES: Final = 4_500
"""What the pixels of an image take at most."""
HEAT_COLUMNS: Final = 120


def ramp_stops() -> str:
    """Return the ramp as the stops of a gradient, the highest first."""
    last = len(RAMP) - 1
    return "".join(
        f'<stop offset="{100 * place // last}%" stop-color="{color}"/>'
        for place, color in enumerate(reversed(RAMP))
    )


def heat_image(traces: Sequence[Trace], scale: Scale) -> str:
    """Return an image of some traces, one row each, that fills a plot."""
    columns = min(scale.points, HEAT_COLUMNS, HEAT_BYTES // len(traces))
    lines = [line for trace in traces for line in _row(trace, scale, columns)]
    data = base64.b64encode(_png(np.array(lines, np.uint8))).decode()
    return (
        f'<image width="{scale.width * PX}" height="{scale.height * PX}" '
        'preserveAspectRatio="none" image-rendering="pixelated" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _row(trace: Trace, scale: Scale, columns: int) -> tuple[_Ints, _Ints]:
    """Return the colours of the largest and of the smallest values, column by column."""
    top = np.zeros(columns, np.int64)
    bottom = np.full(columns, LEVELS + 1)
    if len(trace):
        start, end = scale.span
        share = (trace.time - start) / (end - start)
        half = trace.width / 2 / (end - start)
        first = np.clip(np.floor((share - half) * columns + 1e-6), 0, columns - 1).astype(int)
        last = np.clip(np.ceil((share + half) * columns - 1e-6) - 1, 0, columns - 1).astype(int)
        # What is between two readings of which none is missing has the colour of the one before.
        same = np.append(np.diff(trace.segment) == 0, False)
        last = np.where(same, np.maximum(last, np.append(first[1:], 0) - 1), last)
        wide = np.maximum(last, first) - first + 1
        column = np.arange(wide.sum()) + np.repeat(first - (np.cumsum(wide) - wide), wide)
        np.maximum.at(top, column, np.repeat(_levels(trace.high, scale), wide))
        np.minimum.at(bottom, column, np.repeat(_levels(trace.low, scale), wide))
    return top, np.where(top == 0, 0, bottom)


def _levels(value: NDArray[np.float64], scale: Scale) -> _Ints:
    """Return the colours of values, 1 for the bottom of the axis."""
    # By the height of the value, which is safe for numbers of any size.
    full = scale.height * PX
    return 1 + ((full - scale.heights(value)) * (LEVELS - 1) + full // 2) // full


def _palette() -> bytes:
    """Return the colours of the image; the first is for what is missing."""
    stops = [[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in RAMP]
    colors = [[255, 255, 255]]
    for level in range(LEVELS):
        place, part = divmod(level * (len(stops) - 1), LEVELS - 1)
        low, high = stops[place], stops[min(place + 1, len(stops) - 1)]
        colors.append(
            [a + ((b - a) * part) // (LEVELS - 1) for a, b in zip(low, high, strict=True)]
        )
    return bytes(value for color in colors for value in color)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Return an image of 16 colours."""
    height, width = pixels.shape
    even = np.pad(pixels, ((0, 0), (0, width % 2)))
    packed = (even[:, 0::2] << 4) | even[:, 1::2]
    raw = b"".join(b"\0" + line.tobytes() for line in packed)
    stored = struct.pack("<BHH", 1, len(raw), len(raw) ^ 0xFFFF) + raw
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)),
            (b"PLTE", _palette()),
            (b"tRNS", b"\0"),
            (b"IDAT", b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(raw))),
            (b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
