"""Pictures of few colours are files that a browser shows as they were."""

import struct
import zlib

import numpy as np
import pytest

from tests.png import COLOURS, indexed


def decoded(png):
    """The pixels of such a file, read as the specification says."""
    chunks, at = {}, 8
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size)[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += size + 12
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]


@pytest.mark.parametrize("colours", [1, 2, COLOURS])
def test_a_picture_of_few_colours_is_kept_exactly(colours):
    random = np.random.default_rng(1)
    # Apart from each other, so that none looks like another.
    steps = np.stack(np.meshgrid(*[np.arange(8)] * 3), -1).reshape(-1, 3)[:colours] * 32
    pixels = steps[random.integers(0, colours, (40, 30))].astype(np.uint8)

    assert np.array_equal(decoded(indexed(pixels)), pixels)


def test_of_too_many_colours_each_becomes_one_like_it_and_a_small_dot_stays():
    shades = np.linspace(0, 255, 300 * 300).reshape(300, 300)
    pixels = np.stack([shades, 255 - shades, shades / 2], -1).astype(np.uint8)
    pixels[10:14, 10:14] = (255, 0, 255)

    shown = decoded(indexed(pixels)).astype(int)

    assert np.abs(shown - pixels).max() < 16
    assert (shown[11, 11] == (255, 0, 255)).all()
