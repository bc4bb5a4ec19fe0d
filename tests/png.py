"""PNG files of at most 256 colours, as small as such can be."""

from __future__ import annotations

import struct
import zlib

import numpy as np

MAGIC = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
ALIKE_BITS = 3
"""Lowest bits of red, green and blue in which colours that look alike may differ."""


def indexed(pixels: np.ndarray) -> bytes:
    """Return a picture as a file: its most frequent colours, and for all others the nearest.

    Parameters
    ----------
    pixels : (height, width, 3) uint8
    """
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    found, place, count = np.unique(packed, return_inverse=True, return_counts=True)
    palette = _palette(found, count)
    nearest = _nearest(_channels(found), _channels(palette))
    index = nearest[place].reshape(packed.shape).astype(np.uint8)
    # Every line begins with its filter; without one, palette images become smallest.
    lines = np.pad(index, ((0, 0), (1, 0)))
    height, width = index.shape
    return b"".join(
        (
            MAGIC,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", _channels(palette).astype(np.uint8).tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _palette(found: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the most frequent colours, one of those that look alike.

    A small thing of a colour of its own, such as a dot, would else lose it to shades of grey.
    """
    order = np.argsort(-count.astype(np.int64), kind="stable")
    alike = _channels(found[order]) >> ALIKE_BITS
    _, first, of_cell = np.unique(alike, axis=0, return_index=True, return_inverse=True)
    together = np.bincount(of_cell.ravel(), weights=count[order])
    return found[order][first[np.argsort(-together, kind="stable")[:COLOURS]]]


def _channels(packed: np.ndarray) -> np.ndarray:
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1).astype(int)


def _nearest(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return for every colour the place of the nearest one of the palette."""
    return np.concatenate(
        [
            np.square(some[:, None] - palette[None]).sum(-1).argmin(1)
            for some in np.array_split(colours, len(colours) // 500 + 1)
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
